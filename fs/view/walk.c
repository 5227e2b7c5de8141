/*
 * walk: every directory of the tree, named, parents first.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

/* Files whose digests may be on their way at once. */
#define MAX_PENDING 16384

void hf_walk_fini(struct hf_walk *walk)
{
	for (size_t i = 0; i < walk->n; i++) {
		hf_naming_free(walk->stops[i].naming);
		hf_listing_unref(walk->stops[i].listing);
		hf_node_unref(walk->stops[i].node);
	}
	hf_graph_free(walk->graph);
	free(walk->stops);
	walk->graph = NULL;
	walk->stops = NULL;
	walk->n = walk->cap = 0;
}

/* Steals `node`. */
static int add_stop(struct hf_walk *walk, struct hf_node *node)
{
	if (walk->n == walk->cap) {
		size_t cap = walk->cap ? 2 * walk->cap : 256;
		struct hf_stop *stops =
			realloc(walk->stops, cap * sizeof(*stops));

		if (!stops) {
			hf_node_unref(node);
			return -ENOMEM;
		}
		walk->stops = stops;
		walk->cap = cap;
	}
	walk->stops[walk->n++] = (struct hf_stop){.node = node};
	return 0;
}

/* Errors that belong to one directory; others end the walk. */
static bool is_its_own(int error)
{
	return error == -EACCES || error == -EPERM || error == -EIO ||
	       error == -ELOOP || error == -ENAMETOOLONG || error == -EXDEV;
}

/* --- directories ---------------------------------------------------------- */

static int add_child(struct hf_walk *walk, size_t parent,
		     const struct hf_source_entry *source)
{
	struct hf_view *view = walk->view;
	struct hf_entry entry;
	struct hf_buf unused = {0};
	struct hf_node *node;
	int error = hf_present(view, "", source, (struct hf_rule){0}, NULL, 0,
			       &unused, &entry);

	if (error == 0)
		error = hf_node_new(view, walk->stops[parent].node, &entry,
				    &node);
	hf_buf_fini(&unused);
	return error < 0 ? error : add_stop(walk, node);
}

static int look_into(struct hf_walk *walk, size_t at)
{
	const struct hf_source_list *list =
		hf_naming_list(walk->stops[at].naming);
	int error = 0;

	for (size_t i = 0; i < hf_source_list_len(list) && error == 0; i++) {
		const struct hf_source_entry *entry =
			hf_source_list_entry(list, i);

		if (entry->shadowed ||
		    (at == 0 && strcmp(entry->name, HF_RESERVED_NAME) == 0))
			continue;
		if (entry->type == HF_TYPE_DIR)
			error = add_child(walk, at, entry);
		else if (entry->type == HF_TYPE_FILE && walk->progress) {
			atomic_fetch_add(&walk->progress->files, 1);
			atomic_fetch_add(&walk->progress->bytes,
					 (uint64_t)entry->st.st_size);
		}
	}
	return error;
}

/* --- names ----------------------------------------------------------------- */

static size_t files_of(const struct hf_stop *stop)
{
	return stop->naming ? hf_source_list_len(hf_naming_list(stop->naming))
			    : 0;
}

/* Sets a directory's digests on their way, and finds the next ones. */
static int start_stop(struct hf_walk *walk, size_t at)
{
	struct hf_stop *stop = &walk->stops[at];
	int error = hf_wait_interrupted(walk->wait) ? -EINTR : 0;

	if (error == 0)
		error = hf_naming_start(walk->view, stop->node, walk->graph,
					&stop->naming);
	/* Without the top there is nothing to be told, least of all an empty
	 * tree. */
	if (at > 0 && is_its_own(error)) {
		stop->error = error;
		return 0;
	}
	return error < 0 ? error : look_into(walk, at);
}

static void count(struct hf_walk *walk, const struct hf_listing *listing)
{
	if (!walk->progress)
		return;
	for (size_t i = 0; i < hf_listing_len(listing); i++) {
		const struct hf_entry *entry = hf_listing_entry(listing, i);

		if (entry->kind == HF_KIND_DIR || entry->hidden)
			continue;
		atomic_fetch_add(&walk->progress->files_done, 1);
		atomic_fetch_add(&walk->progress->bytes_done, entry->size);
	}
}

static int finish_stop(struct hf_walk *walk, struct hf_stop *stop)
{
	int error;

	if (stop->error < 0)
		return 0;
	error = hf_naming_finish(stop->naming, walk->wait, &stop->listing);
	hf_naming_free(stop->naming);
	stop->naming = NULL;
	if (error == 0)
		count(walk, stop->listing);
	return error;
}

/* Small directories do not wait for each other: digests are asked for ahead,
 * as far as is good for the memory. */
int hf_walk_all(struct hf_walk *walk)
{
	struct hf_node *root;
	size_t started = 0;
	size_t pending = 0;
	int error = hf_graph_new(walk->view, &walk->graph);

	if (error == 0)
		error = hf_view_root(walk->view, &root);
	if (error == 0)
		error = add_stop(walk, root);
	for (size_t finished = 0; finished < walk->n && error == 0;) {
		if (started < walk->n && pending < MAX_PENDING) {
			error = start_stop(walk, started);
			pending += files_of(&walk->stops[started++]);
		} else {
			pending -= files_of(&walk->stops[finished]);
			error = finish_stop(walk, &walk->stops[finished++]);
		}
	}
	return error;
}

/* --- was it one state? ------------------------------------------------------ */

/* A directory that appeared, or that can be listed now, shows as another
 * generation of its parent, or as an error that went away. */
/* The second look is a strict one: a directory that was changed just now is
 * read again, whatever its stamps say. */
static int same_stop(struct hf_walk *walk, struct hf_stop *stop,
		     struct hf_graph *graph)
{
	struct hf_listing *now;
	int error;

	if (stop->listing && !hf_listing_quiet(stop->listing))
		hf_view_dir_forget(stop->node->dir);
	error = hf_naming_list_all(walk->view, stop->node, graph, walk->wait,
				   &now);
	bool same;

	if (stop->error < 0)
		same = error == stop->error;
	else if (error < 0)
		return error == -ENOENT || is_its_own(error) ? -EAGAIN : error;
	else
		same = hf_listing_generation(now) ==
		       hf_listing_generation(stop->listing);
	if (error == 0)
		hf_listing_unref(now);
	return same ? 0 : -EAGAIN;
}

/* The walk saw the directories that the listings name, and no others. */
static int complete(const struct hf_walk *walk)
{
	size_t n = 1;

	for (size_t i = 0; i < walk->n; i++) {
		const struct hf_listing *listing = walk->stops[i].listing;

		for (size_t k = 0; listing && k < hf_listing_len(listing); k++)
			n += hf_listing_entry(listing, k)->kind == HF_KIND_DIR;
	}
	return n == walk->n ? 0 : -EAGAIN;
}

int hf_walk_same(struct hf_walk *walk)
{
	struct hf_graph *graph; /* a second look: nothing of the first */
	int error = hf_graph_new(walk->view, &graph);

	if (error < 0)
		return error;
	error = complete(walk);
	for (size_t i = 0; i < walk->n && error == 0; i++)
		error = same_stop(walk, &walk->stops[i], graph);
	hf_graph_free(graph);
	return error;
}
