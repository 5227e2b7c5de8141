/*
 * openings: what the openings of one file have in common. Most files are not
 * open and have none, so that it costs their nodes one pointer.
 */
#include "fs/view/internal.h"

struct hf_openings {
	/* all are protected by view->sums_lock */
	struct hf_sums *sums;       /* of the last opening, or NULL */
	struct hf_verified *pinned; /* that all share; NULL if there is none;
				       borrowed */
	unsigned n_pinned;          /* so many openings */
};

void hf_openings_free(struct hf_openings *openings)
{
	if (!openings)
		return;
	hf_sums_unref(openings->sums);
	free(openings);
}

/* Call with the lock held: NULL if there is no memory. Takes the spare one if
 * there is none yet. */
static struct hf_openings *openings_of(struct hf_node *node,
				       struct hf_openings **spare)
{
	if (!node->openings) {
		node->openings = *spare;
		*spare = NULL;
	}
	return node->openings;
}

struct hf_sums *hf_openings_sums(struct hf_view *view, struct hf_node *node)
{
	struct hf_sums *sums = NULL;

	pthread_mutex_lock(&view->sums_lock);
	if (node->openings && node->openings->sums)
		sums = hf_sums_ref(node->openings->sums);
	pthread_mutex_unlock(&view->sums_lock);
	return sums;
}

void hf_openings_set_sums(struct hf_view *view, struct hf_node *node,
			  struct hf_sums *sums)
{
	struct hf_openings *spare = calloc(1, sizeof(*spare));
	struct hf_openings *openings;
	struct hf_sums *old = NULL;

	pthread_mutex_lock(&view->sums_lock);
	openings = openings_of(node, &spare);
	if (openings) {
		old = openings->sums;
		openings->sums = hf_sums_ref(sums);
	}
	pthread_mutex_unlock(&view->sums_lock);
	hf_sums_unref(old);
	free(spare);
}

bool hf_openings_join(struct hf_view *view, struct hf_node *node,
		      struct hf_verified **verified)
{
	struct hf_openings *spare = calloc(1, sizeof(*spare));
	struct hf_verified *surplus = NULL;
	struct hf_openings *openings;

	pthread_mutex_lock(&view->sums_lock);
	openings = openings_of(node, &spare);
	if (openings && openings->pinned) {
		surplus = *verified;
		*verified = hf_verified_ref(openings->pinned);
	} else if (openings) {
		openings->pinned = *verified;
	}
	if (openings)
		openings->n_pinned++;
	pthread_mutex_unlock(&view->sums_lock);
	hf_verified_unref(surplus);
	free(spare);
	return openings;
}

void hf_openings_leave(struct hf_view *view, struct hf_node *node)
{
	struct hf_openings *gone = NULL;

	pthread_mutex_lock(&view->sums_lock);
	if (--node->openings->n_pinned == 0) {
		node->openings->pinned = NULL;
		if (!node->openings->sums) {
			gone = node->openings;
			node->openings = NULL;
		}
	}
	pthread_mutex_unlock(&view->sums_lock);
	free(gone);
}
