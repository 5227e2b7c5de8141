#include "tools/mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "tools/apart.h"
#include "tools/mountinfo.h"

/* --- the path ------------------------------------------------------------ */

/* For a dead mount, which does not tell whether it is a link: only what
 * stands before the last slash is resolved. */
static char *resolve_parent(const char *given)
{
	HF_CLEANUP(hf_freep) char *copy = strdup(given);
	HF_CLEANUP(hf_freep) char *parent = NULL;
	char *slash, *path = NULL;
	size_t len = copy ? strlen(copy) : 0;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	slash = copy ? strrchr(copy, '/') : NULL;
	if (slash)
		*slash = '\0';
	parent = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (!copy || !parent ||
	    asprintf(&path, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent,
		     slash ? slash + 1 : copy) < 0)
		return NULL;
	return path;
}

static int resolve(const char *given, const char *shown, char **ret, char **why)
{
	char *path = realpath(given, NULL);

	if (!path && errno == ENOTCONN)
		path = resolve_parent(given);
	if (path) {
		*ret = path;
		return 0;
	}
	if (errno == ENOENT)
		return hf_why(-ENOENT, why,
			      "mountpoint %s does not exist; create it with "
			      "mkdir",
			      shown);
	return hf_why(-errno, why, "mountpoint %s cannot be reached: %s", shown,
		      strerror(errno));
}

/* --- what stands there already ------------------------------------------- */

/* A file system without its process. One that is just losing it aborts the
 * request that is under way; the next one tells. */
static bool is_dead(const char *path)
{
	struct statvfs vfs;

	/* Unlike stat(2) this is never answered from the kernel's memory. */
	for (int i = 0; i < 3; i++) {
		if (statvfs(path, &vfs) == 0 ||
		    (errno != ENOTCONN && errno != ECONNABORTED))
			return false;
		if (errno == ENOTCONN)
			return true;
	}
	return false;
}

static int clear_one(const struct hf_mount *mount, const char *shown,
		     char **why)
{
	int r;

	if (!is_dead(mount->mountpoint))
		return hf_why(-EBUSY, why,
			      "%s is a hashedfs mount already; unmount it "
			      "first with fusermount3 -u",
			      shown);
	r = hf_mount_detach(mount);
	if (r < 0)
		return hf_why(r, why,
			      "%s is a dead hashedfs mount that cannot be "
			      "removed (%s); unmount it as the user who "
			      "mounted it, or as root with umount -l",
			      shown, strerror(-r));
	return 0;
}

static int clear_dead(const char *path, const char *shown, char **why)
{
	struct hf_mount mount = {0};
	int r;

	while ((r = hf_mount_at(path, &mount)) == 0) {
		bool ours = strcmp(mount.fstype, HF_FSTYPE) == 0;

		if (ours)
			r = clear_one(&mount, shown, why);
		hf_mount_fini(&mount);
		if (!ours || r < 0)
			return r;
	}
	if (r == -ENOENT)
		return 0;
	return hf_why(r, why, "the mount table cannot be read: %s",
		      strerror(-r));
}

/* --- others who mount there ---------------------------------------------- */

/* Anybody who may read the directory can lock it, so nobody waits for ever. */
#define LOCK_TRIES 250
#define LOCK_PAUSE_NS 20000000

/* Of two that mount there at once the second one gets the lock when the first
 * one's mount can be seen. What cannot be locked is not. */
static int lock(const char *path)
{
	static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0;
	     fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0 &&
	     errno == EWOULDBLOCK;
	     i++)
		nanosleep(&pause, NULL);
	return fd;
}

void hf_mountpoint_fini(struct hf_mountpoint *mountpoint)
{
	free(mountpoint->path);
	hf_closep(&mountpoint->lock_fd);
	*mountpoint = (struct hf_mountpoint){.lock_fd = -1};
}

/* --- the directory ------------------------------------------------------- */

int hf_mountpoint_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool empty = true;

	if (!dir)
		return -errno;
	while (empty && (entry = readdir(dir)))
		empty = strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0;
	closedir(dir);
	return empty ? 0 : -ENOTEMPTY;
}

static int check_empty(const char *path, const char *shown, char **why)
{
	int r = hf_mountpoint_empty(path);

	if (r == -ENOTEMPTY)
		return hf_why(r, why,
			      "mountpoint %s is not empty; choose an empty "
			      "directory (the sources stand before it), or "
			      "hide its files with -o nonempty",
			      shown);
	return r < 0 ? hf_why(r, why, "mountpoint %s cannot be read: %s", shown,
			      strerror(-r))
		     : 0;
}

/* What fusermount3 asks of a mountpoint before it helps a user. */
static int check_ours(const char *path, const struct stat *st,
		      const char *shown, char **why)
{
	if (geteuid() == 0)
		return 0;
	if (st->st_mode & S_ISVTX && st->st_uid != getuid())
		return hf_why(-EPERM, why,
			      "mountpoint %s belongs to another user; choose a "
			      "directory of your own",
			      shown);
	if (access(path, W_OK) != 0)
		return hf_why(-EACCES, why,
			      "mountpoint %s is not writable for you; choose a "
			      "directory of your own",
			      shown);
	return 0;
}

static int check_directory(const char *path, const char *shown,
			   struct stat *ret, char **why)
{
	if (stat(path, ret) != 0)
		return hf_why(-errno, why, "mountpoint %s cannot be used: %s",
			      shown, strerror(errno));
	if (!S_ISDIR(ret->st_mode))
		return hf_why(-ENOTDIR, why, "mountpoint %s is not a directory",
			      shown);
	return check_ours(path, ret, shown, why);
}

/* --- the whole ----------------------------------------------------------- */

int hf_mountpoint_prepare(const char *given, bool nonempty,
			  const struct hf_root_specs *roots,
			  struct hf_mountpoint *ret, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(given);
	HF_CLEANUP(hf_freep) char *path = NULL;
	HF_CLEANUP(hf_closep) int lock_fd = -1;
	struct stat st;
	int r = shown ? resolve(given, shown, &path, why) : -ENOMEM;

	if (r == 0)
		r = clear_dead(path, shown, why);
	if (r == 0) {
		lock_fd = lock(path);
		r = clear_dead(path, shown, why);
	}
	if (r == 0)
		r = check_directory(path, shown, &st, why);
	if (r == 0)
		r = hf_apart_check(path, "mountpoint", roots, why);
	/* Last, as its remedy would not help against the others. */
	if (r == 0 && !nonempty)
		r = check_empty(path, shown, why);
	if (r < 0)
		return r;
	ret->path = path;
	ret->lock_fd = hf_steal_fd(&lock_fd);
	path = NULL;
	return 0;
}
