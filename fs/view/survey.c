/*
 * survey: the tree walked until it held still, and what that tells: the
 * mapping, and whatever is worth telling about it.
 */
#include "fs/view/walk.h"

#include <errno.h>

/* How often a tree may change before it has no state to be told. */
#define ROUNDS 3

static int round_trip(struct hf_walk *walk, int (*look)(struct hf_walk *walk),
		      const struct hf_algorithm *integrity,
		      struct hf_snapshot *snapshot,
		      struct hf_findings *findings)
{
	int error;

	/* What is looked at besides is of a later moment. */
	walk->since_ns = look ? 0 : hf_clock_realtime();
	walk->since_monotonic_ns = hf_clock_monotonic();
	error = hf_walk_list(walk);
	if (error == 0)
		error = hf_walk_name(walk);
	if (error == 0 && look)
		error = look(walk);
	if (error == 0)
		error = hf_walk_same(walk);
	if (error == 0)
		error = hf_snapshot_of_walk(walk, integrity, walk->wait,
					    snapshot);
	if (error == 0 && findings)
		error = hf_findings_of_walk(walk, snapshot, findings);
	/* What went away or became another thing between two looks is a
	 * change; and so is what never held still. */
	if (error == -ENOENT || error == -ENOTDIR || error == -EBUSY ||
	    error == -ESTALE)
		return -EAGAIN;
	return error;
}

static void restart(struct hf_progress *progress)
{
	if (!progress)
		return;
	atomic_store(&progress->files, 0);
	atomic_store(&progress->files_done, 0);
	atomic_store(&progress->bytes, 0);
	atomic_store(&progress->bytes_done, 0);
}

int hf_survey(struct hf_walk *walk, int (*look)(struct hf_walk *walk),
	      const struct hf_algorithm *integrity,
	      struct hf_snapshot *snapshot, struct hf_findings *findings)
{
	int error = -EAGAIN;

	for (int i = 0; i < ROUNDS && error == -EAGAIN; i++) {
		hf_walk_fini(walk);
		hf_snapshot_fini(snapshot);
		if (findings)
			hf_findings_fini(findings);
		restart(walk->progress);
		error = round_trip(walk, look, integrity, snapshot, findings);
	}
	return error;
}

static void free_walk(void *arg)
{
	struct hf_walk *walk = arg;

	hf_walk_fini(walk);
	free(walk);
}

/* In the pool, as long as that takes; once nothing of it is under way. */
static void dismiss(struct hf_walk *walk)
{
	struct hf_walk *rest = malloc(sizeof(*rest));

	if (!rest)
		return;
	*rest = *walk;
	if (hf_pool_submit(walk->view->pool, free_walk, rest) < 0)
		free(rest);
	else
		*walk = (struct hf_walk){0};
}

/* `findings` may be NULL; both are empty unless 0 is returned. */
static int take(struct hf_view *view, const struct hf_algorithm *integrity,
		struct hf_wait *wait, struct hf_progress *progress,
		struct hf_findings *findings, struct hf_snapshot *ret)
{
	HF_CLEANUP(hf_walk_fini)
	struct hf_walk walk = {
		.view = view, .wait = wait, .progress = progress};
	int error = hf_survey(&walk, NULL, integrity, ret, findings);

	if (error == 0) {
		dismiss(&walk);
	} else {
		hf_snapshot_fini(ret);
		if (findings)
			hf_findings_fini(findings);
	}
	return error;
}

int hf_view_snapshot(struct hf_view *view, struct hf_wait *wait,
		     struct hf_progress *progress, struct hf_snapshot *ret)
{
	return hf_view_integrity(view, view->config->integrity, wait, progress,
				 ret);
}

int hf_view_integrity(struct hf_view *view,
		      const struct hf_algorithm *algorithm,
		      struct hf_wait *wait, struct hf_progress *progress,
		      struct hf_snapshot *ret)
{
	struct hf_snapshot snapshot = {0};
	int error = view->frozen ? hf_frozen_snapshot(view->frozen, algorithm,
						      wait, &snapshot)
				 : take(view, algorithm, wait, progress, NULL,
					&snapshot);

	if (error == 0)
		*ret = snapshot;
	return error;
}

int hf_view_findings(struct hf_view *view, struct hf_wait *wait,
		     struct hf_progress *progress, struct hf_snapshot *snapshot,
		     struct hf_findings *ret)
{
	struct hf_findings findings = {0};
	struct hf_snapshot own = {0};
	int error;

	if (view->frozen) {
		error = hf_frozen_findings(view->frozen, &findings);
		if (error == 0 && snapshot)
			error = hf_frozen_snapshot(view->frozen,
						   view->config->integrity,
						   wait, &own);
	} else {
		error = take(view, view->config->integrity, wait, progress,
			     &findings, &own);
	}
	if (error < 0) {
		hf_findings_fini(&findings);
		return error;
	}
	*ret = findings;
	if (snapshot)
		*snapshot = own;
	else
		hf_snapshot_fini(&own);
	return 0;
}
