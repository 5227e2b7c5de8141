/*
 * run: a command over a mount, from mounting to unmounting, with fail-stop:
 * the command never meets an error of ours. Four processes:
 *
 *   front    the one that was started: passes signals on, and ends everything
 *            if the runner is killed (front.c)
 *   runner   its child, the guard: starts the other two (run.c)
 *   worker   mounts and serves
 *   command  whatever it starts is ended with it
 *
 * When a client would meet an error, or the worker dies, or the front, all
 * processes of the command get SIGKILL. They may be waiting for the mount; so
 * the worker gets it, too, and then whoever waits is answered, with the copies
 * of /dev/fuse that runner and front have. Nobody is left alive to see that.
 *
 * Where nothing can be mounted the worker writes the view to the place of the
 * mount, and ends before the command starts.
 */
#ifndef HF_RUN_H
#define HF_RUN_H

#include "tools/command.h"
#include "tools/worker.h"

struct hf_run {
	struct hf_worker_job job; /* a mount's is deaf, and hands its device
				     over */
	char **argv;              /* the command */
	bool copies; /* the worker does not mount but writes files: it is ready,
			and ends, when all are there */
	/* Removes what the worker left, when nothing is running and mounted any
	 * more; perhaps called twice. NULL: nothing to do. */
	void (*clean)(void *data);
	void *clean_data;
	/* Runs in a child once the command succeeded, with the mount still
	 * there; an exit status, and it has said why if it is not 0. NULL:
	 * nothing to do. */
	int (*after)(void *data);
	void *after_data;
};

/*
 * The exit status of the command, HF_EXIT_OURS if something else than it
 * failed. Call before any thread starts, with descriptors 0 to 2 open; nothing
 * is left running or mounted.
 */
int hf_run(const struct hf_run *run) HF_MUST_USE;

/* --- between front and runner -------------------------------------------- */

/* Is the runner. `front` is the worker's end of its channel to the front. */
int hf_run_conduct(const struct hf_run *run,
		   const struct hf_inheritance *inheritance,
		   int front) HF_MUST_USE;
/* Kills everything below this process, `worker` (0: none) last, answers those
 * who wait with the device of `holder`, lets go of it, as the front has to (-1:
 * none), and reaps. */
void hf_run_stop_all(struct hf_worker *holder, pid_t worker, int front);

#endif
