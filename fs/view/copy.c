/*
 * copy: the view written down elsewhere. What a file that lies somewhere else
 * has to be to stand for one of ours.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

/* What a name of ours can be told by, whatever digest and length it was made
 * with: so many hex digits. */
#define MIN_DIGITS 4
#define MAX_DIGITS HF_DIGEST_HEX_MAX

int hf_view_matches(struct hf_view *view, const struct hf_node *node, int fd,
		    struct hf_buf *scratch)
{
	struct hf_digest expected = hf_node_content(node);
	struct hf_digest digest;
	uint64_t size;
	int error = hf_hash_fd(view->config->algorithm, fd, scratch, &digest,
			       &size);

	if (error < 0)
		return error;
	return size == node->size && hf_digest_equal(&digest, &expected)
		       ? 0
		       : -ESTALE;
}

int hf_view_open_source(struct hf_view *view, const struct hf_node *node,
			int *ret_fd)
{
	struct hf_buf path = {0};
	struct stat st;
	int error;

	hf_node_path(node, &path);
	error = hf_buf_status(&path);
	if (error == 0 && node->kind == HF_KIND_HASHED &&
	    hf_view_is_text(view, path.data))
		error = -ENOTSUP;
	if (error == 0)
		error = hf_source_open_file(view->source, node->root, path.data,
					    ret_fd, &st);
	hf_buf_fini(&path);
	return error;
}

/* Between `before` and `after` there are hex digits, and nothing else. */
static bool has_shape(const char *name, const char *before, const char *after)
{
	size_t len = strlen(name);
	size_t n_before = strlen(before);
	size_t n_after = strlen(after);
	size_t n_digits;

	if (len < n_before + n_after || strncmp(name, before, n_before) != 0 ||
	    strcmp(name + len - n_after, after) != 0)
		return false;
	n_digits = len - n_before - n_after;
	return n_digits >= MIN_DIGITS && n_digits <= MAX_DIGITS &&
	       strspn(name + n_before, "0123456789abcdef") >= n_digits;
}

bool hf_view_could_name(const struct hf_view *view, const char *path,
			const char *name)
{
	const char *slash = strrchr(path, '/');
	size_t dir_len = slash ? (size_t)(slash - path) + 1 : 0;
	struct hf_buf before = {0};
	struct hf_buf after = {0};
	bool could = strncmp(path, name, dir_len) == 0 &&
		     hf_name_shape(&view->name_template, path, &before,
				   &after) == 0 &&
		     has_shape(name + dir_len, before.data ? before.data : "",
			       after.data ? after.data : "");

	hf_buf_fini(&before);
	hf_buf_fini(&after);
	return could;
}
