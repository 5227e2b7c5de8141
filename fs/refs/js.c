/*
 * js: the pattern of HashedFilesMixin.patterns for "*.js", and what source map
 * comments of both kinds of file have in common.
 */
#include "fs/refs/internal.h"

#include <string.h>

/* Case matters here: (?-i:sourceMappingURL). */
#define KEY "sourceMappingURL="
#define KEY_LEN (sizeof(KEY) - 1)
#define KEY_RARE (sizeof("sourceMapping") - 1) /* the "U" */
#define OPEN_LEN 4

static bool starts_line(const struct hf_scan *scan, size_t at)
{
	return at == 0 || scan->text[at - 1] == '\n';
}

/* The first KEY at or after `from`, or len. Its rarest byte is looked for. */
static size_t next_key(const struct hf_scan *scan, size_t from)
{
	size_t at = from + KEY_RARE;

	while (at < scan->len) {
		const char *rare =
			memchr(scan->text + at, KEY[KEY_RARE], scan->len - at);

		if (!rare)
			break;
		at = (size_t)(rare - scan->text);
		if (scan->len - at >= KEY_LEN - KEY_RARE &&
		    memcmp(rare - KEY_RARE, KEY, KEY_LEN) == 0)
			return at - KEY_RARE;
		at++;
	}
	return scan->len;
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
	for (size_t at = from; (at = next_key(scan, at)) < scan->len;
	     at += KEY_LEN) {
		const char *key = scan->text + at;

		if (at >= from + OPEN_LEN && starts_line(scan, at - OPEN_LEN) &&
		    (memcmp(key - OPEN_LEN, open, OPEN_LEN) == 0 ||
		     memcmp(key - OPEN_LEN, other, OPEN_LEN) == 0)) {
			take_line(scan, at - OPEN_LEN, ret);
			return true;
		}
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
