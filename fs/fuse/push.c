/*
 * push: bytes that were verified go into the kernel's page cache before the
 * opening of their file is answered.
 *
 * The kernel then takes the lock of each page, and a thread that waits for such
 * a lock cannot be killed. Whoever reads holds it until we answer, which can be
 * for ever: if we were killed, the thread that waits keeps /dev/fuse open, and
 * so the reader waits for us. So there must be no reader: bytes are pushed at
 * the first opening of an inode alone, and no opening of it is answered before
 * that is done. What is dropped from the cache later is read as any file is.
 */
#include "fs/fuse/internal.h"

void hf_push(struct hf_fs *fs, uint64_t nodeid,
	     const struct hf_content *content)
{
	size_t len = 0;
	const char *data = hf_content_whole(content, &len);
	struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(len);

	if (!data || !hf_inodes_open_first(fs->inodes, nodeid))
		return;
	bytes.buf[0].mem = (void *)(uintptr_t)data;
	/* Spliced, the pages would be ours: what is pinned is freed later. */
	if (len > 0)
		(void)!fuse_lowlevel_notify_store(fs->fuse, nodeid, 0, &bytes,
						  FUSE_BUF_NO_SPLICE);
	hf_inodes_opened(fs->inodes, nodeid);
}
