/*
 * serve: what the worker of a mount does, from mounting to its end.
 */
#ifndef HF_SERVE_H
#define HF_SERVE_H

#include "fs/fuse/fuse.h"
#include "fs/view/view.h"

struct hf_service {
	const struct hf_config *view;
	const struct hf_mount_config *mount;
	const char *mountpoint; /* absolute, without links */
	struct hf_unanswered *unanswered;
	bool background; /* standard error leads nowhere once it serves */
	/* No client may meet an error: it is told over the channel instead. */
	bool fail_stop;
	/* Called with why it could not be mounted (borrowed) instead of saying
	 * so; an exit status. NULL: it is said. */
	int (*unmountable)(void *data, const char *why);
	/* Called with the new view before the mount answers; an exit status,
	 * and nothing is served if it is not 0. NULL: nothing to do. */
	int (*prepare)(void *data, struct hf_view *view);
	void *data;
};

/* Returns the exit status of the worker. */
int hf_serve(const struct hf_service *service, int channel) HF_MUST_USE;

#endif
