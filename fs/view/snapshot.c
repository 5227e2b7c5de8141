/*
 * snapshot: the whole mapping, written down from a walk.
 */
#include "fs/view/walk.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* --- rows ------------------------------------------------------------------- */

/* Rows hold offsets into their text until that has stopped growing. */
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

/* So many rows are made together, by one thread, and have a text for them. */
#define SHARE 1024

struct share {
	int error;
	bool sorted; /* the rows in it, by path, each path once */
};

struct rows {
	struct hf_walk *walk;
	struct hf_snapshot *snapshot;
	const struct hf_algorithm *integrity; /* or NULL */
	struct hf_wait *wait;
	struct hf_sight *sights; /* what the rows are about */
	struct share *shares;
};

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

/* The text goes on behind what is in it. */
static int make_row(const struct rows *rows, const struct hf_sight *sight,
		    const char *dir, struct hf_buf *text, struct hf_row *ret)
{
	const struct hf_listing *listing = sight->stop->listing;
	const struct hf_entry *entry = hf_listing_entry(listing, sight->i);
	size_t path = add_path(text, dir, entry->source);
	bool nameless = entry->hidden && !entry->shared;
	size_t name = nameless ? add_path(text, "", NULL)
			       : add_path(text, dir, entry->name);
	int error = hf_buf_status(text);

	*ret = (struct hf_row){
		.path = offset(path),
		.name = offset(name),
		.kind = entry->kind,
		.problem = problem_of(listing, sight->i),
		.error = entry->error,
		.size = entry->size,
		.name_digest = entry->name_digest,
		.content_digest = entry->digest,
	};
	if (error == 0)
		error = look_at(rows, sight->stop, sight->i, text->data + path,
				ret);
	if (error == 0 || hf_error_passing(error) || error == -ENOENT ||
	    error == -EBUSY || error == -ESTALE)
		return error;
	ret->problem = HF_PROBLEM_UNREADABLE;
	ret->error = -error;
	return 0;
}

/* Of a directory that could not be listed. */
static int make_failed(const struct hf_stop *stop, const char *dir,
		       struct hf_buf *text, struct hf_row *ret)
{
	*ret = (struct hf_row){
		.path = offset(add_path(text, dir, NULL)),
		.name = offset(add_path(text, "", NULL)),
		.kind = HF_KIND_DIR,
		.problem = HF_PROBLEM_UNREADABLE,
		.error = -stop->error,
	};
	return hf_buf_status(text);
}

/* Rows [first, end): then they point into the text, which is theirs. */
static int make_some(const struct rows *rows, size_t first, size_t end,
		     struct hf_buf *text)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf dir = {0};
	const struct hf_stop *stop = NULL;
	struct hf_row *made = rows->snapshot->rows;
	int error = 0;

	for (size_t i = first; i < end && error == 0; i++) {
		const struct hf_sight *sight = &rows->sights[i];

		if (sight->stop != stop) {
			stop = sight->stop;
			hf_buf_reset(&dir);
			hf_node_path(stop->node, &dir);
			error = hf_buf_status(&dir);
		}
		if (error == 0)
			error = sight->i == SIZE_MAX
					? make_failed(stop, dir.data, text,
						      &made[i])
					: make_row(rows, sight, dir.data, text,
						   &made[i]);
	}
	for (size_t i = first; i < end && error == 0; i++) {
		made[i].path = text->data + (uintptr_t)made[i].path;
		made[i].name = text->data + (uintptr_t)made[i].name;
	}
	return error;
}

static bool in_order(const struct hf_row *a, const struct hf_row *b)
{
	return strcmp(a->path, b->path) < 0;
}

static bool are_sorted(const struct hf_row *rows, size_t first, size_t end)
{
	for (size_t i = first + 1; i < end; i++)
		if (!in_order(&rows[i - 1], &rows[i]))
			return false;
	return true;
}

