/*
 * dir: a directory is listed when it is opened and read from that listing;
 * offsets are places in it. opendir always reaches us, so the kernel's own
 * copy of a listing is used only while it is the current one.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <string.h>

/* An open directory: of the view, or .hashedfs (no node). */
struct handle {
	struct hf_node *node;
	struct hf_listing *listing; /* NULL: not asked for yet */
	uint64_t generation;        /* at which it was opened */
	struct hf_grounds grounds;  /* of the listing */
	struct hf_reading reading;
};

/* "." and ".." come before the entries of a listing. */
#define N_DOTS 2

static struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

static void handle_free(struct hf_fs *fs, struct handle *handle)
{
	hf_trust_end(fs->trust, &handle->reading);
	hf_listing_unref(handle->listing);
	hf_node_unref(handle->node);
	free(handle);
	hf_handles_give(&fs->handles);
}

static int handle_new(struct hf_fs *fs, struct handle **ret)
{
	int error = hf_handles_take(&fs->handles);

	if (error < 0)
		return error;
	*ret = calloc(1, sizeof(**ret));
	if (*ret)
		return 0;
	hf_handles_give(&fs->handles);
	return -ENOMEM;
}

static int open_listing(struct hf_fs *fs, fuse_ino_t ino, struct hf_wait *wait,
			struct handle *handle)
{
	int file;

	if (hf_is_control(ino, &file))
		return file < 0 ? 0 : -ENOTDIR;
	handle->node = hf_inodes_get(fs->inodes, ino);
	if (!handle->node)
		return -ESTALE;
	return hf_view_list_again(fs->view, handle->node, wait,
				  &handle->grounds, &handle->generation,
				  &handle->listing);
}

void hf_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hf_fs *fs = hf_fs_of(req);
	struct handle *handle = NULL;
	struct hf_request request;
	bool cache = false;
	bool keep = false;
	int error = handle_new(fs, &handle);

	if (error < 0) {
		hf_reply_failure(fs, req, NULL, NULL, error);
		return;
	}
	hf_request_begin(&request, fs, req);
	error = open_listing(fs, ino, &request.wait, handle);
	if (!hf_request_claim(&request)) {
		handle_free(fs, handle);
		return;
	}
	if (error < 0) {
		hf_reply_failure(fs, req, handle->node, NULL, error);
		handle_free(fs, handle);
		return;
	}
	if (handle->node)
		hf_inodes_opendir(fs->inodes, ino, handle->generation, &cache,
				  &keep);
	fi->fh = (uintptr_t)handle;
	fi->cache_readdir = cache;
	fi->keep_cache = keep;
	if (fuse_reply_open(req, fi) < 0) {
		hf_inodes_closedir(fs->inodes, ino);
		handle_free(fs, handle);
	}
}

void hf_op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hf_fs *fs = hf_fs_of(req);

	hf_inodes_closedir(fs->inodes, ino);
	handle_free(fs, handle_of(fi));
	fuse_reply_err(req, 0);
}

/* --- filling a reply ---------------------------------------------------------- */

struct reply {
	fuse_req_t req;
	struct hf_fs *fs;
	struct handle *handle;
	bool plus;
	bool current; /* nothing was reported since it was listed */
	char *data;
	size_t size;
	size_t len;
	uint64_t *entered; /* nodeids that the answer hands out */
	size_t n_entered;
};

/* No entry of a reply is shorter: what the kernel's own formats begin with. */
#define MIN_ENTRY_LEN 24

static int reply_init(struct reply *reply)
{
	size_t most = reply->size / MIN_ENTRY_LEN + 1;

	reply->data = malloc(reply->size);
	reply->entered = reply->plus ? calloc(most, sizeof(uint64_t)) : NULL;
	return reply->data && (reply->entered || !reply->plus) ? 0 : -ENOMEM;
}

static void reply_fini(struct reply *reply)
{
	free(reply->data);
	free(reply->entered);
}

/* The answer does not go out, and so hands out nothing. */
static void take_back(struct reply *reply)
{
	for (size_t i = 0; i < reply->n_entered; i++)
		hf_inodes_forget(reply->fs->inodes, reply->entered[i], 1);
}

/* Adds one entry; false: there is no more room. */
static bool add(struct reply *reply, const char *name,
		const struct fuse_entry_param *param, off_t next)
{
	char *at = reply->data + reply->len;
	size_t room = reply->size - reply->len;
	size_t need = reply->plus ? fuse_add_direntry_plus(reply->req, at, room,
							   name, param, next)
				  : fuse_add_direntry(reply->req, at, room,
						      name, &param->attr, next);

	if (need > room)
		return false;
	reply->len += need;
	return true;
}

static bool add_dot(struct reply *reply, off_t offset)
{
	/* No inode: the kernel counts no lookup for "." and "..". */
	struct fuse_entry_param param = {.attr.st_mode = S_IFDIR};

	param.attr.st_ino = 1;
	return add(reply, offset == 0 ? "." : "..", &param, offset + 1);
}

/*
 * What an entry leads to. With `plus` it is a lookup, too, unless the listing
 * may be out of date: then the name stands alone, for a lookup to tell.
 */
