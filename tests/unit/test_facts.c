/* fs/digest/facts.c: the digest of a file's last state, and its stamp. */
#include "tests/unit/digests.h"

static struct hf_facts *facts_of(struct room *room, const char *algorithm)
{
	struct hf_digests_config config = {
		.algorithm = hf_algorithm_find(algorithm),
		.source = room->source,
		.cache = room->cache,
	};
	struct hf_facts *facts = NULL;

	assert_int_equal(hf_facts_new(&config, &facts), 0);
	return facts;
}

static void put(struct hf_facts *facts, const struct hf_key *key,
		const struct hf_sig *sig, bool quiet, uint8_t byte)
{
	struct hf_fact fact = {.size = (uint64_t)sig->size};

	memset(fact.digest.bytes, byte, sizeof(fact.digest.bytes));
	hf_facts_put(facts, 0, key, sig, quiet, &fact);
}

/* What the state is known by; -1: it is not known. */
static int found(struct hf_facts *facts, const struct hf_key *key,
		 const struct hf_sig *sig, size_t digest_len)
{
	struct hf_fact fact;

	if (!hf_facts_get(facts, key, sig, &fact))
		return -1;
	if (sig)
		assert_int_equal(fact.size, sig->size);
	assert_int_equal(fact.digest.len, digest_len);
	for (size_t i = 0; i < digest_len; i++)
		assert_int_equal(fact.digest.bytes[i], fact.digest.bytes[0]);
	return fact.digest.bytes[0];
}

static const struct hf_sig stamps[] = {
	{0},
	{.ino = 1, .size = 1, .mtime_ns = 1, .ctime_ns = 1},
	{.ino = 127, .size = 128, .mtime_ns = 63, .ctime_ns = 64},
	{.ino = 128, .size = 16383, .mtime_ns = -64, .ctime_ns = -65},
	{.ino = UINT64_MAX,
	 .size = INT64_MAX,
	 .mtime_ns = INT64_MIN,
	 .ctime_ns = INT64_MAX},
	{.ino = UINT64_MAX - 1,
	 .size = INT64_MAX,
	 .mtime_ns = INT64_MAX,
	 .ctime_ns = INT64_MIN},
	{.ino = INT64_MAX, .mtime_ns = INT64_MIN, .ctime_ns = INT64_MIN},
	{.ino = UINT64_C(1) << 63, .mtime_ns = -1},
	{.ino = 5,
	 .size = 4096,
	 .mtime_ns = INT64_C(946684800000000000),
	 .ctime_ns = INT64_C(1795800000123456789)},
};

/* One state is known by its stamp, whatever that is, and no other is. */
static void every_stamp_is_told_from_the_others(void **state)
{
	static const char *const algorithms[] = {"md5", "sha512"};
	struct room *room = *state;
	struct hf_key key;

	for (size_t a = 0; a < HF_ARRAY_SIZE(algorithms); a++) {
		struct hf_facts *facts = facts_of(room, algorithms[a]);
		size_t len = hf_algorithm_len(hf_algorithm_find(algorithms[a]));

		hf_facts_key(facts, 0, "a/b", &key);
		for (size_t i = 0; i < HF_ARRAY_SIZE(stamps); i++) {
			put(facts, &key, &stamps[i], true, (uint8_t)i);
			for (size_t k = 0; k < HF_ARRAY_SIZE(stamps); k++)
				assert_int_equal(
					found(facts, &key, &stamps[k], len),
					k == i ? (int)i : -1);
			assert_int_equal(found(facts, &key, NULL, len), i);
		}
		hf_facts_free(facts);
	}
}

/* Each part of it counts. */
static void a_stamp_that_differs_anywhere_is_another(void **state)
{
	struct room *room = *state;
	struct hf_facts *facts = facts_of(room, "md5");
	const struct hf_sig sig = {
		.ino = 300, .size = 7, .mtime_ns = 1000, .ctime_ns = 900};
	struct hf_sig others[] = {sig, sig, sig, sig, sig};
	struct hf_key key;

	others[0].ino++;
	others[1].size--;
	others[2].mtime_ns++;
	others[3].ctime_ns++;
	others[4].mtime_ns += 5; /* both times, by as much */
	others[4].ctime_ns += 5;
	hf_facts_key(facts, 0, "a", &key);
	put(facts, &key, &sig, true, 9);
	for (size_t i = 0; i < HF_ARRAY_SIZE(others); i++)
		assert_int_equal(found(facts, &key, &others[i], 16), -1);
	assert_int_equal(found(facts, &key, &sig, 16), 9);
	hf_facts_free(facts);
}

/* Then the stamp vouches for nothing. */
static void what_was_not_quiet_is_known_as_the_last_only(void **state)
{
	struct room *room = *state;
	struct hf_facts *facts = facts_of(room, "md5");
	struct hf_key key;

	hf_facts_key(facts, 0, "a", &key);
	put(facts, &key, &stamps[1], false, 9);
	assert_int_equal(found(facts, &key, &stamps[1], 16), -1);
	assert_int_equal(found(facts, &key, NULL, 16), 9);
	hf_facts_free(facts);
}

int main(void)
{
#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		IN_ROOM(every_stamp_is_told_from_the_others),
		IN_ROOM(a_stamp_that_differs_anywhere_is_another),
		IN_ROOM(what_was_not_quiet_is_known_as_the_last_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
