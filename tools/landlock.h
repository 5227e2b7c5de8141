/*
 * landlock: what of the machine a process can still reach, whatever it is made
 * to do (landlock(7)). A second lock behind the one of fs/source: nothing here
 * is needed for a right answer.
 */
#ifndef HF_LANDLOCK_H
#define HF_LANDLOCK_H

#include "fs/base/base.h"

/* What may be done below one directory: its files read, and what else. */
struct hf_allowed {
	const char *dir;
	bool list;  /* directories read, too */
	bool write; /* files made, written, cut and removed, too */
};

/*
 * Takes away for good what is not `allowed`: other files and directories,
 * running programs, TCP, signals and abstract sockets of other processes, each
 * as far as the kernel knows how. What is open stays open, and looking (stat,
 * O_PATH, reading links) stays possible. A directory that is not there is
 * passed over. Threads that run already are not confined. Needs
 * hf_privileges_drop before. 0: *told is new, "ABI N", with ", reading
 * anywhere" if "/" is allowed, or "no (why)" where the kernel has no Landlock.
 * A negative errno: *told is a new sentence. NULL if memory is out.
 */
int hf_landlock_confine(const struct hf_allowed *allowed, size_t n,
			char **told) HF_MUST_USE;

#endif
