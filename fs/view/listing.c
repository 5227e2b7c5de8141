/*
 * listing: a directory as presented, once it is made (naming.c).
 */
#include "fs/view/listing.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

size_t hf_listing_len(const struct hf_listing *listing)
{
	return listing->n;
}

const struct hf_entry *hf_listing_entry(const struct hf_listing *listing,
					size_t i)
{
	return &listing->entries[i];
}

uint64_t hf_listing_generation(const struct hf_listing *listing)
{
	return listing->generation;
}

struct hf_listing *hf_listing_ref(struct hf_listing *listing)
{
	atomic_fetch_add(&listing->refs, 1);
	return listing;
}

void hf_listing_unref(struct hf_listing *listing)
{
	if (!listing || atomic_fetch_sub(&listing->refs, 1) != 1)
		return;
	hf_catalog_unref(listing->catalog);
	hf_source_list_unref(listing->list);
	hf_buf_fini(&listing->names);
	free(listing->entries);
	free(listing);
}

static void add_names(const struct hf_listing *listing, struct hf_buf *ret)
{
	for (size_t i = 0; i < listing->n; i++) {
		const struct hf_entry *entry = &listing->entries[i];

		hf_buf_add(ret, entry->source, strlen(entry->source) + 1);
		if (entry->name != entry->source)
			hf_buf_add(ret, entry->name, strlen(entry->name) + 1);
	}
}

/* Points the entries into `names`, as add_names made it. */
static void move_names(struct hf_listing *listing, const char *names)
{
	for (size_t i = 0; i < listing->n; i++) {
		struct hf_entry *entry = &listing->entries[i];
		bool own = entry->name == entry->source;

		entry->source = entry->name = names;
		names += strlen(names) + 1;
		if (own)
			continue;
		entry->name = names;
		names += strlen(names) + 1;
	}
}

int hf_listing_detach(struct hf_listing *listing)
{
	struct hf_buf names = {0};
	int error;

	add_names(listing, &names);
	error = hf_buf_status(&names);
	if (error < 0) {
		hf_buf_fini(&names);
		return error;
	}
	move_names(listing, names.data);
	hf_buf_fini(&listing->names);
	listing->names = names;
	hf_catalog_unref(listing->catalog);
	hf_source_list_unref(listing->list);
	listing->catalog = NULL;
	listing->list = NULL;
	return 0;
}

bool hf_listing_quiet(const struct hf_listing *listing)
{
	struct hf_sig sig = hf_sig_of(hf_source_list_stat(listing->list));

	return hf_sig_quiet(&sig, hf_clock_realtime());
}

/* --- generation ------------------------------------------------------------ */

static const uint64_t key[2] = {0x67656e65, 0x72617469};

/* Returns the end of what was put there. */
static uint8_t *put_digest(uint8_t *at, const struct hf_digest *digest)
{
	*at++ = digest->len;
	memcpy(at, digest->bytes, digest->len);
	return at + digest->len;
}

/* Both, but as a rule they are one. */
static void add_digests(struct hf_buf *text, const struct hf_entry *entry)
{
	static const uint8_t the_same = UINT8_MAX;
	uint8_t bytes[2 * sizeof(entry->digest)];
	uint8_t *end = put_digest(bytes, &entry->digest);

	if (hf_digest_equal(&entry->digest, &entry->name_digest))
		*end++ = the_same;
	else
		end = put_digest(end, &entry->name_digest);
	hf_buf_add(text, bytes, (size_t)(end - bytes));
}

/* A name that is hashed says no more than its source and its digest. */
static void add_text(struct hf_buf *text, const struct hf_entry *entry)
{
	const uint64_t numbers[] = {
		htole64((uint64_t)entry->kind | (uint64_t)entry->problem << 8 |
			(uint64_t)entry->hidden << 16 |
			(uint64_t)(uint32_t)entry->error << 32),
		htole64((uint64_t)entry->root | (uint64_t)entry->mode << 32),
		htole64((uint64_t)entry->uid | (uint64_t)entry->gid << 32),
		htole64((uint64_t)entry->size),
		htole64((uint64_t)entry->mtime_ns),
	};

	hf_buf_add(text, entry->source, strlen(entry->source) + 1);
	if (entry->kind != HF_KIND_HASHED)
		hf_buf_add(text, entry->name, strlen(entry->name) + 1);
	hf_buf_add(text, numbers, sizeof(numbers));
	add_digests(text, entry);
}

/* So many entries are hashed together. */
#define SHARE 512

struct numbering {
	const struct hf_listing *made;
	uint64_t *hashes; /* of the shares; 0: no memory */
};

/* In several threads. */
static void hash_share(void *arg, size_t share)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	const struct numbering *numbering = arg;
	const struct hf_listing *made = numbering->made;
	size_t end = (share + 1) * SHARE;

	hf_buf_puts(&text, "");
	for (size_t i = share * SHARE; i < end && i < made->n; i++)
		add_text(&text, &made->entries[i]);
	if (hf_buf_status(&text) == 0)
		numbering->hashes[share] =
			hf_siphash(key, text.data, text.len) | 1;
}

/*
 * A listing's generation is the hash of all that it says, so that equal
 * generations mean equal listings, whoever made them and where.
 */
int hf_listing_number(struct hf_listing *made, struct hf_pool *pool)
{
	size_t n = made->n / SHARE + 1;
	HF_CLEANUP(hf_freep)
	uint64_t *hashes = calloc(n, sizeof(*hashes));
	struct numbering numbering = {.made = made, .hashes = hashes};

	if (!hashes)
		return -ENOMEM;
	hf_pool_share(pool, n, hash_share, &numbering);
	for (size_t i = 0; i < n; i++) {
		if (!hashes[i])
			return -ENOMEM;
		hashes[i] = htole64(hashes[i]);
	}
	made->generation = hf_siphash(key, hashes, n * sizeof(*hashes)) | 1;
	return 0;
}
