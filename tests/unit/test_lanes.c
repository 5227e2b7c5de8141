/*
 * MD5 side by side is MD5: equal to OpenSSL for every length around the ends
 * of blocks, by all vectors, whatever else is under way in other lanes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/digest/digest.h"
#include "fs/digest/lanes.h"

static const struct {
	enum hf_vectors vectors;
	const char *name;
} kinds[] = {
	{HF_VECTORS_PLAIN, "plain"},
	{HF_VECTORS_AVX2, "AVX2"},
	{HF_VECTORS_AVX512, "AVX-512"},
};

/* Not rand(3): the same numbers everywhere. */
static uint32_t draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(*state >> 33);
}

static void fill(uint8_t *data, size_t len, uint64_t *state)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)draw(state);
}

static void compare(const struct hf_message *messages, size_t n,
		    const char *vectors)
{
	const struct hf_algorithm *md5 = hf_algorithm_find("md5");

	for (size_t i = 0; i < n; i++) {
		struct hf_digest expected;

		assert_int_equal(hf_hash(md5, messages[i].data, messages[i].len,
					 &expected),
				 0);
		if (memcmp(expected.bytes, messages[i].md5, 16) != 0)
			fail_msg("message %zu of %zu, of %zu bytes, by %s "
				 "vectors",
				 i, n, messages[i].len, vectors);
	}
}

/* By each kind: answers are those of that kind alone. */
static void judge(struct hf_message *messages, size_t n)
{
	for (size_t k = 0; k < HF_ARRAY_SIZE(kinds); k++) {
		if (!hf_vectors_have(kinds[k].vectors))
			continue;
		for (size_t i = 0; i < n; i++)
			memset(messages[i].md5, 0xff, 16);
		hf_md5_many(kinds[k].vectors, messages, n);
		compare(messages, n, kinds[k].name);
	}
}

/* Each in memory of its own length, so that a sanitizer sees what is read
 * beyond. */
static void make(struct hf_message *message, size_t len, uint64_t *state)
{
	uint8_t *data = malloc(len);

	assert_true(data || len == 0);
	fill(data, len, state);
	*message = (struct hf_message){.data = data, .len = len};
}

static void give_back(struct hf_message *messages, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)messages[i].data);
}

#define LENGTHS 301

/* One alone, and all together. */
static void test_every_length(void **state)
{
	static struct hf_message messages[LENGTHS];
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < LENGTHS; i++)
		make(&messages[i], i, &seed);
	for (size_t i = 0; i < LENGTHS; i++)
		judge(&messages[i], 1);
	judge(messages, LENGTHS);
	give_back(messages, LENGTHS);
}

/* As many as fill each width, or do not. */
static void test_every_number(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (size_t n = 1; n <= 20; n++) {
		struct hf_message messages[20];

		for (size_t i = 0; i < n; i++)
			make(&messages[i], 1000 - i, &seed);
		judge(messages, n);
		give_back(messages, n);
	}
}

#define MOST 40

static void test_random_batches(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct hf_message messages[MOST];
		size_t n = 1 + draw(&seed) % MOST;

		for (size_t i = 0; i < n; i++) {
			size_t most = (size_t)1 << draw(&seed) % 15;

			make(&messages[i], draw(&seed) % most, &seed);
		}
		judge(messages, n);
		give_back(messages, n);
	}
}

/* RFC 1321, A.5. */
static void test_known(void **state)
{
	static const uint8_t expected[16] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2,
					     0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d,
					     0x28, 0xe1, 0x7f, 0x72};
	struct hf_message message = {.data = "abc", .len = 3};

	(void)state;
	hf_md5_many(HF_VECTORS_BEST, &message, 1);
	assert_memory_equal(message.md5, expected, 16);
	hf_md5_many(HF_VECTORS_BEST, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_every_number),
		cmocka_unit_test(test_random_batches),
		cmocka_unit_test(test_known),
	};

	for (size_t k = 0; k < HF_ARRAY_SIZE(kinds); k++)
		if (!hf_vectors_have(kinds[k].vectors))
			printf("not run: this processor has no %s vectors\n",
			       kinds[k].name);
	return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
