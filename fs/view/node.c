/*
 * node: what a name leads to. A node knows its parent and its base name, not
 * its path; so a deep tree costs no more than its names.
 */
#include "fs/view/ahead.h"
#include "fs/view/walk.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static void add_slashes(size_t n, struct hf_buf *ret)
{
	static const char slashes[] = "////////////////////////////////";

	for (; n >= sizeof(slashes); n -= sizeof(slashes) - 1)
		hf_buf_add(ret, slashes, sizeof(slashes) - 1);
	hf_buf_add(ret, slashes, n);
}

/* The path as a list of names from the top: walks up, so no recursion. */
void hf_node_path(const struct hf_node *node, struct hf_buf *ret)
{
	size_t len = 0;
	size_t start = ret->len;

	for (const struct hf_node *n = node; n->parent; n = n->parent)
		len += strlen(hf_node_name(n)) + 1;
	if (len == 0) {
		hf_buf_puts(ret, "");
		return;
	}
	len--;
	add_slashes(len, ret);
	if (hf_buf_status(ret) < 0)
		return;
	for (const struct hf_node *n = node; n->parent; n = n->parent) {
		const char *name = hf_node_name(n);
		size_t n_len = strlen(name);

		memcpy(ret->data + start + len - n_len, name, n_len);
		len -= n_len + (n->parent->parent != NULL);
	}
}

/* Whatever is known by its digest: only those bytes are handed out. */
bool hf_node_constant(const struct hf_node *node)
{
	return node->digest_len > 0;
}

/*
 * What must be equal, besides the path, for two nodes to be one. A file is
 * looked for in the root where it was found, so the same in another root is
 * another node. Of the identity's two words one hashes this with a key that
 * nobody knows; the other, the inode number, anybody can compute, so that by
 * itself it proves nothing.
 */
static void add_identity(const struct hf_view *view,
			 const struct hf_entry *entry, struct hf_buf *ret)
{
	bool constant = entry->digest.len > 0;
	const uint64_t numbers[] = {
		entry->kind,
		entry->kind == HF_KIND_DIR ? 0 : entry->root,
		constant ? entry->mode : 0,
		constant ? entry->uid : 0,
		constant ? entry->gid : 0,
		constant && view->config->mtime_source
			? (uint64_t)entry->mtime_ns
			: 0,
	};

	hf_buf_add(ret, numbers, sizeof(numbers));
	hf_buf_add(ret, entry->digest.bytes, entry->digest.len);
}

/* 63 bits of (path, digest), equal in every mount of the same tree. */
static uint64_t ino_of(const struct hf_entry *entry, const char *path)
{
	static const uint64_t key[2] = {0x68617368, 0x65646673};
	uint64_t by_path = hf_siphash(key, path, strlen(path));
	uint64_t mixed[2] = {by_path, (uint64_t)entry->kind};
	uint64_t ino =
		hf_siphash(mixed, entry->digest.bytes, entry->digest.len) >> 1;

	return ino > 1 ? ino : 2; /* 0 and 1 mean something to some tools */
}

static int identify(struct hf_view *view, struct hf_node *node,
		    const struct hf_entry *entry)
{
	struct hf_buf text = {0};
	int error;

	hf_node_path(node, &text);
	if (hf_buf_status(&text) == 0)
		node->ino = ino_of(entry, text.data);
	/* No path has a NUL, so that what stands behind one is no path. */
	hf_buf_putc(&text, '\0');
	add_identity(view, entry, &text);
	error = hf_buf_status(&text);
	if (error == 0)
		node->secret = hf_siphash(view->seed, text.data, text.len);
	hf_buf_fini(&text);
	return error;
}

/* --- the tail --------------------------------------------------------------- */

static size_t digest_at(const struct hf_node *node)
{
	return node->timed ? sizeof(int64_t) : 0;
}

const char *hf_node_name(const struct hf_node *node)
{
	return node->tail + digest_at(node) + node->digest_len;
}

struct hf_digest hf_node_content(const struct hf_node *node)
{
	struct hf_digest digest = {.len = node->digest_len};

	memcpy(digest.bytes, node->tail + digest_at(node), digest.len);
	return digest;
}

static void fill_tail(struct hf_node *node, const struct hf_entry *entry)
{
	if (node->timed)
		memcpy(node->tail, &entry->mtime_ns, sizeof(entry->mtime_ns));
	memcpy(node->tail + digest_at(node), entry->digest.bytes,
	       node->digest_len);
	strcpy(node->tail + digest_at(node) + node->digest_len, entry->source);
}

