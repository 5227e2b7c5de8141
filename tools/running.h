/*
 * running: a command over the view, be it a mount or, where that cannot be,
 * copies of the files.
 */
#ifndef HF_RUNNING_H
#define HF_RUNNING_H

#include "tools/mounting.h"
#include "tools/order.h"

/* Strings are borrowed. */
struct hf_running {
	struct hf_mounting *mounting; /* its place is found here */
	struct hf_order order;
	const char *at; /* NULL: a directory of our own */
	bool only_mount;
	bool only_export;
	char **command; /* NULL-terminated */
};

/* As hf_run; it has said why if something of ours failed. Call before any
 * thread starts. */
int hf_running_run(struct hf_running *running) HF_MUST_USE;

#endif
