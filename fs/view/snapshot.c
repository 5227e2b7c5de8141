/*
 * snapshot: the whole mapping at one moment. The tree is walked once to learn
 * its size, once to name it, and once more to see that nothing moved; only
 * then are the rows written down.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

/* How often a tree may change before it has no state to be told. */
#define ROUNDS 3
/* Directories whose digests are on their way while one is waited for. */
#define WINDOW 32

/* One directory of the walk, or a directory that cannot be listed. */
struct stop {
	struct hf_node *node;
	struct hf_naming *naming;
	struct hf_listing *listing;
	int error;
};

struct walk {
	struct hf_view *view;
	struct hf_wait *wait;
	struct hf_progress *progress;
	struct stop *stops;
	size_t n;
	size_t cap;
};

static void walk_fini(struct walk *walk)
{
	for (size_t i = 0; i < walk->n; i++) {
		hf_naming_free(walk->stops[i].naming);
		hf_listing_unref(walk->stops[i].listing);
		hf_node_unref(walk->stops[i].node);
	}
	free(walk->stops);
	walk->stops = NULL;
	walk->n = walk->cap = 0;
}

/* Steals `node`. */
static int add_stop(struct walk *walk, struct hf_node *node)
{
	if (walk->n == walk->cap) {
		size_t cap = walk->cap ? 2 * walk->cap : 256;
		struct stop *stops = realloc(walk->stops, cap * sizeof(*stops));

		if (!stops) {
			hf_node_unref(node);
			return -ENOMEM;
		}
		walk->stops = stops;
		walk->cap = cap;
	}
	walk->stops[walk->n++] = (struct stop){.node = node};
	return 0;
}

/* Errors of one directory are rows of the snapshot; others end it. */
static bool is_row(int error)
{
	return error == -EACCES || error == -EPERM || error == -EIO ||
	       error == -ELOOP || error == -ENAMETOOLONG || error == -EXDEV;
}

/* --- the tree, without a digest ------------------------------------------- */

static int add_child(struct walk *walk, size_t parent,
		     const struct hf_source_entry *source)
{
	struct hf_view *view = walk->view;
	struct hf_entry entry;
	struct hf_buf unused = {0};
	struct hf_node *node;
	int error = hf_present(view, "", source, (struct hf_rule){0}, NULL, 0,
			       &unused, &entry);

	if (error == 0)
		error = hf_node_new(view, walk->stops[parent].node, &entry,
				    &node);
	hf_buf_fini(&unused);
	return error < 0 ? error : add_stop(walk, node);
}

static int expand(struct walk *walk, size_t at)
{
	struct hf_catalog *catalog;
	struct hf_source_list *list;
	int error =
		hf_view_dir_catalog(walk->view, walk->stops[at].node, &catalog);

	if (is_row(error)) {
		walk->stops[at].error = error;
		return 0;
	}
	if (error < 0)
		return error;
	list = hf_catalog_list(catalog);
	for (size_t i = 0; i < hf_source_list_len(list) && error == 0; i++) {
		const struct hf_source_entry *entry =
			hf_source_list_entry(list, i);

		if (entry->shadowed)
			continue;
		if (entry->type == HF_TYPE_DIR)
			error = add_child(walk, at, entry);
		else if (entry->type == HF_TYPE_FILE && walk->progress) {
			atomic_fetch_add(&walk->progress->files, 1);
			atomic_fetch_add(&walk->progress->bytes,
					 (uint64_t)entry->st.st_size);
		}
	}
	hf_catalog_unref(catalog);
	return error;
}

static int find_directories(struct walk *walk)
{
	struct hf_node *root;
	int error = hf_view_root(walk->view, &root);

	if (error == 0)
		error = add_stop(walk, root);
	for (size_t i = 0; i < walk->n && error == 0; i++)
		error = hf_wait_interrupted(walk->wait) ? -EINTR
							: expand(walk, i);
	return error;
}

/* --- names ----------------------------------------------------------------- */

