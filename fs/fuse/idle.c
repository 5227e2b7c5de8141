/*
 * idle: processors with nothing to do, on which somebody waits for our answer.
 *
 * In a virtual machine they halt, and to wake one takes the host 20 microseconds,
 * four times as long as most answers (measured). A kernel that looks about for a
 * moment before it halts spares us that; it says so in the parameters of its
 * governor (Documentation/virt/guest-halt-polling.rst). Else a thread of ours
 * can stay awake there (loop.c). With more than two processors nobody knows where.
 */
#include "fs/fuse/internal.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

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

void hf_idle_init(struct hf_idle *ret)
{
	cpu_set_t set;
	int n = 0;

	*ret = (struct hf_idle){.slow = false};
	/* Those that the process may run on. */
	if (sched_getaffinity(0, sizeof(set), &set) < 0 || CPU_COUNT(&set) != 2)
		return;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			ret->processors[n++] = i;
	ret->slow = halts_at_once();
}

void hf_idle_run_on(const struct hf_idle *idle, enum hf_side side,
		    enum hf_side *on)
{
	cpu_set_t set;

	if (!idle->slow || side == *on)
		return;
	CPU_ZERO(&set);
	if (side != HF_SIDE_AWAKE)
		CPU_SET(idle->processors[0], &set);
	if (side != HF_SIDE_LISTENS)
		CPU_SET(idle->processors[1], &set);
	/* If somebody has forbidden it since, it runs where it may. */
	(void)sched_setaffinity(0, sizeof(set), &set);
	*on = side;
}
