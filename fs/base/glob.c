/*
 * What "exactly as Python" means for a class is not written anywhere but in
 * fnmatch.translate(): it makes a regular expression of the class, and some
 * odd classes are what that expression happens to be. They are kept, because
 * other programs read the same globs.
 */
#include "fs/base/base.h"

#include <string.h>

/*
 * Reads one character and returns where the next begins. A byte that is not
 * UTF-8 is the surrogate that Python makes of it, so that ranges sort alike.
 */
static const char *next_char(const char *at, uint32_t *ret)
{
	unsigned char byte = (unsigned char)*at;
	size_t n;

	*ret = byte;
	if (byte < 0x80)
		return at + 1;
	n = hf_utf8_decode(at, strnlen(at, 4), ret);
	if (n > 0)
		return at + n;
	*ret = 0xdc00U + byte;
	return at + 1;
}

/* An item of a class: a range, or one character (low == high). */
struct item {
	uint32_t low;
	uint32_t high;
	bool is_range;
};

static const char *next_item(const char *at, const char *end, struct item *ret)
{
	at = next_char(at, &ret->low);
	ret->high = ret->low;
	/* A hyphen that ends the class is a character. */
	ret->is_range = end - at >= 2 && *at == '-';
	return ret->is_range ? next_char(at + 1, &ret->high) : at;
}

/* Is `c` in the class that stands in [at, end), without its brackets? */
static bool class_has(const char *at, const char *end, uint32_t c)
{
	bool negated = *at == '!';
	bool first = !negated;
	bool found = false;
	struct item item;

	at += negated;
	while (at < end) {
		at = next_item(at, end, &item);
		if (item.low > item.high)
			continue;
		/*
		 * Empty ranges are removed first, and negation is looked for
		 * afterwards: a "!" that moved to the front negates, and if
		 * it began a range, the hyphen and the end are left alone.
		 */
		if (first && item.low == '!') {
			negated = true;
			found = item.is_range && (c == '-' || c == item.high);
		} else {
			found |= item.low <= c && c <= item.high;
		}
		first = false;
	}
	return found != negated;
}

/*
 * The ] that closes the class whose [ stands before `at`, or NULL. `last` is
 * the last ] of the glob: it spares looking through the rest for every [ that
 * is not closed.
 */
static const char *class_end(const char *at, const char *last)
{
	at += *at == '!';
	/* Where it comes first it is a member. */
	at += *at == ']';
	return last && at <= last ? strchr(at, ']') : NULL;
}

/* Matches what stands at *glob, no star, with `c`; moves *glob behind it. */
static bool match_one(const char **glob, const char *last, uint32_t c)
{
	const char *at = *glob;
	const char *end = *at == '[' ? class_end(at + 1, last) : NULL;
	uint32_t wanted;

	if (end) {
		*glob = end + 1;
		return class_has(at + 1, end, c);
	}
	*glob = next_char(at, &wanted);
	return *at == '?' || wanted == c;
}

/* A byte that can only match itself, wherever it stands. */
static bool is_literal(char c)
{
	return c && c != '*' && c != '?' && c != '[' && c != ']';
}

/* Most globs that do not match differ at one of the ends: ".*", "*.css". */
static bool ends_differ(const char *glob, const char *text)
{
	size_t glob_len = strlen(glob);
	size_t text_len;

	if (is_literal(*glob) && *glob != *text)
		return true;
	if (!glob_len || !is_literal(glob[glob_len - 1]))
		return false;
	text_len = strlen(text);
	return !text_len || text[text_len - 1] != glob[glob_len - 1];
}

/* "*.css": a star and ASCII that stands for itself. */
static bool is_suffix(const char *glob)
{
	if (*glob++ != '*')
		return false;
	while (is_literal(*glob) && (unsigned char)*glob < 0x80)
		glob++;
	return !*glob;
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t text_len = strlen(text);
	size_t len = strlen(suffix);

	return text_len >= len &&
	       memcmp(text + text_len - len, suffix, len) == 0;
}

bool hf_glob_match(const char *glob, const char *text)
{
	const char *last;
	/* Behind the last star, and where in the text its run ends so far.
	 * Earlier stars need no second thought: had one taken more, the last
	 * one would only have less to choose from. */
	const char *star = NULL;
	const char *run = NULL;
	const char *rest;
	uint32_t c;

	if (ends_differ(glob, text))
		return false;
	if (is_suffix(glob))
		return ends_with(text, glob + 1);
	last = strrchr(glob, ']');
	while (*text) {
		if (*glob == '*') {
			star = ++glob;
			run = text;
			continue;
		}
		rest = next_char(text, &c);
		if (*glob && match_one(&glob, last, c)) {
			text = rest;
			continue;
		}
		if (!star)
			return false;
		glob = star;
		run = next_char(run, &c);
		text = run;
	}
	return glob[strspn(glob, "*")] == '\0';
}

bool hf_globs_match(const struct hf_strings *globs, const char *text)
{
	for (size_t i = 0; i < globs->n; i++)
		if (hf_glob_match(globs->items[i], text))
			return true;
	return false;
}
