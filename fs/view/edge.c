/*
 * edge: which file a link of a text leads to, as Django finds it.
 */
#include "fs/view/graph.h"

#include <errno.h>
#include <string.h>

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

/* hf_graph_enter for what posixpath.normpath gave; *ret stays if it leads
 * outside. */
static int enter_path(struct hf_graph *graph, struct hf_edge *edge,
		      const char *path, struct hf_vertex **ret)
{
	int error;

	if (strcmp(path, ".") == 0)
		path = "";
	else if (!is_inside(path))
		return 0;
	error = hf_graph_enter(graph, path, ret);
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
	int error = decode(edge->path, &path);
	bool same = error == 0 && strcmp(path.data, edge->path) == 0;

	if (error == 0 && !same)
		error = enter_path(graph, edge, path.data, &to);
	hf_buf_fini(&path);
	if (error == -EINVAL) /* no URL, so no file */
		error = 0;
	if (same)
		return error;
	edge->to = to && to->type != HF_VERTEX_ABSENT ? to : NULL;
	edge->decoded = edge->to != NULL;
	if (error == 0 && edge->decoded && edge->shown)
		error = hf_name_shows_hash(&graph->view->name_template,
					   edge->path, &edge->shown);
	return error;
}

/* Django's map of names knows slashes only, and no directories. */
static int enter_slashed(struct hf_graph *graph, struct hf_edge *edge)
{
	char *path = strdup(edge->path);
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

/* Is it in Django's map of names? */
static bool is_mapped(const struct hf_vertex *vertex)
{
	return vertex && vertex->type != HF_VERTEX_ABSENT &&
	       vertex->type != HF_VERTEX_DIR;
}

static int add_edge(struct hf_graph *graph, struct hf_edge *edge)
{
	size_t unshown = strlen(HF_LINK_UNSHOWN);
	int error = 0;

	edge->path = edge->link;
	edge->shown = strncmp(edge->link, HF_LINK_UNSHOWN, unshown) != 0;
	if (!edge->shown)
		edge->path += unshown;
	edge->to = NULL;
	edge->decoded = false;
	edge->asked = false;
	edge->reported = true;
	if (strchr(edge->path, '\\'))
		error = enter_slashed(graph, edge);
	else
		error = enter_path(graph, edge, edge->path, &edge->to);
	if (error == 0 && !is_mapped(edge->to))
		error = enter_decoded(graph, edge);
	return error;
}

static int compare_edges(const void *a, const void *b)
{
	const struct hf_edge *x = a;
	const struct hf_edge *y = b;

	return strcmp(x->link, y->link);
}

int hf_vertex_add_links(struct hf_graph *graph, struct hf_vertex *vertex,
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
	return hf_vertex_add_links(graph, vertex, paths->items + n, late->n);
}

struct hf_edge *hf_vertex_edge(const struct hf_vertex *vertex, const char *link)
{
	const struct hf_edge key = {.link = link};

	return vertex->n_edges ? bsearch(&key, vertex->edges, vertex->n_edges,
					 sizeof(key), compare_edges)
			       : NULL;
}
