/* heap: memory that malloc holds and nobody uses. */
#include "fs/base/base.h"

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
