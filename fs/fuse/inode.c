/*
 * inode: nodeid <-> node. The kernel counts its lookups and gives them back
 * with FORGET; between the first and the last an inode stands.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* A directory that was opened since the kernel has had its inode. */
struct dir {
	uint64_t nodeid;
	uint64_t generation; /* of the listing the kernel may have cached, */
	int64_t until_ns;    /* and until then that is of use */
	unsigned readers;    /* open handles */
};

/* The `state` of a node. */
enum {
	NEVER_OPENED,
	OPENING, /* for the first time; nobody else may open it */
	OPENED,
};

/* An inode looked up this often stays for good; it is no longer counted. */
#define LOOKUPS_MAX ((UINT32_C(1) << 30) - 1)

/*
 * An inode is a node that has a number: the nodeid. Its lookups (`count`) and
 * whether it was opened stand in the node itself: there are many of them.
 */
struct hf_inodes {
	pthread_mutex_t lock;
	pthread_cond_t opened; /* of an inode */
	/* the following are protected by lock, as is each node's room */
	uint64_t next;
	struct hf_set *by_nodeid; /* holds a reference on each node */
	struct hf_set *by_identity;
	struct hf_set *dirs; /* by nodeid; owns them */
};

static const void *nodeid_of(const void *node)
{
	return hf_node_number(node);
}

static const void *identity_of(const void *node)
{
	return hf_node_identity(node);
}

static const void *dir_nodeid(const void *dir)
{
	return &((const struct dir *)dir)->nodeid;
}

/* Call with the lock held. */
static void unname(struct hf_inodes *inodes, const struct hf_node *node)
{
	const void *identity = hf_node_identity(node);

	/* A dead one has left its place to another. */
	if (hf_set_get(inodes->by_identity, identity) == node)
		hf_set_remove(inodes->by_identity, identity);
}

/* Call with the lock held: makes the node an inode. */
static int insert(struct hf_inodes *inodes, struct hf_node *node,
		  uint64_t nodeid)
{
	struct hf_node_room *room = hf_node_room(node);
	int error;

	*room = (struct hf_node_room){.number = nodeid, .count = 1};
	error = hf_set_put(inodes->by_nodeid, node);
	if (error == 0) {
		error = hf_set_put(inodes->by_identity, node);
		if (error < 0)
			hf_set_remove(inodes->by_nodeid, hf_node_number(node));
	}
	if (error < 0)
		*room = (struct hf_node_room){0};
	return error;
}

int hf_inodes_new(struct hf_node *root, struct hf_inodes **ret)
{
	struct hf_inodes *inodes = calloc(1, sizeof(*inodes));
	int error = inodes ? 0 : -ENOMEM;

	if (error == 0) {
		pthread_mutex_init(&inodes->lock, NULL);
		pthread_cond_init(&inodes->opened, NULL);
		inodes->next = HF_FIRST_NODEID;
		error = hf_set_new(nodeid_of, sizeof(uint64_t),
				   &inodes->by_nodeid);
	}
	if (error == 0)
		error = hf_set_new(identity_of, 2 * sizeof(uint64_t),
				   &inodes->by_identity);
	if (error == 0)
		error = hf_set_new(dir_nodeid, sizeof(uint64_t), &inodes->dirs);
	if (error == 0)
		error = insert(inodes, root, FUSE_ROOT_ID);
	if (error < 0) {
		hf_node_unref(root);
		hf_inodes_free(inodes);
		return error;
	}
	*ret = inodes;
	return 0;
}

void hf_inodes_free(struct hf_inodes *inodes)
{
	size_t cursor = 0;
	void *thing;

	if (!inodes)
		return;
	while (inodes->dirs && (thing = hf_set_next(inodes->dirs, &cursor)))
		free(thing);
	cursor = 0;
	while (inodes->by_nodeid &&
	       (thing = hf_set_next(inodes->by_nodeid, &cursor)))
		hf_node_unref(thing);
	hf_set_free(inodes->dirs);
	hf_set_free(inodes->by_nodeid);
	hf_set_free(inodes->by_identity);
	pthread_cond_destroy(&inodes->opened);
	pthread_mutex_destroy(&inodes->lock);
	free(inodes);
}

/* Call with the lock held: the inode that `node` is, or NULL. */
static struct hf_node *alive(struct hf_inodes *inodes, struct hf_node *node)
{
	struct hf_node *inode =
		hf_set_get(inodes->by_identity, hf_node_identity(node));

	if (inode && hf_node_dead(inode)) {
		unname(inodes, inode);
		inode = NULL;
	}
	/* A dead one that comes again is what it was. */
	if (!inode && hf_node_room(node)->number)
		inode = node;
	return inode;
}

int hf_inodes_enter(struct hf_inodes *inodes, struct hf_node *node,
		    uint64_t *ret)
{
	struct hf_node *inode;
	int error = 0;

	pthread_mutex_lock(&inodes->lock);
	inode = alive(inodes, node);
	if (inode) {
		struct hf_node_room *room = hf_node_room(inode);

		if (room->count < LOOKUPS_MAX)
			room->count++;
		*ret = room->number;
	} else {
		error = insert(inodes, node, inodes->next);
		if (error == 0)
			*ret = inodes->next++;
	}
	pthread_mutex_unlock(&inodes->lock);
	if (inode || error < 0)
		hf_node_unref(node);
	return error;
}

