/* What is remembered, by directory: in memory, as rows, on disk. */
#ifndef HF_DIGEST_REMEMBERED_H
#define HF_DIGEST_REMEMBERED_H

#include "fs/digest/digest.h"

/* --- row.c: what is stored of one directory ------------------------------ */

/* One thing that is remembered; len 0 stands for one that is to be dropped. */
struct hf_record {
	uint64_t key[2];
	uint32_t day; /* since 1970, when it was last of use */
	uint32_t len;
	const char *data; /* borrowed */
};

/* Start with {0}. */
struct hf_records {
	struct hf_record *items;
	size_t n;
	size_t cap;
};

int hf_records_add(struct hf_records *records,
		   const struct hf_record *record) HF_MUST_USE;
/* By key; what is written and merged must be sorted, and no key twice. */
void hf_records_sort(struct hf_records *records);
void hf_records_fini(struct hf_records *records);
/* The row of that key, into `ret`. -ENOMEM. */
int hf_row_write(const uint64_t secret[2], const uint64_t key[2],
		 const struct hf_records *records,
		 struct hf_buf *ret) HF_MUST_USE;
/* The records of a row; their data point into `data`. -EBADMSG: it is not what
 * hf_row_write made for this key and secret. -ENOMEM. */
int hf_row_read(const uint64_t secret[2], const uint64_t key[2],
		const char *data, size_t len,
		struct hf_records *ret) HF_MUST_USE;
/* Appends to `ret` the old records with the changes made, without those that
 * were last of use before the day `oldest`. -ENOMEM. */
int hf_records_merge(const struct hf_records *old,
		     const struct hf_records *changes, uint32_t oldest,
		     struct hf_records *ret) HF_MUST_USE;

/* --- memos.c: what is remembered of one directory, in memory -------------- */

enum hf_memo_state {
	HF_MEMO_CLEAN,
	HF_MEMO_CHANGED, /* has to be stored */
	HF_MEMO_TAKEN,   /* is being stored */
	HF_MEMO_GONE,    /* memos.c's alone */
};

/* There is one for every file: it is kept small, and aligned for no more than
 * four bytes. */
struct hf_memo {
	uint32_t key[4];
	uint32_t len;
	uint16_t day;    /* since 1970 */
	uint8_t state;   /* enum hf_memo_state */
	bool keep : 1;   /* is to be stored */
	bool stored : 1; /* was, at some time */
	char data[];
};

/* Start with {0}; its fields, but for `n`, are those of memos.c alone. Keys are
 * hashes that nobody can choose. */
struct hf_memos {
	uint32_t n;
	uint32_t n_words;
	uint32_t used;   /* words */
	uint32_t holes;  /* words of them */
	uint32_t *words; /* the memos, one behind the other */
	uint32_t *slots; /* 1 + where one begins; 0: free */
	uint32_t n_slots;
};
void hf_memos_fini(struct hf_memos *memos);
/* Bytes of heap that they take. */
size_t hf_memos_size(const struct hf_memos *memos);
/* Memos are borrowed until the next hf_memos_set. NULL: it is not there. */
struct hf_memo *hf_memos_find(const struct hf_memos *memos,
			      const uint64_t key[2]);
/* The memo of that key, with these data. A new one was never stored. NULL: no
 * memory, and nothing has changed. */
struct hf_memo *hf_memos_set(struct hf_memos *memos, const uint64_t key[2],
			     const char *data, size_t len);
/* The same if there is none of that key: then it is *added. */
struct hf_memo *hf_memos_add(struct hf_memos *memos, const uint64_t key[2],
			     const char *data, size_t len, bool *added);
/* Makes room for `n` more, of `len` bytes in all. -ENOMEM. */
int hf_memos_reserve(struct hf_memos *memos, size_t n, size_t len) HF_MUST_USE;
/* As hf_set_next. */
struct hf_memo *hf_memos_next(const struct hf_memos *memos, size_t *cursor);

/* --- memory.c: what is remembered, in memory ------------------------------ */

/* What one directory has to have stored. */
struct hf_delta {
	uint64_t key[2];
	struct hf_records changes;
	char *data; /* what they point into */
};
void hf_delta_fini(struct hf_delta *delta);

/* Any thread. */
struct hf_memory;
int hf_memory_new(size_t max_bytes, struct hf_memory **ret) HF_MUST_USE;
void hf_memory_free(struct hf_memory *memory);
/* 1: *ret holds it; 0: it is not known; -ENODATA: nor is what was stored of
 * its directory. `day` is today; *touched: it is the news of the week. */
int hf_memory_get(struct hf_memory *memory, const struct hf_key *key,
		  uint32_t day, bool *touched, struct hf_buf *ret) HF_MUST_USE;
