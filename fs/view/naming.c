/*
 * naming: a listing in the making. All digests of a directory are asked for
 * at once and then collected; so the pool hashes a directory in parallel, and
 * several directories may be under way together.
 */
#include "fs/view/ahead.h"
#include "fs/view/walk.h"

#include <errno.h>

/* Larger directories are made of pieces of so many files. */
#define PIECE_FILES 1024

static void piece_fini(struct hf_piece *piece)
{
	hf_batch_free(piece->batch);
	hf_buf_fini(&piece->names);
}

void hf_naming_free(struct hf_naming *naming)
{
	if (!naming)
		return;
	for (size_t i = 0; i < naming->n_pieces; i++)
		piece_fini(&naming->pieces[i]);
	free(naming->pieces);
	hf_listing_unref(naming->last);
	hf_listing_unref(naming->made);
	hf_node_unref(naming->dir);
	hf_buf_fini(&naming->path);
	free(naming->seen);
	free(naming);
}

int hf_naming_path(const struct hf_naming *naming, const char *name,
		   struct hf_buf *path)
{
	hf_view_join_next(path, naming->path.data, name);
	return hf_buf_status(path);
}

/* Of directories elsewhere nothing is told but the directories in them. */
bool hf_naming_is_told(const struct hf_naming *naming, size_t i)
{
	return !naming->elsewhere ||
	       hf_source_list_entry(naming->made->list, i)->type == HF_TYPE_DIR;
}

bool hf_naming_asks(const struct hf_naming *naming, size_t i)
{
	const struct hf_listing *made = naming->made;
	const struct hf_source_entry *entry =
		hf_source_list_entry(made->list, i);

	return hf_naming_is_told(naming, i) && entry->type == HF_TYPE_FILE &&
	       !entry->shadowed &&
	       hf_rule_needs_digest(hf_catalog_rule(made->catalog, i));
}

static int cut(struct hf_naming *naming)
{
	size_t n = hf_source_list_len(naming->made->list);
	size_t n_pieces = n / PIECE_FILES + 1;

	naming->pieces = calloc(n_pieces, sizeof(*naming->pieces));
	naming->seen = calloc(n + 1, sizeof(*naming->seen));
	if (!naming->pieces)
		return -ENOMEM;
	naming->n_pieces = n_pieces;
	for (size_t i = 0; i < n_pieces; i++) {
		struct hf_piece *piece = &naming->pieces[i];
		size_t end = (i + 1) * PIECE_FILES;

		piece->first = i * PIECE_FILES;
		piece->end = end < n ? end : n;
	}
	return 0;
}

static int ask_piece(const struct hf_naming *naming, struct hf_piece *piece)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	int error = hf_batch_new(naming->view->digests, &piece->batch);

	if (error == 0)
		hf_follow_retain(naming->view, naming->dir, piece->batch);
	for (size_t i = piece->first; i < piece->end && error == 0; i++) {
		const struct hf_source_entry *entry =
			hf_source_list_entry(naming->made->list, i);
		struct hf_sig sig = hf_sig_of(&entry->st);

		if (!hf_naming_asks(naming, i))
			continue;
		error = hf_naming_path(naming, entry->name, &path);
		if (error == 0)
			error = hf_batch_add(piece->batch, entry->root,
					     path.data, &sig);
	}
	return error;
}

/* In several threads. */
static void ask_one(void *arg, size_t i)
{
	const struct hf_naming *naming = arg;

	naming->pieces[i].error = ask_piece(naming, &naming->pieces[i]);
}

/* What is remembered of the directory is read at once: by one thread, before
 * others ask for it. */
static int remember(const struct hf_naming *naming)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	const struct hf_source_entry *first =
		hf_source_list_entry(naming->made->list, 0);
	int error = hf_naming_path(naming, first->name, &path);
	struct hf_fact unused;

	if (error == 0)
		(void)hf_digests_last(naming->view->digests, first->root,
				      path.data, &unused);
	return error;
}

static int ask_digests(struct hf_naming *naming)
{
	int error = cut(naming);

	if (error == 0 && naming->n_pieces > 1)
		error = remember(naming);
	if (error < 0)
		return error;
	hf_pool_share(naming->view->pool, naming->n_pieces, ask_one, naming);
	for (size_t i = 0; i < naming->n_pieces && error == 0; i++)
		error = naming->pieces[i].error;
	return error;
}

static int begin(struct hf_naming *naming)
{
	naming->made = calloc(1, sizeof(*naming->made));
	if (!naming->made)
		return -ENOMEM;
	naming->made->refs = 1;
	hf_node_path(naming->dir, &naming->path);
	if (hf_buf_status(&naming->path) < 0)
		return -ENOMEM;
	naming->elsewhere =
		!hf_part_has(&naming->view->config->part, naming->path.data);
	naming->last = hf_recent_get(&naming->view->recent, naming->dir);
	return hf_view_dir_look(naming->view, hf_node_dir(naming->dir),
				naming->path.data, naming->last,
				&naming->made->list, &naming->made->catalog);
}

