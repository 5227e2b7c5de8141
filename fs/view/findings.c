/*
 * findings: everything that is worth telling about a tree. A walk has named
 * it; here each of its files is asked what is wrong with it, and each text is
 * read once more, verified, for the lines that its references stand on.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

/* One round. `row`, `raw` and `error` are of the text at hand. */
struct search {
	struct hf_walk *walk;
	const struct hf_snapshot *snapshot;
	struct hf_findings *ret;
	const struct hf_row *row;
	struct hf_buf raw;
	struct hf_buf sentence;
	int error; /* of a callback */
	struct hf_vertex **circular;
	size_t n_circular;
	size_t cap_circular;
};

static void search_fini(struct search *search)
{
	hf_buf_fini(&search->raw);
	hf_buf_fini(&search->sentence);
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

/* hf_report's function: arg is the search. */
static void add_missing(void *arg, enum hf_target target,
			const struct hf_ref *ref)
{
	struct search *search = arg;
	bool outside = target == HF_TARGET_OUTSIDE;
	struct hf_buf *sentence = &search->sentence;
	struct hf_buf url = {0};

	if (search->error < 0)
		return;
	hf_buf_add(&url, ref->url, ref->url_len);
	hf_buf_reset(sentence);
	hf_buf_puts(sentence, "\"");
	hf_buf_add(sentence, ref->url, ref->url_len);
	if (outside)
		hf_buf_puts(sentence, "\" leads out of the static files");
	else if (*ref->path)
		hf_buf_printf(sentence, "\" leads to %s, which is missing",
			      ref->path);
	else
		hf_buf_puts(sentence, "\" cannot lead to a file");
	search->error = hf_buf_status(&url);
	if (search->error == 0)
		search->error =
			add(search, search->row->path,
			    outside ? "outside" : "missing", url.data, ref);
	hf_buf_fini(&url);
}

static int add_references(struct search *search, struct hf_vertex *vertex)
{
	const struct hf_report report = {.arg = search, .missing = add_missing};
	int error;

	search->error = 0;
	error = hf_writing_report(search->walk->graph, vertex, &search->raw,
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

/* The bytes of the file at hand, in search->raw. */
static int read_raw(struct search *search, const struct hf_vertex *vertex)
{
	hf_buf_reset(&search->raw);
	return hf_vertex_read(search->walk->graph, vertex, search->walk->wait,
			      &search->raw);
}

static int look_into_text(struct search *search, struct hf_vertex *vertex)
{
	int error;

	if (vertex->links.too_large)
		return add_verbatim(search, "too-large",
				    "is too large to be rewritten");
	error = read_raw(search, vertex);
	if (error == 0 && vertex->named.circular)
		error = keep_circular(search, vertex);
	if (error == 0 && vertex->links.not_utf8)
		error = add_verbatim(search, "not-utf8", "is not UTF-8");
	else if (error == 0)
		error = add_references(search, vertex);
	if (error == 0)
		error = hf_plainrefs_find(search->walk->view, search->snapshot,
					  search->row->path, vertex,
					  &search->raw, search->ret);
	return error;
}

/* A script that is never rewritten, as modules (.mjs) are. */
static int look_into_other(struct search *search, struct hf_vertex *vertex)
{
	int error;

	if (!hf_text_fits(vertex->raw.size))
		return 0;
	error = read_raw(search, vertex);
	if (error < 0)
		return error;
	return hf_plainrefs_find(search->walk->view, search->snapshot,
				 search->row->path, vertex, &search->raw,
				 search->ret);
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
	if (error < 0)
		return error;
	return text ? look_into_text(search, vertex)
		    : look_into_other(search, vertex);
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
	error = look_into(search, text);
	/* Named from memory, and yet it cannot be read. */
	if (error < 0 && !hf_error_passing(error) && !is_change(error))
		error = add_problem(search, HF_PROBLEM_UNREADABLE, -error);
	return error;
}

/* Reading texts is work that the walk did not know of. */
static void announce(const struct search *search)
{
	struct hf_progress *progress = search->walk->progress;
	bool text;

	for (size_t i = 0; progress && i < search->snapshot->n; i++) {
		const struct hf_row *row = &search->snapshot->rows[i];

		if (!is_read(search, row, &text))
			continue;
		atomic_fetch_add(&progress->files, 1);
		atomic_fetch_add(&progress->bytes, row->size);
	}
}

static void count(const struct search *search)
{
	struct hf_progress *progress = search->walk->progress;
	bool text;

	if (!progress || !is_read(search, search->row, &text))
		return;
	atomic_fetch_add(&progress->files_done, 1);
	atomic_fetch_add(&progress->bytes_done, search->row->size);
}

static int add_rows(struct search *search)
{
	int error = 0;

	announce(search);
	for (size_t i = 0; i < search->snapshot->n && error == 0; i++) {
		search->row = &search->snapshot->rows[i];
		error = add_row(search);
		count(search);
	}
	return error;
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
		error = add_circles(&search);
	ret->generation = snapshot->generation;
	hf_findings_sort(ret);
	return is_change(error) ? -EAGAIN : error;
}
