/*
 * memory: what is remembered, by directory, as bytes that nobody here reads.
 * Bounded: the directories that nobody asked for the longest go first. Keeps
 * account of what has to be stored and leaves storing to others.
 */
#include "fs/digest/remembered.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* The day of what is asked for is brought up to date this often. */
#define TOUCH_DAYS 7
/* What a directory costs besides itself and its memos: its slot in the table,
 * the heap's own. */
#define OVERHEAD 48

/* A directory. */
struct shelf {
	uint64_t key[2];
	struct hf_memos memos;
	struct shelf *newer; /* in the order of use */
	struct shelf *older;
	struct shelf *next_changed;
	uint64_t turn; /* when it came to stand first in that order */
	bool changed;  /* stands in the queue of those */
	bool loaded;
};

struct hf_memory {
	size_t max_bytes;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	size_t bytes;
	uint64_t n;             /* memos */
	struct hf_set *shelves; /* owns them */
	struct shelf *newest;
	struct shelf *oldest;
	uint64_t turns;
	struct shelf *first_changed;
	struct shelf **last_changed;
	size_t n_changed;
	uint64_t forgets;
};

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
	hf_lock_init(&memory->lock);
	error = hf_set_new(shelf_key, 2 * sizeof(uint64_t), &memory->shelves);
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
	shelf->turn = ++memory->turns;
}

/* Where it is among the first of many it stays: threads that ask for files of
 * one directory each would else move both with every question. */
static void use_shelf(struct hf_memory *memory, struct shelf *shelf)
{
	if (memory->newest == shelf ||
	    memory->turns - shelf->turn < hf_set_len(memory->shelves) / 8)
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
	memory->n_changed++;
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
	memory->n_changed--;
	shelf->changed = false;
}

static void count(struct hf_memory *memory, const struct hf_memos *memos)
{
	memory->bytes += hf_memos_size(memos);
	memory->n += memos->n;
}

static void uncount(struct hf_memory *memory, const struct hf_memos *memos)
{
	memory->bytes -= hf_memos_size(memos);
	memory->n -= memos->n;
}

/* What the directory had is not known any more. */
static void empty_shelf(struct hf_memory *memory, struct shelf *shelf)
{
	uncount(memory, &shelf->memos);
	hf_memos_fini(&shelf->memos);
}

