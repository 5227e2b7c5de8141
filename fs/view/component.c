/*
 * component: names of texts, leaves first. A text's digest is that of its
 * rewritten bytes, so whatever it refers to is named before it. Files that
 * refer to each other in a circle have no first: they are named together, by
 * their strongly connected component (Tarjan 1972, without recursion):
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
 *
 * Which links a text has is told by its original bytes. What is written for
 * one can make another, or unmake it: quotes around a URL hide the beginning of
 * a comment in it, or begin a string. A late link is found when the text is
 * written; one that is none any more does harm in a circle only, and is looked
 * for there. Either way all that is not named is visited again.
 */
#include "fs/view/internal.h"

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
		enum hf_target target;

		error = hf_writing_resolve(&copy, vertex->edges[i].link,
					   &target, ret);
		hf_buf_printf(ret, "%c%d%s%c", '\0', (int)target,
			      vertex->edges[i].link, '\0');
	}
	return error < 0 ? error : hf_buf_status(ret);
}

static void name_verbatim(struct hf_vertex *vertex)
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
	hf_buf_fini(&text);
	return error;
}

static int name_single(struct hf_graph *graph, struct hf_vertex *vertex,
		       struct hf_wait *wait)
{
	struct hf_texts *texts = graph->view->texts;
	struct hf_writing writing = {.graph = graph, .vertex = vertex};
	struct hf_buf text = {0};
	uint64_t key[2];
	int error;

	hf_buf_puts(&text, "single");
	error = add_dependencies(&writing, &text);
	if (error == 0)
		hf_texts_key(texts, &text, key);
	hf_buf_fini(&text);
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

/* --- components, leaves first -------------------------------------------------------- */

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

static bool refers_to_itself(const struct hf_vertex *vertex)
{
	for (size_t i = 0; i < vertex->n_edges; i++)
		if (vertex->edges[i].to == vertex)
			return true;
	return false;
}

static int name_component(struct tarjan *tarjan, struct hf_vertex **members,
			  size_t n)
{
	if (n > 1 || refers_to_itself(members[0]))
		return name_circle(tarjan->graph, members, n, tarjan->wait);
	if (members[0]->links.verbatim) {
		name_verbatim(members[0]);
		return 0;
	}
	return name_single(tarjan->graph, members[0], tarjan->wait);
}

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
	}
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
	error = name_component(tarjan, &tarjan->open[first],
			       tarjan->open_n - first);
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
	struct hf_vertex *to;

	if (vertex->next_edge < vertex->n_edges) {
		to = vertex->edges[vertex->next_edge++].to;
		if (!to)
			return 0;
		if (to->type == HF_VERTEX_FILE)
			name_verbatim(to);
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
