/*
 * dir: a directory is listed when it is opened and read from that listing.
 * opendir always reaches us, so the kernel's own copy of a listing is used only
 * while it is the current one.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <pthread.h>

/*
 * An open directory: of the view, or .hashedfs (no node). Counted: a reader that
 * is killed leaves it while the thread that answers is still at work.
 */
struct handle {
	atomic_uint refs;
	struct hf_node *node;
	uint64_t generation;      /* at which it was opened */
	struct hf_catalog *names; /* as then, if it has no listing of then */
	struct hf_reading reading;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct hf_listing *listing; /* NULL: not asked for yet; then for good */
	struct hf_grounds grounds;  /* of the listing */
	off_t offset;               /* where the last answer ended, */
	size_t at;                  /* in the listing */
};

static struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

static void handle_unref(struct hf_fs *fs, struct handle *handle)
{
	if (atomic_fetch_sub(&handle->refs, 1) != 1)
		return;
	hf_trust_end(fs->trust, &handle->reading);
	hf_listing_unref(handle->listing);
	hf_catalog_unref(handle->names);
	hf_node_unref(handle->node);
	pthread_mutex_destroy(&handle->lock);
	free(handle);
	hf_handles_give(&fs->handles);
}

static int handle_new(struct hf_fs *fs, struct handle **ret)
{
	struct handle *handle;
	int error = hf_handles_take(&fs->handles);

	if (error < 0)
		return error;
	handle = calloc(1, sizeof(*handle));
	if (!handle) {
		hf_handles_give(&fs->handles);
		return -ENOMEM;
	}
	handle->refs = 1;
	pthread_mutex_init(&handle->lock, NULL);
	*ret = handle;
	return 0;
}

static int open_listing(struct hf_fs *fs, fuse_ino_t ino, struct hf_wait *wait,
			struct handle *handle)
{
	int file;
	int error;

	if (hf_is_control(ino, &file))
		return file < 0 ? 0 : -ENOTDIR;
	handle->node = hf_inodes_get(fs->inodes, ino);
	if (!handle->node)
		return -ESTALE;
	error = hf_view_list_again(fs->view, handle->node, wait,
				   &handle->grounds, &handle->generation,
				   &handle->listing);
	if (error == 0 && !handle->listing)
		handle->names = hf_view_catalog(handle->node);
	return error;
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
		handle_unref(fs, handle);
		return;
	}
	if (error < 0) {
		hf_reply_failure(fs, req, handle->node, NULL, error);
		handle_unref(fs, handle);
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
		handle_unref(fs, handle);
	}
}

void hf_op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hf_fs *fs = hf_fs_of(req);

	hf_inodes_closedir(fs->inodes, ino);
	handle_unref(fs, handle_of(fi));
	fuse_reply_err(req, 0);
}

/* --- reading ------------------------------------------------------------------ */

/* The handle's listing (borrowed) and what it rests on; NULL: it has none. */
static struct hf_listing *listing_of(struct handle *handle,
				     struct hf_grounds *grounds)
{
	struct hf_listing *listing;

	pthread_mutex_lock(&handle->lock);
	listing = handle->listing;
	*grounds = handle->grounds;
	pthread_mutex_unlock(&handle->lock);
	return listing;
}

/* Steals `listing`, unless another thread was faster. */
static void hold(struct handle *handle, struct hf_listing *listing,
		 const struct hf_grounds *grounds)
{
	struct hf_listing *other;

	pthread_mutex_lock(&handle->lock);
	other = handle->listing;
	if (!other) {
		handle->listing = listing;
		handle->grounds = *grounds;
	}
	pthread_mutex_unlock(&handle->lock);
	if (other)
		hf_listing_unref(listing);
}

/*
 * The listing, for a kernel that does not have all of it. There may be another
 * one by now, in which whoever has read a part of the old one goes on; then what
 * the kernel has is of both, and not for those who come later.
 */
