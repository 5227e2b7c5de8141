/*
 * descendants: the processes below this one, as /proc shows them. What loses
 * its parent stays among them, as this process adopts it
 * (PR_SET_CHILD_SUBREAPER), whatever session or group it went into.
 */
#ifndef HF_DESCENDANTS_H
#define HF_DESCENDANTS_H

#include <sys/types.h>

#include "fs/base/base.h"

/* Whether /proc tells of this process and those below it. Negative errno with
 * *why = a new sentence. */
int hf_descendants_check(char **why) HF_MUST_USE;
/* Sends `number` to all of them but `except` (0: none) and what is below that.
 * The number of those that live; -1: it cannot be known. */
int hf_descendants_signal(int number, pid_t except);
/*
 * Kills all of them but `except`: none is left that did not get SIGKILL, for a
 * process that is being killed starts no other. None sees another one die and
 * goes on from there. Does not wait for their end.
 */
void hf_descendants_kill(pid_t except);

#endif
