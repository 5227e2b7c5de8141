/*
 * settle: equal presented names in one directory. The hashed one wins. Two
 * hashed ones are those of files whose names differ only in what Django drops,
 * as the case of a scheme; with equal bytes they share the name, as there.
 */
#include "fs/view/listing.h"

#include <errno.h>
#include <string.h>

/* Directories are named first, for a whole tree hangs on the name; then
 * hashed files in the order of their sources, then the others. */
static int rank(const struct hf_entry *entry)
{
	return entry->kind == HF_KIND_DIR ? 0
					  : 1 + (entry->kind != HF_KIND_HASHED);
}

/* The plain name that is shown beside a hashed one, or NULL. */
static struct hf_entry *twin_of(const struct hf_listing *made,
				struct hf_entry *entry)
{
	struct hf_entry *next = entry + 1;

	return next < made->entries + made->n && next->source == entry->source
		       ? next
		       : NULL;
}

bool hf_entries_share(const struct hf_entry *winner,
		      const struct hf_entry *entry)
{
	return winner->kind == HF_KIND_HASHED &&
	       entry->kind == HF_KIND_HASHED && !winner->error &&
	       !entry->error &&
	       hf_digest_equal(&winner->digest, &entry->digest);
}

/* The name belongs to another: a hashed file falls back to its plain name,
 * which then has to be free; anything else is left out. */
static void lose(const struct hf_view *view, struct hf_listing *made,
		 struct hf_entry *entry)
{
	struct hf_entry *twin = twin_of(made, entry);

	if (entry->kind != HF_KIND_HASHED) {
		entry->hidden = true;
		entry->problem = HF_PROBLEM_TAKEN;
		entry->error = EEXIST;
	} else if (twin) {
		entry->hidden = true;
		entry->problem = HF_PROBLEM_NONE;
		twin->problem = HF_PROBLEM_TAKEN;
	} else {
		hf_present_plain(view->config,
				 hf_source_list_find(made->list, entry->source),
				 entry);
		entry->problem = HF_PROBLEM_TAKEN;
	}
}

static void yield(const struct hf_view *view, struct hf_listing *made,
		  const struct hf_map *taken, struct hf_entry *entry)
{
	const struct hf_entry *winner =
		hf_map_get(taken, entry->name, strlen(entry->name));

	entry->shared = entry->hidden = hf_entries_share(winner, entry);
	if (!entry->shared)
		lose(view, made, entry);
}

static int take_names(const struct hf_view *view, struct hf_listing *made,
		      struct hf_map *taken, int turn)
{
	for (size_t i = 0; i < made->n; i++) {
		struct hf_entry *entry = &made->entries[i];
		int error;

		if (entry->hidden || rank(entry) != turn)
			continue;
		error = hf_map_put(taken, entry->name, strlen(entry->name),
				   entry);
		if (error == -EEXIST)
			yield(view, made, taken, entry);
		else if (error < 0)
			return error;
	}
	return 0;
}

int hf_listing_settle(const struct hf_view *view, struct hf_listing *made)
{
	struct hf_map *taken;
	int error = hf_map_new(view->seed, &taken);

	if (error < 0)
		return error;
	error = hf_map_reserve(taken, made->n);
	for (int turn = 0; turn < 3 && error == 0; turn++)
		error = take_names(view, made, taken, turn);
	hf_map_free(taken);
	return error;
}
