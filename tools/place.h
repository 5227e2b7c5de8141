/*
 * place: a directory to mount on for a while, for nobody else to use.
 */
#ifndef HF_PLACE_H
#define HF_PLACE_H

#include "fs/base/base.h"

/*
 * Makes an empty directory in XDG_RUNTIME_DIR, which only its user can reach
 * (not if `shared`), else in TMPDIR, else in /tmp; *ret is new. Negative errno
 * with *why = a new sentence.
 */
int hf_place_make(bool shared, char **ret, char **why) HF_MUST_USE;

#endif
