/*
 * A merged directory as it was: the entries of all roots, one of a name.
 */
#include "fs/source/internal.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

/* One block of memory: the struct and the entries. */
struct hf_source_list {
	atomic_uint refs;
	struct hf_source_names *names; /* a reference; theirs point into it */
	struct stat st;
	bool steady; /* as hf_list_new */
	size_t n;
	struct hf_source_entry entries[];
};

static int grow(struct hf_found *found, size_t cap)
{
	void *items = reallocarray(found->items, cap, sizeof(*found->items));

	if (!items)
		return -ENOMEM;
	found->items = items;
	found->cap = cap;
	return 0;
}

struct hf_source_entry *hf_found_reserve(struct hf_found *found, size_t n)
{
	if (found->cap < found->n + n && grow(found, found->n + n) < 0)
		return NULL;
	return found->items + found->n;
}

int hf_found_add(struct hf_found *found, const struct hf_source_entry *entry)
{
	int error = 0;

	if (found->n == found->cap)
		error = grow(found, found->cap ? found->cap * 2 : 16);
	if (error == 0)
		found->items[found->n++] = *entry;
	return error;
}

void hf_found_fini(struct hf_found *found)
{
	for (size_t i = 0; i < found->n_names; i++)
		hf_names_fini(&found->names[i]);
	free(found->names);
	free(found->items);
	*found = (struct hf_found){0};
}

/* --- merging -------------------------------------------------------------- */

/* An entry, and how its name begins, as a number in the order of names: it
 * spares most looks at the entry itself. */
struct place {
	uint64_t head;
	struct hf_source_entry *entry;
};

static struct place place_of(struct hf_source_entry *entry)
{
	uint64_t head = 0;
	size_t len = strnlen(entry->name, sizeof(head));

	memcpy(&head, entry->name, len);
	return (struct place){.head = be64toh(head), .entry = entry};
}

static int by_name_and_root(const void *a_ptr, const void *b_ptr)
{
	const struct place *a = a_ptr;
	const struct place *b = b_ptr;
	int order;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	order = strcmp(a->entry->name, b->entry->name);
	return order ? order
		     : (a->entry->root > b->entry->root) -
			       (a->entry->root < b->entry->root);
}

static int sort(const struct hf_found *found, struct hf_source_entry **order)
{
	HF_CLEANUP(hf_freep)
	struct place *places = malloc((found->n + 1) * sizeof(*places));

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < found->n; i++)
		places[i] = place_of(&found->items[i]);
	qsort(places, found->n, sizeof(*places), by_name_and_root);
	for (size_t i = 0; i < found->n; i++)
		order[i] = places[i].entry;
	return 0;
}

static bool same_kind(const struct hf_source_entry *a,
		      const struct hf_source_entry *b)
{
	return (a->type == HF_TYPE_DIR) == (b->type == HF_TYPE_DIR);
}

/*
 * Keeps the first of each name and, if a later root has a file at a
 * directory's name or the other way round, the first of those as shadowed.
 * Returns how many are kept.
 */
static size_t merge(struct hf_source_entry **order, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n;) {
		struct hf_source_entry *winner = order[i];
		bool shadow = false;

		order[kept++] = winner;
		for (i++; i < n && !strcmp(order[i]->name, winner->name); i++) {
			if (shadow || same_kind(order[i], winner))
				continue;
			shadow = true;
			order[i]->shadowed = true;
			order[kept++] = order[i];
		}
	}
	return kept;
}

/* --- birth and death ------------------------------------------------------ */

static size_t size_of(size_t n)
{
	return sizeof(struct hf_source_list) +
	       n * sizeof(struct hf_source_entry);
}

/* Without its entries. NULL: no memory. */
static struct hf_source_list *new_list(struct hf_source_names *names,
				       const struct stat *st)
{
	size_t n = hf_source_names_len(names);
	struct hf_source_list *list = malloc(size_of(n));

	if (list)
		*list = (struct hf_source_list){
			.refs = 1,
			.names = hf_source_names_ref(names),
			.st = *st,
			.n = n,
		};
	return list;
}

int hf_list_of_names(struct hf_source_names *names, const struct stat *st,
		     struct hf_source_list **ret)
{
	struct hf_source_list *list = new_list(names, st);

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		list->entries[i] = hf_source_names_entry(names, i);
	*ret = list;
	return 0;
}

int hf_list_new(const struct hf_parts *parts, struct hf_found *found,
		int64_t listed_ns, bool steady, struct hf_source_list **ret)
{
	HF_CLEANUP(hf_freep)
	struct hf_source_entry **order = calloc(found->n + 1, sizeof(*order));
	struct stat st = hf_parts_stat(parts);
	struct hf_source_names *names;
	struct hf_source_list *list;
	size_t n;
	int error;

	if (!order)
		return -ENOMEM;
	error = sort(found, order);
	if (error < 0)
		return error;
	n = merge(order, found->n);
	error = hf_source_names_new(parts, order, n, listed_ns, &names);
	if (error < 0)
		return error;
	list = new_list(names, &st);
	hf_source_names_unref(names);
	if (!list)
		return -ENOMEM;
	list->steady = steady;
	for (size_t i = 0; i < n; i++) {
		list->entries[i] = *order[i];
		list->entries[i].name = hf_source_names_entry(names, i).name;
	}
	*ret = list;
	return 0;
}

int hf_list_copy(const struct hf_source_list *list, struct hf_source_list **ret)
{
	struct hf_source_list *copy = new_list(list->names, &list->st);

	if (!copy)
		return -ENOMEM;
	memcpy(copy->entries, list->entries, list->n * sizeof(*list->entries));
	*ret = copy;
	return 0;
}

void hf_list_replace(struct hf_source_list *list, size_t i,
		     const struct hf_source_entry *entry)
{
	const char *name = list->entries[i].name;

	list->entries[i] = *entry;
	list->entries[i].name = name;
}

struct hf_source_list *hf_source_list_ref(struct hf_source_list *list)
{
	atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
	return list;
}

void hf_source_list_unref(struct hf_source_list *list)
{
	if (!list || atomic_fetch_sub(&list->refs, 1) != 1)
		return;
	hf_source_names_unref(list->names);
	free(list);
}

/* --- asking --------------------------------------------------------------- */

size_t hf_source_list_len(const struct hf_source_list *list)
{
	return list->n;
}

const struct hf_source_entry *
hf_source_list_entry(const struct hf_source_list *list, size_t i)
{
	return &list->entries[i];
}

const struct hf_source_entry *
hf_source_list_find(const struct hf_source_list *list, const char *name)
{
	size_t i = hf_source_names_find(list->names, name);

	return i == SIZE_MAX ? NULL : &list->entries[i];
}

const struct stat *hf_source_list_stat(const struct hf_source_list *list)
{
	return &list->st;
}

struct hf_source_names *hf_source_list_names(const struct hf_source_list *list)
{
	return list->names;
}

static bool was(const struct stat *st, int64_t at_ns)
{
	struct hf_sig sig = hf_sig_of(st);

	return hf_sig_quiet(&sig, at_ns);
}

bool hf_source_list_was(const struct hf_source_list *list, int64_t at_ns)
{
	bool all = list->steady && was(&list->st, at_ns);

	for (size_t i = 0; i < list->n && all; i++) {
		const struct hf_source_entry *entry = &list->entries[i];

		all = !entry->link && !entry->error && was(&entry->st, at_ns);
	}
	return all;
}
