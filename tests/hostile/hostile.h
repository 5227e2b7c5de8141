/*
 * hostile: writers that change a source in every way there is, and readers
 * that hold what a mount of it hands out against the names.
 *
 * One process, one thread, one working directory: a writer's is the source, a
 * reader's the mount. Whatever a process did is counted, and printed as "what
 * number" lines when its time is over.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- chance.c: random numbers, time, counts, faults ---------------------- */

void chance_seed(uint64_t seed);
uint64_t chance(void);
/* A number below `n`; 0 if n is 0. */
size_t chance_below(size_t n);
/* True once in `n` times. */
bool chance_one_in(size_t n);

/* Monotonic. */
int64_t clock_ns(void);

/* Adds to the number that is printed as `what`, a constant string. */
void count(const char *what, uint64_t n);
void counts_print(void);

/* memcpy from or to a mapping; false: SIGBUS. */
bool copy_mapped(void *to, const void *from, size_t len);

/* --- victim.c: the files that are written to ----------------------------- */

/* The largest; no file ever grows beyond it by more than SLACK. */
#define LARGEST (5 * 1024 * 1024)
#define SLACK 8192

struct victim {
	char path[32];
	size_t size;
	/* A text begins so, and is letters from there on; NULL: any bytes. */
	const char *head;
};

/* All of them, in a fixed order; fewer than MAX_VICTIMS. */
#define MAX_VICTIMS 64
size_t victims_len(void);
const struct victim *victim_at(size_t i);
/* What may stand in the file from `offset`, at random. */
void victim_fill(const struct victim *victim, char *data, size_t offset,
		 size_t len);
/* A whole new content, often one that the file has had before; its length,
 * which is at most LARGEST + SLACK. */
size_t victim_whole(const struct victim *victim, char *data);

/* --- the two sides ------------------------------------------------------- */

/* Changes the victims in the working directory by the ways that are named in
 * `ways` (with commas between; "all"), making them first if `make`. */
int hostile_write(bool make, int64_t until_ns, const char *ways);
/* Reads the mount in the working directory; with `drop` the kernel's caches
 * are dropped again and again. */
int hostile_read(int64_t until_ns, bool drop);

#endif
