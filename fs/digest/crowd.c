/*
 * crowd: many small files, hashed side by side. They wait until a thread of
 * the pool reads them; what was read waits until there is enough to fill the
 * lanes, or until nothing more comes. No thread waits for another one: each
 * does whatever is at hand, and as long as there is anything to do there is
 * one more job in the pool's queue. So when a thread hangs in a source, what
 * it read before is hashed by the next.
 */
#include "fs/digest/crowd.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* Hashed together: enough that the lanes are full most of the time. */
#define GROUP 32
/* With so many bytes a group is large enough, however few its files are. */
#define GROUP_BYTES (32 * 1024 * 1024)
/* Files of very different lengths leave most lanes empty in the end: so those
 * above this size keep to themselves. */
#define BULKY (256 * 1024)
/* After so many files a thread lets the pool's other jobs have their turn. */
#define TURN 128

struct list {
	struct hf_small *first;
	struct hf_small **last;
	size_t n;
	uint64_t bytes;
};

struct hf_crowd {
	const struct hf_digests_config *config;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct list unread;
	struct list read[2]; /* small and bulky ones */
	bool summoned;       /* a job is in the pool's queue */
};

/* --- lists ---------------------------------------------------------------- */

static void list_init(struct list *list)
{
	*list = (struct list){.last = &list->first};
}

static void append(struct list *list, struct hf_small *small)
{
	small->next = NULL;
	*list->last = small;
	list->last = &small->next;
	list->n++;
	list->bytes += small->reading.fact.size;
}

/* NULL: it is empty. */
static struct hf_small *take(struct list *list)
{
	struct hf_small *small = list->first;

	if (!small)
		return NULL;
	list->first = small->next;
	if (!list->first)
		list->last = &list->first;
	list->n--;
	list->bytes -= small->reading.fact.size;
	return small;
}

int hf_crowd_new(const struct hf_digests_config *config, struct hf_crowd **ret)
{
	struct hf_crowd *crowd = calloc(1, sizeof(*crowd));

	if (!crowd)
		return -ENOMEM;
	crowd->config = config;
	pthread_mutex_init(&crowd->lock, NULL);
	list_init(&crowd->unread);
	list_init(&crowd->read[0]);
	list_init(&crowd->read[1]);
	*ret = crowd;
	return 0;
}

void hf_crowd_free(struct hf_crowd *crowd)
{
	if (!crowd)
		return;
	pthread_mutex_destroy(&crowd->lock);
	free(crowd);
}

/* --- one file ------------------------------------------------------------- */

static void read_one(struct hf_crowd *crowd, struct hf_small *small)
{
	if (small->known && small->known(small))
		return;
	small->error =
		hf_read_bytes(crowd->config, small->root, small->path,
			      HF_SMALL_MAX, &small->reading, &small->data);
	/* It has grown. */
	if (small->error == -EFBIG)
		small->error =
			hf_read_file(crowd->config, small->root, small->path,
				     false, &small->reading);
}

/* --- a group -------------------------------------------------------------- */

static void hash_group(const struct hf_crowd *crowd, struct hf_small **group,
		       size_t n)
{
	struct hf_hashing hashings[GROUP];
	int error;

	for (size_t i = 0; i < n; i++)
		hashings[i] = (struct hf_hashing){
			.data = group[i]->data,
			.len = (size_t)group[i]->reading.fact.size,
			.ret = &group[i]->reading.fact.digest,
		};
	error = hf_hash_many(crowd->config->algorithm, hashings, n);
	for (size_t i = 0; i < n; i++)
		group[i]->error = error;
}

static void inspect(const struct hf_crowd *crowd, const struct hf_small *small)
{
	const struct hf_inspector *inspector = &crowd->config->inspector;
	const struct hf_fact *fact = &small->reading.fact;

	if (inspector->wants &&
	    inspector->wants(inspector->arg, small->path, fact->size))
		inspector->inspect(inspector->arg, small->path, &fact->digest,
				   small->data, (size_t)fact->size);
}

/* What fails here is read, or fails, when somebody asks for it. */
static void hash_again(const struct hf_crowd *crowd,
		       const struct hf_small *small)
{
	const struct hf_inspector *inspector = &crowd->config->inspector;
	const struct hf_fact *fact = &small->reading.fact;
	struct hf_digest second;

	if (inspector->algorithm && hf_hash(inspector->algorithm, small->data,
					    (size_t)fact->size, &second) == 0)
		inspector->second(inspector->arg, small->path, &fact->digest,
				  &second);
}

