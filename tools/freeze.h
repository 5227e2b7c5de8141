/*
 * freeze: what is done before a command starts: all files get their names, and
 * what is wrong with them is told.
 */
#ifndef HF_FREEZE_H
#define HF_FREEZE_H

#include "fs/view/view.h"
#include "tools/hint.h"

struct hf_freezing {
	bool partial;       /* go on without the files that cannot be read */
	bool quiet;         /* no progress */
	const char *undone; /* what is not done without them: a clause */
	const struct hf_hint *hint;
};

/* An exit status; it has said why if that is not 0. */
int hf_freeze(const struct hf_freezing *freezing,
	      struct hf_view *view) HF_MUST_USE;

#endif
