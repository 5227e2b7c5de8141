/*
 * sums: what the blocks of a large file are held to. They are made when it is
 * hashed for its name, so that its opening need not read it once more.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

int hf_sums_new(uint64_t size, struct hf_sums **ret)
{
	struct hf_sums *sums = calloc(1, sizeof(*sums));

	if (!sums)
		return -ENOMEM;
	sums->refs = 1;
	sums->size = size;
	sums->n = (size / HF_BLOCK_LEN) + (size % HF_BLOCK_LEN != 0);
	sums->blocks = calloc(sums->n + 1, HF_SUM_LEN);
	if (!sums->blocks) {
		free(sums);
		return -ENOMEM;
	}
	*ret = sums;
	return 0;
}

int hf_sums_of(const char *data, uint64_t size, struct hf_sums **ret)
{
	struct hf_sums *sums;
	int error = hf_sums_new(size, &sums);

	if (error < 0)
		return error;
	for (size_t i = 0; i < sums->n && error == 0; i++) {
		uint64_t at = (uint64_t)i * HF_BLOCK_LEN;
		uint64_t left = size - at;

		error = hf_block_sum(data + at,
				     left < HF_BLOCK_LEN ? (size_t)left
							 : HF_BLOCK_LEN,
				     sums->blocks[i]);
	}
	if (error < 0) {
		hf_sums_unref(sums);
		return error;
	}
	*ret = sums;
	return 0;
}

struct hf_sums *hf_sums_ref(struct hf_sums *sums)
{
	atomic_fetch_add(&sums->refs, 1);
	return sums;
}

void hf_sums_unref(struct hf_sums *sums)
{
	if (!sums || atomic_fetch_sub(&sums->refs, 1) != 1)
		return;
	free(sums->blocks);
	free(sums);
}

/* --- of many files ------------------------------------------------------------ */

struct item {
	uint64_t key[2];
	struct hf_sums *sums; /* a reference */
	struct item *next;    /* younger */
};

struct hf_summed {
	size_t max_bytes; /* constant */
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct hf_set *by_key; /* owns them */
	struct item *oldest;
	struct item **youngest;
	size_t bytes;
};

static const void *key_of(const void *item)
{
	return ((const struct item *)item)->key;
}

int hf_summed_new(size_t max_bytes, struct hf_summed **ret)
{
	struct hf_summed *summed = calloc(1, sizeof(*summed));
	int error = summed ? hf_set_new(key_of, sizeof(summed->oldest->key),
					&summed->by_key)
			   : -ENOMEM;

	if (error < 0) {
		free(summed);
		return error;
	}
	summed->max_bytes = max_bytes;
	summed->youngest = &summed->oldest;
	pthread_mutex_init(&summed->lock, NULL);
	*ret = summed;
	return 0;
}

static void free_all(struct item *item)
{
	while (item) {
		struct item *next = item->next;

		hf_sums_unref(item->sums);
		free(item);
		item = next;
	}
}

void hf_summed_free(struct hf_summed *summed)
{
	if (!summed)
		return;
	free_all(summed->oldest);
	hf_set_free(summed->by_key);
	pthread_mutex_destroy(&summed->lock);
	free(summed);
}

static size_t size_of(const struct hf_sums *sums)
{
	return sizeof(struct item) + sizeof(*sums) + sums->n * HF_SUM_LEN;
}

/* Call with the lock held: what has no room any more, oldest first. */
static struct item *take_surplus(struct hf_summed *summed)
{
	struct item *first = summed->oldest;
	struct item **last = &first;

	while (*last && summed->bytes > summed->max_bytes) {
		hf_set_remove(summed->by_key, (*last)->key);
		summed->bytes -= size_of((*last)->sums);
		last = &(*last)->next;
	}
	summed->oldest = *last;
	if (!summed->oldest)
		summed->youngest = &summed->oldest;
	*last = NULL;
	return first;
}

/* Call with the lock held. False: no memory. */
static bool add(struct hf_summed *summed, struct item *item)
{
	if (hf_set_put(summed->by_key, item) < 0)
		return false;
	*summed->youngest = item;
	summed->youngest = &item->next;
	return true;
}

void hf_summed_put(struct hf_summed *summed, const uint64_t key[2],
		   struct hf_sums *sums)
{
	struct item *spare = calloc(1, sizeof(*spare));
	struct hf_sums *old = NULL;
	struct item *surplus;
	struct item *item;

	if (!spare)
		return;
	memcpy(spare->key, key, sizeof(spare->key));
	pthread_mutex_lock(&summed->lock);
	item = hf_set_get(summed->by_key, key);
	if (!item && add(summed, spare)) {
		item = spare;
		spare = NULL;
	}
	if (item) {
		old = item->sums;
		if (old)
			summed->bytes -= size_of(old);
		item->sums = hf_sums_ref(sums);
		summed->bytes += size_of(sums);
	}
	surplus = take_surplus(summed);
	pthread_mutex_unlock(&summed->lock);
	hf_sums_unref(old);
	free_all(surplus);
	free(spare);
}

struct hf_sums *hf_summed_get(struct hf_summed *summed, const uint64_t key[2],
			      const struct hf_digest *digest)
{
	struct hf_sums *sums = NULL;
	const struct item *item;

	pthread_mutex_lock(&summed->lock);
	item = hf_set_get(summed->by_key, key);
	if (item && hf_digest_equal(&item->sums->digest, digest))
		sums = hf_sums_ref(item->sums);
	pthread_mutex_unlock(&summed->lock);
	return sums;
}
