/*
 * graph: files and the files that they refer to, as far as a question reaches.
 * A graph lives as long as one question (a lookup, a listing, one round of a
 * snapshot), so that each file is looked at once for it; what is true for
 * longer is remembered elsewhere (digests, texts).
 *
 * Files are explored wave by wave, all digests of a wave at once; there is no
 * recursion, a chain may be as long as it likes.
 */
#include "fs/view/graph.h"

#include <errno.h>
#include <string.h>

int hf_graph_new(struct hf_view *view, struct hf_graph **ret)
{
	struct hf_graph *graph = calloc(1, sizeof(*graph));

	if (!graph)
		return -ENOMEM;
	graph->view = view;
	if (hf_map_new(view->seed, &graph->by_path) < 0) {
		free(graph);
		return -ENOMEM;
	}
	*ret = graph;
	return 0;
}

static void vertex_free(struct hf_vertex *vertex)
{
	free(vertex->edges);
	hf_links_fini(&vertex->links);
	hf_verified_unref(vertex->bytes);
	free(vertex->path);
	free(vertex);
}

void hf_graph_free(struct hf_graph *graph)
{
	if (!graph)
		return;
	for (size_t i = 0; i < graph->n; i++)
		vertex_free(graph->vertices[i]);
	free(graph->vertices);
	free(graph->stack);
	hf_map_free(graph->by_path);
	free(graph);
}

/* --- vertices ----------------------------------------------------------------- */

enum hf_vertex_type hf_vertex_type_of(const struct hf_view *view,
				      const char *path,
				      const struct hf_source_entry *entry)
{
	struct hf_rule rule;

	if (entry->type == HF_TYPE_DIR)
		return HF_VERTEX_DIR;
	if (entry->type != HF_TYPE_FILE)
		return HF_VERTEX_ABSENT;
	rule = hf_rule_of(view, path, entry->name);
	if (rule.kind != HF_KIND_HASHED)
		return HF_VERTEX_STAY;
	return hf_view_is_text(view, path) ? HF_VERTEX_TEXT : HF_VERTEX_FILE;
}

static int look(struct hf_graph *graph, struct hf_vertex *vertex)
{
	struct hf_source_entry entry;
	bool collected = true;
	int error;

	if (!*vertex->path) {
		vertex->type = HF_VERTEX_DIR;
		vertex->reported = true;
		return 0;
	}
	vertex->reported = graph->watching &&
			   hf_view_watch_parent(graph->view, vertex->path);
	error = hf_source_find(graph->view->source, vertex->path, &entry);
	if (hf_error_passing(error))
		return error;
	/* What cannot be reached is not there for who refers to it. */
	if (error < 0) {
		vertex->type = HF_VERTEX_ABSENT;
		vertex->reported &= error == -ENOENT;
		return 0;
	}
	vertex->reported &= hf_source_entry_reported(&entry);
	vertex->type = hf_vertex_type_of(graph->view, vertex->path, &entry);
	vertex->root = entry.root;
	vertex->sig = hf_sig_of(&entry.st);
	error = 0;
	if (vertex->type == HF_VERTEX_DIR)
		error = hf_view_is_collected(graph, vertex->path,
					     &vertex->reported, &collected);
	if (!collected)
		vertex->type = HF_VERTEX_ABSENT;
	return error;
}

static int append(struct hf_graph *graph, struct hf_vertex *vertex)
{
	if (graph->n == graph->cap) {
		size_t cap = graph->cap ? 2 * graph->cap : 32;
		struct hf_vertex **vertices =
			realloc(graph->vertices, cap * sizeof(*vertices));

		if (!vertices)
			return -ENOMEM;
		graph->vertices = vertices;
		graph->cap = cap;
	}
	if (hf_map_put(graph->by_path, vertex->path, strlen(vertex->path),
		       vertex) < 0)
		return -ENOMEM;
	graph->vertices[graph->n++] = vertex;
	return 0;
}

