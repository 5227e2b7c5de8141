#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <semaphore.h>
#include <unistd.h>

#include "fs/base/base.h"

#define N 1000

static struct hf_pool *new_pool(unsigned n_threads)
{
	struct hf_pool *pool = NULL;

	assert_int_equal(hf_pool_new(n_threads, n_threads, &pool), 0);
	return pool;
}

static void count(void *arg, size_t i)
{
	atomic_uint *counts = arg;

	atomic_fetch_add(&counts[i], 1);
}

static void assert_each_once(const atomic_uint *counts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(counts[i], 1);
}

static void each_is_done_once(void **state)
{
	struct hf_pool *pool = new_pool(4);

	(void)state;
	for (size_t n = 0; n <= N; n += n < 5 ? 1 : 199) {
		atomic_uint counts[N + 1] = {0};

		hf_pool_share(pool, n, count, counts);
		assert_each_once(counts, n);
		assert_int_equal(counts[n], 0);
	}
	hf_pool_free(pool);
}

struct meeting {
	sem_t came;
	sem_t may_go;
};

/* Whoever does the one waits for who does the other. */
static void meet(void *arg, size_t i)
{
	struct meeting *meeting = arg;

	sem_post(i ? &meeting->came : &meeting->may_go);
	sem_wait(i ? &meeting->may_go : &meeting->came);
}

static void several_threads_take_part(void **state)
{
	struct hf_pool *pool = new_pool(1);
	struct meeting meeting;

	(void)state;
	sem_init(&meeting.came, 0, 0);
	sem_init(&meeting.may_go, 0, 0);
	hf_pool_share(pool, 2, meet, &meeting);
	hf_pool_free(pool);
	sem_destroy(&meeting.came);
	sem_destroy(&meeting.may_go);
}

static void hang(void *arg)
{
	struct meeting *meeting = arg;

	sem_post(&meeting->came);
	sem_wait(&meeting->may_go);
}

/* The helpers come when nothing is left, and what they would have helped with
 * is gone. */
static void nobody_waits_for_a_queue(void **state)
{
	struct hf_pool *pool = new_pool(1);
	struct meeting meeting;

	(void)state;
	sem_init(&meeting.came, 0, 0);
	sem_init(&meeting.may_go, 0, 0);
	assert_int_equal(hf_pool_submit(pool, hang, &meeting), 0);
	sem_wait(&meeting.came);
	{
		atomic_uint counts[N] = {0};

		hf_pool_share(pool, N, count, counts);
		assert_each_once(counts, N);
	}
	sem_post(&meeting.may_go);
	hf_pool_free(pool);
	sem_destroy(&meeting.came);
	sem_destroy(&meeting.may_go);
}

struct late {
	atomic_bool over;
	atomic_uint done;
};

static void dawdle(void *arg, size_t i)
{
	struct late *late = arg;

	(void)i;
	usleep(500);
	/* Nobody is in here any more when the asker has gone on. */
	if (!atomic_load(&late->over))
		atomic_fetch_add(&late->done, 1);
}

static void all_is_done_when_it_returns(void **state)
{
	struct hf_pool *pool = new_pool(4);

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct late late = {0};

		hf_pool_share(pool, 9, dawdle, &late);
		atomic_store(&late.over, true);
		assert_int_equal(late.done, 9);
	}
	hf_pool_free(pool);
}

struct nested {
	struct hf_pool *pool;
	atomic_uint counts[N];
	sem_t done;
};

static void share_in_job(void *arg)
{
	struct nested *nested = arg;

	hf_pool_share(nested->pool, N, count, nested->counts);
	sem_post(&nested->done);
}

static void a_job_may_share(void **state)
{
	struct nested nested = {.pool = new_pool(1)};

	(void)state;
	sem_init(&nested.done, 0, 0);
	assert_int_equal(hf_pool_submit(nested.pool, share_in_job, &nested), 0);
	sem_wait(&nested.done);
	assert_each_once(nested.counts, N);
	hf_pool_free(nested.pool);
	sem_destroy(&nested.done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_done_once),
		cmocka_unit_test(several_threads_take_part),
		cmocka_unit_test(nobody_waits_for_a_queue),
		cmocka_unit_test(all_is_done_when_it_returns),
		cmocka_unit_test(a_job_may_share),
	};

	alarm(60);
	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
