/*
 * digests: the questions that the view asks. A name may be answered from
 * memory; bytes are always read, in the pool, once for all who ask.
 */
#include "fs/digest/crowd.h"
#include "fs/digest/internal.h"

#include <errno.h>
#include <string.h>

struct hf_digests {
	struct hf_digests_config config;
	struct hf_facts *facts;
	struct hf_flights *flights;
	struct hf_crowd *crowd;
	struct hf_fetched *fetched;
	atomic_uint_least64_t files_hashed;
	atomic_uint_least64_t bytes_hashed;
};

int hf_digests_new(const struct hf_digests_config *config,
		   struct hf_digests **ret)
{
	struct hf_digests *digests = calloc(1, sizeof(*digests));
	int error;

	if (!digests)
		return -ENOMEM;
	digests->config = *config;
	error = hf_facts_new(config, &digests->facts);
	if (error == 0)
		error = hf_flights_new(config->pool, &digests->flights);
	if (error == 0)
		error = hf_crowd_new(&digests->config, &digests->crowd);
	if (error == 0)
		error = hf_fetched_new(digests->flights, &digests->fetched);
	if (error < 0) {
		hf_digests_free(digests);
		return error;
	}
	*ret = digests;
	return 0;
}

void hf_digests_free(struct hf_digests *digests)
{
	if (!digests)
		return;
	hf_fetched_free(digests->fetched);
	hf_crowd_free(digests->crowd);
	hf_flights_free(digests->flights);
	hf_facts_free(digests->facts);
	free(digests);
}

/* --- one file -------------------------------------------------------------- */

/* One reading of one file, as the arg of its flight. */
struct job {
	struct hf_small small;    /* the answer; how, where there are many */
	struct hf_flight *flight; /* of one of many */
	struct hf_digests *digests;
	struct hf_key key; /* of the file */
	struct hf_sig sig; /* the state that was asked for, if !keep */
	bool keep;
	bool known; /* was not read */
	char path[];
};

static bool is_known(struct job *job)
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

static void remember(struct job *job)
{
	struct hf_digests *digests = job->digests;
	const struct hf_reading *reading = &job->small.reading;

	hf_facts_put(digests->facts, job->small.root, &job->key, &reading->sig,
		     reading->quiet, &reading->fact);
	/* After that, and before the flight lands: see hf_batch_add. */
	atomic_fetch_add(&digests->files_hashed, 1);
	atomic_fetch_add(&digests->bytes_hashed, reading->fact.size);
}

static int job_run(void *arg)
{
	struct job *job = arg;
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
	struct job *job = arg;

	hf_verified_unref(job->small.reading.verified);
	free(job);
}

/* What a file is read for: askers of a name share a flight if they saw the
 * same stamp (`sig`); askers of bytes share theirs (NULL). */
