/* A merged tree that is looked at again. */
#include "tests/unit/merged.h"

/* --- time ----------------------------------------------------------------- */

#define SECOND INT64_C(1000000000)

static int64_t in_a_while(void)
{
	return hf_clock_realtime() + 10 * SECOND;
}

static struct hf_source_list *list_at(void **state, const char *path,
				      int64_t now_ns)
{
	struct hf_source_list *list = NULL;

	assert_int_equal(
		hf_source_list_at(source_of(state), path, now_ns, &list), 0);
	return keep(state, list);
}

/* Are the list's names those of now? 1, 0 or an error. */
static int is_current(void **state, const char *path,
		      const struct hf_source_list *list, int64_t now_ns)
{
	return hf_source_names_current_at(source_of(state), path,
					  hf_source_list_names(list), now_ns);
}

/* The same for who has heard of a change. */
static int is_certain(void **state, const char *path,
		      const struct hf_source_list *list)
{
	return hf_source_names_certain(source_of(state), path,
				       hf_source_list_names(list));
}

static void
a_list_is_current_while_its_quiet_directory_is_unchanged(void **state)
{
	int64_t later = in_a_while();
	const struct hf_source_list *list;

	put_file("one/a", "");
	put_file("two/sub/b", "");
	sources(state, "one:two");
	list = list_at(state, "", later);
	assert_int_equal(is_current(state, "", list, later + 3600 * SECOND), 1);
	/* A file's own change is not a change of names. */
	put_file("one/a", "changed");
	assert_int_equal(is_current(state, "", list, later + 3600 * SECOND), 1);
	put_file("two/new", "");
	assert_int_equal(is_current(state, "", list, later + 3600 * SECOND), 0);
}

static void a_list_of_a_busy_directory_is_current_for_a_moment(void **state)
{
	int64_t now = hf_clock_realtime();
	const struct hf_source_list *list;

	put_file("s/a", "");
	sources(state, "s");
	list = list_at(state, "", now);
	assert_int_equal(is_current(state, "", list, now), 1);
	assert_int_equal(is_current(state, "", list, now + SECOND / 20), 0);
	assert_int_equal(is_current(state, "", list, now - 1), 0);
}

static void who_has_heard_of_a_change_believes_stamps_only(void **state)
{
	put_file("s/a", "");
	sources(state, "s");
	assert_int_equal(
		is_certain(state, "", list_at(state, "", hf_clock_realtime())),
		0);
	assert_int_equal(
		is_certain(state, "", list_at(state, "", in_a_while())), 1);
}

static void a_directory_that_appears_in_another_root_is_noticed(void **state)
{
	int64_t later = in_a_while();
	const struct hf_source_list *list;

	put_dir("one/d");
	put_dir("two");
	sources(state, "one:two");
	list = list_at(state, "d", later);
	assert_int_equal(is_current(state, "d", list, later), 1);
	put_dir("two/d");
	assert_int_equal(is_current(state, "d", list, later), 0);
	take_away("one/d");
	take_away("two/d");
	assert_int_equal(is_current(state, "d", list, later), -ENOENT);
}

/* --- stats ---------------------------------------------------------------- */

static struct hf_source_list *restat(void **state, const char *path,
				     struct hf_source_list *list)
{
	struct hf_source_list *again = NULL;

	assert_int_equal(
		hf_source_list_restat(source_of(state), path, list, &again), 0);
	return keep(state, again);
}

static void restat_gives_the_same_list_if_nothing_changed(void **state)
{
	struct hf_source_list *list;

	put_file("s/a", "");
	put_file("s/d/x", "");
	put_link("s/l", "a");
	put_link("s/n", "none");
	sources(state, "s:p/q=./s");
	list = list_of(state, "");
	assert_ptr_equal(restat(state, "", list), list);
}

static void restat_sees_changed_files_and_link_targets(void **state)
{
	struct hf_source_list *list, *again;

	put_file("s/a", "1");
	put_file("s/b", "1");
	put_file("s/d/target", "");
	put_link("s/l", "d/target");
	sources(state, "s");
	list = list_of(state, "");
	put_file("s/b", "longer");
	take_away("s/d/target");
	again = restat(state, "", list);
	assert_shown(list, "a b d/ l@");
	assert_shown(again, "a b d/ l@!ENOENT");
	assert_int_equal(hf_source_list_find(list, "b")->st.st_size, 1);
	assert_int_equal(hf_source_list_find(again, "b")->st.st_size, 6);
}

static void restat_merges_anew_where_kinds_change(void **state)
{
	struct hf_source_list *list, *again;

	put_file("one/d/target", "");
	put_link("one/l", "d/target");
	put_file("one/gone", "");
	put_file("two/gone", "");
	put_file("two/l/x", "");
	sources(state, "one:two");
	list = list_of(state, "");
	assert_shown(list, "d/ gone l@ (l/)");
	take_away("one/d/target");
	take_away("one/gone");
	put_dir("one/d/target");
	again = restat(state, "", list);
	assert_shown(again, "d/ gone l@/");
	assert_int_equal(hf_source_list_find(again, "gone")->root, 1);
}

static void one_entry_can_be_looked_at_again(void **state)
{
	const struct hf_source_entry *entry;
	struct hf_source_entry again;

	put_file("s/d/a", "1");
	sources(state, "v=./s");
	entry = hf_source_list_entry(list_of(state, "v/d"), 0);
	put_file("s/d/a", "longer");
	assert_int_equal(hf_source_stat(source_of(state), "v/d", entry, &again),
			 0);
	assert_ptr_equal(again.name, entry->name);
	assert_int_equal(again.st.st_size, 6);
	take_away("s/d/a");
	assert_int_equal(hf_source_stat(source_of(state), "v/d", entry, &again),
			 -ENOENT);
	take_away("s/d");
	assert_int_equal(hf_source_stat(source_of(state), "v/d", entry, &again),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_is_current_while_its_quiet_directory_is_unchanged),
		TEST(a_list_of_a_busy_directory_is_current_for_a_moment),
		TEST(who_has_heard_of_a_change_believes_stamps_only),
		TEST(a_directory_that_appears_in_another_root_is_noticed),
		TEST(restat_gives_the_same_list_if_nothing_changed),
		TEST(restat_sees_changed_files_and_link_targets),
		TEST(restat_merges_anew_where_kinds_change),
		TEST(one_entry_can_be_looked_at_again),
	};

	return cmocka_run_group_tests_name("again", tests, NULL, NULL);
}
