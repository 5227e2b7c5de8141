/*
 * mountpoint: can this be mounted there? Asked before anything is started, so
 * that each obstacle is one sentence with its remedy.
 */
#ifndef HF_MOUNTPOINT_H
#define HF_MOUNTPOINT_H

#include "fs/base/base.h"
#include "fs/source/source.h"

/*
 * Checks the directory `given` and makes it an absolute path without links:
 * *ret is new. A dead mount of ours that stands there is removed. `roots` are
 * resolved. -errno with *why = a new sentence (NULL if memory is out).
 */
int hf_mountpoint_prepare(const char *given, bool nonempty,
			  const struct hf_root_specs *roots, char **ret,
			  char **why) HF_MUST_USE;
#endif
