/*
 * component: names of texts, leaves first. A text's digest is that of its
 * rewritten bytes, so whatever it refers to is named before it. Files that
 * refer to each other in a circle have no first: they are named together, by
 * their strongly connected component (Tarjan 1972, without recursion), see
 * members.c.
 *
 * Which links a text has is told by its original bytes. What is written for
 * one can make another, or unmake it: quotes around a URL hide the beginning of
 * a comment in it, or begin a string. A late link is found when the text is
 * written; one that is none any more does harm in a circle only, and is looked
 * for there. Either way all that is not named is visited again.
 */
#include "fs/view/graph.h"

#include <errno.h>
#include <string.h>

/* The state of Tarjan's algorithm. `path` is the way from the start to the
 * vertex at hand, `open` the vertices whose component is not complete. */
struct tarjan {
	struct hf_graph *graph;
	struct hf_wait *wait;
	struct hf_vertex **path;
	size_t path_n;
	struct hf_vertex **open;
	size_t open_n;
	size_t next; /* number of the next vertex */
};

/* What the vertex refers to is named already, or in its own component. */
static bool is_reported(const struct hf_vertex *vertex)
{
	bool reported = vertex->reported;

	for (size_t i = 0; i < vertex->n_edges; i++) {
		const struct hf_edge *edge = &vertex->edges[i];

		reported &= edge->reported && (!edge->to || edge->to->reported);
	}
	return reported;
}

static void finish_members(struct hf_vertex **members, size_t n)
{
	bool reported = true;

	for (size_t i = 0; i < n; i++)
		reported &= is_reported(members[i]);
	for (size_t i = 0; i < n; i++) {
		members[i]->reported = reported;
		members[i]->done = true;
		hf_verified_unref(members[i]->bytes);
		members[i]->bytes = NULL;
	}
}

void hf_vertex_finish(struct hf_graph *graph, struct hf_vertex *vertex)
{
	vertex->number = vertex->low = vertex->component = ++graph->numbered;
	finish_members(&vertex, 1);
}

/* The vertex is the first of its component: the others lie above it. */
static int close_component(struct tarjan *tarjan, struct hf_vertex *vertex)
{
	size_t first = tarjan->open_n;
	int error;

	do {
		struct hf_vertex *member = tarjan->open[--first];

		member->open = false;
		member->component = vertex->number;
	} while (tarjan->open[first] != vertex);
	error = hf_members_name(tarjan->graph, &tarjan->open[first],
				tarjan->open_n - first, tarjan->wait);
	if (error == 0)
		finish_members(&tarjan->open[first], tarjan->open_n - first);
	tarjan->open_n = first;
	return error;
}

static void visit(struct tarjan *tarjan, struct hf_vertex *vertex)
{
	vertex->number = vertex->low = ++tarjan->next;
	vertex->next_edge = 0;
	vertex->open = true;
	tarjan->open[tarjan->open_n++] = vertex;
	tarjan->path[tarjan->path_n++] = vertex;
}

static void lower(struct hf_vertex *vertex, size_t number)
{
	if (number < vertex->low)
		vertex->low = number;
}

/* One step: down an edge, or back up. */
static int step(struct tarjan *tarjan)
{
	struct hf_vertex *vertex = tarjan->path[tarjan->path_n - 1];

	if (vertex->next_edge < vertex->n_edges) {
		const struct hf_edge *edge =
			&vertex->edges[vertex->next_edge++];
		struct hf_vertex *to = edge->to;

		if (!to || !edge->shown)
			return 0;
		if (to->type == HF_VERTEX_FILE)
			hf_vertex_name_verbatim(to);
		else if (to->type == HF_VERTEX_TEXT && !to->number)
			visit(tarjan, to);
		else if (to->type == HF_VERTEX_TEXT && to->open)
			lower(vertex, to->number);
		return 0;
	}
	tarjan->path_n--;
	if (tarjan->path_n)
		lower(tarjan->path[tarjan->path_n - 1], vertex->low);
	return vertex->low == vertex->number ? close_component(tarjan, vertex)
					     : 0;
}

