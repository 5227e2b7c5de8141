/*
 * frozen: one state of the tree, kept for good: the listings of the walk that
 * saw it, and its graph, by which texts are put together as they were named.
 * Once it stands nothing in it changes, so any thread may read it.
 */
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

/* A directory of the walk. */
struct hf_frozen_dir {
	const struct hf_stop *stop; /* borrowed from the walk */
	char *path;
	const struct hf_entry **by_name; /* those presented, by their names */
	size_t n;
};

struct hf_frozen {
	struct hf_walk walk;
	struct hf_frozen_dir *dirs; /* one for each stop */
	struct hf_map *by_path;
	struct hf_findings findings;
	struct statvfs vfs;
};

void hf_frozen_free(struct hf_frozen *frozen)
{
	if (!frozen)
		return;
	for (size_t i = 0; frozen->dirs && i < frozen->walk.n; i++) {
		free(frozen->dirs[i].path);
		free(frozen->dirs[i].by_name);
	}
	hf_map_free(frozen->by_path);
	free(frozen->dirs);
	hf_findings_fini(&frozen->findings);
	hf_walk_fini(&frozen->walk);
	free(frozen);
}

/* --- freezing ------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	const struct hf_entry *x = *(const struct hf_entry *const *)a;
	const struct hf_entry *y = *(const struct hf_entry *const *)b;

	return strcmp(x->name, y->name);
}

/* The directory's child that `entry` presents, or NULL. */
static struct hf_frozen_dir *find_child(const struct hf_frozen *frozen,
					const struct hf_frozen_dir *dir,
					const char *name)
{
	struct hf_buf path = {0};
	struct hf_frozen_dir *child = NULL;

	hf_view_join(&path, dir->path, name);
	if (hf_buf_status(&path) == 0)
		child = hf_map_get(frozen->by_path, path.data, path.len);
	hf_buf_fini(&path);
	return child;
}

/* Only what can be read stays in sight. */
static void leave_out(const struct hf_frozen *frozen,
		      const struct hf_frozen_dir *dir)
{
	struct hf_listing *listing = dir->stop->listing;

	for (size_t i = 0; i < listing->n; i++) {
		struct hf_entry *entry = &listing->entries[i];
		const struct hf_frozen_dir *child = NULL;

		if (entry->kind == HF_KIND_DIR && !entry->hidden)
			child = find_child(frozen, dir, entry->source);
		if (child && child->stop->error) {
			entry->problem = HF_PROBLEM_UNREADABLE;
			entry->error = -child->stop->error;
		}
		entry->hidden |= entry->error != 0;
	}
}

static int index_names(struct hf_frozen_dir *dir)
{
	const struct hf_listing *listing = dir->stop->listing;

	dir->by_name = calloc(listing->n + 1, sizeof(const struct hf_entry *));
	if (!dir->by_name)
		return -ENOMEM;
	for (size_t i = 0; i < listing->n; i++)
		if (!listing->entries[i].hidden)
			dir->by_name[dir->n++] = &listing->entries[i];
	qsort(dir->by_name, dir->n, sizeof(const struct hf_entry *),
	      compare_names);
	return 0;
}

static int add_dir(struct hf_frozen *frozen, struct hf_frozen_dir *dir,
		   struct hf_stop *stop)
{
	struct hf_buf path = {0};
	int error;

	dir->stop = stop;
	hf_node_freeze(stop->node, dir);
	hf_node_path(stop->node, &path);
	error = hf_buf_steal(&path, &dir->path);
	if (error == 0)
		error = hf_map_put(frozen->by_path, dir->path,
				   strlen(dir->path), dir);
	return error;
}

static int keep(struct hf_frozen *frozen, bool partial)
{
	size_t n = frozen->walk.n;
	int error = 0;

	frozen->dirs = calloc(n, sizeof(*frozen->dirs));
	if (!frozen->dirs)
		return -ENOMEM;
	for (size_t i = 0; i < n && error == 0; i++)
		error = add_dir(frozen, &frozen->dirs[i],
				&frozen->walk.stops[i]);
	for (size_t i = 0; i < n && error == 0; i++) {
		struct hf_frozen_dir *dir = &frozen->dirs[i];

		if (!dir->stop->listing)
			continue;
		if (partial)
			leave_out(frozen, dir);
		error = hf_listing_detach(dir->stop->listing);
		if (error == 0)
			error = index_names(dir);
	}
	return error;
}

