/*
 * handles: how many files and directories may be open at once. Files that are
 * not held in memory hold a descriptor each, and looking at the source needs
 * some all the time.
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
	handles->max_descriptors = raise_descriptors() / 2;
	atomic_init(&handles->n, 0);
	atomic_init(&handles->n_descriptors, 0);
}

static int take(atomic_uint_least64_t *n, uint64_t max)
{
	if (atomic_fetch_add(n, 1) < max)
		return 0;
	atomic_fetch_sub(n, 1);
	return -ENFILE;
}

int hf_handles_take(struct hf_handles *handles)
{
	return take(&handles->n, MAX_HANDLES);
}

void hf_handles_give(struct hf_handles *handles)
{
	atomic_fetch_sub(&handles->n, 1);
}

int hf_handles_take_descriptor(struct hf_handles *handles)
{
	return take(&handles->n_descriptors, handles->max_descriptors);
}

void hf_handles_give_descriptor(struct hf_handles *handles)
{
	atomic_fetch_sub(&handles->n_descriptors, 1);
}
