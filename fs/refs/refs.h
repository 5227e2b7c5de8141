/*
 * refs: references in text. Bytes in, text out; no I/O, no locks, no state.
 *
 * This door holds the URL functions of Python that Django's naming rests on
 * (urllib.parse.urlsplit, urlunsplit, unquote; str.strip). They are ported
 * literally, because names must be equal byte for byte. Text is UTF-8; bytes
 * that are not UTF-8 stand for themselves, as Python's surrogateescape has it.
 */
#ifndef HF_REFS_H
#define HF_REFS_H

#include "fs/base/base.h"

/*
 * The five parts of a URL as urllib.parse.urlsplit(text) gives them (Python
 * 3.11.4 and later). All parts are NUL-terminated and point into `store`, or
 * are "". The scheme is in lower case.
 */
struct hf_url {
	const char *scheme;
	const char *netloc;
	const char *path;
	const char *query;
	const char *fragment;
	struct hf_buf store;
};

/*
 * Splits `text` (NUL-terminated). -EINVAL where Python raises ValueError (a
 * bracket without its partner in the netloc), -ENOMEM. On success the caller
 * ends it with hf_url_fini.
 */
int hf_url_split(const char *text, struct hf_url *ret) HF_MUST_USE;
void hf_url_fini(struct hf_url *url);
/* urllib.parse.urlunsplit: appends the URL put together again. */
void hf_url_unsplit(const struct hf_url *url, struct hf_buf *ret);
/*
 * urllib.parse.unquote(text): appends `text` with %XX decoded, each maximal
 * run of ASCII characters on its own, as UTF-8 with U+FFFD for every maximal
 * subpart that is not UTF-8 (WHATWG). Bad escapes stay.
 */
void hf_url_unquote(const char *text, size_t len, struct hf_buf *ret);
/* True for the 29 characters that str.strip() and \s take as white space. */
bool hf_is_space(uint32_t code_point);
/* str.strip(): narrows *text and *len to what stands between white space. */
void hf_strip(const char **text, size_t *len);

#endif