int hf_naming_look(struct hf_view *view, struct hf_node *dir,
		   struct hf_graph *graph, struct hf_naming **ret)
{
	struct hf_naming *naming;
	int error;

	if (!hf_node_dir(dir))
		return -ENOTDIR;
	naming = calloc(1, sizeof(*naming));
	if (!naming)
		return -ENOMEM;
	naming->view = view;
	naming->graph = graph;
	naming->dir = hf_node_ref(dir);
	error = begin(naming);
	if (error < 0) {
		hf_naming_free(naming);
		return error;
	}
	*ret = naming;
	return 0;
}

int hf_naming_ask(struct hf_naming *naming)
{
	const struct hf_listing *last = naming->last;
	const struct hf_listing *made = naming->made;

	if (last && last->settled && last->catalog == made->catalog &&
	    last->list == made->list)
		return 0;
	return ask_digests(naming);
}

bool hf_naming_is_small(const struct hf_naming *naming)
{
	size_t n = hf_source_list_len(naming->made->list);
	uint64_t bytes = 0;

	for (size_t i = 0; i < n && n <= HF_SMALL_DIR_FILES; i++)
		if (hf_naming_asks(naming, i))
			bytes += (uint64_t)hf_source_list_entry(
					 naming->made->list, i)
					 ->st.st_size;
	return n <= HF_SMALL_DIR_FILES && bytes <= HF_SMALL_DIR_BYTES;
}

const struct hf_source_list *hf_naming_list(const struct hf_naming *naming)
{
	return naming->made->list;
}

/* --- finish --------------------------------------------------------------- */

bool *hf_naming_take_seen(struct hf_naming *naming)
{
	bool *seen = naming->seen;

	naming->seen = NULL;
	return seen;
}

static int finish(struct hf_naming *naming, struct hf_listing **ret)
{
	struct hf_view *view = naming->view;
	int error = hf_listing_settle(view, naming->made);

	if (error < 0)
		return error;
	error = hf_listing_number(naming->made, view->pool);
	if (error < 0)
		return error;
	hf_recent_put(&view->recent, naming->dir, naming->made);
	hf_ahead_tend(view->ahead);
	if (hf_view_dir_set_generation(hf_node_dir(naming->dir),
				       naming->made->generation))
		atomic_fetch_add(&view->changes, 1);
	*ret = hf_listing_ref(naming->made);
	return 0;
}

int hf_naming_finish(struct hf_naming *naming, struct hf_wait *wait,
		     struct hf_listing **ret)
{
	int error;

	if (!naming->pieces) {
		*ret = hf_listing_ref(naming->last);
		return 0;
	}
	error = hf_naming_enter(naming, wait);
	return error < 0 ? error : finish(naming, ret);
}

int hf_naming_finish_now(struct hf_naming *naming, struct hf_listing **ret)
{
	int error;

	if (!naming->pieces) {
		*ret = hf_listing_ref(naming->last);
		return 0;
	}
	error = hf_naming_enter_now(naming);
	return error < 0 ? error : finish(naming, ret);
}

int hf_naming_name_texts(struct hf_naming *naming, struct hf_wait *wait)
{
	struct hf_graph *graph = naming->graph;
	size_t first = graph->n;
	int error = hf_naming_know_texts(naming, wait);

	if (error == 0)
		error = hf_graph_explore_all(graph, wait);
	return error < 0 ? error : hf_graph_name_leaves(graph, first, wait);
}

int hf_naming_list_all(struct hf_view *view, struct hf_node *dir,
		       struct hf_graph *graph, struct hf_wait *wait,
		       struct hf_listing **ret)
{
	struct hf_naming *naming;
	int error = hf_naming_look(view, dir, graph, &naming);

	if (error < 0)
		return error;
	error = hf_naming_ask(naming);
	if (error == 0)
		error = hf_naming_name_texts(naming, wait);
	if (error == 0)
		error = hf_naming_finish(naming, wait, ret);
	hf_naming_free(naming);
	return error;
}

int hf_view_list(struct hf_view *view, struct hf_node *dir,
		 struct hf_wait *wait, struct hf_listing **ret)
{
	struct hf_graph *graph;
	int error;

	if (view->frozen)
		return hf_frozen_list(dir, ret);
	error = hf_graph_new(view, &graph);
	if (error < 0)
		return error;
	graph->watching = true;
	hf_follow_mark(view, dir, graph);
	error = hf_naming_list_all(view, dir, graph, wait, ret);
	hf_graph_free(graph);
	return error;
}
