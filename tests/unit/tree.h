/*
 * A directory of files that a test makes, changes and takes away. Paths are
 * relative to it. A stamp's ctime cannot be set; where a test needs quiet
 * files it moves the clock.
 */
#ifndef HF_TESTS_TREE_H
#define HF_TESTS_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct tree {
	char top[64];
};

static inline void tree_make(struct tree *tree)
{
	snprintf(tree->top, sizeof(tree->top), "/tmp/hashedfs-unit-XXXXXX");
	assert_non_null(mkdtemp(tree->top));
}

static inline int tree_remove_one(const char *path, const struct stat *st,
				  int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tree_free(struct tree *tree)
{
	nftw(tree->top, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The absolute path, in `ret`. */
static inline const char *tree_path(const struct tree *tree, const char *path,
				    char ret[PATH_MAX])
{
	int len = snprintf(ret, PATH_MAX, "%s/%s", tree->top, path);

	assert_in_range(len, 1, PATH_MAX - 1);
	return ret;
}

/*
 * Lets enough time pass that a change shows in a stamp, whatever the grain of
 * the kernel's clock. What changes existing files does so by itself; call it
 * before adding names to a directory that was looked at.
 */
static inline void tree_tick(void)
{
	usleep(20000);
}

/* Makes the directories above `path`, and `path` itself. */
static inline void tree_mkdir(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];

	tree_path(tree, path, full);
	for (char *c = full + strlen(tree->top) + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		mkdir(full, 0755);
		*c = '/';
	}
	mkdir(full, 0755);
}

static inline void tree_make_parents(const struct tree *tree, const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	if (!slash)
		return;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	tree_mkdir(tree, dir);
}

/* Writes over the file in place, as an editor of the simple kind does. */
static inline void tree_write_bytes(const struct tree *tree, const char *path,
				    const void *data, size_t len)
{
	char full[PATH_MAX];
	int fd;

	tree_make_parents(tree, path);
	if (access(tree_path(tree, path, full), F_OK) == 0)
		tree_tick();
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static inline void tree_write(const struct tree *tree, const char *path,
			      const char *text)
{
	tree_write_bytes(tree, path, text, strlen(text));
}

/* Puts a new file in the place of the old one, as rsync does. */
static inline void tree_replace(const struct tree *tree, const char *path,
				const char *text)
{
	char full[PATH_MAX];
	char fresh[PATH_MAX];

	tree_tick();
	tree_write(tree, ".fresh", text);
	assert_int_equal(rename(tree_path(tree, ".fresh", fresh),
				tree_path(tree, path, full)),
			 0);
}

/* Changes bytes without changing the size. */
static inline void tree_patch(const struct tree *tree, const char *path,
			      off_t offset, const char *text)
{
	char full[PATH_MAX];
	int fd = open(tree_path(tree, path, full), O_WRONLY);

	tree_tick();
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), offset), strlen(text));
	close(fd);
}

static inline void tree_link(const struct tree *tree, const char *path,
			     const char *target)
{
	char full[PATH_MAX];

	tree_make_parents(tree, path);
	assert_int_equal(symlink(target, tree_path(tree, path, full)), 0);
}

/* Takes away a file, a link or an empty directory. */
static inline void tree_remove(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];

	tree_tick();
	assert_int_equal(remove(tree_path(tree, path, full)), 0);
}

static inline void tree_rename(const struct tree *tree, const char *from,
			       const char *to)
{
	char a[PATH_MAX];
	char b[PATH_MAX];

	tree_tick();
	assert_int_equal(
		rename(tree_path(tree, from, a), tree_path(tree, to, b)), 0);
}

static inline void tree_chmod(const struct tree *tree, const char *path,
			      mode_t mode)
{
	char full[PATH_MAX];

	tree_tick();
	assert_int_equal(chmod(tree_path(tree, path, full), mode), 0);
}

static inline void tree_set_mtime(const struct tree *tree, const char *path,
				  time_t seconds)
{
	struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
	char full[PATH_MAX];

	assert_int_equal(
		utimensat(AT_FDCWD, tree_path(tree, path, full), times, 0), 0);
}

static inline struct stat tree_stat(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	assert_int_equal(stat(tree_path(tree, path, full), &st), 0);
	return st;
}

/*
 * Permissions do not stop root. Makes this process one that they stop, and
 * root again; the tree is opened for it. False: it cannot be done here.
 */
static inline bool tree_drop_root(const struct tree *tree)
{
	if (geteuid() != 0)
		return true;
	return chmod(tree->top, 0755) == 0 && seteuid(65534) == 0;
}

static inline void tree_regain_root(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

#endif
