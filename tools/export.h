/*
 * export: a frozen view, written to a directory.
 *
 * What already lies there is kept where its bytes are verified to be ours, and
 * replaced where not; what has no name of ours is never touched. Every file
 * appears whole, with its attributes, in one step (tools/draft.h).
 */
#ifndef HF_EXPORT_H
#define HF_EXPORT_H

#include "fs/view/view.h"
#include "tools/destination.h"

/* What was done, in files unless it says otherwise. */
struct hf_export_counts {
	atomic_uint_least64_t kept;
	atomic_uint_least64_t mended; /* kept, but for mode, time or owner */
	atomic_uint_least64_t copied;
	atomic_uint_least64_t cloned; /* they share blocks with their source */
	atomic_uint_least64_t bytes;  /* copied or cloned */
	atomic_uint_least64_t dirs;   /* made or mended */
	atomic_uint_least64_t removed;
};

enum hf_export_mode {
	HF_EXPORT_QUICK, /* leaves it to the kernel when it is on the disk */
	HF_EXPORT_SAFE,  /* all is on the disk when it returns */
	HF_EXPORT_DRY,   /* prints what it would do, and does nothing */
};

struct hf_export;

/*
 * Lists the whole view, which is frozen and borrowed, as `dest`, which is
 * open, and borrowed. An exit status, and it has said why if it is not 0: so
 * do the others.
 */
int hf_export_new(struct hf_view *view, const struct hf_destination *dest,
		  enum hf_export_mode mode, struct hf_export **ret) HF_MUST_USE;
/* Writes it. The first failure ends it: HF_EXIT_INCOMPLETE where a source is
 * not what it was, else HF_EXIT_ENVIRONMENT. `progress` may be NULL. */
int hf_export_write(struct hf_export *export,
		    struct hf_progress *progress) HF_MUST_USE;
/* Lets go of the view: only what is said of the next two is left to do. */
void hf_export_leave_view(struct hf_export *export);
/* Removes files that an earlier export left: paths below the target. What
 * stands there and is no regular file stays. */
int hf_export_remove(struct hf_export *export,
		     const struct hf_strings *names) HF_MUST_USE;
const struct hf_export_counts *hf_export_counts(const struct hf_export *export);
void hf_export_free(struct hf_export *export);

/* --- delivery.c: one file ------------------------------------------------ */

/* What happens to a file. */
enum hf_delivered {
	HF_DELIVERED_KEPT,
	HF_DELIVERED_MENDED,
	HF_DELIVERED_COPIED,
	HF_DELIVERED_CLONED,
};

/* What one thread needs again and again. */
struct hf_delivery {
	struct hf_view *view;
	struct hf_buf scratch;
	atomic_bool *no_clones; /* this file system cannot; of all threads */
	bool dry;               /* only says what would happen */
};

/*
 * Sees to it that the file `name` of the directory is what the view shows
 * under `node`. *source: an error is one of the source, else of the target.
 * Errnos of both; -ESTALE: the source is not what it was; -EISDIR: a directory
 * is in the way.
 */
int hf_deliver(struct hf_delivery *delivery, struct hf_node *node, int dir_fd,
	       const char *name, bool *source,
	       enum hf_delivered *ret) HF_MUST_USE;

#endif
