/*
 * apart: sources and what is made of them lie apart. Else a mount would hide
 * what it shows, and an export would be its own source.
 */
#ifndef HF_APART_H
#define HF_APART_H

#include "fs/source/source.h"

/*
 * Whether the directory `path`, which is called `what`, is no source, lies in
 * none and has none in it. `roots` are resolved. Negative errno with *why = a
 * new sentence (NULL if memory is out).
 */
int hf_apart_check(const char *path, const char *what,
		   const struct hf_root_specs *roots, char **why) HF_MUST_USE;
/* The same for a directory that is to be made in the directory `parent`. */
int hf_apart_check_new(const char *parent, const char *what,
		       const struct hf_root_specs *roots,
		       char **why) HF_MUST_USE;

#endif
