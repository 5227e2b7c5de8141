/*
 * follow: files that are read before they are opened. Files have numbers, given
 * in the order in which they were listed, and who goes through a tree opens
 * them in about that order. So whoever opens a few with rising numbers finds
 * the next ones read and verified, and what is read for names meanwhile is kept
 * for a moment; opening one proves by its stamp, or because no change was
 * reported, that it is still the same (hf_digests_open).
 */
#include "fs/view/ahead.h"

#include <errno.h>
#include <string.h>

/* So many read at the same time. */
#define READERS 8
/* So many numbers are ahead of a reader at most, and the bytes of their files. */
#define WINDOW 64
#define WINDOW_BYTES (UINT64_C(2) * 1024 * 1024)
/* Between two files that are opened in order may be others of no interest. */
#define NEAR 32
/* After so many in order whoever begins elsewhere is believed to go on. */
#define SURE 8

/* How far somebody is. */
struct reader {
	uint64_t from;   /* the number that was opened first */
	uint64_t at;     /* the number that was opened last; 0: it is unused */
	uint64_t until;  /* those before it need not be read ahead */
	uint64_t window; /* 0: they are not opened in order */
	uint64_t used;
};

struct hf_follow {
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct reader readers[READERS];
	uint64_t used;    /* counts openings */
	unsigned ordered; /* in a row */
};

/* Numbers that are to be read. */
struct plan {
	struct reader *reader;
	uint64_t first;
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

void hf_follow_free(struct hf_follow *follow)
{
	if (!follow)
		return;
	pthread_mutex_destroy(&follow->lock);
	free(follow);
}

void hf_follow_rest(struct hf_follow *follow)
{
	pthread_mutex_lock(&follow->lock);
	memset(follow->readers, 0, sizeof(follow->readers));
	pthread_mutex_unlock(&follow->lock);
}

/* --- in order ---------------------------------------------------------------- */

/* Call with the lock held: whoever comes to that number next, or has just
 * passed it: many clients at a time are not quite in order. NULL: nobody. */
static struct reader *reader_near(struct hf_follow *follow, uint64_t number)
{
	struct reader *found = NULL;

	for (struct reader *reader = follow->readers;
	     reader < follow->readers + READERS; reader++) {
		if (reader->at == 0 || number + NEAR < reader->at ||
		    number > reader->at + NEAR)
			continue;
		if (!found || found->at > number ||
		    (reader->at < number && reader->at > found->at))
			found = reader;
	}
	return found;
}

/* Call with the lock held. */
static void step(struct hf_follow *follow, struct reader *reader,
		 uint64_t number)
{
	if (number <= reader->at)
		return;
	if (follow->ordered < 2 * SURE)
		follow->ordered++;
	reader->at = number;
	reader->window = reader->window ? 2 * reader->window : 2;
	if (reader->window > WINDOW)
		reader->window = WINDOW;
}

/* Call with the lock held: what comes after that number was read, most likely:
 * somebody was there, and is beyond. */
static bool is_passed(const struct hf_follow *follow, uint64_t number)
{
	for (size_t i = 0; i < READERS; i++)
		if (follow->readers[i].from <= number &&
		    number < follow->readers[i].at)
			return true;
	return false;
}

/* Call with the lock held: in the place of the one that was left the longest
 * ago. */
static struct reader *begin(struct hf_follow *follow, uint64_t number)
{
	bool sure = follow->ordered >= SURE && !is_passed(follow, number);
	struct reader *reader = follow->readers;

	for (size_t i = 1; i < READERS; i++)
		if (follow->readers[i].used < reader->used)
			reader = &follow->readers[i];
	*reader = (struct reader){
		.from = number,
		.at = number,
		.window = sure ? WINDOW : 0,
	};
	/* Who only begins, here and there, does not go on. */
	follow->ordered /= 2;
	return reader;
}

/* Call with the lock held: `end`, or where others have begun before that and
 * read what follows: in a directory below, for one. */
static uint64_t not_beyond(const struct hf_follow *follow, uint64_t first,
			   uint64_t end)
{
	for (size_t i = 0; i < READERS; i++) {
		const struct reader *other = &follow->readers[i];

		if (other->from >= first && other->from < end)
			end = other->from;
	}
	return end;
}

/* Call with the lock held: what is to be read now. Not one file each time, but
 * some more when half of them are used up. */
static struct plan make_plan(const struct hf_follow *follow,
			     struct reader *reader)
{
	uint64_t first =
		reader->until > reader->at ? reader->until : reader->at + 1;
	uint64_t end = reader->at + 1 + reader->window;

