/*
 * rest: what a walk leaves open and a frozen view has to know: the digests of
 * files that are shown under plain names, and what directories look like.
 */
#include "fs/view/walk.h"

#include <errno.h>

/* A file that is shown and whose bytes were not hashed for its name. */
static bool is_open_question(const struct hf_entry *entry)
{
	return entry->kind != HF_KIND_DIR && !entry->hidden && !entry->error &&
	       entry->digest.len == 0;
}

static int ask(struct hf_walk *walk, const struct hf_stop *stop,
	       struct hf_batch *batch)
{
	struct hf_buf dir = {0};
	struct hf_buf path = {0};
	int error;

	hf_node_path(stop->node, &dir);
	error = hf_buf_status(&dir);
	for (size_t i = 0; i < stop->listing->n && error == 0; i++) {
		const struct hf_entry *entry = &stop->listing->entries[i];
		const struct hf_source_entry *source;
		struct hf_sig sig;

		if (!is_open_question(entry))
			continue;
		source =
			hf_source_list_find(stop->listing->list, entry->source);
		sig = hf_sig_of(&source->st);
		hf_buf_reset(&path);
		hf_view_join(&path, dir.data, entry->source);
		error = hf_buf_status(&path);
		if (error == 0 && hf_wait_interrupted(walk->wait))
			error = -EINTR;
		if (error == 0)
			error = hf_batch_add(batch, entry->root, path.data,
					     &sig);
	}
	hf_buf_fini(&dir);
	hf_buf_fini(&path);
	return error;
}

/* `error` and `fact` are the answer about the file `entry`. */
static int answer(struct hf_entry *entry, int error, const struct hf_fact *fact)
{
	/* What went away, or moves on, is another state of the tree. */
	if (hf_error_passing(error) || error == -ENOENT || error == -EBUSY)
		return error;
	if (error < 0) {
		entry->problem = HF_PROBLEM_UNREADABLE;
		entry->error = -error;
		return 0;
	}
	entry->digest = fact->digest;
	return fact->size == entry->size ? 0 : -EAGAIN;
}

/* Kept and plain files get a digest, too. */
static int hash_rest(struct hf_walk *walk, const struct hf_stop *stop)
{
	struct hf_listing *listing = stop->listing;
	struct hf_batch *batch;
	size_t asked = 0;
	int error = hf_batch_new(walk->view->digests, &batch);

	if (error < 0)
		return error;
	error = ask(walk, stop, batch);
	for (size_t i = 0; i < listing->n && error == 0; i++) {
		struct hf_entry *entry = &listing->entries[i];
		struct hf_fact fact;
		int outcome;

		if (!is_open_question(entry))
			continue;
		outcome = hf_batch_get(batch, asked++, walk->wait, &fact);
		error = answer(entry, outcome, &fact);
	}
	hf_batch_free(batch);
	return error;
}

/* A file that was written to whenever it was read never held still. */
static int check_rest(const struct hf_listing *listing)
{
	for (size_t i = 0; i < listing->n; i++)
		if (listing->entries[i].error == EBUSY)
			return -EBUSY;
	return 0;
}

static int stat_dir(struct hf_walk *walk, struct hf_stop *stop)
{
	int error = hf_view_stat(walk->view, stop->node, &stop->st);

	if (error == 0 || stop->error == 0)
		return error;
	/* It cannot be listed, and not even this much is known of it. */
	hf_node_attr(walk->view, stop->node, &stop->st);
	return 0;
}

int hf_rest_look(struct hf_walk *walk)
{
	int error = 0;

	for (size_t i = 0; i < walk->n && error == 0; i++) {
		struct hf_stop *stop = &walk->stops[i];

		error = stat_dir(walk, stop);
		if (error == 0 && stop->listing)
			error = hash_rest(walk, stop);
		if (error == 0 && stop->listing)
			error = check_rest(stop->listing);
	}
	return error;
}
