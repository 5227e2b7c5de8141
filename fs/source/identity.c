/*
 * identity: what tells a root from all others of this machine, today and at
 * the next start.
 */
#include "fs/source/internal.h"

#include <linux/magic.h>
#include <string.h>

#define ROMFS_MAGIC 0x7275 /* not in linux/magic.h */

/*
 * File systems whose ctime is no clock of changes: images that are built with
 * times and inode numbers of the builder's choice, so that two releases of one
 * have equal stamps; FAT, which has no ctime.
 */
static bool is_lasting(unsigned long type)
{
	static const unsigned long types[] = {
		CRAMFS_MAGIC,      EROFS_SUPER_MAGIC_V1, EXFAT_SUPER_MAGIC,
		ISOFS_SUPER_MAGIC, MSDOS_SUPER_MAGIC,    ROMFS_MAGIC,
		SQUASHFS_MAGIC,    UDF_SUPER_MAGIC,
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(types); i++)
		if (types[i] == type)
			return false;
	return true;
}

size_t hf_source_len(const struct hf_source *source)
{
	return source->n_roots;
}

int hf_source_identity(const struct hf_source *source, unsigned root,
		       struct hf_buf *ret, bool *lasting)
{
	const struct hf_root *one = &source->roots[root];
	unsigned long type = 0;
	uint64_t fsid = 0;

	*lasting = hf_root_fsid(one, &fsid, &type) == 0 && is_lasting(type);
	hf_buf_add(ret, one->dir, strlen(one->dir) + 1);
	hf_buf_add(ret, one->prefix, strlen(one->prefix) + 1);
	hf_buf_add(ret, &fsid, sizeof(fsid));
	return hf_buf_status(ret);
}
