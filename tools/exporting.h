/*
 * exporting: one run of hashedfs-export, once its command line was read.
 */
#ifndef HF_EXPORTING_H
#define HF_EXPORTING_H

#include "tools/order.h"

/* Start with {0}. Strings are borrowed. */
struct hf_exporting {
	struct hf_order order; /* its sources are set */
	const char *dir;
	const char *prune_from; /* NULL: nothing is removed */
	bool dry;
};

/* An exit status; it has said why if that is not 0. */
int hf_exporting_run(struct hf_exporting *exporting) HF_MUST_USE;

#endif
