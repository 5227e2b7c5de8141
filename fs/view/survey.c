/*
 * survey: the tree walked until it held still, and what that tells: the
 * mapping, and whatever is worth telling about it.
 */
#include "fs/view/internal.h"

#include <errno.h>

/* How often a tree may change before it has no state to be told. */
#define ROUNDS 3

static int round_trip(struct hf_walk *walk, struct hf_snapshot *ret,
		      struct hf_findings *findings)
{
	int error = hf_walk_all(walk);

	if (error == 0)
		error = hf_walk_same(walk);
	if (error == 0)
		error = hf_snapshot_of_walk(walk, ret);
	if (error == 0 && findings)
		error = hf_findings_of_walk(walk, ret, findings);
	/* What went away or became another thing between two looks is a
	 * change; and so is what never held still. */
	if (error == -ENOENT || error == -ENOTDIR || error == -EBUSY)
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

/* `findings` may be NULL, and is empty unless 0 is returned. */
static int take(struct hf_view *view, struct hf_wait *wait,
		struct hf_progress *progress, struct hf_findings *findings,
		struct hf_snapshot *ret)
{
	int error = -EAGAIN;

	for (int i = 0; i < ROUNDS && error == -EAGAIN; i++) {
		HF_CLEANUP(hf_walk_fini)
		struct hf_walk walk = {
			.view = view, .wait = wait, .progress = progress};
		struct hf_snapshot snapshot = {0};

		restart(progress);
		error = round_trip(&walk, &snapshot, findings);
		if (error == 0) {
			*ret = snapshot;
			break;
		}
		hf_snapshot_fini(&snapshot);
		if (findings)
			hf_findings_fini(findings);
	}
	return error;
}

int hf_view_snapshot(struct hf_view *view, struct hf_wait *wait,
		     struct hf_progress *progress, struct hf_snapshot *ret)
{
	return take(view, wait, progress, NULL, ret);
}

int hf_view_findings(struct hf_view *view, struct hf_wait *wait,
		     struct hf_progress *progress, struct hf_snapshot *snapshot,
		     struct hf_findings *ret)
{
	struct hf_findings findings = {0};
	struct hf_snapshot own;
	int error = take(view, wait, progress, &findings, &own);

	if (error < 0)
		return error;
	*ret = findings;
	if (snapshot)
		*snapshot = own;
	else
		hf_snapshot_fini(&own);
	return 0;
}
