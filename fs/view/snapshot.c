/*
 * snapshot: the whole mapping, written down from a walk.
 */
#include "fs/view/walk.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* --- rows ------------------------------------------------------------------- */

/* Rows hold offsets into `text` until it has stopped growing. */
static const char *offset(size_t at)
{
	return (const char *)(uintptr_t)at;
}

static size_t add_path(struct hf_buf *text, const char *dir, const char *name)
{
	size_t at = text->len;

	if (name)
		hf_view_join(text, dir, name);
	else
		hf_buf_puts(text, dir);
	hf_buf_putc(text, '\0');
	return at;
}

struct rows {
	struct hf_walk *walk;
	struct hf_snapshot *snapshot;
	const struct hf_algorithm *integrity; /* or NULL */
	struct hf_wait *wait;
	size_t cap;
};

static int add_row(struct rows *rows, const struct hf_row *row)
{
	struct hf_snapshot *snapshot = rows->snapshot;

	assert(snapshot->n < rows->cap);
	snapshot->rows[snapshot->n++] = *row;
	return hf_buf_status(&snapshot->text);
}

/* A file without a digest was not read yet: it has to be readable all the
 * same, or the mapping would name what cannot be had. */
static int try_open(struct hf_view *view, const struct hf_entry *entry,
		    const char *path)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat st;

	if (entry->digest.len || entry->error || entry->hidden)
		return 0;
	return hf_source_open_file(view->source, entry->root, path, &fd, &st);
}

/* Is entry `i` another one of the source name before it? */
static bool is_second(const struct hf_listing *listing, size_t i)
{
	return i > 0 && strcmp(hf_listing_entry(listing, i)->source,
			       hf_listing_entry(listing, i - 1)->source) == 0;
}

/* A hidden entry without a problem is one that has not to be told of, unless
 * it shares a name. A plain name beside a hashed one, or a directory of a later
 * source that a file hides, is no row of its own. */
static bool has_row(const struct hf_listing *listing, size_t i)
{
	const struct hf_entry *entry = hf_listing_entry(listing, i);

	if (entry->kind == HF_KIND_DIR)
		return false;
	if (entry->hidden && !entry->shared &&
	    entry->problem == HF_PROBLEM_NONE)
		return false;
	return !is_second(listing, i) || !has_row(listing, i - 1);
}

/* A row tells what there is to tell of all entries of its source name. */
static enum hf_problem problem_of(const struct hf_listing *listing, size_t i)
{
	enum hf_problem problem = hf_listing_entry(listing, i)->problem;

	for (i++; problem == HF_PROBLEM_NONE && i < hf_listing_len(listing) &&
		  is_second(listing, i);
	     i++)
		problem = hf_listing_entry(listing, i)->problem;
	return problem;
}

/* What only a look at the file can tell. */
static int look_at(const struct rows *rows, const struct hf_stop *stop,
		   size_t i, const char *path, struct hf_row *row)
{
	const struct hf_entry *entry = hf_listing_entry(stop->listing, i);
	int error = try_open(rows->walk->view, entry, path);

	if (error == 0 && rows->integrity && !entry->error &&
	    (!entry->hidden || entry->shared))
		error = hf_integrity_find(rows->walk, stop, i, path,
					  rows->integrity, rows->wait,
					  &row->integrity);
	return error;
}

static int add_entry(struct rows *rows, const char *dir,
		     const struct hf_stop *stop, size_t i)
{
	const struct hf_listing *listing = stop->listing;
	const struct hf_entry *entry = hf_listing_entry(listing, i);
	struct hf_buf *text = &rows->snapshot->text;
	size_t path = add_path(text, dir, entry->source);
	bool nameless = entry->hidden && !entry->shared;
	size_t name = nameless ? add_path(text, "", NULL)
			       : add_path(text, dir, entry->name);
	struct hf_row row = {
		.path = offset(path),
		.name = offset(name),
		.kind = entry->kind,
		.problem = problem_of(listing, i),
		.error = entry->error,
		.size = entry->size,
		.name_digest = entry->name_digest,
		.content_digest = entry->digest,
	};
	int error = hf_buf_status(text);

	if (error < 0)
		return error;
	error = look_at(rows, stop, i, text->data + path, &row);
	if (hf_error_passing(error) || error == -ENOENT || error == -EBUSY ||
	    error == -ESTALE)
		return error;
	if (error < 0) {
		row.problem = HF_PROBLEM_UNREADABLE;
		row.error = -error;
	}
	return add_row(rows, &row);
}

