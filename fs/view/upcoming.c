/*
 * upcoming: directories that may be opened next, nearest first. When one is
 * listed for the first time, those in it come before all others. An opening
 * takes its directory out of the list, with all that the reader has passed
 * over. A window at the front says which may be named by now.
 */
#include "fs/view/ahead.h"

#include <errno.h>

/* Directories that may be named and not opened yet; it begins with FIRST, and
 * each that is opened doubles it. */
#define FIRST 4
#define MOST 512
/* The files in all of those, and the bytes of those files that may be retained
 * for who opens them, too. */
#define MAX_FILES 8192
#define MAX_BYTES (UINT64_C(16) * 1024 * 1024)
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

struct hf_upcoming {
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct hf_next *first;
	struct hf_map *by_identity;
	size_t window;     /* directories that may be ahead of the reader */
	size_t files;      /* of those that are STARTED or NAMED */
	uint64_t bytes;    /* of those, too */
	size_t pending;    /* of those that are STARTED */
	int64_t opened_ns; /* when the last of them was opened */
};

/* --- the list --------------------------------------------------------------- */

static void next_free(struct hf_next *next)
{
	hf_naming_free(next->naming);
	hf_graph_free(next->graph);
	hf_listing_unref(next->listing);
	hf_node_unref(next->node);
	free(next);
}

static void free_all(struct hf_next *next)
{
	while (next) {
		struct hf_next *after = next->after;

		next_free(next);
		next = after;
	}
}

/* Call with the lock held. */
static void set_state(struct hf_upcoming *upcoming, struct hf_next *next,
		      enum state state)
{
	if (next->state == STARTED)
		upcoming->pending -= next->files;
	if (next->state == STARTED || next->state == NAMED) {
		upcoming->files -= next->files;
		upcoming->bytes -= next->bytes;
	}
	next->state = state;
	if (state == STARTED)
		upcoming->pending += next->files;
	if (state == STARTED || state == NAMED) {
		upcoming->files += next->files;
		upcoming->bytes += next->bytes;
	}
}

/* Call with the lock held: takes it out, and adds it to `gone`, which is freed
 * without the lock. */
static void take_out(struct hf_upcoming *upcoming, struct hf_next *next,
		     struct hf_next **gone)
{
	set_state(upcoming, next, WAITS);
	hf_map_remove(upcoming->by_identity, next->node->identity,
		      sizeof(next->node->identity));
	if (next->before)
		next->before->after = next->after;
	else
		upcoming->first = next->after;
	if (next->after)
		next->after->before = next->before;
	next->before = next->after = NULL;
	if (next->busy) {
		next->gone = true;
		return;
	}
	next->after = *gone;
	*gone = next;
}

/* Call with the lock held: puts it behind `at`, or at the front if that is
 * NULL. -EEXIST: it is in the list already; -ENOMEM. */
static int put_in(struct hf_upcoming *upcoming, struct hf_next *next,
		  struct hf_next *at)
{
	int error = hf_map_put(upcoming->by_identity, next->node->identity,
			       sizeof(next->node->identity), next);

	if (error < 0)
		return error;
	next->before = at;
	next->after = at ? at->after : upcoming->first;
	if (next->after)
		next->after->before = next;
	if (at)
		at->after = next;
	else
		upcoming->first = next;
	return 0;
}

/* --- what may come next ----------------------------------------------------- */

