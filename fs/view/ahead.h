/*
 * ahead: what is done before anybody asks for it.
 *
 *   ahead.c      directories named before they are opened
 *   upcoming.c   which those are
 *   follow.c     files read before they are opened
 */
#ifndef HF_VIEW_AHEAD_H
#define HF_VIEW_AHEAD_H

#include "fs/view/listing.h"

/* --- ahead.c -------------------------------------------------------------- */

struct hf_ahead;
/* Waits for what is being looked at. NULL is allowed, here and below. */
void hf_ahead_free(struct hf_ahead *ahead);
/*
 * Somebody opens the directory `dir`; `first`: it was never listed before. True
 * if what is in it is to be offered once it is listed.
 */
bool hf_ahead_opens(struct hf_ahead *ahead, const struct hf_node *dir,
		    bool first);
/* The directories in `list`, which is what `dir` has, may be opened next. */
void hf_ahead_offer(struct hf_ahead *ahead, struct hf_node *dir,
		    const struct hf_source_list *list);
/* Replaces a new node of a directory by the one that is named ahead, or has
 * been, if there is such a one; steals and gives a reference. */
void hf_ahead_instead(struct hf_ahead *ahead, struct hf_node **node);

/* Files are read ahead, or a listing is held: lets them go if nobody comes for
 * them. NULL is allowed. */
void hf_ahead_tend(struct hf_ahead *ahead);

/* --- upcoming.c ----------------------------------------------------------- */

/* A directory that may be opened next. */
struct hf_next {
	struct hf_node *node;     /* a reference */
	struct hf_naming *naming; /* under way; of who took it, as graph */
	struct hf_graph *graph;
	struct hf_grounds grounds;
	struct hf_listing
		*listing; /* once it is named; held for who opens it */
	/* private, and protected by the list's lock: */
	struct hf_next *before;
	struct hf_next *after;
	unsigned state;
	size_t files;
	uint64_t bytes;
	bool busy; /* it is taken, */
	bool gone; /* and out of the list */
};

/* Any thread; one takes and gives. */
struct hf_upcoming;
int hf_upcoming_new(const uint64_t seed[2],
		    struct hf_upcoming **ret) HF_MUST_USE;
void hf_upcoming_free(struct hf_upcoming *upcoming);
/* The directories in `list`, which is what `parent` has, come next: first of
 * all, or after `at`, which is taken, if that is still in the list. */
void hf_upcoming_offer(struct hf_upcoming *upcoming, struct hf_view *view,
		       struct hf_node *parent,
		       const struct hf_source_list *list, struct hf_next *at);
/* Somebody opens a directory. True if it was in the list. *offer: it is listed
 * for the first time; then, whether what is in it is to be offered. *ret is a
 * new reference to its listing if it was named ahead; else it stays. */
bool hf_upcoming_open(struct hf_upcoming *upcoming, const struct hf_node *dir,
		      bool *offer, struct hf_listing **ret);
/* A new reference to the node in the list that is as this one, or NULL. */
struct hf_node *hf_upcoming_node(struct hf_upcoming *upcoming,
				 const struct hf_node *node);
/* The next one whose naming is to be started, or to be finished if it has one;
 * borrowed until it is given back. NULL: there is nothing to do. */
struct hf_next *hf_upcoming_take(struct hf_upcoming *upcoming);
/* With a naming it is started, without one it is named; error: it is left to
 * whoever opens it. */
void hf_upcoming_give(struct hf_upcoming *upcoming, struct hf_next *next,
		      int error);

/* --- follow.c ------------------------------------------------------------- */

struct hf_follow;
int hf_follow_new(struct hf_follow **ret) HF_MUST_USE;
void hf_follow_free(struct hf_follow *follow);
/* Nobody goes on: forgets who read. */
void hf_follow_rest(struct hf_follow *follow);
/* What the batch will read for names of files in `dir` is opened soon, too, if
 * somebody opens one file after the other: then it is retained. */
void hf_follow_retain(struct hf_view *view, struct hf_node *dir,
		      struct hf_batch *batch);
/* The same of what is written for names of texts in `dir`, for which nothing is
 * in the graph yet. */
void hf_follow_mark(struct hf_view *view, struct hf_node *dir,
		    struct hf_graph *graph);

#endif
