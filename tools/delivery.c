/*
 * delivery: one file of the view comes to the target. No byte gets a hashed
 * name that was not hashed in this process: what lies there is read and
 * compared, what is copied comes verified out of the view, what was cloned is
 * read through before it has its name.
 */
#include "tools/export.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/draft.h"

/* A clone is read once more from the disk: of a smaller file that costs more
 * than its copy does. */
#define CLONE_MIN (128 * 1024)
#define CHUNK (1024 * 1024)

/* --- what is there ------------------------------------------------------- */

/* 1: the bytes are there, *ret_fd is new and *ret its stat; 0: they are not. */
static int find(struct hf_delivery *delivery, struct hf_node *node,
		const struct stat *want, int dir_fd, const char *name,
		int *ret_fd, struct stat *ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat st;
	int r;

	if (dir_fd < 0)
		return 0;
	/* Looked at first: to open a device may do something. */
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) || st.st_size != want->st_size)
		return 0;
	fd = openat(dir_fd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	/* What cannot be read cannot be trusted. */
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	r = hf_view_matches(delivery->view, node, fd, &delivery->scratch);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	*ret = st;
	*ret_fd = hf_steal_fd(&fd);
	return 1;
}

/* Somebody else's file may change under its name; root makes it its own. */
static bool is_foreign(const struct stat *st)
{
	uid_t us = geteuid();

	return us != 0 && st->st_uid != us;
}

/* 1: it is as it should be now; 0: it has to be written anew, as whoever holds
 * another link to it would see the change, or as it is not ours to change. */
static int mend(struct hf_delivery *delivery, int fd, const struct stat *have,
		const struct stat *want, enum hf_delivered *ret)
{
	int changed;

	if (is_foreign(have))
		return 0;
	if (!hf_attributes_differ(have, want)) {
		*ret = HF_DELIVERED_KEPT;
		return 1;
	}
	if (have->st_nlink != 1)
		return 0;
	*ret = HF_DELIVERED_MENDED;
	if (delivery->dry)
		return 1;
	changed = hf_attributes_mend(fd, have, want);
	if (changed == 0)
		*ret = HF_DELIVERED_KEPT;
	return changed == -EPERM ? 0 : changed < 0 ? changed : 1;
}

/* --- writing ------------------------------------------------------------- */

static int copy_content(struct hf_delivery *delivery,
			struct hf_content *content, int fd, bool *source)
{
	uint64_t offset = 0;

	for (;;) {
		const char *data;
		size_t len;
		int r = hf_content_read(content, offset, CHUNK,
					&delivery->scratch, &data, &len);

		*source = r < 0;
		if (r < 0 || len == 0)
			return r;
		r = hf_write_all(fd, data, len);
		if (r < 0)
			return r;
		offset += len;
	}
}

static int copy(struct hf_delivery *delivery, struct hf_node *node, int fd,
		bool *source)
{
	struct hf_content *content;
	int r = hf_view_open(delivery->view, node, NULL, &content);

	*source = r < 0;
	if (r < 0)
		return r;
	r = copy_content(delivery, content, fd, source);
	hf_content_close(content);
	return r;
}

/* What the file system of the target cannot, whatever the source is. */
static bool is_incapable(int error)
{
	return error == EOPNOTSUPP || error == ENOTTY || error == ENOSYS;
}

/* 1: `fd` holds the bytes, verified, in blocks that the source has, too; 0: it
 * is empty. */
static int clone_file(struct hf_delivery *delivery, struct hf_node *node,
		      const struct stat *want, int fd)
{
	HF_CLEANUP(hf_closep) int from = -1;

	if (want->st_size < CLONE_MIN || atomic_load(delivery->no_clones) ||
	    hf_view_open_source(delivery->view, node, &from) < 0)
		return 0;
	if (ioctl(fd, FICLONE, from) != 0) {
		if (is_incapable(errno))
			atomic_store(delivery->no_clones, true);
		return 0;
	}
	if (hf_view_matches(delivery->view, node, fd, &delivery->scratch) == 0)
		return 1;
	/* A copy of the source tells what is wrong, if it still is. */
	return ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 ? -errno
								    : 0;
}

static int fill(struct hf_delivery *delivery, struct hf_node *node,
		const struct stat *want, int fd, bool *source,
		enum hf_delivered *ret)
{
	struct stat have;
	int r = clone_file(delivery, node, want, fd);

	*ret = r > 0 ? HF_DELIVERED_CLONED : HF_DELIVERED_COPIED;
	if (r == 0)
		r = copy(delivery, node, fd, source);
	if (r >= 0 && fstat(fd, &have) != 0)
		r = -errno;
	if (r >= 0)
		r = hf_attributes_mend(fd, &have, want);
	return r < 0 ? r : 0;
}

static int write_anew(struct hf_delivery *delivery, struct hf_node *node,
		      const struct stat *want, int dir_fd, const char *name,
		      bool *source, enum hf_delivered *ret)
{
	struct hf_draft draft;
	int r = hf_draft_open(dir_fd, &draft);

	if (r < 0)
		return r;
	r = fill(delivery, node, want, draft.fd, source, ret);
	if (r == 0)
		return hf_draft_publish(&draft, name);
	hf_draft_discard(&draft);
	return r;
}

int hf_deliver(struct hf_delivery *delivery, struct hf_node *node, int dir_fd,
	       const char *name, bool *source, enum hf_delivered *ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat want, have;
	int r = hf_view_stat(delivery->view, node, &want);

	*source = r < 0;
	if (r == 0)
		r = find(delivery, node, &want, dir_fd, name, &fd, &have);
	if (r > 0)
		r = mend(delivery, fd, &have, &want, ret);
	if (r != 0)
		return r < 0 ? r : 0;
	*ret = HF_DELIVERED_COPIED;
	return delivery->dry ? 0
			     : write_anew(delivery, node, &want, dir_fd, name,
					  source, ret);
}
