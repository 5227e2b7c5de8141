/*
 * What the files of fs/view share among themselves, from the ground up: this,
 * then graph.h, texts and their names; relay.h, many of them at once; listing.h,
 * directories; and above these ahead.h, what is done before it is asked for, and
 * walk.h, the whole tree.
 *
 *   errand.c     something done in the pool for one asker
 *   part.c       which directories are of one part of the tree
 *   lookup.c     presented name -> node
 *   stat.c       a node -> struct stat
 *   content.c    a node -> its bytes
 *   node.c       what a name leads to
 *   catalog.c    a directory's source names and the hashed names they can have
 *   present.c    source file -> presented entry: every rule about one file
 *   problem.c    what is told about a file, in words
 *   attr.c       mode, owner, size, times
 *   changes.c    what the sources report
 *   carried.c    the hash in a name, found again
 *   name.c       path and digest -> hashed name; template.c its form
 *   config.c     what can be chosen; option.c reads it
 *   view.c       all of it together
 */
#ifndef HF_VIEW_INTERNAL_H
#define HF_VIEW_INTERNAL_H

#include <pthread.h>

#include "fs/refs/refs.h"
#include "fs/view/name.h"
#include "fs/view/view.h"

/* The listings that were made last. Any thread. */
#define HF_RECENT 64
struct hf_recent {
	pthread_mutex_t lock;
	struct hf_recent_slot {
		uint64_t dir[2]; /* its node's identity */
		struct hf_listing *listing;
		int64_t used_ns; /* by hf_clock_monotonic */
	} slots[HF_RECENT];      /* protected by lock */
};

struct hf_view {
	const struct hf_config *config;
	struct hf_name_template name_template;
	struct hf_source *source;
	struct hf_pool *pool;
	struct hf_digests *digests;
	uint64_t seed[2]; /* of node identities */
	unsigned threads;
	atomic_uint_least64_t changes; /* noticed in listings */
	struct hf_watches *watches;    /* NULL: nothing is reported */
	int watches_error;             /* why there are none; positive */
	pthread_mutex_t reports_lock;  /* held while reports are read */
	atomic_uint_least64_t reports;
	atomic_uint_least64_t forgets; /* calls of hf_view_forget */
	atomic_uint_least64_t doubts;  /* calls of hf_view_doubt */
	struct hf_recent recent;
	struct hf_pins pins;           /* of everything that is open */
	struct hf_pins held;           /* of texts that are to be rewritten */
	pthread_mutex_t openings_lock; /* guards every node's openings */
	struct hf_cache *cache;
	char *cache_shown; /* its directory, or why there is none */
	struct hf_texts *texts;
	struct hf_integrities *integrities;
	struct hf_frozen *frozen;       /* NULL: live */
	struct hf_ahead *ahead;         /* NULL: nothing is named ahead, */
	struct hf_follow *follow;       /* or read ahead */
	struct hf_rewritten *rewritten; /* NULL: each opening writes anew */
};

/* --- attr.c -------------------------------------------------------------- */

/* Mode, owner, size and time of an entry from its source. */
void hf_attr_entry(const struct hf_config *config, bool constant,
		   const struct stat *st, struct hf_entry *ret);
/* An entry as struct stat. */
void hf_attr_fill(const struct hf_entry *entry, uint64_t ino, struct stat *ret);

/* --- changes.c ------------------------------------------------------------ */

/* hf_watches_dir for the directory `dir`, and for the one that `path` lies in.
 * False where nothing is watched. */
bool hf_view_watch_at(struct hf_view *view, const char *dir);
bool hf_view_watch_parent(struct hf_view *view, const char *path);
bool hf_view_watch_dir(struct hf_view *view, struct hf_node *dir);
/* True if nothing was reported since hf_view_reports was `reports`, whether
 * that was read or not. */
bool hf_view_heard_all(struct hf_view *view, uint64_t reports);
/*
 * Watches the directory. While this is the same, and not 0, none of its files
 * whose changes are reported has changed: nothing was reported, read or not,
 * and nobody doubts that all was; for HF_REPORTS_MS at most. 0: nothing of
 * that is known.
 */
uint32_t hf_view_mark(struct hf_view *view, struct hf_node *dir);

/* --- node.c -------------------------------------------------------------- */

struct hf_view_dir;
struct hf_frozen_dir;

/* There is one for every file that the kernel knows: it is kept small. */
struct hf_node {
	atomic_uint refs;
	atomic_bool dead;
	uint8_t kind : 4; /* enum hf_kind */
	bool reported : 1;
	bool timed : 1;         /* the tail begins with its mtime */
	bool frozen : 1;        /* a directory of a frozen view */
	uint8_t digest_len;     /* of the content; 0: of a mutable one */
	uint8_t error;          /* EIO, too, for what is no such number */
	struct hf_node *parent; /* a reference; NULL for the top */
	union {
		uint64_t identity[2];
		struct {
			uint64_t secret; /* of the identity alone */
			uint64_t ino;
		};
	};
	uint64_t size;
	union {
		struct hf_view_dir *live_dir; /* of a directory, or this: */
		const struct hf_frozen_dir *frozen_dir; /* borrowed */
		struct hf_content *openings; /* of a file; the first, or NULL */
	};
	uint32_t uid;
	uint32_t gid;
	uint16_t root;
	uint16_t mode;
	struct hf_node_room room;
	char tail[]; /* its mtime in ns, or not; the digest; the name */
};

