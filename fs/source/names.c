/*
 * The names of a merged directory as it was, without the stats of what they
 * are: little enough to be kept for every directory of a large tree.
 */
#include "fs/source/internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* How one root's directory stood when it was listed. */
struct share {
	int error; /* as hf_part */
	dev_t dev;
	struct hf_sig sig;
};

/* There is one for every file of a live view: it is kept small. */
struct name {
	uint32_t at; /* in the text */
	uint16_t root;
	uint8_t error; /* EIO, too, for what is no such number */
	uint8_t type : 4;
	bool shadowed : 1;
	bool link : 1;
};

/* One block of memory: the struct, shares, names, text. */
struct hf_source_names {
	atomic_uint refs;
	int64_t listed_ns;
	struct share *shares;
	struct name *names;
	char *text;
	size_t n_shares;
	size_t n;
};

/*
 * So young a list is taken as current although a change within the grain of
 * the stamps cannot be excluded. Without this every lookup in a directory that
 * was just changed would list it anew.
 */
#define YOUNG_NS INT64_C(50000000)

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

static int new_block(size_t n_shares, size_t n, size_t text_len,
		     struct hf_source_names **ret)
{
	struct hf_source_names *names;

	if (text_len > UINT32_MAX)
		return -ENOMEM;
	names = malloc(sizeof(*names) + n_shares * sizeof(struct share) +
		       n * sizeof(struct name) + text_len);
	if (!names)
		return -ENOMEM;
	*names = (struct hf_source_names){
		.refs = 1,
		.n_shares = n_shares,
		.n = n,
	};
	names->shares = (struct share *)(names + 1);
	names->names = (struct name *)(names->shares + n_shares);
	names->text = (char *)(names->names + n);
	*ret = names;
	return 0;
}

static struct name name_of(const struct hf_source_entry *entry, size_t at)
{
	assert(entry->root <= HF_ROOTS_MAX);
	return (struct name){
		.at = (uint32_t)at,
		.root = (uint16_t)entry->root,
		.error = (uint8_t)(entry->error > UINT8_MAX ? EIO
							    : entry->error),
		.type = entry->type & 0xf,
		.shadowed = entry->shadowed,
		.link = entry->link,
	};
}

int hf_source_names_new(const struct hf_parts *parts,
			struct hf_source_entry *const *entries, size_t n,
			int64_t listed_ns, struct hf_source_names **ret)
{
	struct hf_source_names *names;
	size_t text_len = 0;
	size_t at = 0;
	int error;

	for (size_t i = 0; i < n; i++)
		text_len += strlen(entries[i]->name) + 1;
	error = new_block(parts->n, n, text_len, &names);
	if (error < 0)
		return error;
	names->listed_ns = listed_ns;
	for (size_t i = 0; i < parts->n; i++)
		names->shares[i] = share_of(&parts->items[i]);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(entries[i]->name) + 1;

		names->names[i] = name_of(entries[i], at);
		memcpy(names->text + at, entries[i]->name, len);
		at += len;
	}
	*ret = names;
	return 0;
}

struct hf_source_names *hf_source_names_ref(struct hf_source_names *names)
{
	atomic_fetch_add_explicit(&names->refs, 1, memory_order_relaxed);
	return names;
}

void hf_source_names_unref(struct hf_source_names *names)
{
	if (names && atomic_fetch_sub(&names->refs, 1) == 1)
		free(names);
}

/* --- asking --------------------------------------------------------------- */

size_t hf_source_names_len(const struct hf_source_names *names)
{
	return names->n;
}

struct hf_source_entry
hf_source_names_entry(const struct hf_source_names *names, size_t i)
{
	const struct name *name = &names->names[i];

	return (struct hf_source_entry){
		.name = names->text + name->at,
		.type = (enum hf_type)name->type,
		.error = name->error,
		.root = name->root,
		.shadowed = name->shadowed,
		.link = name->link,
	};
}

size_t hf_source_names_find(const struct hf_source_names *names,
			    const char *name)
{
	size_t low = 0;
	size_t high = names->n;

	/* The first of equal names: a shadowed entry stands behind its
	 * winner. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(names->text + names->names[middle].at, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < names->n && strcmp(names->text + names->names[low].at,
					name) == 0
		       ? low
		       : SIZE_MAX;
}

bool hf_names_current(const struct hf_source_names *names,
		      const struct hf_parts *parts, int64_t now_ns)
{
	bool young = now_ns >= names->listed_ns &&
		     now_ns - names->listed_ns < YOUNG_NS;

	for (size_t i = 0; i < names->n_shares; i++) {
		const struct share *then = &names->shares[i];
		struct share now = share_of(&parts->items[i]);

		if (then->error != now.error || then->dev != now.dev ||
		    !hf_sig_equal(&then->sig, &now.sig))
			return false;
		if (!then->error && !young &&
		    !hf_sig_quiet(&then->sig, names->listed_ns))
			return false;
	}
	return true;
}