/* 1: *ret is the directory that `source` presents in `parent`; 0: none. */
static int next_new(struct hf_view *view, struct hf_node *parent,
		    const struct hf_source_entry *source, struct hf_next **ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf name = {0};
	struct hf_entry entry;
	struct hf_next *next;
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
static struct hf_next *children_of(struct hf_view *view, struct hf_node *parent,
				   const struct hf_source_list *list)
{
	struct hf_next *first = NULL;
	struct hf_next **last = &first;

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

void hf_upcoming_offer(struct hf_upcoming *upcoming, struct hf_view *view,
		       struct hf_node *parent,
		       const struct hf_source_list *list, struct hf_next *at)
{
	struct hf_next *next = children_of(view, parent, list);
	struct hf_next *gone = NULL;

	pthread_mutex_lock(&upcoming->lock);
	if (at && at->gone)
		at = NULL;
	while (next) {
		struct hf_next *after = next->after;

		if (hf_map_len(upcoming->by_identity) < MAX_KNOWN &&
		    put_in(upcoming, next, at) == 0) {
			at = next;
		} else {
			next->after = gone;
			gone = next;
		}
		next = after;
	}
	pthread_mutex_unlock(&upcoming->lock);
	free_all(gone);
}

bool hf_upcoming_open(struct hf_upcoming *upcoming, const struct hf_node *dir,
		      bool *offer, struct hf_listing **ret)
{
	struct hf_next *gone = NULL;
	struct hf_next *next;

	pthread_mutex_lock(&upcoming->lock);
	next = hf_map_get(upcoming->by_identity, dir->identity,
			  sizeof(dir->identity));
	if (next) {
		/* What is in the others was offered when they were begun. */
		*offer = !next->busy &&
			 (next->state == WAITS || next->state == LEFT);
		if (next->state == NAMED && next->listing)
			*ret = hf_listing_ref(next->listing);
		while (upcoming->first != next)
			take_out(upcoming, upcoming->first, &gone);
		take_out(upcoming, next, &gone);
		upcoming->opened_ns = hf_clock_monotonic();
		upcoming->window =
			upcoming->window ? 2 * upcoming->window : FIRST;
		if (upcoming->window > MOST)
			upcoming->window = MOST;
	} else if (*offer) {
		/* The reader, or another one, begins elsewhere. */
		while (upcoming->first)
			take_out(upcoming, upcoming->first, &gone);
		upcoming->window = 0;
	}
	pthread_mutex_unlock(&upcoming->lock);
	free_all(gone);
	return next != NULL;
}

struct hf_node *hf_upcoming_node(struct hf_upcoming *upcoming,
				 const struct hf_node *node)
{
	struct hf_node *other = NULL;
	struct hf_next *next;

	pthread_mutex_lock(&upcoming->lock);
	next = hf_map_get(upcoming->by_identity, node->identity,
			  sizeof(node->identity));
	if (next && next->node->reported == node->reported)
		other = hf_node_ref(next->node);
	pthread_mutex_unlock(&upcoming->lock);
	return other;
}

/* --- one after the other ------------------------------------------------------ */

/* Call with the lock held: the next one to be started, or to be finished if
 * enough is under way, or NULL. */
static struct hf_next *choose(const struct hf_upcoming *upcoming)
{
	bool more = hf_clock_monotonic() - upcoming->opened_ns < REST_NS &&
		    upcoming->pending < MAX_PENDING &&
		    upcoming->files < MAX_FILES && upcoming->bytes < MAX_BYTES;
	struct hf_next *started = NULL;
	size_t n = 0;

	for (struct hf_next *next = upcoming->first;
	     next && n < upcoming->window; next = next->after, n++) {
		if (next->state == WAITS && more)
			return next;
		if (next->state == STARTED && !started)
			started = next;
		if (started && !more)
			break;
	}
	return started;
}

struct hf_next *hf_upcoming_take(struct hf_upcoming *upcoming)
{
	struct hf_next *next;

	pthread_mutex_lock(&upcoming->lock);
	next = choose(upcoming);
	if (next)
		next->busy = true;
	pthread_mutex_unlock(&upcoming->lock);
	return next;
}

/* Of a directory that is begun. */
static void measure(struct hf_next *next)
{
	const struct hf_source_list *list = hf_naming_list(next->naming);

	next->files = hf_source_list_len(list);
	for (size_t i = 0; i < next->files; i++) {
		const struct hf_source_entry *entry =
			hf_source_list_entry(list, i);

		if (entry->type == HF_TYPE_FILE &&
		    entry->st.st_size <= HF_PINNED_MAX)
			next->bytes += (uint64_t)entry->st.st_size;
	}
}

void hf_upcoming_give(struct hf_upcoming *upcoming, struct hf_next *next,
		      int error)
{
	enum state state = error < 0 ? LEFT : next->naming ? STARTED : NAMED;
	bool gone;

	if (state == STARTED)
		measure(next);
	pthread_mutex_lock(&upcoming->lock);
	next->busy = false;
	gone = next->gone;
	if (!gone)
		set_state(upcoming, next, state);
	pthread_mutex_unlock(&upcoming->lock);
	if (gone)
		next_free(next);
}

/* --- the whole ------------------------------------------------------------------ */

int hf_upcoming_new(const uint64_t seed[2], struct hf_upcoming **ret)
{
	struct hf_upcoming *upcoming = calloc(1, sizeof(*upcoming));
	int error =
		upcoming ? hf_map_new(seed, &upcoming->by_identity) : -ENOMEM;

	if (error < 0) {
		free(upcoming);
		return error;
	}
	pthread_mutex_init(&upcoming->lock, NULL);
	*ret = upcoming;
	return 0;
}

void hf_upcoming_free(struct hf_upcoming *upcoming)
{
	if (!upcoming)
		return;
	free_all(upcoming->first);
	hf_map_free(upcoming->by_identity);
	pthread_mutex_destroy(&upcoming->lock);
	free(upcoming);
}
