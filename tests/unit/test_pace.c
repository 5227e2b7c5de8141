/*
 * fs/fuse/pace.c: is it one client that asks without a pause?
 */
/* A floor above what the tests of units are linked with. */
#include "fs/fuse/pace.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TICK_NS 1000000
#define LONG 100 /* looks, after which what was before counts for nothing */

/* Requests so far, and the time. */
struct clients {
	struct hf_pace pace;
	uint64_t taken;
	uint64_t passed;
	int64_t now_ns;
};

static void begin(struct clients *clients)
{
	*clients = (struct clients){.now_ns = INT64_C(1000000000)};
	hf_pace_init(&clients->pace);
}

/* For so many ticks, so many requests in each. */
static bool ask(struct clients *clients, int ticks, unsigned taken,
		unsigned passed)
{
	bool dense = false;

	for (int i = 0; i < ticks; i++) {
		clients->taken += taken;
		clients->passed += passed;
		clients->now_ns += TICK_NS;
		dense = hf_pace_look(&clients->pace, clients->taken,
				     clients->passed, clients->now_ns);
	}
	return dense;
}

static void one_client_without_a_pause_is_dense(void **state)
{
	struct clients clients;

	(void)state;
	begin(&clients);
	assert_true(ask(&clients, LONG, 60, 0));
	assert_true(ask(&clients, LONG, 30, 0));
}

static void it_takes_some_time(void **state)
{
	struct clients clients;

	(void)state;
	begin(&clients);
	assert_false(ask(&clients, 3, 60, 0));
	assert_true(ask(&clients, LONG, 60, 0));
	/* And one slow moment does not end it. */
	assert_true(ask(&clients, 1, 10, 0));
}

static void one_that_has_other_things_to_do_is_not(void **state)
{
	struct clients clients;

	(void)state;
	begin(&clients);
	assert_false(ask(&clients, LONG, 20, 0));
	assert_true(ask(&clients, LONG, 60, 0));
	assert_false(ask(&clients, LONG, 20, 0));
}

static void nobody_is_not(void **state)
{
	struct clients clients;

	(void)state;
	begin(&clients);
	assert_false(ask(&clients, LONG, 0, 0));
	assert_true(ask(&clients, LONG, 60, 0));
	assert_false(ask(&clients, 1, 0, 0));
	/* A rest counts, however long nobody looked. */
	clients.now_ns += INT64_C(864000000000000); /* ten days */
	assert_true(ask(&clients, LONG, 60, 0));
}

static void a_crowd_is_not(void **state)
{
	struct clients clients;

	(void)state;
	begin(&clients);
	assert_false(ask(&clients, LONG, 60, 15));
	assert_true(ask(&clients, LONG, 60, 1));
	assert_false(ask(&clients, LONG, 60, 60));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_client_without_a_pause_is_dense),
		cmocka_unit_test(it_takes_some_time),
		cmocka_unit_test(one_that_has_other_things_to_do_is_not),
		cmocka_unit_test(nobody_is_not),
		cmocka_unit_test(a_crowd_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
