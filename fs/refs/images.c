/*
 * images: the strings of image-set() in a style sheet. Django rewrites url()
 * in there, and leaves strings alone.
 */
#include "fs/refs/internal.h"

#include <string.h>

static const char *find(const struct hf_plain *plain, size_t at,
			const char *what)
{
	return at < plain->len ? memmem(plain->text + at, plain->len - at, what,
					strlen(what))
			       : NULL;
}

static size_t behind(const struct hf_plain *plain, const char *found,
		     size_t len)
{
	return found ? (size_t)(found - plain->text) + len : plain->len;
}

/* Behind the string that begins at `at`; one that does not end ends with its
 * line, as CSS has it. */
static size_t skip_string(const struct hf_plain *plain, size_t at, bool *whole)
{
	char quote = plain->text[at++];

	for (; at < plain->len; at++) {
		if (plain->text[at] == '\\')
			at++;
		else if (plain->text[at] == '\n')
			break;
		else if (plain->text[at] == quote) {
			*whole = true;
			return at + 1;
		}
	}
	*whole = false;
	return at < plain->len ? at : plain->len;
}

/* Where the name of the function begins whose parenthesis is at `at`. */
static size_t name_start(const struct hf_plain *plain, size_t from, size_t at)
{
	while (at > from) {
		char c = plain->text[at - 1];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '-' || c == '_'))
			break;
		at--;
	}
	return at;
}

static bool is_name(const struct hf_plain *plain, size_t start, size_t end,
		    const char *name)
{
	struct hf_scan scan = {.text = plain->text, .len = end};

	return end - start == strlen(name) &&
	       hf_scan_word(&scan, start, name) > 0;
}

/* Where a style sheet is read. */
struct sheet {
	size_t at;
	size_t last;  /* behind the last sign: a name begins there or later */
	size_t depth; /* of parentheses */
	size_t set;   /* the depth inside image-set(), or 0 */
};

/* A URL without quotes ends at the parenthesis, whatever is in it. */
static void skip_url(const struct hf_plain *plain, struct sheet *sheet)
{
	size_t at = sheet->at;

	while (at < plain->len && (unsigned char)plain->text[at] <= ' ')
		at++;
	if (at < plain->len && plain->text[at] != '"' &&
	    plain->text[at] != '\'')
		sheet->at = behind(plain, find(plain, at, ")"), 0);
}

static void open_function(const struct hf_plain *plain, struct sheet *sheet)
{
	size_t end = sheet->at++;
	size_t start = name_start(plain, sheet->last, end);

	sheet->depth++;
	if (is_name(plain, start, end, "url"))
		skip_url(plain, sheet);
	else if (!sheet->set &&
		 (is_name(plain, start, end, "image-set") ||
		  is_name(plain, start, end, "-webkit-image-set")))
		sheet->set = sheet->depth;
	sheet->last = sheet->at;
}

/* Strings of image-set() itself; type("image/png") is a function inside. */
static int take_image(struct hf_plain *plain, struct sheet *sheet)
{
	size_t at = sheet->at;
	bool whole;

	sheet->at = skip_string(plain, at, &whole);
	if (!whole || !sheet->set || sheet->depth != sheet->set)
		return 0;
	return hf_plain_tell(plain, HF_PLAIN_URL, at + 1, sheet->at - at - 2);
}

static void close_function(struct sheet *sheet)
{
	if (sheet->depth == sheet->set)
		sheet->set = 0;
	if (sheet->depth)
		sheet->depth--;
	sheet->at++;
}

static int step_sheet(struct hf_plain *plain, struct sheet *sheet)
{
	switch (plain->text[sheet->at]) {
	case '"':
	case '\'':
		return take_image(plain, sheet);
	case '(':
		open_function(plain, sheet);
		return 0;
	case ')':
		close_function(sheet);
		return 0;
	case '\\':
		sheet->at += 2;
		return 0;
	case '{':
	case '}':
	case ';': /* whatever was left open */
		sheet->depth = sheet->set = 0;
		break;
	case '/':
		if (sheet->at + 1 < plain->len &&
		    plain->text[sheet->at + 1] == '*') {
			sheet->at = behind(plain,
					   find(plain, sheet->at + 2, "*/"), 2);
			return 0;
		}
		break;
	}
	sheet->at++;
	return 0;
}

int hf_plain_scan_sheet(struct hf_plain *plain)
{
	struct sheet sheet = {0};
	int r = 0;

	while (r == 0 && sheet.at < plain->len)
		r = step_sheet(plain, &sheet);
	return r;
}
