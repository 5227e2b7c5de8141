#include "fs/base/base.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

int hf_thread_start(pthread_t *ret, size_t stack, void *(*run)(void *arg),
		    void *arg)
{
	pthread_attr_t attr;
	sigset_t all;
	int error = 0;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setsigmask_np(&attr, &all);
	if (stack)
		error = pthread_attr_setstacksize(&attr, stack);
	if (!error)
		error = pthread_create(ret, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return -error;
}

bool hf_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex,
			int64_t at_ns)
{
	const struct timespec at = {.tv_sec = at_ns / NS_PER_S,
				    .tv_nsec = at_ns % NS_PER_S};

	return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &at) !=
	       ETIMEDOUT;
}

void hf_lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
#ifdef __GLIBC__
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}