static void finish(const struct hf_crowd *crowd, struct hf_small *small)
{
	if (small->data && small->error == 0) {
		inspect(crowd, small);
		hash_again(crowd, small);
	}
	free(small->data);
	small->data = NULL;
	small->done(small);
}

/* --- turns ---------------------------------------------------------------- */

/* What is to be hashed now, or NULL. Call with the lock held. */
static struct list *full_list(struct hf_crowd *crowd)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(crowd->read); i++) {
		struct list *read = &crowd->read[i];

		if (read->n >= GROUP || read->bytes >= GROUP_BYTES ||
		    (read->n > 0 && crowd->unread.n == 0))
			return read;
	}
	return NULL;
}

/* Call with the lock held; returns without it, and how many files it was. */
static size_t hash_some(struct hf_crowd *crowd, struct list *read)
{
	struct hf_small *group[GROUP];
	size_t n = 0;

	while (n < GROUP && read->n > 0)
		group[n++] = take(read);
	pthread_mutex_unlock(&crowd->lock);
	hash_group(crowd, group, n);
	for (size_t i = 0; i < n; i++)
		finish(crowd, group[i]);
	return n;
}

/* Call with the lock held; returns without it. */
static void read_next(struct hf_crowd *crowd)
{
	struct hf_small *small = take(&crowd->unread);

	pthread_mutex_unlock(&crowd->lock);
	if (!small)
		return;
	read_one(crowd, small);
	if (!small->data) {
		finish(crowd, small);
		return;
	}
	pthread_mutex_lock(&crowd->lock);
	append(&crowd->read[small->reading.fact.size > BULKY], small);
	pthread_mutex_unlock(&crowd->lock);
}

static void work(void *arg);

/* Whether the caller has to put a job into the pool's queue. Call with the
 * lock held. */
static bool is_to_summon(struct hf_crowd *crowd)
{
	bool first = !crowd->summoned;

	crowd->summoned = true;
	return first;
}

static int summon(struct hf_crowd *crowd)
{
	int error = hf_pool_submit(crowd->config->pool, work, crowd);

	if (error < 0) {
		pthread_mutex_lock(&crowd->lock);
		crowd->summoned = false;
		pthread_mutex_unlock(&crowd->lock);
	}
	return error;
}

static bool has_work(const struct hf_crowd *crowd)
{
	return crowd->unread.n > 0 || crowd->read[0].n > 0 ||
	       crowd->read[1].n > 0;
}

/* There is one more job as long as there is anything unread. */
static void begin_turn(struct hf_crowd *crowd)
{
	bool call = false;

	pthread_mutex_lock(&crowd->lock);
	crowd->summoned = false;
	if (has_work(crowd))
		call = is_to_summon(crowd);
	pthread_mutex_unlock(&crowd->lock);
	/* Without memory for a job this one goes on to the end. */
	if (call && summon(crowd) < 0)
		return;
}

static void work(void *arg)
{
	struct hf_crowd *crowd = arg;
	size_t done = 0;

	begin_turn(crowd);
	pthread_mutex_lock(&crowd->lock);
	while (has_work(crowd) && (done < TURN || !crowd->summoned)) {
		struct list *full = full_list(crowd);

		if (full) {
			done += hash_some(crowd, full);
		} else {
			read_next(crowd);
			done++;
		}
		hf_pool_tick(crowd->config->pool);
		pthread_mutex_lock(&crowd->lock);
	}
	pthread_mutex_unlock(&crowd->lock);
}

/* Whoever came after the job that could not be made relied on it. */
static void fail_all(struct hf_crowd *crowd, int error)
{
	struct hf_small *small;
	struct list failed;

	pthread_mutex_lock(&crowd->lock);
	failed = crowd->unread;
	list_init(&crowd->unread);
	pthread_mutex_unlock(&crowd->lock);
	while ((small = take(&failed))) {
		small->error = error;
		small->done(small);
	}
}

void hf_crowd_add(struct hf_crowd *crowd, struct hf_small *small)
{
	bool call;
	int error;

	pthread_mutex_lock(&crowd->lock);
	append(&crowd->unread, small);
	call = is_to_summon(crowd);
	pthread_mutex_unlock(&crowd->lock);
	error = call ? summon(crowd) : 0;
	if (error < 0)
		fail_all(crowd, error);
}