/* What is remembered of a directory of a live view; else NULL. */
static inline struct hf_view_dir *hf_node_dir(const struct hf_node *node)
{
	return node->kind == HF_KIND_DIR && !node->frozen ? node->live_dir
							  : NULL;
}

/* The directory of a frozen view, or NULL. */
static inline const struct hf_frozen_dir *
hf_node_frozen(const struct hf_node *node)
{
	return node->frozen ? node->frozen_dir : NULL;
}

/* Makes it a directory of a frozen view. */
void hf_node_freeze(struct hf_node *node, const struct hf_frozen_dir *dir);
/* The base name in the source; borrowed. */
const char *hf_node_name(const struct hf_node *node);
/* The digest of its content, len 0 for mutable nodes. */
struct hf_digest hf_node_content(const struct hf_node *node);
/* The attributes that it was made with. */
void hf_node_attr(const struct hf_view *view, const struct hf_node *node,
		  struct stat *ret);
/* The node of a presented entry in the directory `parent`. */
int hf_node_new(struct hf_view *view, struct hf_node *parent,
		const struct hf_entry *entry, struct hf_node **ret) HF_MUST_USE;

/* --- present.c ----------------------------------------------------------- */

/* Appends "dir/name", or "name" at the top. */
void hf_view_join(struct hf_buf *buf, const char *dir, const char *name);
/* Makes `buf` that of the next name in the directory: before, it is {0} or that
 * of another one in it. */
void hf_view_join_next(struct hf_buf *buf, const char *dir, const char *name);

/* What a file is named by, and what is read under the name. */
struct hf_named {
	struct hf_digest name;
	struct hf_digest content;
	uint64_t size;
	bool circular; /* the two digests differ: see members.c */
	bool depends;  /* on other files */
	bool reported; /* all that it depends on reports its changes */
};

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

/* True if the bytes of a file with this path are rewritten. */
bool hf_view_is_text(const struct hf_view *view, const char *path);

/* True for errors that are ours or the asker's and say nothing of the file:
 * interrupted, out of memory or descriptors. */
bool hf_error_passing(int error);

/*
 * The entry of the source file `source` at `path`. `named` is what it is named
 * by, or `error` (negative) says why that is not known; both are ignored where
 * the rule needs no digest. The entry's name is source->name, or the content of
 * the empty buffer `name`, which holds the hashed name then.
 */
int hf_present(const struct hf_view *view, const char *path,
	       const struct hf_source_entry *source, struct hf_rule rule,
	       const struct hf_named *named, int error, struct hf_buf *name,
	       struct hf_entry *ret) HF_MUST_USE;
/* A file whose name is that of its own bytes. */
struct hf_named hf_named_of(const struct hf_fact *fact);
/* The original name of a hashed entry, beside it. */
void hf_present_plain(const struct hf_config *config,
		      const struct hf_source_entry *source,
		      struct hf_entry *ret);

/* --- catalog.c ----------------------------------------------------------- */

/* A catalog also has the shapes of the hashed names that its names can have. */
struct hf_source_names *hf_catalog_names(const struct hf_catalog *catalog);
/* What entry `i` of those names becomes if it is a file or a broken link. Not
 * for shadowed ones. */
struct hf_rule hf_catalog_rule(const struct hf_catalog *catalog, size_t i);
struct hf_catalog *hf_catalog_ref(struct hf_catalog *catalog);
/* Lists the source anew; *ret_list is new, too: what was found, stats and
 * all. */
int hf_catalog_read(const struct hf_view *view, const char *dir,
		    struct hf_source_list **ret_list,
		    struct hf_catalog **ret) HF_MUST_USE;
/*
 * The indexes, ascending, of all entries whose hashed name can be `name`.
 * *ret is new (NULL if there are none).
 */
int hf_catalog_match(const struct hf_view *view, struct hf_catalog *catalog,
		     const char *name, size_t **ret, size_t *ret_n) HF_MUST_USE;

/* --- errand.c ------------------------------------------------------------ */

struct hf_errand;
/*
 * Has `what` called in the pool with `arg`, which belongs to the errand and is
 * freed at its end, also on error. `asker` is woken when it is done. -ENOMEM.
 */
int hf_errand_new(struct hf_pool *pool, void (*what)(void *arg),
		  void (*free_arg)(void *arg), void *arg, struct hf_wait *asker,
		  struct hf_errand **ret) HF_MUST_USE;
bool hf_errand_done(struct hf_errand *errand);
/* Until it is done; -EINTR: the asker was interrupted. */
int hf_errand_wait(struct hf_errand *errand) HF_MUST_USE;
/* Borrowed; the asker's once it is done. */
void *hf_errand_arg(const struct hf_errand *errand);
/* The asker lets go of it, done or not. NULL is allowed. */
void hf_errand_end(struct hf_errand *errand);

/* --- part.c --------------------------------------------------------------- */

/* Whether the directory at `path` is of that part: each is of one, the same one
 * on every machine. */
bool hf_part_has(const struct hf_part *part, const char *path);

#endif
