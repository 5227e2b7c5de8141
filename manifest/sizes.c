/* sizes: how large a tree is, and how much of that it holds twice. */
#include "manifest/stats.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

typedef const struct hf_manifest_row *row_pointer;

/* Rows lie in the order of their paths. */
static int compare_places(row_pointer a, row_pointer b)
{
	return (a > b) - (a < b);
}

static struct hf_group copy_of(const struct hf_group *group)
{
	struct hf_group copy = {
		.rows = calloc(group->n + 1, sizeof(*copy.rows)),
		.n = group->n};

	if (copy.rows)
		memcpy(copy.rows, group->rows, copy.n * sizeof(*copy.rows));
	return copy;
}

/* --- types --------------------------------------------------------------- */

/* The end of the name from its last dot on; a dot at the start begins none. */
static const char *extension_of(row_pointer row)
{
	const char *slash = strrchr(row->path, '/');
	const char *base = slash ? slash + 1 : row->path;
	const char *dot = strrchr(base, '.');

	return dot && dot != base ? dot : "";
}

static int compare_extensions(const void *a, const void *b)
{
	row_pointer x = *(const row_pointer *)a;
	row_pointer y = *(const row_pointer *)b;
	int order = strcasecmp(extension_of(x), extension_of(y));

	return order ? order : compare_places(x, y);
}

static int compare_types(const void *a, const void *b)
{
	const struct hf_extension *x = a;
	const struct hf_extension *y = b;

	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes < y->sum.bytes ? 1 : -1;
	return strcasecmp(x->name, y->name);
}

/* `files` are sorted by their extensions, and there is room for a type each. */
static void add_types(const struct hf_group *files, struct hf_sizes *ret)
{
	for (size_t i = 0; i < files->n; i++) {
		const char *extension = extension_of(files->rows[i]);
		struct hf_extension *type = &ret->types[ret->n_types];

		if (!ret->n_types || strcasecmp(type[-1].name, extension) != 0)
			*type = (struct hf_extension){.name = extension};
		else
			type--;
		type->sum.files++;
		type->sum.bytes += files->rows[i]->size;
		ret->n_types = (size_t)(type - ret->types) + 1;
	}
}

static int find_types(struct hf_sizes *sizes)
{
	struct hf_group files = copy_of(&sizes->files);

	sizes->types = calloc(files.n + 1, sizeof(*sizes->types));
	if (files.rows && sizes->types) {
		qsort(files.rows, files.n, sizeof(*files.rows),
		      compare_extensions);
		add_types(&files, sizes);
		qsort(sizes->types, sizes->n_types, sizeof(*sizes->types),
		      compare_types);
	}
	free(files.rows);
	return files.rows && sizes->types ? 0 : -ENOMEM;
}

/* --- equal bytes --------------------------------------------------------- */

static int compare_contents(const void *a, const void *b)
{
	row_pointer x = *(const row_pointer *)a;
	row_pointer y = *(const row_pointer *)b;
	int order = strcmp(x->content, y->content);

	return order ? order : compare_places(x, y);
}

static uint64_t surplus_of(const struct hf_group *group)
{
	return (group->n - 1) * group->rows[0]->size;
}

static int compare_surpluses(const void *a, const void *b)
{
	uint64_t x = surplus_of(a), y = surplus_of(b);
	const struct hf_group *group_x = a, *group_y = b;

	if (x != y)
		return x < y ? 1 : -1;
	return compare_places(group_x->rows[0], group_y->rows[0]);
}

/* `files` are sorted by their contents. Empty ones have no bytes to be
 * equal. */
static int add_equal(const struct hf_group *files, struct hf_sizes *ret)
{
	int error = 0;

	for (size_t i = 0, next; i < files->n && error == 0; i = next) {
		const char *content = files->rows[i]->content;

		for (next = i + 1;
		     next < files->n &&
		     strcmp(files->rows[next]->content, content) == 0;
		     next++)
			;
		if (!*content)
			ret->unknown = next - i;
		else if (next - i > 1 && files->rows[i]->size)
			error = hf_groups_add(&ret->equal, &files->rows[i],
					      next - i);
	}
	return error;
}

static int find_equal(struct hf_sizes *sizes)
{
	struct hf_group files = copy_of(&sizes->files);
	struct hf_groups *equal = &sizes->equal;
	int error = -ENOMEM;

	if (files.rows) {
		qsort(files.rows, files.n, sizeof(*files.rows),
		      compare_contents);
		error = add_equal(&files, sizes);
	}
	free(files.rows);
	if (equal->n)
		qsort(equal->items, equal->n, sizeof(*equal->items),
		      compare_surpluses);
	for (size_t i = 0; i < equal->n; i++) {
		sizes->surplus.files += equal->items[i].n - 1;
		sizes->surplus.bytes += surplus_of(&equal->items[i]);
	}
	return error;
}

/* --- the door ------------------------------------------------------------ */

int hf_sizes_find(const struct hf_manifest *manifest, struct hf_sizes *ret)
{
	int error = hf_group_listed(manifest, &ret->files);

	if (error == 0)
		error = find_types(ret);
	if (error == 0)
		error = find_equal(ret);
	if (error < 0)
		return error;
	hf_group_sort_by_size(&ret->files);
	ret->all = hf_group_sum(&ret->files);
	for (size_t i = 0; i < manifest->n; i++)
		ret->failed += manifest->rows[i].failed;
	return 0;
}

void hf_sizes_fini(struct hf_sizes *sizes)
{
	free(sizes->files.rows);
	free(sizes->types);
	hf_groups_fini(&sizes->equal);
	*sizes = (struct hf_sizes){0};
}
