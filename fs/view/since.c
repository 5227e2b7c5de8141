/*
 * since: what was last changed long before a walk began was as listed when it
 * began. Each directory is the one that the directory above it had then,
 * whatever its path leads to now.
 */
#include "fs/view/walk.h"

#include <string.h>

/* True if no change since then can bear a stamp from before. */
static bool clock_went_on(const struct hf_walk *walk)
{
	int64_t real_ns = hf_clock_realtime() - walk->since_ns;
	int64_t ns = hf_clock_monotonic() - walk->since_monotonic_ns;

	return walk->since_ns && real_ns > ns - HF_QUIET_NS / 2;
}

/* Whether it is the directory that the one above it had. */
static bool is_that(const struct hf_stop *stop,
		    const struct hf_source_entry *entry)
{
	const struct stat *st;

	if (!stop->listing ||
	    strcmp(hf_node_name(stop->node), entry->name) != 0)
		return false;
	st = hf_source_list_stat(stop->listing->list);
	return st->st_dev == entry->st.st_dev && st->st_ino == entry->st.st_ino;
}

static bool has_its_dirs(const struct hf_walk *walk, const struct hf_stop *stop)
{
	const struct hf_source_list *list = stop->listing->list;
	size_t child = stop->first_child;
	bool all = true;

	for (size_t i = 0; i < hf_source_list_len(list) && all; i++) {
		const struct hf_source_entry *entry =
			hf_source_list_entry(list, i);

		if (entry->type == HF_TYPE_DIR) {
			all = child < walk->n &&
			      is_that(&walk->stops[child], entry);
			child++;
		}
	}
	return all;
}

bool hf_walk_was_so(const struct hf_walk *walk)
{
	bool all = clock_went_on(walk);

	for (size_t i = 0; i < walk->n && all; i++) {
		const struct hf_stop *stop = &walk->stops[i];

		all = hf_source_list_was(stop->listing->list, walk->since_ns) &&
		      has_its_dirs(walk, stop);
	}
	return all;
}
