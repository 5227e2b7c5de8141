/*
 * What the files of fs/view share among themselves.
 *
 *   snapshot.c the whole mapping at one moment
 *   walk.c     every directory, named
 *   lookup.c   presented name -> node
 *   naming.c   a listing in the making
 *   stat.c     a node -> struct stat
 *   content.c  a node -> its bytes
 *   node.c     what a name leads to
 *   dir.c      what is remembered of a directory
 *   listing.c  a directory's presented entries
 *   catalog.c  a directory's source names and the hashed names they can have
 *   present.c  source file -> presented entry: every rule about one file
 *   problem.c  what is told about a file, in words
 *   attr.c     mode, owner, size, times
 *   name.c     path and digest -> hashed name; template.c its form
 *   config.c   what can be chosen; option.c reads it
 *   view.c     all of it together
 */
#ifndef HF_VIEW_INTERNAL_H
#define HF_VIEW_INTERNAL_H

#include <pthread.h>

#include "fs/view/name.h"
#include "fs/view/view.h"

struct hf_view {
	const struct hf_config *config;
	struct hf_name_template name_template;
	struct hf_source *source;
	struct hf_pool *pool;
	struct hf_digests *digests;
	uint64_t seed[2]; /* of node identities */
	unsigned threads;
	atomic_uint_least64_t generation; /* of the newest listing */
	pthread_mutex_t sums_lock;        /* guards every node's sums */
};

/* --- attr.c -------------------------------------------------------------- */

/* Mode, owner, size and time of an entry from its source. */
void hf_attr_entry(const struct hf_config *config, bool constant,
		   const struct stat *st, struct hf_entry *ret);
/* An entry as struct stat. */
void hf_attr_fill(const struct hf_entry *entry, uint64_t ino, struct stat *ret);

/* --- node.c -------------------------------------------------------------- */

struct hf_view_dir;

struct hf_node {
	atomic_uint refs;
	atomic_bool dead;
	struct hf_node *parent; /* a reference; NULL for the top */
	uint64_t identity[2];
	uint64_t ino;
	struct hf_entry entry;   /* name: NULL, source: name below */
	struct hf_view_dir *dir; /* of directories */
	struct hf_sums *sums;    /* of the last opening; view->sums_lock */
	char name[];
};

/* The node of a presented entry in the directory `parent`. */
int hf_node_new(struct hf_view *view, struct hf_node *parent,
		const struct hf_entry *entry, struct hf_node **ret) HF_MUST_USE;

/* --- present.c ----------------------------------------------------------- */

/* Appends "dir/name", or "name" at the top. */
void hf_view_join(struct hf_buf *buf, const char *dir, const char *name);

/* What a file of this path becomes, by its path alone. */
struct hf_rule {
	enum hf_kind kind;
	enum hf_problem problem;
};
struct hf_rule hf_rule_of(const struct hf_view *view, const char *path,
			  const char *name);
/* True if an entry of this rule needs the digest of its bytes. */
bool hf_rule_needs_digest(struct hf_rule rule);
/* True if what the file shows may change while its name stays. */
bool hf_rule_mutable(struct hf_rule rule);

/* True for errors that are ours or the asker's and say nothing of the file:
 * interrupted, out of memory or descriptors. */
bool hf_error_passing(int error);

/*
 * The entry of the source file `source` at `path`. `fact` is its digest, or
 * `error` (negative) says why there is none; both are ignored where the rule
 * needs no digest. The entry's name is source->name, or the content of the
 * empty buffer `name`, which holds the hashed name then.
 */
int hf_present(const struct hf_view *view, const char *path,
	       const struct hf_source_entry *source, struct hf_rule rule,
	       const struct hf_fact *fact, int error, struct hf_buf *name,
	       struct hf_entry *ret) HF_MUST_USE;
/* The original name of a hashed entry, beside it. */
void hf_present_plain(const struct hf_config *config,
		      const struct hf_source_entry *source,
		      struct hf_entry *ret);

/* --- catalog.c ----------------------------------------------------------- */

