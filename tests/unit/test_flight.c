/*
 * fs/digest/flight.c: what many ask for at once is done once. The job of these
 * tests stays in the air until the test opens its gate, so that "at once" is
 * certain and not a matter of luck.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/digest/internal.h"

#define N_ASKERS 32

struct air {
	struct hf_pool *pool;
	struct hf_flights *flights;
	sem_t gate;    /* each run needs one */
	sem_t started; /* each run gives one */
	atomic_int runs;
	atomic_int frees;
	atomic_int allocated;
	int outcome;
};

/* What a flight carries; the answer is written by run. */
struct cargo {
	struct air *air;
	int answer;
};

static int run(void *arg)
{
	struct cargo *cargo = arg;
	struct air *air = cargo->air;

	sem_post(&air->started);
	while (sem_wait(&air->gate) < 0)
		;
	cargo->answer = 100 + atomic_fetch_add(&air->runs, 1);
	return air->outcome;
}

static void free_cargo(void *arg)
{
	struct cargo *cargo = arg;

	atomic_fetch_add(&cargo->air->frees, 1);
	free(cargo);
}

static int join(struct air *air, uint64_t key, bool *started,
		struct hf_flight **ret)
{
	struct cargo *cargo = calloc(1, sizeof(*cargo));
	struct hf_flight_job job = {run, free_cargo, cargo};

	cargo->air = air;
	atomic_fetch_add(&air->allocated, 1);
	return hf_flight_join(air->flights, (uint64_t[2]){key, 7}, &job,
			      started, ret);
}

static int set_up(void **state)
{
	struct air *air = calloc(1, sizeof(*air));

	sem_init(&air->gate, 0, 0);
	sem_init(&air->started, 0, 0);
	assert_int_equal(hf_pool_new(2, 2, &air->pool), 0);
	assert_int_equal(hf_flights_new(air->pool, &air->flights), 0);
	*state = air;
	return 0;
}

/* Whatever happened: every cargo is freed exactly once. */
static int tear_down(void **state)
{
	struct air *air = *state;

	hf_pool_free(air->pool);
	assert_int_equal(hf_flights_count(air->flights), 0);
	hf_flights_free(air->flights);
	assert_int_equal(atomic_load(&air->frees),
			 atomic_load(&air->allocated));
	sem_destroy(&air->gate);
	sem_destroy(&air->started);
	free(air);
	return 0;
}

/* --- askers -------------------------------------------------------------- */

struct asker {
	pthread_t thread;
	struct air *air;
	struct hf_wait wait;
	sem_t *joined; /* posted when the flight is joined */
	bool started;
	int error;   /* of hf_flight_wait */
	int outcome; /* of the flight */
	int answer;
};

static void *ask(void *arg)
{
	struct asker *asker = arg;
	struct hf_flights *flights = asker->air->flights;
	struct hf_flight *flight;

	asker->error = join(asker->air, 1, &asker->started, &flight);
	sem_post(asker->joined);
	if (asker->error < 0)
		return NULL;
	asker->error =
		hf_flight_wait(flights, flight, &asker->wait, &asker->outcome);
	if (asker->error == 0)
		asker->answer =
			((const struct cargo *)hf_flight_arg(flight))->answer;
	hf_flight_unref(flights, flight);
	return NULL;
}

/* Starts the askers and returns when all have joined. */
static void send(struct air *air, struct asker *askers, size_t n)
{
	sem_t joined;

	sem_init(&joined, 0, 0);
	for (size_t i = 0; i < n; i++) {
		askers[i].air = air;
		askers[i].joined = &joined;
		hf_wait_init(&askers[i].wait);
		pthread_create(&askers[i].thread, NULL, ask, &askers[i]);
	}
	for (size_t i = 0; i < n; i++)
		while (sem_wait(&joined) < 0)
			;
	sem_destroy(&joined);
}

static void collect(struct asker *askers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		pthread_join(askers[i].thread, NULL);
		hf_wait_fini(&askers[i].wait);
	}
}

/* --- tests --------------------------------------------------------------- */

static void many_ask_and_one_flies(void **state)
{
	struct asker askers[N_ASKERS] = {0};
	struct air *air = *state;
	int n_started = 0;

	send(air, askers, N_ASKERS);
	assert_int_equal(hf_flights_count(air->flights), 1);
	sem_post(&air->gate);
	collect(askers, N_ASKERS);
	assert_int_equal(atomic_load(&air->runs), 1);
	for (size_t i = 0; i < N_ASKERS; i++) {
		n_started += askers[i].started;
		assert_int_equal(askers[i].error, 0);
		assert_int_equal(askers[i].outcome, 0);
		assert_int_equal(askers[i].answer, 100);
	}
	assert_int_equal(n_started, 1);
}

