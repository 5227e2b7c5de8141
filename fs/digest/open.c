/*
 * open: bytes are always read, once for all who ask at the same time, unless
 * they were read ahead or the sums of an earlier opening still fit.
 */
#include "fs/digest/job.h"

#include <errno.h>

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
		     const char *path, const struct hf_expected *expected,
		     struct hf_wait *wait, bool *started,
		     struct hf_verified **ret)
{
	const struct hf_reading *reading;
	struct hf_flight *flight;
	struct hf_key key;
	int error;

	hf_facts_key(digests->facts, root, path, &key);
	error = hf_job_fly(digests, root, path, &key, NULL, wait->works,
			   started, &flight);
	if (error < 0)
		return error;
	error = hf_job_wait(digests, flight, wait, &reading);
	if (error == 0 &&
	    !hf_digest_equal(&reading->fact.digest, &expected->digest))
		error = -ESTALE;
	if (error == 0)
		*ret = hf_verified_ref(reading->verified);
	hf_flight_unref(digests->flights, flight);
	return error;
}

/* As open_once, without anybody to share the work with. What is to be known
 * of a file besides its digest was found out when it was named. */
static int open_alone(struct hf_digests *digests, unsigned root,
		      const char *path, const struct hf_expected *expected,
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
	if (!hf_digest_equal(&reading.fact.digest, &expected->digest)) {
		hf_verified_unref(reading.verified);
		return -ESTALE;
	}
	*ret = reading.verified;
	return 0;
}

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
	    hf_fetched_has(digests->retained, key.file))
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

/* Is the file still in the state that was read? */
static bool is_same(const struct hf_digests *digests, unsigned root,
		    const char *path, const struct hf_reading *reading)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct hf_sig now;
	struct stat st;

	if (!reading->quiet || hf_source_open_file(digests->config.source, root,
						   path, &fd, &st) < 0)
		return false;
	now = hf_sig_of(&st);
	return hf_sig_equal(&reading->sig, &now);
}

/* Opens what was read ahead, or is about to be: 1 done, 0 there is none that is
 * good; else an error that is the answer. */
static int open_fetched(struct hf_digests *digests, unsigned root,
			const char *path, const struct hf_expected *expected,
			struct hf_wait *wait, struct hf_verified **ret)
{
	const struct hf_reading *reading;
	struct hf_flight *flight;
	struct hf_key key;
	uint32_t mark = 0;
	int error;

	hf_facts_key(digests->facts, root, path, &key);
	flight = hf_fetched_take(digests->retained, key.file, &mark);
	if (!flight)
		flight = hf_fetched_take(digests->fetched, key.file, &mark);
	if (!flight)
		return 0;
	/* To wait is to sleep, for who can read it in less time. */
	if (wait->works && !hf_flight_landed(digests->flights, flight)) {
		hf_flight_unref(digests->flights, flight);
		error = open_alone(digests, root, path, expected, ret);
		return error == 0 ? 1 : error;
	}
	error = hf_job_wait(digests, flight, wait, &reading);
	if (error == 0 && reading->verified &&
	    hf_digest_equal(&reading->fact.digest, &expected->digest) &&
	    ((mark && mark == expected->mark) ||
	     is_same(digests, root, path, reading))) {
		*ret = hf_verified_ref(reading->verified);
		error = 1;
	} else if (error != -EINTR) {
		error = 0;
	}
	hf_flight_unref(digests->flights, flight);
	return error;
}

int hf_digests_open(struct hf_digests *digests, unsigned root, const char *path,
		    const struct hf_expected *expected, struct hf_wait *wait,
		    struct hf_verified **ret)
{
	bool started = true;
	int error = expected->sums
			    ? reopen(digests, root, path, expected->sums, ret)
			    : 0;

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
