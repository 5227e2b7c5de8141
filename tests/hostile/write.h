/* The ways to change a file. */
#ifndef HOSTILE_WRITE_H
#define HOSTILE_WRITE_H

#include "tests/hostile/hostile.h"

/* A file that is being changed: open for reading and writing. */
struct target {
	const struct victim *victim;
	size_t i; /* its number */
	int fd;
	size_t size; /* as it is now */
};

struct write_way {
	const char *name;
	/* True: it may move no stamp, and reaches files that rest. */
	bool silent;
	/* 0 or a negative errno. */
	int (*write)(struct target *target);
};

#define N_WRITE_WAYS 12
extern const struct write_way write_ways[N_WRITE_WAYS];

#endif