static int start_stop(struct walk *walk, struct stop *stop)
{
	int error;

	if (stop->error < 0)
		return 0;
	error = hf_naming_start(walk->view, stop->node, &stop->naming);
	if (is_row(error)) {
		stop->error = error;
		return 0;
	}
	return error;
}

static void count(struct walk *walk, const struct hf_listing *listing)
{
	if (!walk->progress)
		return;
	for (size_t i = 0; i < hf_listing_len(listing); i++) {
		const struct hf_entry *entry = hf_listing_entry(listing, i);

		if (entry->kind == HF_KIND_DIR || entry->hidden)
			continue;
		atomic_fetch_add(&walk->progress->files_done, 1);
		atomic_fetch_add(&walk->progress->bytes_done, entry->size);
	}
}

static int finish_stop(struct walk *walk, struct stop *stop)
{
	int error;

	if (stop->error < 0)
		return 0;
	error = hf_naming_finish(stop->naming, walk->wait, &stop->listing);
	hf_naming_free(stop->naming);
	stop->naming = NULL;
	if (error == 0)
		count(walk, stop->listing);
	return error;
}

/* Keeps a window of directories under way, so that small ones do not wait
 * for each other. */
static int name_all(struct walk *walk)
{
	int error = 0;

	for (size_t i = 0; i < walk->n + WINDOW && error == 0; i++) {
		if (i < walk->n)
			error = start_stop(walk, &walk->stops[i]);
		if (error == 0 && i >= WINDOW)
			error = finish_stop(walk, &walk->stops[i - WINDOW]);
	}
	return error;
}

/* --- was it one state? ------------------------------------------------------ */

/* A directory that appeared, or that can be listed now, shows as another
 * generation of its parent, or as an error that went away. */
static int same_stop(struct walk *walk, struct stop *stop)
{
	struct hf_listing *now;
	int error = hf_view_list(walk->view, stop->node, walk->wait, &now);
	bool same;

	if (stop->error < 0)
		same = error == stop->error;
	else if (error < 0)
		return error == -ENOENT || is_row(error) ? -EAGAIN : error;
	else
		same = hf_listing_generation(now) ==
		       hf_listing_generation(stop->listing);
	if (error == 0)
		hf_listing_unref(now);
	return same ? 0 : -EAGAIN;
}

/* The walk saw the directories that the listings name, and no others. */
static int complete(const struct walk *walk)
{
	size_t n = 1;

	for (size_t i = 0; i < walk->n; i++) {
		const struct hf_listing *listing = walk->stops[i].listing;

		for (size_t k = 0; listing && k < hf_listing_len(listing); k++)
			n += hf_listing_entry(listing, k)->kind == HF_KIND_DIR;
	}
	return n == walk->n ? 0 : -EAGAIN;
}

static int same_all(struct walk *walk)
{
	int error = complete(walk);

	for (size_t i = 0; i < walk->n && error == 0; i++)
		error = same_stop(walk, &walk->stops[i]);
	return error;
}

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
	struct hf_snapshot *snapshot;
	size_t cap;
};

