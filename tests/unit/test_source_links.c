/* Links in a merged tree, and what else is no plain file. */
#include "tests/unit/merged.h"

/* --- links ---------------------------------------------------------------- */

static void links_inside_a_root_are_what_they_lead_to(void **state)
{
	const struct hf_source *source;

	put_file("s/real/a.css", "text");
	put_link("s/deep/in/up.css", "../../real/a.css");
	put_link("s/again", "deep/in/up.css");
	put_link("s/dir", "real");
	source = sources(state, "s");
	assert_listed(source, "", "again@ deep/ dir@/ real/");
	assert_listed(source, "deep/in", "up.css@");
	assert_listed(source, "dir", "a.css");
	assert_reads(source, 0, "deep/in/up.css", "text");
	assert_reads(source, 0, "dir/a.css", "text");
}

static void links_that_leave_are_refused(void **state)
{
	const struct hf_source *source;

	put_file("outside/secret", "");
	put_file("s/x", "");
	put_link("s/absolute", "/etc/passwd");
	put_link("s/dir", "../outside");
	put_link("s/file", "../outside/secret");
	put_link("s/proc", "/proc/self/root");
	put_link("s/round", "../s/x");
	source = sources(state, "s");
	assert_listed(source, "",
		      "absolute@!EACCES dir@!EACCES file@!EACCES "
		      "proc@!EACCES round@!EACCES x");
	assert_does_not_open(source, "file", EACCES);
	assert_does_not_open(source, "dir/secret", EACCES);
	assert_does_not_open(source, "../outside/secret", EACCES);
	assert_not_listed(source, "dir", EACCES);
}

static void links_that_leave_can_be_followed(void **state)
{
	const struct hf_source *source;

	put_file("outside/dir/file", "text");
	put_link("outside/dir/sibling", "file");
	put_link("s/dir", "../outside/dir");
	put_link("s/file", "../outside/dir/file");
	put_link("s/up", "..");
	((struct place *)*state)->config.follow = true;
	source = sources(state, "s");
	assert_listed(source, "", "dir@/ file@ up@/");
	assert_listed(source, "dir", "file sibling@");
	assert_reads(source, 0, "dir/sibling", "text");
	/* A plain directory, but the root once more: a tree without end. */
	assert_listed(source, "up", "outside/ s!ELOOP");
}

static void another_file_system_is_not_entered(void **state)
{
	const struct hf_source *source;
	struct stat here, there;

	assert_int_equal(stat(".", &here), 0);
	if (stat("/proc/self", &there) < 0 || here.st_dev == there.st_dev)
		skip();
	put_link("s/proc", "/proc/self/stat");
	((struct place *)*state)->config.follow = true;
	source = sources(state, "s");
	assert_listed(source, "", "proc@!EXDEV");
	assert_does_not_open(source, "proc", EXDEV);
}

static void links_that_lead_nowhere_are_listed_as_broken(void **state)
{
	const struct hf_source *source;

	put_link("s/a", "b");
	put_link("s/b", "a");
	put_link("s/dangling", "none/at/all");
	put_link("s/through", "file/x");
	put_file("s/file", "");
	source = sources(state, "s");
	assert_listed(source, "",
		      "a@!ELOOP b@!ELOOP dangling@!ENOENT file "
		      "through@!ENOTDIR");
	assert_does_not_open(source, "a", ELOOP);
	assert_does_not_open(source, "dangling", ENOENT);
}

static void a_directory_never_stands_in_itself(void **state)
{
	const struct hf_source *source;

	put_file("s/a/b/file", "");
	put_link("s/a/b/here", ".");
	put_link("s/a/b/root", "../..");
	put_link("s/a/b/up", "..");
	put_link("s/a/b/other", "../../c");
	put_link("s/c/back", "../a");
	source = sources(state, "s");
	assert_listed(source, "a/b",
		      "file here@!ELOOP other@/ root@!ELOOP "
		      "up@!ELOOP");
	assert_listed(source, "a/b/other", "back@!ELOOP");
	assert_listed(source, "c", "back@/");
	assert_not_listed(source, "a/b/other/back", ELOOP);
}

static void a_circle_in_a_later_root_is_not_merged(void **state)
{
	const struct hf_source *source;

	put_file("one/a/self/x", "");
	put_file("two/a/y", "");
	put_link("two/a/self", ".");
	source = sources(state, "one:two");
	assert_listed(source, "a", "self/ (self@!ELOOP) y");
	assert_listed(source, "a/self", "x");
}

/* --- what is no file ------------------------------------------------------ */

static void special_files_are_named_and_not_opened(void **state)
{
	const struct hf_source *source;

	put_dir("s/dir");
	assert_int_equal(mkfifo("s/fifo", 0644), 0);
	put_link("s/link", "fifo");
	source = sources(state, "s");
	assert_listed(source, "", "dir/ fifo? link@?");
	assert_does_not_open(source, "fifo", EINVAL);
	assert_does_not_open(source, "dir", EINVAL);
	assert_does_not_open(source, "", EINVAL);
	assert_does_not_open(source, "none", ENOENT);
}

static void what_may_not_be_looked_at_is_listed(void **state)
{
	const struct hf_source *source;
	uid_t me = geteuid();

	put_file("s/dir/a", "");
	put_file("s/unreadable/a", "");
	assert_int_equal(chmod("s/dir", 0644), 0);
	assert_int_equal(chmod("s/unreadable", 0311), 0);
	source = sources(state, "s");
	/* Root may look at everything: become somebody who may not. */
	assert_true(me != 0 || seteuid(65534) == 0);
	assert_listed(source, "dir", "a!EACCES");
	assert_not_listed(source, "unreadable", EACCES);
	assert_int_equal(seteuid(me), 0);
	assert_int_equal(chmod("s/dir", 0755), 0);
	assert_int_equal(chmod("s/unreadable", 0755), 0);
}

static void a_path_can_be_too_long(void **state)
{
	const struct hf_source *source;
	char path[PATH_MAX + 2];

	put_file("s/x", "");
	source = sources(state, "s");
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_not_listed(source, path, ENAMETOOLONG);
	assert_does_not_open(source, path, ENAMETOOLONG);
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
