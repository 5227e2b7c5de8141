/*
 * exported: an export under way, as export.c and deliveries.c have it, and what
 * is told of it.
 */
#ifndef HF_EXPORTED_H
#define HF_EXPORTED_H

#include "tools/export.h"
#include "tools/plan.h"

struct hf_export {
	struct hf_view *view; /* NULL once it was left */
	const struct hf_destination *dest;
	enum hf_export_mode mode;
	struct hf_plan plan;
	struct hf_export_counts counts;
	struct hf_progress *progress;
	atomic_bool no_clones;
	atomic_bool failed;
	atomic_int status; /* of the failure */
};

/* Tells what is done to the file `name` of the directory `dir`, or to that
 * ("" for the name). */
void hf_export_tell(const struct hf_export *export, const char *verb,
		    const char *dir, const char *name);
/* Tells of the first failure only, which ends the export. `source`: that of a
 * source, else of the target. Any thread. */
void hf_export_fail(struct hf_export *export, const char *dir, const char *name,
		    bool source, int error);

/* --- deliveries.c -------------------------------------------------------- */

/* Sees to all files; returns when it is done, or has failed. */
void hf_export_deliver(struct hf_export *export);

#endif
