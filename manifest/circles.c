/*
 * circles: files whose names are not those of their bytes, because they refer
 * to each other, by name, in a circle. Nothing but the bytes can tell of which
 * files that may be so.
 */
#include "manifest/circles.h"

#include <errno.h>
#include <string.h>

/* What ends a name in a style sheet or a script. */
#define ENDS "/\"'`()<>?#;, \t\r\n"

/* Edges of one member stand together, in the order of the members. */
struct graph {
	struct hf_map *by_name; /* base names */
	struct hf_member *members;
	size_t n;
	size_t *first; /* edge of each member, and behind the last one */
	size_t *edges;
	size_t n_edges;
	size_t cap;
};

static void graph_fini(struct graph *graph)
{
	hf_map_free(graph->by_name);
	free(graph->first);
	free(graph->edges);
}

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static int index_names(struct graph *graph)
{
	uint64_t seed[2];
	int error;

	hf_random_seed(seed);
	error = hf_map_new(seed, &graph->by_name);
	for (size_t i = 0; i < graph->n && error == 0; i++) {
		const char *base = base_of(graph->members[i].name);

		error = hf_map_put(graph->by_name, base, strlen(base),
				   &graph->members[i]);
		/* In another directory; either will do to be suspicious. */
		if (error == -EEXIST)
			error = 0;
	}
	return error;
}

static int add_edge(struct graph *graph, const struct hf_member *to)
{
	if (graph->n_edges == graph->cap) {
		size_t cap = graph->cap ? 2 * graph->cap : 64;
		size_t *edges = reallocarray(graph->edges, cap, sizeof(*edges));

		if (!edges)
			return -ENOMEM;
		graph->edges = edges;
		graph->cap = cap;
	}
	graph->edges[graph->n_edges++] = (size_t)(to - graph->members);
	return 0;
}

/* Each run of bytes that may be a name is looked up. */
static int find_edges(struct graph *graph, const struct hf_member *from)
{
	const char *text = from->data;
	const char *end = text + from->len;
	int error = 0;

	for (size_t i = 0; from->unknown && i < graph->n && error == 0; i++)
		error = add_edge(graph, &graph->members[i]);
	while (text < end && error == 0) {
		const char *start = text;
		const struct hf_member *to;

		while (text < end && *text && !strchr(ENDS, *text))
			text++;
		to = text > start ? hf_map_get(graph->by_name, start,
					       (size_t)(text - start))
				  : NULL;
		if (to)
			error = add_edge(graph, to);
		text += text < end;
	}
	return error;
}

static int explore(struct graph *graph)
{
	int error = index_names(graph);

	graph->first = calloc(graph->n + 1, sizeof(*graph->first));
	if (!graph->first)
		return -ENOMEM;
	for (size_t i = 0; i < graph->n && error == 0; i++) {
		graph->first[i] = graph->n_edges;
		error = find_edges(graph, &graph->members[i]);
	}
	graph->first[graph->n] = graph->n_edges;
	return error;
}

/* Whether a way leads from a member back to it. */
static bool returns(const struct graph *graph, size_t from, bool *reached,
		    size_t *stack)
{
	size_t height = 0;

	memset(reached, 0, graph->n * sizeof(*reached));
	stack[height++] = from;
	while (height && !reached[from]) {
		size_t at = stack[--height];

		for (size_t e = graph->first[at]; e < graph->first[at + 1];
		     e++) {
			size_t to = graph->edges[e];

			if (!reached[to])
				stack[height++] = to;
			reached[to] = true;
		}
	}
	return reached[from];
}

int hf_circles_find(struct hf_member *members, size_t n)
{
	HF_CLEANUP(graph_fini)
	struct graph graph = {.members = members, .n = n};
	HF_CLEANUP(hf_freep) bool *reached = calloc(n + 1, sizeof(*reached));
	HF_CLEANUP(hf_freep) size_t *stack = calloc(n + 2, sizeof(*stack));
	int error = reached && stack ? explore(&graph) : -ENOMEM;

	for (size_t i = 0; i < n && error == 0; i++)
		members[i].circular = returns(&graph, i, reached, stack);
	return error;
}