void hf_node_attr(const struct hf_view *view, const struct hf_node *node,
		  struct stat *ret)
{
	struct hf_entry entry = {
		.mode = node->mode,
		.uid = node->uid,
		.gid = node->gid,
		.size = node->size,
		.mtime_ns = view->config->mtime_ns,
	};

	if (node->timed)
		memcpy(&entry.mtime_ns, node->tail, sizeof(entry.mtime_ns));
	hf_attr_fill(&entry, node->ino, ret);
}

/* --- birth and death -------------------------------------------------------- */

/* Without what is not in the entry. NULL: no memory. */
static struct hf_node *node_of(const struct hf_view *view,
			       const struct hf_entry *entry)
{
	bool timed = entry->mtime_ns != view->config->mtime_ns;
	size_t tail_len = timed * sizeof(entry->mtime_ns) + entry->digest.len +
			  strlen(entry->source) + 1;
	struct hf_node *node = calloc(1, sizeof(*node) + tail_len);

	if (!node)
		return NULL;
	node->refs = 1;
	node->kind = entry->kind & 0xf;
	node->digest_len = entry->digest.len;
	node->reported = entry->reported;
	node->timed = timed;
	node->size = entry->size;
	node->uid = entry->uid;
	node->gid = entry->gid;
	assert(entry->root <= HF_ROOTS_MAX);
	node->root = (uint16_t)entry->root;
	node->mode = (uint16_t)entry->mode;
	node->error = (uint8_t)(entry->error > UINT8_MAX ? EIO : entry->error);
	fill_tail(node, entry);
	return node;
}

int hf_node_new(struct hf_view *view, struct hf_node *parent,
		const struct hf_entry *entry, struct hf_node **ret)
{
	struct hf_node *node = node_of(view, entry);
	int error = 0;

	if (!node)
		return -ENOMEM;
	node->parent = parent ? hf_node_ref(parent) : NULL;
	if (entry->kind == HF_KIND_DIR)
		error = hf_view_dir_new(&node->live_dir);
	if (error == 0)
		error = identify(view, node, entry);
	if (error < 0) {
		hf_node_unref(node);
		return error;
	}
	*ret = node;
	return 0;
}

void hf_node_freeze(struct hf_node *node, const struct hf_frozen_dir *dir)
{
	/* What a live directory remembers. */
	hf_view_dir_free(node->live_dir);
	node->frozen_dir = dir;
	node->frozen = true;
}

int hf_view_node(struct hf_view *view, struct hf_node *dir,
		 const struct hf_listing *listing, size_t i,
		 struct hf_node **ret)
{
	const struct hf_entry *entry = hf_listing_entry(listing, i);
	int error;

	if (view->frozen)
		return hf_frozen_node(view, dir, entry, ret);
	error = hf_node_new(view, dir, entry, ret);
	if (error == 0)
		hf_ahead_instead(view->ahead, ret);
	return error;
}

struct hf_node *hf_node_ref(struct hf_node *node)
{
	atomic_fetch_add(&node->refs, 1);
	return node;
}

/* A node that goes may take its parents along: a loop, for a deep tree. */
void hf_node_unref(struct hf_node *node)
{
	while (node && atomic_fetch_sub(&node->refs, 1) == 1) {
		struct hf_node *parent = node->parent;

		if (node->kind == HF_KIND_DIR)
			hf_view_dir_free(hf_node_dir(node));
		free(node);
		node = parent;
	}
}

enum hf_kind hf_node_kind(const struct hf_node *node)
{
	return (enum hf_kind)node->kind;
}

const uint64_t *hf_node_identity(const struct hf_node *node)
{
	return node->identity;
}

struct hf_node_room *hf_node_room(struct hf_node *node)
{
	return &node->room;
}

const void *hf_node_number(const struct hf_node *node)
{
	return &node->room.number;
}

bool hf_node_dead(const struct hf_node *node)
{
	return atomic_load(&node->dead);
}

bool hf_node_reported(const struct hf_node *node)
{
	return node->reported;
}

void hf_node_digest(const struct hf_node *node, char ret[HF_DIGEST_HEX_MAX + 1])
{
	struct hf_digest digest = hf_node_content(node);

	hf_digest_hex(&digest, ret);
}
