/*
 * digests: what the answers have in common, and the plain question for a
 * digest. A name may be answered from memory; bytes never are (open.c).
 */
#include "fs/digest/job.h"

#include <errno.h>
#include <string.h>

/* Sums, which are an eight thousandth of what they are of. */
#define MAX_SUMMED_BYTES (UINT64_C(16) * 1024 * 1024)
/* Files whose bytes are in memory, though nobody has them open. */
#define MAX_FETCHED 512
#define MAX_FETCHED_BYTES (UINT64_C(16) * 1024 * 1024)
#define MAX_RETAINED 65536
#define MAX_RETAINED_BYTES (UINT64_C(32) * 1024 * 1024)

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
		error = hf_summed_new(MAX_SUMMED_BYTES, &digests->summed);
	if (error == 0)
		error = hf_fetched_new(digests->flights, MAX_FETCHED,
				       MAX_FETCHED_BYTES, &digests->fetched);
	if (error == 0)
		error = hf_fetched_new(digests->flights, MAX_RETAINED,
				       MAX_RETAINED_BYTES, &digests->retained);
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
	hf_fetched_free(digests->retained);
	hf_summed_free(digests->summed);
	hf_crowd_free(digests->crowd);
	hf_flights_free(digests->flights);
	hf_facts_free(digests->facts);
	free(digests);
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
	error = hf_job_fly(digests, root, path, &key, sig, wait->works,
			   &started, &flight);
	if (error < 0)
		return error;
	error = hf_job_wait(digests, flight, wait, &reading);
	if (error == 0)
		*ret = reading->fact;
	hf_flight_unref(digests->flights, flight);
	return error;
}

void hf_digests_dir(const struct hf_digests *digests, unsigned root,
		    const char *dir, uint64_t ret[2])
{
	hf_facts_dir(digests->facts, root, dir, ret);
}

bool hf_digests_last(struct hf_digests *digests, unsigned root,
		     const char *path, struct hf_fact *ret)
{
	struct hf_key key;

	hf_facts_key(digests->facts, root, path, &key);
	return hf_facts_get(digests->facts, &key, NULL, ret);
}

void hf_digests_stats(struct hf_digests *digests, struct hf_digests_stats *ret)
{
	ret->files_hashed = atomic_load(&digests->files_hashed);
	ret->bytes_hashed = atomic_load(&digests->bytes_hashed);
	ret->flights = hf_flights_count(digests->flights);
}
