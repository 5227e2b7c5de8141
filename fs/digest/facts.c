/*
 * facts: the digests of file states, as bytes that the cache remembers: the
 * last state of each file, with the stamp that it had. A file is known by its
 * root's directory and file system, and its path.
 *
 *   stamp   32   inode, size, mtime, ctime: little endian
 *   quiet    1   the stamp vouches for the digest
 *   digest
 */
#include "fs/digest/internal.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#define DIGEST_AT 33
#define FACT_MAX (DIGEST_AT + HF_DIGEST_MAX)

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

	hf_buf_puts(&text, "facts");
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

static void put_stamp(const struct hf_sig *sig, char *ret)
{
	uint64_t words[4] = {
		htole64(sig->ino),
		htole64((uint64_t)sig->size),
		htole64((uint64_t)sig->mtime_ns),
		htole64((uint64_t)sig->ctime_ns),
	};

	memcpy(ret, words, sizeof(words));
}

static struct hf_sig get_stamp(const char *data)
{
	uint64_t words[4];

	memcpy(words, data, sizeof(words));
	return (struct hf_sig){
		.ino = le64toh(words[0]),
		.size = (int64_t)le64toh(words[1]),
		.mtime_ns = (int64_t)le64toh(words[2]),
		.ctime_ns = (int64_t)le64toh(words[3]),
	};
}

void hf_facts_put(struct hf_facts *facts, unsigned root,
		  const struct hf_key *key, const struct hf_sig *sig,
		  bool quiet, const struct hf_fact *fact)
{
	char data[FACT_MAX];

	put_stamp(sig, data);
	data[DIGEST_AT - 1] = (char)quiet;
	memcpy(data + DIGEST_AT, fact->digest.bytes, facts->digest_len);
	hf_cache_put(facts->cache, key, quiet && facts->realms[root].keep, data,
		     DIGEST_AT + facts->digest_len);
}

static bool read_fact(const struct hf_facts *facts, const struct hf_buf *data,
		      const struct hf_sig *wanted, struct hf_fact *ret)
{
	struct hf_sig sig;

	if (data->len != DIGEST_AT + facts->digest_len)
		return false;
	sig = get_stamp(data->data);
	if (wanted &&
	    (!data->data[DIGEST_AT - 1] || !hf_sig_equal(&sig, wanted)))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->size = (uint64_t)sig.size;
	ret->digest.len = (uint8_t)facts->digest_len;
	memcpy(ret->digest.bytes, data->data + DIGEST_AT, facts->digest_len);
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
