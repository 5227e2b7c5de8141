/*
 * findings: everything that is worth telling about a tree. A walk has named
 * it; here each of its files is asked what is wrong with it, and each text is
 * read once more, verified, for the lines that its references stand on.
 */
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

/* A text that is read for what it refers to. */
struct task {
	const struct hf_row *row;
	struct hf_vertex *vertex;
	bool text; /* it is rewritten */
};

/* One round, or one share of it. `row`, `raw` and `error` are of the text at
 * hand. */
struct search {
	struct hf_walk *walk;
	const struct hf_snapshot *snapshot;
	struct hf_findings *ret;
	const struct hf_row *row;
	const struct hf_buf *raw;
	struct hf_buf sentence;
	int error;              /* of a callback */
	struct task *tasks;     /* of the round */
	const struct task *all; /* the same, borrowed by a share */
	size_t n_tasks;
	struct hf_vertex **circular;
	size_t n_circular;
	size_t cap_circular;
};

static void search_fini(struct search *search)
{
	hf_buf_fini(&search->sentence);
	free(search->tasks);
	free(search->circular);
}

/* Adds what search->sentence says; strings that are not given are empty. */
static int add(struct search *search, const char *path, const char *kind,
	       const char *url, const struct hf_ref *ref)
{
	struct hf_finding finding = {
		.path = path,
		.kind = kind,
		.url = url ? url : "",
		.line = ref ? ref->line : 0,
		.column = ref ? ref->column : 0,
		.sentence = search->sentence.data,
	};

	if (hf_buf_status(&search->sentence) < 0)
		return -ENOMEM;
	return hf_findings_add(search->ret, &finding);
}

/* --- files ------------------------------------------------------------------ */

static int add_problem(struct search *search, enum hf_problem problem,
		       int error)
{
	const struct hf_row *row = search->row;

	hf_buf_reset(&search->sentence);
	hf_problem_describe(problem, error, &search->sentence);
	return add(search, row->path, hf_problem_kind(problem), NULL, NULL);
}

/* --- texts ------------------------------------------------------------------ */

/* There is something, which has a finding of its own. */
static bool is_unreadable(const struct search *search, const char *path)
{
	const struct hf_row *row = hf_snapshot_find(search->snapshot, path);

	return row && (row->problem == HF_PROBLEM_UNREADABLE ||
		       row->problem == HF_PROBLEM_LINK);
}

/* What it is that leads nowhere, or to a file that cannot be read, be it for a
 * directory on the way. */
static int kind_of(const struct search *search, enum hf_target target,
		   const struct hf_ref *ref, const char **ret)
{
	HF_CLEANUP(hf_freep) char *way = NULL;

	*ret = "outside";
	if (target == HF_TARGET_OUTSIDE)
		return 0;
	way = strdup(ref->path);
	if (!way)
		return -ENOMEM;
	while (*way && !is_unreadable(search, way)) {
		char *slash = strrchr(way, '/');

		*(slash ? slash : way) = '\0';
	}
	*ret = *way ? "unreadable-target" : "missing";
	return 0;
}

/* hf_report's function: arg is the search. */
static void add_missing(void *arg, enum hf_target target,
			const struct hf_ref *ref)
{
	struct search *search = arg;
	struct hf_buf *sentence = &search->sentence;
	struct hf_buf url = {0};
	const char *kind;

	if (search->error < 0)
		return;
	search->error = kind_of(search, target, ref, &kind);
	if (search->error < 0)
		return;
	hf_buf_add(&url, ref->url, ref->url_len);
	hf_buf_reset(sentence);
	hf_buf_puts(sentence, "\"");
	hf_buf_add(sentence, ref->url, ref->url_len);
	if (target == HF_TARGET_OUTSIDE)
		hf_buf_puts(sentence, "\" leads out of the static files");
	else if (*ref->path)
		hf_buf_printf(sentence, "\" leads to %s, which %s", ref->path,
			      strcmp(kind, "missing") == 0 ? "is missing"
							   : "cannot be read");
	else
		hf_buf_puts(sentence, "\" cannot lead to a file");
	search->error = hf_buf_status(&url);
	if (search->error == 0)
		search->error =
			add(search, search->row->path, kind, url.data, ref);
	hf_buf_fini(&url);
}

static int add_references(struct search *search, struct hf_vertex *vertex)
{
	const struct hf_report report = {.arg = search, .missing = add_missing};
	int error;

	search->error = 0;
	error = hf_writing_report(search->walk->graph, vertex, search->raw,
				  &report);
	return error < 0 ? error : search->error;
}

