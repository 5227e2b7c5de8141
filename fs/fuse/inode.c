/*
 * inode: nodeid <-> node. The kernel counts its lookups and gives them back
 * with FORGET; between the first and the last an inode stands.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct inode_dir {
	uint64_t generation; /* of the listing the kernel may have cached */
	unsigned readers;    /* open handles */
};

enum {
	NEVER_OPENED,
	OPENING, /* for the first time; nobody else may open it */
	OPENED,
};

#define LOOKUPS_MAX ((UINT64_C(1) << 62) - 1)

/* There is one for every file that the kernel knows: it is kept small. */
struct inode {
	uint64_t nodeid;
	struct hf_node *node;
	uint64_t lookups : 62;
	uint64_t opened : 2;
	struct inode_dir dir[]; /* one, of a directory */
};

struct hf_inodes {
	pthread_mutex_t lock;
	pthread_cond_t opened; /* of an inode */
	/* the following are protected by lock */
	uint64_t next;
	struct hf_set *by_nodeid;   /* owns the inodes */
	struct hf_set *by_identity; /* of their nodes */
};

static const void *nodeid_of(const void *inode)
{
	return &((const struct inode *)inode)->nodeid;
}

static const void *identity_of(const void *inode)
{
	return hf_node_identity(((const struct inode *)inode)->node);
}

static int inode_new(uint64_t nodeid, struct hf_node *node, struct inode **ret)
{
	bool is_dir = hf_node_kind(node) == HF_KIND_DIR;
	struct inode *inode =
		calloc(1, sizeof(*inode) + is_dir * sizeof(*inode->dir));

	if (!inode)
		return -ENOMEM;
	inode->nodeid = nodeid;
	inode->lookups = 1;
	inode->node = node;
	*ret = inode;
	return 0;
}

/* Call with the lock held. */
static void unname(struct hf_inodes *inodes, struct inode *inode)
{
	const void *identity = identity_of(inode);

	/* A dead one has left its place to another. */
	if (hf_set_get(inodes->by_identity, identity) == inode)
		hf_set_remove(inodes->by_identity, identity);
}

/* Call with the lock held. */
static int insert(struct hf_inodes *inodes, struct inode *inode)
{
	int error = hf_set_put(inodes->by_nodeid, inode);

	if (error < 0)
		return error;
	error = hf_set_put(inodes->by_identity, inode);
	if (error < 0)
		hf_set_remove(inodes->by_nodeid, &inode->nodeid);
	return error;
}

int hf_inodes_new(struct hf_node *root, struct hf_inodes **ret)
{
	struct hf_inodes *inodes = calloc(1, sizeof(*inodes));
	struct inode *inode = NULL;
	int error = inodes ? 0 : -ENOMEM;

	if (error == 0) {
		pthread_mutex_init(&inodes->lock, NULL);
		pthread_cond_init(&inodes->opened, NULL);
		inodes->next = HF_FIRST_NODEID;
		error = hf_set_new(nodeid_of, sizeof(inode->nodeid),
				   &inodes->by_nodeid);
	}
	if (error == 0)
		error = hf_set_new(identity_of, 2 * sizeof(uint64_t),
				   &inodes->by_identity);
	if (error == 0)
		error = inode_new(FUSE_ROOT_ID, root, &inode);
	if (error == 0)
		error = insert(inodes, inode);
	if (error < 0) {
		free(inode);
		hf_node_unref(root);
		hf_inodes_free(inodes);
		return error;
	}
	*ret = inodes;
	return 0;
}

void hf_inodes_free(struct hf_inodes *inodes)
{
	struct inode *inode;
	size_t cursor = 0;

	if (!inodes)
		return;
	while (inodes->by_nodeid &&
	       (inode = hf_set_next(inodes->by_nodeid, &cursor))) {
		hf_node_unref(inode->node);
		free(inode);
	}
	hf_set_free(inodes->by_nodeid);
	hf_set_free(inodes->by_identity);
	pthread_cond_destroy(&inodes->opened);
	pthread_mutex_destroy(&inodes->lock);
	free(inodes);
}

/* Call with the lock held: the living inode of this identity, or NULL. */
static struct inode *alive(struct hf_inodes *inodes, const uint64_t *identity)
{
	struct inode *inode = hf_set_get(inodes->by_identity, identity);

	if (inode && hf_node_dead(inode->node)) {
		unname(inodes, inode);
		inode = NULL;
	}
	return inode;
}

