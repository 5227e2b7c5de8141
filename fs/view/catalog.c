/*
 * catalog: the names of one directory, and which files a hashed name can
 * belong to. None needs to be hashed for that: each file's hashed name is
 * known but for the hash, and by that *shape* it is looked up.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

/* There is one for each file: both are kept short. Files whose shapes have the
 * same hash by chance are looked at in vain. */
struct shape {
	uint32_t hash; /* of the text before and after the hash */
	uint32_t index;
};

struct shapes {
	size_t n;
	struct shape items[]; /* sorted by hash, then index */
};

/* struct hf_rule, kept short. */
struct rule {
	uint8_t kind : 4;
	uint8_t problem : 4;
};

struct hf_catalog {
	atomic_uint refs;
	struct hf_source_names *names;
	struct rule *rules; /* one for each of the names */
	char *dir;
	/* Made when a name is looked up for the first time: a listing needs
	 * none. NULL until then, constant after. */
	struct shapes *_Atomic shapes;
};

struct hf_source_names *hf_catalog_names(const struct hf_catalog *catalog)
{
	return catalog->names;
}

const char *hf_catalog_name(const struct hf_catalog *catalog, size_t i)
{
	return i < hf_source_names_len(catalog->names)
		       ? hf_source_names_entry(catalog->names, i).name
		       : NULL;
}

struct hf_rule hf_catalog_rule(const struct hf_catalog *catalog, size_t i)
{
	return (struct hf_rule){
		(enum hf_kind)catalog->rules[i].kind,
		(enum hf_problem)catalog->rules[i].problem,
	};
}

struct hf_catalog *hf_catalog_ref(struct hf_catalog *catalog)
{
	atomic_fetch_add(&catalog->refs, 1);
	return catalog;
}

void hf_catalog_unref(struct hf_catalog *catalog)
{
	if (!catalog || atomic_fetch_sub(&catalog->refs, 1) != 1)
		return;
	hf_source_names_unref(catalog->names);
	free(catalog->rules);
	free(catalog->shapes);
	free(catalog->dir);
	free(catalog);
}

static int compare_shapes(const void *a, const void *b)
{
	const struct shape *x = a;
	const struct shape *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static uint32_t shape_hash(const struct hf_view *view, struct hf_buf *text,
			   const char *before, size_t before_len,
			   const char *after)
{
	hf_buf_reset(text);
	hf_buf_add(text, before, before_len);
	hf_buf_putc(text, '\0');
	hf_buf_puts(text, after);
	return (uint32_t)hf_siphash(view->seed, text->data, text->len);
}

/* Scratch space for the shapes of a whole directory. */
struct scratch {
	struct hf_buf path;
	struct hf_buf before;
	struct hf_buf after;
	struct hf_buf text;
};

static void scratch_fini(struct scratch *scratch)
{
	hf_buf_fini(&scratch->path);
	hf_buf_fini(&scratch->before);
	hf_buf_fini(&scratch->after);
	hf_buf_fini(&scratch->text);
}

static int add_shape(const struct hf_view *view,
		     const struct hf_catalog *catalog, size_t i,
		     struct scratch *scratch, struct shapes *shapes)
{
	int error;

	hf_buf_reset(&scratch->before);
	hf_buf_reset(&scratch->after);
	hf_view_join_next(&scratch->path, catalog->dir,
			  hf_source_names_entry(catalog->names, i).name);
	error = hf_buf_status(&scratch->path);
	if (error == 0)
		error = hf_name_shape(&view->name_template, scratch->path.data,
				      &scratch->before, &scratch->after);
	if (error < 0)
		return error;
	shapes->items[shapes->n].index = (uint32_t)i;
	shapes->items[shapes->n].hash =
		shape_hash(view, &scratch->text, scratch->before.data,
			   scratch->before.len, scratch->after.data);
	shapes->n++;
	return hf_buf_status(&scratch->text);
}

static int fill_shapes(const struct hf_view *view,
		       const struct hf_catalog *catalog, struct shapes *shapes)
{
	HF_CLEANUP(scratch_fini) struct scratch scratch = {0};

	for (size_t i = 0; i < hf_source_names_len(catalog->names); i++) {
		int error;

		if (hf_source_names_entry(catalog->names, i).shadowed ||
		    catalog->rules[i].kind != HF_KIND_HASHED)
			continue;
		error = add_shape(view, catalog, i, &scratch, shapes);
		if (error < 0)
			return error;
	}
	qsort(shapes->items, shapes->n, sizeof(*shapes->items), compare_shapes);
	return 0;
}

/* Of two threads that make them at the same time one keeps its own. */
static int shapes_of(const struct hf_view *view, struct hf_catalog *catalog,
		     const struct shapes **ret)
{
	struct shapes *shapes = atomic_load(&catalog->shapes);
	size_t n = hf_source_names_len(catalog->names);
	struct shapes *others = NULL;
	int error;

	*ret = shapes;
	if (shapes)
		return 0;
	shapes = calloc(1, sizeof(*shapes) + n * sizeof(shapes->items[0]));
	if (!shapes)
		return -ENOMEM;
	error = fill_shapes(view, catalog, shapes);
	if (error < 0) {
		free(shapes);
		return error;
	}
	if (!atomic_compare_exchange_strong(&catalog->shapes, &others,
					    shapes)) {
		free(shapes);
		shapes = others;
	}
	*ret = shapes;
	return 0;
}

/* --- making ---------------------------------------------------------------- */

/* So many names are looked at together. */
#define SHARE 1024

struct ruling {
	const struct hf_view *view;
	struct hf_catalog *catalog;
	atomic_bool failed;
};

/* In several threads. Directories, too: what stands behind a link may be of
 * another kind the next moment, and the stamp of the link's own directory does
 * not show it. */
static void rule_share(void *arg, size_t share)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	struct ruling *ruling = arg;
	struct hf_catalog *catalog = ruling->catalog;
	size_t n = hf_source_names_len(catalog->names);

	for (size_t i = share * SHARE; i < (share + 1) * SHARE && i < n; i++) {
		struct hf_source_entry entry =
			hf_source_names_entry(catalog->names, i);
		struct hf_rule rule;

		if (entry.shadowed)
			continue;
		hf_view_join_next(&path, catalog->dir, entry.name);
		if (hf_buf_status(&path) < 0) {
			atomic_store(&ruling->failed, true);
			return;
		}
		rule = hf_rule_of(ruling->view, path.data, entry.name);
		catalog->rules[i] =
			(struct rule){rule.kind & 0xf, rule.problem & 0xf};
	}
}

