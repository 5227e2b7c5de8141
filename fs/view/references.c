/*
 * references: which file of the tree refers to which, as the texts were
 * searched for their names.
 */
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

/* --- the list ----------------------------------------------------------------- */

static int grow(struct hf_references *references)
{
	size_t cap = references->cap ? 2 * references->cap : 64;
	struct hf_reference *rows;

	if (references->n < references->cap)
		return 0;
	rows = reallocarray(references->rows, cap, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	references->rows = rows;
	references->cap = cap;
	return 0;
}

int hf_references_add(struct hf_references *references, const char *path,
		      const char *target)
{
	size_t len = strlen(path) + 1;
	struct hf_reference row;

	if (grow(references) < 0)
		return -ENOMEM;
	row.text = malloc(len + strlen(target) + 1);
	if (!row.text)
		return -ENOMEM;
	row.path = strcpy(row.text, path);
	row.target = strcpy(row.text + len, target);
	references->rows[references->n++] = row;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct hf_reference *x = a;
	const struct hf_reference *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : strcmp(x->target, y->target);
}

/* Each pair stands once: a text may name a file in several ways. */
static void settle(struct hf_references *references)
{
	struct hf_reference *rows = references->rows;
	size_t kept = 0;

	if (references->n)
		qsort(rows, references->n, sizeof(*rows), compare);
	for (size_t i = 0; i < references->n; i++) {
		if (kept && compare(&rows[kept - 1], &rows[i]) == 0)
			free(rows[i].text);
		else
			rows[kept++] = rows[i];
	}
	references->n = kept;
}

void hf_references_fini(struct hf_references *references)
{
	for (size_t i = 0; i < references->n; i++)
		free(references->rows[i].text);
	free(references->rows);
	*references = (struct hf_references){0};
}

/* --- the texts of a walk ------------------------------------------------------ */

/* The text at `path`, named; NULL if it cannot be read. */
static int find_text(struct hf_walk *walk, const char *path,
		     const struct hf_vertex **ret)
{
	struct hf_vertex *vertex = NULL;
	int error = 0;

	*ret = hf_graph_find(walk->graph, path);
	/* Of a frozen view all are named, and any thread may be here. */
	if (*ret || walk->view->frozen)
		return 0;
	error = hf_graph_vertex(walk->graph, path, walk->wait, &vertex);
	if (error == 0)
		*ret = vertex;
	return hf_error_passing(error) ? error : 0;
}

static int add_text(struct hf_walk *walk, const char *path,
		    struct hf_references *ret)
{
	const struct hf_vertex *vertex;
	int error = find_text(walk, path, &vertex);

	for (size_t i = 0; error == 0 && vertex && i < vertex->n_edges; i++) {
		const struct hf_vertex *to = vertex->edges[i].to;

		if (to && to->type != HF_VERTEX_ABSENT &&
		    to->type != HF_VERTEX_DIR)
			error = hf_references_add(ret, path, to->path);
	}
	return error;
}

static int add_dir(struct hf_walk *walk, const struct hf_stop *stop,
		   struct hf_references *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf dir = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	int error;

	hf_node_path(stop->node, &dir);
	error = hf_buf_status(&dir);
	for (size_t i = 0; i < stop->listing->n && error == 0; i++) {
		const struct hf_entry *entry = &stop->listing->entries[i];

		if (entry->kind != HF_KIND_HASHED)
			continue;
		hf_buf_reset(&path);
		hf_view_join(&path, dir.data, entry->source);
		error = hf_buf_status(&path);
		if (error == 0 && hf_view_is_text(walk->view, path.data))
			error = add_text(walk, path.data, ret);
	}
	return error;
}

int hf_references_of_walk(struct hf_walk *walk, struct hf_references *ret)
{
	int error = 0;

	for (size_t i = 0; i < walk->n && error == 0; i++)
		if (walk->stops[i].listing)
			error = add_dir(walk, &walk->stops[i], ret);
	settle(ret);
	return error;
}

/* --- the door ----------------------------------------------------------------- */

/* A walk, and where its references go. */
struct search {
	struct hf_walk walk;
	struct hf_references *ret;
};

/* hf_survey's `look`: the walk is that of a search. */
static int look(struct hf_walk *walk)
{
	struct search *search = (struct search *)walk;

	hf_references_fini(search->ret);
	return hf_references_of_walk(walk, search->ret);
}

static int survey(struct hf_view *view, struct hf_wait *wait,
		  struct hf_progress *progress, struct hf_snapshot *snapshot,
		  struct hf_references *ret)
{
	struct search search = {
		.walk = {.view = view, .wait = wait, .progress = progress},
		.ret = ret,
	};
	int error = hf_survey(&search.walk, look, NULL, snapshot, NULL);

	hf_walk_fini(&search.walk);
	return error;
}

int hf_view_references(struct hf_view *view, struct hf_wait *wait,
		       struct hf_progress *progress,
		       struct hf_snapshot *snapshot, struct hf_references *ret)
{
	struct hf_references references = {0};
	struct hf_snapshot own = {0};
	int error;

	if (view->frozen)
		error = hf_frozen_references(view->frozen, &references);
	else
		error = survey(view, wait, progress, &own, &references);
	if (error == 0 && view->frozen)
		error = hf_frozen_snapshot(view->frozen, NULL, wait, &own);
	if (error < 0) {
		hf_snapshot_fini(&own);
		hf_references_fini(&references);
		return error;
	}
	references.generation = own.generation;
	*ret = references;
	if (snapshot)
		*snapshot = own;
	else
		hf_snapshot_fini(&own);
	return 0;
}
