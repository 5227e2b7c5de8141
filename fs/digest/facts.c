/*
 * facts: the digests of file states, in memory. A record is kept small (there
 * is one for each file ever named) and does not hold the path: 128 keyed bits
 * stand for it.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct record {
	uint64_t key[2];
	struct hf_sig sig;
	uint64_t size;
	bool quiet;
	uint8_t digest[];
};

struct hf_facts {
	uint64_t seed[2];
	unsigned digest_len;
	pthread_mutex_t lock;
	struct hf_map *records; /* protected by lock; owns its values */
};

int hf_facts_new(unsigned digest_len, struct hf_facts **ret)
{
	struct hf_facts *facts = calloc(1, sizeof(*facts));

	if (!facts)
		return -ENOMEM;
	hf_random_seed(facts->seed);
	facts->digest_len = digest_len;
	if (hf_map_new(facts->seed, &facts->records) < 0) {
		free(facts);
		return -ENOMEM;
	}
	pthread_mutex_init(&facts->lock, NULL);
	*ret = facts;
	return 0;
}

void hf_facts_free(struct hf_facts *facts)
{
	size_t cursor = 0;
	struct record *record;

	if (!facts)
		return;
	while ((record = hf_map_next(facts->records, &cursor)))
		free(record);
	hf_map_free(facts->records);
	pthread_mutex_destroy(&facts->lock);
	free(facts);
}

void hf_facts_key(const struct hf_facts *facts, unsigned root, const char *path,
		  uint64_t ret[2])
{
	uint64_t seed[2] = {facts->seed[0] ^ root, facts->seed[1]};

	hf_siphash128(seed, path, strlen(path), ret);
}

/* Call with the lock held. NULL: no memory. */
static struct record *record_of(struct hf_facts *facts, const uint64_t key[2])
{
	struct record *record =
		hf_map_get(facts->records, key, sizeof(record->key));

	if (record)
		return record;
	record = calloc(1, sizeof(*record) + facts->digest_len);
	if (!record)
		return NULL;
	memcpy(record->key, key, sizeof(record->key));
	if (hf_map_put(facts->records, record->key, sizeof(record->key),
		       record) < 0) {
		free(record);
		return NULL;
	}
	return record;
}

void hf_facts_put(struct hf_facts *facts, const uint64_t key[2],
		  const struct hf_sig *sig, bool quiet,
		  const struct hf_fact *fact)
{
	struct record *record;

	pthread_mutex_lock(&facts->lock);
	record = record_of(facts, key);
	if (record) {
		record->sig = *sig;
		record->quiet = quiet;
		record->size = fact->size;
		memcpy(record->digest, fact->digest.bytes, facts->digest_len);
	}
	pthread_mutex_unlock(&facts->lock);
}

bool hf_facts_get(struct hf_facts *facts, const uint64_t key[2],
		  const struct hf_sig *sig, struct hf_fact *ret)
{
	struct record *record;
	bool found;

	pthread_mutex_lock(&facts->lock);
	record = hf_map_get(facts->records, key, sizeof(record->key));
	found = record &&
		(!sig || (record->quiet && hf_sig_equal(&record->sig, sig)));
	if (found) {
		memset(ret, 0, sizeof(*ret));
		ret->size = record->size;
		ret->digest.len = (uint8_t)facts->digest_len;
		memcpy(ret->digest.bytes, record->digest, facts->digest_len);
	}
	pthread_mutex_unlock(&facts->lock);
	return found;
}

void hf_facts_forget(struct hf_facts *facts)
{
	size_t cursor = 0;
	struct record *record;

	pthread_mutex_lock(&facts->lock);
	while ((record = hf_map_next(facts->records, &cursor))) {
		cursor = 0;
		hf_map_remove(facts->records, record->key, sizeof(record->key));
		free(record);
	}
	pthread_mutex_unlock(&facts->lock);
}

uint64_t hf_facts_count(struct hf_facts *facts)
{
	uint64_t n;

	pthread_mutex_lock(&facts->lock);
	n = hf_map_len(facts->records);
	pthread_mutex_unlock(&facts->lock);
	return n;
}
