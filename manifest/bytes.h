/* bytes: what a stored file holds, by its digests. */
#ifndef HF_MANIFEST_BYTES_H
#define HF_MANIFEST_BYTES_H

#include "fs/view/view.h"

/* Start with {0}; the caller ends `integrity` in any case. */
struct hf_bytes {
	char digest[HF_DIGEST_HEX_MAX + 1]; /* hex, "" if it is not asked for */
	struct hf_buf integrity;            /* empty if it is not asked for */
};

/*
 * Reads the file `name` of a directory once, for both digests; either algorithm
 * may be NULL. -EINVAL: it is no regular file. Errnos of openat(2) and read(2),
 * -ENOTSUP, -ENOMEM.
 */
int hf_bytes_hash(int dir_fd, const char *name,
		  const struct hf_algorithm *algorithm,
		  const struct hf_algorithm *integrity,
		  struct hf_bytes *ret) HF_MUST_USE;

#endif