static int add_verbatim(struct search *search, const char *kind,
			const char *why)
{
	hf_buf_reset(&search->sentence);
	hf_buf_printf(&search->sentence,
		      "%s, so it is shown as it is: its references are not "
		      "rewritten",
		      why);
	return add(search, search->row->path, kind, NULL, NULL);
}

static int keep_circular(struct search *search, struct hf_vertex *vertex)
{
	if (search->n_circular == search->cap_circular) {
		size_t cap =
			search->cap_circular ? 2 * search->cap_circular : 32;
		struct hf_vertex **vertices = reallocarray(
			search->circular, cap, sizeof(struct hf_vertex *));

		if (!vertices)
			return -ENOMEM;
		search->circular = vertices;
		search->cap_circular = cap;
	}
	search->circular[search->n_circular++] = vertex;
	return 0;
}

/* What its bytes tell: search->raw. */
static int look_at_bytes(struct search *search, const struct task *task)
{
	struct hf_vertex *vertex = task->vertex;
	int error = 0;

	if (task->text && vertex->links.not_utf8)
		error = add_verbatim(search, "not-utf8", "is not UTF-8");
	else if (task->text)
		error = add_references(search, vertex);
	if (error == 0)
		error = hf_plainrefs_find(search->walk->view, search->snapshot,
					  search->row->path, vertex,
					  search->raw, search->ret);
	return error;
}

/* What can be told without reading it; what it was read for comes later. */
static int plan(struct search *search, struct hf_vertex *vertex, bool text)
{
	int error = 0;

	if (text && vertex->links.too_large)
		return add_verbatim(search, "too-large",
				    "is too large to be rewritten");
	/* A script that is never rewritten, as modules (.mjs) are. */
	if (!text && !hf_text_fits(vertex->raw.size))
		return 0;
	if (text && vertex->named.circular)
		error = keep_circular(search, vertex);
	search->tasks[search->n_tasks++] = (struct task){
		.row = search->row, .vertex = vertex, .text = text};
	return error;
}

/* What was named must be what is read now. */
static int check_vertex(const struct search *search,
			const struct hf_vertex *vertex, bool text)
{
	const struct hf_digest *digest =
		text ? &vertex->named.content : &vertex->raw.digest;

	if (vertex->error < 0)
		return vertex->error;
	return hf_digest_equal(digest, &search->row->content_digest) ? 0
								     : -ESTALE;
}

static int look_into(struct search *search, bool text)
{
	struct hf_walk *walk = search->walk;
	const char *path = search->row->path;
	struct hf_vertex *vertex;
	int error;

	if (hf_wait_interrupted(walk->wait))
		return -EINTR;
	error = text ? hf_graph_vertex(walk->graph, path, walk->wait, &vertex)
		     : hf_graph_explore(walk->graph, path, walk->wait, &vertex);
	if (error == 0)
		error = check_vertex(search, vertex, text);
	return error < 0 ? error : plan(search, vertex, text);
}

/* --- rows ------------------------------------------------------------------- */

/* True if the row's bytes are to be read; *text: they are rewritten. */
static bool is_read(const struct search *search, const struct hf_row *row,
		    bool *text)
{
	const struct hf_view *view = search->walk->view;

	*text = hf_view_is_text(view, row->path);
	return row->kind == HF_KIND_HASHED && row->error == 0 &&
	       (*text ||
		(hf_plainrefs_wanted(view) && hf_plain_applies(row->path)));
}

/* What changed or went away is another state of the tree, and not to be told
 * of. */
static bool is_change(int error)
{
	return error == -ESTALE || error == -ENOENT || error == -ENOTDIR ||
	       error == -EBUSY || error == -EAGAIN;
}

/* Named from memory, and yet it cannot be read? */
static int judge(struct search *search, int error)
{
	if (error < 0 && !hf_error_passing(error) && !is_change(error))
		return add_problem(search, HF_PROBLEM_UNREADABLE, -error);
	return error;
}

static int add_row(struct search *search)
{
	const struct hf_row *row = search->row;
	bool text;
	int error = 0;

	if (row->problem != HF_PROBLEM_NONE)
		error = add_problem(search, row->problem, row->error);
	if (error == 0)
		error = hf_plainname_find(search->walk->view, row, search->ret);
	if (error < 0 || !is_read(search, row, &text))
		return error;
	return judge(search, look_into(search, text));
}

/* Reading texts is work that the walk did not know of. */
static void announce(const struct search *search)
{
	struct hf_progress *progress = search->walk->progress;

	for (size_t i = 0; progress && i < search->n_tasks; i++) {
		atomic_fetch_add(&progress->files, 1);
		atomic_fetch_add(&progress->bytes, search->tasks[i].row->size);
	}
}