/* Call with the lock held. */
static struct hf_node *find(struct hf_inodes *inodes, uint64_t nodeid)
{
	return hf_set_get(inodes->by_nodeid, &nodeid);
}

void hf_inodes_numbered(void *arg, uint64_t first, size_t n,
			struct hf_node *ret[])
{
	struct hf_inodes *inodes = arg;

	pthread_mutex_lock(&inodes->lock);
	for (size_t i = 0; i < n; i++) {
		ret[i] = find(inodes, first + i);
		if (ret[i])
			hf_node_ref(ret[i]);
	}
	pthread_mutex_unlock(&inodes->lock);
}

struct hf_node *hf_inodes_get(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct hf_node *node;

	hf_inodes_numbered(inodes, nodeid, 1, &node);
	return node;
}

/* Call with the lock held: gives `n` lookups back. True if these were all. */
static bool give_back(struct hf_node *node, uint64_t n)
{
	struct hf_node_room *room = hf_node_room(node);

	if (room->count == LOOKUPS_MAX)
		return false;
	if (n >= room->count)
		return true;
	room->count -= (uint32_t)n & LOOKUPS_MAX;
	return false;
}

bool hf_inodes_forget(struct hf_inodes *inodes, uint64_t nodeid, uint64_t n)
{
	struct hf_node *node;
	struct dir *dir = NULL;
	bool gone;

	if (nodeid == FUSE_ROOT_ID)
		return false;
	pthread_mutex_lock(&inodes->lock);
	node = find(inodes, nodeid);
	gone = node && give_back(node, n);
	if (gone) {
		unname(inodes, node);
		hf_set_remove(inodes->by_nodeid, &nodeid);
		dir = hf_set_remove(inodes->dirs, &nodeid);
		*hf_node_room(node) = (struct hf_node_room){0};
	}
	pthread_mutex_unlock(&inodes->lock);
	free(dir);
	if (gone)
		hf_node_unref(node);
	return gone;
}

uint64_t hf_inodes_count(struct hf_inodes *inodes)
{
	uint64_t n;

	pthread_mutex_lock(&inodes->lock);
	n = hf_set_len(inodes->by_nodeid);
	pthread_mutex_unlock(&inodes->lock);
	return n;
}

/* --- directories ------------------------------------------------------------ */

/* Call with the lock held; NULL also for one that was never opened. */
static struct dir *find_dir(struct hf_inodes *inodes, uint64_t nodeid)
{
	return hf_set_get(inodes->dirs, &nodeid);
}

/* Call with the lock held. NULL: it is unknown, or there is no memory. */
static struct dir *dir_of(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct dir *dir = find_dir(inodes, nodeid);

	if (dir || !find(inodes, nodeid))
		return dir;
	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return NULL;
	dir->nodeid = nodeid;
	if (hf_set_put(inodes->dirs, dir) < 0) {
		free(dir);
		return NULL;
	}
	return dir;
}

void hf_inodes_opendir(struct hf_inodes *inodes, uint64_t nodeid,
		       uint64_t generation, bool *cache, bool *keep)
{
	int64_t now = hf_clock_monotonic();
	struct dir *dir;

	*cache = *keep = false;
	pthread_mutex_lock(&inodes->lock);
	dir = dir_of(inodes, nodeid);
	if (dir) {
		*keep = dir->generation == generation && now < dir->until_ns;
		*cache = *keep || dir->readers == 0;
		/* 0 is no listing's: the next opening starts afresh. */
		dir->generation = *cache ? generation : 0;
		if (!*keep)
			dir->until_ns = INT64_MAX;
		dir->readers++;
	}
	pthread_mutex_unlock(&inodes->lock);
}

void hf_inodes_keep_dir(struct hf_inodes *inodes, uint64_t nodeid,
			int64_t until_ns)
{
	struct dir *dir;

	pthread_mutex_lock(&inodes->lock);
	dir = find_dir(inodes, nodeid);
	if (dir && dir->until_ns != 0)
		dir->until_ns = until_ns;
	pthread_mutex_unlock(&inodes->lock);
}

void hf_inodes_closedir(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct dir *dir;

	pthread_mutex_lock(&inodes->lock);
	dir = find_dir(inodes, nodeid);
	if (dir && dir->readers > 0)
		dir->readers--;
	pthread_mutex_unlock(&inodes->lock);
}

/* --- first openings --------------------------------------------------------- */

bool hf_inodes_open_first(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct hf_node *node;
	bool first;

	pthread_mutex_lock(&inodes->lock);
	while ((node = find(inodes, nodeid)) &&
	       hf_node_room(node)->state == OPENING)
		pthread_cond_wait(&inodes->opened, &inodes->lock);
	first = node && hf_node_room(node)->state == NEVER_OPENED;
	if (first)
		hf_node_room(node)->state = OPENING;
	pthread_mutex_unlock(&inodes->lock);
	return first;
}

void hf_inodes_opened(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct hf_node *node;

	pthread_mutex_lock(&inodes->lock);
	node = find(inodes, nodeid);
	if (node)
		hf_node_room(node)->state = OPENED;
	pthread_cond_broadcast(&inodes->opened);
	pthread_mutex_unlock(&inodes->lock);
}
