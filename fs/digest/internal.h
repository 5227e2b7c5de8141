/* What the files of fs/digest share among themselves. */
#ifndef HF_DIGEST_INTERNAL_H
#define HF_DIGEST_INTERNAL_H

#include "fs/digest/digest.h"

/* --- hash.c ------------------------------------------------------------- */

/* A digest in the making; one thread. */
struct hf_hasher;
int hf_hasher_new(const struct hf_algorithm *algorithm,
		  struct hf_hasher **ret) HF_MUST_USE;
int hf_hasher_add(struct hf_hasher *hasher, const void *data,
		  size_t len) HF_MUST_USE;
int hf_hasher_end(struct hf_hasher *hasher, struct hf_digest *ret) HF_MUST_USE;
/* NULL is allowed. */
void hf_hasher_free(struct hf_hasher *hasher);

/*
 * The sum of one block: Poly1305 under a key that is drawn once per process.
 * An attacker who never sees key or sums cannot make two blocks collide but
 * by luck (2^-90 a try), and it costs a fraction of any digest.
 */
#define HF_SUM_LEN 16
int hf_block_sum(const void *data, size_t len,
		 uint8_t ret[HF_SUM_LEN]) HF_MUST_USE;

/* --- facts.c: what is remembered ----------------------------------------- */

struct hf_facts;
int hf_facts_new(unsigned digest_len, struct hf_facts **ret) HF_MUST_USE;
void hf_facts_free(struct hf_facts *facts);
/* 128 bits that stand for a file: table keys without the path's bytes. */
void hf_facts_key(const struct hf_facts *facts, unsigned root, const char *path,
		  uint64_t ret[2]);
/* Remembers the last state of a file; `quiet`: its stamp vouches for it. Out
 * of memory forgets silently. */
void hf_facts_put(struct hf_facts *facts, const uint64_t key[2],
		  const struct hf_sig *sig, bool quiet,
		  const struct hf_fact *fact);
/* True if the state `sig` is known and was quiet. sig NULL: any state. */
bool hf_facts_get(struct hf_facts *facts, const uint64_t key[2],
		  const struct hf_sig *sig, struct hf_fact *ret);
void hf_facts_forget(struct hf_facts *facts);
uint64_t hf_facts_count(struct hf_facts *facts);

/* --- verified.c ---------------------------------------------------------- */

/* Pinned bytes; steals `data` (malloc). -ENOMEM leaves it the caller's. */
int hf_verified_pin(char *data, uint64_t size, struct hf_pins *pins,
		    struct hf_verified **ret) HF_MUST_USE;
/* An open file whose blocks are checked; steals fd and a reference on sums. */
int hf_verified_guard(int fd, struct hf_sums *sums,
		      struct hf_verified **ret) HF_MUST_USE;

struct hf_sums {
	atomic_uint refs;
	/* sig vouches for the sums at a later opening, until a block differed */
	atomic_bool quiet;
	struct hf_sig sig;
	struct hf_digest digest;
	uint64_t size;
	size_t n;
	uint8_t (*blocks)[HF_SUM_LEN];
};
/* All blocks zero, one reference. */
int hf_sums_new(uint64_t size, struct hf_sums **ret) HF_MUST_USE;

/* --- read.c: one pass over a file ---------------------------------------- */

/* What came out of reading a file from its start to its end. */
struct hf_reading {
	struct hf_sig sig; /* of the open file, equal before and after */
	bool quiet;
	struct hf_fact fact;
	struct hf_verified *verified; /* new, if it was asked for */
};

/*
 * Opens and hashes a file; with `keep` its bytes stay, verified. Tries again
 * while the file changes under the reading; -EBUSY in the end.
 */
int hf_read_file(const struct hf_digests_config *config, unsigned root,
		 const char *path, bool keep,
		 struct hf_reading *ret) HF_MUST_USE;

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
/* Waits for the end. 0: *ret is what run returned, and the arg may be read.
 * -EINTR: interrupted; the flight goes on. */
int hf_flight_wait(struct hf_flights *flights, struct hf_flight *flight,
		   struct hf_wait *wait, int *ret) HF_MUST_USE;
/* The job's arg; after hf_flight_wait returned 0 it no longer changes. */
void *hf_flight_arg(const struct hf_flight *flight);
void hf_flight_unref(struct hf_flights *flights, struct hf_flight *flight);
uint64_t hf_flights_count(struct hf_flights *flights);

#endif
