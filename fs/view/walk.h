/*
 * walk: questions about the whole tree.
 *
 *   branches.c   every directory, listed
 *   walk.c       every directory, named
 *   recall.c     what is remembered of many directories
 *   again.c      was it one state? a second look at all that a walk saw;
 *                since.c if it needs none
 *   survey.c     the tree walked until it held still, and what that tells
 *   frozen.c     one state of the tree, kept
 *   rest.c       what a walk leaves open for it
 *   tour.c       what a walk saw, in the order of paths
 *   snapshot.c   the whole mapping, written down
 *   findings.c   what is worth telling, each of a kind; finding.c one
 *   plainrefs.c  names in texts that are not shown
 *   references.c which file refers to which
 */
#ifndef HF_VIEW_WALK_H
#define HF_VIEW_WALK_H

#include "fs/view/listing.h"
#include "fs/view/relay.h"

/* --- walk.c, again.c -------------------------------------------------------------- */

/* One directory of a walk: its listing, or why there is none. */
struct hf_stop {
	struct hf_node *node;
	/* While a job of it and those behind it is in the pool. */
	struct hf_errand *errand;
	struct hf_naming *naming; /* until it is finished */
	struct hf_listing *listing;
	bool *seen;         /* as hf_naming_take_seen; after all were listed */
	size_t first_child; /* where the directories in it begin */
	bool was;           /* as in struct hf_branch, and the next two */
	dev_t dev;
	ino_t ino;
	int error;
	struct stat st; /* of the directory as presented; rest.c's */
};

/* Start with view, wait and progress (or NULL) set and the rest {0}. */
struct hf_walk {
	struct hf_view *view;
	struct hf_graph *graph;
	struct hf_wait *wait;
	struct hf_progress *progress;
	/* A moment before all of it, by both clocks, at which it may have been
	 * as it is; 0: none is known. */
	int64_t since_ns;
	int64_t since_monotonic_ns;
	struct hf_stop *stops;
	size_t n;
};
/* Lists every directory, and reads no file. An error is one that concerns the
 * whole. */
int hf_walk_list(struct hf_walk *walk) HF_MUST_USE;
/* Then names what was listed. */
int hf_walk_name(struct hf_walk *walk) HF_MUST_USE;
/* Errors that belong to one directory; others end the walk. */
bool hf_walk_error_of_dir(int error);
/* 0 if the tree was as the walk saw it, all at one moment: at since_ns or
 * between the two halves of the walk; -EAGAIN if not, or if that cannot be
 * said. */
int hf_walk_same(struct hf_walk *walk) HF_MUST_USE;
void hf_walk_fini(struct hf_walk *walk);
/* Whether all of it was as listed at since_ns, by the age of its stamps. All
 * directories could be listed. */
bool hf_walk_was_so(const struct hf_walk *walk);

/* --- branches.c ------------------------------------------------------------ */

/* A directory of a tree that is being listed, and those in it. */
struct hf_branch {
	struct hf_node *node;
	struct hf_naming *naming; /* NULL: it could not be listed; why: */
	int error;
	/* hf_source_list_was at the walk's since_ns, and all directories that
	 * are listed in it are entered. */
	bool was;
	dev_t dev; /* what the directory above has under its name */
	ino_t ino;
	struct hf_branch **in; /* owned, in the order of names */
	size_t n;
	struct hf_branch *next; /* branches.c's */
};
/* The whole tree: *ret is new, of *ret_n directories. -EINTR: the walk's asker
 * was interrupted; else an error of the whole. */
int hf_branches_list(const struct hf_walk *walk, struct hf_branch **ret,
		     size_t *ret_n) HF_MUST_USE;
/* With all that are in it. NULL is allowed. */
void hf_branch_free(struct hf_branch *branch);

/* --- recall.c ---------------------------------------------------------------- */

/* Brings into memory what is stored of the directories of these namings.
 * -ENOMEM. */
int hf_namings_recall(const struct hf_view *view,
		      struct hf_naming *const *namings, size_t n) HF_MUST_USE;

/* --- survey.c ------------------------------------------------------------- */

/*
 * Walks until the tree holds still: the walk saw one state, and so did
 * `snapshot` and `findings` (both may be NULL; else {0} before). The caller
 * ends all three in any case. `look` (or NULL) is called once a round, before
 * the second look. `integrity` as hf_snapshot_of_walk. -EAGAIN: three rounds
 * were not enough.
 */
