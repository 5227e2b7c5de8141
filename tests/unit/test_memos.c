/* fs/digest/memos.c: what is remembered of one directory, close together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/digest/remembered.h"

#define N_KEYS 5000
#define LEN_MAX 200

/* Of each key: what it shall have; len SIZE_MAX: nothing. */
struct wanted {
	uint64_t key[2];
	size_t len;
	char data[LEN_MAX];
	bool stored;
};

static struct wanted wanted[N_KEYS];

static void forget_all(void)
{
	static const uint64_t seed[2] = {1, 2};

	for (size_t i = 0; i < N_KEYS; i++) {
		wanted[i] = (struct wanted){.len = SIZE_MAX};
		hf_siphash128(seed, &i, sizeof(i), wanted[i].key);
	}
}

static void set(struct hf_memos *memos, struct wanted *one, unsigned random,
		size_t len)
{
	struct hf_memo *memo;

	memset(one->data, (int)random, sizeof(one->data));
	one->len = len;
	memo = hf_memos_set(memos, one->key, one->data, len);
	assert_non_null(memo);
	assert_int_equal(memo->stored, one->stored);
	memo->day = (uint16_t)random;
	if (random % 3 == 0)
		memo->stored = one->stored = true;
}

static void check_memo(const struct hf_memo *memo, const struct wanted *one)
{
	assert_int_equal(memo->len, one->len);
	assert_memory_equal(memo->data, one->data, one->len);
	assert_memory_equal(memo->key, one->key, sizeof(one->key));
	assert_int_equal(memo->stored, one->stored);
	if (one->len)
		assert_int_equal((uint8_t)memo->day, (uint8_t)one->data[0]);
}

static struct hf_memo *find(const struct hf_memos *memos,
			    const struct hf_memo *memo)
{
	uint64_t key[2];

	memcpy(key, memo->key, sizeof(key));
	return hf_memos_find(memos, key);
}

/* All that was set is found, and come across once; nothing else is. */
static void check(const struct hf_memos *memos)
{
	struct hf_memo *memo;
	size_t cursor = 0;
	size_t n = 0;

	for (size_t i = 0; i < N_KEYS; i++) {
		memo = hf_memos_find(memos, wanted[i].key);
		assert_int_equal(memo != NULL, wanted[i].len != SIZE_MAX);
		if (memo)
			check_memo(memo, &wanted[i]);
		n += memo != NULL;
	}
	assert_int_equal(memos->n, n);
	while ((memo = hf_memos_next(memos, &cursor))) {
		assert_ptr_equal(find(memos, memo), memo);
		n--;
	}
	assert_int_equal(n, 0);
}

static void holds_what_was_set_last(void **state)
{
	struct hf_memos memos = {0};
	uint64_t random = 1;

	(void)state;
	forget_all();
	check(&memos);
	for (size_t limit = 1; limit <= N_KEYS; limit *= 5) {
		for (size_t i = 0; i < limit * 4; i++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			set(&memos, &wanted[(random >> 33) % limit],
			    (unsigned)(random >> 50),
			    (size_t)(random >> 20) % LEN_MAX);
		}
		check(&memos);
	}
	hf_memos_fini(&memos);
	assert_int_equal(hf_memos_size(&memos), 0);
}

/* What is there stays; what is not comes to it, and has room that was made. */
static void adding_replaces_nothing(void **state)
{
	struct hf_memos memos = {0};
	size_t size;

	(void)state;
	forget_all();
	for (size_t i = 0; i < 10; i++)
		set(&memos, &wanted[i], (unsigned)i, i);
	assert_int_equal(hf_memos_reserve(&memos, 1000, 7 * 1000), 0);
	size = hf_memos_size(&memos);
	for (size_t i = 0; i < 1000; i++) {
		bool added;
		struct hf_memo *memo = hf_memos_add(&memos, wanted[i].key,
						    "replace", 7, &added);

		assert_non_null(memo);
		assert_int_equal(added, i >= 10);
		if (!added)
			continue;
		wanted[i].len = 7;
		memcpy(wanted[i].data, "replace", 7);
		memo->day = 'r';
	}
	check(&memos);
	assert_int_equal(hf_memos_size(&memos), size);
	hf_memos_fini(&memos);
}

/* What is replaced by something longer or shorter does not pile up. */
static void holes_are_closed(void **state)
{
	struct hf_memos memos = {0};

	(void)state;
	forget_all();
	for (unsigned i = 0; i < 1000; i++)
		for (size_t k = 0; k < 100; k++)
			set(&memos, &wanted[k], i, 100 + i % 2 * 50);
	check(&memos);
	assert_in_range(hf_memos_size(&memos), 100 * 150, 100 * 300);
	hf_memos_fini(&memos);
}

/* There is one for each file of a tree, with a stamp of 33 bytes and a digest.
 * They take little more than what they hold. */
static void many_take_little(void **state)
{
	static const size_t numbers[] = {1, 10, 100, N_KEYS};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(numbers); i++) {
		struct hf_memos memos = {0};
		size_t n = numbers[i];

		forget_all();
		for (size_t k = 0; k < n; k++)
			set(&memos, &wanted[k], 1, 33 + 16);
		assert_in_range(hf_memos_size(&memos), n * 49, n * 96);
		hf_memos_fini(&memos);
	}
}

/* As rows are stored: by key. In a table that is crowded at one end this would
 * take hours. */
static void what_comes_in_order_is_no_slower(void **state)
{
	static const uint64_t n = 1000000;
	struct hf_memos memos = {0};

	(void)state;
	alarm(120);
	for (uint64_t i = 0; i < n; i++) {
		const uint64_t key[2] = {UINT64_MAX / n * i, i};

		assert_non_null(hf_memos_set(&memos, key, "", 0));
	}
	alarm(0);
	hf_memos_fini(&memos);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_was_set_last),
		cmocka_unit_test(adding_replaces_nothing),
		cmocka_unit_test(holes_are_closed),
		cmocka_unit_test(many_take_little),
		cmocka_unit_test(what_comes_in_order_is_no_slower),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