int hf_graph_know(struct hf_graph *graph, const char *path,
		  const struct hf_source_entry *entry,
		  const struct hf_fact *fact, struct hf_verified *bytes)
{
	bool known = hf_map_get(graph->by_path, path, strlen(path));
	struct hf_vertex *vertex = known ? NULL : calloc(1, sizeof(*vertex));
	int error;

	if (!vertex) {
		hf_verified_unref(bytes);
		return known ? 0 : -ENOMEM;
	}
	vertex->path = strdup(path);
	vertex->type = HF_VERTEX_TEXT;
	vertex->root = entry->root;
	vertex->raw = *fact;
	vertex->bytes = bytes;
	vertex->known = true;
	vertex->settled = true;
	vertex->reported = hf_source_entry_reported(entry);
	error = vertex->path ? append(graph, vertex) : -ENOMEM;
	if (error < 0)
		vertex_free(vertex);
	return error;
}

int hf_graph_enter(struct hf_graph *graph, const char *path,
		   struct hf_vertex **ret)
{
	struct hf_vertex *vertex =
		hf_map_get(graph->by_path, path, strlen(path));
	int error;

	if (vertex) {
		*ret = vertex;
		return 0;
	}
	vertex = calloc(1, sizeof(*vertex));
	if (!vertex)
		return -ENOMEM;
	vertex->path = strdup(path);
	error = vertex->path ? look(graph, vertex) : -ENOMEM;
	if (error == 0)
		error = append(graph, vertex);
	if (error < 0) {
		vertex_free(vertex);
		return error;
	}
	*ret = vertex;
	return 0;
}

/* --- exploring ------------------------------------------------------------------- */

int hf_bytes_read(struct hf_verified *bytes, struct hf_buf *ret)
{
	struct hf_buf scratch = {0};
	const char *data;
	size_t len = 0;
	int error;

	do {
		error = hf_verified_read(bytes, ret->len, HF_PINNED_MAX,
					 &scratch, &data, &len);
		if (error == 0)
			hf_buf_add(ret, data, len);
	} while (error == 0 && len > 0 && hf_buf_status(ret) == 0);
	hf_buf_fini(&scratch);
	return error < 0 ? error : hf_buf_status(ret);
}

/* The bytes of a text, which were hashed but are not in memory any more. */
int hf_view_read(struct hf_view *view, unsigned root, const char *path,
		 const struct hf_digest *digest, struct hf_wait *wait,
		 struct hf_buf *ret)
{
	struct hf_verified *verified;
	const struct hf_expected expected = {.digest = *digest};
	int error = hf_digests_open(view->digests, root, path, &expected, wait,
				    &verified);

	if (error < 0)
		return error;
	error = hf_bytes_read(verified, ret);
	hf_verified_unref(verified);
	return error;
}

int hf_vertex_read(struct hf_graph *graph, const struct hf_vertex *vertex,
		   struct hf_wait *wait, struct hf_buf *ret)
{
	if (vertex->bytes)
		return hf_bytes_read(vertex->bytes, ret);
	return hf_view_read(graph->view, vertex->root, vertex->path,
			    &vertex->raw.digest, wait, ret);
}

static int read_links(struct hf_graph *graph, struct hf_vertex *vertex,
		      struct hf_wait *wait)
{
	struct hf_view *view = graph->view;
	struct hf_buf text = {0};
	int error = hf_vertex_read(graph, vertex, wait, &text);

	/* Whoever read it has looked into it, as a rule. */
	if (error == 0 &&
	    !hf_texts_links(view->texts, vertex->path, &vertex->raw.digest,
			    &vertex->links)) {
		error = hf_links_find(view, vertex->path,
				      text.len ? text.data : "", text.len,
				      &vertex->links);
		if (error == 0)
			hf_texts_put_links(view->texts, vertex->path,
					   &vertex->raw.digest, &vertex->links);
	}
	hf_buf_fini(&text);
	return error;
}

