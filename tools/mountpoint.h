/*
 * mountpoint: can this be mounted there? Asked before anything is started, so
 * that each obstacle is one sentence with its remedy.
 */
#ifndef HF_MOUNTPOINT_H
#define HF_MOUNTPOINT_H

#include "fs/base/base.h"
#include "fs/source/source.h"

/* Where to mount. Start with {.lock_fd = -1}. */
struct hf_mountpoint {
	char *path;  /* owned; absolute, without links */
	int lock_fd; /* owned; kept until the mount is there, so that of two
			who come at once one is told; -1: no lock to be had */
};
void hf_mountpoint_fini(struct hf_mountpoint *mountpoint);

/*
 * Checks the directory `given`. A dead mount of ours that stands there is
 * removed; who is just mounting there is waited for, some seconds. `roots` are
 * resolved. -errno with *why = a new sentence (NULL if memory is out).
 */
int hf_mountpoint_prepare(const char *given, bool nonempty,
			  const struct hf_root_specs *roots,
			  struct hf_mountpoint *ret, char **why) HF_MUST_USE;
/* 0; -ENOTEMPTY; errnos of opendir(3). */
int hf_mountpoint_empty(const char *path) HF_MUST_USE;

#endif
