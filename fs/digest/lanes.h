/* MD5 of many messages at once. Knows nothing else of this room. */
#ifndef HF_DIGEST_LANES_H
#define HF_DIGEST_LANES_H

#include "fs/base/base.h"

struct hf_message {
	const void *data; /* borrowed */
	size_t len;
	uint8_t md5[16]; /* the answer */
	/* NULL, or called behind `data`, if that was whole blocks of 64 bytes:
	 * sets data and len to what follows, or returns false at the end. */
	bool (*more)(struct hf_message *message);
};

/* Where messages come from. */
struct hf_messages {
	/* The next one, or NULL: there is none now. Is asked again whenever a
	 * message has ended. */
	struct hf_message *(*next)(void *arg);
	/* The answer is there. NULL is allowed. */
	void (*ended)(void *arg, struct hf_message *message);
	void *arg;
};

/* By which instructions: more lanes, and faster ones. */
enum hf_vectors {
	HF_VECTORS_PLAIN,  /* whatever any processor has: 4 lanes */
	HF_VECTORS_AVX2,   /* 8 */
	HF_VECTORS_AVX512, /* 16 */
	HF_VECTORS_BEST = HF_VECTORS_AVX512,
};
/* Does this processor have them? */
bool hf_vectors_have(enum hf_vectors vectors);

/*
 * Messages side by side, by what this processor has of `most`. Fastest where
 * neighbours are about as long as each other, the longest first; where there is
 * only one, it takes about as long as OpenSSL does.
 */
struct hf_lanes;
int hf_lanes_new(enum hf_vectors most, const struct hf_messages *messages,
		 struct hf_lanes **ret) HF_MUST_USE;
/* Goes on until no more than `rest` messages are under way and no next one is
 * there; they go on with the next call. Returns how many they are. */
size_t hf_lanes_run(struct hf_lanes *lanes, size_t rest);
/* Precondition: none is under way. NULL is allowed. */
void hf_lanes_free(struct hf_lanes *lanes);
/* The MD5 of each message of an array. */
void hf_md5_many(enum hf_vectors most, struct hf_message *messages, size_t n);

#endif
