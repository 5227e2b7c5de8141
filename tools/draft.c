#include "tools/draft.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MODE 0600

static void choose_name(struct hf_draft *draft)
{
	uint64_t random[2];

	hf_random_seed(random);
	snprintf(draft->name, sizeof(draft->name),
		 HF_DRAFT_PREFIX "%016" PRIx64, random[0]);
}

/* --- writing ------------------------------------------------------------- */

/* What says that there are no files without a name here: EISDIR from kernels
 * that do not know the flag. */
static bool is_unknown(int error)
{
	return error == EOPNOTSUPP || error == EISDIR || error == EINVAL;
}

static int open_named(struct hf_draft *draft)
{
	choose_name(draft);
	draft->fd = openat(draft->dir_fd, draft->name,
			   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			   MODE);
	if (draft->fd < 0)
		return -errno;
	/* Without locks it may be taken for one that was left behind. */
	(void)flock(draft->fd, LOCK_EX | LOCK_NB);
	return 0;
}

int hf_draft_open(int dir_fd, struct hf_draft *ret)
{
	struct hf_draft draft = {.dir_fd = dir_fd};
	int r = 0;

	draft.fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
	if (draft.fd < 0)
		r = is_unknown(errno) ? open_named(&draft) : -errno;
	if (r == 0)
		*ret = draft;
	return r;
}

/* A file that is open gets a name, and none is replaced. */
static int link_as(const struct hf_draft *draft, const char *name)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", draft->fd);
	if (linkat(AT_FDCWD, path, draft->dir_fd, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	/* Without /proc, which needs a privilege or Linux 6.10. */
	if (errno == ENOENT &&
	    linkat(draft->fd, "", draft->dir_fd, name, AT_EMPTY_PATH) == 0)
		return 0;
	return -errno;
}

static int rename_to(struct hf_draft *draft, const char *name)
{
	if (renameat(draft->dir_fd, draft->name, draft->dir_fd, name) != 0)
		return -errno;
	draft->name[0] = '\0';
	return 0;
}

/* Only a file with a name can replace another one. */
static int replace(struct hf_draft *draft, const char *name)
{
	int r;

	(void)flock(draft->fd, LOCK_EX | LOCK_NB);
	choose_name(draft);
	r = link_as(draft, draft->name);
	if (r < 0) {
		draft->name[0] = '\0';
		return r;
	}
	return rename_to(draft, name);
}

/* Some file systems tell of a full disk as late as this. */
static int close_named(struct hf_draft *draft, const char *name)
{
	int r = close(hf_steal_fd(&draft->fd)) != 0 && errno != EINTR ? -errno
								      : 0;

	return r < 0 ? r : rename_to(draft, name);
}

int hf_draft_publish(struct hf_draft *draft, const char *name)
{
	int r;

	if (*draft->name) {
		r = close_named(draft, name);
	} else {
		r = link_as(draft, name);
		if (r == -EEXIST)
			r = replace(draft, name);
	}
	hf_draft_discard(draft);
	return r;
}

void hf_draft_discard(struct hf_draft *draft)
{
	if (*draft->name)
		(void)!unlinkat(draft->dir_fd, draft->name, 0);
	hf_closep(&draft->fd);
	draft->fd = -1;
	draft->name[0] = '\0';
}

/* --- sweeping ------------------------------------------------------------ */

static bool is_draft(const char *name)
{
	size_t prefix = strlen(HF_DRAFT_PREFIX);

	return strncmp(name, HF_DRAFT_PREFIX, prefix) == 0 &&
	       strspn(name + prefix, "0123456789abcdef") == 16 &&
	       name[prefix + 16] == '\0';
}

/* One that its writer still holds stays. */
static void sweep(int dir_fd, const char *name)
{
	HF_CLEANUP(hf_closep)
	int fd = openat(dir_fd, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		(void)!unlinkat(dir_fd, name, 0);
}

int hf_draft_sweep(int dir_fd)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int r;

	if (!dir) {
		r = -errno;
		hf_closep(&copy);
		return r;
	}
	while (errno = 0, (entry = readdir(dir)))
		if (is_draft(entry->d_name))
			sweep(dir_fd, entry->d_name);
	r = -errno;
	closedir(dir);
	return r;
}
