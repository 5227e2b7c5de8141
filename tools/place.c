#include "tools/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/mountpoint.h"

#define NAME "hashedfs-run.XXXXXX"
/* What others may do in a directory that is shared: go through it. */
#define SHARED 0711

/* --- making -------------------------------------------------------------- */

/* A new directory in `parent`, which may be NULL or "". */
static int make_in(const char *parent, char **ret)
{
	struct hf_buf path = {0};
	char *made;
	int r;

	/* As the XDG rules have it: a relative path does not count. */
	if (!parent || *parent != '/')
		return -ENOENT;
	hf_buf_printf(&path, "%s/" NAME, parent);
	r = hf_buf_steal(&path, &made);
	if (r < 0)
		return r;
	if (!mkdtemp(made)) {
		r = -errno;
		free(made);
		return r;
	}
	*ret = made;
	return 0;
}

static int make(bool copies, bool shared, char **ret, char **why)
{
	const char *last = copies ? "/var/tmp" : "/tmp";
	int r = shared || copies ? -ENOENT
				 : make_in(getenv("XDG_RUNTIME_DIR"), ret);

	if (r < 0)
		r = make_in(getenv("TMPDIR"), ret);
	if (r < 0)
		r = make_in(last, ret);
	return r < 0 ? hf_why(r, why,
			      "cannot make a directory for the view in %s "
			      "(%s); choose one with --at DIR",
			      last, strerror(-r))
		     : 0;
}

/* Below what is made, so that its own mode can be that of the view. */
static int make_inner(struct hf_place *place, bool shared, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(place->made);

	if (asprintf(&place->path, "%s/view", place->made) < 0) {
		place->path = NULL;
		return -ENOMEM;
	}
	if (mkdir(place->path, 0700) != 0 ||
	    (shared && chmod(place->made, SHARED) != 0))
		return hf_why(-errno, why, "cannot make %s/view: %s",
			      shown ? shown : "?", strerror(errno));
	return 0;
}

static int take(const char *at, struct hf_place *place, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(at);

	place->path = realpath(at, NULL);
	if (!place->path && errno == ENOENT)
		return hf_why(-ENOENT, why,
			      "%s does not exist; create it with mkdir",
			      shown ? shown : "?");
	if (!place->path || stat(place->path, &place->before) != 0)
		return hf_why(-errno, why, "%s cannot be used: %s",
			      shown ? shown : "?", strerror(errno));
	return 0;
}

int hf_place_make(const char *at, bool copies, bool shared,
		  struct hf_place *ret, char **why)
{
	struct hf_place place = {.copies = copies};
	int r = at ? take(at, &place, why)
		   : make(copies, shared, &place.made, why);

	if (r == 0 && !at && copies) {
		r = make_inner(&place, shared, why);
	} else if (r == 0 && !at) {
		place.path = strdup(place.made);
		r = place.path ? 0 : -ENOMEM;
	}
	if (r < 0) {
		hf_place_clear(&place);
		hf_place_fini(&place);
	} else {
		*ret = place;
	}
	return r;
}

void hf_place_fini(struct hf_place *place)
{
	free(place->path);
	free(place->made);
	*place = (struct hf_place){0};
}

/* --- claiming ------------------------------------------------------------ */

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int hf_place_claim(struct hf_place *place, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(place->path);
	int r = hf_mountpoint_empty(place->path);

	if (r == -ENOTEMPTY)
		return hf_why(
			r, why,
			"%s is not empty, and is to be emptied at the end; "
			"choose another directory",
			shown ? shown : "?");
	if (r < 0)
		return hf_why(r, why, "%s cannot be read: %s",
			      shown ? shown : "?", strerror(-r));
	place->claimed = true;
	return 0;
}

/* --- clearing ------------------------------------------------------------ */

static int empty(int fd);

/* Never into what the command mounted there. */
static int open_beneath(int dir_fd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve =
			RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* A directory that its owner may not look into gets a mode with which that is
 * allowed. */
static int open_inner(int dir_fd, const char *name)
{
	int fd = open_beneath(dir_fd, name);

	if (fd == -EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
		fd = open_beneath(dir_fd, name);
	return fd;
}

static int open_top(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == EACCES && chmod(path, 0700) == 0)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int remove_entry(int dir_fd, const char *name)
{
	int fd, r;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* POSIX has EPERM for directories, Linux EISDIR. */
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = open_inner(dir_fd, name);
	if (fd < 0)
		return fd;
	r = empty(fd);
	if (r == 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) != 0)
		r = -errno;
	return r;
}

/* Removes all that is in the directory; steals `fd`. */
static int empty(int fd)
{
	struct stat st;
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	if (fstat(fd, &st) == 0 && (st.st_mode & 0300) != 0300)
		(void)!fchmod(fd, 0700);
	while ((entry = readdir(dir)))
		if (!is_dots(entry->d_name)) {
			int error = remove_entry(fd, entry->d_name);

			r = r < 0 ? r : error;
		}
	closedir(dir);
	return r;
}

/* The directory that was there before looks as it did. */
static int restore(const struct hf_place *place)
{
	const struct stat *before = &place->before;
	const struct timespec times[2] = {before->st_atim, before->st_mtim};

	if (chown(place->path, before->st_uid, before->st_gid) != 0 ||
	    chmod(place->path, before->st_mode & 07777) != 0 ||
	    utimensat(AT_FDCWD, place->path, times, 0) != 0)
		return -errno;
	return 0;
}

static int clear_copies(const struct hf_place *place)
{
	int fd = place->claimed ? open_top(place->path) : -ENOENT;
	int r = fd < 0 ? fd : empty(fd);

	if (r == 0 && !place->made)
		return restore(place);
	if (place->made && r != 0 && r != -ENOENT)
		return r;
	if (place->made && place->path && rmdir(place->path) != 0)
		r = -errno;
	return r == -ENOENT ? 0 : r;
}

void hf_place_clear(const struct hf_place *place)
{
	HF_CLEANUP(hf_freep) char *shown = NULL;
	int r = place->copies ? clear_copies(place) : 0;

	/* A mount that could not be removed was told of. */
	if (place->made && rmdir(place->made) != 0 && errno != ENOENT &&
	    place->copies && r == 0)
		r = -errno;
	if (r == 0)
		return;
	shown = hf_escaped(place->made ? place->made : place->path);
	hf_log(HF_LOG_ERROR, "cannot remove the files in %s: %s",
	       shown ? shown : "?", strerror(-r));
}
