/*
 * identity: what tells a root from all others of this machine, today and at
 * the next start.
 */
#include "fs/source/internal.h"

#include <string.h>

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

	*lasting = hf_root_fsid(one, &fsid, &type) == 0 &&
		   hf_filesystem_stamps(type);
	hf_buf_add(ret, one->dir, strlen(one->dir) + 1);
	hf_buf_add(ret, one->prefix, strlen(one->prefix) + 1);
	hf_buf_add(ret, &fsid, sizeof(fsid));
	return hf_buf_status(ret);
}
