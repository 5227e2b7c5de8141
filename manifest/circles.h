/* circles: which files refer to each other by name. */
#ifndef HF_MANIFEST_CIRCLES_H
#define HF_MANIFEST_CIRCLES_H

#include "fs/base/base.h"

/* A file; all but the last borrowed from the caller. */
struct hf_member {
	const char *name; /* path, as presented */
	const char *data;
	size_t len;
	bool unknown; /* what it refers to: it may be anything */
	bool circular;
};

/* Sets `circular` of those that refer to themselves, straight or by way of
 * others: in whose bytes the base name stands. -ENOMEM. */
int hf_circles_find(struct hf_member *members, size_t n) HF_MUST_USE;

#endif
