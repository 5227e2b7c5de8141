/*
 * dir: what is remembered of one directory while somebody holds it: its
 * catalog, as long as that is current, and what its last listing was and rests
 * on.
 */
#include "fs/view/listing.h"

#include <errno.h>

struct hf_view_dir {
	pthread_mutex_t lock;
	uint64_t forgets;           /* protected by lock; of the view, then */
	struct hf_catalog *catalog; /* protected by lock */
	uint64_t reports;           /* before it was read; protected by lock */
	uint64_t generation;        /* of its last listing; 0: there is none;
				       protected by lock */
	struct hf_grounds grounds;  /* of that; reported false: there are none;
				       protected by lock */
};

int hf_view_dir_new(struct hf_view_dir **ret)
{
	struct hf_view_dir *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return -ENOMEM;
	pthread_mutex_init(&dir->lock, NULL);
	*ret = dir;
	return 0;
}

void hf_view_dir_free(struct hf_view_dir *dir)
{
	if (!dir)
		return;
	hf_catalog_unref(dir->catalog);
	pthread_mutex_destroy(&dir->lock);
	free(dir);
}

static struct hf_catalog *known_catalog(struct hf_view_dir *dir,
					uint64_t forgets, uint64_t *reports)
{
	struct hf_catalog *catalog = NULL;

	pthread_mutex_lock(&dir->lock);
	if (dir->catalog && dir->forgets == forgets)
		catalog = hf_catalog_ref(dir->catalog);
	*reports = dir->reports;
	pthread_mutex_unlock(&dir->lock);
	return catalog;
}

static void remember_catalog(struct hf_view_dir *dir, uint64_t forgets,
			     uint64_t reports, struct hf_catalog *catalog)
{
	struct hf_catalog *old;

	pthread_mutex_lock(&dir->lock);
	dir->forgets = forgets;
	old = dir->catalog;
	dir->catalog = hf_catalog_ref(catalog);
	dir->reports = reports;
	pthread_mutex_unlock(&dir->lock);
	hf_catalog_unref(old);
}

/* 1: *ret is set; 0: there is no current catalog; or a negative errno. */
static int current_catalog(struct hf_view *view, struct hf_view_dir *dir,
			   const char *path, uint64_t forgets,
			   struct hf_catalog **ret)
{
	uint64_t reports;
	struct hf_catalog *catalog = known_catalog(dir, forgets, &reports);
	int current;

	if (!catalog)
		return 0;
	current = (reports == hf_view_reports(view) ? hf_source_names_current
						    : hf_source_names_certain)(
		view->source, path, hf_catalog_names(catalog));
	if (current == 1)
		*ret = catalog;
	else
		hf_catalog_unref(catalog);
	return current;
}

int hf_view_dir_catalog(struct hf_view *view, struct hf_view_dir *dir,
			const char *path, struct hf_source_list **ret_list,
			struct hf_catalog **ret)
{
	uint64_t forgets = atomic_load(&view->forgets);
	uint64_t reports = hf_view_reports(view);
	int error = current_catalog(view, dir, path, forgets, ret);

	*ret_list = NULL;
	if (error != 0)
		return error < 0 ? error : 0;
	error = hf_catalog_read(view, path, ret_list, ret);
	if (error == 0)
		remember_catalog(dir, forgets, reports, *ret);
	return error;
}

struct hf_catalog *hf_view_catalog(struct hf_node *node)
{
	struct hf_view_dir *dir = hf_node_dir(node);
	struct hf_catalog *catalog = NULL;

	if (!dir)
		return NULL;
	pthread_mutex_lock(&dir->lock);
	if (dir->catalog)
		catalog = hf_catalog_ref(dir->catalog);
	pthread_mutex_unlock(&dir->lock);
	return catalog;
}

void hf_view_dir_forget(struct hf_view_dir *dir)
{
	struct hf_catalog *old;

	pthread_mutex_lock(&dir->lock);
	old = dir->catalog;
	dir->catalog = NULL;
	pthread_mutex_unlock(&dir->lock);
	hf_catalog_unref(old);
}

bool hf_view_dir_set_generation(struct hf_view_dir *dir, uint64_t generation)
{
	bool changed;

	pthread_mutex_lock(&dir->lock);
	changed = dir->generation && dir->generation != generation;
	dir->generation = generation;
	dir->grounds.reported = false;
	pthread_mutex_unlock(&dir->lock);
	return changed;
}

bool hf_view_dir_listed(struct hf_view_dir *dir)
{
	bool listed;

	pthread_mutex_lock(&dir->lock);
	listed = dir->generation != 0;
	pthread_mutex_unlock(&dir->lock);
	return listed;
}

uint64_t hf_view_dir_grounds(struct hf_view_dir *dir, struct hf_grounds *ret)
{
	uint64_t generation = 0;

	pthread_mutex_lock(&dir->lock);
	if (dir->grounds.reported)
		generation = dir->generation;
	*ret = dir->grounds;
	pthread_mutex_unlock(&dir->lock);
	return generation;
}

void hf_view_dir_set_grounds(struct hf_view_dir *dir, uint64_t generation,
			     const struct hf_grounds *grounds)
{
	pthread_mutex_lock(&dir->lock);
	if (dir->generation == generation)
		dir->grounds = *grounds;
	pthread_mutex_unlock(&dir->lock);
}
