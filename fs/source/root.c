/*
 * One root. The only file of the project that opens, stats or reads what lies
 * in a source, so that there is one place to look at for what can be reached.
 */
#include "fs/source/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdalign.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* RESOLVE_BENEATH answers EAGAIN when something was renamed while ".." was
 * being resolved; who renames without end does not make us wait without end. */
#define AGAIN_MAX 100

static int openat2_fd(int dir_fd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = resolve,
	};

	for (int i = 0;; i++) {
		long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN || i == AGAIN_MAX)
			return -errno;
	}
}

/*
 * The device alone, from what the kernel already knows. stat(2) on our own
 * mount would be a request to ourselves, and there may be no thread left to
 * answer it.
 */
static int device_of(int fd, dev_t *ret)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &stx) < 0)
		return -errno;
	*ret = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	return 0;
}

int hf_root_stat_fd(const struct hf_root *root, int fd, struct stat *ret)
{
	if (root->own_dev) {
		dev_t dev;
		int error = device_of(fd, &dev);

		if (error < 0)
			return error;
		if (dev == root->own_dev)
			return -ELOOP;
	}
	return fstat(fd, ret) < 0 ? -errno : 0;
}

/* Of other file systems nothing is known. */
static bool has_stamps(const struct hf_root *root)
{
	unsigned long type = 0;
	uint64_t fsid;

	return !root->xdev && hf_root_fsid(root, &fsid, &type) == 0 &&
	       hf_filesystem_reports(type) && hf_filesystem_stamps(type);
}

static int fill_root(struct hf_root *root)
{
	HF_CLEANUP(hf_closep) int probe = -1;
	int error = hf_root_stat_fd(root, root->fd, &root->st);

	if (error < 0)
		return error;
	root->stamps = has_stamps(root);
	probe = openat2_fd(root->fd, ".", O_PATH | O_DIRECTORY, root->resolve);
	return probe < 0 ? probe : 0;
}

int hf_root_open(const struct hf_source_config *config, size_t i, dev_t own_dev,
		 struct hf_root *ret, char **why)
{
	const struct hf_root_spec *spec = &config->roots.items[i];
	struct hf_root root = {
		.fd = open(spec->dir, O_PATH | O_DIRECTORY | O_CLOEXEC),
		.dir = spec->dir,
		.prefix = spec->prefix,
		.own_dev = own_dev,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   (config->xdev ? 0 : RESOLVE_NO_XDEV),
		.follow = config->follow,
		.xdev = config->xdev,
	};
	int error = root.fd < 0 ? -errno : fill_root(&root);

	if (error == 0) {
		/* Without these two nothing leads to another device. */
		if (!root.xdev && !root.follow)
			root.own_dev = 0;
		*ret = root;
		return 0;
	}
	hf_root_close(&root);
	if (error == -ENOSYS)
		return hf_source_explain(why, ENOSYS, spec->dir,
					 "the kernel has no openat2(2); Linux "
					 "5.6 or later is needed");
	if (error == -ELOOP && own_dev)
		return hf_source_explain(why, ELOOP, spec->dir,
					 "the source lies in the mount itself");
	return hf_source_explain(why, -error, spec->dir,
				 "cannot open the source directory: %s",
				 strerror(-error));
}

void hf_root_close(struct hf_root *root)
{
	hf_closep(&root->fd);
	root->fd = -1;
}

int hf_root_error(const struct hf_root *root, int error)
{
	struct stat st;

	if (error == -ENOENT || error == -ESTALE)
		return fstat(root->fd, &st) < 0 || st.st_nlink == 0 ? -EIO
								    : error;
	return error;
}

static const char *or_dot(const char *path)
{
	return *path ? path : ".";
}

static int finish_open(const struct hf_root *root, int opened, int *ret_fd,
		       struct stat *ret)
{
	HF_CLEANUP(hf_closep) int fd = opened;
	struct stat st;
	int error = 0;

	if (ret || root->own_dev)
		error = hf_root_stat_fd(root, fd, &st);
	if (error < 0)
		return error;
	*ret_fd = hf_steal_fd(&fd);
	if (ret)
		*ret = st;
	return 0;
}

/*
 * A link that leaves may come back to the file system of the root by way of
 * others ("/" is another one, often), which RESOLVE_NO_XDEV refuses: so where
 * it ends decides, not the way.
 */
