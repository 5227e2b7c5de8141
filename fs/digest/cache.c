/*
 * cache: memory in front, a store behind it, and the thread that brings what
 * is new from the one to the other.
 */
#include "fs/digest/remembered.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_DAY (INT64_C(86400000) * NS_PER_MS)
/* Between two batches: at least this, and long enough that writing takes a
 * tenth of the time. */
#define PAUSE_MS 1000
#define PAUSE_FACTOR 9
#define FAILED_MS 10000
/* Whoever ends us does not wait longer. */
#define END_MS 1000
/* Directories in one transaction: it keeps others from writing. Each page that
 * is changed is written, and what it was before, once in a transaction. */
#define BATCH 256
/* What was of no use for so many days goes when its row is written. */
#define MAX_DAYS 60

struct hf_cache {
	uint64_t secret[2];
	hf_clock *clock;
	struct hf_memory *memory;
	struct hf_store *store; /* or NULL */
	bool writes;            /* there is a thread for it */
	atomic_bool work;       /* there is something to write */
	atomic_uint_least64_t rows_read;
	atomic_uint_least64_t rows_written;
	pthread_t writer;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* the writer */
	pthread_cond_t done; /* the writer has written all */
	/* the following are protected by lock */
	bool ending;
	unsigned wanted;  /* calls that want all to be written */
	unsigned written; /* those that are served */
};

static uint32_t today(const struct hf_cache *cache)
{
	int64_t now = cache->clock();

	return now > 0 ? (uint32_t)(now / NS_PER_DAY) : 0;
}

/* --- keys ------------------------------------------------------------------- */

void hf_cache_realm(const struct hf_cache *cache, const void *text, size_t len,
		    uint64_t ret[2])
{
	hf_siphash128(cache->secret, text, len, ret);
}

void hf_key_of_dir(const uint64_t realm[2], const char *dir, uint64_t ret[2])
{
	hf_siphash128(realm, dir, strlen(dir), ret);
}

void hf_key_of(const uint64_t realm[2], const char *path, struct hf_key *ret)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	hf_siphash128(realm, path, slash ? (size_t)(slash - path) : 0,
		      ret->dir);
	/* The directory's is a key that nobody knows, too. */
	hf_siphash128(ret->dir, name, strlen(name), ret->file);
}

/* --- writing ------------------------------------------------------------------ */

/* Others may have written meanwhile: only what is new is changed. */
static int write_delta(struct hf_cache *cache, const struct hf_delta *delta)
{
	uint32_t day = today(cache);
	int error = hf_stored_change(cache->store, delta, day,
				     day > MAX_DAYS ? day - MAX_DAYS : 0);

	if (error == 0)
		atomic_fetch_add(&cache->rows_written, 1);
	return error;
}

/* One transaction, of no more than BATCH directories. */
static int write_batch(struct hf_cache *cache, uint64_t (*dirs)[2], size_t n)
{
	struct hf_delta deltas[BATCH];
	size_t n_deltas = 0;
	int error = hf_store_begin(cache->store);

	if (error < 0)
		return error;
	for (size_t i = 0; i < n && error == 0; i++)
		if (hf_memory_take(cache->memory, dirs[i], &deltas[n_deltas]))
			error = write_delta(cache, &deltas[n_deltas++]);
	if (n_deltas && error == 0)
		error = hf_store_commit(cache->store);
	else
		hf_store_cancel(cache->store);
	for (size_t i = 0; i < n_deltas; i++) {
		hf_memory_stored(cache->memory, &deltas[i], error == 0);
		hf_delta_fini(&deltas[i]);
	}
	return error;
}

/* As far as END_MS suffice; *done are written. */
static int write_dirs(struct hf_cache *cache, uint64_t (*dirs)[2], size_t n,
		      int64_t start, size_t *done)
{
	int error = 0;

	for (*done = 0; *done < n && error == 0 &&
			hf_clock_monotonic() - start < END_MS * NS_PER_MS;) {
		size_t some = n - *done < BATCH ? n - *done : BATCH;

		error = write_batch(cache, dirs + *done, some);
		if (error == 0)
			*done += some;
	}
	return error;
}

