/* What the files of fs/digest share among themselves. */
#ifndef HF_DIGEST_INTERNAL_H
#define HF_DIGEST_INTERNAL_H

#include "fs/digest/digest.h"

/* --- hash.c ------------------------------------------------------------- */

/* One of many pieces of bytes. */
struct hf_hashing {
	const void *data; /* borrowed */
	size_t len;
	struct hf_digest *ret; /* the answer */
};
/* hf_hash of all of them, side by side where that is faster; leaves them in
 * another order. */
int hf_hash_many(const struct hf_algorithm *algorithm,
		 struct hf_hashing *hashings, size_t n) HF_MUST_USE;
/* Is that what lanes.h does? */
bool hf_hash_in_lanes(const struct hf_algorithm *algorithm);

/*
 * The sum of one block: Poly1305 under a key that is drawn once per process.
 * An attacker who never sees key or sums cannot make two blocks collide but
 * by luck (2^-90 a try), and it costs a fraction of any digest.
 */
#define HF_SUM_LEN 16
int hf_block_sum(const void *data, size_t len,
		 uint8_t ret[HF_SUM_LEN]) HF_MUST_USE;
/* The same of one block after the other, each piece by piece. One thread.
 * -ENOTSUP, -ENOMEM, -EIO if the library fails. */
struct hf_summer;
int hf_summer_new(struct hf_summer **ret) HF_MUST_USE;
int hf_summer_add(struct hf_summer *summer, const void *data,
		  size_t len) HF_MUST_USE;
/* The sum of what was added since the last one. */
int hf_summer_end(struct hf_summer *summer,
		  uint8_t ret[HF_SUM_LEN]) HF_MUST_USE;
/* NULL is allowed. */
void hf_summer_free(struct hf_summer *summer);

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
/* What was stored of a directory. */
void hf_memory_load(struct hf_memory *memory, const uint64_t dir[2],
		    const struct hf_records *records);
void hf_memory_forget(struct hf_memory *memory);
void hf_memory_stats(struct hf_memory *memory, uint64_t *entries,
		     uint64_t *bytes);
/* The changes of the next directory that has some; the caller stores them and
 * says whether that was good. False: there is none. */
bool hf_memory_take(struct hf_memory *memory, struct hf_delta *ret);
void hf_memory_stored(struct hf_memory *memory, const struct hf_delta *delta,
		      bool good);

/* --- store.c: rows on disk ------------------------------------------------- */

/* Any thread may get; one thread at a time begins, puts and commits. Not to be
 * used across a fork. */
struct hf_store;
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

/* --- facts.c: the digests of file states ----------------------------------- */

struct hf_facts;
/* The config's algorithm, source and cache are borrowed. */
int hf_facts_new(const struct hf_digests_config *config,
		 struct hf_facts **ret) HF_MUST_USE;
void hf_facts_free(struct hf_facts *facts);
void hf_facts_key(const struct hf_facts *facts, unsigned root, const char *path,
		  struct hf_key *ret);
/* That of the directory that all files in `dir` have. */
void hf_facts_dir(const struct hf_facts *facts, unsigned root, const char *dir,
		  uint64_t ret[2]);
/* Remembers the last state of a file; `quiet`: its stamp vouches for it. */
void hf_facts_put(struct hf_facts *facts, unsigned root,
		  const struct hf_key *key, const struct hf_sig *sig,
		  bool quiet, const struct hf_fact *fact);
/* True if the state `sig` is known and was quiet. sig NULL: any state. */
bool hf_facts_get(struct hf_facts *facts, const struct hf_key *key,
		  const struct hf_sig *sig, struct hf_fact *ret);

/* --- verified.c ---------------------------------------------------------- */

struct hf_sums;
/* Pinned bytes; steals `data` (malloc). -ENOMEM leaves it the caller's. */
int hf_verified_pin(char *data, uint64_t size, struct hf_pins *pins,
		    struct hf_verified **ret) HF_MUST_USE;