static int open_beyond(const struct hf_root *root, const char *path, int flags,
		       int *ret_fd, struct stat *ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat st;
	int error = openat2_fd(root->fd, or_dot(path), flags,
			       RESOLVE_NO_MAGICLINKS);

	if (error >= 0)
		error = finish_open(root, error, &fd, &st);
	if (error < 0)
		return error;
	if (!root->xdev && st.st_dev != root->st.st_dev)
		return -EXDEV;
	*ret_fd = hf_steal_fd(&fd);
	if (ret)
		*ret = st;
	return 0;
}

int hf_root_openat(const struct hf_root *root, const char *path, int flags,
		   int *ret_fd, struct stat *ret)
{
	int fd = openat2_fd(root->fd, or_dot(path), flags, root->resolve);

	if (fd == -EXDEV && root->follow)
		return open_beyond(root, path, flags, ret_fd, ret);
	return fd < 0 ? fd : finish_open(root, fd, ret_fd, ret);
}

int hf_root_openat_plain(const struct hf_root *root, const char *path,
			 int flags, int *ret_fd, struct stat *ret)
{
	int fd = openat2_fd(root->fd, or_dot(path), flags,
			    root->resolve | RESOLVE_NO_SYMLINKS);

	return fd < 0 ? fd : finish_open(root, fd, ret_fd, ret);
}

int hf_root_refusal(const struct hf_root *root, const char *path)
{
	HF_CLEANUP(hf_closep) int fd = -1;

	/* Each of them lifts one of the two reasons. */
	if (root->follow)
		return EXDEV;
	if (root->xdev)
		return EACCES;
	fd = openat2_fd(root->fd, or_dot(path), O_PATH,
			RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	return fd == -EXDEV ? EACCES : EXDEV;
}

int hf_root_stat_child(const struct hf_root *root, int dir_fd, const char *name,
		       int flags, struct stat *ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;

	fd = openat2_fd(dir_fd, name, O_PATH | O_NOFOLLOW | flags,
			root->resolve);
	return fd < 0 ? fd : hf_root_stat_fd(root, fd, ret);
}

int hf_root_lstat(int dir_fd, const char *name, struct stat *ret)
{
	return fstatat(dir_fd, name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int hf_root_statvfs(const struct hf_root *root, struct statvfs *ret)
{
	return fstatvfs(root->fd, ret) < 0 ? -errno : 0;
}

int hf_root_fsid(const struct hf_root *root, uint64_t *ret, unsigned long *type)
{
	struct statfs fs;

	if (fstatfs(root->fd, &fs) < 0)
		return -errno;
	*ret = 0;
	memcpy(ret, &fs.f_fsid,
	       sizeof(fs.f_fsid) < sizeof(*ret) ? sizeof(fs.f_fsid)
						: sizeof(*ret));
	*type = (unsigned long)fs.f_type;
	return 0;
}

static int add_name(struct hf_names *names, const struct dirent64 *entry)
{
	if (names->n == names->cap) {
		size_t cap = names->cap ? names->cap * 2 : 32;
		void *items =
			reallocarray(names->items, cap, sizeof(*names->items));

		if (!items)
			return -ENOMEM;
		names->items = items;
		names->cap = cap;
	}
	names->items[names->n++] = (struct hf_name){
		.offset = names->text.len,
		.type = entry->d_type,
	};
	hf_buf_add(&names->text, entry->d_name, strlen(entry->d_name) + 1);
	return hf_buf_status(&names->text);
}

/* As much as getdents64(2) is asked for at once, in its alignment. */
struct block {
	alignas(struct dirent64) char bytes[32 * 1024];
	size_t len;
};

static int add_names(const struct block *block, struct hf_names *names)
{
	const struct dirent64 *entry;
	int error = 0;

	for (size_t at = 0; at < block->len && error == 0;
	     at += entry->d_reclen) {
		entry = (const void *)(block->bytes + at);
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			error = add_name(names, entry);
	}
	return error;
}

/* A DIR of libc would need a descriptor and a buffer of its own. */
static int read_names(int dir_fd, struct hf_names *names)
{
	struct block block;
	int error;

	do {
		ssize_t len =
			getdents64(dir_fd, block.bytes, sizeof(block.bytes));

		if (len < 0)
			return -errno;
		block.len = (size_t)len;
		error = add_names(&block, names);
	} while (error == 0 && block.len > 0);
	return error;
}

int hf_root_names(int dir_fd, struct hf_names *ret)
{
	struct hf_names names = {0};
	int error = read_names(dir_fd, &names);

	if (error < 0)
		hf_names_fini(&names);
	else
		*ret = names;
	return error;
}

void hf_names_fini(struct hf_names *names)
{
	hf_buf_fini(&names->text);
	free(names->items);
	*names = (struct hf_names){0};
}
