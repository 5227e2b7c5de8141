/*
 * Ignoring as collectstatic does: files by base name or by path, directories
 * by base name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fs/source/internal.h"

static struct hf_ignore rules(const char *glob, bool no_defaults)
{
	struct hf_strings globs = {0};
	struct hf_ignore ignore;

	if (glob)
		assert_int_equal(hf_strings_add(&globs, glob, strlen(glob)), 0);
	assert_int_equal(hf_ignore_init(&ignore, &globs, no_defaults), 0);
	hf_strings_fini(&globs);
	return ignore;
}

/* As Django's get_files: the base name, then the path. */
static bool ignores_file(const char *glob, const char *path)
{
	HF_CLEANUP(hf_ignore_fini) struct hf_ignore ignore = rules(glob, false);
	const char *slash = strrchr(path, '/');

	return hf_ignore_name(&ignore, slash ? slash + 1 : path) ||
	       hf_ignore_path(&ignore, path);
}

static bool ignores_in_dir(const char *glob, const char *path)
{
	HF_CLEANUP(hf_ignore_fini) struct hf_ignore ignore = rules(glob, false);

	return hf_ignore_below(&ignore, path);
}

static void version_control_hidden_and_backup_files_are_left_out(void **state)
{
	(void)state;
	assert_true(ignores_file(NULL, "CVS"));
	assert_true(ignores_file(NULL, "css/.htaccess"));
	assert_true(ignores_file(NULL, "css/app.css~"));
	assert_false(ignores_file(NULL, "css/app.css"));
	assert_false(ignores_file(NULL, "cvs"));
	assert_true(ignores_in_dir(NULL, ".git"));
	assert_true(ignores_in_dir(NULL, "a/CVS/b"));
	assert_false(ignores_in_dir(NULL, "a/b"));
	assert_false(ignores_in_dir(NULL, ""));
}

static void the_defaults_can_be_dropped(void **state)
{
	HF_CLEANUP(hf_ignore_fini) struct hf_ignore ignore = rules("*.o", true);

	(void)state;
	assert_false(hf_ignore_name(&ignore, ".git"));
	assert_true(hf_ignore_name(&ignore, "a.o"));
}

static void a_file_is_ignored_by_name_or_by_path(void **state)
{
	(void)state;
	assert_true(ignores_file("*.map", "deep/in/app.js.map"));
	assert_true(ignores_file("css/*.css", "css/app.css"));
	/* A star crosses slashes. */
	assert_true(ignores_file("css/*.css", "css/deep/app.css"));
	assert_false(ignores_file("css/*.css", "other/css/app.css"));
	assert_false(ignores_file("*.CSS", "app.css"));
	assert_true(ignores_file("[ab].j?", "a.js"));
}

static void a_directory_is_ignored_by_name_only(void **state)
{
	(void)state;
	assert_true(ignores_in_dir("deep", "css/deep"));
	assert_false(ignores_in_dir("css/deep", "css/deep"));
	assert_false(ignores_in_dir("css/*", "css/deep"));
	/* ... but its files are. */
	assert_true(ignores_file("css/deep/*", "css/deep/a.css"));
	assert_false(ignores_file("css/deep", "css/deep/a.css"));
}

static void assert_glob_becomes(const char *glob, const char *expected)
{
	HF_CLEANUP(hf_ignore_fini) struct hf_ignore ignore = rules(glob, true);

	assert_string_equal(ignore.globs.items[0], expected);
}

static void globs_are_normalised_like_paths(void **state)
{
	(void)state;
	assert_glob_becomes("css/", "css");
	assert_glob_becomes("./css/*", "css/*");
	assert_glob_becomes("a//b/./c", "a/b/c");
	assert_glob_becomes("a/../b", "b");
	assert_glob_becomes("a/..", ".");
	assert_glob_becomes("", ".");
	assert_glob_becomes("../a/../../b", "../../b");
	assert_glob_becomes("/a", "/a");
	assert_glob_becomes("//a", "//a");
	assert_glob_becomes("///a", "/a");
	assert_glob_becomes("/../a", "/a");
	assert_glob_becomes("a...", "a...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			version_control_hidden_and_backup_files_are_left_out),
		cmocka_unit_test(the_defaults_can_be_dropped),
		cmocka_unit_test(a_file_is_ignored_by_name_or_by_path),
		cmocka_unit_test(a_directory_is_ignored_by_name_only),
		cmocka_unit_test(globs_are_normalised_like_paths),
	};

	return cmocka_run_group_tests_name("ignore", tests, NULL, NULL);
}
