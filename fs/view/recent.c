/*
 * recent: the listings that were made last. Who opens a directory that somebody
 * else has just listed gets the same, and what did not change since need not be
 * made anew. They are few, so that a large tree costs no more than its names.
 */
#include "fs/view/listing.h"

#include <string.h>

/* So long a listing is held that nobody asks for. One of many files takes much
 * memory. */
#define HELD_NS (INT64_C(5) * 1000000000)

static struct hf_recent_slot *slot_of(struct hf_recent *recent,
				      const struct hf_node *dir)
{
	return &recent->slots[dir->identity[0] % HF_RECENT];
}

void hf_recent_init(struct hf_recent *recent)
{
	pthread_mutex_init(&recent->lock, NULL);
}

void hf_recent_fini(struct hf_recent *recent)
{
	for (size_t i = 0; i < HF_RECENT; i++)
		hf_listing_unref(recent->slots[i].listing);
	pthread_mutex_destroy(&recent->lock);
}

void hf_recent_put(struct hf_recent *recent, const struct hf_node *dir,
		   struct hf_listing *listing)
{
	struct hf_recent_slot *slot = slot_of(recent, dir);
	struct hf_listing *old;

	pthread_mutex_lock(&recent->lock);
	old = slot->listing;
	slot->listing = hf_listing_ref(listing);
	slot->used_ns = hf_clock_monotonic();
	memcpy(slot->dir, dir->identity, sizeof(slot->dir));
	pthread_mutex_unlock(&recent->lock);
	hf_listing_unref(old);
}

struct hf_listing *hf_recent_get(struct hf_recent *recent,
				 const struct hf_node *dir)
{
	struct hf_recent_slot *slot = slot_of(recent, dir);
	struct hf_listing *listing = NULL;

	pthread_mutex_lock(&recent->lock);
	if (slot->listing &&
	    memcmp(slot->dir, dir->identity, sizeof(slot->dir)) == 0) {
		listing = hf_listing_ref(slot->listing);
		slot->used_ns = hf_clock_monotonic();
	}
	pthread_mutex_unlock(&recent->lock);
	return listing;
}

bool hf_recent_rest(struct hf_recent *recent, int64_t now_ns, bool *gone)
{
	struct hf_listing *old[HF_RECENT];
	size_t n = 0;
	bool left = false;

	pthread_mutex_lock(&recent->lock);
	for (size_t i = 0; i < HF_RECENT; i++) {
		struct hf_recent_slot *slot = &recent->slots[i];
		bool held = slot->listing && now_ns - slot->used_ns < HELD_NS;

		left |= held;
		if (!slot->listing || held)
			continue;
		old[n++] = slot->listing;
		slot->listing = NULL;
	}
	pthread_mutex_unlock(&recent->lock);
	for (size_t i = 0; i < n; i++)
		hf_listing_unref(old[i]);
	*gone = n > 0;
	return left;
}
