/* Many files, most of them small, hashed side by side. */
#ifndef HF_DIGEST_CROWD_H
#define HF_DIGEST_CROWD_H

#include "fs/digest/internal.h"

/* Files up to this size gain from it; larger ones go by themselves. */
#define HF_SMALL_MAX (64 * 1024 * 1024)

/* A file that is to be hashed; part of something that its owner knows. */
struct hf_small {
	unsigned root;
	const char *path;          /* borrowed */
	uint64_t size;             /* as far as the owner knows */
	const struct hf_sig *seen; /* its last stamp, borrowed; or NULL */
	bool keep; /* its bytes, as hf_read_file has it: it is read whole */
	/* Its bytes, too, if they happen to be in memory and there is room. */
	bool retain;
	/* In the pool: true if nothing is to be read, because the reading is
	 * filled in. NULL is allowed. */
	bool (*known)(struct hf_small *small);
	/* Once the answer is there, in the pool or, without memory, in the
	 * caller: what was handed over may be freed in it. */
	void (*done)(struct hf_small *small);
	int error;                 /* the answer: as hf_read_file */
	bool held;                 /* the reading has the bytes for who asked
				      the inspector for them */
	struct hf_reading reading; /* the owner's to let go of */
	/* --- private --- */
	struct hf_small *next;
	char *data; /* of one that was read */
	int fd;     /* of one that was opened, to be streamed */
	bool alone; /* it cannot be streamed */
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

/* --- stream.c ------------------------------------------------------------- */

/* Opened files, read piece by piece and hashed side by side. One thread. */
struct hf_streams;
struct hf_streams_feed {
	/* The next one, whose fd and reading were begun; NULL: there is none
	 * now. Is asked again whenever one has ended. */
	struct hf_small *(*next)(void *arg);
	/* Its fd was closed. error 0: the reading is complete, and so are the
	 * data if somebody wants to see them (new; else NULL). -EAGAIN: its
	 * bytes are not all at hand, or have changed, so that it has to be read
	 * in another way. */
	void (*ended)(void *arg, struct hf_small *small, int error);
	void *arg;
};
/* The config is borrowed; its algorithm is one of lanes. */
int hf_streams_new(const struct hf_digests_config *config,
		   const struct hf_streams_feed *feed,
		   struct hf_streams **ret) HF_MUST_USE;
/* As hf_lanes_run. Never waits for a source. */
size_t hf_streams_run(struct hf_streams *streams, size_t rest);
/* Precondition: none is under way. NULL is allowed. */
void hf_streams_free(struct hf_streams *streams);

#endif
