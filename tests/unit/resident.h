/* How much memory the program has of the system, for tests. */
#ifndef HF_TESTS_RESIDENT_H
#define HF_TESTS_RESIDENT_H

#include <stdio.h>

/* The heaps of sanitizers give back what they like. */
#if defined(__GLIBC__) && !defined(HF_SANITIZED)
#define KEEPS_MEMORY true
#else
#define KEEPS_MEMORY false
#endif

/* Of memory that is nobody else's, in KiB. */
static inline long own_memory(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	assert_non_null(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %ld", &kib) != 1)
			kib = -1;
	fclose(file);
	return kib;
}

#endif
