/* A stamp vouches for a name while it is quiet, and never longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/source/source.h"

#define SECOND INT64_C(1000000000)
#define NOW (1700000000 * SECOND)

static struct stat stat_at(time_t mtime, time_t ctime)
{
	return (struct stat){
		.st_ino = 7,
		.st_size = 42,
		.st_mtim = {.tv_sec = mtime, .tv_nsec = 5},
		.st_ctim = {.tv_sec = ctime, .tv_nsec = 6},
	};
}

static void a_stamp_is_ino_size_and_two_times(void **state)
{
	struct stat st = stat_at(1, 2);
	struct hf_sig sig = hf_sig_of(&st);

	(void)state;
	assert_int_equal(sig.ino, 7);
	assert_int_equal(sig.size, 42);
	assert_int_equal(sig.mtime_ns, SECOND + 5);
	assert_int_equal(sig.ctime_ns, 2 * SECOND + 6);
}

static void stamps_differ_when_any_field_does(void **state)
{
	struct hf_sig a = {1, 2, 3, 4};
	struct hf_sig others[] = {
		{9, 2, 3, 4}, {1, 9, 3, 4}, {1, 2, 9, 4}, {1, 2, 3, 9}};
	struct hf_sig same = a;

	(void)state;
	assert_true(hf_sig_equal(&a, &same));
	for (size_t i = 0; i < HF_ARRAY_SIZE(others); i++)
		assert_false(hf_sig_equal(&a, &others[i]));
}

static bool quiet(int64_t mtime_ago, int64_t ctime_ago)
{
	struct hf_sig sig = {
		.mtime_ns = NOW - mtime_ago,
		.ctime_ns = NOW - ctime_ago,
	};

	return hf_sig_quiet(&sig, NOW);
}

static void a_change_is_quiet_after_two_seconds(void **state)
{
	(void)state;
	assert_true(quiet(HF_QUIET_NS + 1, HF_QUIET_NS + 1));
	assert_false(quiet(HF_QUIET_NS, HF_QUIET_NS));
	assert_false(quiet(0, 0));
	/* Set back by hand just now: the ctime tells. */
	assert_false(quiet(3600 * SECOND, SECOND));
	/* FAT and others keep the ctime behind. */
	assert_false(quiet(SECOND, 3600 * SECOND));
}

static void an_mtime_in_the_future_says_nothing(void **state)
{
	(void)state;
	assert_true(quiet(-3600 * SECOND, 3600 * SECOND));
	assert_false(quiet(-3600 * SECOND, SECOND));
	/* A clock that went back: not even the ctime can be trusted. */
	assert_false(quiet(3600 * SECOND, -SECOND));
}

static void times_beyond_64_bits_stand_at_the_end(void **state)
{
	struct stat late = stat_at(INT64_C(1) << 40, 2);
	struct stat early = stat_at(-(INT64_C(1) << 40), 2);
	struct stat before_1970 = stat_at(-1, 2);

	(void)state;
	assert_true(hf_sig_of(&late).mtime_ns == INT64_MAX);
	assert_true(hf_sig_of(&early).mtime_ns == INT64_MIN);
	assert_true(hf_sig_of(&before_1970).mtime_ns == -SECOND + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stamp_is_ino_size_and_two_times),
		cmocka_unit_test(stamps_differ_when_any_field_does),
		cmocka_unit_test(a_change_is_quiet_after_two_seconds),
		cmocka_unit_test(an_mtime_in_the_future_says_nothing),
		cmocka_unit_test(times_beyond_64_bits_stand_at_the_end),
	};

	return cmocka_run_group_tests_name("sig", tests, NULL, NULL);
}