int hf_inodes_enter(struct hf_inodes *inodes, struct hf_node *node,
		    uint64_t *ret)
{
	struct inode *made = NULL;
	struct inode *inode;
	int error = 0;

	pthread_mutex_lock(&inodes->lock);
	inode = alive(inodes, hf_node_identity(node));
	if (inode) {
		inode->lookups++;
		*ret = inode->nodeid;
	} else {
		error = inode_new(inodes->next, node, &made);
		if (error == 0)
			error = insert(inodes, made);
		if (error == 0)
			*ret = inodes->next++;
	}
	pthread_mutex_unlock(&inodes->lock);
	if (inode || error < 0)
		hf_node_unref(node);
	if (error < 0)
		free(made);
	return error;
}

/* Call with the lock held. */
static struct inode *find(struct hf_inodes *inodes, uint64_t nodeid)
{
	return hf_set_get(inodes->by_nodeid, &nodeid);
}

struct hf_node *hf_inodes_get(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct hf_node *node = NULL;
	struct inode *inode;

	pthread_mutex_lock(&inodes->lock);
	inode = find(inodes, nodeid);
	if (inode)
		node = hf_node_ref(inode->node);
	pthread_mutex_unlock(&inodes->lock);
	return node;
}

void hf_inodes_forget(struct hf_inodes *inodes, uint64_t nodeid, uint64_t n)
{
	struct inode *gone = NULL;
	struct inode *inode;

	if (nodeid == FUSE_ROOT_ID)
		return;
	pthread_mutex_lock(&inodes->lock);
	inode = find(inodes, nodeid);
	if (inode) {
		if (n < inode->lookups)
			inode->lookups = (inode->lookups - n) & LOOKUPS_MAX;
		else
			gone = inode;
	}
	if (gone) {
		unname(inodes, gone);
		hf_set_remove(inodes->by_nodeid, &gone->nodeid);
	}
	pthread_mutex_unlock(&inodes->lock);
	if (gone) {
		hf_node_unref(gone->node);
		free(gone);
	}
}

uint64_t hf_inodes_count(struct hf_inodes *inodes)
{
	uint64_t n;

	pthread_mutex_lock(&inodes->lock);
	n = hf_set_len(inodes->by_nodeid);
	pthread_mutex_unlock(&inodes->lock);
	return n;
}

/* Call with the lock held; NULL also for what is no directory. */
static struct inode_dir *find_dir(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct inode *inode = find(inodes, nodeid);

	return inode && hf_node_kind(inode->node) == HF_KIND_DIR ? inode->dir
								 : NULL;
}

void hf_inodes_opendir(struct hf_inodes *inodes, uint64_t nodeid,
		       uint64_t generation, bool *cache, bool *keep)
{
	struct inode_dir *dir;

	*cache = *keep = false;
	pthread_mutex_lock(&inodes->lock);
	dir = find_dir(inodes, nodeid);
	if (dir) {
		*keep = dir->generation == generation;
		*cache = *keep || dir->readers == 0;
		/* 0 is no listing's: the next opening starts afresh. */
		dir->generation = *cache ? generation : 0;
		dir->readers++;
	}
	pthread_mutex_unlock(&inodes->lock);
}

bool hf_inodes_relisted(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct inode_dir *dir;
	bool alone = false;

	pthread_mutex_lock(&inodes->lock);
	dir = find_dir(inodes, nodeid);
	if (dir) {
		dir->generation = 0;
		alone = dir->readers == 1;
	}
	pthread_mutex_unlock(&inodes->lock);
	return alone;
}

void hf_inodes_closedir(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct inode_dir *dir;

	pthread_mutex_lock(&inodes->lock);
	dir = find_dir(inodes, nodeid);
	if (dir && dir->readers > 0)
		dir->readers--;
	pthread_mutex_unlock(&inodes->lock);
}

bool hf_inodes_open_first(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct inode *inode;
	bool first;

	pthread_mutex_lock(&inodes->lock);
	while ((inode = find(inodes, nodeid)) && inode->opened == OPENING)
		pthread_cond_wait(&inodes->opened, &inodes->lock);
	first = inode && inode->opened == NEVER_OPENED;
	if (first)
		inode->opened = OPENING;
	pthread_mutex_unlock(&inodes->lock);
	return first;
}

void hf_inodes_opened(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct inode *inode;

	pthread_mutex_lock(&inodes->lock);
	inode = find(inodes, nodeid);
	if (inode)
		inode->opened = OPENED;
	pthread_cond_broadcast(&inodes->opened);
	pthread_mutex_unlock(&inodes->lock);
}