/* An open file whose blocks are checked; steals fd and a reference on sums. */
int hf_verified_guard(int fd, struct hf_sums *sums,
		      struct hf_verified **ret) HF_MUST_USE;

/* --- sums.c: what a large file is held to ---------------------------------- */

/* The block sums of one file state; counted. Complete, it no longer changes,
 * but for `quiet`. */
struct hf_sums {
	atomic_uint refs;
	/* sig vouches for the sums at an opening, until a block differs */
	atomic_bool quiet;
	struct hf_sig sig;
	struct hf_digest digest;
	uint64_t size;
	size_t n;
	uint8_t (*blocks)[HF_SUM_LEN];
};
/* All blocks zero, one reference. */
int hf_sums_new(uint64_t size, struct hf_sums **ret) HF_MUST_USE;
/* All of them, of bytes that are at hand. Also as hf_block_sum. */
int hf_sums_of(const char *data, uint64_t size,
	       struct hf_sums **ret) HF_MUST_USE;
struct hf_sums *hf_sums_ref(struct hf_sums *sums);
/* NULL is allowed. */
void hf_sums_unref(struct hf_sums *sums);

/* Those of the files that were hashed last. Any thread. */
struct hf_summed;
/* At most so many bytes of sums. */
int hf_summed_new(size_t max_bytes, struct hf_summed **ret) HF_MUST_USE;
/* NULL is allowed. */
void hf_summed_free(struct hf_summed *summed);
/* Of the file of that key, in the place of what it had; a new reference is
 * taken. Out of memory forgets silently. */
void hf_summed_put(struct hf_summed *summed, const uint64_t key[2],
		   struct hf_sums *sums);
/* A new reference, or NULL if the file has none, or others than those of this
 * digest. */
struct hf_sums *hf_summed_get(struct hf_summed *summed, const uint64_t key[2],
			      const struct hf_digest *digest);

/* --- read.c: one pass over a file ---------------------------------------- */

/* read(2) until `enough` bytes or the end, and no more than `len`: *ret. */
int hf_read_until(int fd, char *data, size_t enough, size_t len,
		  size_t *ret) HF_MUST_USE;

/* What came out of reading a file from its start to its end. */
struct hf_reading {
	struct hf_sig sig; /* of the open file, equal before and after */
	bool quiet;
	struct hf_fact fact;
	struct hf_digest second;      /* by the inspector's algorithm, or {0} */
	struct hf_verified *verified; /* new, if it was asked for */
	struct hf_sums *sums;         /* new, of a large file; or NULL */
};
/* Lets go of what is new in it. */
void hf_reading_fini(struct hf_reading *reading);
/* It was a good one: completes its sums (stolen). */
void hf_reading_sum(struct hf_reading *reading, struct hf_sums *sums);

/* Opens a file, and begins the reading with its stamp. *ret_fd is new. */
int hf_read_begin(const struct hf_digests_config *config, unsigned root,
		  const char *path, int *ret_fd,
		  struct hf_reading *ret) HF_MUST_USE;
/* Sees that it did not change since: else -EBUSY. */
int hf_read_end(int fd, const struct hf_sig *sig) HF_MUST_USE;

/*
 * Opens and hashes a file; with `keep` its bytes stay, verified. Tries again
 * while the file changes under the reading; -EBUSY in the end.
 */
int hf_read_file(const struct hf_digests_config *config, unsigned root,
		 const char *path, bool keep,
		 struct hf_reading *ret) HF_MUST_USE;

/*
 * Reads a file whole that was seen with the stamp `seen` a moment ago; it has
 * that when it was read, too. Hashes nothing: as hf_read_bytes. -EBUSY: it is
 * not as it was seen; errors of opening and reading.
 */
int hf_read_seen(const struct hf_digests_config *config, unsigned root,
		 const char *path, const struct hf_sig *seen,
		 struct hf_reading *ret, char **data) HF_MUST_USE;

/*
 * Reads a file of at most `max` bytes whole and hashes nothing: *data is new,
 * and all of `ret` is set but the digest. -EFBIG: it is longer.
 */