static int recall(struct hf_fs *fs, fuse_ino_t ino, struct hf_wait *wait,
		  struct handle *handle)
{
	struct hf_listing *listing;
	struct hf_grounds grounds;
	int error = 0;

	if (!handle->node || listing_of(handle, &grounds))
		return 0;
	listing = hf_view_recall(fs->view, handle->node, handle->generation);
	if (!listing)
		error = hf_view_list_anew(fs->view, handle->node, wait,
					  &grounds, &listing);
	if (error < 0)
		return error;
	if (hf_listing_generation(listing) != handle->generation)
		hf_inodes_keep_dir(fs->inodes, ino, 0);
	hold(handle, listing, &grounds);
	return 0;
}

/* Where an offset is in the listing: usually where the last answer ended. */
static int find(const struct hf_reply *reply, struct handle *handle,
		size_t *ret)
{
	bool known;

	pthread_mutex_lock(&handle->lock);
	known = reply->offset == handle->offset;
	if (known)
		*ret = handle->at;
	pthread_mutex_unlock(&handle->lock);
	if (known)
		return 0;
	if (reply->offset > HF_N_DOTS && reply->listing)
		return hf_place_find(reply->fs, reply->offset, reply->listing,
				     handle->names, ret);
	*ret = reply->offset > HF_N_DOTS ? (size_t)reply->offset - HF_N_DOTS
					 : 0;
	return 0;
}

static void remember(const struct hf_reply *reply, struct handle *handle)
{
	pthread_mutex_lock(&handle->lock);
	handle->offset = reply->offset;
	handle->at = reply->at;
	pthread_mutex_unlock(&handle->lock);
}

static int answer(struct hf_reply *reply, fuse_ino_t ino, struct hf_wait *wait,
		  struct handle *handle)
{
	struct hf_fs *fs = reply->fs;
	int error = recall(fs, ino, wait, handle);

	if (error < 0)
		return error;
	reply->dir = handle->node;
	reply->listing = listing_of(handle, &reply->grounds);
	reply->current = reply->grounds.reports == hf_view_reports(fs->view);
	error = find(reply, handle, &reply->at);
	if (error == 0)
		error = hf_reply_init(reply);
	if (error == 0)
		error = hf_reply_fill(reply);
	if (reply->len)
		remember(reply, handle);
	return error;
}

/* What the kernel caches of it is of use as long as the names are believed. */
static void keep(const struct hf_reply *reply, fuse_ino_t ino)
{
	int64_t believed_ns = (int64_t)(reply->believed_s * 1e9);

	hf_inodes_keep_dir(reply->fs->inodes, ino,
			   hf_clock_monotonic() + believed_ns);
}

static void readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi, bool plus)
{
	struct hf_fs *fs = hf_fs_of(req);
	struct handle *handle = handle_of(fi);
	struct hf_request request;
	struct hf_reply reply = {.req = req,
				 .fs = fs,
				 .plus = plus,
				 .size = size,
				 .offset = offset};
	int error;

	atomic_fetch_add(&handle->refs, 1);
	hf_request_begin(&request, fs, req);
	/* Whoever asks for more has got to what came before. */
	hf_trust_end(fs->trust, &handle->reading);
	if (plus)
		hf_trust_begin(fs->trust, &handle->reading);
	error = answer(&reply, ino, &request.wait, handle);
	if (!hf_request_claim(&request)) {
		hf_reply_take_back(&reply);
	} else {
		if (reply.n_entered == 0)
			hf_trust_end(fs->trust, &handle->reading);
		else
			keep(&reply, ino);
		/* What was filled in before an error goes out; the error comes
		 * at the next call. */
		if (error < 0 && reply.len == 0)
			hf_reply_failure(fs, req, handle->node, NULL, error);
		else if (fuse_reply_buf(req, reply.data, reply.len) < 0)
			hf_reply_take_back(&reply);
	}
	hf_reply_fini(&reply);
	handle_unref(fs, handle);
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
