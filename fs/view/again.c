/*
 * again: was it one state that a walk saw? It was where all is old (since.c).
 * Else, at the moment when the walk had listed all there is, everything was as
 * listed if it is so later, too. Files that were read since have shown that by
 * their stamps, which vouch for what they were taken with; all others, and the
 * directories, are looked at once more. Where stamps do not vouch everything is
 * named once more.
 */
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

/* --- by their stamps, in the pool ------------------------------------------- */

/* Some of the directories, so many that it is worth a job. */
#define SHARE_STOPS 64
#define SHARE_ENTRIES 512

struct share {
	struct hf_view *view;
	struct hf_node *nodes[SHARE_STOPS];
	struct hf_listing *listings[SHARE_STOPS];
	bool *seen[SHARE_STOPS]; /* as in struct hf_stop */
	size_t n;
	size_t entries;
	bool same;
};

static int is_same(struct hf_view *view, const struct hf_node *node,
		   const struct hf_listing *listing, const bool *seen)
{
	struct hf_buf path = {0};
	int same;

	hf_node_path(node, &path);
	same = hf_buf_status(&path);
	if (same == 0)
		same = hf_source_list_same(view->source, path.data,
					   listing->list, seen);
	hf_buf_fini(&path);
	return same;
}

/* Whatever is wrong, the other way finds out. */
static void share_run(void *arg)
{
	struct share *share = arg;
	int same = 1;

	for (size_t i = 0; i < share->n && same == 1; i++) {
		same = is_same(share->view, share->nodes[i], share->listings[i],
			       share->seen[i]);
		hf_pool_tick(share->view->pool);
	}
	share->same = same == 1;
}

static void share_free(void *arg)
{
	struct share *share = arg;

	for (size_t i = 0; i < share->n; i++) {
		hf_node_unref(share->nodes[i]);
		hf_listing_unref(share->listings[i]);
		free(share->seen[i]);
	}
	free(share);
}

static void share_add(struct share *share, struct hf_stop *stop)
{
	share->seen[share->n] = stop->seen;
	stop->seen = NULL;
	share->nodes[share->n] = hf_node_ref(stop->node);
	share->listings[share->n++] = hf_listing_ref(stop->listing);
	share->entries += hf_listing_len(stop->listing);
}

/* Sends off the next share of the walk; *at is where it begins and ends. */
static int send_share(struct hf_walk *walk, size_t *at, struct hf_errand **ret)
{
	struct share *share = calloc(1, sizeof(*share));

	if (!share)
		return -ENOMEM;
	share->view = walk->view;
	while (*at < walk->n && share->n < SHARE_STOPS &&
	       share->entries < SHARE_ENTRIES)
		share_add(share, &walk->stops[(*at)++]);
	return hf_errand_new(walk->view->pool, share_run, share_free, share,
			     walk->wait, ret);
}

/* 1: nothing has changed; 0: it cannot be said; or a negative errno. */
static int wait_for(struct hf_errand **errands, size_t n)
{
	int same = 1;

	for (size_t i = 0; i < n && same == 1; i++) {
		const struct share *share = hf_errand_arg(errands[i]);
		int error = hf_errand_wait(errands[i]);

		same = error < 0 ? error : share->same;
	}
	return same;
}

static int stamps_same(struct hf_walk *walk)
{
	HF_CLEANUP(hf_freep)
	struct hf_errand **errands = calloc(walk->n + 1, sizeof(*errands));
	size_t n = 0;
	int error = errands ? 0 : -ENOMEM;

	for (size_t at = 0; at < walk->n && error == 0;) {
		error = send_share(walk, &at, &errands[n]);
		n += error == 0;
	}
	if (error == 0)
		error = wait_for(errands, n);
	for (size_t i = 0; i < n; i++)
		hf_errand_end(errands[i]);
	return error;
}

/* --- what texts refer to ------------------------------------------------------- */

/* The directories of the walk, by their paths. */
struct places {
	struct hf_map *by_path;
	char **paths;
	size_t n;
};

static void places_fini(struct places *places)
{
	for (size_t i = 0; i < places->n; i++)
		free(places->paths[i]);
	free(places->paths);
	hf_map_free(places->by_path);
}

static int add_place(struct places *places, struct hf_stop *stop)
{
	struct hf_buf path = {0};
	char *text;
	int error;

	hf_node_path(stop->node, &path);
	error = hf_buf_steal(&path, &text);
	if (error < 0)
		return error;
	places->paths[places->n++] = text;
	return hf_map_put(places->by_path, text, strlen(text), stop);
}

static int places_init(struct hf_walk *walk, struct places *places)
{
	int error = hf_map_new(walk->view->seed, &places->by_path);

	if (error < 0)
		return error;
	places->paths = calloc(walk->n + 1, sizeof(*places->paths));
	if (!places->paths)
		return -ENOMEM;
	for (size_t i = 0; i < walk->n && error == 0; i++)
		error = add_place(places, &walk->stops[i]);
	return error;
}

