#include "fs/base/base.h"

#include <errno.h>
#include <string.h>

#define SET_MIN 16

/*
 * As in hf_map a thing stands in the first free slot from its home on, and
 * removing closes the gap. The slots hold nothing but pointers, and their
 * number grows by a half only: the table is the smallest part of what is in
 * it. So it need not be a power of two, and the home is a share of it.
 */
struct hf_set {
	hf_set_key *key_of;
	size_t key_len;
	void **slots; /* NULL: free */
	size_t n_slots;
	size_t n;
};

int hf_set_new(hf_set_key *key_of, size_t key_len, struct hf_set **ret)
{
	struct hf_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->key_of = key_of;
	set->key_len = key_len;
	set->n_slots = SET_MIN;
	set->slots = calloc(set->n_slots, sizeof(*set->slots));
	if (!set->slots) {
		free(set);
		return -ENOMEM;
	}
	*ret = set;
	return 0;
}

void hf_set_free(struct hf_set *set)
{
	if (!set)
		return;
	free(set->slots);
	free(set);
}

size_t hf_set_len(const struct hf_set *set)
{
	return set->n;
}

/* The golden ratio spreads numbers that count up. */
static size_t home_of(const struct hf_set *set, const void *key)
{
	uint64_t word;

	memcpy(&word, key, sizeof(word));
	word *= UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)((word >> 32) * set->n_slots >> 32);
}

static size_t after(const struct hf_set *set, size_t at)
{
	return at + 1 < set->n_slots ? at + 1 : 0;
}

/* The place of the key, or the free one where it would be put. */
static size_t set_find(const struct hf_set *set, const void *key)
{
	size_t at = home_of(set, key);

	while (set->slots[at] &&
	       memcmp(set->key_of(set->slots[at]), key, set->key_len) != 0)
		at = after(set, at);
	return at;
}

void *hf_set_get(const struct hf_set *set, const void *key)
{
	return set->slots[set_find(set, key)];
}

static int set_resize(struct hf_set *set, size_t n_slots)
{
	struct hf_set resized = *set;

	resized.n_slots = n_slots;
	resized.slots = calloc(n_slots, sizeof(*resized.slots));
	if (!resized.slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_slots; i++) {
		void *thing = set->slots[i];

		if (thing)
			resized.slots[set_find(&resized, set->key_of(thing))] =
				thing;
	}
	free(set->slots);
	*set = resized;
	return 0;
}

int hf_set_put(struct hf_set *set, void *thing)
{
	const void *key = set->key_of(thing);
	size_t at = set_find(set, key);
	int error;

	if (set->slots[at])
		return -EEXIST;
	if (set->n >= set->n_slots / 8 * 7) {
		error = set_resize(set, set->n_slots / 2 * 3);
		if (error < 0)
			return error;
		at = set_find(set, key);
	}
	set->slots[at] = thing;
	set->n++;
	return 0;
}

/* How far behind `from` a place is, going round. */
static size_t distance(const struct hf_set *set, size_t from, size_t to)
{
	return to >= from ? to - from : to + set->n_slots - from;
}

/* Empties the place and moves up what may no longer be behind a free one. */
static void close_gap(struct hf_set *set, size_t gap)
{
	size_t at = gap;

	for (;;) {
		size_t home;

		at = after(set, at);
		if (!set->slots[at])
			break;
		home = home_of(set, set->key_of(set->slots[at]));
		/* A thing whose home lies behind the gap stays. */
		if (distance(set, home, at) < distance(set, gap, at))
			continue;
		set->slots[gap] = set->slots[at];
		gap = at;
	}
	set->slots[gap] = NULL;
}

void *hf_set_remove(struct hf_set *set, const void *key)
{
	size_t at = set_find(set, key);
	void *thing = set->slots[at];

	if (!thing)
		return NULL;
	close_gap(set, at);
	set->n--;
	/* Without memory to shrink, the table is too big and still right. */
	if (set->n_slots > SET_MIN && set->n < set->n_slots / 4)
		(void)!set_resize(set, set->n_slots / 2 < SET_MIN
					       ? SET_MIN
					       : set->n_slots / 2);
	return thing;
}

void *hf_set_next(const struct hf_set *set, size_t *cursor)
{
	while (*cursor < set->n_slots) {
		void *thing = set->slots[(*cursor)++];

		if (thing)
			return thing;
	}
	return NULL;
}