static int compare_dirs(const void *a, const void *b)
{
	return hf_store_compare(a, b);
}

/* All that there is, as far as END_MS suffice. Returns how long to rest. */
static int64_t write_all(struct hf_cache *cache)
{
	HF_CLEANUP(hf_freep) uint64_t(*dirs)[2] = NULL;
	int64_t start = hf_clock_monotonic();
	size_t n = 0;
	size_t done = 0;
	int error;

	atomic_store(&cache->work, false);
	error = hf_memory_changed(cache->memory, &dirs, &n);
	if (n > 0)
		qsort(dirs, n, sizeof(*dirs), compare_dirs);
	if (error == 0)
		error = write_dirs(cache, dirs, n, start, &done);
	if (done < n)
		hf_memory_give_back(cache->memory, dirs + done, n - done);
	if (error < 0 || done < n)
		atomic_store(&cache->work, true);
	return (error < 0 ? FAILED_MS : PAUSE_MS) * NS_PER_MS +
	       PAUSE_FACTOR * (hf_clock_monotonic() - start);
}

/* --- the thread that writes ---------------------------------------------------- */

/* Call with the lock held. Sleeps until somebody cannot wait, or for as long
 * as it may be. */
static void rest(struct hf_cache *cache, int64_t ns)
{
	int64_t at = hf_clock_monotonic() + ns;

	while (!cache->ending && cache->wanted == cache->written &&
	       hf_cond_wait_until(&cache->wake, &cache->lock, at))
		;
}

/* Call with the lock held. */
static bool is_idle(const struct hf_cache *cache)
{
	return !cache->ending && !atomic_load(&cache->work) &&
	       cache->wanted == cache->written;
}

static void *writer_main(void *arg)
{
	struct hf_cache *cache = arg;
	int64_t rest_ns = PAUSE_MS * NS_PER_MS;
	bool ending = false;

	pthread_mutex_lock(&cache->lock);
	while (!ending) {
		unsigned wanted;

		while (is_idle(cache))
			pthread_cond_wait(&cache->wake, &cache->lock);
		rest(cache, rest_ns);
		wanted = cache->wanted;
		ending = cache->ending;
		pthread_mutex_unlock(&cache->lock);
		if (atomic_load(&cache->work))
			rest_ns = write_all(cache);
		pthread_mutex_lock(&cache->lock);
		cache->written = wanted;
		pthread_cond_broadcast(&cache->done);
	}
	pthread_mutex_unlock(&cache->lock);
	return NULL;
}

static void wake_writer(struct hf_cache *cache)
{
	if (!cache->writes || atomic_exchange(&cache->work, true))
		return;
	pthread_mutex_lock(&cache->lock);
	pthread_cond_signal(&cache->wake);
	pthread_mutex_unlock(&cache->lock);
}

/* --- the door --------------------------------------------------------------------- */

static int open_store(struct hf_cache *cache,
		      const struct hf_cache_config *config, char **why)
{
	int error = hf_store_open(config->dir, config->max_disk, config->clock,
				  &cache->store, why);

	if (error < 0)
		return *why ? 0 : error;
	memcpy(cache->secret, hf_store_secret(cache->store),
	       sizeof(cache->secret));
	if (hf_store_read_only(cache->store))
		return 0;
	error = hf_thread_start(&cache->writer, 0, writer_main, cache);
	cache->writes = error == 0;
	return error;
}

int hf_cache_new(const struct hf_cache_config *config, struct hf_cache **ret,
		 char **why)
{
	struct hf_cache *cache = calloc(1, sizeof(*cache));
	int error;

	if (!cache)
		return -ENOMEM;
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->wake, NULL);
	pthread_cond_init(&cache->done, NULL);
	cache->clock = config->clock;
	hf_random_seed(cache->secret);
	error = hf_memory_new(config->max_memory, &cache->memory);
	if (error == 0 && config->dir)
		error = open_store(cache, config, why);
	if (error < 0)
		hf_cache_free(cache);
	else
		*ret = cache;
	return error;
}

