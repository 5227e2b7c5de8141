/*
 * memory: what is remembered, by directory, as bytes that nobody here reads.
 * Bounded: the directories that nobody asked for the longest go first. Keeps
 * account of what has to be stored and leaves storing to others.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* The day of what is asked for is brought up to date this often. */
#define TOUCH_DAYS 7
/* What an entry costs besides itself and its data: its slot in the table, the
 * heap's own. */
#define OVERHEAD 32

enum state {
	CLEAN,
	CHANGED, /* has to be stored */
	TAKEN,   /* is being stored */
};

/* There is one for every file: it is kept small. */
struct entry {
	uint64_t key[2];
	struct entry *next; /* of the shelf */
	struct entry *previous;
	uint32_t len;
	uint16_t day;    /* since 1970 */
	uint8_t state;   /* enum state */
	bool keep : 1;   /* is to be stored */
	bool stored : 1; /* was, at some time */
	char data[];
};

/* A directory. */
struct shelf {
	uint64_t key[2];
	struct entry *entries;
	struct shelf *newer; /* in the order of use */
	struct shelf *older;
	struct shelf *next_changed;
	bool changed; /* stands in the queue of those */
	bool loaded;
};

struct hf_memory {
	size_t max_bytes;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	size_t bytes;
	struct hf_set *entries; /* owns them */
	struct hf_set *shelves; /* owns them */
	struct shelf *newest;
	struct shelf *oldest;
	struct shelf *first_changed;
	struct shelf **last_changed;
};

static const void *entry_key(const void *entry)
{
	return ((const struct entry *)entry)->key;
}

static const void *shelf_key(const void *shelf)
{
	return ((const struct shelf *)shelf)->key;
}

int hf_memory_new(size_t max_bytes, struct hf_memory **ret)
{
	struct hf_memory *memory = calloc(1, sizeof(*memory));
	int error;

	if (!memory)
		return -ENOMEM;
	memory->max_bytes = max_bytes;
	memory->last_changed = &memory->first_changed;
	pthread_mutex_init(&memory->lock, NULL);
	error = hf_set_new(entry_key, 2 * sizeof(uint64_t), &memory->entries);
	if (error == 0)
		error = hf_set_new(shelf_key, 2 * sizeof(uint64_t),
				   &memory->shelves);
	if (error < 0)
		hf_memory_free(memory);
	else
		*ret = memory;
	return error;
}

/* --- shelves, in the order of use; call all with the lock held --------------- */

static void unlink_shelf(struct hf_memory *memory, struct shelf *shelf)
{
	*(shelf->newer ? &shelf->newer->older : &memory->newest) = shelf->older;
	*(shelf->older ? &shelf->older->newer : &memory->oldest) = shelf->newer;
	shelf->newer = shelf->older = NULL;
}

static void link_shelf(struct hf_memory *memory, struct shelf *shelf)
{
	shelf->older = memory->newest;
	*(memory->newest ? &memory->newest->newer : &memory->oldest) = shelf;
	memory->newest = shelf;
}

static void use_shelf(struct hf_memory *memory, struct shelf *shelf)
{
	if (memory->newest == shelf)
		return;
	unlink_shelf(memory, shelf);
	link_shelf(memory, shelf);
}

/* The shelf of that key, new if need be. NULL: no memory. */
static struct shelf *shelf_of(struct hf_memory *memory, const uint64_t key[2])
{
	struct shelf *shelf = hf_set_get(memory->shelves, key);

	if (shelf) {
		use_shelf(memory, shelf);
		return shelf;
	}
	shelf = calloc(1, sizeof(*shelf));
	if (!shelf)
		return NULL;
	memcpy(shelf->key, key, sizeof(shelf->key));
	if (hf_set_put(memory->shelves, shelf) < 0) {
		free(shelf);
		return NULL;
	}
	link_shelf(memory, shelf);
	memory->bytes += sizeof(*shelf) + OVERHEAD;
	return shelf;
}

static void change_shelf(struct hf_memory *memory, struct shelf *shelf)
{
	if (shelf->changed)
		return;
	shelf->changed = true;
	shelf->next_changed = NULL;
	*memory->last_changed = shelf;
	memory->last_changed = &shelf->next_changed;
}

/* Takes a shelf out of the queue of changed ones. */
static void unchange_shelf(struct hf_memory *memory, struct shelf *shelf)
{
	struct shelf **at = &memory->first_changed;

	if (!shelf->changed)
		return;
	while (*at != shelf)
		at = &(*at)->next_changed;
	*at = shelf->next_changed;
	if (!*at)
		memory->last_changed = at;
	shelf->changed = false;
}

