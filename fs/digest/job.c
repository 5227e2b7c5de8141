/*
 * job: one reading of one file, for all who ask for it at the same time.
 */
#include "fs/digest/job.h"

#include <errno.h>
#include <string.h>

static bool is_known(struct hf_job *job)
{
	struct hf_reading *reading = &job->small.reading;

	/* A flight of the same state may have landed since it was asked. */
	if (job->keep || !hf_facts_get(job->digests->facts, &job->key,
				       &job->sig, &reading->fact))
		return false;
	reading->sig = job->sig;
	reading->quiet = true;
	return true;
}

static void remember(struct hf_job *job)
{
	struct hf_digests *digests = job->digests;
	const struct hf_reading *reading = &job->small.reading;

	hf_facts_put(digests->facts, job->small.root, &job->key, &reading->sig,
		     reading->quiet, &reading->fact);
	if (reading->sums)
		hf_summed_put(digests->summed, job->key.file, reading->sums);
	/* After that, and before the flight lands: see hf_job_fly_along. */
	atomic_fetch_add(&digests->files_hashed, 1);
	atomic_fetch_add(&digests->bytes_hashed, reading->fact.size);
}

static int job_run(void *arg)
{
	struct hf_job *job = arg;
	int error;

	job->known = is_known(job);
	if (job->known)
		return 0;
	error = hf_read_file(&job->digests->config, job->small.root, job->path,
			     job->keep, &job->small.reading);
	if (error == 0)
		remember(job);
	return error;
}

static void job_free(void *arg)
{
	struct hf_job *job = arg;

	hf_reading_fini(&job->small.reading);
	free(job);
}

/* What a file is read for: askers of a name share a flight if they saw the
 * same stamp (`sig`); askers of bytes share theirs (NULL). */
static int job_new(struct hf_digests *digests, unsigned root, const char *path,
		   const struct hf_key *key, const struct hf_sig *sig,
		   struct hf_job **ret)
{
	size_t len = strlen(path);
	struct hf_job *job = calloc(1, sizeof(*job) + len + 1);

	if (!job)
		return -ENOMEM;
	job->digests = digests;
	job->key = *key;
	job->keep = !sig;
	if (sig)
		job->sig = *sig;
	memcpy(job->path, path, len);
	job->small.root = root;
	job->small.path = job->path;
	job->small.keep = job->keep;
	*ret = job;
	return 0;
}

static void flight_key(const struct hf_job *job, uint64_t ret[2])
{
	hf_siphash128(job->key.file, &job->sig, sizeof(job->sig), ret);
	ret[0] ^= job->keep;
}

int hf_job_fly(struct hf_digests *digests, unsigned root, const char *path,
	       const struct hf_key *key, const struct hf_sig *sig, bool here,
	       bool *started, struct hf_flight **ret)
{
	struct hf_flight_job flight_job = {job_run, job_free, NULL};
	struct hf_job *job;
	uint64_t its_key[2];
	int error = job_new(digests, root, path, key, sig, &job);

	if (error < 0)
		return error;
	flight_key(job, its_key);
	flight_job.arg = job;
	if (!here)
		return hf_flight_join(digests->flights, its_key, &flight_job,
				      started, ret);
	error = hf_flight_begin(digests->flights, its_key, &flight_job, started,
				ret);
	if (error == 0 && *started)
		hf_flight_land(*ret, job_run(job));
	return error;
}

/* --- one of many -------------------------------------------------------------- */

static struct hf_job *job_of(struct hf_small *small)
{
	return (struct hf_job *)(void *)small;
}

static bool small_known(struct hf_small *small)
{
	struct hf_job *job = job_of(small);

	job->known = is_known(job);
	/* It was to be read ahead, and was opened meanwhile, or is not to be.
	 * Whoever joins the flight now tries again. */
	if (job->keep &&
	    !hf_flight_wanted(job->digests->flights, job->flight)) {
		small->error = -ECANCELED;
		job->known = true;
	}
	return job->known;
}

static void small_done(struct hf_small *small)
{
	struct hf_job *job = job_of(small);

	if (small->error == 0 && !job->known)
		remember(job);
	hf_flight_land(job->flight, small->error);
}

int hf_job_fly_along(struct hf_digests *digests, unsigned root,
		     const char *path, const struct hf_key *key,
		     const struct hf_sig *sig, uint64_t hashed, bool retain,
		     bool *started, struct hf_flight **ret)
{
	struct hf_job *job;
	uint64_t its_key[2];
	int error = job_new(digests, root, path, key, sig, &job);

	if (error < 0)
		return error;
	flight_key(job, its_key);
	error = hf_flight_begin(digests->flights, its_key,
				&(struct hf_flight_job){NULL, job_free, job},
				started, ret);
	if (error < 0 || !*started)
		return error;
	job->flight = *ret;
	if (sig) {
		job->small.size = (uint64_t)sig->size;
		job->small.seen = &job->sig;
	}
	job->small.retain = retain;
	if (job->keep || atomic_load(&digests->files_hashed) != hashed)
		job->small.known = small_known;
	job->small.done = small_done;
	hf_crowd_add(digests->crowd, &job->small);
	return 0;
}

/* --- its end ----------------------------------------------------------------- */

int hf_job_wait(struct hf_digests *digests, struct hf_flight *flight,
		struct hf_wait *wait, const struct hf_reading **ret)
{
	int outcome = 0;
	int error = hf_flight_wait(digests->flights, flight, wait, &outcome);
	const struct hf_job *job = hf_flight_arg(flight);

	if (error == 0)
		error = outcome;
	if (error == 0)
		*ret = &job->small.reading;
	return error;
}
