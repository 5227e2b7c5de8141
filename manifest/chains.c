/*
 * chains: what refers to what in a tree. Files are numbered as the manifest has
 * them. Circles are the strongly connected components of the references, found
 * by Tarjan's algorithm (1972) without recursion. Components come out of it
 * last one first: when one is complete, all that it leads to is, and so is the
 * longest chain from each of these.
 */
#include "manifest/stats.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define NONE SIZE_MAX

/* What is known of a file. */
struct file {
	size_t first_edge; /* of what it refers to; edges stand together */
	size_t n_edges;
	bool referred; /* by another file */
	/* Of Tarjan's algorithm: */
	size_t number; /* from 1, in the order of visiting; 0: not visited */
	size_t low;
	size_t next_edge;
	bool open; /* its component is not complete */
	/* Once that is complete, the same for all files of it: */
	size_t length; /* of the longest chain from here, in files */
	size_t next;   /* file of that chain in another component, or NONE */
};

struct graph {
	const struct hf_manifest *manifest;
	struct file *files;
	size_t *edges; /* numbers of files */
	/* Stacks, each as deep as there are files. */
	size_t *path;
	size_t path_n;
	size_t *open;
	size_t open_n;
	size_t visited;
	const struct hf_manifest_row **members; /* of a circle */
	struct hf_chains *ret;
};

static void graph_fini(struct graph *graph)
{
	free(graph->files);
	free(graph->edges);
	free(graph->path);
	free(graph->open);
	free(graph->members);
}

/* --- references ---------------------------------------------------------- */

static size_t number_of(const struct graph *graph, const char *path)
{
	const struct hf_manifest_row *row =
		hf_manifest_find(graph->manifest, path);

	return row ? (size_t)(row - graph->manifest->rows) : NONE;
}

/* References are sorted by the files that they are in. */
static void add_edges(struct graph *graph,
		      const struct hf_references *references)
{
	const char *path = NULL;
	size_t from = NONE, n = 0;

	for (size_t i = 0; i < references->n; i++) {
		const struct hf_reference *row = &references->rows[i];
		size_t to = number_of(graph, row->target);

		if (!path || strcmp(path, row->path) != 0) {
			path = row->path;
			from = number_of(graph, path);
			if (from != NONE)
				graph->files[from].first_edge = n;
		}
		if (from == NONE || to == NONE)
			continue;
		graph->files[from].n_edges++;
		graph->files[to].referred |= from != to;
		graph->edges[n++] = to;
	}
	graph->ret->references = n;
}

static int graph_init(struct graph *graph,
		      const struct hf_references *references)
{
	size_t n = graph->manifest->n + 1;

	graph->files = calloc(n, sizeof(*graph->files));
	graph->edges = calloc(references->n + 1, sizeof(*graph->edges));
	graph->path = calloc(n, sizeof(*graph->path));
	graph->open = calloc(n, sizeof(*graph->open));
	graph->members = calloc(n, sizeof(*graph->members));
	if (!graph->files || !graph->edges || !graph->path || !graph->open ||
	    !graph->members)
		return -ENOMEM;
	add_edges(graph, references);
	return 0;
}

/* --- components ---------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
	const struct hf_manifest_row *x =
		*(const struct hf_manifest_row *const *)a;
	const struct hf_manifest_row *y =
		*(const struct hf_manifest_row *const *)b;

	return (x > y) - (x < y);
}

static bool refers_to_itself(const struct graph *graph, size_t number)
{
	const struct file *file = &graph->files[number];

	for (size_t i = 0; i < file->n_edges; i++)
		if (graph->edges[file->first_edge + i] == number)
			return true;
	return false;
}

static int add_circle(struct graph *graph, const size_t *members, size_t n)
{
	if (n == 1 && !refers_to_itself(graph, members[0]))
		return 0;
	for (size_t i = 0; i < n; i++)
		graph->members[i] = &graph->manifest->rows[members[i]];
	qsort(graph->members, n, sizeof(*graph->members), compare_rows);
	return hf_groups_add(&graph->ret->circles, graph->members, n);
}

/* The longest chain from a component leads out of one of its members. */
static void measure(struct graph *graph, const size_t *members, size_t n)
{
	size_t length = 1, next = NONE;

	for (size_t i = 0; i < n; i++) {
		const struct file *file = &graph->files[members[i]];

		for (size_t k = 0; k < file->n_edges; k++) {
			size_t to = graph->edges[file->first_edge + k];

			/* Those of its own component have none yet. */
			if (graph->files[to].length >= length) {
				length = graph->files[to].length + 1;
				next = to;
			}
		}
	}
	for (size_t i = 0; i < n; i++) {
		graph->files[members[i]].length = length;
		graph->files[members[i]].next = next;
	}
}

