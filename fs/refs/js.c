/*
 * js: the pattern of HashedFilesMixin.patterns for "*.js", and what source map
 * comments of both kinds of file have in common.
 */
#include "fs/refs/internal.h"

#include <string.h>

/* Case matters here: (?-i:sourceMappingURL). */
#define KEY "sourceMappingURL="
#define KEY_LEN (sizeof(KEY) - 1)
#define OPEN_LEN 4

static bool starts_line(const struct hf_scan *scan, size_t at)
{
	return at == 0 || scan->text[at - 1] == '\n';
}

/* Match and url end with the line; a carriage return belongs to the url. */
static void take_line(const struct hf_scan *scan, size_t start,
		      struct hf_match *ret)
{
	size_t url = start + OPEN_LEN + KEY_LEN;
	const char *end = memchr(scan->text + url, '\n', scan->len - url);

	*ret = (struct hf_match){
		.start = start,
		.end = end ? (size_t)(end - scan->text) : scan->len,
		.url = url,
	};
	ret->url_len = ret->end - url;
}

bool hf_map_find(const struct hf_scan *scan, size_t from, const char *open,
		 const char *other, struct hf_match *ret)
{
	while (from < scan->len) {
		const char *key = memmem(scan->text + from, scan->len - from,
					 KEY, KEY_LEN);
		size_t at;

		if (!key)
			return false;
		at = (size_t)(key - scan->text);
		if (at >= from + OPEN_LEN && starts_line(scan, at - OPEN_LEN) &&
		    (memcmp(key - OPEN_LEN, open, OPEN_LEN) == 0 ||
		     memcmp(key - OPEN_LEN, other, OPEN_LEN) == 0)) {
			take_line(scan, at - OPEN_LEN, ret);
			return true;
		}
		from = at + KEY_LEN;
	}
	return false;
}

/* (?m)^//# (?-i:sourceMappingURL)=(?P<url>.*)$ */
static bool find_map(struct hf_scan *scan, size_t from, struct hf_match *ret)
{
	return hf_map_find(scan, from, "//# ", "//# ", ret);
}

const struct hf_pattern hf_js_map = {
	.find = find_map,
	.head = "//# sourceMappingURL=",
	.middle = "",
	.tail = "",
	.is_map = true,
};