static int job_new(struct hf_digests *digests, unsigned root, const char *path,
		   const struct hf_key *key, const struct hf_sig *sig,
		   struct job **ret)
{
	size_t len = strlen(path);
	struct job *job = calloc(1, sizeof(*job) + len + 1);

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

static void flight_key(const struct job *job, uint64_t ret[2])
{
	hf_siphash128(job->key.file, &job->sig, sizeof(job->sig), ret);
	ret[0] ^= job->keep;
}

/* The flight that reads a file: in the pool, or here. */
static int fly(struct hf_digests *digests, unsigned root, const char *path,
	       const struct hf_key *key, const struct hf_sig *sig, bool here,
	       bool *started, struct hf_flight **ret)
{
	struct hf_flight_job flight_job = {job_run, job_free, NULL};
	struct job *job;
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

static struct job *job_of(struct hf_small *small)
{
	return (struct job *)(void *)small;
}

static bool small_known(struct hf_small *small)
{
	struct job *job = job_of(small);

	job->known = is_known(job);
	return job->known;
}

static void small_done(struct hf_small *small)
{
	struct job *job = job_of(small);

	if (small->error == 0 && !job->known)
		remember(job);
	hf_flight_land(job->flight, small->error);
}

/* The flight that reads a file together with others. What it asks for was not
 * known when so many files were `hashed`. */
static int fly_along(struct hf_digests *digests, unsigned root,
		     const char *path, const struct hf_key *key,
		     const struct hf_sig *sig, uint64_t hashed, bool *started,
		     struct hf_flight **ret)
{
	struct job *job;
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
	if (sig)
		job->small.size = (uint64_t)sig->size;
	if (atomic_load(&digests->files_hashed) != hashed)
		job->small.known = small_known;
	job->small.done = small_done;
	hf_crowd_add(digests->crowd, &job->small);
	return 0;
}

/* --- one answer ----------------------------------------------------------------- */

/* Waits for a flight and gives its reading, valid while the flight is held. */
static int wait_for(struct hf_digests *digests, struct hf_flight *flight,
		    struct hf_wait *wait, const struct hf_reading **ret)
{
	int outcome = 0;
	int error = hf_flight_wait(digests->flights, flight, wait, &outcome);
	const struct job *job = hf_flight_arg(flight);

	if (error == 0)
		error = outcome;
	if (error == 0)
		*ret = &job->small.reading;
	return error;
}

int hf_digests_get(struct hf_digests *digests, unsigned root, const char *path,
		   const struct hf_sig *sig, struct hf_wait *wait,
		   struct hf_fact *ret)
{
	const struct hf_reading *reading;
	struct hf_flight *flight;
	struct hf_key key;
	bool started;
	int error;

	hf_facts_key(digests->facts, root, path, &key);
	if (hf_facts_get(digests->facts, &key, sig, ret))
		return 0;
	error = fly(digests, root, path, &key, sig, wait->works, &started,
		    &flight);
	if (error < 0)
		return error;
	error = wait_for(digests, flight, wait, &reading);
	if (error == 0)
		*ret = reading->fact;
	hf_flight_unref(digests->flights, flight);
	return error;
}

bool hf_digests_last(struct hf_digests *digests, unsigned root,
		     const char *path, struct hf_fact *ret)
{
	struct hf_key key;

	hf_facts_key(digests->facts, root, path, &key);
	return hf_facts_get(digests->facts, &key, NULL, ret);
}

/* --- many at once -------------------------------------------------------- */

/* An answer (flight NULL), or the flight that will bring it. */
struct item {
	struct hf_flight *flight;
	struct hf_fact fact;
	struct hf_sig sig; /* that was asked for */
	bool started;      /* the flight is this one's own */
	bool settled;
	bool seen;
};

struct hf_batch {
	struct hf_digests *digests;
	struct item *items;
	size_t n;
	size_t cap;
};

int hf_batch_new(struct hf_digests *digests, struct hf_batch **ret)
{
	struct hf_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return -ENOMEM;
	batch->digests = digests;
	*ret = batch;
	return 0;
}

static int make_room(struct hf_batch *batch)
{
	size_t cap = batch->cap ? 2 * batch->cap : 64;
	struct item *items;

	if (batch->n < batch->cap)
		return 0;
	items = realloc(batch->items, cap * sizeof(*items));
	if (!items)
		return -ENOMEM;
	batch->items = items;
	batch->cap = cap;
	return 0;
}

int hf_batch_add(struct hf_batch *batch, unsigned root, const char *path,
		 const struct hf_sig *sig)
{
	struct hf_digests *digests = batch->digests;
	struct item *item;
	struct hf_key key;
	uint64_t hashed;
	int error = make_room(batch);

	if (error < 0)
		return error;
	item = &batch->items[batch->n];
	memset(item, 0, sizeof(*item));
	item->sig = *sig;
	item->settled = true;
	hf_facts_key(digests->facts, root, path, &key);
	hashed = atomic_load(&digests->files_hashed);
	if (hf_facts_get(digests->facts, &key, sig, &item->fact))
		error = 0;
	else if (sig->size <= HF_SMALL_MAX)
		error = fly_along(digests, root, path, &key, sig, hashed,
				  &item->started, &item->flight);
	else
		error = fly(digests, root, path, &key, sig, false,
			    &item->started, &item->flight);
	if (error == 0)
		batch->n++;
	return error;
}

/* Of a flight that has landed. */
static bool is_from_memory(const struct item *item)
{
	const struct job *job = hf_flight_arg(item->flight);

	return job->known;
}

int hf_batch_get(struct hf_batch *batch, size_t i, struct hf_wait *wait,
		 struct hf_fact *ret)
{
	struct item *item = &batch->items[i];
	const struct hf_reading *reading;
	int error;

	if (!item->flight) {
		*ret = item->fact;
		return 0;
	}
	error = wait_for(batch->digests, item->flight, wait, &reading);
	item->settled = error == 0 && reading->quiet &&
			hf_sig_equal(&reading->sig, &item->sig);
	item->seen = item->settled && item->started && !is_from_memory(item);
	if (error == 0)
		*ret = reading->fact;
	return error;
}

/* The last one first: it comes last, as a rule. */
int hf_batch_wait(struct hf_batch *batch, struct hf_wait *wait)
{
	int error = 0;

	for (size_t i = batch->n; i > 0 && error == 0; i--) {
		struct hf_flight *flight = batch->items[i - 1].flight;
		int outcome;

		if (flight)
			error = hf_flight_wait(batch->digests->flights, flight,
					       wait, &outcome);
	}
	return error;
}

bool hf_batch_ready(const struct hf_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		if (batch->items[i].flight)
			return false;
	return true;
}

bool hf_batch_settled(const struct hf_batch *batch, size_t i)
{
	return batch->items[i].settled;
}

bool hf_batch_seen(const struct hf_batch *batch, size_t i)
{
	return batch->items[i].seen;
}

void hf_batch_free(struct hf_batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; i < batch->n; i++)
		if (batch->items[i].flight)
			hf_flight_unref(batch->digests->flights,
					batch->items[i].flight);
	free(batch->items);
	free(batch);
}

/* --- bytes ---------------------------------------------------------------- */

/* Opens by the sums of an earlier opening: 1 done, 0 they do not fit. */
static int reopen(struct hf_digests *digests, unsigned root, const char *path,
		  struct hf_sums *sums, struct hf_verified **ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat st;
	struct hf_sig sig;
	int error;

	if (!atomic_load(&sums->quiet))
		return 0;
	error = hf_source_open_file(digests->config.source, root, path, &fd,
				    &st);
	if (error < 0)
		return error;
	sig = hf_sig_of(&st);
	if (!hf_sig_equal(&sig, &sums->sig))
		return 0;
	error = hf_verified_guard(hf_steal_fd(&fd), hf_sums_ref(sums), ret);
	return error < 0 ? error : 1;
}

/* One reading; *ret is set if its bytes are the expected ones. */
static int open_once(struct hf_digests *digests, unsigned root,
		     const char *path, const struct hf_digest *expected,
		     struct hf_wait *wait, bool *started,
		     struct hf_verified **ret)
{
	const struct hf_reading *reading;
	struct hf_flight *flight;
	struct hf_key key;
	int error;

