/* fs/base/set.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "fs/base/base.h"

#define N_THINGS 20000

struct thing {
	uint64_t key[2];
	bool present;
	bool seen;
};

static const void *key_of(const void *thing)
{
	return ((const struct thing *)thing)->key;
}

static struct hf_set *new_set(size_t key_len)
{
	struct hf_set *set = NULL;

	assert_int_equal(hf_set_new(key_of, key_len, &set), 0);
	assert_non_null(set);
	return set;
}

static void puts_gets_removes(void **state)
{
	struct hf_set *set = new_set(16);
	struct thing one = {.key = {1, 1}};
	struct thing two = {.key = {1, 2}};
	struct thing again = {.key = {1, 1}};
	uint64_t neither[2] = {1, 3};

	(void)state;
	assert_null(hf_set_get(set, one.key));
	assert_null(hf_set_remove(set, one.key));
	assert_int_equal(hf_set_put(set, &one), 0);
	assert_int_equal(hf_set_put(set, &two), 0);
	assert_int_equal(hf_set_put(set, &again), -EEXIST);
	assert_ptr_equal(hf_set_get(set, again.key), &one);
	assert_ptr_equal(hf_set_get(set, two.key), &two);
	assert_null(hf_set_get(set, neither));
	assert_int_equal(hf_set_len(set), 2);
	assert_ptr_equal(hf_set_remove(set, one.key), &one);
	assert_null(hf_set_get(set, one.key));
	assert_int_equal(hf_set_len(set), 1);
	hf_set_free(set);
	hf_set_free(NULL);
}

static struct thing things[N_THINGS];

/* The set holds what the things say, and walks each of them once. */
static void check_set(const struct hf_set *set)
{
	struct thing *thing;
	size_t cursor = 0;
	size_t n = 0;

	for (size_t i = 0; i < N_THINGS; i++) {
		thing = &things[i];
		assert_ptr_equal(hf_set_get(set, thing->key),
				 thing->present ? thing : NULL);
		thing->seen = false;
		n += thing->present;
	}
	assert_int_equal(hf_set_len(set), n);
	while ((thing = hf_set_next(set, &cursor))) {
		assert_true(thing->present && !thing->seen);
		thing->seen = true;
		n--;
	}
	assert_int_equal(n, 0);
	assert_null(hf_set_next(set, &cursor));
}

static void toggle(struct hf_set *set, struct thing *thing)
{
	if (thing->present)
		assert_ptr_equal(hf_set_remove(set, thing->key), thing);
	else
		assert_int_equal(hf_set_put(set, thing), 0);
	thing->present = !thing->present;
}

/* Grows to many, shrinks to none, with removals among additions. */
static void change_often(size_t key_len)
{
	struct hf_set *set = new_set(key_len);
	uint64_t random = 1;

	for (size_t limit = 4; limit <= N_THINGS; limit *= 3) {
		for (size_t i = 0; i < limit * 4; i++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			toggle(set, &things[(random >> 33) % limit]);
		}
		check_set(set);
	}
	for (size_t i = 0; i < N_THINGS; i++)
		if (!things[i].present)
			toggle(set, &things[i]);
	check_set(set);
	for (size_t i = 0; i < N_THINGS; i++) {
		toggle(set, &things[i]);
		if (i % 4096 == 0)
			check_set(set);
	}
	check_set(set);
	hf_set_free(set);
}

static void numbers_that_count_up(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < N_THINGS; i++)
		things[i] = (struct thing){.key = {i + 64}};
	change_often(sizeof(uint64_t));
}

static void hashes(void **state)
{
	static const uint64_t seed[2] = {1, 2};

	(void)state;
	for (uint64_t i = 0; i < N_THINGS; i++) {
		things[i] = (struct thing){0};
		hf_siphash128(seed, &i, sizeof(i), things[i].key);
	}
	change_often(2 * sizeof(uint64_t));
}

/* They are told apart by what comes behind the first eight bytes. */
static void equal_beginnings(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < N_THINGS; i++)
		things[i] = (struct thing){.key = {i / 20, i}};
	change_often(2 * sizeof(uint64_t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_gets_removes),
		cmocka_unit_test(numbers_that_count_up),
		cmocka_unit_test(hashes),
		cmocka_unit_test(equal_beginnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
