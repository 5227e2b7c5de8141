/*
 * ahead: directories that are named before somebody opens them. Whoever goes
 * through a tree reads a directory, and then those in it, one after the other;
 * meanwhile a thread of its own names the next ones. It leaves behind just what
 * an opening would have: what is remembered of the directory, and digests. An
 * opening proves that by stamps as ever, so that nothing rests on what is done
 * here but time.
 *
 * The directories that may come next stand in a list, nearest first: when one
 * is listed for the first time, those in it come before all others. An opening
 * takes its directory out of it, with all that the reader has passed over.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

/* Directories that may be named and not opened yet; it begins with FIRST, and
 * each that is opened doubles it. */
#define FIRST 4
#define MOST 512
/* The files in all of those. */
#define MAX_FILES 8192
/* Files whose digests may be on their way when another directory is begun: in
 * a source that hangs each takes a thread of the pool, and many of those must
 * be left to others. That is why a large directory is left, too; it is parallel
 * enough by itself. */
#define MAX_PENDING 64
/* Whoever opens nothing for so long has stopped. */
#define REST_NS INT64_C(1000000000)
/* Directories that are remembered to come. */
#define MAX_KNOWN 16384

enum state {
	WAITS,
	STARTED, /* its digests are on their way */
	NAMED,
	LEFT, /* to whoever opens it: too large, or it failed */
};

struct next {
	struct hf_node *node;      /* a reference */
	struct hf_graph *graph;    /* the thread's, as naming */
	struct hf_naming *naming;  /* while it is STARTED */
	struct hf_grounds grounds; /* of that */
	/* the following are protected by the lock of the whole */
	struct next *before;
	struct next *after;
	enum state state;
	size_t files; /* once it is STARTED */
	bool gone;    /* out of the list, while the thread is at it */
};

