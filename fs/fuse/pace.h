/*
 * pace: how requests come. One thread.
 */
#ifndef HF_FUSE_PACE_H
#define HF_FUSE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Averages, in which what came shortly before counts. */
struct hf_pace {
	int64_t apart_ns; /* requests */
	int64_t crowded;  /* of a thousand */
	/* at the last look: */
	uint64_t taken;
	uint64_t passed;
	int64_t looked_ns;
};

void hf_pace_init(struct hf_pace *ret);
/*
 * So many requests were taken by now, and so many had another one behind them,
 * or had to sleep. True if they are one client's, and come one upon the other.
 * To be called every millisecond or so; now_ns: by hf_clock_monotonic.
 */
bool hf_pace_look(struct hf_pace *pace, uint64_t taken, uint64_t passed,
		  int64_t now_ns);

#endif
