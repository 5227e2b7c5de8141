/*
 * share: a large piece of work that the threads of a pool take part in as far
 * as they have nothing else to do. Whoever comes late finds nothing left, so
 * nobody waits for a job that stands in the queue.
 */
#include "fs/base/base.h"

#include <pthread.h>

/* Held by the asker and by every job. */
struct share {
	struct hf_pool *pool;
	void (*run)(void *arg, size_t i);
	void *arg;
	size_t n;
	atomic_size_t next;
	atomic_uint refs;
	pthread_mutex_t lock;
	pthread_cond_t left;
	/* the following are protected by lock */
	unsigned helping; /* jobs that may be in `run` */
	bool over;        /* the asker goes on when those have left */
};

static void unref(struct share *share)
{
	if (atomic_fetch_sub(&share->refs, 1) != 1)
		return;
	pthread_cond_destroy(&share->left);
	pthread_mutex_destroy(&share->lock);
	free(share);
}

static void take_part(struct share *share)
{
	size_t i;

	while ((i = atomic_fetch_add(&share->next, 1)) < share->n) {
		share->run(share->arg, i);
		hf_pool_tick(share->pool);
	}
}

static bool join(struct share *share)
{
	bool joined;

	pthread_mutex_lock(&share->lock);
	joined = !share->over;
	share->helping += joined;
	pthread_mutex_unlock(&share->lock);
	return joined;
}

static void help(void *arg)
{
	struct share *share = arg;

	if (join(share)) {
		take_part(share);
		pthread_mutex_lock(&share->lock);
		share->helping--;
		pthread_cond_signal(&share->left);
		pthread_mutex_unlock(&share->lock);
	}
	unref(share);
}

static struct share *share_new(struct hf_pool *pool, size_t n,
			       void (*run)(void *arg, size_t i), void *arg)
{
	struct share *share = calloc(1, sizeof(*share));

	if (!share)
		return NULL;
	share->pool = pool;
	share->run = run;
	share->arg = arg;
	share->n = n;
	atomic_init(&share->refs, 1);
	pthread_mutex_init(&share->lock, NULL);
	pthread_cond_init(&share->left, NULL);
	return share;
}

static void wait_for_helpers(struct share *share)
{
	pthread_mutex_lock(&share->lock);
	share->over = true;
	while (share->helping > 0)
		pthread_cond_wait(&share->left, &share->lock);
	pthread_mutex_unlock(&share->lock);
}

void hf_pool_share(struct hf_pool *pool, size_t n,
		   void (*run)(void *arg, size_t i), void *arg)
{
	struct share *share = n > 1 ? share_new(pool, n, run, arg) : NULL;
	unsigned helpers = hf_pool_threads(pool);

	/* Without memory nobody helps. */
	for (size_t i = 0; i < n && !share; i++)
		run(arg, i);
	if (!share)
		return;
	for (unsigned i = 0; i < helpers && i + 1 < n; i++) {
		atomic_fetch_add(&share->refs, 1);
		if (hf_pool_submit(pool, help, share) < 0)
			unref(share);
	}
	take_part(share);
	wait_for_helpers(share);
	unref(share);
}
