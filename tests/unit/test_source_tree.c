/*
 * The merged tree, over real directories. Every test stands in a fresh
 * directory of its own, in which SOURCES are written as a user would.
 *
 * A listing is shown as "name" for a file, "name/" for a directory, "name?"
 * for what is special, "name!ERROR" for what is broken, "@" before these for
 * a link, and in parentheses if another root's entry hides it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/source/internal.h"

struct place {
	char *base;
	struct hf_source_config config;
	struct hf_source *source;
};

/* --- the stage ------------------------------------------------------------ */

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	const char *dir = getenv("TMPDIR");

	assert_non_null(place);
	assert_true(asprintf(&place->base, "%s/hf-tree-XXXXXX",
			     dir ? dir : "/tmp") > 0);
	assert_non_null(mkdtemp(place->base));
	assert_int_equal(chdir(place->base), 0);
	*state = place;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct place *place = *state;

	hf_source_close(place->source);
	hf_root_specs_fini(&place->config.roots);
	hf_strings_fini(&place->config.ignore);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(
		nftw(place->base, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(place->base);
	free(place);
	return 0;
}

static void make_parents(const char *path)
{
	char *copy = strdup(path);

	for (char *slash = strchr(copy, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(copy, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	free(copy);
}

static void put_file(const char *path, const char *text)
{
	FILE *file;

	make_parents(path);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void put_dir(const char *path)
{
	make_parents(path);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void put_link(const char *path, const char *target)
{
	make_parents(path);
	assert_int_equal(symlink(target, path), 0);
}

static void ignoring(void **state, const char *glob)
{
	struct place *place = *state;

	assert_int_equal(
		hf_strings_add(&place->config.ignore, glob, strlen(glob)), 0);
}

static struct hf_source *sources(void **state, const char *text)
{
	struct place *place = *state;
	char *why = NULL;

	assert_int_equal(hf_root_specs_parse(&place->config.roots, text, &why),
			 0);
	assert_int_equal(
		hf_source_open(&place->config, 0, &place->source, &why), 0);
	return place->source;
}

/* --- what is seen --------------------------------------------------------- */

static void show_entry(struct hf_buf *out, const struct hf_source_entry *entry)
{
	hf_buf_printf(out, "%s%s%s%s", out->len ? " " : "",
		      entry->shadowed ? "(" : "", entry->name,
		      entry->link ? "@" : "");
	switch (entry->type) {
	case HF_TYPE_FILE:
		break;
	case HF_TYPE_DIR:
		hf_buf_putc(out, '/');
		break;
	case HF_TYPE_SPECIAL:
		hf_buf_putc(out, '?');
		break;
	case HF_TYPE_BROKEN:
		hf_buf_printf(out, "!%s", strerrorname_np(entry->error));
		assert_int_equal(entry->st.st_mode, S_IFREG | 0444);
		break;
	}
	hf_buf_puts(out, entry->shadowed ? ")" : "");
}

static void assert_shown(const struct hf_source_list *list,
			 const char *expected)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf shown = {0};

	hf_buf_puts(&shown, "");
	for (size_t i = 0; i < hf_source_list_len(list); i++)
		show_entry(&shown, hf_source_list_entry(list, i));
	assert_string_equal(shown.data, expected);
}

static struct hf_source_list *list_of(const struct hf_source *source,
				      const char *path)
{
	struct hf_source_list *list = NULL;

	assert_int_equal(hf_source_list(source, path, &list), 0);
	return list;
}

static void assert_listed(const struct hf_source *source, const char *path,
			  const char *expected)
{
	struct hf_source_list *list = list_of(source, path);

	assert_shown(list, expected);
	hf_source_list_unref(list);
}

static void assert_not_listed(const struct hf_source *source, const char *path,
			      int error)
{
	struct hf_source_list *list = NULL;

	assert_int_equal(hf_source_list(source, path, &list), -error);
	assert_null(list);
}

static void assert_reads(const struct hf_source *source, unsigned root,
			 const char *path, const char *expected)
{
	char text[64] = "";
	struct stat st;
	int fd = -1;

	assert_int_equal(hf_source_open_file(source, root, path, &fd, &st), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, expected);
	assert_int_equal(st.st_size, strlen(expected));
	close(fd);
}

static void assert_does_not_open(const struct hf_source *source,
				 const char *path, int error)
{
	struct stat st;
	int fd = -1;

	assert_int_equal(hf_source_open_file(source, 0, path, &fd, &st),
			 -error);
	assert_int_equal(fd, -1);
}

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

/* --- roots ---------------------------------------------------------------- */

static void a_lost_root_is_an_error_and_never_empty(void **state)
{
	const struct hf_source *source;
	struct hf_source_entry again;
	struct hf_source_list *list;

	put_file("one/css/a", "");
	put_file("two/css/b", "");
	put_file("two/c", "");
	source = sources(state, "one:two");
	list = list_of(source, "");
	assert_int_equal(unlink("two/css/b") | unlink("two/c") |
				 rmdir("two/css") | rmdir("two"),
			 0);
	assert_not_listed(source, "", EIO);
	assert_not_listed(source, "css", EIO);
	assert_int_equal(
		hf_source_names_current(source, "", hf_source_list_names(list)),
		-EIO);
	assert_int_equal(hf_source_stat(source, "",
					hf_source_list_find(list, "c"), &again),
			 -EIO);
	hf_source_list_unref(list);
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
	assert_int_equal(hf_source_statvfs(sources(state, "s"), &st), 0);
	assert_true(st.f_namemax >= 255);
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

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

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
		TEST(nobody_may_more_than_in_the_strictest_part),
		TEST(other_owners_get_what_everybody_gets),
		TEST(the_newest_time_stands),
		TEST(a_list_is_current_while_its_quiet_directory_is_unchanged),
		TEST(a_list_of_a_busy_directory_is_current_for_a_moment),
		TEST(a_directory_that_appears_in_another_root_is_noticed),
		TEST(restat_gives_the_same_list_if_nothing_changed),
		TEST(restat_sees_changed_files_and_link_targets),
		TEST(restat_merges_anew_where_kinds_change),
		TEST(one_entry_can_be_looked_at_again),
		TEST(a_lost_root_is_an_error_and_never_empty),
		TEST(a_root_that_cannot_be_opened_is_named),
		TEST(no_root_at_all_is_an_error),
		TEST(the_mount_itself_is_no_source),
		TEST(the_file_system_is_the_first_roots),
		TEST(large_directories_are_fine),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
