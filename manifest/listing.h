/*
 * listing: the keys of the objects that lie in a bucket or a directory, as
 * others list them.
 */
#ifndef HF_MANIFEST_LISTING_H
#define HF_MANIFEST_LISTING_H

#include "manifest/manifest.h"

/*
 * Appends the keys of a listing: one a line; or, if it begins with a brace, or
 * with a bracket and a quote, what `aws s3api list-objects-v2` prints, of one
 * page or of several, one behind the other, also by --query 'Contents[].Key'.
 * `file` is what to call it. -EBADMSG, -ENOMEM.
 */
int hf_listing_parse(const char *text, size_t len, const char *file,
		     struct hf_strings *ret, char **why) HF_MUST_USE;
/* The same of a file, "-" for standard input; also errnos of reading it. */
int hf_listing_read(const char *file, struct hf_strings *ret,
		    char **why) HF_MUST_USE;

/* json.c: pages of list-objects-v2. As hf_listing_parse. */
int hf_pages_parse(const char *text, size_t len, const char *file,
		   struct hf_strings *ret, char **why) HF_MUST_USE;

#endif
