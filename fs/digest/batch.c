/*
 * batch: many questions at once, most of them answered together.
 */
#include "fs/digest/job.h"

#include <errno.h>
#include <string.h>

/* So many answers are waited for together: whoever waits for one after the
 * other is woken for each; who waits for all can do nothing meanwhile. */
#define STRIDE 256
/* A file is retained where there is room for so many like it: the last of it is
 * left to small ones, of which there are the most. */
#define LIKE_IT 64

/* An answer (flight NULL), or the flight that will bring it. */
struct item {
	struct hf_flight *flight;
	struct hf_verified *bytes; /* if they are held */
	struct hf_fact fact;
	struct hf_sig sig; /* that was asked for */
	int error;
	bool started; /* the flight is this one's own */
	bool settled;
	bool seen;
};

struct hf_batch {
	struct hf_digests *digests;
	struct item *items;
	size_t n;
	size_t cap;
	bool retains;
	uint32_t mark;
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

void hf_batch_retain(struct hf_batch *batch, uint32_t mark)
{
	batch->retains = true;
	batch->mark = mark;
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

/* One of many, in the pool. */
static int fly(const struct hf_batch *batch, unsigned root, const char *path,
	       const struct hf_key *key, uint64_t hashed, struct item *item)
{
	struct hf_digests *digests = batch->digests;
	uint64_t size = (uint64_t)item->sig.size;
	bool retain = batch->retains && hf_digests_may_hold(digests, size) &&
		      hf_fetched_has_room(digests->retained, LIKE_IT * size);
	int error =
		hf_job_fly_along(digests, root, path, key, &item->sig, hashed,
				 retain, &item->started, &item->flight);

	if (error == 0 && retain)
		hf_fetched_put(digests->retained, key->file,
			       hf_flight_ref(digests->flights, item->flight),
			       size, item->started ? batch->mark : 0);
	return error;
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
		error = fly(batch, root, path, &key, hashed, item);
	else
		error = hf_job_fly(digests, root, path, &key, sig, false,
				   &item->started, &item->flight);
	if (error == 0)
		batch->n++;
	return error;
}

/* Of a flight that has landed. */
static bool is_from_memory(const struct item *item)
{
	const struct hf_job *job = hf_flight_arg(item->flight);

	return job->known;
}

/* The same: the bytes, if the inspector was asked for them. */
static struct hf_verified *held_by(const struct item *item)
{
	const struct hf_job *job = hf_flight_arg(item->flight);

	return job->small.held ? hf_verified_ref(job->small.reading.verified)
			       : NULL;
}

/* The flight's answer becomes the item's. -EINTR: not yet. */
static int await(struct hf_batch *batch, struct item *item,
		 struct hf_wait *wait)
{
	const struct hf_reading *reading;
	int error = hf_job_wait(batch->digests, item->flight, wait, &reading);

	if (error == -EINTR)
		return error;
	item->error = error;
	item->settled = error == 0 && reading->quiet &&
			hf_sig_equal(&reading->sig, &item->sig);
	item->seen = item->settled && item->started && !is_from_memory(item);
	if (error == 0) {
		item->fact = reading->fact;
		item->bytes = held_by(item);
	}
	hf_flight_unref(batch->digests->flights, item->flight);
	item->flight = NULL;
	return 0;
}

/* The last one first: it comes last, as a rule. */
static int await_some(struct hf_batch *batch, size_t first,
		      struct hf_wait *wait)
{
	size_t end = batch->n - first < STRIDE ? batch->n : first + STRIDE;
	int error = 0;

	for (size_t i = end; i > first && error == 0; i--)
		if (batch->items[i - 1].flight)
			error = await(batch, &batch->items[i - 1], wait);
	return error;
}

int hf_batch_get(struct hf_batch *batch, size_t i, struct hf_wait *wait,
		 struct hf_fact *ret)
{
	const struct item *item = &batch->items[i];
	int error = item->flight ? await_some(batch, i, wait) : 0;

	if (error == 0)
		error = item->error;
	if (error == 0)
		*ret = item->fact;
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

struct hf_verified *hf_batch_take_bytes(struct hf_batch *batch, size_t i)
{
	struct hf_verified *bytes = batch->items[i].bytes;

	batch->items[i].bytes = NULL;
	return bytes;
}

void hf_batch_free(struct hf_batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; i < batch->n; i++) {
		hf_verified_unref(batch->items[i].bytes);
		if (batch->items[i].flight)
			hf_flight_unref(batch->digests->flights,
					batch->items[i].flight);
	}
	free(batch->items);
	free(batch);
}
