/*
 * leaves: texts that refer to nothing but what is named. They can be written in
 * any order, so all that are at hand are written side by side, in the pool;
 * then those that refer to them, and so on. What is left over, because it is in
 * a circle, has late links or cannot be read, is named by itself when its turn
 * comes (component.c).
 */
#include "fs/view/relay.h"

#include <errno.h>
#include <string.h>

/* Chains are named one after the other from here on. */
#define MAX_LEVELS 64
/* So few are not worth a round through the pool. */
#define FEW 4

struct leaf {
	struct hf_vertex *vertex;
	uint64_t key[2];
};

/* Those of one level. */
struct leaves {
	struct hf_graph *graph;
	struct hf_wait *wait;
	struct leaf *items;
	size_t n;
};

/* --- in the pool ------------------------------------------------------------- */

/* One leaf, rewritten. */
struct written {
	const struct leaf *leaf;
	struct hf_buf text;
	struct hf_named named;
	int error; /* it is left over */
};

struct share {
	struct hf_graph *graph;
	const struct leaf *leaves; /* of the level */
	struct written written[HF_RELAY_FILES];
	size_t n;
};

static const struct hf_vertex *vertex_of(void *arg, size_t i)
{
	const struct leaves *leaves = arg;

	return leaves->items[i].vertex;
}

static void *begin_share(void *arg)
{
	const struct leaves *leaves = arg;
	struct share *share = calloc(1, sizeof(*share));

	if (!share)
		return NULL;
	share->graph = leaves->graph;
	share->leaves = leaves->items;
	return share;
}

static void free_share(void *arg)
{
	struct share *share = arg;

	for (size_t i = 0; share && i < share->n; i++)
		hf_buf_fini(&share->written[i].text);
	free(share);
}

static int write_leaf(void *arg, size_t i, int error, const struct hf_buf *raw)
{
	struct share *share = arg;
	struct written *written = &share->written[share->n++];
	struct hf_strings late = {0};

	written->leaf = &share->leaves[i];
	written->error = error;
	if (error == 0)
		written->error =
			hf_writing_aside(share->graph, written->leaf->vertex,
					 raw, &late, &written->text);
	if (written->error == 0 && late.n > 0)
		written->error = -EAGAIN;
	hf_strings_fini(&late);
	return 0;
}

static void name_written(const struct hf_graph *graph, struct written *written)
{
	const struct leaf *leaf = written->leaf;
	const char *path = leaf->vertex->path;

	written->named.name = written->named.content;
	written->named.size = written->text.len;
	hf_writing_keep(graph, path, &written->named.content, &written->text);
	hf_texts_put_name(graph->view->texts, path, leaf->key, &written->named);
}

static int name_share(void *arg)
{
	struct share *share = arg;
	struct hf_hashing hashings[HF_RELAY_FILES];
	size_t n = 0;
	int error;

	for (size_t i = 0; i < share->n; i++) {
		struct written *written = &share->written[i];

		if (written->error == 0)
			hashings[n++] = (struct hf_hashing){
				.data = written->text.len ? written->text.data
							  : "",
				.len = written->text.len,
				.ret = &written->named.content,
			};
	}
	error = hf_hash_many(share->graph->view->config->algorithm, hashings,
			     n);
	for (size_t i = 0; i < share->n && error == 0; i++)
		if (share->written[i].error == 0)
			name_written(share->graph, &share->written[i]);
	return error;
}

static int take_share(void *arg, void *found, size_t first, size_t n)
{
	const struct leaves *leaves = arg;
	const struct share *share = found;

	for (size_t i = 0; i < n; i++) {
		const struct written *written = &share->written[i];
		struct hf_vertex *vertex = leaves->items[first + i].vertex;

		if (written->error < 0)
			continue;
		vertex->named = written->named;
		hf_vertex_finish(leaves->graph, vertex);
	}
	return 0;
}

static int write_all(struct leaves *leaves)
{
	const struct hf_relay relay = {
		.n = leaves->n,
		.vertex = vertex_of,
		.begin = begin_share,
		.look = write_leaf,
		.end = name_share,
		.take = take_share,
		.free = free_share,
		.arg = leaves,
	};

	return hf_relay_run(leaves->graph->view, leaves->wait, &relay);
}

/* --- levels ------------------------------------------------------------------- */

/* False if it is still to be named. Files and most texts need nothing for
 * that. */
static bool is_named(struct hf_graph *graph, struct hf_vertex *vertex)
{
	if (vertex->type == HF_VERTEX_FILE)
		hf_vertex_name_verbatim(vertex);
	if (vertex->type != HF_VERTEX_TEXT || vertex->done)
		return true;
	if (!vertex->links.verbatim || vertex->n_edges > 0)
		return false;
	hf_vertex_name_verbatim(vertex);
	hf_vertex_finish(graph, vertex);
	return true;
}

static bool is_leaf(struct hf_graph *graph, const struct hf_vertex *vertex)
{
	bool leaf = vertex->error == 0;

	for (size_t i = 0; i < vertex->n_edges && leaf; i++) {
		const struct hf_edge *edge = &vertex->edges[i];

		leaf = !edge->to || !edge->shown || is_named(graph, edge->to);
	}
	return leaf;
}

/* A leaf is named at once if that is remembered. */
static int add_leaf(struct leaves *leaves, struct hf_vertex *vertex)
{
	struct hf_graph *graph = leaves->graph;
	struct leaf *leaf = &leaves->items[leaves->n];
	int error = hf_vertex_key(graph, vertex, leaf->key);

	if (error < 0)
		return error;
	leaf->vertex = vertex;
	if (hf_texts_name(graph->view->texts, vertex->path, leaf->key,
			  &vertex->named))
		hf_vertex_finish(graph, vertex);
	else
		leaves->n++;
	return 0;
}

/* The leaves among texts[0, *n), which are those that are not. */
static int pick(struct leaves *leaves, struct hf_vertex **texts, size_t *n)
{
	size_t left = 0;
	int error = 0;

	leaves->n = 0;
	for (size_t i = 0; i < *n && error == 0; i++) {
		if (is_leaf(leaves->graph, texts[i]))
			error = add_leaf(leaves, texts[i]);
		else
			texts[left++] = texts[i];
	}
	*n = left;
	return error;
}

static int name_levels(struct hf_graph *graph, struct hf_vertex **texts,
		       size_t n, struct hf_wait *wait)
{
	HF_CLEANUP(hf_freep) struct leaf *items = malloc(n * sizeof(*items));
	struct leaves leaves = {.graph = graph, .wait = wait, .items = items};
	size_t before = n + 1;
	int error = items ? 0 : -ENOMEM;

	for (int i = 0; i < MAX_LEVELS && n < before && error == 0; i++) {
		before = n;
		error = pick(&leaves, texts, &n);
		if (error == 0 && leaves.n >= FEW)
			error = write_all(&leaves);
	}
	return error;
}

int hf_graph_name_leaves(struct hf_graph *graph, size_t first,
			 struct hf_wait *wait)
{
	HF_CLEANUP(hf_freep)
	struct hf_vertex **texts =
		malloc((graph->n - first + 1) * sizeof(*texts));
	size_t n = 0;

	if (!texts)
		return -ENOMEM;
	for (size_t i = first; i < graph->n; i++)
		if (!is_named(graph, graph->vertices[i]))
			texts[n++] = graph->vertices[i];
	return n > 0 ? name_levels(graph, texts, n, wait) : 0;
}
