/*
 * lent: directories whose attributes the kernel believes for long. They have no
 * epoch as names have: who holds a directory open or stands in it looks at them
 * without a lookup. So each is to be told of when something has changed.
 */
#include "fs/fuse/internal.h"

#include <errno.h>

struct dir {
	uint64_t nodeid;
};

struct hf_lent {
	struct hf_set *dirs; /* owns them */
};

static const void *nodeid_of(const void *dir)
{
	return &((const struct dir *)dir)->nodeid;
}

static int lent_new(struct hf_lent **ret)
{
	struct hf_lent *lent = calloc(1, sizeof(*lent));

	if (!lent)
		return -ENOMEM;
	if (hf_set_new(nodeid_of, sizeof(uint64_t), &lent->dirs) < 0) {
		free(lent);
		return -ENOMEM;
	}
	*ret = lent;
	return 0;
}

void hf_lent_free(struct hf_lent *lent)
{
	size_t cursor = 0;
	void *dir;

	if (!lent)
		return;
	while ((dir = hf_set_next(lent->dirs, &cursor)))
		free(dir);
	hf_set_free(lent->dirs);
	free(lent);
}

int hf_lent_add(struct hf_lent **lent, uint64_t nodeid)
{
	struct dir *dir;
	int error = *lent ? 0 : lent_new(lent);

	if (error < 0 || hf_set_get((*lent)->dirs, &nodeid))
		return error;
	dir = malloc(sizeof(*dir));
	if (!dir)
		return -ENOMEM;
	dir->nodeid = nodeid;
	error = hf_set_put((*lent)->dirs, dir);
	if (error < 0)
		free(dir);
	return error;
}

void hf_lent_remove(struct hf_lent *lent, uint64_t nodeid)
{
	if (lent)
		free(hf_set_remove(lent->dirs, &nodeid));
}

void hf_lent_call_in(const struct hf_lent *lent, struct fuse_session *fuse)
{
	const struct dir *dir;
	size_t cursor = 0;

	/* No offset: that is about attributes alone, takes no lock of the
	 * directory, and so cannot wait. ENOENT: it is forgotten. */
	while (lent && (dir = hf_set_next(lent->dirs, &cursor)))
		fuse_lowlevel_notify_inval_inode(fuse, dir->nodeid, -1, 0);
}
