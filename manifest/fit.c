/* fit: the files of a manifest, as a tree has them by now. */
#include "manifest/stats.h"

#include <errno.h>
#include <string.h>

static int find_missing(const struct hf_manifest *manifest,
			const struct hf_manifest *tree, struct hf_group *ret)
{
	size_t n = 0;
	int error = hf_group_listed(manifest, ret);

	if (error < 0)
		return error;
	for (size_t i = 0; i < ret->n; i++)
		if (!hf_manifest_find(tree, ret->rows[i]->path))
			ret->rows[n++] = ret->rows[i];
	ret->n = n;
	return 0;
}

/* What only the tree has is dropped: nothing is named by it. */
static void take_names(const struct hf_manifest *manifest,
		       struct hf_manifest *tree, struct hf_group *renamed)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++) {
		struct hf_manifest_row row = tree->rows[i];
		const struct hf_manifest_row *named =
			hf_manifest_find(manifest, row.path);

		if (!named)
			continue;
		if (!row.failed && strcmp(row.name, named->name) != 0)
			renamed->rows[renamed->n++] = &tree->rows[n];
		row.name = named->name;
		tree->rows[n++] = row;
	}
	tree->n = n;
}

int hf_fit_find(const struct hf_manifest *manifest, struct hf_manifest *tree,
		struct hf_fit *ret)
{
	int error = find_missing(manifest, tree, &ret->missing);

	if (error < 0)
		return error;
	ret->renamed.rows = calloc(tree->n + 1, sizeof(*ret->renamed.rows));
	if (!ret->renamed.rows)
		return -ENOMEM;
	take_names(manifest, tree, &ret->renamed);
	return 0;
}

void hf_fit_fini(struct hf_fit *fit)
{
	free(fit->missing.rows);
	free(fit->renamed.rows);
	*fit = (struct hf_fit){0};
}
