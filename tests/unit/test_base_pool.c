#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/base.h"
#include "tests/unit/resident.h"

#define PATIENCE_MS 30000

static struct hf_pool *new_pool(unsigned n_threads, unsigned n_max)
{
	struct hf_pool *pool = NULL;

	assert_int_equal(hf_pool_new(n_threads, n_max, &pool), 0);
	assert_non_null(pool);
	return pool;
}

static void submit(struct hf_pool *pool, void (*run)(void *), void *job)
{
	assert_int_equal(hf_pool_submit(pool, run, job), 0);
}

static unsigned n_threads_now(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned n = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void expect_threads(unsigned n)
{
	for (int i = 0; i < PATIENCE_MS && n_threads_now() != n; i++)
		usleep(1000);
	assert_int_equal(n_threads_now(), n);
}

/* A thread stays in /proc for a moment after it was joined. */
static unsigned n_threads_settled(void)
{
	unsigned n = n_threads_now();

	for (int same = 0; same < 30; same++) {
		usleep(1000);
		if (n_threads_now() != n) {
			n = n_threads_now();
			same = 0;
		}
	}
	return n;
}

static void count_up(void *job)
{
	atomic_fetch_add((atomic_uint *)job, 1);
}

static void free_runs_everything(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 4; n++) {
		struct hf_pool *pool = new_pool(n, n);
		atomic_uint done = 0;

		for (int i = 0; i < 5000; i++)
			submit(pool, count_up, &done);
		hf_pool_free(pool);
		assert_int_equal(atomic_load(&done), 5000);
	}
	hf_pool_free(NULL);
}

static void free_of_an_idle_pool(void **state)
{
	unsigned before = n_threads_settled();

	(void)state;
	hf_pool_free(new_pool(3, 7));
	expect_threads(before);
}

struct order {
	unsigned next;
	bool broken;
};

struct numbered {
	struct order *order;
	unsigned number;
};

static void check_order(void *job)
{
	struct numbered *numbered = job;

	if (numbered->order->next++ != numbered->number)
		numbered->order->broken = true;
}

static void first_in_first_out(void **state)
{
	struct hf_pool *pool = new_pool(1, 1);
	struct order order = {0};
	struct numbered jobs[1000];

	(void)state;
	for (unsigned i = 0; i < HF_ARRAY_SIZE(jobs); i++) {
		jobs[i] = (struct numbered){.order = &order, .number = i};
		submit(pool, check_order, &jobs[i]);
	}
	hf_pool_free(pool);
	assert_int_equal(order.next, HF_ARRAY_SIZE(jobs));
	assert_false(order.broken);
}

static void report_signals(void *job)
{
	sigset_t blocked;
	bool *all = job;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	*all = sigismember(&blocked, SIGTERM) &&
	       sigismember(&blocked, SIGINT) &&
	       sigismember(&blocked, SIGALRM) && sigismember(&blocked, SIGHUP);
}

static void signals_are_blocked(void **state)
{
	struct hf_pool *pool = new_pool(1, 1);
	bool all_blocked = false;
	sigset_t mine;

	(void)state;
	submit(pool, report_signals, &all_blocked);
	hf_pool_free(pool);
	assert_true(all_blocked);
	/* In the pool's threads only. */
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	assert_false(sigismember(&mine, SIGTERM));
}

static void hang(void *job)
{
	(void)!hf_wait_block(job);
}

static void wake(void *job)
{
	hf_wait_wake(job);
}

/* All threads hang; what waits behind them is done all the same. */
static void grows_when_it_stalls(void **state)
{
	unsigned before = n_threads_settled();
	struct hf_pool *pool = new_pool(2, 4);
	struct hf_wait hung, done;

	(void)state;
	hf_wait_init(&hung);
	hf_wait_init(&done);
	for (int i = 0; i < 3; i++)
		submit(pool, hang, &hung);
	for (int i = 0; i < 50; i++)
		submit(pool, wake, &done);
	for (int i = 0; i < 50; i++)
		assert_int_equal(hf_wait_block_for(&done, PATIENCE_MS), 0);
	/* Two, two more, the watcher. */
	assert_true(n_threads_now() <= before + 5);
	for (int i = 0; i < 3; i++)
		hf_wait_wake(&hung);
	/* The surplus goes, the rest stays and works. */
	expect_threads(before + 3);
	submit(pool, wake, &done);
	assert_int_equal(hf_wait_block_for(&done, PATIENCE_MS), 0);
	hf_pool_free(pool);
	expect_threads(before);
	hf_wait_fini(&hung);
	hf_wait_fini(&done);
}

static void grows_to_its_limit_only(void **state)
{
	unsigned before = n_threads_settled();
	struct hf_pool *pool = new_pool(1, 2);
	struct hf_wait hung, done;

	(void)state;
	hf_wait_init(&hung);
	hf_wait_init(&done);
	for (int i = 0; i < 3; i++)
		submit(pool, hang, &hung);
	submit(pool, wake, &done);
	expect_threads(before + 3);
	assert_int_equal(hf_wait_block_for(&done, HF_POOL_STALL_MS * 3),
			 -ETIMEDOUT);
	assert_int_equal(n_threads_now(), before + 3);
	for (int i = 0; i < 3; i++)
		hf_wait_wake(&hung);
	assert_int_equal(hf_wait_block_for(&done, PATIENCE_MS), 0);
	hf_pool_free(pool);
	hf_wait_fini(&hung);
	hf_wait_fini(&done);
}

