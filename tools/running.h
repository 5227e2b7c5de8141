/*
 * running: a command over the view, be it a mount or, where that cannot be,
 * copies of the files.
 */
#ifndef HF_RUNNING_H
#define HF_RUNNING_H

#include "manifest/manifest.h"
#include "tools/freeze.h"
#include "tools/mounting.h"

/* Strings are borrowed. */
struct hf_running {
	struct hf_mounting *mounting; /* its place is found here */
	struct hf_freezing freezing;
	const char *at;              /* NULL: a directory of our own */
	const char *manifest;        /* the file for it; NULL: none */
	struct hf_document document; /* how it is written */
	bool only_mount;
	bool only_export;
	char **command; /* NULL-terminated */
};

/* As hf_run; it has said why if something of ours failed. Call before any
 * thread starts. */
int hf_running_run(struct hf_running *running) HF_MUST_USE;

#endif
