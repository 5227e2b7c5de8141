/*
 * file: open, read, release. What a constant file says stays in the kernel's
 * page cache for as long as the kernel likes: it cannot become untrue.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/*
 * An open file: content of the view, or the text of a control file. Counted:
 * the kernel may send RELEASE as soon as it has copied an answer, while the
 * thread that wrote it has not yet returned from its writev(2).
 */
struct handle {
	atomic_uint refs;
	struct hf_content *content;
	struct hf_buf text;
	size_t counted_len; /* of text, in fs->text_len */
	bool descriptor;    /* the content has one, and it is counted */
};

/* While control files of this length, all together, are open, no other one is
 * opened: each is a text of its own. */
#define MAX_TEXT_LEN (256 * UINT64_C(1048576))

static struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

static void handle_unref(struct hf_fs *fs, struct handle *handle)
{
	if (atomic_fetch_sub(&handle->refs, 1) != 1)
		return;
	if (handle->content)
		hf_content_close(handle->content);
	if (handle->descriptor)
		hf_handles_give_descriptor(&fs->handles);
	atomic_fetch_sub(&fs->text_len, handle->counted_len);
	hf_buf_fini(&handle->text);
	free(handle);
	hf_handles_give(&fs->handles);
}

static int handle_new(struct hf_fs *fs, struct handle **ret)
{
	int error = hf_handles_take(&fs->handles);

	if (error < 0)
		return error;
	*ret = calloc(1, sizeof(**ret));
	if (*ret) {
		(*ret)->refs = 1;
		return 0;
	}
	hf_handles_give(&fs->handles);
	return -ENOMEM;
}

/* Lines of `status` that only a mount can tell. */
static void add_mount_status(struct hf_fs *fs, struct hf_buf *text)
{
	hf_buf_printf(text, "worker_pid: %ld\n", (long)getpid());
	hf_buf_printf(text, "inodes: %llu\n",
		      (unsigned long long)hf_inodes_count(fs->inodes));
	hf_buf_printf(text, "handles: %llu\n",
		      (unsigned long long)atomic_load(&fs->handles.n));
	hf_buf_printf(text, "lookups: %llu\n",
		      (unsigned long long)atomic_load(&fs->lookups));
	hf_trust_status(fs->trust, text);
}

static int count_text(struct hf_fs *fs, struct handle *handle)
{
	size_t len = handle->text.cap;
	uint64_t before = atomic_fetch_add(&fs->text_len, len);

	handle->counted_len = len;
	return before > MAX_TEXT_LEN ? -ENOMEM : 0;
}

/* Rendered at open and then constant; its size is not known to stat, so it is
 * read directly, as a file of /proc. */
static int open_control(struct hf_fs *fs, int file, struct hf_wait *wait,
			struct fuse_file_info *fi, struct handle *handle)
{
	const char *name = file < 0 ? NULL : hf_control_name((size_t)file);
	int error = 0;

	if (!name)
		return -EISDIR;
	fi->direct_io = 1;
	if (strcmp(name, "sync") == 0)
		error = hf_trust_sync(fs->trust, wait);
	if (error == 0)
		error = hf_control_render(fs->control, (size_t)file, wait,
					  &handle->text);
	if (error == 0 && strcmp(name, "status") == 0)
		add_mount_status(fs, &handle->text);
	if (error == 0)
		error = hf_buf_status(&handle->text);
	return error < 0 ? error : count_text(fs, handle);
}

/* What is not held in memory has a descriptor. */
static int count_descriptor(struct hf_fs *fs, struct handle *handle)
{
	size_t len;
	int error;

	if (hf_content_whole(handle->content, &len))
		return 0;
	error = hf_handles_take_descriptor(&fs->handles);
	handle->descriptor = error == 0;
	return error;
}

static int open_node(struct hf_fs *fs, fuse_ino_t ino, struct hf_wait *wait,
		     struct fuse_file_info *fi, struct handle *handle)
{
	struct hf_node *node = hf_inodes_get(fs->inodes, ino);
	int error = node ? hf_view_open(fs->view, node, wait, &handle->content)
			 : -ESTALE;

	if (error == 0)
		error = count_descriptor(fs, handle);
	if (error == 0 && hf_node_constant(node)) {
		fi->keep_cache = 1;
		hf_push(fs, ino, handle->content);
	}
	hf_node_unref(node);
	return error;
}

/* Of a file of the view, or of .hashedfs, whose errors anybody may meet. */
static void fail(struct hf_fs *fs, fuse_req_t req, fuse_ino_t ino, int error)
{
	struct hf_node *node;
	int file;

	if (hf_is_control(ino, &file)) {
		fuse_reply_err(req, -error);
		return;
	}
	node = hf_inodes_get(fs->inodes, ino);
	hf_reply_failure(fs, req, node, NULL, error);
	hf_node_unref(node);
}

void hf_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct hf_fs *fs = hf_fs_of(req);
	struct handle *handle = NULL;
	struct hf_request request;
	int error = handle_new(fs, &handle);
	int file;
	bool control = hf_is_control(ino, &file);

	if (error < 0) {
		fail(fs, req, ino, error);
		return;
	}
	hf_request_begin(&request, fs, req);
	error = control ? open_control(fs, file, &request.wait, fi, handle)
			: open_node(fs, ino, &request.wait, fi, handle);
	if (!hf_request_claim(&request)) {
		handle_unref(fs, handle);
		return;
	}
	fi->fh = (uintptr_t)handle;
	fi->noflush = 1; /* nothing is ever written */
	if (error < 0) {
		handle_unref(fs, handle);
		fail(fs, req, ino, error);
	} else if (fuse_reply_open(req, fi) < 0) {
		handle_unref(fs, handle);
	} else if (!control) {
		hf_view_opened(fs->view, ino, hf_inodes_numbered, fs->inodes);
	}
}

static void read_text(fuse_req_t req, const struct hf_buf *text, size_t size,
		      uint64_t offset)
{
	size_t at = offset < text->len ? (size_t)offset : text->len;
	size_t len = text->len - at < size ? text->len - at : size;

	fuse_reply_buf(req, text->data + at, len);
}

static void read_content(fuse_req_t req, fuse_ino_t ino,
			 struct hf_content *content, size_t size,
			 uint64_t offset)
{
	struct hf_fs *fs = hf_fs_of(req);
	struct hf_buf scratch = {0};
	struct hf_request request;
	const char *data = "";
	size_t len = 0;
	int error;

	hf_request_begin(&request, fs, req);
	error = hf_content_read(content, offset, size, &scratch, &data, &len);
	if (hf_request_claim(&request)) {
		if (error < 0)
			fail(fs, req, ino, error);
		else
			fuse_reply_buf(req, data, len);
	}
	hf_buf_fini(&scratch);
}

void hf_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *fi)
{
	struct hf_fs *fs = hf_fs_of(req);
	struct handle *handle = handle_of(fi);

	atomic_fetch_add(&handle->refs, 1);
	if (handle->content)
		read_content(req, ino, handle->content, size, (uint64_t)offset);
	else
		read_text(req, &handle->text, size, (uint64_t)offset);
	handle_unref(fs, handle);
}

void hf_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	handle_unref(hf_fs_of(req), handle_of(fi));
	fuse_reply_err(req, 0);
}
