/*
 * fs/refs/path.c, fs/refs/fragment.c: posixpath.normpath and
 * urllib.parse.urldefrag. What is expected here was printed by Python 3.12.1.
 */
#include <errno.h>

#include "test_refs_scene.h"

#include "fs/refs/internal.h"

static void assert_normal(const char *path, const char *expected)
{
	struct hf_buf ret = {0};

	hf_buf_puts(&ret, "x/");
	hf_path_normalise(path, &ret);
	assert_int_equal(hf_buf_status(&ret), 0);
	assert_string_equal(ret.data + 2, expected);
	hf_buf_fini(&ret);
}

static void dots_and_slashes_collapse(void **state)
{
	(void)state;
	assert_normal("", ".");
	assert_normal(".", ".");
	assert_normal("a", "a");
	assert_normal("a/", "a");
	assert_normal("a//b/./c", "a/b/c");
	assert_normal("a/../b", "b");
	assert_normal("a/..", ".");
	assert_normal("a/b/../..", ".");
	assert_normal("a/b/../../..", "..");
	assert_normal("../a/../../b", "../../b");
	assert_normal("...", "...");
	assert_normal("a/.../..", "a");
	assert_normal("..a/../a..", "a..");
}

static void absolute_paths_have_no_parent(void **state)
{
	(void)state;
	assert_normal("/", "/");
	assert_normal("/..", "/");
	assert_normal("/../a/..", "/");
	assert_normal("/a/../../b", "/b");
}

static void two_slashes_stay_two(void **state)
{
	(void)state;
	assert_normal("//", "//");
	assert_normal("//a/..", "//");
	assert_normal("//a//b", "//a/b");
	assert_normal("///a", "/a");
}

static void assert_defrag(const char *text, const char *url,
			  const char *fragment)
{
	struct hf_buf rest = {0};
	struct hf_buf cut = {0};

	assert_int_equal(hf_url_defrag(text, &rest, &cut), 0);
	hf_buf_putc(&rest, '\0');
	hf_buf_putc(&cut, '\0');
	assert_string_equal(rest.data, url);
	assert_string_equal(cut.data, fragment);
	hf_buf_fini(&rest);
	hf_buf_fini(&cut);
}

static void without_a_fragment_nothing_changes(void **state)
{
	(void)state;
	assert_defrag("", "", "");
	assert_defrag(" a?\t", " a?\t", "");
	assert_defrag("HTTP:x;", "HTTP:x;", "");
	assert_defrag("//[", "//[", "");
}

static void with_one_the_url_is_put_together_again(void **state)
{
	(void)state;
	assert_defrag("a#f", "a", "f");
	assert_defrag("#f", "", "f");
	assert_defrag("a?#f", "a", "f");
	assert_defrag("a?b#f#g", "a?b", "f#g");
	assert_defrag(" \x01"
		      "a\tb\n#f\r",
		      "ab", "f");
	assert_defrag("HTTP://X/y#", "http://X/y", "");
	assert_defrag(HF_NUL " a" HF_NUL "#f", "a" HF_NUL, "f");
}

static void empty_params_vanish(void **state)
{
	(void)state;
	assert_defrag("a;#", "a", "");
	assert_defrag("a/b;#", "a/b", "");
	assert_defrag("a;/b#", "a;/b", "");
	assert_defrag("a;;#", "a;;", "");
	assert_defrag("a;x#", "a;x", "");
	assert_defrag("foo:a;#", "foo:a;", "");
	assert_defrag("sip:a;#", "sip:a", "");
}

static void brackets_need_a_partner(void **state)
{
	struct hf_buf rest = {0};
	struct hf_buf cut = {0};

	(void)state;
	assert_int_equal(hf_url_defrag("//[#", &rest, &cut), -EINVAL);
	hf_buf_fini(&rest);
	hf_buf_fini(&cut);
}

static void assert_directory(const char *text, bool expected)
{
	bool is_directory = !expected;

	assert_int_equal(hf_url_is_directory(text, &is_directory), 0);
	assert_int_equal(is_directory, expected);
}

static void directories_end_in_a_slash(void **state)
{
	bool is_directory;

	(void)state;
	assert_directory("a/", true);
	assert_directory("a/?b", true);
	assert_directory("a/\n", true);
	assert_directory("a", false);
	assert_directory("a?b/", false);
	assert_directory("", false);
	assert_directory("//", false);
	assert_directory(HF_NUL "//", false);
	assert_int_equal(hf_url_is_directory("//]/", &is_directory), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_and_slashes_collapse),
		cmocka_unit_test(absolute_paths_have_no_parent),
		cmocka_unit_test(two_slashes_stay_two),
		cmocka_unit_test(without_a_fragment_nothing_changes),
		cmocka_unit_test(with_one_the_url_is_put_together_again),
		cmocka_unit_test(empty_params_vanish),
		cmocka_unit_test(brackets_need_a_partner),
		cmocka_unit_test(directories_end_in_a_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