static void keys_fly_apart(void **state)
{
	struct air *air = *state;
	struct hf_flight *flights[2];
	struct hf_wait wait;
	bool started;
	int outcome;

	hf_wait_init(&wait);
	for (uint64_t i = 0; i < 2; i++) {
		assert_int_equal(join(air, i, &started, &flights[i]), 0);
		assert_true(started);
	}
	/* Both are in the air together: neither waits for the other. */
	sem_wait(&air->started);
	sem_wait(&air->started);
	assert_int_equal(hf_flights_count(air->flights), 2);
	sem_post(&air->gate);
	sem_post(&air->gate);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(hf_flight_wait(air->flights, flights[i], &wait,
						&outcome),
				 0);
		hf_flight_unref(air->flights, flights[i]);
	}
	assert_int_equal(atomic_load(&air->runs), 2);
	hf_wait_fini(&wait);
}

static void who_is_interrupted_leaves_and_the_flight_goes_on(void **state)
{
	struct asker askers[3] = {0};
	struct air *air = *state;

	send(air, askers, 3);
	hf_wait_interrupt(&askers[1].wait);
	pthread_join(askers[1].thread, NULL);
	assert_int_equal(askers[1].error, -EINTR);
	assert_int_equal(hf_flights_count(air->flights), 1);
	sem_post(&air->gate);
	pthread_join(askers[0].thread, NULL);
	pthread_join(askers[2].thread, NULL);
	assert_int_equal(askers[0].error, 0);
	assert_int_equal(askers[0].answer, 100);
	assert_int_equal(askers[2].answer, 100);
	assert_int_equal(atomic_load(&air->runs), 1);
	for (size_t i = 0; i < 3; i++)
		hf_wait_fini(&askers[i].wait);
}

/* Even the one who started it, and even if nobody is left. */
static void a_flight_without_askers_lands(void **state)
{
	struct asker asker = {0};
	struct air *air = *state;

	send(air, &asker, 1);
	hf_wait_interrupt(&asker.wait);
	collect(&asker, 1);
	assert_int_equal(asker.error, -EINTR);
	sem_post(&air->gate);
	hf_pool_free(air->pool); /* runs it to its end */
	air->pool = NULL;
	assert_int_equal(atomic_load(&air->runs), 1);
	assert_int_equal(hf_flights_count(air->flights), 0);
}

static void an_error_goes_to_all_and_is_not_remembered(void **state)
{
	struct asker askers[N_ASKERS] = {0};
	struct asker later = {0};
	struct air *air = *state;

	air->outcome = -EACCES;
	send(air, askers, N_ASKERS);
	sem_post(&air->gate);
	collect(askers, N_ASKERS);
	for (size_t i = 0; i < N_ASKERS; i++) {
		assert_int_equal(askers[i].error, 0);
		assert_int_equal(askers[i].outcome, -EACCES);
	}
	air->outcome = 0;
	send(air, &later, 1);
	sem_post(&air->gate);
	collect(&later, 1);
	assert_true(later.started);
	assert_int_equal(later.outcome, 0);
	assert_int_equal(atomic_load(&air->runs), 2);
}

/* Whoever still holds a flight that has landed gets its answer at once, and
 * an interruption that comes after the answer takes nothing away. */
static void a_landed_flight_answers(void **state)
{
	struct air *air = *state;
	struct hf_flight *flight;
	struct hf_wait wait;
	bool started;
	int outcome = -1;

	hf_wait_init(&wait);
	assert_int_equal(join(air, 1, &started, &flight), 0);
	sem_post(&air->gate);
	assert_int_equal(hf_flight_wait(air->flights, flight, &wait, &outcome),
			 0);
	hf_wait_interrupt(&wait);
	outcome = -1;
	assert_int_equal(hf_flight_wait(air->flights, flight, &wait, &outcome),
			 0);
	assert_int_equal(outcome, 0);
	assert_int_equal(hf_flights_count(air->flights), 0);
	hf_flight_unref(air->flights, flight);
	hf_wait_fini(&wait);
}

/* Landings and joins as they come: no answer is lost, none is given twice. */
static void in_a_crowd(void **state)
{
	struct air *air = *state;

	for (int i = 0; i < 200 * 8; i++)
		sem_post(&air->gate);
	for (int round = 0; round < 200; round++) {
		struct asker askers[8] = {0};
		int before = atomic_load(&air->runs);
		int n_started = 0;

		send(air, askers, 8);
		collect(askers, 8);
		for (size_t i = 0; i < 8; i++) {
			n_started += askers[i].started;
			assert_int_equal(askers[i].error, 0);
			assert_in_range(askers[i].answer, 100 + before,
					100 + before + 7);
		}
		assert_int_equal(atomic_load(&air->runs), before + n_started);
	}
}

int main(void)
{
#define FLIGHT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FLIGHT(many_ask_and_one_flies),
		FLIGHT(keys_fly_apart),
		FLIGHT(who_is_interrupted_leaves_and_the_flight_goes_on),
		FLIGHT(a_flight_without_askers_lands),
		FLIGHT(an_error_goes_to_all_and_is_not_remembered),
		FLIGHT(a_landed_flight_answers),
		FLIGHT(in_a_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
