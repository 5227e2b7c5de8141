/*
 * open: bytes are always read, once for all who ask at the same time, unless
 * they were read ahead or the sums of an earlier reading still fit.
 */
#include "fs/digest/job.h"

#include <errno.h>

/* What somebody asks for. */
struct opening {
	struct hf_digests *digests;
	unsigned root;
	const char *path;
	struct hf_key key; /* of the file */
	const struct hf_expected *expected;
	struct hf_wait *wait; /* or NULL */
};

static bool is_expected(const struct opening *opening,
			const struct hf_reading *reading)
{
	return hf_digest_equal(&reading->fact.digest,
			       &opening->expected->digest);
}

/* Opens the file if it has that stamp: 1 and *ret_fd is new, or 0. */
static int open_same(const struct opening *opening, const struct hf_sig *sig,
		     int *ret_fd)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct hf_sig now;
	struct stat st;
	int error = hf_source_open_file(opening->digests->config.source,
					opening->root, opening->path, &fd, &st);

	if (error < 0)
		return error;
	now = hf_sig_of(&st);
	if (!hf_sig_equal(sig, &now))
		return 0;
	*ret_fd = hf_steal_fd(&fd);
	return 1;
}

/* Is the file still in the state that was read? */
static bool is_same(const struct opening *opening,
		    const struct hf_reading *reading)
{
	HF_CLEANUP(hf_closep) int fd = -1;

	return reading->quiet && open_same(opening, &reading->sig, &fd) > 0;
}

/* --- by sums ------------------------------------------------------------------ */

/* 1: done; 0: there are none that fit; else an error that is the answer. */
static int open_summed(const struct opening *opening, struct hf_verified **ret)
{
	struct hf_sums *sums;
	int done = 0;
	int fd;

	if (opening->expected->size <= HF_PINNED_MAX)
		return 0;
	sums = hf_summed_get(opening->digests->summed, opening->key.file,
			     &opening->expected->digest);
	if (sums && atomic_load(&sums->quiet))
		done = open_same(opening, &sums->sig, &fd);
	if (done > 0 && hf_verified_guard(fd, hf_sums_ref(sums), ret) < 0)
		done = -ENOMEM;
	hf_sums_unref(sums);
	return done;
}

/* --- by reading --------------------------------------------------------------- */

/* One reading, for all who ask meanwhile; *ret is set if its bytes are the
 * expected ones. */
static int open_once(const struct opening *opening, bool *started,
		     struct hf_verified **ret)
{
	struct hf_digests *digests = opening->digests;
	const struct hf_reading *reading;
	struct hf_flight *flight;
	int error =
		hf_job_fly(digests, opening->root, opening->path, &opening->key,
			   NULL, opening->wait->works, started, &flight);

	if (error < 0)
		return error;
	error = hf_job_wait(digests, flight, opening->wait, &reading);
	if (error == 0 && !is_expected(opening, reading))
		error = -ESTALE;
	if (error == 0)
		*ret = hf_verified_ref(reading->verified);
	hf_flight_unref(digests->flights, flight);
	return error;
}

static int open_shared(const struct opening *opening, struct hf_verified **ret)
{
	bool started;
	int error = open_once(opening, &started, ret);

	/* A reading that began before we asked may have seen what was there
	 * before the change that made the expected bytes: others, or none. */
	if (error < 0 && error != -EINTR && !started)
		error = open_once(opening, &started, ret);
	return error;
}

/* As open_once, without anybody to share the work with. What is to be known
 * of a file besides its digest was found out when it was named. */
static int open_alone(const struct opening *opening, struct hf_verified **ret)
{
	struct hf_digests *digests = opening->digests;
	struct hf_digests_config config = digests->config;
	struct hf_reading reading;
	int error;

	config.inspector = (struct hf_inspector){0};
	error = hf_read_file(&config, opening->root, opening->path, true,
			     &reading);
	if (error < 0)
		return error;
	atomic_fetch_add(&digests->files_hashed, 1);
	atomic_fetch_add(&digests->bytes_hashed, reading.fact.size);
	if (reading.sums)
		hf_summed_put(digests->summed, opening->key.file, reading.sums);
	if (is_expected(opening, &reading))
		*ret = hf_verified_ref(reading.verified);
	else
		error = -ESTALE;
	hf_reading_fini(&reading);
	return error;
}

