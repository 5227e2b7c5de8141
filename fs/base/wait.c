#include "fs/base/base.h"

#include <errno.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

void hf_wait_init(struct hf_wait *wait)
{
	sem_init(&wait->sem, 0, 0);
	atomic_init(&wait->interrupted, false);
	wait->works = false;
	wait->sleeps = NULL;
}

void hf_wait_fini(struct hf_wait *wait)
{
	sem_destroy(&wait->sem);
}

/*
 * The asker may return and destroy the semaphore as soon as the count is up,
 * while sem_post has not returned: glibc does not touch it any more by then.
 * Nor may anything here.
 */
void hf_wait_wake(struct hf_wait *wait)
{
	sem_post(&wait->sem);
}

void hf_wait_interrupt(struct hf_wait *wait)
{
	atomic_store(&wait->interrupted, true);
	sem_post(&wait->sem);
}

bool hf_wait_interrupted(const struct hf_wait *wait)
{
	return atomic_load(&wait->interrupted);
}

/* True if there was a wake already. Else the asker is about to sleep. */
static bool was_woken(struct hf_wait *wait)
{
	if (sem_trywait(&wait->sem) == 0)
		return true;
	if (wait->sleeps)
		wait->sleeps(wait->sleeps_arg);
	return false;
}

int hf_wait_block(struct hf_wait *wait)
{
	if (hf_wait_interrupted(wait))
		return -EINTR;
	if (was_woken(wait))
		return hf_wait_interrupted(wait) ? -EINTR : 0;
	/* A signal is not an interruption: only hf_wait_interrupt is. */
	while (sem_wait(&wait->sem) < 0)
		;
	return hf_wait_interrupted(wait) ? -EINTR : 0;
}

int hf_wait_block_for(struct hf_wait *wait, unsigned ms)
{
	int64_t at_ns = hf_clock_monotonic() + ms * INT64_C(1000000);
	const struct timespec deadline = {.tv_sec = at_ns / NS_PER_S,
					  .tv_nsec = at_ns % NS_PER_S};
	int err = 0;

	if (hf_wait_interrupted(wait))
		return -EINTR;
	if (was_woken(wait))
		return hf_wait_interrupted(wait) ? -EINTR : 0;
	while (sem_clockwait(&wait->sem, CLOCK_MONOTONIC, &deadline) < 0) {
		if (errno == ETIMEDOUT) {
			err = -ETIMEDOUT;
			break;
		}
	}
#ifdef __SANITIZE_THREAD__
	/* The sanitizer knows every other sem_ function but this one. */
	__tsan_acquire(&wait->sem);
#endif
	return hf_wait_interrupted(wait) ? -EINTR : err;
}