struct hf_ahead {
	struct hf_view *view;
	pthread_t thread;
	struct hf_wait wait; /* the thread's */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* the following are protected by lock */
	bool ending;
	struct next *first;
	struct next *busy; /* what the thread is at, or NULL */
	struct hf_map *by_identity;
	size_t window;     /* directories that may be ahead of the reader */
	size_t files;      /* of those that are STARTED or NAMED */
	size_t pending;    /* of those that are STARTED */
	int64_t opened_ns; /* when the last of them was opened */
	bool tends;        /* files were read ahead, see follow.c */
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- the list --------------------------------------------------------------- */

static void next_free(struct next *next)
{
	hf_naming_free(next->naming);
	hf_graph_free(next->graph);
	hf_node_unref(next->node);
	free(next);
}

static void free_all(struct next *next)
{
	while (next) {
		struct next *after = next->after;

		next_free(next);
		next = after;
	}
}

/* Call with the lock held. */
static void set_state(struct hf_ahead *ahead, struct next *next,
		      enum state state)
{
	if (next->state == STARTED)
		ahead->pending -= next->files;
	if (next->state == STARTED || next->state == NAMED)
		ahead->files -= next->files;
	next->state = state;
	if (state == STARTED)
		ahead->pending += next->files;
	if (state == STARTED || state == NAMED)
		ahead->files += next->files;
}

/* Call with the lock held: takes it out, and adds it to `gone`, which is freed
 * without the lock. */
static void take_out(struct hf_ahead *ahead, struct next *next,
		     struct next **gone)
{
	set_state(ahead, next, WAITS);
	hf_map_remove(ahead->by_identity, next->node->identity,
		      sizeof(next->node->identity));
	if (next->before)
		next->before->after = next->after;
	else
		ahead->first = next->after;
	if (next->after)
		next->after->before = next->before;
	next->before = next->after = NULL;
	if (next == ahead->busy) {
		next->gone = true;
		return;
	}
	next->after = *gone;
	*gone = next;
}

/* Call with the lock held: puts it behind `at`, or at the front if that is
 * NULL. -EEXIST: it is in the list already; -ENOMEM. */
static int put_in(struct hf_ahead *ahead, struct next *next, struct next *at)
{
	int error = hf_map_put(ahead->by_identity, next->node->identity,
			       sizeof(next->node->identity), next);

	if (error < 0)
		return error;
	next->before = at;
	next->after = at ? at->after : ahead->first;
	if (next->after)
		next->after->before = next;
	if (at)
		at->after = next;
	else
		ahead->first = next;
	return 0;
}

/* --- what may come next ----------------------------------------------------- */

/* 1: *ret is the directory that `source` presents in `parent`; 0: none. */
static int next_new(struct hf_view *view, struct hf_node *parent,
		    const struct hf_source_entry *source, struct next **ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf name = {0};
	struct hf_entry entry;
	struct next *next;
	int error;

	if (source->type != HF_TYPE_DIR || source->shadowed)
		return 0;
	error = hf_present(view, "", source, (struct hf_rule){0}, NULL, 0,
			   &name, &entry);
	if (error < 0 || entry.hidden)
		return error;
	entry.reported = hf_source_entry_reported(source);
	next = calloc(1, sizeof(*next));
	if (!next)
		return -ENOMEM;
	error = hf_node_new(view, parent, &entry, &next->node);
	if (error < 0) {
		free(next);
		return error;
	}
	*ret = next;
	return 1;
}

/* All directories of the list, in its order. */
static struct next *children_of(struct hf_view *view, struct hf_node *parent,
				const struct hf_source_list *list)
{
	struct next *first = NULL;
	struct next **last = &first;

	for (size_t i = 0; i < hf_source_list_len(list); i++) {
		int made = next_new(view, parent, hf_source_list_entry(list, i),
				    last);

		if (made < 0) /* what is missing is not named ahead */
			break;
		if (made)
			last = &(*last)->after;
	}
	return first;
}

/* Puts what is in `parent` into the list, behind `at` if that is there. */
static void offer(struct hf_ahead *ahead, struct hf_node *parent,
		  const struct hf_source_list *list, struct next *at)
{
	struct next *next = children_of(ahead->view, parent, list);
	struct next *gone = NULL;

	pthread_mutex_lock(&ahead->lock);
	if (at && at->gone)
		at = NULL;
	while (next) {
		struct next *after = next->after;

		if (hf_map_len(ahead->by_identity) < MAX_KNOWN &&
		    put_in(ahead, next, at) == 0) {
			at = next;
		} else {
			next->after = gone;
			gone = next;
		}
		next = after;
	}
	pthread_mutex_unlock(&ahead->lock);
	free_all(gone);
}

/* --- the thread --------------------------------------------------------------- */

static int start(struct hf_ahead *ahead, struct next *next)
{
	struct hf_view *view = ahead->view;
	int error = hf_graph_new(view, &next->graph);

	if (error < 0)
		return error;
	next->graph->watching = true;
	hf_grounds_take(view, next->node, &next->grounds);
	error = hf_naming_look(view, next->node, next->graph, &next->naming);
	if (error == 0 && !hf_naming_is_small(next->naming))
		error = -EFBIG;
	if (error == 0)
		error = hf_naming_ask(next->naming);
	if (error == 0)
		offer(ahead, next->node, hf_naming_list(next->naming), next);
	if (error < 0) {
		hf_naming_free(next->naming);
		next->naming = NULL;
	}
	return error;
}

static void finish(struct hf_ahead *ahead, struct next *next)
{
	struct hf_listing *listing;

	if (hf_naming_finish(next->naming, &ahead->wait, &listing) == 0) {
		hf_view_vouch(next->node, &next->grounds, listing);
		hf_listing_unref(listing);
	}
	hf_naming_free(next->naming);
	hf_graph_free(next->graph);
	next->naming = NULL;
	next->graph = NULL;
}

/* Call with the lock held: the next one to be started, or to be finished if
 * enough is under way, or NULL. */
static struct next *choose(const struct hf_ahead *ahead)
{
	bool more = now_ns() - ahead->opened_ns < REST_NS &&
		    ahead->pending < MAX_PENDING && ahead->files < MAX_FILES;
	struct next *started = NULL;
	size_t n = 0;

