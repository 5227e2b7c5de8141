/*
 * reply: the answer to a READDIR in the making: entries of a listing, or the
 * files of .hashedfs, from a place on, as many as there is room for.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <string.h>

/* No entry of a reply is shorter: what the kernel's own formats begin with. */
#define MIN_ENTRY_LEN 24

int hf_reply_init(struct hf_reply *reply)
{
	size_t most = reply->size / MIN_ENTRY_LEN + 1;

	reply->data = malloc(reply->size);
	reply->entered = reply->plus ? calloc(most, sizeof(uint64_t)) : NULL;
	return reply->data && (reply->entered || !reply->plus) ? 0 : -ENOMEM;
}

void hf_reply_fini(struct hf_reply *reply)
{
	free(reply->data);
	free(reply->entered);
}

void hf_reply_take_back(struct hf_reply *reply)
{
	for (size_t i = 0; i < reply->n_entered; i++)
		hf_forget(reply->fs, reply->entered[i], 1);
}

/* Adds one entry; false: there is no more room. */
static bool add(struct hf_reply *reply, const char *name,
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

static bool add_dot(struct hf_reply *reply)
{
	/* No inode: the kernel counts no lookup for "." and "..". */
	struct fuse_entry_param param = {.attr.st_mode = S_IFDIR};

	param.attr.st_ino = 1;
	if (!add(reply, reply->offset == 0 ? "." : "..", &param,
		 reply->offset + 1))
		return false;
	reply->offset++;
	return true;
}

/*
 * What an entry leads to. With `plus` it is a lookup, too, unless the listing
 * may be out of date: then the name stands alone, for a lookup to tell.
 */
static int look(struct hf_reply *reply, struct hf_node *node,
		struct fuse_entry_param *ret)
{
	struct hf_fs *fs = reply->fs;
	const struct hf_grounds *grounds = &reply->grounds;
	bool reported = grounds->reported && hf_node_reported(node);
	bool looked_up = reply->plus && reply->current;
	struct hf_grounds of_dir = {0};
	int error;

	if (looked_up)
		hf_grounds_take_attr(fs->view, node, &of_dir);
	error = hf_entry_param(fs, node, 0, ret);
	if (error < 0 || !looked_up)
		return error;
	ret->entry_timeout = hf_trust_name(fs->trust, reported, grounds);
	if (ret->entry_timeout > reply->believed_s)
		reply->believed_s = ret->entry_timeout;
	error = hf_inodes_enter(fs->inodes, hf_node_ref(node), &ret->ino);
	if (error == 0 && of_dir.reported)
		ret->attr_timeout = hf_trust_attr(fs->trust, ret->ino, &of_dir);
	return error;
}

/* The kernel counts a lookup only if the entry fits: else it is taken back. */
static bool add_looked_up(struct hf_reply *reply, const char *name,
			  const struct fuse_entry_param *param, off_t next)
{
	bool fits = add(reply, name, param, next);

	if (fits && param->ino)
		reply->entered[reply->n_entered++] = param->ino;
	else if (param->ino)
		hf_forget(reply->fs, param->ino, 1);
	return fits;
}

static bool add_entry(struct hf_reply *reply, const struct hf_entry *entry,
		      off_t next, int *error)
{
	struct fuse_entry_param param = {0};
	struct hf_node *node;

	*error = hf_view_node(reply->fs->view, reply->dir, reply->listing,
			      reply->at, &node);
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
	return add_looked_up(reply, entry->name, &param, next);
}

/* The entry at reply->at, unless it is hidden. */
static bool add_listed(struct hf_reply *reply, int *error)
{
	const struct hf_entry *entry =
		hf_listing_entry(reply->listing, reply->at);
	off_t next;

	if (entry->hidden)
		return true;
	next = hf_place_behind(reply->fs, entry);
	if (!add_entry(reply, entry, next, error))
		return false;
	reply->offset = next;
	return true;
}

static bool add_control(struct hf_reply *reply)
{
	struct fuse_entry_param param = {
		.ino = HF_CONTROL_NODEID + 1 + reply->at, .generation = 1};

	hf_control_stat(reply->fs, (int)reply->at, &param.attr);
	if (!add(reply, hf_control_name(reply->at), &param, reply->offset + 1))
		return false;
	reply->offset++;
	return true;
}

static bool at_end(const struct hf_reply *reply)
{
	return reply->listing ? reply->at >= hf_listing_len(reply->listing)
			      : !hf_control_name(reply->at);
}

int hf_reply_fill(struct hf_reply *reply)
{
	bool room = true;
	int error = 0;

	while (reply->offset < HF_N_DOTS && room)
		room = add_dot(reply);
	while (room && !at_end(reply)) {
		room = reply->listing ? add_listed(reply, &error)
				      : add_control(reply);
		if (room)
			reply->at++;
	}
	return error;
}
