/*
 * device: may this user mount on this machine at all? /dev/fuse, and for
 * unprivileged users fusermount3 and its rules. Asked before anything is
 * started, so that each obstacle is one sentence with its remedy.
 */
#ifndef HF_DEVICE_H
#define HF_DEVICE_H

#include "fs/base/base.h"

/* Negative errno with *why = a new sentence (NULL if memory is out). */
int hf_device_check(bool allow_other, char **why) HF_MUST_USE;

#endif
