/*
 * failure: errors that a client meets, or must not meet. A tool that mirrors
 * takes an error for a file that is gone and removes it where it copies to; so
 * under fail-stop an error is told to whoever ends that tool, and the request
 * stays unanswered.
 */
#include "fs/fuse/internal.h"

#include <errno.h>

/* Only a client that is being killed is interrupted (request.c). */
static bool is_right_answer(int error)
{
	return error == -ENODATA || error == -ERANGE || error == -EINTR;
}

bool hf_withhold(struct hf_fs *fs, const struct hf_node *node, const char *name,
		 int error)
{
	struct hf_buf path = {0};

	if (!fs->stop || is_right_answer(error))
		return false;
	if (node)
		hf_node_path(node, &path);
	if (name)
		hf_buf_printf(&path, "%s%s", path.len ? "/" : "", name);
	fs->stop(fs->stop_arg, path.data ? path.data : "", error);
	hf_buf_fini(&path);
	return true;
}

void hf_reply_failure(struct hf_fs *fs, fuse_req_t req,
		      const struct hf_node *node, const char *name, int error)
{
	if (!hf_withhold(fs, node, name, error))
		fuse_reply_err(req, -error);
}
