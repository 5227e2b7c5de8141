/* release: what a tree adds to where an older one stands, and leaves there. */
#include "manifest/stats.h"

#include <string.h>

static void count(struct hf_sum *sum, const struct hf_manifest_row *row)
{
	sum->files++;
	sum->bytes += row->size;
}

/* Each name once: files of equal bytes may share one. */
static void compare(struct hf_map *old, struct hf_map *new, struct hf_map *tree,
		    struct hf_release *ret)
{
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	while ((row = hf_map_next(tree, &cursor))) {
		if (!hf_map_get(old, row->name, strlen(row->name)))
			count(&ret->added, row);
		else if (strcmp(row->path, row->name) == 0)
			count(&ret->plain, row);
	}
	cursor = 0;
	while ((row = hf_map_next(old, &cursor)))
		ret->left += !hf_map_get(new, row->name, strlen(row->name));
}

int hf_release_find(const struct hf_manifest *old,
		    const struct hf_manifest *new,
		    const struct hf_manifest *tree, struct hf_release *ret)
{
	struct hf_map *old_names = NULL, *new_names = NULL, *tree_names = NULL;
	int error = hf_manifest_index(old, &old_names);

	*ret = (struct hf_release){0};
	if (error == 0)
		error = hf_manifest_index(new, &new_names);
	if (error == 0)
		error = hf_manifest_index(tree, &tree_names);
	if (error == 0)
		compare(old_names, new_names, tree_names, ret);
	hf_map_free(old_names);
	hf_map_free(new_names);
	hf_map_free(tree_names);
	return error;
}
