/* Links in a merged tree, and what else is no plain file. */
#include "tests/unit/merged.h"

/* --- links ---------------------------------------------------------------- */

static void links_inside_a_root_are_what_they_lead_to(void **state)
{
	put_file("s/real/a.css", "text");
	put_link("s/deep/in/up.css", "../../real/a.css");
	put_link("s/again", "deep/in/up.css");
	put_link("s/dir", "real");
	sources(state, "s");
	assert_listed(state, "", "again@ deep/ dir@/ real/");
	assert_listed(state, "deep/in", "up.css@");
	assert_listed(state, "dir", "a.css");
	assert_reads(state, 0, "deep/in/up.css", "text");
	assert_reads(state, 0, "dir/a.css", "text");
}

static void links_that_leave_are_refused(void **state)
{
	put_file("outside/secret", "");
	put_file("s/x", "");
	put_link("s/absolute", "/etc/passwd");
	put_link("s/dir", "../outside");
	put_link("s/file", "../outside/secret");
	put_link("s/proc", "/proc/self/root");
	put_link("s/round", "../s/x");
	sources(state, "s");
	assert_listed(state, "",
		      "absolute@!EACCES dir@!EACCES file@!EACCES "
		      "proc@!EACCES round@!EACCES x");
	assert_does_not_open(state, "file", EACCES);
	assert_does_not_open(state, "dir/secret", EACCES);
	assert_does_not_open(state, "../outside/secret", EACCES);
	assert_not_listed(state, "dir", EACCES);
}

static void links_that_leave_can_be_followed(void **state)
{
	put_file("outside/dir/file", "text");
	put_link("outside/dir/sibling", "file");
	put_link("s/dir", "../outside/dir");
	put_link("s/file", "../outside/dir/file");
	put_link("s/up", "..");
	following(state);
	sources(state, "s");
	assert_listed(state, "", "dir@/ file@ up@/");
	assert_listed(state, "dir", "file sibling@");
	assert_reads(state, 0, "dir/sibling", "text");
	/* A plain directory, but the root once more: a tree without end. */
	assert_listed(state, "up", "outside/ s!ELOOP");
}

static void another_file_system_is_not_entered(void **state)
{
	struct stat here, there;

	assert_int_equal(stat(".", &here), 0);
	if (stat("/proc/self", &there) < 0 || here.st_dev == there.st_dev)
		skip();
	put_link("s/proc", "/proc/self/stat");
	following(state);
	sources(state, "s");
	assert_listed(state, "", "proc@!EXDEV");
	assert_does_not_open(state, "proc", EXDEV);
}

static void links_that_lead_nowhere_are_listed_as_broken(void **state)
{
	put_link("s/a", "b");
	put_link("s/b", "a");
	put_link("s/dangling", "none/at/all");
	put_link("s/through", "file/x");
	put_file("s/file", "");
	sources(state, "s");
	assert_listed(state, "",
		      "a@!ELOOP b@!ELOOP dangling@!ENOENT file "
		      "through@!ENOTDIR");
	assert_does_not_open(state, "a", ELOOP);
	assert_does_not_open(state, "dangling", ENOENT);
}

static void a_directory_never_stands_in_itself(void **state)
{
	put_file("s/a/b/file", "");
	put_link("s/a/b/here", ".");
	put_link("s/a/b/root", "../..");
	put_link("s/a/b/up", "..");
	put_link("s/a/b/other", "../../c");
	put_link("s/c/back", "../a");
	sources(state, "s");
	assert_listed(state, "a/b",
		      "file here@!ELOOP other@/ root@!ELOOP "
		      "up@!ELOOP");
	assert_listed(state, "a/b/other", "back@!ELOOP");
	assert_listed(state, "c", "back@/");
	assert_not_listed(state, "a/b/other/back", ELOOP);
}

static void a_circle_in_a_later_root_is_not_merged(void **state)
{
	put_file("one/a/self/x", "");
	put_file("two/a/y", "");
	put_link("two/a/self", ".");
	sources(state, "one:two");
	assert_listed(state, "a", "self/ (self@!ELOOP) y");
	assert_listed(state, "a/self", "x");
}

/* --- what is no file ------------------------------------------------------ */

static void special_files_are_named_and_not_opened(void **state)
{
	put_dir("s/dir");
	assert_int_equal(mkfifo("s/fifo", 0644), 0);
	put_link("s/link", "fifo");
	sources(state, "s");
	assert_listed(state, "", "dir/ fifo? link@?");
	assert_does_not_open(state, "fifo", EINVAL);
	assert_does_not_open(state, "dir", EINVAL);
	assert_does_not_open(state, "", EINVAL);
	assert_does_not_open(state, "none", ENOENT);
}

static void what_may_not_be_looked_at_is_listed(void **state)
{
	uid_t me = geteuid();

	put_file("s/dir/a", "");
	put_file("s/unreadable/a", "");
	assert_int_equal(chmod("s/dir", 0644), 0);
	assert_int_equal(chmod("s/unreadable", 0311), 0);
	sources(state, "s");
	/* Root may look at everything: become somebody who may not. */
	assert_true(me != 0 || seteuid(65534) == 0);
	assert_listed(state, "dir", "a!EACCES");
	assert_not_listed(state, "unreadable", EACCES);
	assert_int_equal(seteuid(me), 0);
	assert_int_equal(chmod("s/dir", 0755), 0);
	assert_int_equal(chmod("s/unreadable", 0755), 0);
}

static void a_path_can_be_too_long(void **state)
{
	char path[PATH_MAX + 2];

	put_file("s/x", "");
	sources(state, "s");
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_not_listed(state, path, ENAMETOOLONG);
	assert_does_not_open(state, path, ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(links_inside_a_root_are_what_they_lead_to),
		TEST(links_that_leave_are_refused),
		TEST(links_that_leave_can_be_followed),
		TEST(another_file_system_is_not_entered),
		TEST(links_that_lead_nowhere_are_listed_as_broken),
		TEST(a_directory_never_stands_in_itself),
		TEST(a_circle_in_a_later_root_is_not_merged),
		TEST(special_files_are_named_and_not_opened),
		TEST(what_may_not_be_looked_at_is_listed),
		TEST(a_path_can_be_too_long),
	};

	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
