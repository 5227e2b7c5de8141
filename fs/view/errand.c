/*
 * errand: something done in the pool for one asker, who may leave before it is
 * done: a source may hang, and whoever is killed must not hang with it.
 */
#include "fs/view/internal.h"

#include <errno.h>

struct hf_errand {
	void (*run)(void *arg);
	void (*free)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct hf_wait *asker; /* NULL: left */
	bool awaited;          /* the asker sleeps, or is about to, for it */
	bool done;
};

static void errand_free(struct hf_errand *errand)
{
	errand->free(errand->arg);
	pthread_mutex_destroy(&errand->lock);
	free(errand);
}

static void run(void *arg)
{
	struct hf_errand *errand = arg;
	bool left;

	errand->run(errand->arg);
	pthread_mutex_lock(&errand->lock);
	errand->done = true;
	left = !errand->asker;
	if (errand->awaited && !left)
		hf_wait_wake(errand->asker);
	pthread_mutex_unlock(&errand->lock);
	if (left)
		errand_free(errand);
}

int hf_errand_new(struct hf_pool *pool, void (*what)(void *arg),
		  void (*free_arg)(void *arg), void *arg, struct hf_wait *asker,
		  struct hf_errand **ret)
{
	struct hf_errand *errand = calloc(1, sizeof(*errand));
	int error;

	if (!errand) {
		free_arg(arg);
		return -ENOMEM;
	}
	*errand = (struct hf_errand){
		.run = what, .free = free_arg, .arg = arg, .asker = asker};
	pthread_mutex_init(&errand->lock, NULL);
	error = hf_pool_submit(pool, run, errand);
	if (error < 0)
		errand_free(errand);
	else
		*ret = errand;
	return error;
}

/* `awaited`: if it is not done, the asker is woken when it is. */
static bool is_done(struct hf_errand *errand, bool awaited)
{
	bool done;

	pthread_mutex_lock(&errand->lock);
	done = errand->done;
	errand->awaited = awaited;
	pthread_mutex_unlock(&errand->lock);
	return done;
}

bool hf_errand_done(struct hf_errand *errand)
{
	return is_done(errand, false);
}

int hf_errand_wait(struct hf_errand *errand)
{
	int error = 0;

	while (!is_done(errand, true) && error == 0)
		error = hf_wait_block(errand->asker);
	return error;
}

void *hf_errand_arg(const struct hf_errand *errand)
{
	return errand->arg;
}

void hf_errand_end(struct hf_errand *errand)
{
	bool done;

	if (!errand)
		return;
	pthread_mutex_lock(&errand->lock);
	errand->asker = NULL;
	done = errand->done;
	pthread_mutex_unlock(&errand->lock);
	if (done)
		errand_free(errand);
}
