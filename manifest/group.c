/* group: some rows of a manifest. */
#include "manifest/stats.h"

#include <errno.h>
#include <string.h>

int hf_groups_add(struct hf_groups *groups,
		  const struct hf_manifest_row *const *rows, size_t n)
{
	struct hf_group *items =
		reallocarray(groups->items, groups->n + 1, sizeof(*items));
	struct hf_group *group;

	if (!items)
		return -ENOMEM;
	groups->items = items;
	group = &items[groups->n];
	group->rows = calloc(n + 1, sizeof(*group->rows));
	if (!group->rows)
		return -ENOMEM;
	memcpy(group->rows, rows, n * sizeof(*rows));
	group->n = n;
	groups->n++;
	return 0;
}

void hf_groups_fini(struct hf_groups *groups)
{
	for (size_t i = 0; i < groups->n; i++)
		free(groups->items[i].rows);
	free(groups->items);
	*groups = (struct hf_groups){0};
}

int hf_group_listed(const struct hf_manifest *manifest, struct hf_group *ret)
{
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	ret->n = 0;
	ret->rows = calloc(manifest->n + 1, sizeof(*ret->rows));
	if (!ret->rows)
		return -ENOMEM;
	while ((row = hf_manifest_next(manifest, &cursor)))
		ret->rows[ret->n++] = row;
	return 0;
}

/* Rows lie in the order of their paths. */
static int compare_sizes(const void *a, const void *b)
{
	const struct hf_manifest_row *x =
		*(const struct hf_manifest_row *const *)a;
	const struct hf_manifest_row *y =
		*(const struct hf_manifest_row *const *)b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return (x > y) - (x < y);
}

void hf_group_sort_by_size(struct hf_group *group)
{
	qsort(group->rows, group->n, sizeof(*group->rows), compare_sizes);
}

struct hf_sum hf_group_sum(const struct hf_group *group)
{
	struct hf_sum sum = {.files = group->n};

	for (size_t i = 0; i < group->n; i++)
		sum.bytes += group->rows[i]->size;
	return sum;
}
