/* fs/digest: the directory of the cache. */
#include "tests/unit/room.h"

static const struct hf_root_specs nowhere;

static void assert_dir(const char *wanted, const char *expected)
{
	char *dir = NULL;
	char *why;
	struct stat st;

	assert_int_equal(hf_cache_dir(wanted, &nowhere, &dir, &why), 0);
	assert_string_equal(dir, expected);
	assert_int_equal(stat(dir, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 077, 0);
	free(dir);
}

static void assert_no_dir(const char *wanted, const char *word)
{
	char *dir = NULL;
	char *why;

	assert_true(hf_cache_dir(wanted, &nowhere, &dir, &why) < 0);
	assert_null(dir);
	if (!strstr(why, word))
		fail_msg("\"%s\" is not in \"%s\"", word, why);
	free(why);
}

static void the_directory_of_the_user(void **state)
{
	struct room *room = *state;
	char path[PATH_MAX];
	char expected[PATH_MAX];

	/* What is made is closed to others, whatever the umask. */
	umask(0);
	setenv("XDG_CACHE_HOME", tree_path(&room->tree, "xdg/a", path), 1);
	assert_dir(NULL, tree_path(&room->tree, "xdg/a/hashedfs", expected));
	/* The specification has relative ones passed over. */
	setenv("XDG_CACHE_HOME", "relative", 1);
	setenv("HOME", tree_path(&room->tree, "home", path), 1);
	if (geteuid() != 0)
		assert_dir(NULL, tree_path(&room->tree, "home/.cache/hashedfs",
					   expected));
	unsetenv("HOME");
	if (geteuid() != 0)
		assert_no_dir(NULL, "home");
	unsetenv("XDG_CACHE_HOME");
	umask(022);
}

static void a_directory_that_is_wanted(void **state)
{
	struct room *room = *state;
	char path[PATH_MAX];
	char expected[PATH_MAX];

	assert_dir(tree_path(&room->tree, "b/c", path), path);
	tree_link(&room->tree, "link", "b");
	assert_dir(tree_path(&room->tree, "link/c", path),
		   tree_path(&room->tree, "b/c", expected));
	assert_no_dir(HF_CACHE_NONE, "chosen");
	tree_write(&room->tree, "file", "");
	assert_no_dir(tree_path(&room->tree, "file", path), "not a directory");
	assert_no_dir(tree_path(&room->tree, "file/x", path), "Not a dir");
}

static void a_directory_that_others_may_write(void **state)
{
	struct room *room = *state;
	char path[PATH_MAX];
	char *dir;
	char *why;

	tree_mkdir(&room->tree, "open");
	tree_path(&room->tree, "open", path);
	tree_chmod(&room->tree, "open", 0775);
	assert_no_dir(path, "others may write");
	tree_chmod(&room->tree, "open", 0757);
	assert_no_dir(path, "others may write");
	tree_chmod(&room->tree, "open", 0755);
	assert_int_equal(hf_cache_dir(path, &nowhere, &dir, &why), 0);
	free(dir);
}

/* Nothing is written there, not even a directory. */
static void a_directory_in_a_source(void **state)
{
	struct room *room = *state;
	struct hf_root_spec root = {.dir = room->tree.top};
	const struct hf_root_specs roots = {.items = &root, .n = 1};
	char path[PATH_MAX];
	char src[PATH_MAX];
	char *dir;
	char *why;

	assert_int_equal(hf_cache_dir(tree_path(&room->tree, "new/one", path),
				      &roots, &dir, &why),
			 -EACCES);
	assert_non_null(strstr(why, "it lies in a source"));
	free(why);
	assert_int_not_equal(access(tree_path(&room->tree, "new", path), F_OK),
			     0);
	tree_mkdir(&room->tree, "src");
	tree_path(&room->tree, "src", src);
	root.dir = src;
	tree_path(&room->tree, "src-cache", path);
	assert_int_equal(hf_cache_dir(path, &roots, &dir, &why), 0);
	free(dir);
}

static void a_directory_of_somebody_else(void **state)
{
	struct room *room = *state;
	char path[PATH_MAX];
	char link[PATH_MAX];

	if (geteuid() != 0)
		skip();
	tree_mkdir(&room->tree, "theirs");
	tree_mkdir(&room->tree, "ours");
	tree_path(&room->tree, "theirs", path);
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_no_dir(path, "somebody else");
	tree_link(&room->tree, "link", "ours");
	tree_path(&room->tree, "link", link);
	assert_int_equal(lchown(link, 65534, 65534), 0);
	assert_no_dir(link, "link belongs");
	/* The same in other shoes; XDG_CACHE_HOME is of root's session. */
	setenv("XDG_CACHE_HOME", room->tree.top, 1);
	setenv("HOME", path, 1);
	tree_path(&room->tree, "theirs/.cache/hashedfs", link);
	assert_true(tree_drop_root(&room->tree));
	assert_dir(NULL, link);
	tree_regain_root();
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
}

int main(void)
{
#define ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROOM(the_directory_of_the_user),
		ROOM(a_directory_that_is_wanted),
		ROOM(a_directory_that_others_may_write),
		ROOM(a_directory_in_a_source),
		ROOM(a_directory_of_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
