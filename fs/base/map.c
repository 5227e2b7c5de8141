#include "fs/base/base.h"

#include <errno.h>
#include <string.h>

#define MAP_MIN 16

/*
 * An entry stands in the first free slot from its home (hash & mask) on, and
 * between the two no slot is free: looking for a key can stop at the first
 * free one. Removing closes the gap, so no tombstones pile up.
 */
struct slot {
	uint64_t hash; /* spares most key comparisons and all rehashing */
	const void *key;
	size_t len;
	void *value; /* NULL: the slot is free */
};

struct hf_map {
	uint64_t seed[2];
	struct slot *slots;
	size_t mask; /* number of slots - 1; the number is a power of two */
	size_t n;
};

int hf_map_new(const uint64_t seed[2], struct hf_map **ret)
{
	struct hf_map *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	map->slots = calloc(MAP_MIN, sizeof(*map->slots));
	if (!map->slots) {
		free(map);
		return -ENOMEM;
	}
	map->seed[0] = seed[0];
	map->seed[1] = seed[1];
	map->mask = MAP_MIN - 1;
	*ret = map;
	return 0;
}

void hf_map_free(struct hf_map *map)
{
	if (!map)
		return;
	free(map->slots);
	free(map);
}

size_t hf_map_len(const struct hf_map *map)
{
	return map->n;
}

static bool slot_has(const struct slot *slot, uint64_t hash, const void *key,
		     size_t len)
{
	return slot->hash == hash && slot->len == len &&
	       (len == 0 || memcmp(slot->key, key, len) == 0);
}

/* The slot of the key, or the free one where it would be put. */
static struct slot *map_find(const struct hf_map *map, uint64_t hash,
			     const void *key, size_t len)
{
	size_t at = hash & map->mask;

	while (map->slots[at].value &&
	       !slot_has(&map->slots[at], hash, key, len))
		at = (at + 1) & map->mask;
	return &map->slots[at];
}

void *hf_map_get(const struct hf_map *map, const void *key, size_t len)
{
	uint64_t hash = hf_siphash(map->seed, key, len);

	return map_find(map, hash, key, len)->value;
}

static int map_resize(struct hf_map *map, size_t n_slots)
{
	struct slot *old = map->slots;
	size_t n_old = map->mask + 1;
	struct slot *slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	map->slots = slots;
	map->mask = n_slots - 1;
	for (size_t i = 0; i < n_old; i++) {
		size_t at = old[i].hash & map->mask;

		if (!old[i].value)
			continue;
		/* All keys are different: the first free slot is right. */
		while (slots[at].value)
			at = (at + 1) & map->mask;
		slots[at] = old[i];
	}
	free(old);
	return 0;
}

/* At most so many entries in so many slots. */
static size_t most_in(size_t n_slots)
{
	return n_slots / 4 * 3;
}

int hf_map_reserve(struct hf_map *map, size_t n)
{
	size_t n_slots = map->mask + 1;

	while (n > most_in(n_slots))
		n_slots *= 2;
	return n_slots > map->mask + 1 ? map_resize(map, n_slots) : 0;
}

int hf_map_put(struct hf_map *map, const void *key, size_t len, void *value)
{
	uint64_t hash = hf_siphash(map->seed, key, len);
	struct slot *slot = map_find(map, hash, key, len);
	int err;

	if (slot->value)
		return -EEXIST;
	if (map->n + 1 > most_in(map->mask + 1)) {
		err = map_resize(map, 2 * (map->mask + 1));
		if (err)
			return err;
		slot = map_find(map, hash, key, len);
	}
	*slot = (struct slot){
		.hash = hash, .key = key, .len = len, .value = value};
	map->n++;
	return 0;
}

/* Empties the slot and moves up what may no longer be behind a free one. */
static void map_close_gap(struct hf_map *map, size_t gap)
{
	size_t at = gap;

	for (;;) {
		at = (at + 1) & map->mask;
		if (!map->slots[at].value)
			break;
		/* An entry whose home lies behind the gap stays. */
		if (((at - map->slots[at].hash) & map->mask) <
		    ((at - gap) & map->mask))
			continue;
		map->slots[gap] = map->slots[at];
		gap = at;
	}
	map->slots[gap] = (struct slot){0};
}

void *hf_map_remove(struct hf_map *map, const void *key, size_t len)
{
	uint64_t hash = hf_siphash(map->seed, key, len);
	struct slot *slot = map_find(map, hash, key, len);
	size_t n_slots = map->mask + 1;
	void *value = slot->value;

	if (!value)
		return NULL;
	map_close_gap(map, slot - map->slots);
	map->n--;
	/* Without memory to shrink, the table is too big and still right. */
	if (n_slots > MAP_MIN && map->n < n_slots / 8)
		(void)!map_resize(map, n_slots / 2);
	return value;
}

void *hf_map_next(const struct hf_map *map, size_t *cursor)
{
	while (*cursor <= map->mask) {
		void *value = map->slots[(*cursor)++].value;

		if (value)
			return value;
	}
	return NULL;
}
