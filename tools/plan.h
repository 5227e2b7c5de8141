/*
 * plan: all that a frozen view shows, directory after directory, for whoever
 * writes it down.
 */
#ifndef HF_PLAN_H
#define HF_PLAN_H

#include "fs/view/view.h"

struct hf_plan_dir {
	char *path;
	struct stat st;
	struct hf_node *node;       /* until the view is left */
	struct hf_listing *listing; /* so, too */
	bool told;                  /* of whoever tells of it once */
};

struct hf_plan {
	struct hf_plan_dir *dirs; /* parents first */
	size_t n;
	size_t cap;
};

/* Is the entry a file that is to be written? */
bool hf_plan_is_file(const struct hf_entry *entry);
/* *ret is new, and ended with hf_plan_fini. Errors of hf_view_list. */
int hf_plan_make(struct hf_view *view, struct hf_plan *ret) HF_MUST_USE;
/* Gives all nodes and listings back; paths and attributes stay. */
void hf_plan_leave_view(struct hf_plan *plan);
void hf_plan_fini(struct hf_plan *plan);

#endif