/* In several threads. */
static void make_share(void *arg, size_t share)
{
	const struct rows *rows = arg;
	struct hf_snapshot *snapshot = rows->snapshot;
	size_t first = share * SHARE;
	size_t end = first + SHARE < snapshot->n ? first + SHARE : snapshot->n;
	struct hf_buf text = {0};

	rows->shares[share].error = make_some(rows, first, end, &text);
	if (rows->shares[share].error == 0)
		rows->shares[share].sorted =
			are_sorted(snapshot->rows, first, end);
	snapshot->texts[share] = text.data;
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

/* What rows there will be. */
static int look_around(struct rows *rows)
{
	size_t n = 0;
	size_t n_rows = 0;
	int error;

	rows->sights = malloc((hf_walk_sights(rows->walk) + 1) *
			      sizeof(*rows->sights));
	if (!rows->sights)
		return -ENOMEM;
	error = hf_walk_tour(rows->walk, rows->sights, &n);
	for (size_t i = 0; i < n && error == 0; i++) {
		const struct hf_sight *sight = &rows->sights[i];

		if (sight->i == SIZE_MAX ||
		    has_row(sight->stop->listing, sight->i))
			rows->sights[n_rows++] = *sight;
	}
	rows->snapshot->n = n_rows;
	return error;
}

static int make_room(struct rows *rows)
{
	struct hf_snapshot *snapshot = rows->snapshot;
	size_t n_texts = (snapshot->n + SHARE - 1) / SHARE;

	snapshot->rows = malloc((snapshot->n + 1) * sizeof(*snapshot->rows));
	snapshot->texts = calloc(n_texts + 1, sizeof(*snapshot->texts));
	rows->shares = calloc(n_texts + 1, sizeof(*rows->shares));
	if (!snapshot->rows || !snapshot->texts || !rows->shares)
		return -ENOMEM;
	hf_heap_expect(snapshot->rows, snapshot->n * sizeof(*snapshot->rows));
	snapshot->n_texts = n_texts;
	return 0;
}

static int make_all(struct rows *rows)
{
	size_t n = rows->snapshot->n_texts;
	int error = 0;

	/* The asker alone waits for the reading of a file. */
	if (rows->integrity)
		for (size_t i = 0; i < n; i++)
			make_share(rows, i);
	else
		hf_pool_share(rows->walk->view->pool, n, make_share, rows);
	for (size_t i = 0; i < n && error == 0; i++)
		error = rows->shares[i].error;
	return error;
}

static void rows_fini(struct rows *rows)
{
	free(rows->sights);
	free(rows->shares);
}

/* The tour leaves little to do, as a rule nothing. */
static void sort(const struct rows *rows)
{
	struct hf_snapshot *snapshot = rows->snapshot;
	bool sorted = true;

	for (size_t i = 0; i < snapshot->n_texts && sorted; i++)
		sorted = rows->shares[i].sorted &&
			 (i == 0 || in_order(&snapshot->rows[i * SHARE - 1],
					     &snapshot->rows[i * SHARE]));
	if (!sorted)
		qsort(snapshot->rows, snapshot->n, sizeof(*snapshot->rows),
		      compare_rows);
}

int hf_snapshot_of_walk(struct hf_walk *walk,
			const struct hf_algorithm *integrity,
			struct hf_wait *wait, struct hf_snapshot *ret)
{
	HF_CLEANUP(rows_fini)
	struct rows rows = {.walk = walk,
			    .snapshot = ret,
			    .integrity = integrity,
			    .wait = wait};
	int error = look_around(&rows);

	if (error == 0)
		error = make_room(&rows);
	if (error == 0)
		error = make_all(&rows);
	if (error < 0)
		return error;
	ret->generation = generation_of(walk);
	sort(&rows);
	return 0;
}

void hf_snapshot_fini(struct hf_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->n_texts; i++)
		free(snapshot->texts[i]);
	free(snapshot->texts);
	free(snapshot->rows);
	memset(snapshot, 0, sizeof(*snapshot));
}