int hf_read_bytes(const struct hf_digests_config *config, unsigned root,
		  const char *path, uint64_t max, struct hf_reading *ret,
		  char **data) HF_MUST_USE;

/* --- fetched.c: bytes of files that were read before they are asked for ------- */

struct hf_flight;
struct hf_flights;
/* Any thread. `flights` is borrowed. */
struct hf_fetched;
int hf_fetched_new(struct hf_flights *flights, size_t max_files,
		   uint64_t max_bytes, struct hf_fetched **ret) HF_MUST_USE;
/* NULL is allowed. */
void hf_fetched_free(struct hf_fetched *fetched);
/* Keeps the flight of that key (stolen), which reads `size` bytes; the oldest
 * ones go if there is no room. `mark` is handed back. */
void hf_fetched_put(struct hf_fetched *fetched, const uint64_t key[2],
		    struct hf_flight *flight, uint64_t size, uint32_t mark);
/* Is there room for one more, of that size, perhaps in the place of some that
 * have lain for a second? */
bool hf_fetched_has_room(struct hf_fetched *fetched, uint64_t size);
bool hf_fetched_has(struct hf_fetched *fetched, const uint64_t key[2]);
/* Takes it out again, with its reference. NULL: it is not there. */
struct hf_flight *hf_fetched_take(struct hf_fetched *fetched,
				  const uint64_t key[2], uint32_t *mark);
/* Drops what has lain for a second, unless another one was taken out meanwhile:
 * then somebody is on the way to it. True if there is something left. */
bool hf_fetched_rest(struct hf_fetched *fetched);

/* --- flight.c: work under way, once -------------------------------------- */

/*
 * Work that is under way, keyed, for whoever asks meanwhile. Knows neither
 * files nor digests: `run` is called in the pool with `arg`, and its answer
 * goes to all.
 */
struct hf_flights;
struct hf_flight;
int hf_flights_new(struct hf_pool *pool, struct hf_flights **ret) HF_MUST_USE;
/* Precondition: no flight is under way. */
void hf_flights_free(struct hf_flights *flights);

struct hf_flight_job {
	int (*run)(void *arg);   /* the flight's error */
	void (*free)(void *arg); /* when nobody holds the flight any more */
	void *arg;
};
/*
 * Joins the flight of `key`, or starts one (then *started is true and
 * `job->arg` belongs to the flight; otherwise, and on error, it was freed).
 * *ret is a new reference.
 */
int hf_flight_join(struct hf_flights *flights, const uint64_t key[2],
		   const struct hf_flight_job *job, bool *started,
		   struct hf_flight **ret) HF_MUST_USE;
/*
 * The same for work that is not a job of its own: hf_flight_land ends what was
 * started, and job->run is not called. `error` is what run would have
 * returned.
 */
int hf_flight_begin(struct hf_flights *flights, const uint64_t key[2],
		    const struct hf_flight_job *job, bool *started,
		    struct hf_flight **ret) HF_MUST_USE;
void hf_flight_land(struct hf_flight *flight, int error);
/* Waits for the end. 0: *ret is what run returned, and the arg may be read.
 * -EINTR: interrupted; the flight goes on. */
int hf_flight_wait(struct hf_flights *flights, struct hf_flight *flight,
		   struct hf_wait *wait, int *ret) HF_MUST_USE;
/* Whether hf_flight_wait would return at once; for who has it. */
bool hf_flight_landed(struct hf_flights *flights,
		      const struct hf_flight *flight);
/* Whether somebody has it besides who is to land it. */
bool hf_flight_wanted(struct hf_flights *flights,
		      const struct hf_flight *flight);
struct hf_flight *hf_flight_ref(struct hf_flights *flights,
				struct hf_flight *flight);
/* The job's arg; after hf_flight_wait returned 0 it no longer changes. */
void *hf_flight_arg(const struct hf_flight *flight);
void hf_flight_unref(struct hf_flights *flights, struct hf_flight *flight);
uint64_t hf_flights_count(struct hf_flights *flights);

#endif
