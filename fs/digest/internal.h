/* What the files of fs/digest share among themselves. */
#ifndef HF_DIGEST_INTERNAL_H
#define HF_DIGEST_INTERNAL_H

#include "fs/digest/digest.h"

/* --- hash.c ------------------------------------------------------------- */

/* Is hf_hash_many what lanes.h does? */
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
