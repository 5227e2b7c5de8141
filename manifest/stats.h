/*
 * stats: what a tree amounts to. Three questions, each a file: how large it is
 * (sizes.c), what refers to what in it (chains.c), and what a deployment would
 * do after an older manifest (release.c). They are asked of all of the tree, or
 * of what a manifest names of it (fit.c). How that is told: statstext.c,
 * statsjson.c.
 *
 * All take a sorted manifest, whose rows they borrow, and take time as sorting
 * it does.
 */
#ifndef HF_MANIFEST_STATS_H
#define HF_MANIFEST_STATS_H

#include "manifest/manifest.h"

struct hf_sum {
	size_t files;
	uint64_t bytes;
};

/* Rows in some order. */
struct hf_group {
	const struct hf_manifest_row **rows;
	size_t n;
};

struct hf_groups {
	struct hf_group *items;
	size_t n;
};

/* Appends rows[0, n), copied. -ENOMEM. */
int hf_groups_add(struct hf_groups *groups,
		  const struct hf_manifest_row *const *rows,
		  size_t n) HF_MUST_USE;
void hf_groups_fini(struct hf_groups *groups);
/* The rows that are listed. */
int hf_group_listed(const struct hf_manifest *manifest,
		    struct hf_group *ret) HF_MUST_USE;
/* The largest first, equal ones by name. */
void hf_group_sort_by_size(struct hf_group *group);
struct hf_sum hf_group_sum(const struct hf_group *group);

/* --- fit.c --------------------------------------------------------------- */

/* How a manifest fits the tree that it is of. Start with {0}. */
struct hf_fit {
	struct hf_group missing; /* rows of the manifest; the tree lacks them */
	struct hf_group renamed; /* rows of the tree; it has other names */
};

/*
 * Leaves those files in the tree that the manifest names, under the names that
 * it gives them, which are borrowed from it. -ENOMEM.
 */
int hf_fit_find(const struct hf_manifest *manifest, struct hf_manifest *tree,
		struct hf_fit *ret) HF_MUST_USE;
void hf_fit_fini(struct hf_fit *fit);

/* --- sizes.c ------------------------------------------------------------- */

/* Files whose names end alike. */
struct hf_extension {
	const char *name; /* ".css", as one of them has it; or "" */
	struct hf_sum sum;
};

/* Start with {0}. Only files that are listed count. */
struct hf_sizes {
	struct hf_sum all;
	size_t failed;              /* files that cannot be read */
	struct hf_extension *types; /* that of most bytes first */
	size_t n_types;
	struct hf_group files;  /* the largest first */
	struct hf_groups equal; /* of equal bytes; most surplus bytes first */
	struct hf_sum surplus;  /* all but one of each of these groups */
	size_t unknown;         /* files that were not compared: no digest */
};

int hf_sizes_find(const struct hf_manifest *manifest,
		  struct hf_sizes *ret) HF_MUST_USE;
void hf_sizes_fini(struct hf_sizes *sizes);

/* --- chains.c ------------------------------------------------------------ */

/* Start with {0}. */
struct hf_chains {
	size_t references;
	/* Files that no other file refers to, but for style sheets and scripts,
	 * with which pages begin; the largest first. */
	struct hf_group unreferenced;
	/* The longest chain of references; each file refers to the next one. A
	 * circle counts as one file. Empty if there are no references. */
	struct hf_group longest;
	struct hf_groups
		circles; /* each, and its files, in the order of paths */
};

int hf_chains_find(const struct hf_manifest *manifest,
		   const struct hf_references *references,
		   struct hf_chains *ret) HF_MUST_USE;
void hf_chains_fini(struct hf_chains *chains);

/* --- release.c ----------------------------------------------------------- */

/* What copying a tree to where an older one is would do. */
struct hf_release {
	struct hf_sum added; /* under names that the older manifest has not */
	struct hf_sum plain; /* under own names that it has, too: they may have
				changed */
	size_t left;         /* names that only the older one has */
};

/* `new` has the names, and `tree` those of its files that there are. */
int hf_release_find(const struct hf_manifest *old,
		    const struct hf_manifest *new,
		    const struct hf_manifest *tree,
		    struct hf_release *ret) HF_MUST_USE;

/* --- statstext.c, statsjson.c -------------------------------------------- */

struct hf_stats {
	const char *manifest; /* that names the files, borrowed; NULL: none */
	struct hf_fit fit;
	struct hf_sizes sizes;
	struct hf_chains chains;
	const char *previous; /* the older manifest, borrowed; NULL: none */
	struct hf_release release;
};

/* For people, in 80 columns but for long names, which are escaped. Appends. */
void hf_stats_text(const struct hf_stats *stats, struct hf_buf *ret);
/* An object with all that there is. Appends. */
void hf_stats_json(const struct hf_stats *stats, struct hf_buf *ret);

#endif
