/*
 * within: whether a directory lies in another one.
 */
#include "fs/source/source.h"

#include <fcntl.h>
#include <unistd.h>

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_top(const struct stat *st, const struct stat *above)
{
	struct stat slash;

	/* A directory may be bound into itself and look like its parent; only
	 * the top really is its own. */
	return same_file(st, above) && stat("/", &slash) == 0 &&
	       same_file(st, &slash);
}

bool hf_dir_within(const char *path, const struct stat *wanted)
{
	HF_CLEANUP(hf_closep)
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, above;

	if (fd < 0 || fstat(fd, &st) != 0)
		return false;
	while (!same_file(&st, wanted)) {
		int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (up < 0)
			return false;
		close(fd);
		fd = up;
		if (fstat(fd, &above) != 0 || is_top(&st, &above))
			return false;
		st = above;
	}
	return true;
}