/* Both stacks, each as deep as there are vertices; kept for the next time. */
static int make_room(struct hf_graph *graph)
{
	size_t n = 2 * graph->cap;
	struct hf_vertex **stack;

	if (graph->stack_n >= n)
		return 0;
	stack = realloc(graph->stack, n * sizeof(*stack));
	if (!stack)
		return -ENOMEM;
	graph->stack = stack;
	graph->stack_n = n;
	return 0;
}

static int visit_from(struct hf_graph *graph, struct hf_vertex *start,
		      struct hf_wait *wait)
{
	struct tarjan tarjan = {
		.graph = graph, .wait = wait, .next = graph->numbered};
	int error = make_room(graph);

	if (error < 0)
		return error;
	tarjan.path = graph->stack;
	tarjan.open = graph->stack + graph->n;
	visit(&tarjan, start);
	while (tarjan.path_n && error == 0)
		error = step(&tarjan);
	graph->numbered = tarjan.next;
	return error;
}

/* What is named stays so: it does not lead to what is not. */
static void forget_visits(struct hf_graph *graph)
{
	for (size_t i = 0; i < graph->n; i++) {
		struct hf_vertex *vertex = graph->vertices[i];

		if (!vertex->done) {
			vertex->number = 0;
			vertex->open = false;
		}
	}
}

/* Each round writes one pattern more as it will be: they are soon over. */
static int name_from(struct hf_graph *graph, struct hf_vertex *start,
		     struct hf_wait *wait)
{
	int error = visit_from(graph, start, wait);

	while (graph->changed && error == -EAGAIN) {
		forget_visits(graph);
		error = hf_graph_explore(graph, start->path, wait, &start);
		if (error == 0)
			error = visit_from(graph, start, wait);
	}
	graph->failed |= error < 0;
	return error;
}

/* --- the door ------------------------------------------------------------------------- */

int hf_graph_vertex(struct hf_graph *graph, const char *path,
		    struct hf_wait *wait, struct hf_vertex **ret)
{
	int error = hf_graph_explore(graph, path, wait, ret);

	if (error < 0)
		return error;
	if ((*ret)->type == HF_VERTEX_ABSENT)
		return (*ret)->error ? (*ret)->error : -ENOENT;
	if ((*ret)->type != HF_VERTEX_TEXT)
		return -ESTALE;
	return (*ret)->done ? 0 : name_from(graph, *ret, wait);
}

int hf_graph_name(struct hf_graph *graph, const char *path,
		  struct hf_wait *wait, struct hf_named *ret)
{
	struct hf_vertex *vertex;
	int error = hf_graph_vertex(graph, path, wait, &vertex);

	if (error == 0)
		error = vertex->error;
	if (error < 0)
		return error;
	*ret = vertex->named;
	ret->depends = vertex->n_edges > 0;
	ret->reported = vertex->reported;
	return 0;
}

int hf_graph_text(struct hf_graph *graph, const char *path,
		  struct hf_wait *wait, bool *verbatim, struct hf_buf *ret,
		  struct hf_digest *digest)
{
	struct hf_writing writing = {.graph = graph};
	struct hf_vertex *vertex;
	int error = hf_graph_vertex(graph, path, wait, &vertex);

	if (error < 0)
		return error;
	*verbatim = vertex->links.verbatim;
	if (*verbatim)
		return 0;
	writing.vertex = vertex;
	return hf_writing_write(&writing, wait, ret, digest);
}

const struct hf_vertex *hf_graph_find(const struct hf_graph *graph,
				      const char *path)
{
	const struct hf_vertex *vertex =
		hf_map_get(graph->by_path, path, strlen(path));

	return vertex && vertex->type == HF_VERTEX_TEXT && vertex->done ? vertex
									: NULL;
}
