#include "tools/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/apart.h"

#define WHAT "directory"

/* --- the top ------------------------------------------------------------- */

/* A directory that is to be made: where that would be. */
static int resolve_new(const char *given, const struct hf_root_specs *roots,
		       const char *shown, char **ret, char **why)
{
	HF_CLEANUP(hf_freep) char *copy = strdup(given);
	HF_CLEANUP(hf_freep) char *parent = NULL;
	size_t len = copy ? strlen(copy) : 0;
	char *name;
	int r;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	name = copy ? strrchr(copy, '/') : NULL;
	if (name)
		*name++ = '\0';
	if (!copy)
		return -ENOMEM;
	parent = realpath(!name ? "." : *copy ? copy : "/", NULL);
	if (!parent)
		return hf_why(-errno, why,
			      "%s cannot be made, as there is no directory to "
			      "make it in; create that with mkdir",
			      shown);
	r = hf_apart_check_new(parent, WHAT, roots, why);
	if (r < 0)
		return r;
	return asprintf(ret, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent,
			name ? name : copy) < 0
		       ? -ENOMEM
		       : 0;
}

static int resolve(const char *given, const struct hf_root_specs *roots,
		   const char *shown, char **ret, char **why)
{
	char *path = realpath(given, NULL);
	struct stat st;
	int r;

	if (!*given) /* an unset variable, most likely */
		return hf_why(-ENOENT, why, "DIR is empty; name a directory");
	if (!path && errno == ENOENT && lstat(given, &st) != 0)
		return resolve_new(given, roots, shown, ret, why);
	if (!path || stat(path, &st) != 0)
		r = hf_why(-errno, why, "%s cannot be reached: %s", shown,
			   strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		r = hf_why(-ENOTDIR, why, "%s is not a directory", shown);
	else
		r = hf_apart_check(path, WHAT, roots, why);
	if (r < 0)
		free(path);
	else
		*ret = path;
	return r;
}

int hf_destination_find(const char *given, const struct hf_root_specs *roots,
			struct hf_destination *ret, char **why)
{
	struct hf_destination dest = {.shown = hf_escaped(given), .fd = -1};
	int r = dest.shown ? resolve(given, roots, dest.shown, &dest.path, why)
			   : -ENOMEM;

	if (r < 0)
		hf_destination_close(&dest);
	else
		*ret = dest;
	return r;
}

static int lock(const struct hf_destination *dest, char **why)
{
	if (flock(dest->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return 0; /* not every file system has locks */
	return hf_why(-EBUSY, why,
		      "another hashedfs-export is writing to %s; wait for its "
		      "end",
		      dest->shown);
}

int hf_destination_open(struct hf_destination *dest, bool to_write, char **why)
{
	if (to_write && mkdir(dest->path, 0700) != 0 && errno != EEXIST)
		return hf_why(-errno, why, "cannot make %s: %s", dest->shown,
			      strerror(errno));
	dest->fd = open(dest->path,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dest->fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (dest->fd < 0)
		return hf_why(-errno, why, "%s cannot be opened: %s",
			      dest->shown, strerror(errno));
	return to_write ? lock(dest, why) : 0;
}

void hf_destination_close(struct hf_destination *dest)
{
	hf_closep(&dest->fd);
	free(dest->path);
	free(dest->shown);
	*dest = (struct hf_destination){.fd = -1};
}

/* --- below it ------------------------------------------------------------ */

int hf_destination_enter(const struct hf_destination *dest, const char *path,
			 int *ret_fd)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (dest->fd < 0)
		return -ENOENT;
	/* EAGAIN: a rename somewhere may have led out; it is looked again. */
	do
		fd = syscall(SYS_openat2, dest->fd, *path ? path : ".", &how,
			     sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	if (fd < 0)
		return -errno;
	*ret_fd = (int)fd;
	return 0;
}

int hf_destination_make_dir(const struct hf_destination *dest, const char *path)
{
	HF_CLEANUP(hf_freep) char *copy = strdup(path);
	HF_CLEANUP(hf_closep) int parent_fd = -1;
	char *slash = copy ? strrchr(copy, '/') : NULL;
	int r;

	if (!copy)
		return -ENOMEM;
	if (slash)
		*slash = '\0';
	r = hf_destination_enter(dest, slash ? copy : "", &parent_fd);
	if (r < 0)
		return r;
	return mkdirat(parent_fd, slash ? slash + 1 : copy, 0700) != 0 ? -errno
								       : 0;
}

/* --- attributes ---------------------------------------------------------- */

static bool owners_differ(const struct stat *have, const struct stat *want)
{
	return have->st_uid != want->st_uid || have->st_gid != want->st_gid;
}

static bool modes_differ(const struct stat *have, const struct stat *want)
{
	return (have->st_mode & 07777) != (want->st_mode & 07777);
}

static bool times_differ(const struct stat *have, const struct stat *want)
{
	return have->st_mtim.tv_sec != want->st_mtim.tv_sec ||
	       have->st_mtim.tv_nsec != want->st_mtim.tv_nsec;
}

bool hf_attributes_differ(const struct stat *have, const struct stat *want)
{
	return (geteuid() == 0 && owners_differ(have, want)) ||
	       modes_differ(have, want) || times_differ(have, want);
}

/* EINVAL: an owner that this user namespace does not know. */
static bool is_forbidden(int error)
{
	return error == EPERM || error == EINVAL;
}

/* Who may not give a file away may still give it to a group of theirs. */
static int mend_owner(int fd, const struct stat *want)
{
	if (fchown(fd, want->st_uid, want->st_gid) == 0)
		return 1;
	if (is_forbidden(errno) && fchown(fd, (uid_t)-1, want->st_gid) == 0)
		return 1;
	return is_forbidden(errno) ? 0 : -errno;
}

int hf_attributes_mend(int fd, const struct stat *have, const struct stat *want)
{
	const struct timespec times[2] = {want->st_mtim, want->st_mtim};
	int changed = owners_differ(have, want) ? mend_owner(fd, want) : 0;

	if (changed < 0)
		return changed;
	if (modes_differ(have, want)) {
		if (fchmod(fd, want->st_mode & 07777) != 0)
			return -errno;
		changed = 1;
	}
	if (times_differ(have, want)) {
		if (futimens(fd, times) != 0)
			return -errno;
		changed = 1;
	}
	return changed;
}
