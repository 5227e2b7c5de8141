#include "fs/base/base.h"

#include <endian.h>
#include <string.h>

/* The four words of SipHash's state; the names are the paper's. */
struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_rounds(struct sip *s, unsigned n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_rounds(s, 2);
	s->v0 ^= word;
}

static struct sip sip_init(const uint64_t key[2])
{
	return (struct sip){
		.v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = key[1] ^ UINT64_C(0x7465646279746573),
	};
}

static void sip_update(struct sip *s, const void *data, size_t len)
{
	const unsigned char *at = data;
	uint64_t word;

	for (size_t left = len / 8; left > 0; left--, at += 8) {
		/* The data may stand at any address. */
		memcpy(&word, at, sizeof(word));
		sip_word(s, le64toh(word));
	}
	word = (uint64_t)len << 56;
	for (unsigned i = 0; i < len % 8; i++)
		word |= (uint64_t)at[i] << 8 * i;
	sip_word(s, word);
}

static uint64_t sip_final(struct sip *s)
{
	sip_rounds(s, 4);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hf_siphash(const uint64_t key[2], const void *data, size_t len)
{
	struct sip s = sip_init(key);

	sip_update(&s, data, len);
	s.v2 ^= 0xff;
	return sip_final(&s);
}

void hf_siphash128(const uint64_t key[2], const void *data, size_t len,
		   uint64_t ret[2])
{
	struct sip s = sip_init(key);

	s.v1 ^= 0xee;
	sip_update(&s, data, len);
	s.v2 ^= 0xee;
	ret[0] = sip_final(&s);
	s.v1 ^= 0xdd;
	ret[1] = sip_final(&s);
}
