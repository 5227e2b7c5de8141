/* heap: what the system should know about memory that malloc holds. */
#include "fs/base/base.h"

#include <errno.h>
#include <sys/mman.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void hf_heap_give_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/*
 * There is a heap for each few threads. malloc_trim does not reach the free end
 * of one; that is cut off once it is long enough, and by itself that is twice
 * the longest block that there ever was.
 */
void hf_heap_keep_short(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 2 << 20);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
#endif
}

/* As long as a few large pages of most machines. */
#define LARGE (8u << 20)
#define PAGE_LEN 4096u

void hf_heap_expect(void *block, size_t len)
{
	int saved = errno;
	size_t skipped = -(uintptr_t)block % PAGE_LEN;

	/* Who has no such pages, or pages of another length, does without. */
	if (len >= LARGE)
		(void)madvise((char *)block + skipped,
			      (len - skipped) / PAGE_LEN * PAGE_LEN,
			      MADV_HUGEPAGE);
	errno = saved;
}
