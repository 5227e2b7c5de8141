/* xattr: extended attributes (-o xattr). */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <string.h>

static void xattr_source(const struct hf_node *node, struct hf_buf *ret)
{
	hf_node_path(node, ret);
}

static void xattr_digest(const struct hf_node *node, struct hf_buf *ret)
{
	char hex[HF_DIGEST_HEX_MAX + 1];

	hf_node_digest(node, hex);
	hf_buf_puts(ret, hex);
}

static void xattr_kind(const struct hf_node *node, struct hf_buf *ret)
{
	hf_buf_puts(ret, hf_kind_name(hf_node_kind(node)));
}

static const struct {
	const char *name;
	void (*get)(const struct hf_node *node, struct hf_buf *ret);
	bool constant_only;
} xattrs[] = {
	{"user.hashedfs.source", xattr_source, false},
	{"user.hashedfs.digest", xattr_digest, true},
	{"user.hashedfs.kind", xattr_kind, false},
};

static bool has_xattr(const struct hf_node *node, size_t i)
{
	return hf_node_constant(node) || !xattrs[i].constant_only;
}

/* A size of 0 asks for the size; a buffer too small is ERANGE (xattr(7)). */
static void reply_xattr(fuse_req_t req, int error, const struct hf_buf *value,
			size_t size)
{
	if (error == 0)
		error = hf_buf_status(value);
	if (error == 0 && size && size < value->len)
		error = -ERANGE;
	if (error < 0)
		hf_reply_failure(hf_fs_of(req), req, NULL, NULL, error);
	else if (size == 0)
		fuse_reply_xattr(req, value->len);
	else
		fuse_reply_buf(req, value->data, value->len);
}

static int get_xattr(const struct hf_node *node, const char *name,
		     struct hf_buf *value)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(xattrs); i++) {
		if (strcmp(name, xattrs[i].name) != 0 || !has_xattr(node, i))
			continue;
		xattrs[i].get(node, value);
		return 0;
	}
	return -ENODATA;
}

void hf_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		    size_t size)
{
	struct hf_node *node = hf_inodes_get(hf_fs_of(req)->inodes, ino);
	struct hf_buf value = {0};
	int error = node ? get_xattr(node, name, &value) : -ENODATA;

	reply_xattr(req, error, &value, size);
	hf_node_unref(node);
	hf_buf_fini(&value);
}

void hf_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct hf_node *node = hf_inodes_get(hf_fs_of(req)->inodes, ino);
	struct hf_buf names = {0};

	hf_buf_puts(&names, "");
	for (size_t i = 0; node && i < HF_ARRAY_SIZE(xattrs); i++)
		if (has_xattr(node, i))
			hf_buf_add(&names, xattrs[i].name,
				   strlen(xattrs[i].name) + 1);
	reply_xattr(req, 0, &names, size);
	hf_node_unref(node);
	hf_buf_fini(&names);
}
