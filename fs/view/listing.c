/*
 * listing: a directory as presented, once it is made (naming.c).
 */
#include "fs/view/internal.h"

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

bool hf_listing_quiet(const struct hf_listing *listing)
{
	struct hf_sig sig = hf_sig_of(hf_source_list_stat(listing->list));

	return hf_sig_quiet(&sig, hf_clock_realtime());
}