int hf_survey(struct hf_walk *walk, int (*look)(struct hf_walk *walk),
	      const struct hf_algorithm *integrity,
	      struct hf_snapshot *snapshot,
	      struct hf_findings *findings) HF_MUST_USE;

/* --- rest.c --------------------------------------------------------------- */

/* hf_survey's `look` for a view that is to be frozen: hashes what no name is
 * of, and fills in each stop's `st`. Errors of the whole. */
int hf_rest_look(struct hf_walk *walk) HF_MUST_USE;

/* --- frozen.c ------------------------------------------------------------- */

/* Answers of a frozen view, as their namesakes of view.h. */
struct hf_frozen;
void hf_frozen_free(struct hf_frozen *frozen);
struct hf_node *hf_frozen_root(const struct hf_frozen *frozen);
int hf_frozen_lookup(struct hf_view *view, struct hf_node *dir,
		     const char *name, struct hf_node **ret) HF_MUST_USE;
int hf_frozen_list(const struct hf_node *dir,
		   struct hf_listing **ret) HF_MUST_USE;
int hf_frozen_node(struct hf_view *view, struct hf_node *dir,
		   const struct hf_entry *entry,
		   struct hf_node **ret) HF_MUST_USE;
void hf_frozen_stat(const struct hf_view *view, const struct hf_node *node,
		    struct stat *ret);
struct statvfs hf_frozen_statvfs(const struct hf_frozen *frozen);
int hf_frozen_snapshot(struct hf_frozen *frozen,
		       const struct hf_algorithm *integrity,
		       struct hf_wait *wait,
		       struct hf_snapshot *ret) HF_MUST_USE;
int hf_frozen_findings(const struct hf_frozen *frozen,
		       struct hf_findings *ret) HF_MUST_USE;
int hf_frozen_references(struct hf_frozen *frozen,
			 struct hf_references *ret) HF_MUST_USE;
/* The text of that path as it was named, with its graph; NULL if it is none. */
const struct hf_vertex *hf_frozen_text(const struct hf_frozen *frozen,
				       const char *path,
				       struct hf_graph **ret_graph);

/* --- references.c --------------------------------------------------------- */

/* Appends the references of the texts that the walk named, then sorts all;
 * the caller ends `ret` in any case. In a frozen view reads only. */
int hf_references_of_walk(struct hf_walk *walk,
			  struct hf_references *ret) HF_MUST_USE;

/* --- tour.c -------------------------------------------------------------- */

/* What a tour comes by: an entry of the stop's listing, or, instead of all of
 * them, the directory itself if it could not be listed. */
struct hf_sight {
	const struct hf_stop *stop;
	size_t i; /* SIZE_MAX: the directory */
};
/* All of them, in their order; `ret` has room for hf_walk_sights of them, *ret_n
 * is how many. -EAGAIN: some directory is in no listing, so that it is none of
 * the tree any more; -ENOMEM. */
size_t hf_walk_sights(const struct hf_walk *walk);
int hf_walk_tour(const struct hf_walk *walk, struct hf_sight *ret,
		 size_t *ret_n) HF_MUST_USE;

/* --- snapshot.c, findings.c, plainrefs.c --------------------------------- */

/* The mapping that a walk saw, with the integrity by an algorithm unless that
 * is NULL; *ret is {0} before, and ended by the caller in any case. */
int hf_snapshot_of_walk(struct hf_walk *walk,
			const struct hf_algorithm *integrity,
			struct hf_wait *wait,
			struct hf_snapshot *ret) HF_MUST_USE;
/* The row of a path, or NULL. */
const struct hf_row *hf_snapshot_find(const struct hf_snapshot *snapshot,
				      const char *path);
/* Everything to tell of the tree that the walk saw and the snapshot holds;
 * `ret` is empty before. -EAGAIN: it is another tree by now. */
int hf_findings_of_walk(struct hf_walk *walk,
			const struct hf_snapshot *snapshot,
			struct hf_findings *ret) HF_MUST_USE;
/* False if plain names are shown anyway. */
bool hf_plainrefs_wanted(const struct hf_view *view);
/* Adds the finding about the plain references in a text, if there are any.
 * `vertex` is that of the text. */
int hf_plainrefs_find(const struct hf_view *view,
		      const struct hf_snapshot *snapshot, const char *path,
		      const struct hf_vertex *vertex, const struct hf_buf *raw,
		      struct hf_findings *ret) HF_MUST_USE;
/* Adds the finding about a file that is always asked for by its plain name. */
int hf_plainname_find(const struct hf_view *view, const struct hf_row *row,
		      struct hf_findings *ret) HF_MUST_USE;

#endif
