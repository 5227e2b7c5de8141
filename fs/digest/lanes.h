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

/* As many side by side as this processor can. */
#define HF_LANES_ALL 16
/*
 * The MD5 of each message, on at most `most` lanes (of which this processor
 * may not have as many). Fastest where neighbours are about as long as each
 * other, the longest first; where there is only one, about what OpenSSL takes.
 */
void hf_md5_all(unsigned most, const struct hf_messages *messages);
/* The same of an array. */
void hf_md5_many(unsigned most, struct hf_message *messages, size_t n);
/* Does this processor have so many (4, 8, 16)? */
bool hf_lanes_have(unsigned lanes);

#endif
