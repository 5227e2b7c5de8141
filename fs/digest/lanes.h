/* MD5 of many messages at once. Knows nothing else of this room. */
#ifndef HF_DIGEST_LANES_H
#define HF_DIGEST_LANES_H

#include "fs/base/base.h"

struct hf_message {
	const void *data; /* borrowed */
	size_t len;
	uint8_t md5[16]; /* the answer */
};

/* As many side by side as this processor can. */
#define HF_LANES_ALL 16
/*
 * The MD5 of each message, on at most `most` lanes (of which this processor
 * may not have as many). Fastest where neighbours are about as long as each
 * other; takes several times as long as OpenSSL where there is only one.
 */
void hf_md5_many(unsigned most, struct hf_message *messages, size_t n);
/* Does this processor have so many (4, 8, 16)? */
bool hf_lanes_have(unsigned lanes);

#endif
