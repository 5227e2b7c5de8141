/*
 * command: somebody else's program, started as if we were not there: with the
 * signals, descriptors and terminal that we were given.
 */
#ifndef HF_COMMAND_H
#define HF_COMMAND_H

#include <signal.h>
#include <sys/types.h>

#include "fs/base/base.h"

/* Exit statuses as env(1) and timeout(1) have them. */
#define HF_EXIT_OURS 125
#define HF_EXIT_CANNOT_RUN 126
#define HF_EXIT_NOT_FOUND 127
#define HF_EXIT_SIGNAL 128 /* and the signal's number on top */

/* What a program finds when it starts, as far as we change it. */
struct hf_inheritance {
	sigset_t mask;
	struct sigaction child; /* SIGCHLD */
	struct sigaction pipe;  /* SIGPIPE */
};
/* Call before anything is changed. */
void hf_inheritance_note(struct hf_inheritance *ret);
/*
 * A descriptor for SIGCHLD and the signals that are passed on to a command,
 * which are blocked from then on; what was ignored when we were started is for
 * nobody. Negative errno.
 */
int hf_command_signals(void) HF_MUST_USE;

/*
 * Starts argv[0], which is looked for in PATH, with HASHEDFS_MOUNT set to
 * `mountpoint`. It is killed when this process ends. A program that cannot be
 * run is told of on standard error, and is a child that ends with
 * HF_EXIT_CANNOT_RUN or HF_EXIT_NOT_FOUND. Negative errno of fork(2).
 */
int hf_command_start(char **argv, const char *mountpoint,
		     const struct hf_inheritance *inheritance,
		     pid_t *ret) HF_MUST_USE;
/* Starts a child that exits with what `run` returns, and is killed when this
 * process ends. Negative errno of fork(2). */
int hf_command_fork(int (*run)(void *data), void *data, pid_t *ret) HF_MUST_USE;
/* The exit status behind waitpid(2)'s. */
int hf_command_exit_status(int status);
/* A copy of argv with `place` for every "{}"; new, or NULL. */
char **hf_command_fill_in(char *const *argv, const char *place);
void hf_command_free(char **argv);

#endif