/* What the walk saw under a path; NULL: nothing. */
static const struct hf_source_entry *find(const struct places *places,
					  const char *path)
{
	const char *slash = strrchr(path, '/');
	const struct hf_stop *stop = hf_map_get(
		places->by_path, path, slash ? (size_t)(slash - path) : 0);

	return stop ? hf_source_list_find(stop->listing->list,
					  slash ? slash + 1 : path)
		    : NULL;
}

/* Whether what was found out about a file, when a text referred to it, is what
 * the walk saw; and will be found out again, as long as its stamp stays. */
static bool agrees(const struct hf_view *view, const struct places *places,
		   const struct hf_vertex *vertex)
{
	const struct hf_source_entry *entry;
	struct hf_sig sig;

	if (!*vertex->path)
		return true;
	entry = find(places, vertex->path);
	if (!entry)
		return vertex->type == HF_VERTEX_ABSENT && vertex->error == 0;
	/* Whether a directory counts hangs on all that is below it. */
	if (vertex->error < 0 || entry->type == HF_TYPE_DIR ||
	    vertex->type != hf_vertex_type_of(view, vertex->path, entry))
		return false;
	if (vertex->type != HF_VERTEX_FILE && vertex->type != HF_VERTEX_TEXT)
		return true;
	sig = hf_sig_of(&entry->st);
	return vertex->settled && vertex->root == entry->root &&
	       (vertex->known || hf_sig_equal(&vertex->sig, &sig));
}

/* 1 or 0, or a negative errno. */
static int graph_agrees(struct hf_walk *walk)
{
	HF_CLEANUP(places_fini) struct places places = {0};
	const struct hf_graph *graph = walk->graph;
	int same = 1;
	int error;

	if (graph->n == 0)
		return 1;
	error = places_init(walk, &places);
	if (error < 0)
		return error;
	for (size_t i = 0; i < graph->n && same; i++)
		same = agrees(walk->view, &places, graph->vertices[i]);
	return same;
}

/* 1: the tree is as the walk saw it; 0: it cannot be said so easily. */
static int holds(struct hf_walk *walk)
{
	int same = 1;

	for (size_t i = 0; i < walk->n && same; i++) {
		const struct hf_stop *stop = &walk->stops[i];

		same = stop->error == 0 && stop->listing->quiet;
	}
	if (same)
		same = graph_agrees(walk);
	if (same != 1 || hf_walk_was_so(walk))
		return same;
	return stamps_same(walk);
}

/* --- by naming it again --------------------------------------------------------- */

static bool same_stamp(const struct stat *a, const struct stat *b)
{
	struct hf_sig x = hf_sig_of(a);
	struct hf_sig y = hf_sig_of(b);

	return hf_sig_equal(&x, &y);
}

/* What went there and back between two looks is the same by its name. */
static bool same_stamps_of(const struct hf_source_list *a,
			   const struct hf_source_list *b)
{
	size_t n = hf_source_list_len(a);

	if (n != hf_source_list_len(b) ||
	    !same_stamp(hf_source_list_stat(a), hf_source_list_stat(b)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!same_stamp(&hf_source_list_entry(a, i)->st,
				&hf_source_list_entry(b, i)->st))
			return false;
	return true;
}

/*
 * A directory that appeared, or that can be listed now, shows as another
 * generation of its parent, or as an error that went away. The second look is
 * a strict one: a directory that was changed just now is read again, whatever
 * its stamps say.
 */
static int same_stop(struct hf_walk *walk, struct hf_stop *stop,
		     struct hf_graph *graph)
{
	struct hf_listing *now;
	bool same;
	int error;

	if (stop->listing && !hf_listing_quiet(stop->listing))
		hf_view_dir_forget(hf_node_dir(stop->node));
	error = hf_naming_list_all(walk->view, stop->node, graph, walk->wait,
				   &now);
	if (stop->error < 0)
		same = error == stop->error;
	else if (error < 0)
		return error == -ENOENT || hf_walk_error_of_dir(error) ? -EAGAIN
								       : error;
	else
		same = hf_listing_generation(now) ==
			       hf_listing_generation(stop->listing) &&
		       same_stamps_of(now->list, stop->listing->list);
	if (error == 0)
		hf_listing_unref(now);
	return same ? 0 : -EAGAIN;
}

/* A second look with nothing of the first. */
static int name_again(struct hf_walk *walk)
{
	struct hf_graph *graph = NULL;
	int error = hf_graph_new(walk->view, &graph);

	for (size_t i = 0; i < walk->n && error == 0; i++)
		error = same_stop(walk, &walk->stops[i], graph);
	hf_graph_free(graph);
	return error;
}

int hf_walk_same(struct hf_walk *walk)
{
	int same = holds(walk);

	if (same == 1)
		return 0;
	return same == 0 ? name_again(walk) : same;
}
