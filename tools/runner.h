/*
 * runner: what the guard of a command knows, and how it learns of it.
 */
#ifndef HF_RUNNER_H
#define HF_RUNNER_H

#include <signal.h>

#include "tools/run.h"

struct hf_runner {
	const struct hf_run *run;
	const struct hf_inheritance *inheritance;
	struct hf_worker worker;
	int front; /* channel to the front; readable when that is gone */
	int signal_fd;
	pid_t child; /* the command, or what comes after it; 0: none */
	bool child_ended;
	int child_status; /* waitpid's */
	int signalled; /* the last signal that came when there was no child */
	int64_t group_ns[NSIG]; /* when a signal came that was for all */
	bool ending;            /* the worker is asked to end */
	/* The first thing that must not become known to the command. */
	bool trouble;
	char *path; /* of the file that it is about */
	int error;
	bool deserted; /* the front is gone */
};

/* Waits for the next event, `ms` milliseconds at most, or (-1) about a second,
 * and takes it in. */
void hf_runner_step(struct hf_runner *runner, int ms);
/* The worker's process; 0: it is gone. */
pid_t hf_runner_worker(const struct hf_runner *runner);

#endif
