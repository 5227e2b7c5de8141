/*
 * memos: what is remembered of one directory, piece beside piece in one block,
 * and a table of where each begins. A memo that is replaced by a longer or
 * shorter one leaves a hole, which goes when room is needed and the holes are
 * worth it.
 */
#include "fs/digest/remembered.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Places in the block are counted in words, and so are lengths there. */
#define WORD sizeof(uint32_t)
#define WORDS_MAX (UINT32_MAX - 1)
#define SLOTS_MIN 4

static_assert(sizeof(struct hf_memo) % WORD == 0, "memos lie word by word");
static_assert(_Alignof(struct hf_memo) == WORD, "memos lie word by word");

static struct hf_memo *memo_at(const struct hf_memos *memos, size_t at)
{
	return (struct hf_memo *)(memos->words + at);
}

/* How many words a memo takes. */
static size_t length_of(size_t len)
{
	return (sizeof(struct hf_memo) + len + WORD - 1) / WORD;
}

void hf_memos_fini(struct hf_memos *memos)
{
	free(memos->words);
	free(memos->slots);
	*memos = (struct hf_memos){0};
}

size_t hf_memos_size(const struct hf_memos *memos)
{
	return WORD * ((size_t)memos->n_words + memos->n_slots);
}

struct hf_memo *hf_memos_next(const struct hf_memos *memos, size_t *cursor)
{
	while (*cursor < memos->used) {
		struct hf_memo *memo = memo_at(memos, *cursor);

		*cursor += length_of(memo->len);
		if (memo->state != HF_MEMO_GONE)
			return memo;
	}
	return NULL;
}

/* --- the table ------------------------------------------------------------- */

/*
 * As in hf_set: a memo stands in the first free slot from its home on. None is
 * ever taken out, one that is replaced leaves its slot to the other.
 */
static uint32_t *slot_of(const struct hf_memos *memos, const void *key)
{
	uint64_t word;
	size_t at;

	/* What comes in the order of its keys, as it is stored, must not come
	 * in the order of its homes: it would crowd at the front of the table. */
	memcpy(&word, key, sizeof(word));
	word *= UINT64_C(0x9e3779b97f4a7c15);
	at = (size_t)((word >> 32) * memos->n_slots >> 32);
	while (memos->slots[at] &&
	       memcmp(memo_at(memos, memos->slots[at] - 1)->key, key,
		      sizeof(memo_at(memos, 0)->key)) != 0)
		at = at + 1 < memos->n_slots ? at + 1 : 0;
	return &memos->slots[at];
}

static void fill_table(struct hf_memos *memos)
{
	size_t cursor = 0;
	struct hf_memo *memo;

	memset(memos->slots, 0, memos->n_slots * sizeof(*memos->slots));
	while ((memo = hf_memos_next(memos, &cursor)))
		*slot_of(memos, memo->key) =
			(uint32_t)(cursor - length_of(memo->len)) + 1;
}

/* Makes room for `n` more. A quarter of the slots stays free, and seldom much
 * more. */
static int widen_table(struct hf_memos *memos, size_t n)
{
	size_t n_slots = (size_t)memos->n_slots + memos->n_slots / 4;
	size_t least = (memos->n + n) * 4 / 3 + 1;
	uint32_t *slots;

	if (least <= memos->n_slots)
		return 0;
	if (n_slots < SLOTS_MIN)
		n_slots = SLOTS_MIN;
	if (n_slots < least)
		n_slots = least;
	if (n_slots > UINT32_MAX)
		return -ENOMEM;
	slots = reallocarray(memos->slots, n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memos->slots = slots;
	memos->n_slots = (uint32_t)n_slots;
	fill_table(memos);
	return 0;
}

struct hf_memo *hf_memos_find(const struct hf_memos *memos,
			      const uint64_t key[2])
{
	uint32_t at = memos->n_slots ? *slot_of(memos, key) : 0;

	return at ? memo_at(memos, at - 1) : NULL;
}

/* --- the block -------------------------------------------------------------- */

/* Moves all up to where there is no hole. */
static void close_holes(struct hf_memos *memos)
{
	size_t used = 0;
	size_t cursor = 0;
	struct hf_memo *memo;

	while ((memo = hf_memos_next(memos, &cursor))) {
		size_t length = length_of(memo->len);

		memmove(memos->words + used, memo, length * WORD);
		used += length;
	}
	memos->used = (uint32_t)used;
	memos->holes = 0;
	fill_table(memos);
}

/* Makes room for so many words. The block grows by an eighth only: it is never
 * much longer than what is in it. */
static int make_room(struct hf_memos *memos, size_t length)
{
	size_t n_words = (size_t)memos->n_words + memos->n_words / 8;
	uint32_t *words;

	if (memos->holes > memos->used / 4)
		close_holes(memos);
	if (memos->used + length <= memos->n_words)
		return 0;
	if (n_words < memos->used + length)
		n_words = memos->used + length;
	if (n_words > WORDS_MAX)
		return -ENOMEM;
	words = reallocarray(memos->words, n_words, WORD);
	if (!words)
		return -ENOMEM;
	memos->words = words;
	memos->n_words = (uint32_t)n_words;
	return 0;
}

/* The memo that takes the place of the one in that slot, or of none. There is
 * room for it. */
static struct hf_memo *append(struct hf_memos *memos, uint32_t *slot,
			      const uint64_t key[2], size_t len)
{
	struct hf_memo *memo = memo_at(memos, memos->used);

	*memo = (struct hf_memo){.len = (uint32_t)len};
	memcpy(memo->key, key, sizeof(memo->key));
	if (*slot) {
		struct hf_memo *old = memo_at(memos, *slot - 1);

		memo->stored = old->stored;
		old->state = HF_MEMO_GONE;
		memos->holes += (uint32_t)length_of(old->len);
	} else {
		memos->n++;
	}
	*slot = memos->used + 1;
	memos->used += (uint32_t)length_of(len);
	return memo;
}

struct hf_memo *hf_memos_set(struct hf_memos *memos, const uint64_t key[2],
			     const char *data, size_t len)
{
	struct hf_memo *memo = hf_memos_find(memos, key);

	if (!memo || memo->len != len) {
		if (len > UINT32_MAX || widen_table(memos, 1) < 0 ||
		    make_room(memos, length_of(len)) < 0)
			return NULL;
		memo = append(memos, slot_of(memos, key), key, len);
	}
	memcpy(memo->data, data, len);
	return memo;
}

struct hf_memo *hf_memos_add(struct hf_memos *memos, const uint64_t key[2],
			     const char *data, size_t len, bool *added)
{
	struct hf_memo *memo;
	uint32_t *slot;

	if (len > UINT32_MAX || widen_table(memos, 1) < 0 ||
	    make_room(memos, length_of(len)) < 0)
		return NULL;
	slot = slot_of(memos, key);
	*added = !*slot;
	if (*slot)
		return memo_at(memos, *slot - 1);
	memo = append(memos, slot, key, len);
	memcpy(memo->data, data, len);
	return memo;
}

int hf_memos_reserve(struct hf_memos *memos, size_t n, size_t len)
{
	int error = widen_table(memos, n);

	return error < 0 ? error
			 : make_room(memos, n * length_of(0) +
						    (len + n * WORD) / WORD);
}
