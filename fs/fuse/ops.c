/*
 * ops: names and attributes. Thin: an operation finds the node, asks the view
 * and translates the answer.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Reads that the kernel may have under way by itself (read-ahead of many
 * readers); its default of 12 starves sixteen of them. */
#define MAX_BACKGROUND 64

struct hf_fs *hf_fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/*
 * No splice: what is handed out must be the very memory that was hashed.
 * readdirplus always: one answer carries what a look-up each would.
 */
void hf_op_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	conn->want &=
		~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
			    FUSE_CAP_SPLICE_MOVE | FUSE_CAP_READDIRPLUS_AUTO);
	conn->want |= conn->capable &
		      (FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS |
		       FUSE_CAP_ASYNC_READ);
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
}

/* --- .hashedfs -------------------------------------------------------------- */

bool hf_is_control(uint64_t nodeid, int *ret)
{
	if (nodeid < HF_CONTROL_NODEID || nodeid >= HF_FIRST_NODEID)
		return false;
	*ret = (int)nodeid - HF_CONTROL_NODEID - 1;
	return true;
}

/* Modes keep others out even where the kernel remembers the name. */
void hf_control_stat(const struct hf_fs *fs, int file, struct stat *ret)
{
	bool all = fs->config->control == HF_CONTROL_ALL;
	mode_t mode = file < 0 ? S_IFDIR | 0500 : S_IFREG | 0400;

	memset(ret, 0, sizeof(*ret));
	ret->st_ino = (ino_t)(HF_CONTROL_NODEID + 1 + file);
	ret->st_mode =
		all ? mode | (mode & 0500) >> 3 | (mode & 0500) >> 6 : mode;
	ret->st_nlink = 1;
	ret->st_uid = fs->owner;
	ret->st_gid = getegid();
	ret->st_mtim.tv_sec = fs->started_ns / 1000000000;
	ret->st_atim = ret->st_ctim = ret->st_mtim;
}

static bool may_see_control(fuse_req_t req, const struct hf_fs *fs)
{
	if (!fs->control || fs->config->control == HF_CONTROL_NONE)
		return false;
	return fs->config->control == HF_CONTROL_ALL ||
	       fuse_req_ctx(req)->uid == fs->owner;
}

/* The control inode of that name in `parent`, or 0. */
static uint64_t find_control(fuse_req_t req, const struct hf_fs *fs,
			     fuse_ino_t parent, const char *name)
{
	if (parent == FUSE_ROOT_ID)
		return strcmp(name, HF_CONTROL_DIR) == 0 &&
				       may_see_control(req, fs)
			       ? HF_CONTROL_NODEID
			       : 0;
	if (parent != HF_CONTROL_NODEID)
		return 0;
	for (size_t i = 0; hf_control_name(i); i++)
		if (strcmp(hf_control_name(i), name) == 0)
			return HF_CONTROL_NODEID + 1 + i;
	return 0;
}

/* Nothing of it is remembered by the kernel: who asks next may be another. */
static void reply_control(fuse_req_t req, const struct hf_fs *fs,
			  uint64_t nodeid)
{
	struct fuse_entry_param param = {.ino = nodeid, .generation = 1};
	int file;

	if (!hf_is_control(nodeid, &file)) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	hf_control_stat(fs, file, &param.attr);
	fuse_reply_entry(req, &param);
}

/* --- names ------------------------------------------------------------------ */

int hf_entry_param(struct hf_fs *fs, struct hf_node *node, uint64_t nodeid,
		   struct fuse_entry_param *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ino = nodeid;
	ret->generation = 1; /* nodeids are never used twice */
	ret->attr_timeout =
		hf_view_is_frozen(fs->view) || hf_node_constant(node)
			? HF_EVER_S
			: HF_SHORT_MS / 1000.0;
	return hf_view_stat(fs->view, node, &ret->attr);
}

static int lookup(struct hf_fs *fs, fuse_ino_t parent, const char *name,
		  struct hf_wait *wait, struct fuse_entry_param *ret)
{
	struct hf_node *dir = hf_inodes_get(fs->inodes, parent);
	struct hf_grounds grounds;
	struct hf_node *node;
	uint64_t nodeid;
	int error;

