#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/base.h"

static void pause_ms(unsigned ms)
{
	usleep(ms * 1000);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wakes_are_counted(void **state)
{
	struct hf_wait wait;

	(void)state;
	hf_wait_init(&wait);
	assert_false(hf_wait_interrupted(&wait));
	hf_wait_wake(&wait);
	hf_wait_wake(&wait);
	assert_int_equal(hf_wait_block(&wait), 0);
	assert_int_equal(hf_wait_block_for(&wait, 10000), 0);
	assert_int_equal(hf_wait_block_for(&wait, 0), -ETIMEDOUT);
	hf_wait_fini(&wait);
}

static void interrupted_for_good(void **state)
{
	struct hf_wait wait;

	(void)state;
	hf_wait_init(&wait);
	hf_wait_interrupt(&wait);
	hf_wait_wake(&wait);
	assert_true(hf_wait_interrupted(&wait));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(hf_wait_block(&wait), -EINTR);
		assert_int_equal(hf_wait_block_for(&wait, 10000), -EINTR);
	}
	hf_wait_fini(&wait);
}

static void gives_up_in_time(void **state)
{
	struct hf_wait wait;
	int64_t start = now_ms();

	(void)state;
	hf_wait_init(&wait);
	assert_int_equal(hf_wait_block_for(&wait, 60), -ETIMEDOUT);
	assert_true(now_ms() - start >= 60);
	hf_wait_fini(&wait);
}

struct asker {
	struct hf_wait wait;
	bool timed;
	int answer; /* the thread's until it is joined */
};

static void *ask(void *arg)
{
	struct asker *asker = arg;

	asker->answer = asker->timed ? hf_wait_block_for(&asker->wait, 60000)
				     : hf_wait_block(&asker->wait);
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
}

/* Signals do not end the sleep; what is meant to does. */
static void sleeps_through_signals(void **state)
{
	struct sigaction action = {.sa_handler = on_signal};

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	for (int kind = 0; kind < 4; kind++) {
		struct asker asker = {.timed = kind & 1, .answer = 1};
		pthread_t thread;

		hf_wait_init(&asker.wait);
		pthread_create(&thread, NULL, ask, &asker);
		for (int i = 0; i < 5; i++) {
			pause_ms(5);
			pthread_kill(thread, SIGUSR1);
		}
		if (kind & 2)
			hf_wait_interrupt(&asker.wait);
		else
			hf_wait_wake(&asker.wait);
		pthread_join(thread, NULL);
		assert_int_equal(asker.answer, kind & 2 ? -EINTR : 0);
		hf_wait_fini(&asker.wait);
	}
}

#define N_ROUNDS 3000

struct exchange {
	pthread_mutex_t mutex;
	struct hf_wait *asker; /* mutex; NULL: nobody asks */
	int *answer;           /* mutex; where the asker wants it */
};

static void *answer_all(void *arg)
{
	struct exchange *exchange = arg;

	for (int n = 0; n < N_ROUNDS;) {
		struct hf_wait *asker;

		pthread_mutex_lock(&exchange->mutex);
		asker = exchange->asker;
		if (asker)
			*exchange->answer = n;
		exchange->asker = NULL;
		pthread_mutex_unlock(&exchange->mutex);
		if (asker) {
			hf_wait_wake(asker);
			n++;
		}
	}
	return NULL;
}

/* The asker's struct lives on its stack and is gone right after the wake;
 * what was written before the wake is seen after it. */
static void destroyed_right_after_the_wake(void **state)
{
	struct exchange exchange = {.mutex = PTHREAD_MUTEX_INITIALIZER};
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, answer_all, &exchange);
	for (int n = 0; n < N_ROUNDS; n++) {
		struct hf_wait wait;
		int answer = -1;

		hf_wait_init(&wait);
		pthread_mutex_lock(&exchange.mutex);
		exchange.asker = &wait;
		exchange.answer = &answer;
		pthread_mutex_unlock(&exchange.mutex);
		assert_int_equal(n % 2 ? hf_wait_block(&wait)
				       : hf_wait_block_for(&wait, 60000),
				 0);
		assert_int_equal(answer, n);
		hf_wait_fini(&wait);
	}
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wakes_are_counted),
		cmocka_unit_test(interrupted_for_good),
		cmocka_unit_test(gives_up_in_time),
		cmocka_unit_test(sleeps_through_signals),
		cmocka_unit_test(destroyed_right_after_the_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