	hf_facts_key(digests->facts, root, path, &key);
	error = fly(digests, root, path, &key, NULL, wait->works, started,
		    &flight);
	if (error < 0)
		return error;
	error = wait_for(digests, flight, wait, &reading);
	if (error == 0 && !hf_digest_equal(&reading->fact.digest, expected))
		error = -ESTALE;
	if (error == 0)
		*ret = hf_verified_ref(reading->verified);
	hf_flight_unref(digests->flights, flight);
	return error;
}

/* As open_once, without anybody to share the work with. What is to be known
 * of a file besides its digest was found out when it was named. */
static int open_alone(struct hf_digests *digests, unsigned root,
		      const char *path, const struct hf_digest *expected,
		      struct hf_verified **ret)
{
	struct hf_digests_config config = digests->config;
	struct hf_reading reading;
	int error;

	config.inspector = (struct hf_inspector){0};
	error = hf_read_file(&config, root, path, true, &reading);
	if (error < 0)
		return error;
	atomic_fetch_add(&digests->files_hashed, 1);
	atomic_fetch_add(&digests->bytes_hashed, reading.fact.size);
	if (!hf_digest_equal(&reading.fact.digest, expected)) {
		hf_verified_unref(reading.verified);
		return -ESTALE;
	}
	*ret = reading.verified;
	return 0;
}

/* Files that are read ahead must leave room for those that are opened. */
static bool may_fetch(const struct hf_digests *digests, uint64_t size)
{
	const struct hf_pins *pins = digests->config.pins;

	return size <= HF_PINNED_MAX &&
	       atomic_load(&pins->bytes) + size <= pins->max / 2;
}

void hf_digests_fetch(struct hf_digests *digests, unsigned root,
		      const char *path, uint64_t size)
{
	struct hf_flight *flight;
	struct hf_key key;
	bool started;

	if (!may_fetch(digests, size))
		return;
	hf_facts_key(digests->facts, root, path, &key);
	if (fly_along(digests, root, path, &key, NULL, 0, &started, &flight) ==
	    0)
		hf_fetched_put(digests->fetched, key.file, flight, size);
}

bool hf_digests_rest(struct hf_digests *digests)
{
	return hf_fetched_rest(digests->fetched);
}

/* Is the file still in the state that was read? */
static bool is_same(const struct hf_digests *digests, unsigned root,
		    const char *path, const struct hf_sig *sig)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct hf_sig now;
	struct stat st;

