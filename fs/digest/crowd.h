/* Many files, most of them small, hashed side by side. */
#ifndef HF_DIGEST_CROWD_H
#define HF_DIGEST_CROWD_H

#include "fs/digest/internal.h"

/* Files up to this size gain from it; larger ones go by themselves. */
#define HF_SMALL_MAX (8 * 1024 * 1024)

/* A file that is to be hashed; part of something that its owner knows. */
struct hf_small {
	unsigned root;
	const char *path; /* borrowed */
	/* In the pool: true if nothing is to be read, because the reading is
	 * filled in. NULL is allowed. */
	bool (*known)(struct hf_small *small);
	/* Once the answer is there, in the pool or, without memory, in the
	 * caller: what was handed over may be freed in it. */
	void (*done)(struct hf_small *small);
	int error; /* the answer: as hf_read_file */
	struct hf_reading reading;
	/* --- private --- */
	struct hf_small *next;
	char *data;
};

/* Any thread. */
struct hf_crowd;
/* `config` is borrowed. */
int hf_crowd_new(const struct hf_digests_config *config,
		 struct hf_crowd **ret) HF_MUST_USE;
/* Precondition: the pool is free of its jobs. NULL is allowed. */
void hf_crowd_free(struct hf_crowd *crowd);
/* Never waits for a source; `done` is called in any case. */
void hf_crowd_add(struct hf_crowd *crowd, struct hf_small *small);

#endif