static void end_writer(struct hf_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	cache->ending = true;
	pthread_cond_signal(&cache->wake);
	pthread_mutex_unlock(&cache->lock);
	pthread_join(cache->writer, NULL);
}

void hf_cache_free(struct hf_cache *cache)
{
	if (!cache)
		return;
	if (cache->writes)
		end_writer(cache);
	hf_store_close(cache->store);
	hf_memory_free(cache->memory);
	pthread_cond_destroy(&cache->wake);
	pthread_cond_destroy(&cache->done);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* Brings what is stored of a directory into memory. False: it cannot be said
 * what that is. */
static bool load(struct hf_cache *cache, const uint64_t dir[2])
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf row = {0};
	HF_CLEANUP(hf_records_fini) struct hf_records records = {0};
	uint64_t forgets = hf_memory_forgets(cache->memory);
	int found = hf_stored_get(cache->store, dir, &row, &records);

	if (found < 0)
		return false;
	hf_memory_load(cache->memory, dir, forgets, &records);
	atomic_fetch_add(&cache->rows_read, found);
	return true;
}

/* Directories whose rows are read together: nobody else can read meanwhile. */
#define TOGETHER 16

/* The same of no more than TOGETHER directories. */
static void load_some(struct hf_cache *cache, uint64_t (*dirs)[2], size_t n)
{
	uint64_t forgets = hf_memory_forgets(cache->memory);
	struct hf_buf rows[TOGETHER] = {{0}};
	int found[TOGETHER];

	hf_store_get_some(cache->store, dirs, n, rows, found);
	for (size_t i = 0; i < n; i++) {
		HF_CLEANUP(hf_records_fini) struct hf_records records = {0};

		found[i] = hf_stored_parse(cache->store, dirs[i], found[i],
					   &rows[i], &records);
		if (found[i] >= 0) {
			hf_memory_load(cache->memory, dirs[i], forgets,
				       &records);
			atomic_fetch_add(&cache->rows_read, found[i]);
		}
		hf_buf_fini(&rows[i]);
	}
}

void hf_cache_recall(struct hf_cache *cache, uint64_t (*dirs)[2], size_t n)
{
	uint64_t some[TOGETHER][2];
	size_t n_some = 0;

	for (size_t i = 0; i < n && cache->store; i++) {
		if (hf_memory_lacks(cache->memory, dirs[i]))
			memcpy(some[n_some++], dirs[i], sizeof(dirs[i]));
		if (n_some == TOGETHER || (i + 1 == n && n_some > 0)) {
			load_some(cache, some, n_some);
			n_some = 0;
		}
	}
}

bool hf_cache_get(struct hf_cache *cache, const struct hf_key *key,
		  struct hf_buf *ret)
{
	uint32_t day = today(cache);
	bool touched = false;
	int found = hf_memory_get(cache->memory, key, day, &touched, ret);

	if (found == -ENODATA && cache->store && load(cache, key->dir))
		found = hf_memory_get(cache->memory, key, day, &touched, ret);
	if (touched)
		wake_writer(cache);
	return found == 1;
}

void hf_cache_put(struct hf_cache *cache, const struct hf_key *key, bool keep,
		  const void *data, size_t len)
{
	if (hf_memory_put(cache->memory, key, today(cache),
			  keep && cache->writes, data, len))
		wake_writer(cache);
}

void hf_cache_forget(struct hf_cache *cache)
{
	if (cache->writes) {
		unsigned wanted;

		pthread_mutex_lock(&cache->lock);
		wanted = ++cache->wanted;
		pthread_cond_signal(&cache->wake);
		while ((int)(cache->written - wanted) < 0)
			pthread_cond_wait(&cache->done, &cache->lock);
		pthread_mutex_unlock(&cache->lock);
	}
	hf_memory_forget(cache->memory);
}

void hf_cache_stats(struct hf_cache *cache, struct hf_cache_stats *ret)
{
	hf_memory_stats(cache->memory, &ret->entries, &ret->bytes);
	ret->rows_read = atomic_load(&cache->rows_read);
	ret->rows_written = atomic_load(&cache->rows_written);
}
