/* chance: random numbers, time, counts, faults. */
#include "tests/hostile/hostile.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t state;

void chance_seed(uint64_t seed)
{
	state = seed;
}

/* splitmix64 */
uint64_t chance(void)
{
	uint64_t x = state += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

size_t chance_below(size_t n)
{
	return n ? chance() % n : 0;
}

bool chance_one_in(size_t n)
{
	return chance() % n == 0;
}

int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* --- counts -------------------------------------------------------------- */

#define MAX_COUNTS 256

static struct {
	const char *what;
	uint64_t n;
} counts[MAX_COUNTS];

void count(const char *what, uint64_t n)
{
	for (size_t i = 0; i < MAX_COUNTS; i++) {
		if (!counts[i].what)
			counts[i].what = what;
		if (strcmp(counts[i].what, what) != 0)
			continue;
		counts[i].n += n;
		return;
	}
	fprintf(stderr, "hostile: too many things to count\n");
	exit(1);
}

void counts_print(void)
{
	for (size_t i = 0; i < MAX_COUNTS && counts[i].what; i++)
		printf("%s %llu\n", counts[i].what,
		       (unsigned long long)counts[i].n);
}

/* --- faults -------------------------------------------------------------- */

static sigjmp_buf fault;

static void on_fault(int signal)
{
	siglongjmp(fault, signal);
}

bool copy_mapped(void *to, const void *from, size_t len)
{
	struct sigaction catch = {.sa_handler = on_fault};
	bool good = sigsetjmp(fault, 1) == 0;

	if (good) {
		sigaction(SIGBUS, &catch, NULL);
		memcpy(to, from, len);
	}
	signal(SIGBUS, SIG_DFL);
	return good;
}