/* --- entries; call all with the lock held ------------------------------------- */

static size_t entry_size(size_t len)
{
	size_t size = offsetof(struct entry, data) + len;

	return size > sizeof(struct entry) ? size : sizeof(struct entry);
}

static size_t size_of(const struct entry *entry)
{
	return entry_size(entry->len) + OVERHEAD;
}

static void drop_entry(struct hf_memory *memory, struct shelf *shelf,
		       struct entry *entry)
{
	*(entry->previous ? &entry->previous->next : &shelf->entries) =
		entry->next;
	if (entry->next)
		entry->next->previous = entry->previous;
	hf_set_remove(memory->entries, entry->key);
	memory->bytes -= size_of(entry);
	free(entry);
}

static void drop_shelf(struct hf_memory *memory, struct shelf *shelf)
{
	while (shelf->entries)
		drop_entry(memory, shelf, shelf->entries);
	unchange_shelf(memory, shelf);
	unlink_shelf(memory, shelf);
	hf_set_remove(memory->shelves, shelf->key);
	memory->bytes -= sizeof(*shelf) + OVERHEAD;
	free(shelf);
}

/* What is not stored yet goes, too: to wait for the disk is worse. */
static void make_room(struct hf_memory *memory)
{
	while (memory->bytes > memory->max_bytes &&
	       memory->oldest != memory->newest)
		drop_shelf(memory, memory->oldest);
}

static struct entry *add_entry(struct hf_memory *memory, struct shelf *shelf,
			       const uint64_t key[2], const char *data,
			       size_t len)
{
	struct entry *entry = calloc(1, entry_size(len));

	if (!entry)
		return NULL;
	memcpy(entry->key, key, sizeof(entry->key));
	if (hf_set_put(memory->entries, entry) < 0) {
		free(entry);
		return NULL;
	}
	memcpy(entry->data, data, len);
	entry->len = (uint32_t)len;
	entry->next = shelf->entries;
	if (entry->next)
		entry->next->previous = entry;
	shelf->entries = entry;
	memory->bytes += size_of(entry);
	return entry;
}

static struct entry *find_entry(struct hf_memory *memory, const uint64_t key[2])
{
	return hf_set_get(memory->entries, key);
}

static void change_entry(struct hf_memory *memory, struct shelf *shelf,
			 struct entry *entry)
{
	if (!entry->keep && !entry->stored)
		return;
	entry->state = CHANGED;
	change_shelf(memory, shelf);
}

/* --- the door ------------------------------------------------------------------ */

