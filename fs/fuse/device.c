/*
 * device: the reads and writes of /dev/fuse, which libfuse lets us do. One
 * thing is mended on the way: libfuse 3.14 forgets to hand FUSE_PARALLEL_DIROPS
 * from conn->want to the kernel. Without it the kernel holds a mutex of the
 * directory during a lookup, and whoever waits for that cannot be killed.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t device_read(int fd, void *buf, size_t len, void *userdata)
{
	struct hf_fs *fs = userdata;
	ssize_t n = read(fd, buf, len);

	if (n >= (ssize_t)sizeof(struct fuse_in_header))
		hf_unanswered_add(fs->unanswered, buf);
	return n;
}

/* The first answer of a session is the one to FUSE_INIT. */
static void mend_init(const struct iovec *iov, int count)
{
	const struct fuse_out_header *header = iov[0].iov_base;
	struct fuse_init_out *out;

	if (header->error || count < 2 ||
	    iov[1].iov_len < offsetof(struct fuse_init_out, max_background))
		return;
	out = iov[1].iov_base;
	/* A kernel that does not know a flag ignores it. */
	out->flags |= FUSE_PARALLEL_DIROPS;
}

static ssize_t device_write(int fd, struct iovec *iov, int count,
			    void *userdata)
{
	const struct fuse_out_header *header = iov[0].iov_base;
	struct hf_fs *fs = userdata;
	uint64_t unique = header->unique; /* 0: it answers nothing */
	ssize_t n;

	if (!atomic_exchange(&fs->initialised, true))
		mend_init(iov, count);
	n = writev(fd, iov, count);
	if (unique)
		hf_unanswered_remove(fs->unanswered, unique);
	return n;
}

void hf_device_reject(struct hf_fs *fs, uint64_t unique, int error)
{
	struct fuse_out_header out = {
		.len = sizeof(out), .error = error, .unique = unique};
	struct iovec iov = {.iov_base = &out, .iov_len = sizeof(out)};

	/* It fails only if the client or the mount is gone. */
	(void)!device_write(fuse_session_fd(fs->fuse), &iov, 1, fs);
}

/* Code 8 of linux/fuse.h, which is newer than libfuse 3.14. */
#define NOTIFY_INC_EPOCH 8

int hf_device_raise_epoch(struct fuse_session *fuse)
{
	struct fuse_out_header out = {.len = sizeof(out),
				      .error = NOTIFY_INC_EPOCH};

	return write(fuse_session_fd(fuse), &out, sizeof(out)) < 0 ? -errno : 0;
}

int hf_device_attach(struct fuse_session *fuse)
{
	static const struct fuse_custom_io io = {.read = device_read,
						 .writev = device_write};

	return fuse_session_custom_io(fuse, &io, fuse_session_fd(fuse));
}
