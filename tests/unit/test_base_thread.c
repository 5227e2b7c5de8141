/* Threads and conditions, and how long one waits for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>

#include "fs/base/base.h"

#define MS INT64_C(1000000)

static void *take_signals(void *arg)
{
	pthread_sigmask(SIG_SETMASK, NULL, arg);
	return NULL;
}

static void a_thread_takes_no_signals(void **state)
{
	sigset_t mask;
	pthread_t thread;

	(void)state;
	sigemptyset(&mask);
	assert_int_equal(hf_thread_start(&thread, 0, take_signals, &mask), 0);
	pthread_join(thread, NULL);
	assert_true(sigismember(&mask, SIGTERM));
	assert_true(sigismember(&mask, SIGHUP));
	/* Of whoever starts it nothing is changed. */
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGTERM));
}

static void *measure_stack(void *arg)
{
	pthread_attr_t attr;

	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstacksize(&attr, arg);
	pthread_attr_destroy(&attr);
	return NULL;
}

static void a_thread_has_the_stack_it_is_given(void **state)
{
	size_t size = 0;
	pthread_t thread;

	(void)state;
	assert_int_equal(
		hf_thread_start(&thread, 1 << 19, measure_stack, &size), 0);
	pthread_join(thread, NULL);
	/* Sanitizers want some more. */
	assert_in_range(size, 1 << 19, 1 << 21);
	assert_int_equal(hf_thread_start(&thread, 1, measure_stack, &size),
			 -EINVAL);
}

static void one_waits_as_long_as_is_said(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	int64_t until = hf_clock_monotonic() + 30 * MS;

	(void)state;
	pthread_mutex_lock(&lock);
	while (hf_cond_wait_until(&cond, &lock, until))
		; /* woken for nothing, which may be */
	assert_true(hf_clock_monotonic() >= until);
	assert_false(hf_cond_wait_until(&cond, &lock, 0));
	pthread_mutex_unlock(&lock);
}

struct call {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool made;
};

static void *make_call(void *arg)
{
	struct call *call = arg;

	pthread_mutex_lock(&call->lock);
	call->made = true;
	pthread_cond_signal(&call->cond);
	pthread_mutex_unlock(&call->lock);
	return NULL;
}

static void who_is_called_waits_no_longer(void **state)
{
	struct call call = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
			    false};
	int64_t until = hf_clock_monotonic() + 60000 * MS;
	pthread_t thread;

	(void)state;
	pthread_mutex_lock(&call.lock);
	assert_int_equal(hf_thread_start(&thread, 0, make_call, &call), 0);
	while (!call.made)
		assert_true(hf_cond_wait_until(&call.cond, &call.lock, until));
	pthread_mutex_unlock(&call.lock);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_takes_no_signals),
		cmocka_unit_test(a_thread_has_the_stack_it_is_given),
		cmocka_unit_test(one_waits_as_long_as_is_said),
		cmocka_unit_test(who_is_called_waits_no_longer),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
