/*
 * pace: how requests come. Somebody who goes through a tree alone asks for one
 * thing after the other, and waits in between.
 */
#include "fs/fuse/pace.h"

/* Who asks that often waits longer for being woken than for answers, and leaves
 * little to be done at the same time. */
#define DENSE_NS 36000
#define MAX_APART_NS (4 * DENSE_NS)
/* Of a thousand requests so many may find another one behind them: of a crowd
 * every fourth does, and it uses all processors by itself (measured). */
#define MAX_CROWDED 125
/* Over so many looks all that is smoothed. */
#define SMOOTH 8

void hf_pace_init(struct hf_pace *ret)
{
	*ret = (struct hf_pace){.apart_ns = MAX_APART_NS};
}

static void smooth(int64_t *average, int64_t value)
{
	*average += (value - *average) / SMOOTH;
}

bool hf_pace_look(struct hf_pace *pace, uint64_t taken, uint64_t passed,
		  int64_t now_ns)
{
	uint64_t n = taken - pace->taken;
	int64_t each_ns = (now_ns - pace->looked_ns) / (int64_t)(n + 1);

	smooth(&pace->apart_ns,
	       each_ns < MAX_APART_NS ? each_ns : MAX_APART_NS);
	if (n > 0)
		smooth(&pace->crowded,
		       (int64_t)(1000 * (passed - pace->passed) / n));
	pace->taken = taken;
	pace->passed = passed;
	pace->looked_ns = now_ns;
	return n > 0 && pace->apart_ns < DENSE_NS &&
	       pace->crowded < MAX_CROWDED;
}
