/*
 * freeze: what is done before a command starts: all files get their names, and
 * what is wrong with them is told.
 */
#ifndef HF_FREEZE_H
#define HF_FREEZE_H

#include "fs/view/view.h"
#include "tools/hint.h"

struct hf_freezing {
	bool partial; /* go on without the files that cannot be read */
	bool quiet;   /* no progress */
	const struct hf_hint *hint;
};

/* hf_service's `prepare`; `data` is a struct hf_freezing. */
int hf_freeze(void *data, struct hf_view *view) HF_MUST_USE;

#endif
