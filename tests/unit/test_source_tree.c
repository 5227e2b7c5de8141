/* What a merged tree shows of its roots. */
#include "tests/unit/merged.h"

/* --- precedence ----------------------------------------------------------- */

static void a_listing_is_sorted_by_bytes(void **state)
{
	put_file("s/b.css", "");
	put_file("s/a.css", "");
	put_file("s/B.css", "");
	put_file("s/dir/x", "");
	put_file("s/a", "");
	sources(state, "s");
	assert_listed(state, "", "B.css a a.css b.css dir/");
}

static void an_entry_can_be_found_by_name(void **state)
{
	struct hf_source_list *list;

	put_file("s/a", "12345");
	put_file("s/b", "");
	sources(state, "s");
	list = list_of(state, "");
	assert_int_equal(hf_source_list_find(list, "a")->st.st_size, 5);
	assert_string_equal(hf_source_list_find(list, "b")->name, "b");
	assert_null(hf_source_list_find(list, "ab"));
	assert_null(hf_source_list_find(list, "c"));
	assert_null(hf_source_list_find(list, ""));
}

static void the_first_root_wins(void **state)
{
	struct hf_source_list *list;

	put_file("one/app.css", "first");
	put_file("two/app.css", "second");
	put_file("two/more.css", "more");
	sources(state, "one:two");
	list = list_of(state, "");
	assert_shown(list, "app.css more.css");
	assert_int_equal(hf_source_list_find(list, "app.css")->root, 0);
	assert_int_equal(hf_source_list_find(list, "more.css")->root, 1);
	assert_reads(state, 0, "app.css", "first");
	assert_reads(state, 1, "app.css", "second");
}

static void directories_of_one_name_are_merged(void **state)
{
	put_file("one/css/a.css", "");
	put_file("two/css/b.css", "");
	put_file("two/js/c.js", "");
	sources(state, "one:two");
	assert_listed(state, "", "css/ js/");
	assert_listed(state, "css", "a.css b.css");
	assert_listed(state, "js", "c.js");
	assert_not_listed(state, "none", ENOENT);
	assert_not_listed(state, "js/c.js", ENOTDIR);
}

static void a_file_and_a_directory_of_one_name_do_not_mix(void **state)
{
	const struct hf_source_entry *entry;
	struct hf_source_list *list;

	put_file("one/a/x", "");
	put_file("one/b", "");
	put_file("two/a", "");
	put_file("two/b/y", "");
	put_file("three/a/z", "");
	put_file("three/b/y", "");
	sources(state, "one:two:three");
	list = list_of(state, "");
	assert_shown(list, "a/ (a) b (b/)");
	entry = hf_source_list_find(list, "b");
	assert_false(entry->shadowed);
	assert_int_equal(entry[1].root, 1);
	/* What the first root hides in the second it does not hide in the
	 * third, where the kinds agree. */
	assert_listed(state, "a", "x z");
	assert_not_listed(state, "b", ENOTDIR);
}

static void a_hidden_file_hides_nothing_below(void **state)
{
	put_dir("one/a");
	put_file("two/a", "");
	put_file("three/a/b/c", "");
	sources(state, "one:two:three");
	assert_listed(state, "", "a/ (a)");
	assert_listed(state, "a", "b/");
	assert_listed(state, "a/b", "c");
}

static void a_broken_link_wins_and_hides_like_a_file(void **state)
{
	put_link("one/a", "nowhere");
	put_file("two/a/x", "");
	put_file("two/b/x", "");
	put_link("two/d", "b/none");
	put_link("three/b", "../outside");
	put_dir("three/d");
	sources(state, "one:two:three");
	assert_listed(state, "",
		      "a@!ENOENT (a/) b/ (b@!EACCES) "
		      "d@!ENOENT (d/)");
	assert_not_listed(state, "a", ENOENT);
	assert_listed(state, "b", "x");
	assert_not_listed(state, "d", ENOENT);
}