static void drop_shelf(struct hf_memory *memory, struct shelf *shelf)
{
	empty_shelf(memory, shelf);
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

/* NULL: no memory. */
static struct hf_memo *set_memo(struct hf_memory *memory, struct shelf *shelf,
				const uint64_t key[2], const char *data,
				size_t len)
{
	struct hf_memo *memo;

	uncount(memory, &shelf->memos);
	memo = hf_memos_set(&shelf->memos, key, data, len);
	count(memory, &shelf->memos);
	return memo;
}

static void change_memo(struct hf_memory *memory, struct shelf *shelf,
			struct hf_memo *memo)
{
	if (!memo->keep && !memo->stored)
		return;
	memo->state = HF_MEMO_CHANGED;
	change_shelf(memory, shelf);
}

/* --- the door ------------------------------------------------------------------ */

void hf_memory_free(struct hf_memory *memory)
{
	struct shelf *shelf;

	if (!memory)
		return;
	for (size_t at = 0;
	     memory->shelves && (shelf = hf_set_next(memory->shelves, &at));) {
		hf_memos_fini(&shelf->memos);
		free(shelf);
	}
	hf_set_free(memory->shelves);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

int hf_memory_get(struct hf_memory *memory, const struct hf_key *key,
		  uint32_t day, bool *touched, struct hf_buf *ret)
{
	struct shelf *shelf;
	struct hf_memo *memo;
	int found;

	/* Room for most of what there is, before others have to wait. */
	hf_buf_reset(ret);
	hf_buf_puts(ret, "");
	pthread_mutex_lock(&memory->lock);
	shelf = hf_set_get(memory->shelves, key->dir);
	memo = shelf ? hf_memos_find(&shelf->memos, key->file) : NULL;
	if (memo) {
		hf_buf_add(ret, memo->data, memo->len);
		use_shelf(memory, shelf);
		if (day >= (uint32_t)memo->day + TOUCH_DAYS) {
			memo->day = (uint16_t)day;
			change_memo(memory, shelf, memo);
			*touched = true;
		}
		found = hf_buf_status(ret) == 0;
	} else {
		found = shelf && shelf->loaded ? 0 : -ENODATA;
	}
	pthread_mutex_unlock(&memory->lock);
	return found;
}

bool hf_memory_put(struct hf_memory *memory, const struct hf_key *key,
		   uint32_t day, bool keep, const char *data, size_t len)
{
	struct hf_memo *memo = NULL;
	struct shelf *shelf;
	bool changed;

	pthread_mutex_lock(&memory->lock);
	shelf = shelf_of(memory, key->dir);
	if (shelf)
		memo = set_memo(memory, shelf, key->file, data, len);
	if (memo) {
		memo->day = (uint16_t)day;
		memo->keep = keep;
		change_memo(memory, shelf, memo);
	} else if (shelf) {
		empty_shelf(memory, shelf); /* what it had is outdated */
	}
	make_room(memory);
	changed = memory->first_changed;
	pthread_mutex_unlock(&memory->lock);
	return changed;
}

bool hf_memory_lacks(struct hf_memory *memory, const uint64_t dir[2])
{
	const struct shelf *shelf;
	bool lacks;

	pthread_mutex_lock(&memory->lock);
	shelf = hf_set_get(memory->shelves, dir);
	lacks = !shelf || !shelf->loaded;
	pthread_mutex_unlock(&memory->lock);
	return lacks;
}

/* As many as there is memory for. */
static void load(struct hf_memos *memos, const struct hf_records *records)
{
	size_t len = 0;

	for (size_t i = 0; i < records->n; i++)
		len += records->items[i].len;
	if (hf_memos_reserve(memos, records->n, len) < 0)
		return;
	for (size_t i = 0; i < records->n; i++) {
		const struct hf_record *record = &records->items[i];
		bool added;
		struct hf_memo *memo = hf_memos_add(
			memos, record->key, record->data, record->len, &added);

		if (!memo)
			return;
		/* What memory has is newer, and corrects what is stored. */
		memo->stored = true;
		if (!added)
			continue;
		memo->day = (uint16_t)record->day;
		memo->keep = true;
	}
}

uint64_t hf_memory_forgets(struct hf_memory *memory)
{
	uint64_t forgets;

	pthread_mutex_lock(&memory->lock);
	forgets = memory->forgets;
	pthread_mutex_unlock(&memory->lock);
	return forgets;
}

void hf_memory_load(struct hf_memory *memory, const uint64_t dir[2],
		    uint64_t forgets, const struct hf_records *records)
{
	struct shelf *shelf;

	pthread_mutex_lock(&memory->lock);
	shelf = forgets == memory->forgets ? shelf_of(memory, dir) : NULL;
	if (shelf) {
		uncount(memory, &shelf->memos);
		load(&shelf->memos, records);
		count(memory, &shelf->memos);
		shelf->loaded = true;
	}
	make_room(memory);
	pthread_mutex_unlock(&memory->lock);
}

void hf_memory_forget(struct hf_memory *memory)
{
	pthread_mutex_lock(&memory->lock);
	memory->forgets++;
	while (memory->oldest)
		drop_shelf(memory, memory->oldest);
	pthread_mutex_unlock(&memory->lock);
}

void hf_memory_stats(struct hf_memory *memory, uint64_t *entries,
		     uint64_t *bytes)
{
	pthread_mutex_lock(&memory->lock);
	*entries = memory->n;
	*bytes = memory->bytes;
	pthread_mutex_unlock(&memory->lock);
}

/* --- what is to be stored -------------------------------------------------------- */

/* Call with the lock held. */
static int copy_changes(struct shelf *shelf, struct hf_delta *ret)
{
	struct hf_memo *memo;
	size_t len = 0;
	int error = 0;

	for (size_t at = 0; (memo = hf_memos_next(&shelf->memos, &at));)
		len += memo->state == HF_MEMO_CHANGED ? memo->len : 0;
	ret->data = malloc(len + 1);
	if (!ret->data)
		return -ENOMEM;
	len = 0;
	for (size_t at = 0;
	     error == 0 && (memo = hf_memos_next(&shelf->memos, &at));) {
		struct hf_record record = {.day = memo->day,
					   .data = ret->data + len};

		if (memo->state != HF_MEMO_CHANGED)
			continue;
		memcpy(record.key, memo->key, sizeof(record.key));
		if (memo->keep) {
			record.len = memo->len;
			memcpy(ret->data + len, memo->data, memo->len);
			len += memo->len;
		}
		memo->state = HF_MEMO_TAKEN;
		error = hf_records_add(&ret->changes, &record);
	}
	return error;
}

/* Call with the lock held. Takes all out of the queue. */
static size_t copy_queue(struct hf_memory *memory, uint64_t (*ret)[2])
{
	size_t n = 0;

	for (struct shelf *shelf = memory->first_changed; shelf;
	     shelf = shelf->next_changed) {
		memcpy(ret[n++], shelf->key, sizeof(shelf->key));
		shelf->changed = false;
	}
	memory->first_changed = NULL;
	memory->last_changed = &memory->first_changed;
	memory->n_changed = 0;
	return n;
}

int hf_memory_changed(struct hf_memory *memory, uint64_t (**ret)[2],
		      size_t *ret_n)
{
	uint64_t(*dirs)[2] = NULL;

	pthread_mutex_lock(&memory->lock);
	dirs = calloc(memory->n_changed + 1, sizeof(*dirs));
	if (dirs)
		*ret_n = copy_queue(memory, dirs);
	pthread_mutex_unlock(&memory->lock);
	if (!dirs)
		return -ENOMEM;
	*ret = dirs;
	return 0;
}

void hf_memory_give_back(struct hf_memory *memory, uint64_t (*dirs)[2],
			 size_t n)
{
	pthread_mutex_lock(&memory->lock);
	for (size_t i = 0; i < n; i++) {
		struct shelf *shelf = hf_set_get(memory->shelves, dirs[i]);

		if (shelf)
			change_shelf(memory, shelf);
	}
	pthread_mutex_unlock(&memory->lock);
}

bool hf_memory_take(struct hf_memory *memory, const uint64_t dir[2],
		    struct hf_delta *ret)
{
	struct shelf *shelf;
	int error = -ENOENT;

	*ret = (struct hf_delta){0};
	pthread_mutex_lock(&memory->lock);
	shelf = hf_set_get(memory->shelves, dir);
	if (shelf) {
		memcpy(ret->key, shelf->key, sizeof(ret->key));
		error = copy_changes(shelf, ret);
	}
	pthread_mutex_unlock(&memory->lock);
	if (error < 0 || !ret->changes.n) {
		hf_delta_fini(ret);
		return false;
	}
	hf_records_sort(&ret->changes);
	return true;
}

void hf_memory_stored(struct hf_memory *memory, const struct hf_delta *delta,
		      bool good)
{
	struct shelf *shelf;

	pthread_mutex_lock(&memory->lock);
	shelf = hf_set_get(memory->shelves, delta->key);
	for (size_t i = 0; shelf && i < delta->changes.n; i++) {
		const struct hf_record *record = &delta->changes.items[i];
		struct hf_memo *memo =
			hf_memos_find(&shelf->memos, record->key);

		/* It may have changed again, or gone. */
		if (!memo || memo->state != HF_MEMO_TAKEN)
			continue;
		memo->state = HF_MEMO_CLEAN;
		if (good)
			memo->stored = record->len > 0;
		else
			change_memo(memory, shelf, memo);
	}
	pthread_mutex_unlock(&memory->lock);
}

void hf_delta_fini(struct hf_delta *delta)
{
	hf_records_fini(&delta->changes);
	free(delta->data);
	*delta = (struct hf_delta){0};
}