static int freeze(struct hf_view *view, bool partial, struct hf_wait *wait,
		  struct hf_progress *progress, struct hf_frozen *frozen)
{
	struct hf_snapshot snapshot = {0};
	int error = hf_map_new(view->seed, &frozen->by_path);

	frozen->walk = (struct hf_walk){
		.view = view, .wait = wait, .progress = progress};
	if (error == 0)
		error = hf_survey(&frozen->walk, hf_rest_look, NULL, &snapshot,
				  &frozen->findings);
	hf_snapshot_fini(&snapshot);
	if (error == 0)
		error = keep(frozen, partial);
	if (error == 0)
		error = hf_source_statvfs(view->source, &frozen->vfs);
	frozen->walk.wait = NULL;
	frozen->walk.progress = NULL;
	return error;
}

int hf_view_freeze(struct hf_view *view, bool partial, struct hf_wait *wait,
		   struct hf_progress *progress)
{
	struct hf_frozen *frozen = calloc(1, sizeof(*frozen));
	int error = frozen ? freeze(view, partial, wait, progress, frozen)
			   : -ENOMEM;

	if (error < 0)
		hf_frozen_free(frozen);
	else
		view->frozen = frozen;
	return error;
}

bool hf_view_is_frozen(const struct hf_view *view)
{
	return view->frozen != NULL;
}

/* --- answers -------------------------------------------------------------------- */

struct hf_node *hf_frozen_root(const struct hf_frozen *frozen)
{
	return hf_node_ref(frozen->walk.stops[0].node);
}

int hf_frozen_node(struct hf_view *view, struct hf_node *dir,
		   const struct hf_entry *entry, struct hf_node **ret)
{
	const struct hf_frozen_dir *child;

	if (entry->kind != HF_KIND_DIR)
		return hf_node_new(view, dir, entry, ret);
	child = find_child(view->frozen, dir->frozen_dir, entry->source);
	if (!child)
		return -ENOMEM;
	*ret = hf_node_ref(child->stop->node);
	return 0;
}

int hf_frozen_lookup(struct hf_view *view, struct hf_node *dir,
		     const char *name, struct hf_node **ret)
{
	const struct hf_frozen_dir *frozen = hf_node_frozen(dir);
	const struct hf_entry wanted = {.name = name};
	const struct hf_entry *key = &wanted;
	const struct hf_entry **found;

	if (!frozen)
		return -ENOTDIR;
	if (frozen->stop->error)
		return frozen->stop->error;
	found = bsearch(&key, frozen->by_name, frozen->n, sizeof(key),
			compare_names);
	return found ? hf_frozen_node(view, dir, *found, ret) : -ENOENT;
}

int hf_frozen_list(const struct hf_node *dir, struct hf_listing **ret)
{
	const struct hf_frozen_dir *frozen = hf_node_frozen(dir);

	if (!frozen)
		return -ENOTDIR;
	if (frozen->stop->error)
		return frozen->stop->error;
	*ret = hf_listing_ref(frozen->stop->listing);
	return 0;
}

void hf_frozen_stat(const struct hf_view *view, const struct hf_node *node,
		    struct stat *ret)
{
	const struct hf_frozen_dir *dir = hf_node_frozen(node);

	if (dir)
		*ret = dir->stop->st;
	else
		hf_node_attr(view, node, ret);
}

struct statvfs hf_frozen_statvfs(const struct hf_frozen *frozen)
{
	return frozen->vfs;
}

int hf_frozen_snapshot(struct hf_frozen *frozen,
		       const struct hf_algorithm *integrity,
		       struct hf_wait *wait, struct hf_snapshot *ret)
{
	int error = hf_snapshot_of_walk(&frozen->walk, integrity, wait, ret);

	if (error < 0)
		hf_snapshot_fini(ret);
	return error;
}

int hf_frozen_findings(const struct hf_frozen *frozen, struct hf_findings *ret)
{
	const struct hf_findings *all = &frozen->findings;
	int error = 0;

	for (size_t i = 0; i < all->n && error == 0; i++)
		error = hf_findings_add(ret, &all->rows[i]);
	ret->generation = all->generation;
	return error;
}

int hf_frozen_references(struct hf_frozen *frozen, struct hf_references *ret)
{
	return hf_references_of_walk(&frozen->walk, ret);
}

const struct hf_vertex *hf_frozen_text(const struct hf_frozen *frozen,
				       const char *path,
				       struct hf_graph **ret_graph)
{
	*ret_graph = frozen->walk.graph;
	return hf_graph_find(frozen->walk.graph, path);
}
