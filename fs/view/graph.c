/*
 * graph: files and the files that they refer to, as far as a question reaches.
 * A graph lives as long as one question (a lookup, a listing, one round of a
 * snapshot), so that each file is looked at once for it; what is true for
 * longer is remembered elsewhere (digests, texts).
 *
 * Files are explored wave by wave, all digests of a wave at once; there is no
 * recursion, a chain may be as long as it likes.
 */
#include "fs/view/internal.h"

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

/* What the view makes of a source entry, as far as references are concerned. */
static enum hf_vertex_type type_of(const struct hf_view *view, const char *path,
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

static int look(const struct hf_graph *graph, struct hf_vertex *vertex)
{
	struct hf_source_entry entry;
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
	vertex->type = type_of(graph->view, vertex->path, &entry);
	vertex->root = entry.root;
	vertex->sig = hf_sig_of(&entry.st);
	return 0;
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
		  const struct hf_fact *fact)
{
	struct hf_vertex *vertex;
	int error;

	if (hf_map_get(graph->by_path, path, strlen(path)))
		return 0;
	vertex = calloc(1, sizeof(*vertex));
	if (!vertex)
		return -ENOMEM;
	vertex->path = strdup(path);
	vertex->type = HF_VERTEX_TEXT;
	vertex->root = entry->root;
	vertex->raw = *fact;
	vertex->known = true;
	vertex->reported = hf_source_entry_reported(entry);
	error = vertex->path ? append(graph, vertex) : -ENOMEM;
	if (error < 0)
		vertex_free(vertex);
	return error;
}

/* The vertex of a path, made and looked at if it is new; borrowed. */
static int enter(struct hf_graph *graph, const char *path,
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

/* --- edges ---------------------------------------------------------------------- */

/* Only such paths can be those of a file. */
static bool is_inside(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += len;
		if (*path == '/' && !*++path)
			return false;
	}
	return true;
}

/* enter() for what posixpath.normpath gave; *ret stays if it leads outside. */
static int enter_path(struct hf_graph *graph, struct hf_edge *edge,
		      const char *path, struct hf_vertex **ret)
{
	int error;

	if (strcmp(path, ".") == 0)
		path = "";
	else if (!is_inside(path))
		return 0;
	error = enter(graph, path, ret);
	if (error == 0)
		edge->reported &= (*ret)->reported;
	return error;
}

/*
 * Django asks its map of names for the path as it stands; if it is not there,
 * hashed_name() takes it for a URL: unquoted, without query and fragment,
 * stripped of white space.
 */
static int decode(const char *link, struct hf_buf *ret)
{
	struct hf_buf text = {0};
	struct hf_url url;
	const char *path;
	size_t len;
	int error;

	hf_url_unquote(link, strlen(link), &text);
	error = hf_buf_status(&text);
	/* No file has a NUL in its name. */
	if (error == 0 && text.len && memchr(text.data, '\0', text.len))
		error = -EINVAL;
	if (error == 0)
		error = hf_url_split(text.data ? text.data : "", &url);
	hf_buf_fini(&text);
	if (error < 0)
		return error;
	path = url.path;
	len = strlen(path);
	hf_strip(&path, &len);
	hf_buf_add(&text, path, len);
	hf_url_fini(&url);
	error = hf_buf_status(&text);
	/* As the storage opens it. */
	if (error == 0)
		hf_path_normalise(text.data, ret);
	hf_buf_fini(&text);
	return error < 0 ? error : hf_buf_status(ret);
}

static int enter_decoded(struct hf_graph *graph, struct hf_edge *edge)
{
	struct hf_buf path = {0};
	struct hf_vertex *to = NULL;
	int error = decode(edge->link, &path);

	if (error == 0 && strcmp(path.data, edge->link) != 0)
		error = enter_path(graph, edge, path.data, &to);
	hf_buf_fini(&path);
	if (error == -EINVAL) /* no URL, so no file */
		error = 0;
	if (to && to->type != HF_VERTEX_ABSENT) {
		edge->to = to;
		edge->decoded = true;
	}
	return error;
}

/* Django's map of names knows slashes only, and no directories. */
static int enter_slashed(struct hf_graph *graph, struct hf_edge *edge)
{
	char *path = strdup(edge->link);
	int error = 0;

	if (!path)
		return -ENOMEM;
	for (char *c = path; (c = strchr(c, '\\'));)
		*c = '/';
	error = enter_path(graph, edge, path, &edge->to);
	if (edge->to && edge->to->type == HF_VERTEX_DIR)
		edge->to = NULL;
	free(path);
	return error;
}

static int add_edge(struct hf_graph *graph, struct hf_edge *edge)
{
	int error = 0;

	edge->to = NULL;
	edge->decoded = false;
	edge->asked = false;
	edge->reported = true;
	if (strchr(edge->link, '\\'))
		error = enter_slashed(graph, edge);
	else
		error = enter_path(graph, edge, edge->link, &edge->to);
	if (error == 0 && (!edge->to || edge->to->type == HF_VERTEX_ABSENT))
		error = enter_decoded(graph, edge);
	return error;
}

static int compare_edges(const void *a, const void *b)
{
	const struct hf_edge *x = a;
	const struct hf_edge *y = b;

	return strcmp(x->link, y->link);
}

/* For links[0, n), which the vertex borrows. */
static int add_edges(struct hf_graph *graph, struct hf_vertex *vertex,
		     char *const *links, size_t n)
{
	struct hf_edge *edges;
	int error = 0;

	if (n == 0)
		return 0;
	edges = reallocarray(vertex->edges, vertex->n_edges + n,
			     sizeof(*edges));
	if (!edges)
		return -ENOMEM;
	vertex->edges = edges;
	for (size_t i = 0; i < n && error == 0; i++) {
		struct hf_edge *edge = &edges[vertex->n_edges++];

		edge->link = links[i];
		error = add_edge(graph, edge);
	}
	qsort(edges, vertex->n_edges, sizeof(*edges), compare_edges);
	return error;
}

int hf_graph_grow(struct hf_graph *graph, struct hf_vertex *vertex,
		  const struct hf_strings *late)
{
	struct hf_strings *paths = &vertex->links.paths;
	size_t n = paths->n;
	int error = 0;

	for (size_t i = 0; i < late->n && error == 0; i++)
		error = hf_strings_add(paths, late->items[i],
				       strlen(late->items[i]));
	if (error < 0)
		return error;
	graph->changed = true;
	hf_texts_put_links(graph->view->texts, vertex->path,
			   &vertex->raw.digest, &vertex->links);
	return add_edges(graph, vertex, paths->items + n, late->n);
}

struct hf_edge *hf_vertex_edge(const struct hf_vertex *vertex, const char *link)
{
	const struct hf_edge key = {.link = link};

	return vertex->n_edges ? bsearch(&key, vertex->edges, vertex->n_edges,
					 sizeof(key), compare_edges)
			       : NULL;
}

/* --- exploring ------------------------------------------------------------------- */

/* The bytes of a text, which were hashed but are not in memory any more. */
int hf_vertex_read(struct hf_graph *graph, const struct hf_vertex *vertex,
		   struct hf_wait *wait, struct hf_buf *ret)
{
	struct hf_buf scratch = {0};
	struct hf_verified *verified;
	const char *data;
	size_t len = 0;
	int error = hf_digests_open(graph->view->digests, vertex->root,
				    vertex->path, &vertex->raw.digest, NULL,
				    wait, &verified);

	if (error < 0)
		return error;
	do {
		error = hf_verified_read(verified, ret->len, HF_PINNED_MAX,
					 &scratch, &data, &len);
		if (error == 0)
			hf_buf_add(ret, data, len);
	} while (error == 0 && len > 0 && hf_buf_status(ret) == 0);
	hf_verified_unref(verified);
	hf_buf_fini(&scratch);
	return error < 0 ? error : hf_buf_status(ret);
}

static int read_links(struct hf_graph *graph, struct hf_vertex *vertex,
		      struct hf_wait *wait)
{
	struct hf_view *view = graph->view;
	struct hf_buf text = {0};
	int error = hf_vertex_read(graph, vertex, wait, &text);

	/* Whoever read it has looked into it, as a rule. */
	if (error == 0 && !hf_texts_links(view->texts, vertex->path,
					  &vertex->raw.digest, &vertex->links))
		error = hf_links_find(view, vertex->path,
				      text.len ? text.data : "", text.len,
				      &vertex->links);
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
		return add_edges(graph, vertex, vertex->links.paths.items,
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

		if (needs_digest(vertex))
			outcome = hf_batch_get(batch, asked++, wait,
					       &vertex->raw);
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

int hf_graph_explore(struct hf_graph *graph, const char *path,
		     struct hf_wait *wait, struct hf_vertex **ret)
{
	int error = graph->failed ? start_anew(graph) : 0;

	if (error == 0)
		error = enter(graph, path, ret);
	graph->changed = false;
	while (error == 0 && graph->explored < graph->n) {
		size_t from = graph->explored;

		graph->explored = graph->n;
		error = explore_wave(graph, from, graph->n, wait);
		graph->failed |= error < 0;
	}
	return error;
}
