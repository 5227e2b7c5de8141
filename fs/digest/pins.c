/*
 * pins: how much memory the bytes of open files may take. What goes beyond is
 * not opened: it would have to be read again later, and could fail then.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB UINT64_C(1048576)
#define PINS_LEAST (256 * MIB)
#define PINS_SHARE 8

/* The limit of the container, whose own group is the top of what it sees. */
static uint64_t container_memory(void)
{
	FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
	unsigned long long max = UINT64_MAX;

	if (!file)
		return UINT64_MAX;
	/* "max": there is none. */
	if (fscanf(file, "%llu", &max) != 1)
		max = UINT64_MAX;
	fclose(file);
	return max;
}

uint64_t hf_pins_default_max(void)
{
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			  (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t container = container_memory();
	struct rlimit limit;

	if (container < memory)
		memory = container;
	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < memory)
		memory = limit.rlim_cur;
	return memory / PINS_SHARE > PINS_LEAST ? memory / PINS_SHARE
						: PINS_LEAST;
}

int hf_pins_take(struct hf_pins *pins, uint64_t size)
{
	if (atomic_fetch_add(&pins->bytes, size) + size <= pins->max)
		return 0;
	hf_pins_give(pins, size);
	if (!atomic_exchange(&pins->told, true))
		hf_log(HF_LOG_WARNING,
		       "the files that are open hold %llu MiB, as much as they "
		       "may; opening another one fails until some are closed",
		       (unsigned long long)(pins->max / MIB));
	return -ENOMEM;
}

void hf_pins_give(struct hf_pins *pins, uint64_t size)
{
	atomic_fetch_sub(&pins->bytes, size);
}