static int add_rows(struct search *search)
{
	int error = 0;

	search->tasks = calloc(search->snapshot->n + 1, sizeof(*search->tasks));
	if (!search->tasks)
		return -ENOMEM;
	for (size_t i = 0; i < search->snapshot->n && error == 0; i++) {
		search->row = &search->snapshot->rows[i];
		error = add_row(search);
	}
	return error;
}

/* --- in the pool ---------------------------------------------------------------- */

/* What is found in a share of the tasks. */
struct share {
	struct hf_findings found;
	struct search search;
};

static const struct hf_vertex *vertex_of(void *arg, size_t i)
{
	const struct search *search = arg;

	return search->tasks[i].vertex;
}

static void *begin_share(void *arg)
{
	const struct search *search = arg;
	struct share *share = calloc(1, sizeof(*share));

	if (!share)
		return NULL;
	share->search.walk = search->walk;
	share->search.snapshot = search->snapshot;
	share->search.all = search->tasks;
	share->search.ret = &share->found;
	return share;
}

static void free_share(void *arg)
{
	struct share *share = arg;

	if (!share)
		return;
	hf_findings_fini(&share->found);
	search_fini(&share->search);
	free(share);
}

static int look_at_text(void *arg, size_t i, int error,
			const struct hf_buf *raw)
{
	struct share *share = arg;
	struct search *search = &share->search;
	const struct task *task = &search->all[i];

	search->row = task->row;
	search->raw = raw;
	if (error == 0)
		error = look_at_bytes(search, task);
	return judge(search, error);
}

static void count(const struct search *search, size_t first, size_t n)
{
	struct hf_progress *progress = search->walk->progress;

	for (size_t i = first; progress && i < first + n; i++) {
		atomic_fetch_add(&progress->files_done, 1);
		atomic_fetch_add(&progress->bytes_done,
				 search->tasks[i].row->size);
	}
}

static int take_share(void *arg, void *found, size_t first, size_t n)
{
	struct search *search = arg;
	const struct share *share = found;
	int error = 0;

	for (size_t i = 0; i < share->found.n && error == 0; i++)
		error = hf_findings_add(search->ret, &share->found.rows[i]);
	count(search, first, n);
	return error;
}

static int run_tasks(struct search *search)
{
	const struct hf_relay relay = {
		.n = search->n_tasks,
		.vertex = vertex_of,
		.begin = begin_share,
		.look = look_at_text,
		.take = take_share,
		.free = free_share,
		.arg = search,
	};

	announce(search);
	return hf_relay_run(search->walk->view, search->walk->wait, &relay);
}

/* --- circles ------------------------------------------------------------------ */

static int compare_circular(const void *a, const void *b)
{
	const struct hf_vertex *x = *(struct hf_vertex *const *)a;
	const struct hf_vertex *y = *(struct hf_vertex *const *)b;

	if (x->component != y->component)
		return x->component < y->component ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int add_circle(struct search *search, struct hf_vertex **members,
		      size_t n)
{
	struct hf_buf *sentence = &search->sentence;

	hf_buf_reset(sentence);
	if (n == 1)
		hf_buf_puts(sentence, "refers to itself");
	else
		hf_buf_puts(sentence, "refers to itself in a circle: ");
	for (size_t i = 0; n > 1 && i < n; i++)
		hf_buf_printf(sentence, "%s%s", i ? ", " : "",
			      members[i]->path);
	return add(search, members[0]->path, "cycle", NULL, NULL);
}

static int add_circles(struct search *search)
{
	struct hf_vertex **all = search->circular;
	size_t n = search->n_circular;
	int error = 0;

	if (n)
		qsort(all, n, sizeof(struct hf_vertex *), compare_circular);
	for (size_t first = 0, next; first < n && error == 0; first = next) {
		for (next = first + 1;
		     next < n && all[next]->component == all[first]->component;
		     next++)
			;
		error = add_circle(search, &all[first], next - first);
	}
	return error;
}

int hf_findings_of_walk(struct hf_walk *walk,
			const struct hf_snapshot *snapshot,
			struct hf_findings *ret)
{
	HF_CLEANUP(search_fini)
	struct search search = {.walk = walk, .snapshot = snapshot, .ret = ret};
	int error = add_rows(&search);

	if (error == 0)
		error = run_tasks(&search);
	if (error == 0)
		error = add_circles(&search);
	ret->generation = snapshot->generation;
	hf_findings_sort(ret);
	return is_change(error) ? -EAGAIN : error;
}
