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
	assert_listed(sources(state, "s"), "", "B.css a a.css b.css dir/");
}

static void an_entry_can_be_found_by_name(void **state)
{
	struct hf_source_list *list;

	put_file("s/a", "12345");
	put_file("s/b", "");
	list = list_of(sources(state, "s"), "");
	assert_int_equal(hf_source_list_find(list, "a")->st.st_size, 5);
	assert_string_equal(hf_source_list_find(list, "b")->name, "b");
	assert_null(hf_source_list_find(list, "ab"));
	assert_null(hf_source_list_find(list, "c"));
	assert_null(hf_source_list_find(list, ""));
	hf_source_list_unref(list);
}

static void the_first_root_wins(void **state)
{
	const struct hf_source *source;
	struct hf_source_list *list;

	put_file("one/app.css", "first");
	put_file("two/app.css", "second");
	put_file("two/more.css", "more");
	source = sources(state, "one:two");
	list = list_of(source, "");
	assert_shown(list, "app.css more.css");
	assert_int_equal(hf_source_list_find(list, "app.css")->root, 0);
	assert_int_equal(hf_source_list_find(list, "more.css")->root, 1);
	assert_reads(source, 0, "app.css", "first");
	assert_reads(source, 1, "app.css", "second");
	hf_source_list_unref(list);
}

static void directories_of_one_name_are_merged(void **state)
{
	const struct hf_source *source;

	put_file("one/css/a.css", "");
	put_file("two/css/b.css", "");
	put_file("two/js/c.js", "");
	source = sources(state, "one:two");
	assert_listed(source, "", "css/ js/");
	assert_listed(source, "css", "a.css b.css");
	assert_listed(source, "js", "c.js");
	assert_not_listed(source, "none", ENOENT);
	assert_not_listed(source, "js/c.js", ENOTDIR);
}

static void a_file_and_a_directory_of_one_name_do_not_mix(void **state)
{
	const struct hf_source *source;
	const struct hf_source_entry *entry;
	struct hf_source_list *list;

	put_file("one/a/x", "");
	put_file("one/b", "");
	put_file("two/a", "");
	put_file("two/b/y", "");
	put_file("three/a/z", "");
	put_file("three/b/y", "");
	source = sources(state, "one:two:three");
	list = list_of(source, "");
	assert_shown(list, "a/ (a) b (b/)");
	entry = hf_source_list_find(list, "b");
	assert_false(entry->shadowed);
	assert_int_equal(entry[1].root, 1);
	hf_source_list_unref(list);
	/* What the first root hides in the second it does not hide in the
	 * third, where the kinds agree. */
	assert_listed(source, "a", "x z");
	assert_not_listed(source, "b", ENOTDIR);
}

static void a_hidden_file_hides_nothing_below(void **state)
{
	const struct hf_source *source;

	put_dir("one/a");
	put_file("two/a", "");
	put_file("three/a/b/c", "");
	source = sources(state, "one:two:three");
	assert_listed(source, "", "a/ (a)");
	assert_listed(source, "a", "b/");
	assert_listed(source, "a/b", "c");
}

static void a_broken_link_wins_and_hides_like_a_file(void **state)
{
	const struct hf_source *source;

	put_link("one/a", "nowhere");
	put_file("two/a/x", "");
	put_file("two/b/x", "");
	put_link("two/d", "b/none");
	put_link("three/b", "../outside");
	put_dir("three/d");
	source = sources(state, "one:two:three");
	assert_listed(source, "",
		      "a@!ENOENT (a/) b/ (b@!EACCES) "
		      "d@!ENOENT (d/)");
	assert_not_listed(source, "a", ENOENT);
	assert_listed(source, "b", "x");
	assert_not_listed(source, "d", ENOENT);
}

static void a_later_failure_below_an_unrelated_file_is_nobodys(void **state)
{
	const struct hf_source *source;

	put_file("one/a", "");
	put_file("two/a/b/x", "");
	source = sources(state, "one:two");
	assert_not_listed(source, "a/b", ENOTDIR);
	assert_not_listed(source, "a/none", ENOTDIR);
}

static void large_directories_are_fine(void **state)
{
	const struct hf_source *source;
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
	source = sources(state, "one:two");
	list = list_of(source, "");
	assert_int_equal(hf_source_list_len(list), 3000);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(hf_source_list_find(list, name)->root,
				 i % 3 == 0);
	}
	hf_source_list_unref(list);
}

/* --- prefixes ------------------------------------------------------------- */

