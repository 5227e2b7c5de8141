/*
 * A merged directory as it was: the entries of all roots, one of a name.
 */
#include "fs/source/internal.h"

#include <errno.h>
#include <string.h>

/* How one root's directory stood when it was listed. */
struct share {
	int error; /* as hf_part */
	dev_t dev;
	struct hf_sig sig;
};

/* One block of memory: the struct, shares, entries, names. */
struct hf_source_list {
	atomic_uint refs;
	size_t size; /* of the block */
	int64_t listed_ns;
	struct stat st;
	struct share *shares;
	struct hf_source_entry *entries;
	size_t n_shares;
	size_t n;
};

/*
 * So young a list is taken as current although a change within the grain of
 * the stamps cannot be excluded. Without this every lookup in a directory that
 * was just changed would list it anew.
 */
#define YOUNG_NS INT64_C(50000000)

int hf_found_add(struct hf_found *found, const struct hf_source_entry *entry)
{
	if (found->n == found->cap) {
		size_t cap = found->cap ? found->cap * 2 : 16;
		void *items =
			reallocarray(found->items, cap, sizeof(*found->items));

		if (!items)
			return -ENOMEM;
		found->items = items;
		found->cap = cap;
	}
	found->items[found->n++] = *entry;
	return 0;
}

void hf_found_fini(struct hf_found *found)
{
	free(found->items);
	*found = (struct hf_found){0};
}

/* --- merging -------------------------------------------------------------- */

static int by_name_and_root(const void *a_ptr, const void *b_ptr)
{
	const struct hf_source_entry *a =
		*(const struct hf_source_entry *const *)a_ptr;
	const struct hf_source_entry *b =
		*(const struct hf_source_entry *const *)b_ptr;
	int order = strcmp(a->name, b->name);

	return order ? order : (a->root > b->root) - (a->root < b->root);
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

static struct share share_of(const struct hf_part *part)
{
	if (part->error)
		return (struct share){.error = part->error};
	return (struct share){
		.dev = part->dir.st.st_dev,
		.sig = hf_sig_of(&part->dir.st),
	};
}

/* The inner pointers of a block that was just made or copied. */
static void point_inside(struct hf_source_list *list)
{
	list->shares = (struct share *)(list + 1);
	list->entries =
		(struct hf_source_entry *)(list->shares + list->n_shares);
}

static int new_block(size_t n_shares, size_t n, size_t names_len,
		     struct hf_source_list **ret)
{
	size_t size = sizeof(**ret) + n_shares * sizeof(struct share) +
		      n * sizeof(struct hf_source_entry) + names_len;
	struct hf_source_list *list = malloc(size);

	if (!list)
		return -ENOMEM;
	*list = (struct hf_source_list){
		.refs = 1,
		.size = size,
		.n_shares = n_shares,
		.n = n,
	};
	point_inside(list);
	*ret = list;
	return 0;
}

static int new_list(struct hf_source_entry *const *order, size_t n,
		    size_t n_shares, struct hf_source_list **ret)
{
	struct hf_source_list *list;
	size_t names_len = 0;
	char *name;
	int error;

	for (size_t i = 0; i < n; i++)
		names_len += strlen(order[i]->name) + 1;
	error = new_block(n_shares, n, names_len, &list);
	if (error < 0)
		return error;
	name = (char *)(list->entries + n);
	for (size_t i = 0; i < n; i++) {
		list->entries[i] = *order[i];
		list->entries[i].name = name;
		name = stpcpy(name, order[i]->name) + 1;
	}
	*ret = list;
	return 0;
}

int hf_list_new(const struct hf_parts *parts, struct hf_found *found,
		int64_t listed_ns, struct hf_source_list **ret)
{
	HF_CLEANUP(hf_freep)
	struct hf_source_entry **order = calloc(found->n + 1, sizeof(*order));
	int error;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < found->n; i++)
		order[i] = &found->items[i];
	qsort(order, found->n, sizeof(*order), by_name_and_root);
	error = new_list(order, merge(order, found->n), parts->n, ret);
	if (error < 0)
		return error;
	(*ret)->listed_ns = listed_ns;
	(*ret)->st = hf_parts_stat(parts);
	for (size_t i = 0; i < parts->n; i++)
		(*ret)->shares[i] = share_of(&parts->items[i]);
	return 0;
}

int hf_list_copy(const struct hf_source_list *list, struct hf_source_list **ret)
{
	struct hf_source_list *copy = malloc(list->size);

	if (!copy)
		return -ENOMEM;
	/* Field by field: others may be counting references right now. */
	*copy = (struct hf_source_list){
		.refs = 1,
		.size = list->size,
		.listed_ns = list->listed_ns,
		.st = list->st,
		.n_shares = list->n_shares,
		.n = list->n,
	};
	memcpy(copy + 1, list + 1, list->size - sizeof(*list));
	point_inside(copy);
	for (size_t i = 0; i < copy->n; i++)
		copy->entries[i].name =
			(const char *)copy +
			(list->entries[i].name - (const char *)list);
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
	if (list && atomic_fetch_sub(&list->refs, 1) == 1)
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
	size_t low = 0;
	size_t high = list->n;

	/* The first of equal names: a shadowed entry stands behind its
	 * winner. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(list->entries[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == list->n || strcmp(list->entries[low].name, name) != 0)
		return NULL;
	return &list->entries[low];
}

const struct stat *hf_source_list_stat(const struct hf_source_list *list)
{
	return &list->st;
}

bool hf_list_current(const struct hf_source_list *list,
		     const struct hf_parts *parts, int64_t now_ns)
{
	bool young = now_ns >= list->listed_ns &&
		     now_ns - list->listed_ns < YOUNG_NS;

	for (size_t i = 0; i < list->n_shares; i++) {
		const struct share *then = &list->shares[i];
		struct share now = share_of(&parts->items[i]);

		if (then->error != now.error || then->dev != now.dev ||
		    !hf_sig_equal(&then->sig, &now.sig))
			return false;
		if (!then->error && !young &&
		    !hf_sig_quiet(&then->sig, list->listed_ns))
			return false;
	}
	return true;
}
