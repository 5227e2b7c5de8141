/*
 * handles: how many files and directories may be open at once. Each file may
 * hold a descriptor, and looking at the source needs some all the time.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <sys/resource.h>

/* A handle costs a few hundred bytes, and what it pins is bounded elsewhere. */
#define MAX_HANDLES 65536

/* select(2), which the usual limit is there for, is not used here. */
static rlim_t raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 &&
	    getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	return limit.rlim_cur;
}

void hf_handles_init(struct hf_handles *handles)
{
	rlim_t half = raise_descriptors() / 2;

	handles->max = half < MAX_HANDLES ? half : MAX_HANDLES;
	atomic_init(&handles->n, 0);
}

int hf_handles_take(struct hf_handles *handles)
{
	if (atomic_fetch_add(&handles->n, 1) < handles->max)
		return 0;
	hf_handles_give(handles);
	return -ENFILE;
}

void hf_handles_give(struct hf_handles *handles)
{
	atomic_fetch_sub(&handles->n, 1);
}