static void a_later_failure_below_an_unrelated_file_is_nobodys(void **state)
{
	put_file("one/a", "");
	put_file("two/a/b/x", "");
	sources(state, "one:two");
	assert_not_listed(state, "a/b", ENOTDIR);
	assert_not_listed(state, "a/none", ENOTDIR);
}

static void large_directories_are_fine(void **state)
{
	struct hf_source_list *list;
	char name[32];

	put_dir("one");
	put_dir("two");
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "%s/%d", i % 3 ? "one" : "two", i);
		put_file(name, "");
		snprintf(name, sizeof(name), "two/%d", i);
		if (i % 2)
			put_file(name, "");
	}
	sources(state, "one:two");
	list = list_of(state, "");
	assert_int_equal(hf_source_list_len(list), 3000);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(hf_source_list_find(list, name)->root,
				 i % 3 == 0);
	}
}

/* --- prefixes ------------------------------------------------------------- */

static void a_prefix_is_shown_as_directories(void **state)
{
	put_file("one/css/a.css", "");
	put_file("two/b.css", "vendor");
	sources(state, "one:css/vendor=./two");
	assert_listed(state, "", "css/");
	assert_listed(state, "css", "a.css vendor/");
	assert_listed(state, "css/vendor", "b.css");
	assert_not_listed(state, "css/vend", ENOENT);
	assert_not_listed(state, "css/vendor2", ENOENT);
	assert_reads(state, 1, "css/vendor/b.css", "vendor");
	assert_does_not_open(state, "css/vendor/b.css", ENOENT);
}

static void one_directory_may_stand_at_two_places(void **state)
{
	put_file("s/x", "text");
	sources(state, "a=./s:b=./s");
	assert_listed(state, "", "a/ b/");
	assert_listed(state, "a", "x");
	assert_listed(state, "b", "x");
	assert_reads(state, 1, "b/x", "text");
}

static void a_file_hides_a_later_prefix_and_the_other_way_round(void **state)
{
	put_file("one/a", "");
	put_file("two/x", "");
	put_file("three/b", "");
	sources(state, "one:a/b=./two:b/c=./two:three");
	assert_listed(state, "", "a (a/) b/ (b)");
	assert_not_listed(state, "a", ENOTDIR);
	assert_not_listed(state, "a/b", ENOTDIR);
	assert_listed(state, "b/c", "x");
}

static void a_prefix_has_the_stat_of_its_root(void **state)
{
	struct hf_source_list *list;
	struct hf_source_entry again;
	struct stat st;

	put_file("s/x", "");
	assert_int_equal(chmod("s", 0711), 0);
	assert_int_equal(stat("s", &st), 0);
	sources(state, "a/b=./s");
	list = list_of(state, "");
	assert_int_equal(hf_source_list_entry(list, 0)->st.st_ino, st.st_ino);
	assert_int_equal(hf_source_list_stat(list)->st_mode, S_IFDIR | 0711);
	assert_int_equal(hf_source_stat(source_of(state), "",
					hf_source_list_entry(list, 0), &again),
			 0);
	assert_int_equal(again.st.st_ino, st.st_ino);
}

/* --- ignoring ------------------------------------------------------------- */

static void ignored_names_are_not_listed_and_not_entered(void **state)
{
	put_file("s/.git/config", "");
	put_file("s/CVS/Root", "");
	put_file("s/a.css~", "");
	put_file("s/css/deep/a.css", "");
	put_file("s/css/deep/a.map", "");
	put_link("s/css/lost.map", "nowhere");
	ignoring(state, "*.map");
	ignoring(state, "css/deep");
	sources(state, "s");
	assert_listed(state, "", "css/");
	assert_listed(state, "css", "deep/");
	assert_listed(state, "css/deep", "a.css");
	assert_not_listed(state, ".git", ENOENT);
}

