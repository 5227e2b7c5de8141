/*
 * copies: what the worker does where nothing is mounted: it writes the view to
 * a directory.
 */
#ifndef HF_COPIES_H
#define HF_COPIES_H

#include "fs/view/view.h"
#include "manifest/manifest.h"
#include "tools/freeze.h"

struct hf_copies {
	const struct hf_config *view;
	const char *dir; /* absolute, without links, and empty */
	const struct hf_freezing *freezing;
	int manifest_fd; /* gets the manifest; -1: nobody wants it */
	const struct hf_document *document; /* how it is written */
};

/* hf_worker_job's `run`; `data` is a struct hf_copies. */
int hf_copies_write(void *data, int channel) HF_MUST_USE;

#endif
