/* A merged tree that is looked at again. */
#include "tests/unit/merged.h"

/* --- time ----------------------------------------------------------------- */

#define SECOND INT64_C(1000000000)

static void
a_list_is_current_while_its_quiet_directory_is_unchanged(void **state)
{
	const struct hf_source *source;
	struct hf_source_list *list;
	int64_t later = hf_clock_realtime() + 10 * SECOND;

	put_file("one/a", "");
	put_file("two/sub/b", "");
	source = sources(state, "one:two");
	assert_int_equal(hf_source_list_at(source, "", later, &list), 0);
	assert_int_equal(hf_source_names_current_at(source, "",
						    hf_source_list_names(list),
						    later + 3600 * SECOND),
			 1);
	/* A file's own change is not a change of names. */
	put_file("one/a", "changed");
	assert_int_equal(hf_source_names_current_at(source, "",
						    hf_source_list_names(list),
						    later + 3600 * SECOND),
			 1);
	put_file("two/new", "");
	assert_int_equal(hf_source_names_current_at(source, "",
						    hf_source_list_names(list),
						    later + 3600 * SECOND),
			 0);
	hf_source_list_unref(list);
}

static void a_list_of_a_busy_directory_is_current_for_a_moment(void **state)
{
	const struct hf_source *source;
	struct hf_source_list *list;
	int64_t now = hf_clock_realtime();

	put_file("s/a", "");
	source = sources(state, "s");
	assert_int_equal(hf_source_list_at(source, "", now, &list), 0);
	assert_int_equal(hf_source_names_current_at(
				 source, "", hf_source_list_names(list), now),
			 1);
	assert_int_equal(hf_source_names_current_at(source, "",
						    hf_source_list_names(list),
						    now + SECOND / 20),
			 0);
	assert_int_equal(hf_source_names_current_at(source, "",
						    hf_source_list_names(list),
						    now - 1),
			 0);
	/* Not for who has heard of a change, unless the stamps prove it. */
	assert_int_equal(
		hf_source_names_certain(source, "", hf_source_list_names(list)),
		0);
	hf_source_list_unref(list);
	assert_int_equal(
		hf_source_list_at(source, "", now + 10 * SECOND, &list), 0);
	assert_int_equal(
		hf_source_names_certain(source, "", hf_source_list_names(list)),
		1);
	hf_source_list_unref(list);
}

static void a_directory_that_appears_in_another_root_is_noticed(void **state)
{
	const struct hf_source *source;
	struct hf_source_list *list;
	int64_t later = hf_clock_realtime() + 10 * SECOND;

	put_dir("one/d");
	put_dir("two");
	source = sources(state, "one:two");
	assert_int_equal(hf_source_list_at(source, "d", later, &list), 0);
	assert_int_equal(hf_source_names_current_at(source, "d",
						    hf_source_list_names(list),
						    later),
			 1);
	put_dir("two/d");
	assert_int_equal(hf_source_names_current_at(source, "d",
						    hf_source_list_names(list),
						    later),
			 0);
	assert_int_equal(rmdir("one/d"), 0);
	assert_int_equal(rmdir("two/d"), 0);
	assert_int_equal(hf_source_names_current_at(source, "d",
						    hf_source_list_names(list),
						    later),
			 -ENOENT);
	hf_source_list_unref(list);
}

static void restat_gives_the_same_list_if_nothing_changed(void **state)
{
	const struct hf_source *source;
	struct hf_source_list *list, *again;

	put_file("s/a", "");
	put_file("s/d/x", "");
	put_link("s/l", "a");
	put_link("s/n", "none");
	source = sources(state, "s:p/q=./s");
	list = list_of(source, "");
	assert_int_equal(hf_source_list_restat(source, "", list, &again), 0);
	assert_ptr_equal(list, again);
	hf_source_list_unref(again);
	hf_source_list_unref(list);
}

static void restat_sees_changed_files_and_link_targets(void **state)
{
	const struct hf_source *source;
	struct hf_source_list *list, *again;

	put_file("s/a", "1");
	put_file("s/b", "1");
	put_file("s/d/target", "");
	put_link("s/l", "d/target");
	source = sources(state, "s");
	list = list_of(source, "");
	put_file("s/b", "longer");
	assert_int_equal(unlink("s/d/target"), 0);
	assert_int_equal(hf_source_list_restat(source, "", list, &again), 0);
	assert_shown(list, "a b d/ l@");
	assert_shown(again, "a b d/ l@!ENOENT");
	assert_int_equal(hf_source_list_find(list, "b")->st.st_size, 1);
	assert_int_equal(hf_source_list_find(again, "b")->st.st_size, 6);
	hf_source_list_unref(list);
	hf_source_list_unref(again);
}

static void restat_merges_anew_where_kinds_change(void **state)
{
	const struct hf_source *source;
	struct hf_source_list *list, *again;

	put_file("one/d/target", "");
	put_link("one/l", "d/target");
	put_file("one/gone", "");
	put_file("two/gone", "");
	put_file("two/l/x", "");
	source = sources(state, "one:two");
	list = list_of(source, "");
	assert_shown(list, "d/ gone l@ (l/)");
	assert_int_equal(unlink("one/d/target"), 0);
	assert_int_equal(unlink("one/gone"), 0);
	put_dir("one/d/target");
	assert_int_equal(hf_source_list_restat(source, "", list, &again), 0);
	assert_shown(again, "d/ gone l@/");
	assert_int_equal(hf_source_list_find(again, "gone")->root, 1);
	hf_source_list_unref(list);
	hf_source_list_unref(again);
}

static void one_entry_can_be_looked_at_again(void **state)
{
	const struct hf_source *source;
	const struct hf_source_entry *entry;
	struct hf_source_entry again;
	struct hf_source_list *list;

	put_file("s/d/a", "1");
	source = sources(state, "v=./s");
	list = list_of(source, "v/d");
	entry = hf_source_list_entry(list, 0);
	put_file("s/d/a", "longer");
	assert_int_equal(hf_source_stat(source, "v/d", entry, &again), 0);
	assert_ptr_equal(again.name, entry->name);
	assert_int_equal(again.st.st_size, 6);
	assert_int_equal(unlink("s/d/a"), 0);
	assert_int_equal(hf_source_stat(source, "v/d", entry, &again), -ENOENT);
	assert_int_equal(rmdir("s/d"), 0);
	assert_int_equal(hf_source_stat(source, "v/d", entry, &again), -ENOENT);
	hf_source_list_unref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_is_current_while_its_quiet_directory_is_unchanged),
		TEST(a_list_of_a_busy_directory_is_current_for_a_moment),
		TEST(a_directory_that_appears_in_another_root_is_noticed),
		TEST(restat_gives_the_same_list_if_nothing_changed),
		TEST(restat_sees_changed_files_and_link_targets),
		TEST(restat_merges_anew_where_kinds_change),
		TEST(one_entry_can_be_looked_at_again),
	};

	return cmocka_run_group_tests_name("again", tests, NULL, NULL);
}
