/* What can be relied upon in a file system, by the type that statfs(2) says. */
#include "fs/source/internal.h"

#include <linux/magic.h>

#define ROMFS_MAGIC 0x7275 /* these are not in linux/magic.h */
#define ZFS_MAGIC 0x2fc12fc1
#define BCACHEFS_MAGIC 0xca451a4e
#define NTFS3_MAGIC 0x7366746e

static bool is_among(unsigned long type, const unsigned *types, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (types[i] == (unsigned)type)
			return true;
	return false;
}

bool hf_filesystem_reports(unsigned long type)
{
	static const unsigned types[] = {
		EXT4_SUPER_MAGIC,  XFS_SUPER_MAGIC,   BTRFS_SUPER_MAGIC,
		F2FS_SUPER_MAGIC,  ZFS_MAGIC,         BCACHEFS_MAGIC,
		TMPFS_MAGIC,       RAMFS_MAGIC,       OVERLAYFS_SUPER_MAGIC,
		MSDOS_SUPER_MAGIC, EXFAT_SUPER_MAGIC, NTFS3_MAGIC,
		ISOFS_SUPER_MAGIC, SQUASHFS_MAGIC,    EROFS_SUPER_MAGIC_V1,
	};

	return is_among(type, types, HF_ARRAY_SIZE(types));
}

bool hf_filesystem_stamps(unsigned long type)
{
	static const unsigned types[] = {
		CRAMFS_MAGIC,      EROFS_SUPER_MAGIC_V1, EXFAT_SUPER_MAGIC,
		ISOFS_SUPER_MAGIC, MSDOS_SUPER_MAGIC,    ROMFS_MAGIC,
		SQUASHFS_MAGIC,    UDF_SUPER_MAGIC,
	};

	return !is_among(type, types, HF_ARRAY_SIZE(types));
}
