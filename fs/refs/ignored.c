/*
 * ignored: comments, strings and escapes, as _css_ignored_re and
 * _js_ignored_re of Django 6.1 find them. Not a tokenizer of CSS or
 * JavaScript: neither of Django's is.
 *
 * Linear: a string that does not end was read to the end of its line (a
 * template literal: of the text) in vain, but then no quote of its kind that
 * is not escaped follows there, so it is not read in vain again.
 *
 * Most scripts that are asked about have one match, the source map comment at
 * their end. No region ends behind that, so nothing before it need be read.
 */
#include "fs/refs/internal.h"

#include <string.h>

/* The length of a character; the text is UTF-8. */
static size_t character_len(const char *text)
{
	unsigned char lead = (unsigned char)*text;

	return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* /\*.*?\*\/ at `at`: where it ends, or 0. */
static size_t comment_end(struct hf_ignored *ignored, size_t at)
{
	const char *end;

	if (ignored->no_comment_ends || ignored->len - at < 4)
		return 0;
	end = memmem(ignored->text + at + 2, ignored->len - at - 2, "*/", 2);
	ignored->no_comment_ends = !end;
	return end ? (size_t)(end - ignored->text) + 2 : 0;
}

/* //[^\n]* at `at` */
static size_t line_end(const struct hf_ignored *ignored, size_t at)
{
	const char *end = memchr(ignored->text + at, '\n', ignored->len - at);

	return end ? (size_t)(end - ignored->text) : ignored->len;
}

/* '(?:[^'\\\n]|\\.)*' and its like at `at`: where it ends, or 0. */
static size_t string_end(const struct hf_ignored *ignored, size_t at)
{
	const char *text = ignored->text;
	char quote = text[at++];

	while (at < ignored->len) {
		if (text[at] == quote)
			return at + 1;
		if (text[at] == '\n' && quote != '`')
			return 0;
		if (text[at] == '\\')
			at++;
		at++;
	}
	return 0;
}

/* Which bytes a region can begin with. */
static inline hf_bytes starts_at(const char *text)
{
	hf_bytes b = hf_bytes_at(text);

	return (hf_bytes)((b == '/') | (b == '\\') | (b == '`') | (b == '\'') |
			  (b == '"'));
}

/* The first byte from `at` on that a region can begin with, or len. Most of a
 * text is passed over here. */
static size_t next_start(const struct hf_ignored *ignored, size_t at)
{
	static const bool starts[256] = {
		['/'] = true,  ['\\'] = true, ['`'] = true,
		['\''] = true, ['"'] = true,
	};

	while (ignored->len - at >= sizeof(hf_bytes) &&
	       !hf_bytes_any(starts_at(ignored->text + at)))
		at += sizeof(hf_bytes);
	while (at < ignored->len && !starts[(unsigned char)ignored->text[at]])
		at++;
	return at;
}

/* The end of the region that begins at `at`, or 0. */
static size_t region_end(struct hf_ignored *ignored, size_t at)
{
	const char *text = ignored->text + at;
	char next = ignored->len - at > 1 ? text[1] : '\0';
	size_t end = 0;

	switch (*text) {
	case '/':
		if (next == '*')
			end = comment_end(ignored, at);
		else if (next == '/' && ignored->is_js)
			end = line_end(ignored, at);
		return end;
	case '\\':
		if (ignored->len - at > 1)
			end = at + 1 + character_len(text + 1);
		return end;
	case '`':
		return ignored->is_js ? string_end(ignored, at) : 0;
	case '\'':
	case '"':
		return string_end(ignored, at);
	default:
		return 0;
	}
}

/* Behind the last byte from `at` on that can end a region of several lines,
 * or `at`. A "*" stands for the end of a comment. */
static size_t last_end(const struct hf_ignored *ignored, size_t at)
{
	static const char ends[] = {'"', '\'', '`', '*'};
	const char *text = ignored->text;

	for (size_t i = 0; i < sizeof(ends); i++) {
		const char *end =
			memrchr(text + at, ends[i], ignored->len - at);

		if (end)
			at = (size_t)(end - text) + 1;
	}
	return at;
}

/* Whether it is clear that no region goes on from the line before into the one
 * that begins at `at`. */
static bool is_outside(struct hf_ignored *ignored, size_t at)
{
	if (at == 0 || ignored->text[at - 1] != '\n')
		return false;
	if (ignored->last_end == 0)
		ignored->last_end = last_end(ignored, at);
	return at >= ignored->last_end;
}

bool hf_ignored_at(struct hf_ignored *ignored, size_t at)
{
	if (is_outside(ignored, at))
		return false;
	while (ignored->end <= at && ignored->end < ignored->len) {
		size_t start = next_start(ignored, ignored->end);
		size_t end =
			start < ignored->len ? region_end(ignored, start) : 0;

		ignored->start = start;
		ignored->end = end ? end : start + 1;
	}
	return ignored->start < at && at < ignored->end;
}
