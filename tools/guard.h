/*
 * guard: two processes. The worker mounts and serves; the guard does nothing
 * but watch it, and unmounts when it ends, for whatever reason. The guard
 * never opens /dev/fuse and, once the worker serves, never touches the
 * mountpoint: a dead file system would hold it fast.
 */
#ifndef HF_GUARD_H
#define HF_GUARD_H

#include "fs/base/base.h"

/* Exit status of a program that cannot work here. */
#define HF_EXIT_ENVIRONMENT 3

struct hf_guard {
	const char *mountpoint; /* absolute, without links */
	bool foreground;        /* the caller is the guard, and stays */
	/*
	 * Runs in the worker, which exits with what it returns. Mounts, calls
	 * hf_guard_ready when it is about to serve, and serves until the file
	 * system is unmounted. On failure it says why itself.
	 */
	int (*worker)(void *data, int ready_fd);
	void *data;
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
/* The exit status behind waitpid(2)'s; says so if a signal ended `who`. */
int hf_guard_exit_status(int status, const char *who) HF_MUST_USE;

/* --- for the worker ------------------------------------------------------ */

/*
 * Makes the kernel kill this process when the guard ends. A change of
 * credentials undoes that, so call after the last one. -ESRCH: the guard is
 * gone already.
 */
int hf_guard_follow(int ready_fd) HF_MUST_USE;
/* The mount can answer. In the background standard input, output and error
 * lead nowhere from here on, and messages go to syslog(3). */
void hf_guard_ready(const struct hf_guard *guard, int ready_fd);

#endif
