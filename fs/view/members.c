/*
 * members: what the members of a component are named. A text by itself is named
 * by its rewritten bytes; those of a circle together:
 *
 *   1. each member is rewritten with references inside the component left as
 *      they are written; the component's digest is that of all these texts'
 *      (path, digest), sorted by path;
 *   2. a member's name digest is the digest of (component digest, path);
 *   3. the final text carries the final names; its digest is the content
 *      digest, which only in a circle is not what the name says.
 *
 * So a change in a member renames all of them, and nothing depends on which
 * was asked for first.
 */
#include "fs/view/graph.h"

#include <errno.h>
#include <string.h>

/* --- a text by itself ------------------------------------------------------------- */

/* Appends what the rewritten bytes depend on: equal texts, equal bytes. */
static int add_dependencies(const struct hf_writing *writing,
			    struct hf_buf *ret)
{
	const struct hf_vertex *vertex = writing->vertex;
	struct hf_writing copy = *writing;
	int error = 0;

	hf_buf_add(ret, vertex->path, strlen(vertex->path) + 1);
	hf_buf_add(ret, vertex->raw.digest.bytes, vertex->raw.digest.len);
	for (size_t i = 0; i < vertex->n_edges && error == 0; i++) {
		const struct hf_edge *edge = &vertex->edges[i];
		enum hf_target target;

		error = hf_writing_resolve(&copy, edge->path,
					   edge->path == edge->link, &target,
					   ret);
		hf_buf_printf(ret, "%c%d%s%c", '\0', (int)target, edge->link,
			      '\0');
	}
	return error < 0 ? error : hf_buf_status(ret);
}

void hf_vertex_name_verbatim(struct hf_vertex *vertex)
{
	vertex->named.name = vertex->raw.digest;
	vertex->named.content = vertex->raw.digest;
	vertex->named.size = vertex->raw.size;
}

static int write_single(const struct hf_writing *writing,
			struct hf_vertex *vertex, struct hf_wait *wait)
{
	struct hf_buf text = {0};
	int error =
		hf_writing_write(writing, wait, &text, &vertex->named.content);

	vertex->named.name = vertex->named.content;
	vertex->named.size = text.len;
	if (error == 0)
		hf_writing_keep(writing->graph, vertex->path,
				&vertex->named.content, &text);
	hf_buf_fini(&text);
	return error;
}

int hf_vertex_key(struct hf_graph *graph, struct hf_vertex *vertex,
		  uint64_t ret[2])
{
	struct hf_writing writing = {.graph = graph, .vertex = vertex};
	struct hf_buf text = {0};
	int error;

	hf_buf_puts(&text, "single");
	error = add_dependencies(&writing, &text);
	if (error == 0)
		hf_texts_key(graph->view->texts, &text, ret);
	hf_buf_fini(&text);
	return error;
}

static int name_single(struct hf_graph *graph, struct hf_vertex *vertex,
		       struct hf_wait *wait)
{
	struct hf_texts *texts = graph->view->texts;
	struct hf_writing writing = {.graph = graph, .vertex = vertex};
	uint64_t key[2];
	int error = hf_vertex_key(graph, vertex, key);

	if (error < 0 ||
	    hf_texts_name(texts, vertex->path, key, &vertex->named))
		return error;
	error = write_single(&writing, vertex, wait);
	if (error == 0)
		hf_texts_put_name(texts, vertex->path, key, &vertex->named);
	return error;
}

/* --- a circle ---------------------------------------------------------------------- */

