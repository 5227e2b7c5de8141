/*
 * mountinfo: what is mounted, read from /proc/self/mountinfo, which answers
 * also when a file system does not. Nothing here opens or stats a mountpoint.
 */
#ifndef HF_MOUNTINFO_H
#define HF_MOUNTINFO_H

#include "fs/base/base.h"

#define HF_FSTYPE "fuse.hashedfs"

/* One mount; id and device together tell it from every other one that is or
 * was mounted. */
struct hf_mount {
	int id;
	unsigned major;
	unsigned minor;
	char *mountpoint; /* owned, absolute, as it is named now */
	char *fstype;     /* owned */
};

void hf_mount_fini(struct hf_mount *mount);
/* The topmost mount at the absolute path `mountpoint`. -ENOENT: there is
 * none; an errno of reading the table; -ENOMEM. */
int hf_mount_at(const char *mountpoint, struct hf_mount *ret) HF_MUST_USE;
/* Whether exactly this mount is still there: 1, 0, or an error as above. Its
 * mountpoint is brought up to date, as a directory above may be renamed. */
int hf_mount_find(struct hf_mount *mount) HF_MUST_USE;
/*
 * Unmounts lazily: open files stay readable, the path is free at once.
 * -EBUSY: another mount lies on top and would go instead; -EIO: fusermount3
 * refused and said why; an errno of umount2(2) or of running fusermount3.
 */
int hf_mount_detach(const struct hf_mount *mount) HF_MUST_USE;

#endif
