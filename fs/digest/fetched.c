/*
 * fetched: the bytes of files that were read before somebody asked for them.
 * Few are kept, and not for long.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* If nobody has asked for anything in so long, nobody will. */
#define REST_NS INT64_C(1000000000)

struct item {
	uint64_t key[2];
	struct hf_flight *flight; /* a reference; NULL: it was taken */
	uint64_t size;
	int64_t put_ns;
	uint32_t mark;
};

struct hf_fetched {
	struct hf_flights *flights;
	size_t max;         /* constant */
	uint64_t max_bytes; /* constant */
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct hf_set *by_key; /* those that have a flight */
	size_t first;
	size_t n;
	uint64_t bytes;
	int64_t taken_ns;    /* when one was taken out last */
	struct item items[]; /* a ring of max, the oldest one first */
};

static const void *key_of(const void *item)
{
	return ((const struct item *)item)->key;
}

int hf_fetched_new(struct hf_flights *flights, size_t max_files,
		   uint64_t max_bytes, struct hf_fetched **ret)
{
	struct hf_fetched *fetched =
		calloc(1, sizeof(*fetched) + max_files * sizeof(struct item));
	int error = fetched ? hf_set_new(key_of, sizeof(fetched->items->key),
					 &fetched->by_key)
			    : -ENOMEM;

	if (error < 0) {
		free(fetched);
		return error;
	}
	fetched->flights = flights;
	fetched->max = max_files;
	fetched->max_bytes = max_bytes;
	pthread_mutex_init(&fetched->lock, NULL);
	*ret = fetched;
	return 0;
}

/* Call with the lock held: the flight of an item, which has none any more. */
static struct hf_flight *empty(struct hf_fetched *fetched, struct item *item)
{
	struct hf_flight *flight = item->flight;

	hf_set_remove(fetched->by_key, item->key);
	fetched->bytes -= item->size;
	item->flight = NULL;
	item->size = 0;
	return flight;
}

/* Call with the lock held. */
static bool has_room(const struct hf_fetched *fetched, uint64_t size)
{
	return fetched->n < fetched->max &&
	       fetched->bytes + size <= fetched->max_bytes;
}

/* Takes the oldest one out if it was put in before `before_ns`, or if there
 * must be room for `size` more (NULL: no), which there is not. False: it stays,
 * or there is none. */
static bool drop_one(struct hf_fetched *fetched, int64_t before_ns,
		     const uint64_t *size)
{
	struct hf_flight *flight = NULL;
	struct item *item;
	bool drop;

	pthread_mutex_lock(&fetched->lock);
	item = &fetched->items[fetched->first];
	drop = fetched->n > 0 && (!item->flight || item->put_ns < before_ns ||
				  (size && !has_room(fetched, *size)));
	if (drop) {
		if (item->flight)
			flight = empty(fetched, item);
		fetched->first = (fetched->first + 1) % fetched->max;
		fetched->n--;
	}
	pthread_mutex_unlock(&fetched->lock);
	if (flight)
		hf_flight_unref(fetched->flights, flight);
	return drop;
}

/* Drops what was put in before that. */
static void drop_old(struct hf_fetched *fetched, int64_t before_ns)
{
	while (drop_one(fetched, before_ns, NULL))
		;
}

void hf_fetched_free(struct hf_fetched *fetched)
{
	if (!fetched)
		return;
	drop_old(fetched, INT64_MAX);
	hf_set_free(fetched->by_key);
	pthread_mutex_destroy(&fetched->lock);
	free(fetched);
}

bool hf_fetched_rest(struct hf_fetched *fetched)
{
	int64_t before_ns = hf_clock_monotonic() - REST_NS;
	bool used;
	bool any;

	pthread_mutex_lock(&fetched->lock);
	used = fetched->taken_ns >= before_ns;
	pthread_mutex_unlock(&fetched->lock);
	drop_old(fetched, used ? INT64_MIN : before_ns);
	pthread_mutex_lock(&fetched->lock);
	any = fetched->n > 0;
	pthread_mutex_unlock(&fetched->lock);
	return any;
}

/* Call with the lock held: false if it is not kept. */
static bool add(struct hf_fetched *fetched, const uint64_t key[2],
		struct hf_flight *flight, uint64_t size, uint32_t mark)
{
	struct item *item =
		&fetched->items[(fetched->first + fetched->n) % fetched->max];

	if (fetched->n == fetched->max)
		return false;
	memcpy(item->key, key, sizeof(item->key));
	if (hf_set_get(fetched->by_key, key) ||
	    hf_set_put(fetched->by_key, item) < 0)
		return false;
	item->size = size;
	item->mark = mark;
	item->put_ns = hf_clock_monotonic();
	item->flight = flight;
	fetched->n++;
	fetched->bytes += size;
	return true;
}

void hf_fetched_put(struct hf_fetched *fetched, const uint64_t key[2],
		    struct hf_flight *flight, uint64_t size, uint32_t mark)
{
	bool kept;

	/* Of two threads that put something in each makes room; where that is
	 * gone again, it is not kept. */
	while (drop_one(fetched, INT64_MIN, &size))
		;
	pthread_mutex_lock(&fetched->lock);
	kept = add(fetched, key, flight, size, mark);
	pthread_mutex_unlock(&fetched->lock);
	if (!kept)
		hf_flight_unref(fetched->flights, flight);
}

bool hf_fetched_has_room(struct hf_fetched *fetched, uint64_t size)
{
	bool room;

	drop_old(fetched, hf_clock_monotonic() - REST_NS);
	pthread_mutex_lock(&fetched->lock);
	room = has_room(fetched, size);
	pthread_mutex_unlock(&fetched->lock);
	return room;
}

bool hf_fetched_has(struct hf_fetched *fetched, const uint64_t key[2])
{
	bool has;

	pthread_mutex_lock(&fetched->lock);
	has = hf_set_get(fetched->by_key, key) != NULL;
	pthread_mutex_unlock(&fetched->lock);
	return has;
}

struct hf_flight *hf_fetched_take(struct hf_fetched *fetched,
				  const uint64_t key[2], uint32_t *mark)
{
	struct hf_flight *flight = NULL;
	struct item *item;

	pthread_mutex_lock(&fetched->lock);
	item = hf_set_get(fetched->by_key, key);
	if (item) {
		*mark = item->mark;
		flight = empty(fetched, item);
		fetched->taken_ns = hf_clock_monotonic();
	}
	pthread_mutex_unlock(&fetched->lock);
	return flight;
}
