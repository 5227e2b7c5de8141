/*
 * Where a result goes. A file is written under a temporary name beside its
 * target, flushed, and renamed, so that a reader meets the old bytes or the
 * new ones. The text is complete before the temporary file is made: signals
 * can be held back for as long as it exists, which needs neither a handler
 * nor O_TMPFILE (not on every file system, and no way to replace a file).
 * The temporary name begins with a dot, which collectstatic ignores.
 */
#include "manifest/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE 0644 /* Django's default FILE_UPLOAD_PERMISSIONS */

static int fail(int error, const char *shown, char **why)
{
	if (error == -ENOMEM)
		return error;
	if (error == -ENOENT)
		return hf_why(error, why,
			      "cannot write %s: its directory does not exist; "
			      "create it with mkdir",
			      shown);
	return hf_why(error, why, "cannot write %s: %s", shown,
		      strerror(-error));
}

/* Splits a path into a directory that is opened and a name in it. */
static int open_dir(char *path, struct hf_output *ret)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dir = !slash ? "." : slash == path ? "/" : path;

	if (!*name)
		return -EISDIR;
	ret->name = strdup(name);
	if (!ret->name)
		return -ENOMEM;
	if (slash)
		*slash = '\0';
	ret->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir_fd < 0)
		return -errno;
	return faccessat(ret->dir_fd, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno
									: 0;
}

/* /dev/stdout, or the file that the shell has made it: whoever holds it open
 * would not see a new file in its place. */
static bool is_standard(const struct stat *st)
{
	struct stat standard;

	return fstat(STDOUT_FILENO, &standard) == 0 &&
	       st->st_dev == standard.st_dev && st->st_ino == standard.st_ino;
}

static int open_target(const char *path, struct hf_output *ret)
{
	HF_CLEANUP(hf_freep) char *target = NULL;
	struct stat st;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		if (!S_ISREG(st.st_mode)) {
			ret->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
			return ret->fd < 0 ? -errno : 0;
		}
		if (is_standard(&st)) {
			ret->fd = STDOUT_FILENO;
			return 0;
		}
		target = realpath(path, NULL);
		if (!target)
			return -errno;
	} else {
		target = strdup(path);
		if (!target)
			return -ENOMEM;
	}
	return open_dir(target, ret);
}

int hf_output_open(const char *path, struct hf_output *ret, char **why)
{
	struct hf_output output = {.fd = -1, .dir_fd = -1};
	bool standard = !path || !strcmp(path, "-");
	HF_CLEANUP(hf_freep) char *expanded = NULL;
	int error = 0;

	if (!standard && !*path) /* an unset variable, most likely */
		return hf_why(-ENOENT, why,
			      "the name of the file to write is empty");
	if (!standard)
		error = hf_git_expand(path, &expanded, why);
	if (error < 0)
		return error;
	output.path =
		standard ? strdup("standard output") : hf_escaped(expanded);
	if (!output.path)
		return -ENOMEM;
	if (standard)
		output.fd = STDOUT_FILENO;
	else
		error = open_target(expanded, &output);
	if (error < 0) {
		error = fail(error, output.path, why);
		hf_output_close(&output);
		return error;
	}
	*ret = output;
	return 0;
}

/* An error that a file system keeps back until the file is closed. */
static int close_checked(int fd)
{
	return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static int fill(int fd, const char *data, size_t len)
{
	int error = hf_write_all(fd, data, len);
	int closed;

	if (error == 0 && fsync(fd) < 0)
		error = -errno;
	closed = close_checked(fd);
	return error < 0 ? error : closed;
}

/* A directory that has no fsync (EINVAL) has kept the name already. */
static int sync_dir(int dir_fd)
{
	return fsync(dir_fd) < 0 && errno != EINVAL ? -errno : 0;
}

static int replace(const struct hf_output *output, const char *data, size_t len)
{
	char temporary[64];
	uint64_t random[2];
	int fd, error;

	hf_random_seed(random);
	snprintf(temporary, sizeof(temporary), ".hashedfs-manifest.%016" PRIx64,
		 random[0]);
	fd = openat(output->dir_fd, temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	if (fd < 0)
		return -errno;
	error = fill(fd, data, len);
	if (error == 0 && renameat(output->dir_fd, temporary, output->dir_fd,
				   output->name) < 0)
		error = -errno;
	if (error < 0) {
		unlinkat(output->dir_fd, temporary, 0);
		return error;
	}
	return sync_dir(output->dir_fd);
}

/* Whether the file holds just that already. */
static bool is_there(const struct hf_output *output, const char *data,
		     size_t len)
{
	HF_CLEANUP(hf_closep)
	int fd = openat(output->dir_fd, output->name, O_RDONLY | O_CLOEXEC);
	char block[65536];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uintmax_t)st.st_size != len)
		return false;
	while (len > 0) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n <= 0 || (size_t)n > len ||
		    memcmp(block, data, (size_t)n) != 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	/* It may have been written a moment ago. */
	return fsync(fd) == 0;
}

static int replace_quietly(const struct hf_output *output, const char *data,
			   size_t len)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = replace(output, data, len);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int hf_output_write(struct hf_output *output, const void *data, size_t len,
		    char **why)
{
	int error;

	if (output->fd < 0 && is_there(output, data, len)) {
		error = 0;
	} else if (output->fd < 0) {
		error = replace_quietly(output, data, len);
	} else {
		int fd = hf_steal_fd(&output->fd);
		int closed;

		error = hf_write_all(fd, data, len);
		closed = close_checked(fd);
		error = error < 0 ? error : closed;
	}
	return error < 0 ? fail(error, output->path, why) : 0;
}

/* Whether the sources show a file of that name, as far as that tells. */
static bool is_shown(const char *name, const struct hf_source_config *sources)
{
	return !hf_globs_match(&sources->ignore, name) &&
	       (sources->no_default_ignore || *name != '.');
}

void hf_output_check_apart(const char *path,
			   const struct hf_source_config *sources)
{
	HF_CLEANUP(hf_freep) char *dir = path ? strdup(path) : NULL;
	HF_CLEANUP(hf_freep) char *shown = path ? hf_escaped(path) : NULL;
	char *slash = dir ? strrchr(dir, '/') : NULL;
	const char *name = path && slash ? path + (slash - dir) + 1 : path;

	if (!dir || !shown || !strcmp(path, "-") || !is_shown(name, sources))
		return;
	if (slash)
		slash[slash == dir] = '\0';
	for (size_t i = 0; i < sources->roots.n; i++) {
		struct stat root;

		if (stat(sources->roots.items[i].dir, &root) < 0 ||
		    !hf_dir_within(slash ? dir : ".", &root))
			continue;
		hf_log(HF_LOG_WARNING,
		       "%s lies in a source, so the next manifest will name "
		       "it, "
		       "too; write it elsewhere, or leave it out with -o "
		       "ignore=",
		       shown);
		return;
	}
}

void hf_output_close(struct hf_output *output)
{
	if (output->fd > STDERR_FILENO)
		close(output->fd);
	hf_closep(&output->dir_fd);
	free(output->name);
	free(output->path);
	*output = (struct hf_output){.fd = -1, .dir_fd = -1};
}
