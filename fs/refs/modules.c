/*
 * modules: _js_module_import_aggregation_patterns of Django 6.1, by hand.
 *
 * What they find is not JavaScript's grammar: a clause runs over anything but
 * a semicolon, so `import x from "x"` without one reaches to the next
 * `from "./y"`.
 */
#include "fs/refs/internal.h"

#include <string.h>

/* --- pieces -------------------------------------------------------------- */

static bool is_quote_at(const struct hf_scan *scan, size_t at)
{
	return at < scan->len &&
	       (scan->text[at] == '"' || scan->text[at] == '\'');
}

/* ['"](?P<url>[./] at `at`: where the URL begins, or 0. */
static size_t open_url(const struct hf_scan *scan, size_t at)
{
	char first;

	if (!is_quote_at(scan, at) || scan->len - at < 2)
		return 0;
	first = scan->text[at + 1];
	return first == '.' || first == '/' ? at + 1 : 0;
}

/* ['"](?P<url>[./].*?)["'] at `at` */
static bool take_url(const struct hf_scan *scan, size_t at,
		     struct hf_match *ret)
{
	size_t url = open_url(scan, at);
	size_t end = url + 1;

	if (!url)
		return false;
	while (end < scan->len && scan->text[end] != '\n' &&
	       !is_quote_at(scan, end))
		end++;
	if (!is_quote_at(scan, end))
		return false;
	ret->url = url;
	ret->url_len = end - url;
	ret->end = end + 1;
	return true;
}

/*
 * from\s*['"](?P<url>[./].*?)["'] at `at`. For want of the last quote it fails
 * at most once a line, as there is no first quote then for another one.
 */
static bool take_from(const struct hf_scan *scan, size_t at,
		      struct hf_match *ret)
{
	size_t n = hf_scan_word(scan, at, "from");

	return n && take_url(scan, hf_scan_skip_space(scan, at + n), ret);
}

/* The first place at or after `at` where take_from succeeds, or len. */
static size_t next_from(struct hf_scan *scan, size_t at)
{
	struct hf_sight *sight = &scan->from_clause;
	struct hf_match match;

	if (hf_sight_holds(sight, at))
		return sight->at;
	*sight = (struct hf_sight){.from = at, .known = true};
	while ((at = hf_scan_pair(scan, at, "fr")) < scan->len &&
	       !take_from(scan, at, &match))
		at++;
	sight->at = at;
	return at;
}

/* The length of the white space character before `at`, or 0. */
static size_t space_before(const struct hf_scan *scan, size_t at)
{
	uint32_t code_point;

	for (size_t n = 1; n <= 3 && n <= at; n++)
		if (hf_utf8_decode(scan->text + at - n, n, &code_point) == n &&
		    hf_is_space(code_point))
			return n;
	return 0;
}

/* Where text[start, end) ends without the white space at its end. */
static size_t rstrip(const struct hf_scan *scan, size_t start, size_t end)
{
	size_t n;

	while (end > start && (n = space_before(scan, end)) > 0)
		end -= n;
	return end;
}

/* --- clauses ------------------------------------------------------------- */

/* The length of [\s\{] at `at`, or 0. */
static size_t clause_first(const struct hf_scan *scan, size_t at)
{
	uint32_t code_point;
	size_t n = hf_utf8_decode(scan->text + at, scan->len - at, &code_point);

	return n && (code_point == '{' || hf_is_space(code_point)) ? n : 0;
}

/* ([\s\{][^;]*?)\s*from\s*['"]... with the clause at `at` */
static bool take_list(struct hf_scan *scan, size_t at, struct hf_match *ret)
{
	size_t n = clause_first(scan, at);
	size_t from;

	if (!n)
		return false;
	from = next_from(scan, at + n);
	if (from >= scan->len ||
	    hf_scan_next(scan, HF_MARK_SEMICOLON, at + n) < from)
		return false;
	/* Lazy: the clause leaves all white space but its own first one. */
	ret->clause = at;
	ret->clause_len = rstrip(scan, at + n, from) - at;
	return take_from(scan, from, ret);
}

/* "as": IGNORECASE folds U+017F to "s". */
static size_t as_len(const struct hf_scan *scan, size_t at)
{
	size_t n = hf_scan_word(scan, at, "as");

	return n ? n : hf_scan_word(scan, at, "a\xc5\xbf");
}

