/*
 * ahead: directories that are named before somebody opens them. Whoever goes
 * through a tree reads a directory, and then those in it, one after the other;
 * meanwhile a thread of its own names the next ones (upcoming.c). It leaves
 * behind just what an opening would have: what is remembered of the directory,
 * its listing, and digests. An opening proves that as ever, so that nothing
 * rests on what is done here but time. The same thread lets go of what was read
 * ahead for nobody (follow.c), of listings (recent.c) and texts (rewritten.c).
 */
#include "fs/view/ahead.h"

#include <errno.h>

/* Between two looks at what is to be let go. */
#define TEND_MS 1000
/* Bytes of rewritten texts that are held. */
#define MAX_REWRITTEN (UINT64_C(64) << 20)

struct hf_ahead {
	struct hf_view *view;
	struct hf_upcoming *upcoming;
	pthread_t thread;
	/* The thread's: woken when there may be something to do, interrupted
	 * in the end. */
	struct hf_wait wait;
	atomic_bool tends; /* there is something to be let go */
};

/* --- the thread --------------------------------------------------------------- */

static void end(struct hf_next *next)
{
	hf_naming_free(next->naming);
	hf_graph_free(next->graph);
	next->naming = NULL;
	next->graph = NULL;
}

static int start(struct hf_ahead *ahead, struct hf_next *next)
{
	struct hf_view *view = ahead->view;
	int error = hf_graph_new(view, &next->graph);

	if (error < 0)
		return error;
	next->graph->watching = true;
	hf_follow_mark(view, next->node, next->graph);
	hf_grounds_take(view, next->node, &next->grounds);
	error = hf_naming_look(view, next->node, next->graph, &next->naming);
	if (error == 0 && !hf_naming_is_small(next->naming))
		error = -EFBIG;
	if (error == 0)
		error = hf_naming_ask(next->naming);
	if (error == 0)
		hf_upcoming_offer(ahead->upcoming, view, next->node,
				  hf_naming_list(next->naming), next);
	else
		end(next);
	return error;
}

static void finish(struct hf_ahead *ahead, struct hf_next *next)
{
	if (hf_naming_finish(next->naming, &ahead->wait, &next->listing) == 0)
		hf_view_vouch(next->node, &next->grounds, next->listing);
	end(next);
}

/* True if there was something to do. */
static bool do_one(struct hf_ahead *ahead)
{
	struct hf_next *next = hf_upcoming_take(ahead->upcoming);
	int error = 0;

	if (!next)
		return false;
	if (next->naming)
		finish(ahead, next);
	else
		error = start(ahead, next);
	hf_upcoming_give(ahead->upcoming, next, error);
	return true;
}

/* Lets files go that were read ahead for nobody, and then what they were of;
 * and listings that nobody asks for any more. */
static void tend(struct hf_ahead *ahead)
{
	struct hf_view *view = ahead->view;
	int64_t now_ns;
	bool gone;

	if (hf_wait_block_for(&ahead->wait, TEND_MS) != -ETIMEDOUT)
		return;
	now_ns = hf_clock_monotonic();
	atomic_store(&ahead->tends, false);
	if (hf_digests_rest(view->digests))
		atomic_store(&ahead->tends, true);
	else
		hf_follow_rest(view->follow);
	if (hf_recent_rest(&view->recent, now_ns, &gone))
		atomic_store(&ahead->tends, true);
	if (hf_rewritten_rest(view->rewritten, now_ns, &gone))
		atomic_store(&ahead->tends, true);
	if (gone)
		hf_view_freed(view);
}

static void *run(void *arg)
{
	struct hf_ahead *ahead = arg;

	while (!hf_wait_interrupted(&ahead->wait)) {
		if (do_one(ahead))
			continue;
		if (atomic_load(&ahead->tends))
			tend(ahead);
		else
			(void)!hf_wait_block(&ahead->wait);
	}
	return NULL;
}

/* --- the door ----------------------------------------------------------------- */

bool hf_ahead_opens(struct hf_ahead *ahead, const struct hf_node *dir,
		    bool first)
{
	struct hf_listing *listing = NULL;

	if (!ahead)
		return false;
	if (hf_upcoming_open(ahead->upcoming, dir, &first, &listing))
		hf_wait_wake(&ahead->wait);
	if (listing) {
		hf_recent_put(&ahead->view->recent, dir, listing);
		hf_ahead_tend(ahead);
	}
	hf_listing_unref(listing);
	return first;
}

void hf_ahead_offer(struct hf_ahead *ahead, struct hf_node *dir,
		    const struct hf_source_list *list)
{
	hf_upcoming_offer(ahead->upcoming, ahead->view, dir, list, NULL);
	hf_wait_wake(&ahead->wait);
}

void hf_ahead_tend(struct hf_ahead *ahead)
{
	if (ahead && !atomic_exchange(&ahead->tends, true))
		hf_wait_wake(&ahead->wait);
}

void hf_ahead_instead(struct hf_ahead *ahead, struct hf_node **node)
{
	struct hf_node *other;

	if (!ahead || (*node)->kind != HF_KIND_DIR)
		return;
	other = hf_upcoming_node(ahead->upcoming, *node);
	if (other) {
		hf_node_unref(*node);
		*node = other;
	}
}

int hf_view_go_ahead(struct hf_view *view)
{
	struct hf_ahead *ahead = calloc(1, sizeof(*ahead));
	int error = ahead ? 0 : -ENOMEM;

	if (error == 0)
		error = hf_follow_new(&view->follow);
	if (error == 0)
		error = hf_rewritten_new(view->seed, MAX_REWRITTEN,
					 &view->rewritten);
	if (error == 0)
		error = hf_upcoming_new(view->seed, &ahead->upcoming);
	if (error == 0) {
		ahead->view = view;
		hf_wait_init(&ahead->wait);
		error = hf_thread_start(&ahead->thread, 0, run, ahead);
	}
	if (error < 0) {
		if (ahead)
			hf_upcoming_free(ahead->upcoming);
		free(ahead);
		return error;
	}
	view->ahead = ahead;
	return 0;
}

void hf_ahead_free(struct hf_ahead *ahead)
{
	if (!ahead)
		return;
	hf_wait_interrupt(&ahead->wait);
	pthread_join(ahead->thread, NULL);
	hf_upcoming_free(ahead->upcoming);
	hf_wait_fini(&ahead->wait);
	free(ahead);
}