static void a_prefix_is_shown_as_directories(void **state)
{
	const struct hf_source *source;

	put_file("one/css/a.css", "");
	put_file("two/b.css", "vendor");
	source = sources(state, "one:css/vendor=./two");
	assert_listed(source, "", "css/");
	assert_listed(source, "css", "a.css vendor/");
	assert_listed(source, "css/vendor", "b.css");
	assert_not_listed(source, "css/vend", ENOENT);
	assert_not_listed(source, "css/vendor2", ENOENT);
	assert_reads(source, 1, "css/vendor/b.css", "vendor");
	assert_does_not_open(source, "css/vendor/b.css", ENOENT);
}

static void one_directory_may_stand_at_two_places(void **state)
{
	const struct hf_source *source;

	put_file("s/x", "text");
	source = sources(state, "a=./s:b=./s");
	assert_listed(source, "", "a/ b/");
	assert_listed(source, "a", "x");
	assert_listed(source, "b", "x");
	assert_reads(source, 1, "b/x", "text");
}

static void a_file_hides_a_later_prefix_and_the_other_way_round(void **state)
{
	const struct hf_source *source;

	put_file("one/a", "");
	put_file("two/x", "");
	put_file("three/b", "");
	source = sources(state, "one:a/b=./two:b/c=./two:three");
	assert_listed(source, "", "a (a/) b/ (b)");
	assert_not_listed(source, "a", ENOTDIR);
	assert_not_listed(source, "a/b", ENOTDIR);
	assert_listed(source, "b/c", "x");
}

static void a_prefix_has_the_stat_of_its_root(void **state)
{
	const struct hf_source *source;
	struct hf_source_list *list;
	struct hf_source_entry again;
	struct stat st;

	put_file("s/x", "");
	assert_int_equal(chmod("s", 0711), 0);
	assert_int_equal(stat("s", &st), 0);
	source = sources(state, "a/b=./s");
	list = list_of(source, "");
	assert_int_equal(hf_source_list_entry(list, 0)->st.st_ino, st.st_ino);
	assert_int_equal(hf_source_list_stat(list)->st_mode, S_IFDIR | 0711);
	assert_int_equal(hf_source_stat(source, "",
					hf_source_list_entry(list, 0), &again),
			 0);
	assert_int_equal(again.st.st_ino, st.st_ino);
	hf_source_list_unref(list);
}

/* --- ignoring ------------------------------------------------------------- */

static void ignored_names_are_not_listed_and_not_entered(void **state)
{
	const struct hf_source *source;

	put_file("s/.git/config", "");
	put_file("s/CVS/Root", "");
	put_file("s/a.css~", "");
	put_file("s/css/deep/a.css", "");
	put_file("s/css/deep/a.map", "");
	put_link("s/css/lost.map", "nowhere");
	ignoring(state, "*.map");
	ignoring(state, "css/deep");
	source = sources(state, "s");
	assert_listed(source, "", "css/");
	assert_listed(source, "css", "deep/");
	assert_listed(source, "css/deep", "a.css");
	assert_not_listed(source, ".git", ENOENT);
}

static void paths_are_matched_without_the_prefix(void **state)
{
	const struct hf_source *source;

	put_file("s/css/a.css", "");
	put_file("s/css/keep.css", "");
	ignoring(state, "css/a*");
	ignoring(state, "v/css/keep*");
	source = sources(state, "v=./s");
	assert_listed(source, "v/css", "keep.css");
}

static void a_prefix_is_never_ignored(void **state)
{
	const struct hf_source *source;

	put_file("one/.well-known/hidden", "");
	put_file("two/acme", "");
	source = sources(state, "one:.well-known=./two");
	assert_listed(source, "", ".well-known/");
	assert_listed(source, ".well-known", "acme");
}

static void an_ignored_file_hides_nothing(void **state)
{
	const struct hf_source *source;

	put_file("one/css/a", "");
	put_file("two/css/a/x", "");
	ignoring(state, "css/a");
	source = sources(state, "one:two");
	assert_listed(source, "css", "a/");
	assert_listed(source, "css/a", "x");
}

/* --- the merged directory's own stat -------------------------------------- */

static void nobody_may_more_than_in_the_strictest_part(void **state)
{
	const struct hf_source *source;
	struct hf_source_list *list;

	put_dir("one/d");
	put_dir("two/d");
	assert_int_equal(chmod("one/d", 0755), 0);
	assert_int_equal(chmod("two/d", 0770), 0);
	source = sources(state, "one:two");
	list = list_of(source, "d");
	assert_int_equal(hf_source_list_stat(list)->st_mode, S_IFDIR | 0750);
	hf_source_list_unref(list);
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