	for (struct next *next = ahead->first; next && n < ahead->window;
	     next = next->after, n++) {
		if (next->state == WAITS && more)
			return next;
		if (next->state == STARTED && !started)
			started = next;
		if (started && !more)
			break;
	}
	return started;
}

/* Call with the lock held; it is dropped meanwhile. */
static void do_one(struct hf_ahead *ahead, struct next *next)
{
	bool starts = next->state == WAITS;
	size_t files = 0;
	int error = 0;

	ahead->busy = next;
	pthread_mutex_unlock(&ahead->lock);
	if (starts)
		error = start(ahead, next);
	else
		finish(ahead, next);
	if (next->naming)
		files = hf_source_list_len(hf_naming_list(next->naming));
	pthread_mutex_lock(&ahead->lock);
	ahead->busy = NULL;
	if (next->gone) {
		pthread_mutex_unlock(&ahead->lock);
		next_free(next);
		pthread_mutex_lock(&ahead->lock);
		return;
	}
	if (starts)
		next->files = files;
	set_state(ahead, next, error < 0 ? LEFT : starts ? STARTED : NAMED);
}

/* Call with the lock held; it is dropped meanwhile: lets files go that were
 * read ahead for nobody. */
static void tend(struct hf_ahead *ahead)
{
	struct timespec until;
	bool any;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_cond_timedwait(&ahead->changed, &ahead->lock, &until);
	pthread_mutex_unlock(&ahead->lock);
	any = hf_digests_rest(ahead->view->digests);
	pthread_mutex_lock(&ahead->lock);
	ahead->tends = any;
}

static void *run(void *arg)
{
	struct hf_ahead *ahead = arg;

	pthread_mutex_lock(&ahead->lock);
	while (!ahead->ending) {
		struct next *next = choose(ahead);

		if (next)
			do_one(ahead, next);
		else if (ahead->tends)
			tend(ahead);
		else
			pthread_cond_wait(&ahead->changed, &ahead->lock);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

/* --- the door ----------------------------------------------------------------- */

bool hf_ahead_opens(struct hf_ahead *ahead, const struct hf_node *dir,
		    bool first)
{
	struct next *gone = NULL;
	struct next *next;

	if (!ahead)
		return false;
	pthread_mutex_lock(&ahead->lock);
	next = hf_map_get(ahead->by_identity, dir->identity,
			  sizeof(dir->identity));
	if (next) {
		first = next != ahead->busy &&
			(next->state == WAITS || next->state == LEFT);
		while (ahead->first != next)
			take_out(ahead, ahead->first, &gone);
		take_out(ahead, next, &gone);
		ahead->opened_ns = now_ns();
		ahead->window = ahead->window ? 2 * ahead->window : FIRST;
		if (ahead->window > MOST)
			ahead->window = MOST;
		pthread_cond_signal(&ahead->changed);
	} else if (first) {
		while (ahead->first)
			take_out(ahead, ahead->first, &gone);
		ahead->window = 0;
	}
	pthread_mutex_unlock(&ahead->lock);
	free_all(gone);
	return first;
}

void hf_ahead_offer(struct hf_ahead *ahead, struct hf_node *dir,
		    const struct hf_source_list *list)
{
	offer(ahead, dir, list, NULL);
	pthread_mutex_lock(&ahead->lock);
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
}

void hf_ahead_tend(struct hf_ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	if (!ahead->tends)
		pthread_cond_signal(&ahead->changed);
	ahead->tends = true;
	pthread_mutex_unlock(&ahead->lock);
}

void hf_ahead_instead(struct hf_ahead *ahead, struct hf_node **node)
{
	struct hf_node *other = NULL;
	struct next *next;

	if (!ahead || (*node)->entry.kind != HF_KIND_DIR)
		return;
	pthread_mutex_lock(&ahead->lock);
	next = hf_map_get(ahead->by_identity, (*node)->identity,
			  sizeof((*node)->identity));
	if (next && next->node->entry.reported == (*node)->entry.reported)
		other = hf_node_ref(next->node);
	pthread_mutex_unlock(&ahead->lock);
	if (other) {
		hf_node_unref(*node);
		*node = other;
	}
}

static int start_thread(struct hf_ahead *ahead)
{
	sigset_t all;
	sigset_t old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&ahead->thread, NULL, run, ahead);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -error;
}

int hf_view_go_ahead(struct hf_view *view)
{
	struct hf_ahead *ahead;
	int error;

	error = hf_follow_new(&view->follow);
	if (error < 0)
		return error;
	ahead = calloc(1, sizeof(*ahead));
	error = ahead ? hf_map_new(view->seed, &ahead->by_identity) : -ENOMEM;
	if (error < 0) {
		free(ahead);
		return error;
	}
	ahead->view = view;
	hf_wait_init(&ahead->wait);
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	error = start_thread(ahead);
	if (error < 0) {
		hf_map_free(ahead->by_identity);
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
	pthread_mutex_lock(&ahead->lock);
	ahead->ending = true;
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	pthread_join(ahead->thread, NULL);
	free_all(ahead->first);
	hf_map_free(ahead->by_identity);
	pthread_mutex_destroy(&ahead->lock);
	pthread_cond_destroy(&ahead->changed);
	hf_wait_fini(&ahead->wait);
	free(ahead);
}
