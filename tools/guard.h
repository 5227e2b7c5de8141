/*
 * guard: two processes. The worker mounts and serves; the guard does nothing
 * but watch it, and unmounts when it ends, for whatever reason.
 */
#ifndef HF_GUARD_H
#define HF_GUARD_H

#include "fs/base/base.h"
#include "tools/worker.h"

struct hf_guard {
	struct hf_worker_job job;
	bool foreground; /* the caller is the guard, and stays */
};

/*
 * Returns an exit status: in the background 0 as soon as the mount answers,
 * in the foreground 0 after an unmount or a SIGTERM, SIGINT or SIGQUIT; what
 * the worker returned if it ended by itself; else HF_EXIT_ENVIRONMENT, and
 * standard error says why. Call before any thread starts, with descriptors
 * 0 to 2 open.
 */
int hf_guard_run(const struct hf_guard *guard) HF_MUST_USE;

/* --- between launcher and guard ------------------------------------------ */

/* Is the guard: starts the worker, returns an exit status as above when it is
 * gone. Steals `launcher_fd` (-1: none), writes a byte to it once the worker
 * is ready, and gives up if nobody reads it any more. */
int hf_guard_watch(const struct hf_guard *guard, int launcher_fd) HF_MUST_USE;

#endif
