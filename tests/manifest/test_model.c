#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifest/manifest.h"

static void add(struct hf_manifest *manifest, const char *path,
		const char *name, bool failed)
{
	struct hf_manifest_row row = {
		.path = path, .name = name, .problem = "", .failed = failed};

	assert_int_equal(hf_manifest_add(manifest, &row), 0);
}

/* In ascending order for Python: a byte that is not UTF-8 is a surrogate. */
static const char *const ascending[] = {
	"",
	"\x01",
	"a",
	"a/b",
	"a\x7f",
	"a\xc2\x80",
	"a\xc3\xa9",
	"a\xed\x9f\xbf",     /* U+D7FF */
	"a\x80",             /* U+DC80 */
	"a\xc3",             /* U+DCC3: cut short */
	"a\xed\xa0\x80",     /* U+DCED U+DCA0 U+DC80: no surrogate */
	"a\xff",             /* U+DCFF */
	"a\xee\x80\x80",     /* U+E000 */
	"a\xef\xbf\xbf",     /* U+FFFF */
	"a\xf0\x90\x80\x80", /* U+10000 */
	"a\xf4\x8f\xbf\xbf", /* U+10FFFF */
	"b",
};

static int sign(int number)
{
	return (number > 0) - (number < 0);
}

static void compares_as_python(void **state)
{
	size_t n = HF_ARRAY_SIZE(ascending);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++)
			assert_int_equal(
				hf_manifest_compare(ascending[i], ascending[k]),
				sign((int)i - (int)k));
	}
}

static void sorts_and_finds(void **state)
{
	struct hf_manifest manifest = {0};
	size_t n = HF_ARRAY_SIZE(ascending);

	(void)state;
	hf_manifest_sort(&manifest);
	assert_null(hf_manifest_find(&manifest, "a"));
	for (size_t i = n; i-- > 0;)
		add(&manifest, ascending[i], "x", false);
	hf_manifest_sort(&manifest);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(
			hf_manifest_find(&manifest, ascending[i])->path,
			ascending[i]);
	assert_null(hf_manifest_find(&manifest, "a\xfe"));
	assert_null(hf_manifest_find(&manifest, "c"));
	hf_manifest_fini(&manifest);
}

static void grows(void **state)
{
	struct hf_manifest manifest = {0};
	char path[16];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "%d", 1999 - i);
		add(&manifest, path, path, false);
	}
	hf_manifest_sort(&manifest);
	assert_int_equal(manifest.n, 2000);
	assert_string_equal(hf_manifest_find(&manifest, "1234")->name, "1234");
	hf_manifest_fini(&manifest);
	assert_null(manifest.rows);
}

static void finds_every_source_of_a_name(void **state)
{
	struct hf_manifest manifest = {0};
	size_t cursor = 0;

	(void)state;
	add(&manifest, "a b", "a b.1", false);
	add(&manifest, "a%20b", "a b.1", false);
	add(&manifest, "fifo", "", false);
	assert_string_equal(
		hf_manifest_find_name(&manifest, "a b.1", &cursor)->path,
		"a b");
	assert_string_equal(
		hf_manifest_find_name(&manifest, "a b.1", &cursor)->path,
		"a%20b");
	assert_null(hf_manifest_find_name(&manifest, "a b.1", &cursor));
	cursor = 0;
	assert_null(hf_manifest_find_name(&manifest, "", &cursor));
	hf_manifest_fini(&manifest);
}

static void lists_what_is_shown_and_readable(void **state)
{
	(void)state;
	assert_true(hf_manifest_listed(&(struct hf_manifest_row){.name = "n"}));
	assert_false(hf_manifest_listed(&(struct hf_manifest_row){.name = ""}));
	assert_false(hf_manifest_listed(
		&(struct hf_manifest_row){.name = "n", .failed = true}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_as_python),
		cmocka_unit_test(sorts_and_finds),
		cmocka_unit_test(grows),
		cmocka_unit_test(finds_every_source_of_a_name),
		cmocka_unit_test(lists_what_is_shown_and_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