static int find_links(struct hf_graph *graph, struct hf_vertex *vertex,
		      struct hf_wait *wait)
{
	struct hf_view *view = graph->view;

	if (hf_texts_links(view->texts, vertex->path, &vertex->raw.digest,
			   &vertex->links))
		return 0;
	if (!hf_links_wanted(view, vertex->path, vertex->raw.size)) {
		vertex->links.verbatim = true;
		vertex->links.too_large = true;
		return 0;
	}
	return read_links(graph, vertex, wait);
}

/* A file that cannot be read counts as what it last was, or as absent. */
static int settle(struct hf_graph *graph, struct hf_vertex *vertex, int error,
		  struct hf_wait *wait)
{
	vertex->error = error;
	vertex->reported &= error == 0;
	if (hf_error_passing(error))
		return error;
	if (error < 0 && !hf_digests_last(graph->view->digests, vertex->root,
					  vertex->path, &vertex->raw)) {
		vertex->type = HF_VERTEX_ABSENT;
		return 0;
	}
	if (vertex->type != HF_VERTEX_TEXT)
		return 0;
	error = find_links(graph, vertex, wait);
	if (error == 0)
		return hf_vertex_add_links(graph, vertex,
					   vertex->links.paths.items,
					   vertex->links.paths.n);
	/* The bytes of its last known state are gone, and so are its links. */
	if (hf_error_passing(error))
		return error;
	vertex->error = error;
	vertex->reported = false;
	vertex->type = HF_VERTEX_ABSENT;
	return 0;
}

static bool needs_digest(const struct hf_vertex *vertex)
{
	return !vertex->known && (vertex->type == HF_VERTEX_FILE ||
				  vertex->type == HF_VERTEX_TEXT);
}

/* The vertices from `from` to `to`; their targets come behind them. */
static int explore_wave(struct hf_graph *graph, size_t from, size_t to,
			struct hf_wait *wait)
{
	struct hf_batch *batch;
	size_t asked = 0;
	int error = hf_batch_new(graph->view->digests, &batch);

	if (error < 0)
		return error;
	for (size_t i = from; i < to && error == 0; i++) {
		const struct hf_vertex *vertex = graph->vertices[i];

		if (needs_digest(vertex))
			error = hf_batch_add(batch, vertex->root, vertex->path,
					     &vertex->sig);
	}
	for (size_t i = from; i < to && error == 0; i++) {
		struct hf_vertex *vertex = graph->vertices[i];
		int outcome = 0;

		if (needs_digest(vertex)) {
			outcome =
				hf_batch_get(batch, asked, wait, &vertex->raw);
			vertex->settled = hf_batch_settled(batch, asked);
			vertex->bytes = hf_batch_take_bytes(batch, asked++);
		}
		error = settle(graph, vertex, outcome, wait);
	}
	hf_batch_free(batch);
	return error;
}

/* Nothing half done is built upon: all is found again. The old vertices stay
 * until the end, because askers hold some. */
static int start_anew(struct hf_graph *graph)
{
	struct hf_map *empty;
	int error = hf_map_new(graph->view->seed, &empty);

	if (error < 0)
		return error;
	hf_map_free(graph->by_path);
	graph->by_path = empty;
	graph->explored = graph->n;
	graph->failed = false;
	return 0;
}

int hf_graph_explore_all(struct hf_graph *graph, struct hf_wait *wait)
{
	int error = 0;

	graph->changed = false;
	while (error == 0 && graph->explored < graph->n) {
		size_t from = graph->explored;

		graph->explored = graph->n;
		error = explore_wave(graph, from, graph->n, wait);
		graph->failed |= error < 0;
	}
	return error;
}

int hf_graph_explore(struct hf_graph *graph, const char *path,
		     struct hf_wait *wait, struct hf_vertex **ret)
{
	int error = graph->failed ? start_anew(graph) : 0;

	if (error == 0)
		error = hf_graph_enter(graph, path, ret);
	return error < 0 ? error : hf_graph_explore_all(graph, wait);
}
