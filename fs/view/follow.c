/*
 * follow: files that are read before they are opened. Whoever opens the files
 * of a directory in their order finds the next ones read and verified, and what
 * is read for names meanwhile is kept for a moment; opening one proves by its
 * stamp, or because no change was reported, that it is still the same
 * (hf_digests_open).
 */
#include "fs/view/ahead.h"
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

/* Directories that are read at the same time. */
#define READERS 8
/* So many files are ahead of a reader at most. */
#define WINDOW 32
#define WINDOW_BYTES (UINT64_C(2) * 1024 * 1024)
/* Between two files that are opened in order may be others of no interest. */
#define NEAR 32
/* After so many in order the next directory is believed to be read, too. */
#define SURE 8

/* One directory, and how far in it somebody is. */
struct reader {
	struct hf_node *dir; /* a reference; NULL: unused */
	struct hf_listing *listing;
	size_t at;     /* the entry that was opened last; there is one */
	size_t until;  /* entries before it need not be read ahead */
	size_t window; /* 0: they are not opened in order */
	uint64_t used;
};

struct hf_follow {
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct reader readers[READERS];
	uint64_t used;    /* counts openings */
	unsigned ordered; /* in a row */
	uint64_t missed;  /* the last directory whose listing was not held */
};

/* What is to be read: entries of a listing that is held. */
struct plan {
	struct hf_listing *listing; /* NULL: nothing */
	size_t entries[WINDOW];
	size_t n;
};

int hf_follow_new(struct hf_follow **ret)
{
	struct hf_follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return -ENOMEM;
	pthread_mutex_init(&follow->lock, NULL);
	*ret = follow;
	return 0;
}

static void reader_fini(struct reader *reader)
{
	hf_listing_unref(reader->listing);
	hf_node_unref(reader->dir);
}

void hf_follow_rest(struct hf_follow *follow)
{
	struct reader readers[READERS];

	pthread_mutex_lock(&follow->lock);
	memcpy(readers, follow->readers, sizeof(readers));
	memset(follow->readers, 0, sizeof(follow->readers));
	pthread_mutex_unlock(&follow->lock);
	for (size_t i = 0; i < READERS; i++)
		reader_fini(&readers[i]);
}

void hf_follow_free(struct hf_follow *follow)
{
	if (!follow)
		return;
	hf_follow_rest(follow);
	pthread_mutex_destroy(&follow->lock);
	free(follow);
}

/* --- in order ---------------------------------------------------------------- */

static bool is_wanted(const struct hf_entry *entry)
{
	return !entry->hidden && !entry->error && entry->digest.len > 0 &&
	       entry->size <= HF_PINNED_MAX;
}

static bool is_of(const struct hf_entry *entry, const struct hf_node *node)
{
	return entry->kind == node->kind &&
	       strcmp(entry->source, hf_node_name(node)) == 0;
}

/* The entry of a node in [from, to); `to` if there is none. */
static size_t find_near(const struct hf_listing *listing,
			const struct hf_node *node, size_t from, size_t to)
{
	size_t len = hf_listing_len(listing);

	to = to < len ? to : len;
	while (from < to && !is_of(hf_listing_entry(listing, from), node))
		from++;
	return from < to ? from : len;
}