static void paths_are_matched_without_the_prefix(void **state)
{
	put_file("s/css/a.css", "");
	put_file("s/css/keep.css", "");
	ignoring(state, "css/a*");
	ignoring(state, "v/css/keep*");
	sources(state, "v=./s");
	assert_listed(state, "v/css", "keep.css");
}

static void a_prefix_is_never_ignored(void **state)
{
	put_file("one/.well-known/hidden", "");
	put_file("two/acme", "");
	sources(state, "one:.well-known=./two");
	assert_listed(state, "", ".well-known/");
	assert_listed(state, ".well-known", "acme");
}

static void an_ignored_file_hides_nothing(void **state)
{
	put_file("one/css/a", "");
	put_file("two/css/a/x", "");
	ignoring(state, "css/a");
	sources(state, "one:two");
	assert_listed(state, "css", "a/");
	assert_listed(state, "css/a", "x");
}

/* --- the merged directory's own stat -------------------------------------- */

static void nobody_may_more_than_in_the_strictest_part(void **state)
{
	struct hf_source_list *list;

	put_dir("one/d");
	put_dir("two/d");
	assert_int_equal(chmod("one/d", 0755), 0);
	assert_int_equal(chmod("two/d", 0770), 0);
	sources(state, "one:two");
	list = list_of(state, "d");
	assert_int_equal(hf_source_list_stat(list)->st_mode, S_IFDIR | 0750);
}

static struct stat merged(struct stat first, struct stat second)
{
	struct hf_part items[] = {{.dir = {.st = first}},
				  {.dir = {.st = second}}};
	struct hf_parts parts = {.items = items, .n = 2};

	return hf_parts_stat(&parts);
}

static void other_owners_get_what_everybody_gets(void **state)
{
	struct stat first = {.st_mode = S_IFDIR | 0755, .st_uid = 1};
	struct stat group = {
		.st_mode = S_IFDIR | 0750, .st_uid = 1, .st_gid = 9};
	struct stat owner = {.st_mode = S_IFDIR | 0754, .st_uid = 2};

	(void)state;
	assert_int_equal(merged(first, group).st_mode, S_IFDIR | 0700);
	assert_int_equal(merged(first, owner).st_mode, S_IFDIR | 0444);
	assert_int_equal(merged(first, owner).st_uid, 1);
}

static void the_newest_time_stands(void **state)
{
	struct stat old = {.st_mtim = {.tv_sec = 5, .tv_nsec = 1},
			   .st_ctim = {.tv_sec = 9}};
	struct stat new = {.st_mtim = {.tv_sec = 5, .tv_nsec = 2},
			   .st_ctim = {.tv_sec = 8}};

	(void)state;
	assert_int_equal(merged(old, new).st_mtim.tv_nsec, 2);
	assert_int_equal(merged(new, old).st_mtim.tv_nsec, 2);
	assert_int_equal(merged(new, old).st_ctim.tv_sec, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_listing_is_sorted_by_bytes),
		TEST(an_entry_can_be_found_by_name),
		TEST(the_first_root_wins),
		TEST(directories_of_one_name_are_merged),
		TEST(a_file_and_a_directory_of_one_name_do_not_mix),
		TEST(a_hidden_file_hides_nothing_below),
		TEST(a_broken_link_wins_and_hides_like_a_file),
		TEST(a_later_failure_below_an_unrelated_file_is_nobodys),
		TEST(a_prefix_is_shown_as_directories),
		TEST(one_directory_may_stand_at_two_places),
		TEST(a_file_hides_a_later_prefix_and_the_other_way_round),
		TEST(a_prefix_has_the_stat_of_its_root),
		TEST(ignored_names_are_not_listed_and_not_entered),
		TEST(paths_are_matched_without_the_prefix),
		TEST(a_prefix_is_never_ignored),
		TEST(an_ignored_file_hides_nothing),
		TEST(nobody_may_more_than_in_the_strictest_part),
		TEST(other_owners_get_what_everybody_gets),
		TEST(the_newest_time_stands),
		TEST(large_directories_are_fine),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