	if (reader->window == 0 || first + reader->window / 2 > end)
		return (struct plan){0};
	end = not_beyond(follow, first, end);
	reader->until = end;
	return (struct plan){
		.reader = reader,
		.first = first,
		.n = (size_t)(end - first),
	};
}

/* --- what is read ------------------------------------------------------------ */

static bool is_wanted(const struct hf_node *node)
{
	return hf_node_constant(node) && !hf_node_dead(node) &&
	       node->size <= HF_PINNED_MAX;
}

/* Is it a text that is held as it is shown? */
static bool is_held(struct hf_view *view, const struct hf_node *node,
		    const char *path, uint32_t mark)
{
	struct hf_digest digest = hf_node_content(node);
	struct hf_verified *bytes =
		hf_view_is_text(view, path)
			? hf_rewritten_get(view->rewritten, path, &digest,
					   node->reported ? mark : 0)
			: NULL;

	hf_verified_unref(bytes);
	return bytes;
}

static void fetch(struct hf_view *view, const struct hf_node *node,
		  uint32_t mark)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};

	hf_node_path(node, &path);
	if (hf_buf_status(&path) == 0 && !is_held(view, node, path.data, mark))
		hf_digests_fetch(view->digests, node->root, path.data,
				 node->size, mark);
}

/* Gives back how many of those are done with: not what is beyond the last
 * number that there is, and not more than a window's bytes. */
static size_t fetch_all(struct hf_view *view, struct hf_node *const nodes[],
			size_t n)
{
	struct hf_node *dir = NULL;
	uint64_t bytes = 0;
	uint32_t mark = 0;
	size_t done = 0;

	for (size_t i = 0; i < n && bytes < WINDOW_BYTES; i++) {
		if (!nodes[i])
			continue;
		done = i + 1;
		if (!is_wanted(nodes[i]))
			continue;
		if (nodes[i]->parent != dir) {
			dir = nodes[i]->parent;
			mark = hf_view_mark(view, dir);
		}
		bytes += nodes[i]->size;
		fetch(view, nodes[i], mark);
	}
	return done;
}

static void carry_out(struct hf_view *view, const struct plan *plan,
		      hf_numbered *numbered, void *arg)
{
	struct hf_follow *follow = view->follow;
	struct hf_node *nodes[WINDOW];
	size_t done;

	numbered(arg, plan->first, plan->n, nodes);
	done = fetch_all(view, nodes, plan->n);
	for (size_t i = 0; i < plan->n; i++)
		hf_node_unref(nodes[i]);
	hf_ahead_tend(view->ahead);
	pthread_mutex_lock(&follow->lock);
	/* Unless somebody has gone on meanwhile, or has begun. */
	if (plan->reader->until == plan->first + plan->n)
		plan->reader->until = plan->first + done;
	pthread_mutex_unlock(&follow->lock);
}

/* --- the door ----------------------------------------------------------------- */

static bool is_sure(struct hf_follow *follow)
{
	bool sure;

	if (!follow)
		return false;
	pthread_mutex_lock(&follow->lock);
	sure = follow->ordered >= SURE;
	pthread_mutex_unlock(&follow->lock);
	return sure;
}

void hf_follow_retain(struct hf_view *view, struct hf_node *dir,
		      struct hf_batch *batch)
{
	if (!is_sure(view->follow))
		return;
	hf_batch_retain(batch, hf_view_mark(view, dir));
	hf_ahead_tend(view->ahead);
}

void hf_follow_mark(struct hf_view *view, struct hf_node *dir,
		    struct hf_graph *graph)
{
	if (!is_sure(view->follow))
		return;
	graph->mark = hf_view_mark(view, dir);
	hf_ahead_tend(view->ahead);
}

void hf_view_opened(struct hf_view *view, uint64_t number,
		    hf_numbered *numbered, void *arg)
{
	struct hf_follow *follow = view->follow;
	struct reader *reader;
	struct plan plan;

	if (!follow)
		return;
	pthread_mutex_lock(&follow->lock);
	reader = reader_near(follow, number);
	if (reader)
		step(follow, reader, number);
	else
		reader = begin(follow, number);
	reader->used = ++follow->used;
	plan = make_plan(follow, reader);
	pthread_mutex_unlock(&follow->lock);
	if (plan.n > 0)
		carry_out(view, &plan, numbered, arg);
}