	if (!dir)
		return -ESTALE;
	hf_grounds_take(fs->view, dir, &grounds);
	error = hf_view_lookup(fs->view, dir, name, wait, &node);
	hf_node_unref(dir);
	if (error < 0)
		return error;
	error = hf_entry_param(fs, node, 0, ret);
	ret->entry_timeout = hf_trust_name(
		fs->trust, grounds.reported && hf_node_reported(node),
		&grounds);
	if (error < 0) {
		hf_node_unref(node);
		return error;
	}
	error = hf_inodes_enter(fs->inodes, node, &nodeid);
	if (error == 0)
		ret->ino = nodeid;
	return error;
}

static void fail_lookup(struct hf_fs *fs, fuse_req_t req, fuse_ino_t parent,
			const char *name, int error)
{
	struct hf_node *dir;

	if (error == -ENOENT) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	dir = hf_inodes_get(fs->inodes, parent);
	hf_reply_failure(fs, req, dir, name, error);
	hf_node_unref(dir);
}

void hf_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct hf_fs *fs = hf_fs_of(req);
	struct hf_request request;
	struct fuse_entry_param param;
	uint64_t control = find_control(req, fs, parent, name);
	int error;
	int file;

	if (control || hf_is_control(parent, &file)) {
		reply_control(req, fs, control);
		return;
	}
	atomic_fetch_add(&fs->lookups, 1);
	hf_request_begin(&request, fs, req);
	error = lookup(fs, parent, name, &request.wait, &param);
	if (!hf_request_claim(&request)) {
		if (error == 0)
			hf_forget(fs, param.ino, 1);
		return;
	}
	if (error < 0)
		fail_lookup(fs, req, parent, name, error);
	else if (fuse_reply_entry(req, &param) < 0)
		hf_forget(fs, param.ino, 1);
}

/* Inodes that make it worth while to give their memory back. */
#define MANY_FORGOTTEN 4096

void hf_forget(struct hf_fs *fs, uint64_t nodeid, uint64_t n)
{
	if (!hf_inodes_forget(fs->inodes, nodeid, n))
		return;
	hf_trust_forgotten(fs->trust, nodeid);
	if ((atomic_fetch_add(&fs->forgotten, 1) + 1) % MANY_FORGOTTEN == 0)
		hf_view_freed(fs->view);
}

void hf_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	hf_forget(hf_fs_of(req), ino, n);
	fuse_reply_none(req);
}

void hf_op_forget_multi(fuse_req_t req, size_t count,
			struct fuse_forget_data *forgets)
{
	struct hf_fs *fs = hf_fs_of(req);

	for (size_t i = 0; i < count; i++)
		hf_forget(fs, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

/* --- attributes --------------------------------------------------------------- */

void hf_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hf_fs *fs = hf_fs_of(req);
	struct fuse_entry_param param;
	struct hf_request request;
	struct hf_grounds grounds;
	struct hf_node *node;
	int error;
	int file;

	(void)fi;
	if (hf_is_control(ino, &file)) {
		hf_control_stat(fs, file, &param.attr);
		fuse_reply_attr(req, &param.attr, 0);
		return;
	}
	node = hf_inodes_get(fs->inodes, ino);
	if (!node) {
		hf_reply_failure(fs, req, NULL, NULL, -ESTALE);
		return;
	}
	hf_request_begin(&request, fs, req);
	hf_grounds_take_attr(fs->view, node, &grounds);
	error = hf_entry_param(fs, node, ino, &param);
	if (grounds.reported)
		param.attr_timeout = hf_trust_attr(fs->trust, ino, &grounds);
	if (hf_request_claim(&request)) {
		if (error < 0)
			hf_reply_failure(fs, req, node, NULL, error);
		else
			fuse_reply_attr(req, &param.attr, param.attr_timeout);
	}
	hf_node_unref(node);
}

void hf_op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct hf_fs *fs = hf_fs_of(req);
	struct hf_request request;
	struct statvfs vfs;
	int error;

	(void)ino;
	hf_request_begin(&request, fs, req);
	error = hf_view_statvfs(fs->view, &vfs);
	if (!hf_request_claim(&request))
		return;
	if (error < 0) {
		hf_reply_failure(fs, req, NULL, NULL, error);
		return;
	}
	vfs.f_namemax = NAME_MAX;
	vfs.f_flag |= ST_RDONLY;
	fuse_reply_statfs(req, &vfs);
}