void hf_memory_free(struct hf_memory *memory)
{
	struct entry *entry;
	struct shelf *shelf;

	if (!memory)
		return;
	for (size_t at = 0;
	     memory->entries && (entry = hf_set_next(memory->entries, &at));)
		free(entry);
	for (size_t at = 0;
	     memory->shelves && (shelf = hf_set_next(memory->shelves, &at));)
		free(shelf);
	hf_set_free(memory->entries);
	hf_set_free(memory->shelves);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

int hf_memory_get(struct hf_memory *memory, const struct hf_key *key,
		  uint32_t day, bool *touched, struct hf_buf *ret)
{
	struct shelf *shelf;
	struct entry *entry;
	int found;

	pthread_mutex_lock(&memory->lock);
	shelf = hf_set_get(memory->shelves, key->dir);
	entry = shelf ? find_entry(memory, key->file) : NULL;
	if (entry) {
		hf_buf_reset(ret);
		hf_buf_add(ret, entry->data, entry->len);
		use_shelf(memory, shelf);
		if (day >= (uint32_t)entry->day + TOUCH_DAYS) {
			entry->day = (uint16_t)day;
			change_entry(memory, shelf, entry);
			*touched = true;
		}
		found = hf_buf_status(ret) == 0;
	} else {
		found = shelf && shelf->loaded ? 0 : -ENODATA;
	}
	pthread_mutex_unlock(&memory->lock);
	return found;
}

/* Call with the lock held. The entry with these data, NULL: no memory. */
static struct entry *set_entry(struct hf_memory *memory, struct shelf *shelf,
			       const struct hf_key *key, const char *data,
			       size_t len)
{
	struct entry *entry = find_entry(memory, key->file);
	bool stored = entry && entry->stored;

	if (entry && entry->len == len) {
		memcpy(entry->data, data, len);
		return entry;
	}
	if (entry)
		drop_entry(memory, shelf, entry);
	entry = add_entry(memory, shelf, key->file, data, len);
	if (entry)
		entry->stored = stored;
	return entry;
}

bool hf_memory_put(struct hf_memory *memory, const struct hf_key *key,
		   uint32_t day, bool keep, const char *data, size_t len)
{
	struct entry *entry = NULL;
	struct shelf *shelf;
	bool changed;

	pthread_mutex_lock(&memory->lock);
	shelf = shelf_of(memory, key->dir);
	if (shelf)
		entry = set_entry(memory, shelf, key, data, len);
	if (entry) {
		entry->day = (uint16_t)day;
		entry->keep = keep;
		change_entry(memory, shelf, entry);
	}
	make_room(memory);
	changed = memory->first_changed;
	pthread_mutex_unlock(&memory->lock);
	return changed;
}

void hf_memory_load(struct hf_memory *memory, const uint64_t dir[2],
		    const struct hf_records *records)
{
	struct shelf *shelf;

	pthread_mutex_lock(&memory->lock);
	shelf = shelf_of(memory, dir);
	for (size_t i = 0; shelf && i < records->n; i++) {
		const struct hf_record *record = &records->items[i];
		struct entry *entry = find_entry(memory, record->key);

		/* What memory has is newer, and corrects what is stored. */
		if (entry) {
			entry->stored = true;
			continue;
		}
		entry = add_entry(memory, shelf, record->key, record->data,
				  record->len);
		if (!entry)
			break;
		entry->day = (uint16_t)record->day;
		entry->keep = entry->stored = true;
	}
	if (shelf)
		shelf->loaded = true;
	make_room(memory);
	pthread_mutex_unlock(&memory->lock);
}

void hf_memory_forget(struct hf_memory *memory)
{
	pthread_mutex_lock(&memory->lock);
	while (memory->oldest)
		drop_shelf(memory, memory->oldest);
	pthread_mutex_unlock(&memory->lock);
}

void hf_memory_stats(struct hf_memory *memory, uint64_t *entries,
		     uint64_t *bytes)
{
	pthread_mutex_lock(&memory->lock);
	*entries = hf_set_len(memory->entries);
	*bytes = memory->bytes;
	pthread_mutex_unlock(&memory->lock);
}

/* --- what is to be stored -------------------------------------------------------- */

/* Call with the lock held. */
static int copy_changes(struct shelf *shelf, struct hf_delta *ret)
{
	size_t len = 0;
	int error = 0;

	for (struct entry *entry = shelf->entries; entry; entry = entry->next)
		len += entry->state == CHANGED ? entry->len : 0;
	ret->data = malloc(len + 1);
	if (!ret->data)
		return -ENOMEM;
	len = 0;
	for (struct entry *entry = shelf->entries; entry && error == 0;
	     entry = entry->next) {
		struct hf_record record = {.day = entry->day,
					   .data = ret->data + len};

		if (entry->state != CHANGED)
			continue;
		memcpy(record.key, entry->key, sizeof(record.key));
		if (entry->keep) {
			record.len = entry->len;
			memcpy(ret->data + len, entry->data, entry->len);
			len += entry->len;
		}
		entry->state = TAKEN;
		error = hf_records_add(&ret->changes, &record);
	}
	return error;
}

bool hf_memory_take(struct hf_memory *memory, struct hf_delta *ret)
{
	struct shelf *shelf;
	int error = -ENOENT;

	*ret = (struct hf_delta){0};
	pthread_mutex_lock(&memory->lock);
	shelf = memory->first_changed;
	if (shelf) {
		memcpy(ret->key, shelf->key, sizeof(ret->key));
		unchange_shelf(memory, shelf);
		error = copy_changes(shelf, ret);
	}
	pthread_mutex_unlock(&memory->lock);
	if (error < 0)
		hf_delta_fini(ret);
	else
		hf_records_sort(&ret->changes);
	return error == 0;
}

void hf_memory_stored(struct hf_memory *memory, const struct hf_delta *delta,
		      bool good)
{
	struct shelf *shelf;

	pthread_mutex_lock(&memory->lock);
	shelf = hf_set_get(memory->shelves, delta->key);
	for (size_t i = 0; shelf && i < delta->changes.n; i++) {
		const struct hf_record *record = &delta->changes.items[i];
		struct entry *entry = find_entry(memory, record->key);

		/* It may have changed again, or gone. */
		if (!entry || entry->state != TAKEN)
			continue;
		entry->state = CLEAN;
		if (good)
			entry->stored = record->len > 0;
		else
			change_entry(memory, shelf, entry);
	}
	pthread_mutex_unlock(&memory->lock);
}

void hf_delta_fini(struct hf_delta *delta)
{
	hf_records_fini(&delta->changes);
	free(delta->data);
	*delta = (struct hf_delta){0};
}