static int fill_rules(const struct hf_view *view, struct hf_catalog *catalog)
{
	struct ruling ruling = {.view = view, .catalog = catalog};
	size_t n = hf_source_names_len(catalog->names);

	catalog->rules = calloc(n + 1, sizeof(*catalog->rules));
	if (!catalog->rules)
		return -ENOMEM;
	hf_pool_share(view->pool, n / SHARE + 1, rule_share, &ruling);
	return atomic_load(&ruling.failed) ? -ENOMEM : 0;
}

int hf_catalog_read(const struct hf_view *view, const char *dir,
		    struct hf_source_list **ret_list, struct hf_catalog **ret)
{
	struct hf_catalog *catalog = calloc(1, sizeof(*catalog));
	struct hf_source_list *list = NULL;
	int error;

	if (!catalog)
		return -ENOMEM;
	catalog->refs = 1;
	catalog->dir = strdup(dir);
	error = catalog->dir ? 0 : -ENOMEM;
	if (error == 0)
		error = hf_source_list(view->source, dir, &list);
	if (error == 0) {
		catalog->names =
			hf_source_names_ref(hf_source_list_names(list));
		error = fill_rules(view, catalog);
	}
	if (error < 0) {
		hf_source_list_unref(list);
		hf_catalog_unref(catalog);
		return error;
	}
	*ret_list = list;
	*ret = catalog;
	return 0;
}

/* --- looking a presented name up ----------------------------------------- */

struct matches {
	size_t *items;
	size_t n;
};

static int add_match(struct matches *matches, size_t index)
{
	size_t *items =
		realloc(matches->items, (matches->n + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	items[matches->n++] = index;
	matches->items = items;
	return 0;
}

/* All entries of one shape. */
static int add_matches(const struct shapes *shapes, uint32_t hash,
		       struct matches *matches)
{
	size_t low = 0;
	size_t high = shapes->n;
	int error = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (shapes->items[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	while (error == 0 && low < shapes->n && shapes->items[low].hash == hash)
		error = add_match(matches, shapes->items[low++].index);
	return error;
}

static int compare_indexes(const void *a, const void *b)
{
	const size_t *x = a;
	const size_t *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

int hf_catalog_match(const struct hf_view *view, struct hf_catalog *catalog,
		     const char *name, size_t **ret, size_t *ret_n)
{
	const struct shapes *shapes = NULL;
	size_t hash_len = view->name_template.hash_len;
	struct matches matches = {0};
	struct hf_buf text = {0};
	size_t run = 0; /* hex digits up to here */
	int error = shapes_of(view, catalog, &shapes);

	for (size_t i = 0; error == 0 && name[i]; i++) {
		run = is_hex(name[i]) ? run + 1 : 0;
		if (run < hash_len)
			continue;
		error = add_matches(shapes,
				    shape_hash(view, &text, name,
					       i + 1 - hash_len, name + i + 1),
				    &matches);
	}
	hf_buf_fini(&text);
	if (error < 0) {
		free(matches.items);
		return error;
	}
	if (matches.n > 1)
		qsort(matches.items, matches.n, sizeof(*matches.items),
		      compare_indexes);
	*ret = matches.items;
	*ret_n = matches.n;
	return 0;
}
