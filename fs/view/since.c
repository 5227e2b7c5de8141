/*
 * since: what was last changed long before a walk began was as listed when it
 * began. Each directory is the one that the directory above it had then,
 * whatever its path leads to now.
 */
#include "fs/view/walk.h"

/* True if no change since then can bear a stamp from before. */
static bool clock_went_on(const struct hf_walk *walk)
{
	int64_t real_ns = hf_clock_realtime() - walk->since_ns;
	int64_t ns = hf_clock_monotonic() - walk->since_monotonic_ns;

	return walk->since_ns && real_ns > ns - HF_QUIET_NS / 2;
}

/* Whether it is the directory that the one above it had. */
static bool is_that(const struct hf_stop *stop)
{
	const struct stat *st = hf_source_list_stat(stop->listing->list);

	return st->st_dev == stop->dev && st->st_ino == stop->ino;
}

bool hf_walk_was_so(const struct hf_walk *walk)
{
	bool all = clock_went_on(walk);

	for (size_t i = 0; i < walk->n && all; i++)
		all = walk->stops[i].was &&
		      (i == 0 || is_that(&walk->stops[i]));
	return all;
}
