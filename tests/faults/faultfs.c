/*
 * faultfs: a source that fails on command.
 *
 *	faultfs UNDER RULES HITS MOUNTPOINT
 *
 * Shows the directory UNDER as it is, and asks for everything anew each time.
 * RULES is a file that is read at every request, one rule a line:
 *
 *	OPERATION ANSWER FROM PATH
 *
 * OPERATION is stat, open, read or list; ANSWER the number of an error, or 0:
 * the request waits until no such rule is left. FROM counts for read alone:
 * what lies before that byte can be had. PATH begins with "/", which is the
 * top. Each request that meets a rule adds "OPERATION PATH" to the file HITS,
 * so that a test knows what waits.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PAUSE_US 2000

static int under_fd;
static const char *rules_path;
static int hits_fd;

/* --- rules ---------------------------------------------------------------- */

struct rule {
	int answer;
	off_t from;
};

static bool parse(char *line, const char *operation, const char *path,
		  struct rule *ret)
{
	char word[16];
	int answer;
	long long from;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%15s %d %lld %n", word, &answer, &from, &at) != 3)
		return false;
	if (strcmp(word, operation) != 0 || strcmp(line + at, path) != 0)
		return false;
	*ret = (struct rule){.answer = answer, .from = (off_t)from};
	return true;
}

static bool find_rule(const char *operation, const char *path, struct rule *ret)
{
	FILE *file = fopen(rules_path, "re");
	bool found = false;
	char *line = NULL;
	size_t cap = 0;

	if (!file)
		return false;
	while (!found && getline(&line, &cap, file) > 0)
		found = parse(line, operation, path, ret);
	free(line);
	fclose(file);
	return found;
}

static void hit(const char *operation, const char *path)
{
	if (dprintf(hits_fd, "%s %s\n", operation, path) < 0)
		abort();
}

/* What the rules say to an operation: 0 to go on, or a negative errno. */
static int judge(const char *operation, const char *path)
{
	struct rule rule;
	bool told = false;

	while (find_rule(operation, path, &rule)) {
		if (!told)
			hit(operation, path);
		told = true;
		if (rule.answer)
			return -rule.answer;
		if (fuse_interrupted())
			return -EINTR;
		usleep(PAUSE_US);
	}
	return 0;
}

/* --- operations ----------------------------------------------------------- */

static const char *relative(const char *path)
{
	return path[1] ? path + 1 : ".";
}

static int answer(long result)
{
	return result < 0 ? -errno : (int)result;
}

static void *init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	(void)conn;
	config->use_ino = 1;
	config->direct_io = 1;
	config->hard_remove = 1;
	config->entry_timeout = 0;
	config->attr_timeout = 0;
	config->negative_timeout = 0;
	return NULL;
}

static int op_getattr(const char *path, struct stat *ret,
		      struct fuse_file_info *fi)
{
	int error = judge("stat", path);

	if (error < 0)
		return error;
	if (fi)
		return answer(fstat((int)fi->fh, ret));
	return answer(
		fstatat(under_fd, relative(path), ret, AT_SYMLINK_NOFOLLOW));
}

static int op_readlink(const char *path, char *ret, size_t size)
{
	ssize_t n = readlinkat(under_fd, relative(path), ret, size - 1);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return 0;
}

static int op_open(const char *path, struct fuse_file_info *fi)
{
	int error = judge("open", path);
	int fd;

	if (error < 0)
		return error;
	/* It may have become a FIFO meanwhile. */
	fd = openat(under_fd, relative(path),
		    O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	fi->fh = (uint64_t)fd;
	return 0;
}

static int op_read(const char *path, char *data, size_t size, off_t offset,
		   struct fuse_file_info *fi)
{
	struct rule rule;

	if (find_rule("read", path, &rule)) {
		if (offset < rule.from) {
			if ((off_t)size > rule.from - offset)
				size = (size_t)(rule.from - offset);
		} else {
			int error = judge("read", path);

			if (error < 0)
				return error;
		}
	}
	return answer(pread((int)fi->fh, data, size, offset));
}

static int op_release(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	close((int)fi->fh);
	return 0;
}

static int op_readdir(const char *path, void *buffer, fuse_fill_dir_t fill,
		      off_t offset, struct fuse_file_info *fi,
		      enum fuse_readdir_flags flags)
{
	int error = judge("list", path);
	const struct dirent *entry;
	DIR *stream;
	int fd;

	(void)offset;
	(void)fi;
	(void)flags;
	if (error < 0)
		return error;
	fd = openat(under_fd, relative(path), O_RDONLY | O_DIRECTORY);
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		error = -errno;
		if (fd >= 0)
			close(fd);
		return error;
	}
	while ((entry = readdir(stream))) {
		struct stat st = {
			.st_ino = entry->d_ino,
			.st_mode = (mode_t)DTTOIF(entry->d_type),
		};

		if (fill(buffer, entry->d_name, &st, 0, 0))
			break;
	}
	closedir(stream);
	return 0;
}

static int op_statfs(const char *path, struct statvfs *ret)
{
	(void)path;
	return answer(fstatvfs(under_fd, ret));
}

static const struct fuse_operations operations = {
	.init = init,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.open = op_open,
	.read = op_read,
	.release = op_release,
	.readdir = op_readdir,
	.statfs = op_statfs,
};

int main(int argc, char *argv[])
{
	char options[] = "ro,fsname=faultfs,subtype=faultfs";
	char *args[] = {argv[0], (char[]){"-f"}, (char[]){"-o"},
			options, NULL,           NULL};

	if (argc != 5) {
		fprintf(stderr, "usage: faultfs UNDER RULES HITS MOUNTPOINT\n");
		return 2;
	}
	under_fd = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	rules_path = argv[2];
	hits_fd = open(argv[3], O_WRONLY | O_APPEND | O_CLOEXEC);
	if (under_fd < 0 || hits_fd < 0) {
		fprintf(stderr, "faultfs: %s: %s\n",
			under_fd < 0 ? argv[1] : argv[3], strerror(errno));
		return 3;
	}
	args[4] = argv[4];
	return fuse_main(5, args, &operations, NULL);
}
