/*
 * glance: what is in a directory at this moment: its names and what becomes of
 * each, which seldom change, with the stats of now.
 */
#include "fs/view/listing.h"

#include <errno.h>
#include <string.h>

/* Entries may have come, gone or changed their type between the reading of
 * the names and that of the stats; then the rules do not fit the list. */
static bool same_names(const struct hf_source_list *list,
		       const struct hf_source_names *names)
{
	size_t n = hf_source_list_len(list);

	if (n != hf_source_names_len(names))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct hf_source_entry *x = hf_source_list_entry(list, i);
		struct hf_source_entry y = hf_source_names_entry(names, i);

		if (strcmp(x->name, y.name) != 0 || x->type != y.type ||
		    x->shadowed != y.shadowed)
			return false;
	}
	return true;
}

/* The stats of now of what is in the catalog. */
static int restat(const struct hf_view *view, const char *path,
		  const struct hf_listing *last,
		  const struct hf_catalog *catalog, struct hf_source_list **ret)
{
	struct hf_source_names *names = hf_catalog_names(catalog);
	struct hf_source_list *list;
	int error;

	if (last && last->catalog == catalog)
		error = hf_source_list_restat(view->source, path, last->list,
					      &list);
	else
		error = hf_source_names_stat(view->source, path, names, &list);
	if (error < 0)
		return error;
	if (!same_names(list, names)) {
		hf_source_list_unref(list);
		return -EAGAIN;
	}
	*ret = list;
	return 0;
}

/* -EAGAIN: it changed meanwhile. */
static int look(struct hf_view *view, struct hf_view_dir *dir, const char *path,
		const struct hf_listing *last, struct hf_source_list **ret_list,
		struct hf_catalog **ret)
{
	struct hf_source_list *list;
	struct hf_catalog *catalog;
	int error = hf_view_dir_catalog(view, dir, path, &list, &catalog);

	if (error < 0)
		return error;
	if (!list)
		error = restat(view, path, last, catalog, &list);
	if (error < 0) {
		hf_catalog_unref(catalog);
		return error;
	}
	*ret_list = list;
	*ret = catalog;
	return 0;
}

/* How often a directory may change while it is looked at. */
#define TRIES 5

int hf_view_dir_look(struct hf_view *view, struct hf_view_dir *dir,
		     const char *path, const struct hf_listing *last,
		     struct hf_source_list **ret_list, struct hf_catalog **ret)
{
	int error = -EAGAIN;

	for (int i = 0; i < TRIES && error == -EAGAIN; i++) {
		error = look(view, dir, path, last, ret_list, ret);
		if (error == -EAGAIN)
			hf_view_dir_forget(dir);
	}
	return error == -EAGAIN ? -EBUSY : error;
}
