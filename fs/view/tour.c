/*
 * tour: through all of a walk in the order of paths, but for the few whose
 * names sort otherwise with the slash behind them.
 */
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

/* A directory that is being visited. */
struct visit {
	const struct hf_stop *stop;
	size_t next;    /* entry */
	size_t child;   /* stop of the next directory in it */
	size_t waiting; /* of those on the stack, they are its own */
};

/* Directories that are open, and those in them whose turn has not come. */
struct tour {
	const struct hf_walk *walk;
	struct hf_sight *sights;
	size_t n_sights;
	struct visit *visits;
	const struct hf_stop **waiting;
	size_t n;
	size_t n_waiting;
	size_t visited;
};

static void tour_fini(struct tour *tour)
{
	free(tour->visits);
	free(tour->waiting);
}

/* Neither can hold more than all directories. */
static int tour_init(const struct hf_walk *walk, struct tour *tour)
{
	tour->walk = walk;
	tour->visits = calloc(walk->n + 1, sizeof(*tour->visits));
	tour->waiting = calloc(walk->n + 1, sizeof(*tour->waiting));
	return tour->visits && tour->waiting ? 0 : -ENOMEM;
}

static void see(struct tour *tour, const struct hf_stop *stop, size_t i)
{
	tour->sights[tour->n_sights++] = (struct hf_sight){stop, i};
}

static void visit(struct tour *tour, const struct hf_stop *stop)
{
	tour->visits[tour->n++] =
		(struct visit){.stop = stop, .child = stop->first_child};
	tour->visited++;
	if (stop->error < 0)
		see(tour, stop, SIZE_MAX);
}

/* The stop of a directory's entry, or NULL. */
static const struct hf_stop *child_of(const struct tour *tour,
				      struct visit *visit,
				      const struct hf_entry *entry)
{
	const struct hf_walk *walk = tour->walk;
	const struct hf_stop *child = &walk->stops[visit->child];

	if (entry->kind != HF_KIND_DIR || visit->child >= walk->n ||
	    child->node->parent != visit->stop->node ||
	    strcmp(hf_node_name(child->node), entry->source) != 0)
		return NULL;
	visit->child++;
	return child;
}

/* Does it come before what is in the directory: "a-b" before "a/b"? */
static bool comes_before(const struct hf_entry *entry,
			 const struct hf_stop *dir)
{
	size_t len = strlen(hf_node_name(dir->node));

	return strncmp(entry->source, hf_node_name(dir->node), len) == 0 &&
	       (unsigned char)entry->source[len] < '/';
}

/* The next entry of the directory at hand, or into another one, or out. */
static void step(struct tour *tour)
{
	struct visit *at = &tour->visits[tour->n - 1];
	const struct hf_listing *listing = at->stop->listing;
	const struct hf_stop *first =
		at->waiting ? tour->waiting[tour->n_waiting - 1] : NULL;
	const struct hf_entry *entry =
		listing && at->next < hf_listing_len(listing)
			? hf_listing_entry(listing, at->next)
			: NULL;
	const struct hf_stop *child;

	if (first && (!entry || !comes_before(entry, first))) {
		at->waiting--;
		tour->n_waiting--;
		visit(tour, first);
		return;
	}
	if (!entry) {
		tour->n--;
		return;
	}
	child = child_of(tour, at, entry);
	if (child) {
		at->waiting++;
		tour->waiting[tour->n_waiting++] = child;
	}
	see(tour, at->stop, at->next++);
}

size_t hf_walk_sights(const struct hf_walk *walk)
{
	size_t n = 0;

	for (size_t i = 0; i < walk->n; i++)
		n += walk->stops[i].listing
			     ? hf_listing_len(walk->stops[i].listing)
			     : 1;
	return n;
}

int hf_walk_tour(const struct hf_walk *walk, struct hf_sight *ret,
		 size_t *ret_n)
{
	HF_CLEANUP(tour_fini) struct tour tour = {.sights = ret};
	int error = tour_init(walk, &tour);

	if (error < 0)
		return error;
	visit(&tour, &walk->stops[0]);
	while (tour.n > 0)
		step(&tour);
	*ret_n = tour.n_sights;
	return tour.visited < walk->n ? -EAGAIN : 0;
}
