/*
 * plainrefs: plain names that somebody will ask for while the view shows none:
 * in texts, where rewriting does not reach them, and by custom.
 */
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

bool hf_plainrefs_wanted(const struct hf_view *view)
{
	return !(view->config->show & HF_SHOW_PLAIN);
}

/* A file that only its hashed name leads to. */
static bool is_hidden(const struct hf_view *view, const struct hf_row *row)
{
	return hf_plainrefs_wanted(view) && row->kind == HF_KIND_HASHED &&
	       strcmp(row->path, row->name) != 0;
}

/* --- in a text --------------------------------------------------------------- */

struct search {
	const struct hf_view *view;
	const struct hf_snapshot *snapshot;
	const struct hf_vertex *vertex; /* of the text */
	bool modules_rewritten;
	size_t n;
	size_t n_modules; /* of the n */
	size_t line;      /* of the first */
	size_t column;
	struct hf_buf url; /* of the first */
	struct hf_buf link;
};

/* With js_modules, what the patterns of imports found is among the edges,
 * with its query. */
static bool is_rewritten(struct search *search, const struct hf_ref *ref)
{
	const char *query = memchr(ref->url, '?', ref->url_len);
	size_t len = query ? ref->url_len - (size_t)(query - ref->url) : 0;
	const char *end = query ? memchr(query, '#', len) : NULL;
	struct hf_buf *link = &search->link;

	if (!search->modules_rewritten)
		return false;
	hf_buf_reset(link);
	hf_buf_puts(link, ref->path);
	if (query)
		hf_url_unquote(query, end ? (size_t)(end - query) : len, link);
	return !link->failed && hf_vertex_edge(search->vertex, link->data);
}

/* hf_plain_found: arg is the search. */
static void count(void *arg, enum hf_plain_form form, const struct hf_ref *ref)
{
	struct search *search = arg;
	const struct hf_row *row =
		hf_snapshot_find(search->snapshot, ref->path);

	if (!row || !is_hidden(search->view, row) ||
	    (form == HF_PLAIN_MODULE && is_rewritten(search, ref)))
		return;
	search->n_modules += form == HF_PLAIN_MODULE;
	if (search->n++)
		return;
	search->line = ref->line;
	search->column = ref->column;
	hf_buf_add(&search->url, ref->url, ref->url_len);
}

static void describe(const struct search *search, bool is_js,
		     struct hf_buf *ret)
{
	const struct hf_refs_config *refs = &search->view->config->refs;
	bool js_modules = is_js && search->n_modules && !refs->js_modules &&
			  refs->profile >= HF_REFS_DJANGO_6_1;

	if (search->n == 1)
		hf_buf_puts(ret, "1 reference is not rewritten and names a "
				 "file that is shown under its hashed name "
				 "only");
	else
		hf_buf_printf(ret,
			      "%zu references are not rewritten and name files "
			      "that are shown under their hashed names only",
			      search->n);
	hf_buf_printf(
		ret,
		"; -o show=hashed:kept:plain shows plain names too, keep= "
		"those of some files%s",
		js_modules ? ", js_modules rewrites imports" : "");
}

static int add(const struct search *search, const char *path,
	       struct hf_findings *ret)
{
	struct hf_buf sentence = {0};
	struct hf_finding finding = {
		.path = path,
		.line = search->line,
		.column = search->column,
		.kind = "plain-references",
	};
	int error;

	if (search->n == 0)
		return 0;
	describe(search, hf_glob_match("*.js", path), &sentence);
	error = hf_buf_status(&sentence);
	if (error == 0)
		error = hf_buf_status(&search->url);
	finding.url = search->url.data;
	finding.sentence = sentence.data;
	if (error == 0)
		error = hf_findings_add(ret, &finding);
	hf_buf_fini(&sentence);
	return error;
}

int hf_plainrefs_find(const struct hf_view *view,
		      const struct hf_snapshot *snapshot, const char *path,
		      const struct hf_vertex *vertex, const struct hf_buf *raw,
		      struct hf_findings *ret)
{
	const struct hf_refs_config *refs = &view->config->refs;
	struct search search = {
		.view = view,
		.snapshot = snapshot,
		.vertex = vertex,
		.modules_rewritten = refs->js_modules,
	};
	int error;

	if (!hf_plainrefs_wanted(view))
		return 0;
	error = hf_plain_find(refs, path, raw->len ? raw->data : "", raw->len,
			      count, &search);
	if (error == 0)
		error = add(&search, path, ret);
	hf_buf_fini(&search.url);
	hf_buf_fini(&search.link);
	return error;
}

/* --- by custom ------------------------------------------------------------------ */

int hf_plainname_find(const struct hf_view *view, const struct hf_row *row,
		      struct hf_findings *ret)
{
	static const char *const globs[] = {
		"favicon.ico", "robots.txt",         "manifest.webmanifest",
		"sw.js",       "service-worker*.js",
	};
	const struct hf_finding finding = {
		.path = row->path,
		.kind = "plain-name",
		.url = "",
		.sentence = "is asked for by this name, but shown under its "
			    "hashed name only; -o keep= keeps its name",
	};
	const char *slash = strrchr(row->path, '/');
	const char *name = slash ? slash + 1 : row->path;

	if (!is_hidden(view, row))
		return 0;
	for (size_t i = 0; i < HF_ARRAY_SIZE(globs); i++)
		if (hf_glob_match(globs[i], name))
			return hf_findings_add(ret, &finding);
	return 0;
}