/* --- ahead -------------------------------------------------------------------- */

/* They must leave room for those that are opened. */
bool hf_digests_may_hold(const struct hf_digests *digests, uint64_t size)
{
	const struct hf_pins *pins = digests->config.pins;

	return size <= HF_PINNED_MAX &&
	       atomic_load(&pins->bytes) + size <= pins->max / 2;
}

void hf_digests_fetch(struct hf_digests *digests, unsigned root,
		      const char *path, uint64_t size, uint32_t mark)
{
	struct hf_flight *flight;
	struct hf_key key;
	bool started;

	hf_facts_key(digests->facts, root, path, &key);
	if (!hf_digests_may_hold(digests, size) ||
	    hf_fetched_has(digests->retained, key.file) ||
	    hf_fetched_has(digests->fetched, key.file))
		return;
	if (hf_job_fly_along(digests, root, path, &key, NULL, 0, false,
			     &started, &flight) == 0)
		hf_fetched_put(digests->fetched, key.file, flight, size,
			       started ? mark : 0);
}

bool hf_digests_rest(struct hf_digests *digests)
{
	bool fetched = hf_fetched_rest(digests->fetched);
	bool retained = hf_fetched_rest(digests->retained);

	return fetched || retained;
}

static struct hf_flight *take_fetched(const struct opening *opening,
				      uint32_t *mark)
{
	const uint64_t *key = opening->key.file;
	struct hf_flight *flight =
		hf_fetched_take(opening->digests->retained, key, mark);

	return flight ? flight
		      : hf_fetched_take(opening->digests->fetched, key, mark);
}

/* 1: done; 0: it is not what is expected; -EINTR. */
static int open_flown(const struct opening *opening, struct hf_flight *flight,
		      uint32_t mark, struct hf_verified **ret)
{
	const struct hf_reading *reading;
	int error =
		hf_job_wait(opening->digests, flight, opening->wait, &reading);

	if (error == -EINTR)
		return error;
	if (error < 0 || !reading->verified || !is_expected(opening, reading))
		return 0;
	if (mark == 0 || mark != opening->expected->mark)
		if (!is_same(opening, reading))
			return 0;
	*ret = hf_verified_ref(reading->verified);
	return 1;
}

/* Opens what was read ahead, or is about to be: 1 done, 0 there is none that is
 * good; else an error that is the answer. */
static int open_fetched(const struct opening *opening, struct hf_verified **ret)
{
	struct hf_digests *digests = opening->digests;
	uint32_t mark = 0;
	struct hf_flight *flight = take_fetched(opening, &mark);
	int done;

	if (!flight)
		return 0;
	/* To wait is to sleep, for who can read it in less time. */
	if (opening->wait->works &&
	    !hf_flight_landed(digests->flights, flight)) {
		done = open_alone(opening, ret);
		done = done == 0 ? 1 : done;
	} else {
		done = open_flown(opening, flight, mark, ret);
	}
	hf_flight_unref(digests->flights, flight);
	return done;
}

/* --- the question ------------------------------------------------------------- */

int hf_digests_open(struct hf_digests *digests, unsigned root, const char *path,
		    const struct hf_expected *expected, struct hf_wait *wait,
		    struct hf_verified **ret)
{
	struct opening opening = {
		.digests = digests,
		.root = root,
		.path = path,
		.expected = expected,
		.wait = wait,
	};
	int done;

	hf_facts_key(digests->facts, root, path, &opening.key);
	done = open_summed(&opening, ret);
	if (done == 0 && !wait)
		return open_alone(&opening, ret);
	if (done == 0)
		done = open_fetched(&opening, ret);
	if (done == 0)
		return open_shared(&opening, ret);
	return done < 0 ? done : 0;
}
