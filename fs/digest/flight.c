/*
 * flight: work that many ask for is done once. Whoever asks first starts it
 * in the pool; all others wait for the same end. A waiter that is interrupted
 * leaves; the flight goes on, because its answer will be asked for again.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* Stands on the stack of the thread that waits. */
struct waiter {
	struct hf_wait *wait;
	struct waiter *next;
};

struct hf_flight {
	uint64_t key[2];
	struct hf_flights *home;
	struct hf_flight_job job;
	/* the following are protected by home->lock */
	unsigned refs;
	bool done;
	int error;
	struct waiter *waiters;
};

struct hf_flights {
	struct hf_pool *pool;
	pthread_mutex_t lock;
	struct hf_map *under_way; /* protected by lock; one ref each */
};

int hf_flights_new(struct hf_pool *pool, struct hf_flights **ret)
{
	struct hf_flights *flights = calloc(1, sizeof(*flights));
	uint64_t seed[2];

	if (!flights)
		return -ENOMEM;
	hf_random_seed(seed);
	if (hf_map_new(seed, &flights->under_way) < 0) {
		free(flights);
		return -ENOMEM;
	}
	flights->pool = pool;
	hf_lock_init(&flights->lock);
	*ret = flights;
	return 0;
}

void hf_flights_free(struct hf_flights *flights)
{
	if (!flights)
		return;
	hf_map_free(flights->under_way);
	pthread_mutex_destroy(&flights->lock);
	free(flights);
}

void hf_flight_unref(struct hf_flights *flights, struct hf_flight *flight)
{
	bool last;

	pthread_mutex_lock(&flights->lock);
	last = --flight->refs == 0;
	pthread_mutex_unlock(&flights->lock);
	if (!last)
		return;
	flight->job.free(flight->job.arg);
	free(flight);
}

void hf_flight_land(struct hf_flight *flight, int error)
{
	struct hf_flights *flights = flight->home;

	pthread_mutex_lock(&flights->lock);
	flight->done = true;
	flight->error = error;
	hf_map_remove(flights->under_way, flight->key, sizeof(flight->key));
	for (struct waiter *w = flight->waiters; w; w = w->next)
		hf_wait_wake(w->wait);
	pthread_mutex_unlock(&flights->lock);
	hf_flight_unref(flights, flight);
}

static void fly(void *job)
{
	struct hf_flight *flight = job;

	hf_flight_land(flight, flight->job.run(flight->job.arg));
}

static struct hf_flight *flight_new(struct hf_flights *flights,
				    const uint64_t key[2],
				    const struct hf_flight_job *job)
{
	struct hf_flight *flight = calloc(1, sizeof(*flight));

	if (!flight)
		return NULL;
	memcpy(flight->key, key, sizeof(flight->key));
	flight->home = flights;
	flight->job = *job;
	flight->refs = 2; /* the asker and the pool */
	return flight;
}

/* Puts `made` into the table, unless a flight of its key is there: then that
 * one, with a reference, is returned. NULL: no memory. */
static struct hf_flight *enter(struct hf_flights *flights,
			       struct hf_flight *made)
{
	struct hf_flight *flight;

	pthread_mutex_lock(&flights->lock);
	flight = hf_map_get(flights->under_way, made->key, sizeof(made->key));
	if (flight)
		flight->refs++;
	else if (hf_map_put(flights->under_way, made->key, sizeof(made->key),
			    made) == 0)
		flight = made;
	pthread_mutex_unlock(&flights->lock);
	return flight;
}

int hf_flight_begin(struct hf_flights *flights, const uint64_t key[2],
		    const struct hf_flight_job *job, bool *started,
		    struct hf_flight **ret)
{
	struct hf_flight *made = flight_new(flights, key, job);
	struct hf_flight *flight = made ? enter(flights, made) : NULL;

	if (flight != made || !made) {
		job->free(job->arg);
		free(made);
		if (!flight)
			return -ENOMEM;
	}
	*started = flight == made;
	*ret = flight;
	return 0;
}

int hf_flight_join(struct hf_flights *flights, const uint64_t key[2],
		   const struct hf_flight_job *job, bool *started,
		   struct hf_flight **ret)
{
	int error = hf_flight_begin(flights, key, job, started, ret);

	if (error < 0 || !*started)
		return error;
	error = hf_pool_submit(flights->pool, fly, *ret);
	if (error < 0) /* whoever joined meanwhile hears it */
		hf_flight_land(*ret, error);
	return 0;
}

/* Call with the lock held. */
static void leave(struct hf_flight *flight, struct waiter *me)
{
	struct waiter **at = &flight->waiters;

	while (*at != me)
		at = &(*at)->next;
	*at = me->next;
}

int hf_flight_wait(struct hf_flights *flights, struct hf_flight *flight,
		   struct hf_wait *wait, int *ret)
{
	struct waiter me = {.wait = wait};
	int error = 0;

	pthread_mutex_lock(&flights->lock);
	me.next = flight->waiters;
	/* Taken out again before it goes. */
	/* cppcheck-suppress autoVariables */
	flight->waiters = &me;
	while (!flight->done && error == 0) {
		pthread_mutex_unlock(&flights->lock);
		error = hf_wait_block(wait);
		pthread_mutex_lock(&flights->lock);
	}
	leave(flight, &me);
	if (flight->done) {
		*ret = flight->error;
		error = 0;
	}
	pthread_mutex_unlock(&flights->lock);
	return error;
}

bool hf_flight_landed(struct hf_flights *flights,
		      const struct hf_flight *flight)
{
	bool landed;

	pthread_mutex_lock(&flights->lock);
	landed = flight->done;
	pthread_mutex_unlock(&flights->lock);
	return landed;
}

bool hf_flight_wanted(struct hf_flights *flights,
		      const struct hf_flight *flight)
{
	bool wanted;

	pthread_mutex_lock(&flights->lock);
	wanted = flight->refs > 1;
	pthread_mutex_unlock(&flights->lock);
	return wanted;
}

struct hf_flight *hf_flight_ref(struct hf_flights *flights,
				struct hf_flight *flight)
{
	pthread_mutex_lock(&flights->lock);
	flight->refs++;
	pthread_mutex_unlock(&flights->lock);
	return flight;
}

void *hf_flight_arg(const struct hf_flight *flight)
{
	return flight->job.arg;
}

uint64_t hf_flights_count(struct hf_flights *flights)
{
	uint64_t n;

	pthread_mutex_lock(&flights->lock);
	n = hf_map_len(flights->under_way);
	pthread_mutex_unlock(&flights->lock);
	return n;
}
