/*
 * idle: a processor with nothing to do, on which somebody waits for our answer.
 *
 * In a virtual machine it halts, and to wake it takes the host 20 microseconds,
 * four times as long as most answers (measured). A kernel that looks about for a
 * moment before it halts spares us that; it says so in the parameters of its
 * governor (Documentation/virt/guest-halt-polling.rst). Else a thread of ours
 * can stay awake there (loop.c). With more than two processors nobody knows where.
 */
#include "fs/fuse/internal.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* Those that the process may run on. */
static int n_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set)
							    : 0;
}

/* The first word of a file; false: there is none. */
static bool first_word(const char *path, char ret[16])
{
	FILE *file = fopen(path, "re");
	bool found = file && fscanf(file, "%15s", ret) == 1;

	if (file)
		fclose(file);
	return found;
}

/* No driver: it executes HLT. */
static bool halts_at_once(void)
{
	char word[16];

	if (!first_word("/sys/devices/system/cpu/cpuidle/current_driver", word))
		return false;
	if (strcmp(word, "haltpoll") != 0)
		return strcmp(word, "none") == 0;
	return first_word("/sys/module/haltpoll/parameters/guest_halt_poll_ns",
			  word) &&
	       strcmp(word, "0") == 0;
}

bool hf_idle_is_slow(void)
{
	return n_processors() == 2 && halts_at_once();
}
