/*
 * css: the patterns of HashedFilesMixin.patterns for "*.css", by hand.
 *
 * Each find function is one regular expression, unrolled: where it says that
 * a lazy `.*?` ends at the first delimiter, backtracking could not have ended
 * it elsewhere. `.` does not match a newline, \s does.
 */
#include "fs/refs/internal.h"

#include <string.h>

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

/* The next "url(" in any case, or len. */
static size_t next_url(const struct hf_scan *scan, size_t from)
{
	const char *text = scan->text;
	size_t at = from;

	while (at < scan->len) {
		const char *open = memchr(text + at, '(', scan->len - at);

		if (!open)
			break;
		at = (size_t)(open - text) + 1;
		if (at - from >= 4 && hf_scan_word(scan, at - 4, "url("))
			return at - 4;
	}
	return scan->len;
}

/* url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\) at `start` */
static bool url_5_2_at(struct hf_scan *scan, size_t start, struct hf_match *ret)
{
	size_t url = start + 4;
	size_t close, end;

	if (url < scan->len && is_quote(scan->text[url]))
		url++;
	url = hf_scan_skip_space(scan, url);
	close = hf_scan_next(scan, HF_MARK_CLOSE, url);
	if (close == scan->len || !hf_scan_same_line(scan, url, close))
		return false;
	end = close > url && is_quote(scan->text[close - 1]) ? close - 1
							     : close;
	*ret = (struct hf_match){
		.start = start,
		.end = close + 1,
		.url = url,
		.url_len = end - url,
	};
	return true;
}

/* \s*(?P<url>.*?)MARK behind the "(" or the quote at `from`; `mark_len` bytes
 * of the mark stand in front of the end of the match. */
static bool url_up_to(struct hf_scan *scan, size_t start, size_t from,
		      enum hf_mark mark, size_t mark_len, struct hf_match *ret)
{
	size_t url = hf_scan_skip_space(scan, from);
	size_t end = hf_scan_next(scan, mark, url);

	if (end == scan->len || !hf_scan_same_line(scan, url, end))
		return false;
	*ret = (struct hf_match){
		.start = start,
		.end = end + mark_len,
		.url = url,
		.url_len = end - url,
	};
	return true;
}

/*
 * url\((?P<quote>['"]{0,1})\s*(?P<url>.*?)(?P=quote)\) at `start`: if the
 * quote is not closed, the group "quote" is empty and the quote part of the
 * URL.
 */
static bool url_at(struct hf_scan *scan, size_t start, struct hf_match *ret)
{
	size_t from = start + 4;
	char quote = from < scan->len ? scan->text[from] : '\0';

	if (quote == '"' &&
	    url_up_to(scan, start, from + 1, HF_MARK_DOUBLE_CLOSE, 2, ret))
		return true;
	if (quote == '\'' &&
	    url_up_to(scan, start, from + 1, HF_MARK_SINGLE_CLOSE, 2, ret))
		return true;
	return url_up_to(scan, start, from, HF_MARK_CLOSE, 1, ret);
}

static bool find_url_5_2(struct hf_scan *scan, size_t from,
			 struct hf_match *ret)
{
	for (; (from = next_url(scan, from)) < scan->len; from++)
		if (url_5_2_at(scan, from, ret))
			return true;
	return false;
}

static bool find_url(struct hf_scan *scan, size_t from, struct hf_match *ret)
{
	for (; (from = next_url(scan, from)) < scan->len; from++)
		if (url_at(scan, from, ret))
			return true;
	return false;
}

/*
 * The length of "@import" at `at`, or 0. IGNORECASE folds U+0130 and U+0131
 * to "i", and nothing else outside ASCII to a letter of this word.
 */
static size_t at_import_len(const struct hf_scan *scan, size_t at)
{
	if (hf_scan_word(scan, at, "@import"))
		return 7;
	if (hf_scan_word(scan, at, "@\xc4\xb0mport") ||
	    hf_scan_word(scan, at, "@\xc4\xb1mport"))
		return 8;
	return 0;
}

/* The first quote of either kind on the line, or len. */
static size_t next_quote(const struct hf_scan *scan, size_t from)
{
	for (; from < scan->len && scan->text[from] != '\n'; from++)
		if (is_quote(scan->text[from]))
			return from;
	return scan->len;
}

/*
 * @import\s*["']\s*(?P<url>.*?)["'] at `start`. Where it fails for want of a
 * quote, there is no other one on the line to begin with: no byte is read by
 * two failures.
 */
static bool import_at(const struct hf_scan *scan, size_t start,
		      struct hf_match *ret)
{
	size_t n = at_import_len(scan, start);
	size_t url = n ? hf_scan_skip_space(scan, start + n) : scan->len;
	size_t end;

	if (url >= scan->len || !is_quote(scan->text[url]))
		return false;
	url = hf_scan_skip_space(scan, url + 1);
	end = next_quote(scan, url);
	if (end == scan->len)
		return false;
	*ret = (struct hf_match){
		.start = start,
		.end = end + 1,
		.url = url,
		.url_len = end - url,
	};
	return true;
}

static bool find_import(struct hf_scan *scan, size_t from, struct hf_match *ret)
{
	const char *at;

	while (from < scan->len) {
		at = memchr(scan->text + from, '@', scan->len - from);
		if (!at)
			return false;
		from = (size_t)(at - scan->text);
		if (import_at(scan, from, ret))
			return true;
		from++;
	}
	return false;
}

/*
 * (?m)^/\*#[ \t](?-i:sourceMappingURL)=(?P<url>.*)[ \t]*\*\/$ -- the greedy
 * group leaves no blank to what follows it.
 */
static bool find_map(struct hf_scan *scan, size_t from, struct hf_match *ret)
{
	while (hf_map_find(scan, from, "/*# ", "/*#\t", ret)) {
		if (ret->url_len >= 2 &&
		    memcmp(scan->text + ret->end - 2, "*/", 2) == 0) {
			ret->url_len -= 2;
			return true;
		}
		from = ret->end;
	}
	return false;
}

const struct hf_pattern hf_css_url = {
	.find = find_url,
	.head = "url(\"",
	.middle = "",
	.tail = "\")",
};

const struct hf_pattern hf_css_url_5_2 = {
	.find = find_url_5_2,
	.head = "url(\"",
	.middle = "",
	.tail = "\")",
};

const struct hf_pattern hf_css_import = {
	.find = find_import,
	.head = "@import url(\"",
	.middle = "",
	.tail = "\")",
};

const struct hf_pattern hf_css_map = {
	.find = find_map,
	.head = "/*# sourceMappingURL=",
	.middle = "",
	.tail = " */",
	.is_map = true,
};