	if (hf_source_open_file(digests->config.source, root, path, &fd, &st) <
	    0)
		return false;
	now = hf_sig_of(&st);
	return hf_sig_equal(sig, &now);
}

/* Opens what was read ahead: 1 done, 0 there is none that is good, -EINTR. */
static int open_fetched(struct hf_digests *digests, unsigned root,
			const char *path, const struct hf_digest *expected,
			struct hf_wait *wait, struct hf_verified **ret)
{
	const struct hf_reading *reading;
	struct hf_flight *flight;
	struct hf_key key;
	int error;

	hf_facts_key(digests->facts, root, path, &key);
	flight = hf_fetched_take(digests->fetched, key.file);
	if (!flight)
		return 0;
	error = wait_for(digests, flight, wait, &reading);
	if (error == 0 && reading->quiet && reading->verified &&
	    hf_digest_equal(&reading->fact.digest, expected) &&
	    is_same(digests, root, path, &reading->sig)) {
		*ret = hf_verified_ref(reading->verified);
		error = 1;
	} else if (error != -EINTR) {
		error = 0;
	}
	hf_flight_unref(digests->flights, flight);
	return error;
}

int hf_digests_open(struct hf_digests *digests, unsigned root, const char *path,
		    const struct hf_digest *expected, struct hf_sums *sums,
		    struct hf_wait *wait, struct hf_verified **ret)
{
	bool started = true;
	int error = sums ? reopen(digests, root, path, sums, ret) : 0;

	if (error != 0)
		return error < 0 ? error : 0;
	if (!wait)
		return open_alone(digests, root, path, expected, ret);
	error = open_fetched(digests, root, path, expected, wait, ret);
	if (error != 0)
		return error < 0 ? error : 0;
	error = open_once(digests, root, path, expected, wait, &started, ret);
	/* A reading that began before we asked may have seen what was there
	 * before the change that made the expected bytes: others, or none. */
	if (error < 0 && error != -EINTR && !started)
		error = open_once(digests, root, path, expected, wait, &started,
				  ret);
	return error;
}

void hf_digests_stats(struct hf_digests *digests, struct hf_digests_stats *ret)
{
	ret->files_hashed = atomic_load(&digests->files_hashed);
	ret->bytes_hashed = atomic_load(&digests->bytes_hashed);
	ret->flights = hf_flights_count(digests->flights);
}