/* How jobs follow each other. */
struct beat {
	atomic_int_least64_t last_ns;
	atomic_int_least64_t longest_ns; /* without one that finishes */
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void nap(void *job)
{
	struct beat *beat = job;
	int64_t now;
	int64_t gap;
	int64_t longest = atomic_load(&beat->longest_ns);

	usleep(20000);
	now = now_ns();
	gap = now - atomic_exchange(&beat->last_ns, now);
	while (gap > longest &&
	       !atomic_compare_exchange_weak(&beat->longest_ns, &longest, gap))
		;
}

/* Long queues are no stall as long as jobs are being finished. On a machine
 * that is so busy that they are not, the pool may well grow. */
static void does_not_grow_when_it_is_busy(void **state)
{
	const int64_t slow_ns = HF_POOL_STALL_MS * INT64_C(1000000) / 4;
	unsigned normal = n_threads_settled() + 3;
	struct hf_pool *pool = new_pool(2, 8);
	struct beat beat = {.last_ns = now_ns()};
	unsigned most = 0;

	(void)state;
	for (int i = 0; i < 60; i++)
		submit(pool, nap, &beat);
	for (int i = 0; i < 50; i++) {
		unsigned n = n_threads_now();

		most = n > most ? n : most;
		usleep(10000);
	}
	hf_pool_free(pool);
	if (atomic_load(&beat.longest_ns) < slow_ns)
		assert_int_equal(most, normal);
}

struct feeder {
	struct hf_pool *pool;
	atomic_uint done;
};

static void *feed(void *arg)
{
	struct feeder *feeder = arg;

	for (int i = 0; i < 2000; i++)
		if (hf_pool_submit(feeder->pool, count_up, &feeder->done) < 0)
			return feeder;
	return NULL;
}

static void many_threads_submit(void **state)
{
	struct feeder feeder = {.pool = new_pool(3, 6)};
	pthread_t threads[4];
	void *failed;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, feed, &feeder);
	for (size_t i = 0; i < HF_ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	hf_pool_free(feeder.pool);
	assert_int_equal(atomic_load(&feeder.done), 8000);
}

/* --- memory -------------------------------------------------------------- */

/* Small pieces that stay between larger ones that go, as jobs leave them. */
#define N_PIECES 640
#define PIECE_LEN 65536

static struct {
	void *stays;
	void *goes;
} pieces[N_PIECES];
static atomic_int n_gone;

static void take_pieces(void *arg)
{
	size_t first = (size_t)(uintptr_t)arg;

	for (size_t i = first; i < first + 10; i++) {
		pieces[i].goes = malloc(PIECE_LEN);
		assert_non_null(pieces[i].goes);
		memset(pieces[i].goes, 1, PIECE_LEN);
		/* Shrunk, so that it stays behind the other. */
		pieces[i].stays = realloc(malloc(PIECE_LEN), 64);
	}
}

static void leave_pieces(void *arg)
{
	size_t first = (size_t)(uintptr_t)arg;

	for (size_t i = first; i < first + 10; i++)
		free(pieces[i].goes);
	atomic_fetch_add(&n_gone, 10);
}

/* What is free goes back to the system, and then all is freed. */
static void assert_given_back(long most)
{
	for (int i = 0; KEEPS_MEMORY && own_memory() >= most; i++) {
		assert_true(i < PATIENCE_MS);
		usleep(1000);
	}
	for (size_t i = 0; i < N_PIECES; i++)
		free(pieces[i].stays);
}

static void gives_memory_back_when_it_rests(void **state)
{
	struct hf_pool *pool = new_pool(1, 1);
	long most = own_memory() + N_PIECES * PIECE_LEN / 1024 / 4;

	(void)state;
	for (uintptr_t i = 0; i < N_PIECES; i += 10)
		submit(pool, take_pieces, (void *)i);
	for (uintptr_t i = 0; i < N_PIECES; i += 10)
		submit(pool, leave_pieces, (void *)i);
	for (int i = 0; i < PATIENCE_MS && atomic_load(&n_gone) < N_PIECES; i++)
		usleep(1000);
	assert_int_equal(atomic_load(&n_gone), N_PIECES);
	assert_given_back(most);
	hf_pool_free(pool);
}

/* It was others that used it, while the pool slept. */
static void gives_memory_back_when_it_is_told(void **state)
{
	struct hf_pool *pool = new_pool(1, 1);
	long most = own_memory() + N_PIECES * PIECE_LEN / 1024 / 4;

	(void)state;
	for (uintptr_t i = 0; i < N_PIECES; i += 10)
		take_pieces((void *)i);
	for (uintptr_t i = 0; i < N_PIECES; i += 10)
		leave_pieces((void *)i);
	if (KEEPS_MEMORY)
		assert_true(own_memory() >= most);
	hf_pool_freed(pool);
	assert_given_back(most);
	hf_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_runs_everything),
		cmocka_unit_test(free_of_an_idle_pool),
		cmocka_unit_test(first_in_first_out),
		cmocka_unit_test(signals_are_blocked),
		cmocka_unit_test(grows_when_it_stalls),
		cmocka_unit_test(grows_to_its_limit_only),
		cmocka_unit_test(does_not_grow_when_it_is_busy),
		cmocka_unit_test(many_threads_submit),
		cmocka_unit_test(gives_memory_back_when_it_rests),
		cmocka_unit_test(gives_memory_back_when_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