static int look(struct reply *reply, struct hf_node *node,
		struct fuse_entry_param *ret)
{
	struct hf_fs *fs = reply->fs;
	const struct hf_grounds *grounds = &reply->handle->grounds;
	bool reported = grounds->reported && hf_node_reported(node);
	int error = hf_entry_param(fs, node, 0, ret);

	if (error < 0 || !reply->plus || !reply->current)
		return error;
	ret->entry_timeout = hf_trust_name(fs->trust, reported, grounds);
	return hf_inodes_enter(fs->inodes, hf_node_ref(node), &ret->ino);
}

/* An entry of a listing. The kernel counts a lookup only if the entry fits:
 * then it is taken back. */
static bool add_entry(struct reply *reply, size_t i, off_t next, int *error)
{
	struct hf_fs *fs = reply->fs;
	const struct hf_listing *listing = reply->handle->listing;
	const struct hf_entry *entry = hf_listing_entry(listing, i);
	struct fuse_entry_param param = {0};
	struct hf_node *node;

	*error = hf_view_node(fs->view, reply->handle->node, listing, i, &node);
	if (*error < 0)
		return false;
	*error = look(reply, node, &param);
	hf_node_unref(node);
	if (*error == -ENOMEM)
		return false;
	if (*error < 0) {
		/* Gone or changed since. */
		memset(&param, 0, sizeof(param));
		param.attr.st_mode = entry->mode;
		param.attr.st_ino = 1;
		*error = 0;
	}
	if (add(reply, entry->name, &param, next)) {
		if (param.ino)
			reply->entered[reply->n_entered++] = param.ino;
		return true;
	}
	if (param.ino)
		hf_inodes_forget(fs->inodes, param.ino, 1);
	return false;
}

static bool add_control(struct reply *reply, size_t i, off_t next)
{
	struct fuse_entry_param param = {.ino = HF_CONTROL_NODEID + 1 + i,
					 .generation = 1};

	hf_control_stat(reply->fs, (int)i, &param.attr);
	return add(reply, hf_control_name(i), &param, next);
}

static int fill(struct reply *reply, off_t offset)
{
	const struct hf_listing *listing = reply->handle->listing;
	bool room = true;
	int error = 0;

	for (; offset < N_DOTS && room; offset++)
		room = add_dot(reply, offset);
	for (size_t i = (size_t)(offset - N_DOTS); room && error == 0; i++) {
		off_t next = (off_t)i + N_DOTS + 1;

		if (listing && i >= hf_listing_len(listing))
			break;
		if (!listing && !hf_control_name(i))
			break;
		if (!listing)
			room = add_control(reply, i, next);
		else if (!hf_listing_entry(listing, i)->hidden)
			room = add_entry(reply, i, next, &error);
	}
	return error;
}

/*
 * The listing, for a kernel that does not have all of it. If there is another
 * one by now, whoever has read a part of the old one cannot go on: entries
 * would be left out.
 */
static int recall(struct hf_fs *fs, fuse_ino_t ino, off_t offset,
		  struct hf_wait *wait, struct handle *handle)
{
	struct hf_listing *listing;
	struct hf_grounds grounds;
	uint64_t generation;
	int error;

	if (handle->listing || !handle->node)
		return 0;
	handle->listing =
		hf_view_recall(fs->view, handle->node, handle->generation);
	if (handle->listing)
		return 0;
	error = hf_view_list_anew(fs->view, handle->node, wait, &grounds,
				  &listing);
	if (error < 0)
		return error;
	generation = hf_listing_generation(listing);
	if (generation != handle->generation &&
	    (!hf_inodes_relisted(fs->inodes, ino) || offset > 0)) {
		hf_listing_unref(listing);
		return -ESTALE;
	}
	handle->listing = listing;
	handle->generation = generation;
	handle->grounds = grounds;
	return 0;
}

static void readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi, bool plus)
{
	struct reply reply = {.req = req,
			      .fs = hf_fs_of(req),
			      .handle = handle_of(fi),
			      .plus = plus,
			      .size = size};
	struct hf_request request;
	int error;

	hf_request_begin(&request, reply.fs, req);
	/* Whoever asks for more has got to what came before. */
	hf_trust_end(reply.fs->trust, &reply.handle->reading);
	if (plus)
		hf_trust_begin(reply.fs->trust, &reply.handle->reading);
	error = recall(reply.fs, ino, offset, &request.wait, reply.handle);
	reply.current = reply.handle->grounds.reports ==
			hf_view_reports(reply.fs->view);
	if (error == 0)
		error = reply_init(&reply);
	if (error == 0)
		error = fill(&reply, offset);
	if (reply.n_entered == 0)
		hf_trust_end(reply.fs->trust, &reply.handle->reading);
	if (!hf_request_claim(&request))
		take_back(&reply);
	/* What was filled in before an error goes out; the error comes at the
	 * next call. */
	else if (error < 0 && reply.len == 0)
		hf_reply_failure(reply.fs, req, reply.handle->node, NULL,
				 error);
	else if (fuse_reply_buf(req, reply.data, reply.len) < 0)
		take_back(&reply);
	reply_fini(&reply);
}

void hf_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		   struct fuse_file_info *fi)
{
	readdir(req, ino, size, offset, fi, false);
}

void hf_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
		       off_t offset, struct fuse_file_info *fi)
{
	readdir(req, ino, size, offset, fi, true);
}
