/*
 * facts: the digests of file states, as bytes that the cache remembers: the
 * last state of each file, with the stamp that it had. A file is known by its
 * root's directory and file system, and its path.
 *
 *   digest
 *   quiet    1   the stamp vouches for the digest
 *   stamp        inode, size, mtime, and how much later ctime is: numbers of
 *                seven bits a byte, the lowest first, all but the last byte
 *                with the eighth; what can be negative has its sign in bit 0
 *
 * There is one for every file, and mostly the numbers are short.
 */
#include "fs/digest/internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define NUMBER_MAX 10 /* bytes */
#define FACT_MAX (HF_DIGEST_MAX + 1 + 4 * NUMBER_MAX)

struct realm {
	uint64_t key[2];
	bool keep; /* stamps still tell states apart at the next start */
};

struct hf_facts {
	struct hf_cache *cache;
	unsigned digest_len;
	size_t n_realms;
	struct realm realms[]; /* of the roots */
};

static int find_realm(const struct hf_digests_config *config, unsigned root,
		      struct realm *ret)
{
	struct hf_buf text = {0};
	const char *algorithm = hf_algorithm_name(config->algorithm);
	int error;

	hf_buf_puts(&text, "facts by name");
	hf_buf_add(&text, algorithm, strlen(algorithm) + 1);
	error = hf_source_identity(config->source, root, &text, &ret->keep);
	if (error == 0)
		hf_cache_realm(config->cache, text.data, text.len, ret->key);
	hf_buf_fini(&text);
	return error;
}

int hf_facts_new(const struct hf_digests_config *config, struct hf_facts **ret)
{
	size_t n = hf_source_len(config->source);
	struct hf_facts *facts =
		calloc(1, sizeof(*facts) + n * sizeof(*facts->realms));
	int error = 0;

	if (!facts)
		return -ENOMEM;
	facts->cache = config->cache;
	facts->digest_len = hf_algorithm_len(config->algorithm);
	facts->n_realms = n;
	for (unsigned i = 0; i < n && error == 0; i++)
		error = find_realm(config, i, &facts->realms[i]);
	if (error < 0)
		free(facts);
	else
		*ret = facts;
	return error;
}

void hf_facts_free(struct hf_facts *facts)
{
	free(facts);
}

void hf_facts_key(const struct hf_facts *facts, unsigned root, const char *path,
		  struct hf_key *ret)
{
	assert(root < facts->n_realms);
	hf_key_of(facts->realms[root].key, path, ret);
}

void hf_facts_dir(const struct hf_facts *facts, unsigned root, const char *dir,
		  uint64_t ret[2])
{
	assert(root < facts->n_realms);
	hf_key_of_dir(facts->realms[root].key, dir, ret);
}

/* --- stamps ------------------------------------------------------------------- */

/* Returns the end of the number. */
static uint8_t *put_number(uint8_t *at, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*at++ = (uint8_t)(number | 0x80);
	*at++ = (uint8_t)number;
	return at;
}

/* The same of one that may be negative. */
static uint8_t *put_signed(uint8_t *at, uint64_t number)
{
	return put_number(at, number << 1 ^ -(number >> 63));
}

/* Takes a number off the front of [*at, end); 0 if it has no end. */
static uint64_t take_number(const uint8_t **at, const uint8_t *end)
{
	uint64_t number = 0;

	for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return number;
	}
	return 0;
}

static uint64_t take_signed(const uint8_t **at, const uint8_t *end)
{
	uint64_t number = take_number(at, end);

	return number >> 1 ^ -(number & 1);
}

static uint8_t *put_stamp(uint8_t *at, const struct hf_sig *sig)
{
	uint64_t mtime = (uint64_t)sig->mtime_ns;

	at = put_number(at, sig->ino);
	at = put_number(at, (uint64_t)sig->size);
	at = put_signed(at, mtime);
	return put_signed(at, (uint64_t)sig->ctime_ns - mtime);
}

static struct hf_sig take_stamp(const uint8_t *at, const uint8_t *end)
{
	struct hf_sig sig = {.ino = take_number(&at, end)};
	uint64_t mtime;

	sig.size = (int64_t)take_number(&at, end);
	mtime = take_signed(&at, end);
	sig.mtime_ns = (int64_t)mtime;
	sig.ctime_ns = (int64_t)(mtime + take_signed(&at, end));
	return sig;
}

/* --- facts -------------------------------------------------------------------- */

void hf_facts_put(struct hf_facts *facts, unsigned root,
		  const struct hf_key *key, const struct hf_sig *sig,
		  bool quiet, const struct hf_fact *fact)
{
	uint8_t data[FACT_MAX];
	uint8_t *end = data + facts->digest_len;

	memcpy(data, fact->digest.bytes, facts->digest_len);
	*end++ = quiet;
	end = put_stamp(end, sig);
	hf_cache_put(facts->cache, key, quiet && facts->realms[root].keep, data,
		     (size_t)(end - data));
}

static bool read_fact(const struct hf_facts *facts, const struct hf_buf *buf,
		      const struct hf_sig *wanted, struct hf_fact *ret)
{
	const uint8_t *data = (const uint8_t *)buf->data;
	const uint8_t *quiet;
	struct hf_sig sig;

	if (buf->len <= facts->digest_len)
		return false;
	quiet = data + facts->digest_len;
	sig = take_stamp(quiet + 1, data + buf->len);
	if (wanted && (!*quiet || !hf_sig_equal(&sig, wanted)))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->size = (uint64_t)sig.size;
	ret->digest.len = (uint8_t)facts->digest_len;
	memcpy(ret->digest.bytes, data, facts->digest_len);
	return true;
}

bool hf_facts_get(struct hf_facts *facts, const struct hf_key *key,
		  const struct hf_sig *sig, struct hf_fact *ret)
{
	struct hf_buf data = {0};
	bool found = hf_cache_get(facts->cache, key, &data) &&
		     read_fact(facts, &data, sig, ret);

	hf_buf_fini(&data);
	return found;
}
