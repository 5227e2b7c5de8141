/*
 * fetched: files that were read before somebody asked for them. Few are kept,
 * and not for long: the oldest one goes first.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define MAX_FILES 128
#define MAX_BYTES (UINT64_C(16) * 1024 * 1024)
/* What nobody has asked for in so long will not be. */
#define REST_NS INT64_C(1000000000)

struct item {
	uint64_t key[2];
	struct hf_flight *flight; /* a reference; NULL: it was taken */
	uint64_t size;
	int64_t put_ns;
};

struct hf_fetched {
	struct hf_flights *flights;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct item items[MAX_FILES]; /* a ring, the oldest one first */
	size_t first;
	size_t n;
	uint64_t bytes;
};

int hf_fetched_new(struct hf_flights *flights, struct hf_fetched **ret)
{
	struct hf_fetched *fetched = calloc(1, sizeof(*fetched));

	if (!fetched)
		return -ENOMEM;
	fetched->flights = flights;
	pthread_mutex_init(&fetched->lock, NULL);
	*ret = fetched;
	return 0;
}

/* Call with the lock held: the flight of an item, which has none any more. */
static struct hf_flight *empty(struct hf_fetched *fetched, struct item *item)
{
	struct hf_flight *flight = item->flight;

	fetched->bytes -= item->size;
	item->flight = NULL;
	item->size = 0;
	return flight;
}

/* Takes the oldest one out if it was put in before `before_ns`, or if there is
 * no room for `size` more. False: it stays, or there is none. */
static bool drop_one(struct hf_fetched *fetched, int64_t before_ns,
		     uint64_t size)
{
	struct hf_flight *flight = NULL;
	struct item *item;
	bool drop;

	pthread_mutex_lock(&fetched->lock);
	item = &fetched->items[fetched->first];
	drop = fetched->n > 0 &&
	       (!item->flight || item->put_ns < before_ns ||
		fetched->n == MAX_FILES || fetched->bytes + size > MAX_BYTES);
	if (drop) {
		flight = empty(fetched, item);
		fetched->first = (fetched->first + 1) % MAX_FILES;
		fetched->n--;
	}
	pthread_mutex_unlock(&fetched->lock);
	if (flight)
		hf_flight_unref(fetched->flights, flight);
	return drop;
}

void hf_fetched_free(struct hf_fetched *fetched)
{
	if (!fetched)
		return;
	while (drop_one(fetched, INT64_MAX, 0))
		;
	pthread_mutex_destroy(&fetched->lock);
	free(fetched);
}

bool hf_fetched_rest(struct hf_fetched *fetched)
{
	bool any;

	while (drop_one(fetched, hf_clock_monotonic() - REST_NS, 0))
		;
	pthread_mutex_lock(&fetched->lock);
	any = fetched->n > 0;
	pthread_mutex_unlock(&fetched->lock);
	return any;
}

void hf_fetched_put(struct hf_fetched *fetched, const uint64_t key[2],
		    struct hf_flight *flight, uint64_t size)
{
	struct item *item;

	/* Of two threads that put something in each makes room; where that is
	 * gone again, it is not kept. */
	while (drop_one(fetched, INT64_MIN, size))
		;
	pthread_mutex_lock(&fetched->lock);
	if (fetched->n < MAX_FILES) {
		item = &fetched->items[(fetched->first + fetched->n++) %
				       MAX_FILES];
		memcpy(item->key, key, sizeof(item->key));
		item->size = size;
		item->put_ns = hf_clock_monotonic();
		item->flight = flight;
		flight = NULL;
		fetched->bytes += size;
	}
	pthread_mutex_unlock(&fetched->lock);
	if (flight)
		hf_flight_unref(fetched->flights, flight);
}

struct hf_flight *hf_fetched_take(struct hf_fetched *fetched,
				  const uint64_t key[2])
{
	struct hf_flight *flight = NULL;

	pthread_mutex_lock(&fetched->lock);
	for (size_t i = 0; i < fetched->n && !flight; i++) {
		struct item *item =
			&fetched->items[(fetched->first + i) % MAX_FILES];

		if (item->flight &&
		    memcmp(item->key, key, sizeof(item->key)) == 0)
			flight = empty(fetched, item);
	}
	pthread_mutex_unlock(&fetched->lock);
	return flight;
}