static int compare_members(const void *a, const void *b)
{
	const struct hf_vertex *const *x = a;
	const struct hf_vertex *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* Step 1; the members are sorted. */
static int component_digest(struct hf_graph *graph, struct hf_vertex **members,
			    size_t n, struct hf_wait *wait,
			    struct hf_digest *ret)
{
	const struct hf_algorithm *algorithm = graph->view->config->algorithm;
	struct hf_buf all = {0};
	int error = 0;

	for (size_t i = 0; i < n && error == 0; i++) {
		struct hf_writing writing = {.graph = graph,
					     .vertex = members[i],
					     .inside_stays = true};
		struct hf_buf text = {0};
		struct hf_digest digest;

		error = hf_writing_write(&writing, wait, &text, &digest);
		hf_buf_fini(&text);
		if (error < 0)
			break;
		hf_buf_add(&all, members[i]->path,
			   strlen(members[i]->path) + 1);
		hf_buf_add(&all, digest.bytes, digest.len);
	}
	if (error == 0)
		error = hf_buf_status(&all);
	if (error == 0)
		error = hf_hash(algorithm, all.data, all.len, ret);
	hf_buf_fini(&all);
	return error;
}

/* Step 2. */
static int member_digest(const struct hf_graph *graph,
			 const struct hf_digest *component,
			 struct hf_vertex *vertex)
{
	struct hf_buf text = {0};
	int error;

	hf_buf_add(&text, component->bytes, component->len);
	hf_buf_puts(&text, vertex->path);
	error = hf_buf_status(&text);
	if (error == 0)
		error = hf_hash(graph->view->config->algorithm, text.data,
				text.len, &vertex->named.name);
	hf_buf_fini(&text);
	return error;
}

/* Step 3. */
static int member_content(struct hf_graph *graph, struct hf_vertex *vertex,
			  struct hf_wait *wait)
{
	struct hf_writing writing = {.graph = graph, .vertex = vertex};
	struct hf_buf text = {0};
	int error =
		hf_writing_write(&writing, wait, &text, &vertex->named.content);

	vertex->named.size = text.len;
	vertex->named.circular = true;
	if (error == 0)
		hf_writing_keep(graph, vertex->path, &vertex->named.content,
				&text);
	hf_buf_fini(&text);
	return error;
}

/* Writes all members, with any name for each; every edge knows then if it was
 * asked for. -EAGAIN: some have late links. */
static int write_members(struct hf_graph *graph, struct hf_vertex **members,
			 size_t n, struct hf_wait *wait)
{
	int error = 0;

	for (size_t i = 0; i < n; i++) {
		members[i]->named.name = members[i]->raw.digest;
		for (size_t j = 0; j < members[i]->n_edges; j++)
			members[i]->edges[j].asked = false;
	}
	for (size_t i = 0; i < n && error == 0; i++) {
		struct hf_writing writing = {.graph = graph,
					     .vertex = members[i]};
		struct hf_buf text = {0};
		struct hf_digest unused;

		error = hf_writing_write(&writing, wait, &text, &unused);
		hf_buf_fini(&text);
		if (error == -EAGAIN && graph->changed)
			error = 0;
	}
	return error == 0 && graph->changed ? -EAGAIN : error;
}

/* -EAGAIN: not all edges that made the circle are links of what is written. */
static int check_circle(struct hf_graph *graph, struct hf_vertex **members,
			size_t n, struct hf_wait *wait)
{
	int error = write_members(graph, members, n, wait);

	for (size_t i = 0; i < n && error == 0; i++) {
		for (size_t j = 0; j < members[i]->n_edges; j++) {
			struct hf_edge *edge = &members[i]->edges[j];

			if (edge->asked || !edge->to ||
			    edge->to->component != members[i]->component)
				continue;
			edge->to = NULL;
			graph->changed = true;
		}
	}
	return error == 0 && graph->changed ? -EAGAIN : error;
}

static int write_circle(struct hf_graph *graph, struct hf_vertex **members,
			size_t n, struct hf_wait *wait)
{
	struct hf_digest component;
	int error = check_circle(graph, members, n, wait);

	if (error == 0)
		error = component_digest(graph, members, n, wait, &component);
	for (size_t i = 0; i < n && error == 0; i++)
		error = member_digest(graph, &component, members[i]);
	for (size_t i = 0; i < n && error == 0; i++)
		error = member_content(graph, members[i], wait);
	return error;
}

/* All members depend on the same. */
static int circle_key(struct hf_graph *graph, struct hf_vertex **members,
		      size_t n, uint64_t ret[2])
{
	struct hf_buf text = {0};
	int error = 0;

	hf_buf_puts(&text, "circle");
	for (size_t i = 0; i < n && error == 0; i++) {
		struct hf_writing writing = {.graph = graph,
					     .vertex = members[i],
					     .inside_stays = true};

		error = add_dependencies(&writing, &text);
	}
	if (error == 0)
		hf_texts_key(graph->view->texts, &text, ret);
	hf_buf_fini(&text);
	return error;
}

static int name_circle(struct hf_graph *graph, struct hf_vertex **members,
		       size_t n, struct hf_wait *wait)
{
	struct hf_texts *texts = graph->view->texts;
	uint64_t key[2];
	size_t known = 0;
	int error;

	qsort(members, n, sizeof(struct hf_vertex *), compare_members);
	error = circle_key(graph, members, n, key);
	while (error == 0 && known < n &&
	       hf_texts_name(texts, members[known]->path, key,
			     &members[known]->named))
		known++;
	if (error < 0 || known == n)
		return error;
	error = write_circle(graph, members, n, wait);
	for (size_t i = 0; i < n && error == 0; i++)
		hf_texts_put_name(texts, members[i]->path, key,
				  &members[i]->named);
	return error;
}

/* --- either ------------------------------------------------------------------------ */

static bool refers_to_itself(const struct hf_vertex *vertex)
{
	for (size_t i = 0; i < vertex->n_edges; i++)
		if (vertex->edges[i].to == vertex && vertex->edges[i].shown)
			return true;
	return false;
}

int hf_members_name(struct hf_graph *graph, struct hf_vertex **members,
		    size_t n, struct hf_wait *wait)
{
	if (n > 1 || refers_to_itself(members[0]))
		return name_circle(graph, members, n, wait);
	if (members[0]->links.verbatim) {
		hf_vertex_name_verbatim(members[0]);
		return 0;
	}
	return name_single(graph, members[0], wait);
}