static int add_failed_dir(struct rows *rows, const char *dir, int error)
{
	struct hf_buf *text = &rows->snapshot->text;
	struct hf_row row = {
		.kind = HF_KIND_DIR,
		.problem = HF_PROBLEM_UNREADABLE,
		.error = -error,
	};

	row.path = offset(add_path(text, dir, NULL));
	row.name = offset(add_path(text, "", NULL));
	return add_row(rows, &row);
}

static int compare_rows(const void *a, const void *b)
{
	const struct hf_row *x = a;
	const struct hf_row *y = b;

	return strcmp(x->path, y->path);
}

const struct hf_row *hf_snapshot_find(const struct hf_snapshot *snapshot,
				      const char *path)
{
	const struct hf_row key = {.path = path};

	return snapshot->n ? bsearch(&key, snapshot->rows, snapshot->n,
				     sizeof(key), compare_rows)
			   : NULL;
}

/* Of the listings, in the order of the walk, which the names decide. */
static uint64_t generation_of(const struct hf_walk *walk)
{
	uint64_t mixed[2] = {0, 0};

	for (size_t i = 0; i < walk->n; i++) {
		const struct hf_stop *stop = &walk->stops[i];
		uint64_t next = stop->listing
					? hf_listing_generation(stop->listing)
					: 0;

		mixed[1] = hf_siphash(mixed, &next, sizeof(next));
	}
	return mixed[1];
}

/* --- the whole ----------------------------------------------------------------- */

/* Room for all rows, so that none has to move. */
static int make_room(const struct hf_walk *walk, struct rows *rows)
{
	size_t n = 1;

	for (size_t i = 0; i < walk->n; i++)
		n += walk->stops[i].listing
			     ? hf_listing_len(walk->stops[i].listing)
			     : 1;
	rows->snapshot->rows = malloc(n * sizeof(*rows->snapshot->rows));
	rows->cap = n;
	return rows->snapshot->rows ? 0 : -ENOMEM;
}

static int visit_failed(void *arg, const char *dir, int error)
{
	return add_failed_dir(arg, dir, error);
}

static int visit_entry(void *arg, const char *dir, const struct hf_stop *stop,
		       size_t i)
{
	return has_row(stop->listing, i) ? add_entry(arg, dir, stop, i) : 0;
}

static int add_all(struct rows *rows)
{
	const struct hf_visitor visitor = {rows, visit_failed, visit_entry};
	int error = make_room(rows->walk, rows);

	return error < 0 ? error : hf_walk_tour(rows->walk, &visitor);
}

/* The tour leaves little to do, as a rule nothing. */
static void sort(struct hf_snapshot *snapshot)
{
	size_t sorted = 1;

	while (sorted < snapshot->n &&
	       compare_rows(&snapshot->rows[sorted - 1],
			    &snapshot->rows[sorted]) < 0)
		sorted++;
	if (sorted < snapshot->n)
		qsort(snapshot->rows, snapshot->n, sizeof(*snapshot->rows),
		      compare_rows);
}

int hf_snapshot_of_walk(struct hf_walk *walk,
			const struct hf_algorithm *integrity,
			struct hf_wait *wait, struct hf_snapshot *ret)
{
	struct rows rows = {.walk = walk,
			    .snapshot = ret,
			    .integrity = integrity,
			    .wait = wait};
	int error = add_all(&rows);

	if (error < 0)
		return error;
	ret->generation = generation_of(walk);
	for (size_t i = 0; i < ret->n; i++) {
		struct hf_row *row = &ret->rows[i];

		row->path = ret->text.data + (uintptr_t)row->path;
		row->name = ret->text.data + (uintptr_t)row->name;
	}
	sort(ret);
	return 0;
}

void hf_snapshot_fini(struct hf_snapshot *snapshot)
{
	free(snapshot->rows);
	hf_buf_fini(&snapshot->text);
	memset(snapshot, 0, sizeof(*snapshot));
}
