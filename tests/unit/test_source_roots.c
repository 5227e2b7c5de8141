/* Roots of a merged tree that are lost, or are none. */
#include "tests/unit/merged.h"

static void a_lost_root_is_an_error_and_never_empty(void **state)
{
	struct hf_source_entry again;
	struct hf_source_list *list;

	put_file("one/css/a", "");
	put_file("two/css/b", "");
	put_file("two/c", "");
	sources(state, "one:two");
	list = list_of(state, "");
	take_away("two/css/b");
	take_away("two/css");
	take_away("two/c");
	take_away("two");
	assert_not_listed(state, "", EIO);
	assert_not_listed(state, "css", EIO);
	assert_int_equal(hf_source_names_current(source_of(state), "",
						 hf_source_list_names(list)),
			 -EIO);
	assert_int_equal(hf_source_stat(source_of(state), "",
					hf_source_list_find(list, "c"), &again),
			 -EIO);
}

static void a_root_that_cannot_be_opened_is_named(void **state)
{
	struct place *place = *state;
	char *why = NULL;

	put_file("file", "");
	assert_int_equal(
		hf_root_specs_parse(&place->config.roots, "./file", &why), 0);
	assert_int_equal(
		hf_source_open(&place->config, 0, &place->source, &why),
		-ENOTDIR);
	assert_non_null(strstr(why, "./file"));
	free(why);
}

static void no_root_at_all_is_an_error(void **state)
{
	struct place *place = *state;
	char *why = NULL;

	assert_int_equal(
		hf_source_open(&place->config, 0, &place->source, &why),
		-EINVAL);
	assert_non_null(why);
	free(why);
}

static void the_mount_itself_is_no_source(void **state)
{
	struct place *place = *state;
	struct stat st;
	char *why = NULL;

	put_dir("s");
	assert_int_equal(stat("s", &st), 0);
	place->config.xdev = true;
	assert_int_equal(hf_root_specs_parse(&place->config.roots, "s", &why),
			 0);
	assert_int_equal(
		hf_source_open(&place->config, st.st_dev, &place->source, &why),
		-ELOOP);
	assert_non_null(strstr(why, "mount"));
	free(why);
}

static void the_file_system_is_the_first_roots(void **state)
{
	struct statvfs st;

	put_dir("s");
	sources(state, "s");
	assert_int_equal(hf_source_statvfs(source_of(state), &st), 0);
	assert_true(st.f_namemax >= 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lost_root_is_an_error_and_never_empty),
		TEST(a_root_that_cannot_be_opened_is_named),
		TEST(no_root_at_all_is_an_error),
		TEST(the_mount_itself_is_no_source),
		TEST(the_file_system_is_the_first_roots),
	};

	return cmocka_run_group_tests_name("roots", tests, NULL, NULL);
}
