/* statsjson: stats for programs. */
#include "manifest/stats.h"

#include <inttypes.h>

#include "manifest/format.h"

static void add_number(struct hf_object *object, const char *key,
		       uint64_t number)
{
	hf_object_key(object, "", key);
	hf_buf_printf(object->ret, "%" PRIu64, number);
}

static void add_sum(struct hf_object *object, const struct hf_sum *sum)
{
	add_number(object, "files", sum->files);
	add_number(object, "bytes", sum->bytes);
}

/* An array of `n` values, a line each. */
static void add_list(struct hf_object *object, const char *key, size_t n,
		     void (*add)(struct hf_buf *ret, const void *items,
				 size_t i),
		     const void *items)
{
	hf_object_key(object, "", key);
	hf_buf_putc(object->ret, '[');
	for (size_t i = 0; i < n; i++) {
		hf_buf_puts(object->ret, i ? ",\n    " : "\n    ");
		add(object->ret, items, i);
	}
	hf_buf_putc(object->ret, ']');
}

static void add_type(struct hf_buf *ret, const void *items, size_t i)
{
	const struct hf_extension *type =
		(const struct hf_extension *)items + i;

	hf_buf_puts(ret, "{\"extension\": ");
	hf_quote(type->name, ret);
	hf_buf_printf(ret, ", \"files\": %zu, \"bytes\": %" PRIu64 "}",
		      type->sum.files, type->sum.bytes);
}

static void add_file(struct hf_buf *ret, const void *items, size_t i)
{
	const struct hf_manifest_row *row =
		((const struct hf_manifest_row *const *)items)[i];

	hf_buf_puts(ret, "{\"file\": ");
	hf_quote(row->path, ret);
	hf_buf_puts(ret, ", \"name\": ");
	hf_quote(row->name, ret);
	hf_buf_printf(ret, ", \"bytes\": %" PRIu64 "}", row->size);
}

static void add_path(struct hf_buf *ret, const void *items, size_t i)
{
	hf_quote(((const struct hf_manifest_row *const *)items)[i]->path, ret);
}

static void add_paths_of(struct hf_object *object, const char *key,
			 const struct hf_group *group)
{
	add_list(object, key, group->n, add_path, group->rows);
}

static void add_paths(struct hf_buf *ret, const struct hf_group *group)
{
	hf_buf_putc(ret, '[');
	for (size_t i = 0; i < group->n; i++) {
		hf_buf_puts(ret, i ? ", " : "");
		add_path(ret, group->rows, i);
	}
	hf_buf_putc(ret, ']');
}

static void add_circle(struct hf_buf *ret, const void *items, size_t i)
{
	add_paths(ret, (const struct hf_group *)items + i);
}

static void add_equal(struct hf_buf *ret, const void *items, size_t i)
{
	const struct hf_group *group = (const struct hf_group *)items + i;

	hf_buf_printf(ret, "{\"bytes\": %" PRIu64 ", \"files\": ",
		      group->rows[0]->size);
	add_paths(ret, group);
	hf_buf_putc(ret, '}');
}

static void add_release(struct hf_object *all, const struct hf_release *release)
{
	struct hf_object object;

	hf_object_key(all, "", "release");
	object = hf_object_open(all->ret, 2);
	add_number(&object, "added_files", release->added.files);
	add_number(&object, "added_bytes", release->added.bytes);
	add_number(&object, "same_name_files", release->plain.files);
	add_number(&object, "same_name_bytes", release->plain.bytes);
	add_number(&object, "left_files", release->left);
	hf_object_close(&object);
}

void hf_stats_json(const struct hf_stats *stats, struct hf_buf *ret)
{
	const struct hf_sizes *sizes = &stats->sizes;
	const struct hf_chains *chains = &stats->chains;
	struct hf_object all = hf_object_open(ret, 1);

	add_sum(&all, &sizes->all);
	add_number(&all, "unreadable", sizes->failed);
	if (stats->manifest) {
		add_paths_of(&all, "missing", &stats->fit.missing);
		add_paths_of(&all, "renamed", &stats->fit.renamed);
	}
	add_list(&all, "types", sizes->n_types, add_type, sizes->types);
	add_list(&all, "biggest", sizes->files.n < 10 ? sizes->files.n : 10,
		 add_file, sizes->files.rows);
	add_number(&all, "surplus_files", sizes->surplus.files);
	add_number(&all, "surplus_bytes", sizes->surplus.bytes);
	add_list(&all, "equal", sizes->equal.n, add_equal, sizes->equal.items);
	add_number(&all, "not_compared", sizes->unknown);
	add_number(&all, "references", chains->references);
	add_list(&all, "unreferenced", chains->unreferenced.n, add_file,
		 chains->unreferenced.rows);
	add_paths_of(&all, "longest_chain", &chains->longest);
	add_list(&all, "circles", chains->circles.n, add_circle,
		 chains->circles.items);
	if (stats->previous)
		add_release(&all, &stats->release);
	hf_object_close(&all);
}