static size_t skip_word(const struct hf_scan *scan, size_t at)
{
	uint32_t code_point;
	size_t n;

	while ((n = hf_utf8_decode(scan->text + at, scan->len - at,
				   &code_point)) &&
	       hf_is_word(code_point))
		at += n;
	return at;
}

/*
 * (\*\s*as\s*\w+)\s*from\s*['"]... with the clause at `at`. If the greedy \w+
 * swallows the "from", it gives that back.
 */
static bool take_star(const struct hf_scan *scan, size_t at,
		      struct hf_match *ret)
{
	size_t as, n, word, end;

	if (at >= scan->len || scan->text[at] != '*')
		return false;
	as = hf_scan_skip_space(scan, at + 1);
	n = as_len(scan, as);
	if (!n)
		return false;
	word = hf_scan_skip_space(scan, as + n);
	end = skip_word(scan, word);
	if (end == word)
		return false;
	ret->clause = at;
	ret->clause_len = end - at;
	if (take_from(scan, hf_scan_skip_space(scan, end), ret))
		return true;
	ret->clause_len -= strlen("from");
	return end - word > strlen("from") &&
	       take_from(scan, end - strlen("from"), ret);
}

/* --- patterns ------------------------------------------------------------ */

/* The first "export" at or after `from` in any case, or len. */
static size_t next_export(const struct hf_scan *scan, size_t from)
{
	for (size_t xp = from + 1;
	     (xp = hf_scan_pair(scan, xp, "xp")) < scan->len; xp++)
		if (hf_scan_word(scan, xp - 1, "export"))
			return xp - 1;
	return scan->len;
}

/* import(?P<import>[\s\{][^;]*?|\*\s*as\s*\w+)\s*from\s*['"]... */
static bool find_import_from(struct hf_scan *scan, size_t from,
			     struct hf_match *ret)
{
	for (; (from = hf_scan_next_import(scan, from)) < scan->len; from++) {
		size_t n = hf_scan_import(scan, from);

		ret->start = from;
		if (n && (take_list(scan, from + n, ret) ||
			  take_star(scan, from + n, ret)))
			return true;
	}
	return false;
}

/* export(?P<exports>[\s\{][^;]*?)\s*from\s*['"]... */
static bool find_export_from(struct hf_scan *scan, size_t from,
			     struct hf_match *ret)
{
	for (; (from = next_export(scan, from)) < scan->len; from++) {
		size_t n = hf_scan_word(scan, from, "export");

		ret->start = from;
		if (n && take_list(scan, from + n, ret))
			return true;
	}
	return false;
}

/* import\s*['"](?P<url>[./].*?)["'] */
static bool find_import(struct hf_scan *scan, size_t from, struct hf_match *ret)
{
	for (; (from = hf_scan_next_import(scan, from)) < scan->len; from++) {
		size_t n = hf_scan_import(scan, from);

		*ret = (struct hf_match){.start = from};
		if (n &&
		    take_url(scan, hf_scan_skip_space(scan, from + n), ret))
			return true;
	}
	return false;
}

/* \(["'](?P<url>[./].*?)["']\) at `at` */
static bool take_call(struct hf_scan *scan, size_t at, struct hf_match *ret)
{
	size_t url, end, other;

	if (at >= scan->len || scan->text[at] != '(')
		return false;
	url = open_url(scan, at + 1);
	if (!url)
		return false;
	end = hf_scan_next(scan, HF_MARK_DOUBLE_CLOSE, url + 1);
	other = hf_scan_next(scan, HF_MARK_SINGLE_CLOSE, url + 1);
	if (other < end)
		end = other;
	if (end >= scan->len || !hf_scan_same_line(scan, url, end))
		return false;
	ret->url = url;
	ret->url_len = end - url;
	ret->end = end + 2;
	return true;
}

/* import\(["'](?P<url>[./].*?)["']\) */
static bool find_import_call(struct hf_scan *scan, size_t from,
			     struct hf_match *ret)
{
	for (; (from = hf_scan_next_import(scan, from)) < scan->len; from++) {
		size_t n = hf_scan_import(scan, from);

		*ret = (struct hf_match){.start = from};
		if (n && take_call(scan, from + n, ret))
			return true;
	}
	return false;
}

const struct hf_pattern hf_js_module_patterns[HF_N_MODULE_PATTERNS] = {
	{find_import_from, "import", " from \"", "\"", false},
	{find_export_from, "export", " from \"", "\"", false},
	{find_import, "import", "\"", "\"", false},
	{find_import_call, "import", "(\"", "\")", false},
};