/*
 * The source names of a directory and the shapes of the hashed names that
 * they can have. Immutable, counted.
 */
struct hf_catalog;
struct hf_source_list *hf_catalog_list(const struct hf_catalog *catalog);
/* What entry `i` of that list becomes if it is a file or a broken link. Not
 * for shadowed ones. */
struct hf_rule hf_catalog_rule(const struct hf_catalog *catalog, size_t i);
struct hf_catalog *hf_catalog_ref(struct hf_catalog *catalog);
void hf_catalog_unref(struct hf_catalog *catalog);
/* Lists the source anew. */
int hf_catalog_read(const struct hf_view *view, const char *dir,
		    struct hf_catalog **ret) HF_MUST_USE;
/*
 * The indexes, ascending, of all entries whose hashed name can be `name`.
 * *ret is new (NULL if there are none).
 */
int hf_catalog_match(const struct hf_view *view,
		     const struct hf_catalog *catalog, const char *name,
		     size_t **ret, size_t *ret_n) HF_MUST_USE;

/* --- dir.c --------------------------------------------------------------- */

struct hf_view_dir;
int hf_view_dir_new(struct hf_view_dir **ret) HF_MUST_USE;
void hf_view_dir_free(struct hf_view_dir *dir);
/* The catalog of the directory at `path` as of now (a new reference): the last
 * one if it is current. *fresh: it was read just now, stats and all. */
int hf_view_dir_catalog(struct hf_view *view, struct hf_view_dir *dir,
			const char *path, bool *fresh,
			struct hf_catalog **ret) HF_MUST_USE;
/* Forgets the catalog: the next one is read anew. */
void hf_view_dir_forget(struct hf_view_dir *dir);
/* The last listing (a new reference), or NULL. */
struct hf_listing *hf_view_dir_last(struct hf_view_dir *dir);
/* Puts `listing` in the place of `before` (NULL: of none); false: another one
 * is there by now. */
bool hf_view_dir_set_last(struct hf_view_dir *dir,
			  const struct hf_listing *before,
			  struct hf_listing *listing) HF_MUST_USE;

/* --- listing.c ----------------------------------------------------------- */

struct hf_listing {
	atomic_uint refs;
	uint64_t generation;
	struct hf_catalog *catalog;  /* what it was made of */
	struct hf_source_list *list; /* the same entries, with these stats */
	bool settled; /* every digest may be answered from memory */
	size_t n;
	struct hf_entry *entries;
	struct hf_buf names;
};

/* --- naming.c ------------------------------------------------------------ */

/*
 * A listing in the making: its digests are on their way. Several may be
 * started before the first is finished.
 */
struct hf_naming;
int hf_naming_start(struct hf_view *view, struct hf_node *dir,
		    struct hf_naming **ret) HF_MUST_USE;
/* The files it is about; borrowed. */
const struct hf_source_list *hf_naming_list(const struct hf_naming *naming);
int hf_naming_finish(struct hf_naming *naming, struct hf_wait *wait,
		     struct hf_listing **ret) HF_MUST_USE;
void hf_naming_free(struct hf_naming *naming);

/* --- walk.c -------------------------------------------------------------- */

/* One directory of a walk: its listing, or why there is none. */
struct hf_stop {
	struct hf_node *node;
	struct hf_naming *naming; /* while it is on its way */
	struct hf_listing *listing;
	int error;
};

/* Start with view, wait and progress (or NULL) set and the rest {0}. */
struct hf_walk {
	struct hf_view *view;
	struct hf_wait *wait;
	struct hf_progress *progress;
	struct hf_stop *stops;
	size_t n;
	size_t cap;
};
/* Lists every directory. An error is one that concerns the whole. */
int hf_walk_all(struct hf_walk *walk) HF_MUST_USE;
/* 0 if the tree still is as the walk saw it, -EAGAIN if not. */
int hf_walk_same(struct hf_walk *walk) HF_MUST_USE;
void hf_walk_fini(struct hf_walk *walk);

#endif
