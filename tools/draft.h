/*
 * draft: a file that is being written and has no name yet, so that under its
 * name it is whole or not there. Where the file system has files without a
 * name (O_TMPFILE) nothing is left of one whose writer was killed; elsewhere,
 * and for the moment in which a file replaces another one, it has a name that
 * begins with HF_DRAFT_PREFIX and is locked while its writer lives.
 */
#ifndef HF_DRAFT_H
#define HF_DRAFT_H

#include "fs/base/base.h"

/* Begins with a dot: collectstatic, and we, ignore such files. */
#define HF_DRAFT_PREFIX ".hashedfs-export."

struct hf_draft {
	int dir_fd; /* borrowed */
	int fd;     /* open for reading and writing; mode 0600 */
	char name[sizeof(HF_DRAFT_PREFIX) + 16]; /* "": it has none */
};

/* Opens an empty draft in the directory. Errnos of open(2). */
int hf_draft_open(int dir_fd, struct hf_draft *ret) HF_MUST_USE;
/* Gives it its name, in one step also where something else had that; ends the
 * draft in any case. -EISDIR: a directory has the name; errnos of linkat(2),
 * renameat(2) and close(2). */
int hf_draft_publish(struct hf_draft *draft, const char *name) HF_MUST_USE;
/* Ends the draft; nothing is left of it. */
void hf_draft_discard(struct hf_draft *draft);

/* Removes the drafts that lie in the directory and whose writers are gone.
 * Errnos of reading it. */
int hf_draft_sweep(int dir_fd) HF_MUST_USE;

#endif