static size_t find(const struct hf_listing *listing, const struct hf_node *node)
{
	size_t low = 0;
	size_t high = hf_listing_len(listing);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(hf_listing_entry(listing, middle)->source,
			   hf_node_name(node)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return find_near(listing, node, low, low + 2);
}

/* Is there nothing to be read before that entry? */
static bool is_first(const struct hf_listing *listing, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (i == NEAR || is_wanted(hf_listing_entry(listing, i)))
			return false;
	return true;
}

/* Call with the lock held: an entry of the reader's directory is opened. False:
 * it is none of the listing. */
static bool step(struct hf_follow *follow, struct reader *reader,
		 const struct hf_node *node)
{
	const struct hf_listing *listing = reader->listing;
	size_t len = hf_listing_len(listing);
	size_t behind = reader->at > NEAR ? reader->at - NEAR : 0;
	size_t at =
		find_near(listing, node, reader->at + 1, reader->at + 1 + NEAR);

	reader->used = ++follow->used;
	if (at < len) {
		follow->ordered++;
		reader->at = at;
		reader->window = reader->window ? 2 * reader->window : 2;
		if (reader->window > WINDOW)
			reader->window = WINDOW;
		return true;
	}
	/* Once more, or a little late: many clients at a time are not quite in
	 * order. */
	if (find_near(listing, node, behind, reader->at + 1) < len)
		return true;
	follow->ordered = 0;
	at = find(listing, node);
	reader->at = at < len ? at : 0;
	reader->until = 0;
	reader->window = 0;
	return at < len;
}

/* Call with the lock held: begins with a directory, in the place of the one
 * that was left the longest ago, which is handed back. NULL: the file is none
 * of the listing. */
static struct reader *begin(struct hf_follow *follow, struct hf_node *dir,
			    struct hf_listing *listing,
			    const struct hf_node *node, struct reader *old)
{
	struct reader *reader = &follow->readers[0];
	size_t at = find(listing, node);

	if (at == hf_listing_len(listing))
		return NULL;
	for (size_t i = 1; i < READERS; i++)
		if (follow->readers[i].used < reader->used)
			reader = &follow->readers[i];
	*old = *reader;
	*reader = (struct reader){.dir = hf_node_ref(dir),
				  .listing = hf_listing_ref(listing),
				  .at = at,
				  .used = ++follow->used};
	if (!is_first(listing, reader->at))
		follow->ordered = 0;
	else if (follow->ordered >= SURE)
		reader->window = WINDOW;
	return reader;
}

/* Call with the lock held: what is to be read now. Not one file each time, but
 * some more when half of them are used up. */
static void make_plan(struct reader *reader, struct plan *ret)
{
	const struct hf_listing *listing = reader->listing;
	size_t end = reader->at + 1 + reader->window;
	uint64_t bytes = 0;
	size_t i = reader->until > reader->at ? reader->until : reader->at + 1;

	if (i + reader->window / 2 > end || reader->window == 0)
		return;
	for (; i < end && i < hf_listing_len(listing); i++) {
		const struct hf_entry *entry = hf_listing_entry(listing, i);

		if (!is_wanted(entry))
			continue;
		if (ret->n > 0 && bytes + entry->size > WINDOW_BYTES)
			break;
		bytes += entry->size;
		ret->entries[ret->n++] = i;
	}
	reader->until = i;
	if (ret->n > 0)
		ret->listing = hf_listing_ref(reader->listing);
}

/* --- the door ----------------------------------------------------------------- */

/* Is a listing worth to be made? Not for one file here and one there. */
static bool is_worth(struct hf_follow *follow, const struct hf_node *dir)
{
	bool worth;

	pthread_mutex_lock(&follow->lock);
	worth = follow->ordered >= SURE || follow->missed == dir->identity[0];
	follow->missed = dir->identity[0];
	pthread_mutex_unlock(&follow->lock);
	return worth;
}

/* Of what was never listed none is made: all files would have to be read. */
static struct hf_listing *listing_of(struct hf_view *view, struct hf_node *dir,
				     struct hf_wait *wait)
{
	struct hf_view_dir *live = hf_node_dir(dir);
	struct hf_listing *listing =
		live ? hf_recent_get(&view->recent, dir) : NULL;
	struct hf_grounds grounds;

	if (view->frozen && hf_frozen_list(dir, &listing) < 0)
		return NULL;
	if (!listing && live && hf_view_dir_listed(live) &&
	    is_worth(view->follow, dir) &&
	    hf_view_list_anew(view, dir, wait, &grounds, &listing) < 0)
		return NULL;
	return listing;
}

static void fetch(struct hf_view *view, struct hf_node *dir,
		  const struct plan *plan)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	uint32_t mark = hf_view_mark(view, dir);
	size_t len;

	hf_node_path(dir, &path);
	len = path.len;
	for (size_t i = 0; i < plan->n; i++) {
		const struct hf_entry *entry =
			hf_listing_entry(plan->listing, plan->entries[i]);

		path.len = len;
		if (len)
			hf_buf_putc(&path, '/');
		hf_buf_puts(&path, entry->source);
		if (hf_buf_status(&path) < 0)
			return;
		hf_digests_fetch(view->digests, entry->root, path.data,
				 entry->size, mark);
	}
	hf_ahead_tend(view->ahead);
}

/* Call with the lock held. */
static struct reader *reader_of(struct hf_follow *follow,
				const struct hf_node *dir)
{
	for (size_t i = 0; i < READERS; i++)
		if (follow->readers[i].dir == dir)
			return &follow->readers[i];
	return NULL;
}

void hf_follow_retain(struct hf_view *view, struct hf_node *dir,
		      struct hf_batch *batch)
{
	struct hf_follow *follow = view->follow;
	bool sure;

	if (!follow)
		return;
	pthread_mutex_lock(&follow->lock);
	sure = follow->ordered >= SURE;
	pthread_mutex_unlock(&follow->lock);
	if (!sure)
		return;
	hf_batch_retain(batch, hf_view_mark(view, dir));
	hf_ahead_tend(view->ahead);
}

void hf_follow_opens(struct hf_view *view, const struct hf_node *node,
		     struct hf_wait *wait)
{
	struct hf_follow *follow = view->follow;
	struct hf_listing *listing = NULL;
	struct reader old = {0};
	struct plan plan = {0};
	struct reader *reader;

	if (!follow || !node->parent)
		return;
	pthread_mutex_lock(&follow->lock);
	reader = reader_of(follow, node->parent);
	if (reader && !step(follow, reader, node)) {
		reader->used = 0; /* it goes first */
		reader = NULL;
	}
	if (!reader) {
		pthread_mutex_unlock(&follow->lock);
		listing = listing_of(view, node->parent, wait);
		if (!listing)
			return;
		pthread_mutex_lock(&follow->lock);
		reader = begin(follow, node->parent, listing, node, &old);
	}
	if (reader)
		make_plan(reader, &plan);
	pthread_mutex_unlock(&follow->lock);
	if (plan.listing)
		fetch(view, node->parent, &plan);
	hf_listing_unref(plan.listing);
	hf_listing_unref(listing);
	reader_fini(&old);
}
