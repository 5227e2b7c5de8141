/*
 * writing: one text with its references rewritten, once what it refers to is
 * named.
 */
#include "fs/view/graph.h"

#include <errno.h>
#include <string.h>

static int append_name(const struct hf_writing *writing,
		       const struct hf_edge *edge, struct hf_buf *ret)
{
	const struct hf_name_template *template =
		&writing->graph->view->name_template;
	const struct hf_vertex *to = edge->to;
	char hex[HF_DIGEST_HEX_MAX + 1];

	/* What is not shown may have no name yet; any will do. */
	hf_digest_hex(edge->shown ? &to->named.name : &to->raw.digest, hex);
	if (edge->decoded)
		return hf_name_insert(template, edge->path, hex, ret);
	return hf_name_forward(template, to->path, hex, ret);
}

static bool is_outside(const char *path)
{
	return strncmp(path, "../", 3) == 0 || strcmp(path, "..") == 0 ||
	       *path == '/';
}

/* `edge` is NULL where there is no such link. */
static int resolve_edge(const struct hf_writing *writing, struct hf_edge *edge,
			const char *path, enum hf_target *target,
			struct hf_buf *ret)
{
	const struct hf_vertex *from = writing->vertex;

	if (!edge || !edge->to || edge->to->type == HF_VERTEX_ABSENT) {
		*target = is_outside(path) ? HF_TARGET_OUTSIDE
					   : HF_TARGET_MISSING;
		return 0;
	}
	if (edge->to->type == HF_VERTEX_DIR) {
		*target = HF_TARGET_SAME;
		return 0;
	}
	if (edge->to->type == HF_VERTEX_STAY ||
	    (writing->inside_stays && edge->to->component == from->component)) {
		*target = HF_TARGET_STAY;
		return 0;
	}
	*target = HF_TARGET_NAME;
	return append_name(writing, edge, ret);
}

int hf_writing_resolve(void *arg, const char *path, bool shown,
		       enum hf_target *target, struct hf_buf *ret)
{
	const struct hf_writing *writing = arg;
	struct hf_buf link = {0};
	struct hf_edge *edge = NULL;
	int error;

	hf_link_of(path, shown, &link);
	error = hf_buf_status(&link);
	if (error == 0)
		edge = hf_vertex_edge(writing->vertex, link.data);
	if (edge)
		edge->asked = true;
	*target = HF_TARGET_STAY;
	if (error == 0 && !edge && writing->late)
		error = hf_strings_add(writing->late, link.data, link.len);
	else if (error == 0)
		error = resolve_edge(writing, edge, path, target, ret);
	hf_buf_fini(&link);
	return error;
}

static void report(void *arg, enum hf_target target, const struct hf_ref *ref)
{
	struct hf_writing *writing = arg;

	writing->report->missing(writing->report->arg, target, ref);
}

static int rewrite(const struct hf_writing *writing, const struct hf_buf *raw,
		   struct hf_buf *ret)
{
	struct hf_view *view = writing->graph->view;
	struct hf_writing copy = *writing;
	struct hf_refs_caller caller = {
		.arg = &copy,
		.resolve = hf_writing_resolve,
		.report = writing->report ? report : NULL,
	};
	int error = hf_refs_rewrite(&view->config->refs, writing->vertex->path,
				    raw->data, raw->len, &caller, ret);

	return error < 0 ? error : hf_buf_status(ret);
}

int hf_writing_write(const struct hf_writing *writing, struct hf_wait *wait,
		     struct hf_buf *ret, struct hf_digest *digest)
{
	struct hf_strings late = {0};
	struct hf_writing copy = *writing;
	struct hf_buf raw = {0};
	int error = hf_vertex_read(writing->graph, writing->vertex, wait, &raw);

	copy.late = &late;
	if (error == 0)
		error = rewrite(&copy, &raw, ret);
	if (error == 0 && late.n > 0)
		error = hf_graph_grow(writing->graph, writing->vertex, &late);
	if (error == 0 && late.n > 0)
		error = -EAGAIN;
	if (error == 0)
		error = hf_hash(writing->graph->view->config->algorithm,
				ret->len ? ret->data : "", ret->len, digest);
	hf_buf_fini(&raw);
	hf_strings_fini(&late);
	return error;
}

int hf_writing_aside(struct hf_graph *graph, const struct hf_vertex *vertex,
		     const struct hf_buf *raw, struct hf_strings *late,
		     struct hf_buf *ret)
{
	struct hf_vertex copy = *vertex;
	struct hf_writing writing = {
		.graph = graph, .vertex = &copy, .late = late};
	size_t size = vertex->n_edges * sizeof(*copy.edges);
	int error;

	/* Edges are noted in when they are asked for. */
	copy.edges = malloc(size + 1);
	if (!copy.edges)
		return -ENOMEM;
	if (size)
		memcpy(copy.edges, vertex->edges, size);
	error = rewrite(&writing, raw, ret);
	free(copy.edges);
	return error;
}

int hf_writing_again(struct hf_graph *graph, const struct hf_vertex *vertex,
		     struct hf_wait *wait, bool *verbatim, struct hf_buf *ret,
		     struct hf_digest *digest)
{
	struct hf_buf raw = {0};
	int error;

	*verbatim = vertex->links.verbatim;
	if (*verbatim)
		return 0;
	error = hf_vertex_read(graph, vertex, wait, &raw);
	if (error == 0)
		error = hf_writing_aside(graph, vertex, &raw, NULL, ret);
	if (error == 0)
		error = hf_hash(graph->view->config->algorithm,
				ret->len ? ret->data : "", ret->len, digest);
	hf_buf_fini(&raw);
	return error;
}

void hf_writing_keep(const struct hf_graph *graph, const char *path,
		     const struct hf_digest *digest, struct hf_buf *text)
{
	struct hf_view *view = graph->view;

	hf_integrity_written(view, path, digest, text);
	hf_verified_unref(hf_rewritten_put(view->rewritten, path, digest,
					   graph->mark, text));
}

int hf_writing_report(struct hf_graph *graph, struct hf_vertex *vertex,
		      const struct hf_buf *raw, const struct hf_report *report)
{
	struct hf_writing writing = {
		.graph = graph, .vertex = vertex, .report = report};
	struct hf_buf unused = {0};
	int error = rewrite(&writing, raw, &unused);

	hf_buf_fini(&unused);
	return error;
}