/* `keep`: it is to be stored, too; else what was stored in its place is to go.
 * True if there is something to take. Out of memory forgets silently. */
bool hf_memory_put(struct hf_memory *memory, const struct hf_key *key,
		   uint32_t day, bool keep, const char *data, size_t len);
/* Is it unknown what was stored of the directory? */
bool hf_memory_lacks(struct hf_memory *memory, const uint64_t dir[2]);
/* How often all was forgotten. */
uint64_t hf_memory_forgets(struct hf_memory *memory);
/* What was stored of a directory, and read after all was forgotten so often: if
 * that has happened since, there is something newer, and this counts for
 * nothing. */
void hf_memory_load(struct hf_memory *memory, const uint64_t dir[2],
		    uint64_t forgets, const struct hf_records *records);
void hf_memory_forget(struct hf_memory *memory);
void hf_memory_stats(struct hf_memory *memory, uint64_t *entries,
		     uint64_t *bytes);
/* The keys of all directories that have changes, new, *ret_n of them. The
 * caller takes each, or gives it back. -ENOMEM. */
int hf_memory_changed(struct hf_memory *memory, uint64_t (**ret)[2],
		      size_t *ret_n) HF_MUST_USE;
void hf_memory_give_back(struct hf_memory *memory, uint64_t (*dirs)[2],
			 size_t n);
/* The changes of a directory; the caller stores them and says whether that was
 * good. False: there are none, or no memory for them. */
bool hf_memory_take(struct hf_memory *memory, const uint64_t dir[2],
		    struct hf_delta *ret);
void hf_memory_stored(struct hf_memory *memory, const struct hf_delta *delta,
		      bool good);

/* --- store.c: rows on disk ------------------------------------------------- */

/* Any thread may get; one thread at a time begins, puts and commits. Not to be
 * used across a fork. Rows lie in the order of hf_store_compare: what is put in
 * that order is put where the last one was, or near it. */
struct hf_store;
int hf_store_compare(const uint64_t a[2], const uint64_t b[2]);
/* In the directory `dir`, at most about `max_bytes` long. On error *why is a
 * new sentence part that begins with the file's name. */
int hf_store_open(const char *dir, uint64_t max_bytes, hf_clock *clock,
		  struct hf_store **ret, char **why) HF_MUST_USE;
void hf_store_close(struct hf_store *store);
bool hf_store_read_only(const struct hf_store *store);
/* 128 bits that nobody else knows, the same for all who use the database. */
const uint64_t *hf_store_secret(const struct hf_store *store);
/* 1: *ret is the row; 0: there is none; -EAGAIN: it cannot be said now. */
int hf_store_get(struct hf_store *store, const uint64_t key[2],
		 struct hf_buf *ret) HF_MUST_USE;
/* The same of many: *found[i] says what was with keys[i] and rows[i], all of
 * which are {0} before and ended by the caller. Quicker than one by one. */
void hf_store_get_some(struct hf_store *store, uint64_t (*keys)[2], size_t n,
		       struct hf_buf *rows, int *found);
/* Says that a row is not what was put there. */
void hf_store_spoilt(struct hf_store *store);
/*
 * A transaction. -EAGAIN: it cannot be done now; what was begun is to be
 * cancelled then. `day` is when the row was last of use; row NULL: it goes.
 */
int hf_store_begin(struct hf_store *store) HF_MUST_USE;
int hf_store_put(struct hf_store *store, const uint64_t key[2], uint32_t day,
		 const struct hf_buf *row) HF_MUST_USE;
int hf_store_commit(struct hf_store *store) HF_MUST_USE;
void hf_store_cancel(struct hf_store *store);

/* --- stored.c: rows on disk and what is in them --------------------------- */

/* What is stored of a directory, in `ret`, which is {0} before; its data point
 * into `row`. As hf_store_get; a damaged row counts as none, and is written
 * over. -ENOMEM. */
int hf_stored_get(struct hf_store *store, const uint64_t key[2],
		  struct hf_buf *row, struct hf_records *ret) HF_MUST_USE;
/* The same of a row that hf_store_get_some has found. */
int hf_stored_parse(struct hf_store *store, const uint64_t key[2], int found,
		    const struct hf_buf *row,
		    struct hf_records *ret) HF_MUST_USE;
/* In a transaction: makes the changes, on the day `today`. What was last of use
 * before `oldest` goes. -EAGAIN, -ENOMEM. */
int hf_stored_change(struct hf_store *store, const struct hf_delta *delta,
		     uint32_t today, uint32_t oldest) HF_MUST_USE;

#endif
