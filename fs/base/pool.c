/*
 * Workers take jobs from one queue. A watcher thread doubles the workers when
 * the queue stands still; it sleeps without a timeout as long as every
 * waiting job has an idle worker, so a pool with nothing to do wakes nobody.
 */
#include "fs/base/base.h"

#include <assert.h>
#include <errno.h>

#define STALL_NS (HF_POOL_STALL_MS * INT64_C(1000000))
/* Jobs keep big buffers in the heap. */
#define STACK_SIZE (512 * 1024)

struct job {
	struct job *next;
	void (*run)(void *);
	void *arg;
};

enum worker_state {
	WORKER_NONE,
	WORKER_RUNS,
	WORKER_ENDED, /* or is about to end; not joined yet */
};

struct worker {
	struct hf_pool *pool;
	pthread_t thread; /* start_worker's, then the watcher's, to join */
	enum worker_state state; /* pool->mutex */
};

struct hf_pool {
	unsigned n_threads;
	unsigned n_max;
	pthread_t watcher;
	bool has_watcher;

	atomic_int_least64_t moved_ns; /* when work last made progress */
	atomic_uint n_jobs; /* waiting; written with the mutex held */

	pthread_mutex_t mutex;
	pthread_cond_t work;  /* a job came, or the end */
	pthread_cond_t watch; /* the watcher has to look again */
	/* --- the following fields are protected by mutex --- */
	struct job *first;
	struct job **last; /* where the next one is linked in */
	unsigned n_idle;
	unsigned n_running; /* workers, idle ones too */
	unsigned n_done;    /* since memory was given back */
	bool closing;
	bool watcher_sleeps; /* without a timeout */
	struct worker workers[];
};

/* --- workers ------------------------------------------------------------ */

/* After so many jobs there is something to give back, and after so long
 * without another one it is the time for it. */
#define DONE_MIN 64
#define REST_NS INT64_C(1000000000)

/*
 * Long-lived pieces lie between those that jobs used for a moment, so that the
 * heap keeps more pages than it needs, often most of them. Called with the
 * mutex, which is let go in between.
 */
static void give_back(struct hf_pool *pool)
{
	pool->n_done = 0;
	pthread_mutex_unlock(&pool->mutex);
	hf_heap_give_back();
	pthread_mutex_lock(&pool->mutex);
}

/*
 * Surplus threads wait a little for the next job: while the others hang, a
 * client that asks for one thing after the other would else wait for the
 * stall rule each time.
 */
static bool wait_for_job(struct hf_pool *pool)
{
	bool full = pool->n_done >= DONE_MIN;
	bool in_time = true;

	pool->n_idle++;
	if (pool->n_running > pool->n_threads)
		in_time = hf_cond_wait_until(&pool->work, &pool->mutex,
					     hf_clock_monotonic() + STALL_NS);
	else if (full)
		in_time = hf_cond_wait_until(&pool->work, &pool->mutex,
					     hf_clock_monotonic() + REST_NS);
	else
		pthread_cond_wait(&pool->work, &pool->mutex);
	pool->n_idle--;
	/* Of several that have waited one does it. */
	if (full && !in_time && pool->n_done >= DONE_MIN)
		give_back(pool);
	return in_time || pool->n_running <= pool->n_threads;
}

/* The next job, or NULL if this worker shall end. */
static struct job *take_job(struct hf_pool *pool)
{
	bool stay = true;
	struct job *job;

	while (!pool->first) {
		if (pool->closing || !stay)
			return NULL;
		stay = wait_for_job(pool);
	}
	job = pool->first;
	pool->first = job->next;
	if (!pool->first)
		pool->last = &pool->first;
	pool->n_jobs--;
	return job;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct hf_pool *pool = worker->pool;
	struct job *job;

