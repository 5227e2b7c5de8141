/*
 * namebook: what rewritten texts were named, by all that their bytes depend
 * on, and what each path was named last.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

struct record {
	uint64_t key[2];
	struct hf_named named;
};

struct hf_namebook {
	uint64_t seed[2];
	pthread_mutex_t lock;
	struct hf_map *records; /* protected by lock; owns its values */
};

int hf_namebook_new(struct hf_namebook **ret)
{
	struct hf_namebook *book = calloc(1, sizeof(*book));

	if (!book)
		return -ENOMEM;
	hf_random_seed(book->seed);
	if (hf_map_new(book->seed, &book->records) < 0) {
		free(book);
		return -ENOMEM;
	}
	pthread_mutex_init(&book->lock, NULL);
	*ret = book;
	return 0;
}

void hf_namebook_free(struct hf_namebook *book)
{
	struct record *record;
	size_t cursor = 0;

	if (!book)
		return;
	while ((record = hf_map_next(book->records, &cursor)))
		free(record);
	hf_map_free(book->records);
	pthread_mutex_destroy(&book->lock);
	free(book);
}

bool hf_namebook_find(struct hf_namebook *book, const uint64_t key[2],
		      struct hf_named *ret)
{
	struct record *record;

	pthread_mutex_lock(&book->lock);
	record = hf_map_get(book->records, key, sizeof(record->key));
	if (record)
		*ret = record->named;
	pthread_mutex_unlock(&book->lock);
	return record != NULL;
}

/* Call with the lock held. NULL: no memory. */
static struct record *record_of(struct hf_namebook *book, const uint64_t key[2])
{
	struct record *record =
		hf_map_get(book->records, key, sizeof(record->key));

	if (record)
		return record;
	record = calloc(1, sizeof(*record));
	if (!record)
		return NULL;
	memcpy(record->key, key, sizeof(record->key));
	if (hf_map_put(book->records, record->key, sizeof(record->key),
		       record) < 0) {
		free(record);
		return NULL;
	}
	return record;
}

void hf_namebook_put(struct hf_namebook *book, const uint64_t key[2],
		     const struct hf_named *named)
{
	struct record *record;

	pthread_mutex_lock(&book->lock);
	record = record_of(book, key);
	if (record)
		record->named = *named;
	pthread_mutex_unlock(&book->lock);
}

static void path_key(const struct hf_namebook *book, const char *path,
		     uint64_t ret[2])
{
	hf_siphash128(book->seed, path, strlen(path), ret);
}

void hf_namebook_remember(struct hf_namebook *book, const char *path,
			  const struct hf_named *named)
{
	uint64_t key[2];

	path_key(book, path, key);
	hf_namebook_put(book, key, named);
}

bool hf_namebook_last(struct hf_namebook *book, const char *path,
		      struct hf_named *ret)
{
	uint64_t key[2];

	path_key(book, path, key);
	return hf_namebook_find(book, key, ret);
}