/* The file is the first of its component: the others lie above it. */
static int close_component(struct graph *graph, size_t number)
{
	size_t first = graph->open_n;
	size_t n;

	do
		graph->files[graph->open[--first]].open = false;
	while (graph->open[first] != number);
	n = graph->open_n - first;
	graph->open_n = first;
	measure(graph, &graph->open[first], n);
	return add_circle(graph, &graph->open[first], n);
}

static void visit(struct graph *graph, size_t number)
{
	struct file *file = &graph->files[number];

	file->number = file->low = ++graph->visited;
	file->open = true;
	graph->open[graph->open_n++] = number;
	graph->path[graph->path_n++] = number;
}

static void lower(struct file *file, size_t number)
{
	if (number < file->low)
		file->low = number;
}

/* One step: down an edge, or back up. */
static int step(struct graph *graph)
{
	size_t number = graph->path[graph->path_n - 1];
	struct file *file = &graph->files[number];

	if (file->next_edge < file->n_edges) {
		size_t to = graph->edges[file->first_edge + file->next_edge++];

		if (!graph->files[to].number)
			visit(graph, to);
		else if (graph->files[to].open)
			lower(file, graph->files[to].number);
		return 0;
	}
	graph->path_n--;
	if (graph->path_n)
		lower(&graph->files[graph->path[graph->path_n - 1]], file->low);
	return file->low == file->number ? close_component(graph, number) : 0;
}

static int find_components(struct graph *graph)
{
	int error = 0;

	for (size_t i = 0; i < graph->manifest->n && error == 0; i++) {
		if (graph->files[i].number)
			continue;
		visit(graph, i);
		while (graph->path_n && error == 0)
			error = step(graph);
	}
	return error;
}

/* --- what is told -------------------------------------------------------- */

static int compare_groups(const void *a, const void *b)
{
	const struct hf_group *x = a;
	const struct hf_group *y = b;

	return compare_rows(&x->rows[0], &y->rows[0]);
}

static int find_longest(struct graph *graph)
{
	struct hf_group *longest = &graph->ret->longest;
	size_t start = NONE, length = 1;

	for (size_t i = 0; i < graph->manifest->n; i++) {
		if (graph->files[i].length > length) {
			length = graph->files[i].length;
			start = i;
		}
	}
	longest->rows = calloc(length, sizeof(*longest->rows));
	if (!longest->rows)
		return -ENOMEM;
	for (size_t at = start; at != NONE; at = graph->files[at].next)
		longest->rows[longest->n++] = &graph->manifest->rows[at];
	return 0;
}

static int find_unreferenced(struct graph *graph)
{
	struct hf_group *group = &graph->ret->unreferenced;
	size_t n = 0;
	int error = hf_group_listed(graph->manifest, group);

	if (error < 0)
		return error;
	for (size_t i = 0; i < group->n; i++) {
		const struct hf_manifest_row *row = group->rows[i];
		size_t number = (size_t)(row - graph->manifest->rows);

		if (!graph->files[number].referred &&
		    !hf_manifest_is_code(row->path))
			group->rows[n++] = row;
	}
	group->n = n;
	hf_group_sort_by_size(group);
	return 0;
}

int hf_chains_find(const struct hf_manifest *manifest,
		   const struct hf_references *references,
		   struct hf_chains *ret)
{
	HF_CLEANUP(graph_fini)
	struct graph graph = {.manifest = manifest, .ret = ret};
	int error = graph_init(&graph, references);

	if (error == 0)
		error = find_components(&graph);
	if (error == 0)
		error = find_longest(&graph);
	if (error == 0)
		error = find_unreferenced(&graph);
	if (error == 0 && ret->circles.n)
		qsort(ret->circles.items, ret->circles.n,
		      sizeof(*ret->circles.items), compare_groups);
	return error;
}

void hf_chains_fini(struct hf_chains *chains)
{
	free(chains->unreferenced.rows);
	free(chains->longest.rows);
	hf_groups_fini(&chains->circles);
	*chains = (struct hf_chains){0};
}
