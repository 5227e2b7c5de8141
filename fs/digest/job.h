/* What the files behind digest.h's questions share: digests.c, batch.c, open.c,
 * and job.c. */
#ifndef HF_DIGEST_JOB_H
#define HF_DIGEST_JOB_H

#include "fs/digest/crowd.h"
#include "fs/digest/internal.h"

struct hf_digests {
	struct hf_digests_config config;
	struct hf_facts *facts;
	struct hf_flights *flights;
	struct hf_crowd *crowd;
	struct hf_summed *summed;
	struct hf_fetched *fetched;  /* because it may be opened soon, */
	struct hf_fetched *retained; /* or for its name, just now */
	atomic_uint_least64_t files_hashed;
	atomic_uint_least64_t bytes_hashed;
};

/* --- job.c ---------------------------------------------------------------- */

/* One reading of one file, as the arg of its flight. */
struct hf_job {
	struct hf_small small;    /* the answer; how, where there are many */
	struct hf_flight *flight; /* of one of many */
	struct hf_digests *digests;
	struct hf_key key; /* of the file */
	struct hf_sig sig; /* the state that was asked for, if !keep */
	bool keep;
	bool known; /* was not read */
	char path[];
};

/*
 * The flight that reads a file: askers of a name share one if they saw the same
 * stamp (`sig`); askers of bytes share theirs (NULL). *ret is a new reference;
 * *started: it is not somebody else's. `here`: by the calling thread, before
 * this returns; else in the pool. -ENOMEM.
 */
int hf_job_fly(struct hf_digests *digests, unsigned root, const char *path,
	       const struct hf_key *key, const struct hf_sig *sig, bool here,
	       bool *started, struct hf_flight **ret) HF_MUST_USE;
/* The same together with other files, in the pool. What it asks for was not
 * known when so many files were `hashed`. `retain`: as in struct hf_small. */
int hf_job_fly_along(struct hf_digests *digests, unsigned root,
		     const char *path, const struct hf_key *key,
		     const struct hf_sig *sig, uint64_t hashed, bool retain,
		     bool *started, struct hf_flight **ret) HF_MUST_USE;
/* May the bytes of a file of that size be held for who may open it? */
bool hf_digests_may_hold(const struct hf_digests *digests, uint64_t size);
/* Waits for a flight and gives its reading, valid while the flight is held.
 * -EINTR: interrupted; else the error of the reading. */
int hf_job_wait(struct hf_digests *digests, struct hf_flight *flight,
		struct hf_wait *wait,
		const struct hf_reading **ret) HF_MUST_USE;

#endif
