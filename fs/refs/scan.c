#include "fs/refs/internal.h"

#include <string.h>

static const char *const needles[HF_N_MARKS] = {
	[HF_MARK_NEWLINE] = "\n",       [HF_MARK_CLOSE] = ")",
	[HF_MARK_DOUBLE_CLOSE] = "\")", [HF_MARK_SINGLE_CLOSE] = "')",
	[HF_MARK_SEMICOLON] = ";",
};

bool hf_sight_holds(const struct hf_sight *sight, size_t from)
{
	return sight->known && sight->from <= from && from <= sight->at;
}

size_t hf_scan_next(struct hf_scan *scan, enum hf_mark mark, size_t from)
{
	struct hf_sight *sight = &scan->marks[mark];
	const char *found;

	if (from >= scan->len)
		return scan->len;
	if (!hf_sight_holds(sight, from)) {
		found = memmem(scan->text + from, scan->len - from,
			       needles[mark], strlen(needles[mark]));
		sight->known = true;
		sight->from = from;
		sight->at = found ? (size_t)(found - scan->text) : scan->len;
	}
	return sight->at;
}

size_t hf_scan_skip_space(const struct hf_scan *scan, size_t from)
{
	uint32_t code_point;
	size_t n;

	while ((n = hf_utf8_decode(scan->text + from, scan->len - from,
				   &code_point)) &&
	       hf_is_space(code_point))
		from += n;
	return from;
}

bool hf_scan_same_line(struct hf_scan *scan, size_t from, size_t end)
{
	return hf_scan_next(scan, HF_MARK_NEWLINE, from) >= end;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

size_t hf_scan_word(const struct hf_scan *scan, size_t at, const char *word)
{
	size_t n = 0;

	while (word[n]) {
		if (at + n >= scan->len || lower(scan->text[at + n]) != word[n])
			return 0;
		n++;
	}
	return n;
}

/* Which bytes are the ASCII letter (lower case), in any case. */
static inline hf_bytes like(const char *text, char letter)
{
	return (hf_bytes)((hf_bytes_at(text) | 0x20) == (unsigned char)letter);
}

size_t hf_scan_pair(const struct hf_scan *scan, size_t from, const char *pair)
{
	const char *text = scan->text;
	size_t at = from;

	while (at < scan->len && scan->len - at > sizeof(hf_bytes) &&
	       !hf_bytes_any(like(text + at, pair[0]) &
			     like(text + at + 1, pair[1])))
		at += sizeof(hf_bytes);
	while (at < scan->len && !hf_scan_word(scan, at, pair))
		at++;
	return at < scan->len ? at : scan->len;
}

size_t hf_scan_import(const struct hf_scan *scan, size_t at)
{
	size_t n = hf_scan_word(scan, at, "import");

	if (!n)
		n = hf_scan_word(scan, at, "\xc4\xb0mport");
	if (!n)
		n = hf_scan_word(scan, at, "\xc4\xb1mport");
	return n;
}

size_t hf_scan_next_import(const struct hf_scan *scan, size_t from)
{
	for (size_t mp = from; (mp = hf_scan_pair(scan, mp, "mp")) < scan->len;
	     mp++) {
		/* The "i" is one byte or, if it is no ASCII, two. */
		for (size_t n = 1; n <= 2 && n <= mp - from; n++)
			if (hf_scan_import(scan, mp - n))
				return mp - n;
	}
	return scan->len;
}
