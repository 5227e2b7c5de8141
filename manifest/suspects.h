/*
 * suspects: files whose bytes have another digest than their name, which may be
 * right where files refer to each other in a circle.
 */
#ifndef HF_MANIFEST_SUSPECTS_H
#define HF_MANIFEST_SUSPECTS_H

#include "manifest/manifest.h"

struct hf_suspect {
	const struct hf_manifest_row *row;  /* borrowed */
	char digest[HF_DIGEST_HEX_MAX + 1]; /* of the bytes; "" if missing */
	bool missing;  /* it cannot be read, and may refer to anything */
	bool circular; /* once judged: it may be right */
};

/* Start with {0}. */
struct hf_suspects {
	struct hf_suspect *items;
	size_t n;
	size_t cap;
};

/* -ENOMEM. */
int hf_suspects_add(struct hf_suspects *suspects,
		    const struct hf_manifest_row *row, const char *digest,
		    bool missing) HF_MUST_USE;
/*
 * Drops those whose bytes are what the mount at `place` says it shows, if that
 * is one, and tells which of the others are in a circle, by their bytes in
 * `dir_fd`, which is `place`. -ENOMEM.
 */
int hf_suspects_judge(struct hf_suspects *suspects, const char *place,
		      int dir_fd) HF_MUST_USE;
void hf_suspects_fini(struct hf_suspects *suspects);

#endif