	pthread_mutex_lock(&pool->mutex);
	while ((job = take_job(pool))) {
		pthread_mutex_unlock(&pool->mutex);
		job->run(job->arg);
		free(job);
		pthread_mutex_lock(&pool->mutex);
		pool->moved_ns = hf_clock_monotonic();
		pool->n_done++;
	}
	pool->n_running--;
	worker->state = WORKER_ENDED;
	pthread_cond_signal(&pool->watch);
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

static struct worker *find_worker(struct hf_pool *pool, enum worker_state state)
{
	for (unsigned i = 0; i < pool->n_max; i++)
		if (pool->workers[i].state == state)
			return &pool->workers[i];
	return NULL;
}

/* Called with the mutex, which is let go in between. */
static int start_worker(struct hf_pool *pool)
{
	struct worker *worker = find_worker(pool, WORKER_NONE);
	int err;

	if (!worker)
		return -EAGAIN;
	worker->state = WORKER_RUNS;
	pool->n_running++;
	pthread_mutex_unlock(&pool->mutex);
	err = hf_thread_start(&worker->thread, STACK_SIZE, worker_main, worker);
	pthread_mutex_lock(&pool->mutex);
	pool->moved_ns = hf_clock_monotonic();
	if (err) {
		worker->state = WORKER_NONE;
		pool->n_running--;
	}
	return err;
}

/* --- the watcher -------------------------------------------------------- */

/* Jobs wait that no idle worker is about to take, and there is room. */
static bool may_grow(const struct hf_pool *pool)
{
	return pool->n_jobs > pool->n_idle && pool->n_running < pool->n_max;
}

/* Called with the mutex, which is let go in between. */
static bool join_one(struct hf_pool *pool)
{
	struct worker *worker = find_worker(pool, WORKER_ENDED);

	if (!worker)
		return false;
	pthread_mutex_unlock(&pool->mutex);
	pthread_join(worker->thread, NULL);
	pthread_mutex_lock(&pool->mutex);
	worker->state = WORKER_NONE;
	return true;
}

static void watcher_sleep(struct hf_pool *pool)
{
	if (may_grow(pool)) {
		hf_cond_wait_until(&pool->watch, &pool->mutex,
				   pool->moved_ns + STALL_NS);
		return;
	}
	pool->watcher_sleeps = true;
	pthread_cond_wait(&pool->watch, &pool->mutex);
	pool->watcher_sleeps = false;
}

/* As many again: a crowd that hangs must not hold up the one behind it for
 * longer the larger it is. Called with the mutex, let go in between. */
static void grow(struct hf_pool *pool)
{
	unsigned n = pool->n_running;

	/* What cannot start now is tried again later. */
	while (n-- > 0 && may_grow(pool) && start_worker(pool) == 0)
		;
}

static void *watcher_main(void *arg)
{
	struct hf_pool *pool = arg;

	pthread_mutex_lock(&pool->mutex);
	while (!pool->closing || pool->n_running > 0) {
		/* Both let the mutex go: look at everything again. */
		if (join_one(pool))
			continue;
		if (may_grow(pool) &&
		    hf_clock_monotonic() >= pool->moved_ns + STALL_NS) {
			grow(pool);
			continue;
		}
		watcher_sleep(pool);
	}
	while (join_one(pool))
		;
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

/* --- the pool ----------------------------------------------------------- */

static int start_threads(struct hf_pool *pool)
{
	int err =
		hf_thread_start(&pool->watcher, STACK_SIZE, watcher_main, pool);

	if (err)
		return err;
	pool->has_watcher = true;
	pthread_mutex_lock(&pool->mutex);
	for (unsigned i = 0; i < pool->n_threads && !err; i++)
		err = start_worker(pool);
	pthread_mutex_unlock(&pool->mutex);
	return err;
}

int hf_pool_new(unsigned n_threads, unsigned n_max, struct hf_pool **ret)
{
	struct hf_pool *pool;
	int err;

	assert(n_threads > 0 && n_threads <= n_max);
	pool = calloc(1, sizeof(*pool) + n_max * sizeof(pool->workers[0]));
	if (!pool)
		return -ENOMEM;
	pool->n_threads = n_threads;
	pool->n_max = n_max;
	pool->last = &pool->first;
	for (unsigned i = 0; i < n_max; i++)
		pool->workers[i].pool = pool;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->watch, NULL);
	err = start_threads(pool);
	if (err) {
		hf_pool_free(pool);
		return err;
	}
	*ret = pool;
	return 0;
}

void hf_pool_tick(struct hf_pool *pool)
{
	pool->moved_ns = hf_clock_monotonic();
}

unsigned hf_pool_waiting(struct hf_pool *pool)
{
	return pool->n_jobs;
}

void hf_pool_freed(struct hf_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	if (pool->n_done < DONE_MIN)
		pool->n_done = DONE_MIN;
	/* Who sleeps without a timeout has to look again. */
	if (pool->n_idle > 0)
		pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->mutex);
}

unsigned hf_pool_threads(const struct hf_pool *pool)
{
	return pool->n_threads;
}

int hf_pool_submit(struct hf_pool *pool, void (*run)(void *arg), void *arg)
{
	struct job *job = malloc(sizeof(*job));

	if (!job)
		return -ENOMEM;
	*job = (struct job){.run = run, .arg = arg};
	pthread_mutex_lock(&pool->mutex);
	if (!pool->first)
		pool->moved_ns = hf_clock_monotonic();
	*pool->last = job;
	pool->last = &job->next;
	pool->n_jobs++;
	if (pool->n_idle > 0)
		pthread_cond_signal(&pool->work);
	if (pool->watcher_sleeps && may_grow(pool))
		pthread_cond_signal(&pool->watch);
	pthread_mutex_unlock(&pool->mutex);
	return 0;
}

void hf_pool_free(struct hf_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	pool->closing = true;
	pthread_cond_broadcast(&pool->work);
	pthread_cond_signal(&pool->watch);
	pthread_mutex_unlock(&pool->mutex);
	/* The watcher joins the workers and is the last to end. */
	if (pool->has_watcher)
		pthread_join(pool->watcher, NULL);
	pthread_cond_destroy(&pool->watch);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->mutex);
	free(pool);
}
