/*
 * inode: nodeid <-> node. The kernel counts its lookups and gives them back
 * with FORGET; between the first and the last an inode stands.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct inode {
	uint64_t nodeid;
	uint64_t identity[2];
	uint64_t lookups;
	struct hf_node *node;
	enum {
		NEVER_OPENED,
		OPENING, /* for the first time; nobody else may open it */
		OPENED,
	} opened;
	bool named;          /* in by_identity */
	uint64_t generation; /* of the listing the kernel may have cached */
	unsigned readers;    /* open directory handles */
};

struct hf_inodes {
	pthread_mutex_t lock;
	pthread_cond_t opened; /* of an inode */
	/* the following are protected by lock */
	uint64_t next;
	struct hf_map *by_nodeid; /* owns the inodes */
	struct hf_map *by_identity;
};

static int inode_new(uint64_t nodeid, struct hf_node *node, struct inode **ret)
{
	struct inode *inode = calloc(1, sizeof(*inode));

	if (!inode)
		return -ENOMEM;
	inode->nodeid = nodeid;
	inode->lookups = 1;
	inode->node = node;
	memcpy(inode->identity, hf_node_identity(node),
	       sizeof(inode->identity));
	*ret = inode;
	return 0;
}

/* Call with the lock held. */
static void unname(struct hf_inodes *inodes, struct inode *inode)
{
	if (inode->named)
		hf_map_remove(inodes->by_identity, inode->identity,
			      sizeof(inode->identity));
	inode->named = false;
}

/* Call with the lock held. */
static int insert(struct hf_inodes *inodes, struct inode *inode)
{
	int error = hf_map_put(inodes->by_nodeid, &inode->nodeid,
			       sizeof(inode->nodeid), inode);

	if (error < 0)
		return error;
	error = hf_map_put(inodes->by_identity, inode->identity,
			   sizeof(inode->identity), inode);
	inode->named = error == 0;
	if (error < 0)
		hf_map_remove(inodes->by_nodeid, &inode->nodeid,
			      sizeof(inode->nodeid));
	return error;
}

int hf_inodes_new(struct hf_node *root, struct hf_inodes **ret)
{
	struct hf_inodes *inodes = calloc(1, sizeof(*inodes));
	struct inode *inode = NULL;
	uint64_t seed[2];
	int error = inodes ? 0 : -ENOMEM;

	hf_random_seed(seed);
	if (error == 0) {
		pthread_mutex_init(&inodes->lock, NULL);
		pthread_cond_init(&inodes->opened, NULL);
		inodes->next = HF_FIRST_NODEID;
		error = hf_map_new(seed, &inodes->by_nodeid);
	}
	if (error == 0)
		error = hf_map_new(seed, &inodes->by_identity);
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
	       (inode = hf_map_next(inodes->by_nodeid, &cursor))) {
		hf_node_unref(inode->node);
		free(inode);
	}
	hf_map_free(inodes->by_nodeid);
	hf_map_free(inodes->by_identity);
	pthread_cond_destroy(&inodes->opened);
	pthread_mutex_destroy(&inodes->lock);
	free(inodes);
}

/* Call with the lock held: the living inode of this identity, or NULL. */
static struct inode *alive(struct hf_inodes *inodes, const uint64_t *identity)
{
	struct inode *inode = hf_map_get(inodes->by_identity, identity,
					 2 * sizeof(*identity));

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
	return hf_map_get(inodes->by_nodeid, &nodeid, sizeof(nodeid));
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
		inode->lookups -= n < inode->lookups ? n : inode->lookups;
		if (inode->lookups == 0)
			gone = inode;
	}
	if (gone) {
		unname(inodes, gone);
		hf_map_remove(inodes->by_nodeid, &gone->nodeid,
			      sizeof(gone->nodeid));
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
	n = hf_map_len(inodes->by_nodeid);
	pthread_mutex_unlock(&inodes->lock);
	return n;
}

void hf_inodes_opendir(struct hf_inodes *inodes, uint64_t nodeid,
		       uint64_t generation, bool *cache, bool *keep)
{
	struct inode *inode;

	*cache = *keep = false;
	pthread_mutex_lock(&inodes->lock);
	inode = find(inodes, nodeid);
	if (inode) {
		*keep = inode->generation == generation;
		*cache = *keep || inode->readers == 0;
		/* 0 is no listing's: the next opening starts afresh. */
		inode->generation = *cache ? generation : 0;
		inode->readers++;
	}
	pthread_mutex_unlock(&inodes->lock);
}

void hf_inodes_closedir(struct hf_inodes *inodes, uint64_t nodeid)
{
	struct inode *inode;

	pthread_mutex_lock(&inodes->lock);
	inode = find(inodes, nodeid);
	if (inode && inode->readers > 0)
		inode->readers--;
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