static int add_row(struct rows *rows, const struct hf_row *row)
{
	struct hf_snapshot *snapshot = rows->snapshot;

	if (snapshot->n == rows->cap) {
		size_t cap = rows->cap ? 2 * rows->cap : 1024;
		struct hf_row *items =
			realloc(snapshot->rows, cap * sizeof(*items));

		if (!items)
			return -ENOMEM;
		snapshot->rows = items;
		rows->cap = cap;
	}
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

/* A hidden entry without a problem is one that the user chose not to show;
 * a plain name beside a hashed one is no row of its own. */
static bool has_row(const struct hf_listing *listing, size_t i)
{
	const struct hf_entry *entry = hf_listing_entry(listing, i);

	if (entry->kind == HF_KIND_DIR)
		return false;
	if (entry->hidden && entry->problem == HF_PROBLEM_NONE)
		return false;
	return i == 0 ||
	       hf_listing_entry(listing, i - 1)->source != entry->source;
}

static int add_entry(struct hf_view *view, struct rows *rows, const char *dir,
		     const struct hf_entry *entry)
{
	struct hf_buf *text = &rows->snapshot->text;
	size_t path = add_path(text, dir, entry->source);
	size_t name = entry->hidden ? add_path(text, "", NULL)
				    : add_path(text, dir, entry->name);
	struct hf_row row = {
		.path = offset(path),
		.name = offset(name),
		.kind = entry->kind,
		.problem = entry->problem,
		.error = entry->error,
		.size = entry->size,
		.content_digest = entry->digest,
	};
	int error = hf_buf_status(text);

	if (error < 0)
		return error;
	if (entry->kind == HF_KIND_HASHED)
		row.name_digest = entry->digest;
	error = try_open(view, entry, text->data + path);
	if (hf_error_passing(error))
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

static int add_stop_rows(struct walk *walk, struct rows *rows,
			 const struct stop *stop)
{
	struct hf_buf dir = {0};
	int error;

	hf_node_path(stop->node, &dir);
	error = hf_buf_status(&dir);
	if (error == 0 && stop->error < 0)
		error = add_failed_dir(rows, dir.data, stop->error);
	for (size_t i = 0;
	     stop->listing && error == 0 && i < hf_listing_len(stop->listing);
	     i++)
		if (has_row(stop->listing, i))
			error = add_entry(walk->view, rows, dir.data,
					  hf_listing_entry(stop->listing, i));
	hf_buf_fini(&dir);
	return error;
}

static int compare_rows(const void *a, const void *b)
{
	const struct hf_row *x = a;
	const struct hf_row *y = b;

	return strcmp(x->path, y->path);
}

static int write_rows(struct walk *walk, struct hf_snapshot *ret)
{
	struct rows rows = {.snapshot = ret};
	int error = 0;

	for (size_t i = 0; i < walk->n && error == 0; i++)
		error = add_stop_rows(walk, &rows, &walk->stops[i]);
	if (error < 0)
		return error;
	for (size_t i = 0; i < ret->n; i++) {
		struct hf_row *row = &ret->rows[i];

		row->path = ret->text.data + (uintptr_t)row->path;
		row->name = ret->text.data + (uintptr_t)row->name;
	}
	if (ret->n)
		qsort(ret->rows, ret->n, sizeof(*ret->rows), compare_rows);
	return 0;
}

/* --- all of it -------------------------------------------------------------- */

static int round_trip(struct walk *walk, struct hf_snapshot *ret)
{
	int error = find_directories(walk);

	/* A directory that went away between two looks is a change. */
	if (error == 0)
		error = name_all(walk);
	if (error == 0)
		error = same_all(walk);
	if (error == 0)
		error = write_rows(walk, ret);
	return error == -ENOENT ? -EAGAIN : error;
}

static void restart(struct hf_progress *progress)
{
	if (!progress)
		return;
	atomic_store(&progress->files, 0);
	atomic_store(&progress->files_done, 0);
	atomic_store(&progress->bytes, 0);
	atomic_store(&progress->bytes_done, 0);
}

int hf_view_snapshot(struct hf_view *view, struct hf_wait *wait,
		     struct hf_progress *progress, struct hf_snapshot *ret)
{
	int error = -EAGAIN;

	for (int i = 0; i < ROUNDS && error == -EAGAIN; i++) {
		HF_CLEANUP(walk_fini)
		struct walk walk = {
			.view = view, .wait = wait, .progress = progress};
		struct hf_snapshot snapshot = {0};

		restart(progress);
		error = round_trip(&walk, &snapshot);
		snapshot.generation = atomic_load(&view->generation);
		if (error == 0)
			*ret = snapshot;
		else
			hf_snapshot_fini(&snapshot);
	}
	return error;
}

void hf_snapshot_fini(struct hf_snapshot *snapshot)
{
	free(snapshot->rows);
	hf_buf_fini(&snapshot->text);
	memset(snapshot, 0, sizeof(*snapshot));
}
