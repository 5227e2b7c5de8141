/*
 * What the files of fs/view share among themselves.
 *
 *   frozen.c   one state of the tree, kept
 *   findings.c what is worth telling about it, each of a kind; finding.c one
 *   plainrefs.c names in texts that are not shown
 *   references.c which file refers to which
 *   survey.c   the tree walked until it held still, and what that tells
 *   snapshot.c the whole mapping, written down
 *   integrity.c what browsers check the bytes of a name by
 *   walk.c     every directory, named
 *   again.c    was it one state? a second look at all that a walk saw
 *   errand.c   something done in the pool for one asker
 *   ahead.c    directories named before they are opened
 *   upcoming.c which those are
 *   follow.c   files read before they are opened
 *   pile.c     the bytes of many files, read in the pool; relay.c has them
 *              looked at there
 *   part.c     which directories are of one part of the tree
 *   lookup.c   presented name -> node
 *   naming.c   a listing in the making
 *   stat.c     a node -> struct stat
 *   content.c  a node -> its bytes
 *   node.c     what a name leads to
 *   openings.c what the openings of a file have in common
 *   dir.c      what is remembered of a directory
 *   component.c texts in the order of naming: leaves first
 *   members.c  what a text is named, or a circle of texts together
 *   edge.c     which file a link leads to
 *   graph.c    files and the files that they refer to
 *   links.c    what a text refers to
 *   texts.c    what is remembered of it
 *   writing.c  one text, rewritten
 *   settle.c   equal names in one directory
 *   vouch.c    a listing handed out again
 *   recent.c   the listings that were made last
 *   listing.c  a directory's presented entries
 *   catalog.c  a directory's source names and the hashed names they can have
 *   present.c  source file -> presented entry: every rule about one file
 *   problem.c  what is told about a file, in words
 *   attr.c     mode, owner, size, times
 *   changes.c  what the sources report
 *   carried.c  the hash in a name, found again
 *   name.c     path and digest -> hashed name; template.c its form
 *   config.c   what can be chosen; option.c reads it
 *   view.c     all of it together
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
	} slots[HF_RECENT]; /* protected by lock */
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
	struct hf_pins pins;       /* of everything that is open */
	pthread_mutex_t sums_lock; /* guards every node's sums, pinned */
	struct hf_cache *cache;
	char *cache_shown; /* its directory, or why there is none */
	struct hf_texts *texts;
	struct hf_integrities *integrities;
	struct hf_frozen *frozen; /* NULL: live */
	struct hf_ahead *ahead;   /* NULL: nothing is named ahead, */
	struct hf_follow *follow; /* or read ahead */
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

/* --- node.c -------------------------------------------------------------- */

struct hf_view_dir;
struct hf_frozen_dir;

/* There is one for every file that the kernel knows: it is kept small. */
struct hf_node {
	atomic_uint refs;
	atomic_bool dead;
	uint8_t kind;       /* enum hf_kind */
	uint8_t digest_len; /* of the content; 0: of a mutable one */
	bool reported : 1;
	bool timed : 1;         /* the tail begins with its mtime */
	bool frozen : 1;        /* a directory of a frozen view */
	struct hf_node *parent; /* a reference; NULL for the top */
	uint64_t identity[2];
	uint64_t ino;
	uint64_t size;
	uint32_t uid;
	uint32_t gid;
	uint32_t root;
	uint16_t mode;
	uint16_t error;
	union {
		struct hf_view_dir *live_dir; /* of a directory, or this: */
		const struct hf_frozen_dir *frozen_dir; /* borrowed */
		struct hf_openings *openings;           /* of a file, or NULL */
	};
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

/* --- openings.c ---------------------------------------------------------- */

struct hf_openings;
/* NULL is allowed. */
void hf_openings_free(struct hf_openings *openings);
/* The sums that an opening left, a new reference, or NULL; leaves some. */
struct hf_sums *hf_openings_sums(struct hf_view *view, struct hf_node *node);
void hf_openings_set_sums(struct hf_view *view, struct hf_node *node,
			  struct hf_sums *sums);
/*
 * *verified is pinned memory; what another opening has takes its place, if
 * there is one. True: hf_openings_leave is to be called before it is given
 * back; false: there was no memory, and it stands alone.
 */
bool hf_openings_join(struct hf_view *view, struct hf_node *node,
		      struct hf_verified **verified);
void hf_openings_leave(struct hf_view *view, struct hf_node *node);

/* --- present.c ----------------------------------------------------------- */

/* Appends "dir/name", or "name" at the top. */
void hf_view_join(struct hf_buf *buf, const char *dir, const char *name);

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
 * the rule needs no digest. The entry's name is source->name, or the content of the
 * empty buffer `name`, which holds the hashed name then.
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

/*
 * The source names of a directory and the shapes of the hashed names that
 * they can have. Immutable, counted.
 */
struct hf_catalog;
struct hf_source_names *hf_catalog_names(const struct hf_catalog *catalog);
/* What entry `i` of those names becomes if it is a file or a broken link. Not
 * for shadowed ones. */
struct hf_rule hf_catalog_rule(const struct hf_catalog *catalog, size_t i);
struct hf_catalog *hf_catalog_ref(struct hf_catalog *catalog);
void hf_catalog_unref(struct hf_catalog *catalog);
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

/* --- links.c ------------------------------------------------------------- */

/* What one text refers to. Start with {0}. */
struct hf_links {
	/* hf_link_of what hf_refs_rewrite asks for; what it asked for when the
	 * targets had other names may be among them. */
	struct hf_strings paths;
	bool verbatim; /* rewriting changes nothing */
	bool not_utf8;
	bool too_large;
};
void hf_links_fini(struct hf_links *links);
/* Before the path of a link whose target's name does not go into the text; a
 * normalised path never begins so. */
#define HF_LINK_UNSHOWN "./"
/* Appends the link that such a question of hf_refs_rewrite is. */
void hf_link_of(const char *path, bool shown, struct hf_buf *ret);
/* Texts above this size are shown as they are: rewriting one takes several
 * times its size in memory. */
#define HF_TEXT_MAX (UINT64_C(32) * 1024 * 1024)
/* True if a text of that size is read for what it refers to. */
bool hf_text_fits(uint64_t size);
/* -ENOMEM. */
int hf_links_find(const struct hf_view *view, const char *path,
		  const char *data, size_t len,
		  struct hf_links *ret) HF_MUST_USE;
/* A hf_inspector's functions, which remember what they find; arg is the
 * view. */
bool hf_links_wanted(void *arg, const char *path, uint64_t size);
void hf_links_inspect(void *arg, const char *path,
		      const struct hf_digest *digest, const char *data,
		      size_t len);

/* --- texts.c ------------------------------------------------------------- */

/* What is remembered of texts, each under its path. Any thread. */
struct hf_texts;
/* The view's config, source and cache are borrowed. */
int hf_texts_new(const struct hf_view *view, struct hf_texts **ret) HF_MUST_USE;
void hf_texts_free(struct hf_texts *texts);
/* True if the links of the bytes with that digest are known: *ret is new. */
bool hf_texts_links(struct hf_texts *texts, const char *path,
		    const struct hf_digest *digest, struct hf_links *ret);
void hf_texts_put_links(struct hf_texts *texts, const char *path,
			const struct hf_digest *digest,
			const struct hf_links *links);
/* 128 bits for all that a name depends on. */
void hf_texts_key(const struct hf_texts *texts, const struct hf_buf *text,
		  uint64_t ret[2]);
/* What the text was named last, if that depended on the same; key NULL: in
 * any case. */
bool hf_texts_name(struct hf_texts *texts, const char *path,
		   const uint64_t key[2], struct hf_named *ret);
void hf_texts_put_name(struct hf_texts *texts, const char *path,
		       const uint64_t key[2], const struct hf_named *named);

/* --- integrity.c ---------------------------------------------------------- */

/* Digests of what is read under a name by the algorithms that browsers know,
 * each remembered under its path with the content digest of the same bytes.
 * Any thread. */
struct hf_integrities;
/* The view's config, source and cache are borrowed. */
int hf_integrities_new(const struct hf_view *view,
		       struct hf_integrities **ret) HF_MUST_USE;
void hf_integrities_free(struct hf_integrities *integrities);
/* A hf_inspector's function; arg is the view. */
void hf_integrity_second(void *arg, const char *path,
			 const struct hf_digest *digest,
			 const struct hf_digest *second);
/* A text was written that has this digest: its integrity is worked out while
 * it is at hand, if the config wants any. */
void hf_integrity_written(struct hf_view *view, const char *path,
			  const struct hf_digest *digest,
			  const struct hf_buf *text);
struct hf_walk;
struct hf_stop;
/*
 * The integrity of what is read under entry i of a stop, which has no error
 * and stands at `path` in the sources. Known, or read for it. -ESTALE: it is
 * no longer what was named; errors of opening and reading.
 */
int hf_integrity_find(struct hf_walk *walk, const struct hf_stop *stop,
		      size_t i, const char *path,
		      const struct hf_algorithm *algorithm,
		      struct hf_wait *wait, struct hf_digest *ret) HF_MUST_USE;

/* --- graph.c, component.c ------------------------------------------------ */

enum hf_vertex_type {
	HF_VERTEX_ABSENT,
	HF_VERTEX_DIR,
	HF_VERTEX_STAY, /* keeps its name: references to it stay as written */
	HF_VERTEX_FILE, /* named by its bytes */
	HF_VERTEX_TEXT, /* named by its rewritten bytes */
};

struct hf_edge {
	const char *link;     /* borrowed from the links */
	const char *path;     /* that it leads to, in the link */
	struct hf_vertex *to; /* NULL: no file can have that path */
	bool decoded;         /* found only when taken for a URL */
	bool shown; /* the target's name goes into the text: it comes first */
	bool asked; /* for, by the writing at hand */
	bool reported; /* all that was looked at for it is */
};

/* One file of a graph. */
struct hf_vertex {
	char *path;
	enum hf_vertex_type type;
	unsigned root;
	struct hf_sig sig;
	int error;     /* of reading it */
	bool known;    /* raw was told, not asked for */
	bool settled;  /* asked for: that of sig, and sig was quiet */
	bool reported; /* changes are; once named, also those of all that it
			  refers to */
	struct hf_fact raw;
	struct hf_links links;
	struct hf_edge *edges; /* sorted by link */
	size_t n_edges;
	bool done; /* named */
	struct hf_named named;
	/* component.c's: */
	size_t number; /* from 1, in the order of visiting; 0: not visited */
	size_t low;
	size_t next_edge;
	size_t component;
	bool open;
};

/* The files that one question reaches. One thread. */
struct hf_graph {
	struct hf_view *view;
	bool watching; /* set by who wants to know what is reported */
	struct hf_map *by_path;
	struct hf_vertex **vertices; /* owned, in the order of finding */
	size_t n;
	size_t cap;
	size_t explored;
	size_t numbered;
	struct hf_vertex **stack;
	size_t stack_n;
	bool changed; /* edges, since it was explored */
	bool failed;  /* in the middle: the next question starts anew */
};

int hf_graph_new(struct hf_view *view, struct hf_graph **ret) HF_MUST_USE;
void hf_graph_free(struct hf_graph *graph);
/* Tells the graph of a text whose digest the asker has: it is not asked for
 * again. */
int hf_graph_know(struct hf_graph *graph, const char *path,
		  const struct hf_source_entry *entry,
		  const struct hf_fact *fact) HF_MUST_USE;
/* What the view makes of a source entry, as far as references are concerned. */
enum hf_vertex_type hf_vertex_type_of(const struct hf_view *view,
				      const char *path,
				      const struct hf_source_entry *entry);
/* Finds a file and everything that it refers to. */
int hf_graph_explore(struct hf_graph *graph, const char *path,
		     struct hf_wait *wait, struct hf_vertex **ret) HF_MUST_USE;
/* The vertex of a path, made and looked at if it is new, but not explored;
 * borrowed. */
int hf_graph_enter(struct hf_graph *graph, const char *path,
		   struct hf_vertex **ret) HF_MUST_USE;
/* Appends the bytes of a file that have that digest, verified. `wait` NULL as
 * hf_digests_open. */
int hf_view_read(struct hf_view *view, unsigned root, const char *path,
		 const struct hf_digest *digest, struct hf_wait *wait,
		 struct hf_buf *ret) HF_MUST_USE;
/* The same of an explored text. */
int hf_vertex_read(struct hf_graph *graph, const struct hf_vertex *vertex,
		   struct hf_wait *wait, struct hf_buf *ret) HF_MUST_USE;

/*
 * What the text `path` is named. Errors are those of reading it, or of our
 * own (hf_error_passing); what it refers to is never an error.
 */
int hf_graph_name(struct hf_graph *graph, const char *path,
		  struct hf_wait *wait, struct hf_named *ret) HF_MUST_USE;

/*
 * Appends the rewritten text, and gives its digest. *verbatim: it is shown as
 * it is, and nothing was appended.
 */
int hf_graph_text(struct hf_graph *graph, const char *path,
		  struct hf_wait *wait, bool *verbatim, struct hf_buf *ret,
		  struct hf_digest *digest) HF_MUST_USE;

/* The text `path`, named; *ret is borrowed from the graph. Errors as
 * hf_graph_name, but one of reading it is in the vertex. */
int hf_graph_vertex(struct hf_graph *graph, const char *path,
		    struct hf_wait *wait, struct hf_vertex **ret) HF_MUST_USE;
/* The text `path` if it was named already, or NULL. Reads the graph only. */
const struct hf_vertex *hf_graph_find(const struct hf_graph *graph,
				      const char *path);

/* --- collected.c ----------------------------------------------------------- */

/* Whether collectstatic makes the directory `dir`, which is there: it has a
 * file below it. `reported` is cleared if a change of that may not be told. */
int hf_view_is_collected(struct hf_graph *graph, const char *dir,
			 bool *reported, bool *ret) HF_MUST_USE;

/* --- edge.c --------------------------------------------------------------- */

/* Adds an edge for each of links[0, n), which the vertex borrows. What they
 * lead to is not explored. */
int hf_vertex_add_links(struct hf_graph *graph, struct hf_vertex *vertex,
			char *const *links, size_t n) HF_MUST_USE;
/* The same for links that a text turned out to have; they are copied. */
int hf_graph_grow(struct hf_graph *graph, struct hf_vertex *vertex,
		  const struct hf_strings *late) HF_MUST_USE;
/* The edge of a link, or NULL. */
struct hf_edge *hf_vertex_edge(const struct hf_vertex *vertex,
			       const char *link);

/* --- members.c ------------------------------------------------------------ */

/*
 * Names the n members of a component; all that they refer to outside of it is
 * named. -EAGAIN: graph->changed, and what is not named is to be visited
 * again. Else errors as hf_graph_name.
 */
int hf_members_name(struct hf_graph *graph, struct hf_vertex **members,
		    size_t n, struct hf_wait *wait) HF_MUST_USE;
/* A file that is shown as it is. */
void hf_vertex_name_verbatim(struct hf_vertex *vertex);

/* --- writing.c ------------------------------------------------------------ */

/* References that lead nowhere are told to `missing`, in the order of the
 * patterns that find them. */
struct hf_report {
	void *arg;
	void (*missing)(void *arg, enum hf_target target,
			const struct hf_ref *ref);
};

/* One rewriting of a text whose targets are named. */
struct hf_writing {
	struct hf_graph *graph;
	struct hf_vertex *vertex;
	bool inside_stays; /* references inside the component stay */
	const struct hf_report *report; /* or NULL */
	struct hf_strings *late;        /* links without an edge; or NULL */
};

/* Where a reference leads: the question that hf_refs_rewrite asks; arg is the
 * writing. */
int hf_writing_resolve(void *arg, const char *path, bool shown,
		       enum hf_target *target, struct hf_buf *ret) HF_MUST_USE;
/*
 * A text written again whose links are all known: appends it, and gives its
 * digest. *verbatim: it is shown as it is, and nothing was appended. Reads the
 * graph only, so any thread may.
 */
int hf_writing_again(struct hf_graph *graph, const struct hf_vertex *vertex,
		     struct hf_wait *wait, bool *verbatim, struct hf_buf *ret,
		     struct hf_digest *digest) HF_MUST_USE;
/*
 * Reads and rewrites: appends the text and gives its digest. -EAGAIN: the text
 * has links that were not explored, and the graph has grown by them.
 */
int hf_writing_write(const struct hf_writing *writing, struct hf_wait *wait,
		     struct hf_buf *ret, struct hf_digest *digest) HF_MUST_USE;
/* `raw` is what hf_vertex_read says of the text. */
int hf_writing_report(struct hf_graph *graph, struct hf_vertex *vertex,
		      const struct hf_buf *raw,
		      const struct hf_report *report) HF_MUST_USE;

/* --- dir.c --------------------------------------------------------------- */

struct hf_view_dir;
int hf_view_dir_new(struct hf_view_dir **ret) HF_MUST_USE;
void hf_view_dir_free(struct hf_view_dir *dir);
/* The catalog of the directory at `path` as of now (a new reference): the last
 * one if it is current, and *ret_list is NULL; else as hf_catalog_read. */
int hf_view_dir_catalog(struct hf_view *view, struct hf_view_dir *dir,
			const char *path, struct hf_source_list **ret_list,
			struct hf_catalog **ret) HF_MUST_USE;
/* Forgets the catalog: the next one is read anew. */
void hf_view_dir_forget(struct hf_view_dir *dir);
/* Remembers the generation of a new listing; true if it says something else
 * than the one before. */
bool hf_view_dir_set_generation(struct hf_view_dir *dir, uint64_t generation);
/* Whether there was one. */
bool hf_view_dir_listed(struct hf_view_dir *dir);
/* The generation of the last listing and the grounds on which that still
 * stands; 0: there are none. */
uint64_t hf_view_dir_grounds(struct hf_view_dir *dir, struct hf_grounds *ret);
/* Sets them, if the last listing is still of that generation. */
void hf_view_dir_set_grounds(struct hf_view_dir *dir, uint64_t generation,
			     const struct hf_grounds *grounds);

/* --- recent.c ------------------------------------------------------------ */

void hf_recent_init(struct hf_recent *recent);
void hf_recent_fini(struct hf_recent *recent);
/* The listing of a directory takes the place of another's. */
void hf_recent_put(struct hf_recent *recent, const struct hf_node *dir,
		   struct hf_listing *listing);
/* The last one of a directory, a new reference, if it still has its place;
 * else NULL. */
struct hf_listing *hf_recent_get(struct hf_recent *recent,
				 const struct hf_node *dir);
/* --- vouch.c -------------------------------------------------------------- */

/* The listing, made after `grounds` were taken, may be handed out again as long
 * as those hold, if all that it says is reported. */
void hf_view_vouch(struct hf_node *dir, const struct hf_grounds *grounds,
		   const struct hf_listing *listing);

/* --- listing.c ----------------------------------------------------------- */

struct hf_listing {
	atomic_uint refs;
	uint64_t generation;
	struct hf_catalog *catalog;  /* what it was made of */
	struct hf_source_list *list; /* the same entries, with these stats */
	bool quiet;   /* every digest may be answered from memory */
	bool settled; /* the same, and no name depends on other files */
	size_t n;
	struct hf_entry *entries;
	struct hf_buf names;
};

/* Numbers a made listing: sets its generation. -ENOMEM. */
int hf_listing_number(struct hf_listing *made) HF_MUST_USE;
/* Lets go of what a listing was made of: only what it says stays. Not while
 * another thread looks at it. -ENOMEM. */
int hf_listing_detach(struct hf_listing *listing) HF_MUST_USE;
/* True if the directory was not changed within the grain of its stamps. */
bool hf_listing_quiet(const struct hf_listing *listing);

/* --- settle.c ------------------------------------------------------------- */

/*
 * Gives each presented name of a made listing to one entry: directories first,
 * for a whole tree hangs on the name, then hashed files in the order of their
 * sources, then the others. Hashed files of equal bytes share it. -ENOMEM.
 */
int hf_listing_settle(const struct hf_view *view,
		      struct hf_listing *made) HF_MUST_USE;
/* True if both, of one name, can be had under it: that name leads to the
 * winner's file. */
bool hf_entries_share(const struct hf_entry *winner,
		      const struct hf_entry *entry);

/* --- naming.c ------------------------------------------------------------ */

/*
 * A listing in the making: the files are listed, then their digests are asked
 * for, then it is finished. Several may be under way.
 */
struct hf_naming;
/* `graph` is borrowed until the naming is freed; of one question. */
int hf_naming_look(struct hf_view *view, struct hf_node *dir,
		   struct hf_graph *graph, struct hf_naming **ret) HF_MUST_USE;
int hf_naming_ask(struct hf_naming *naming) HF_MUST_USE;
/* True if no more than this is in the directory. */
#define HF_SMALL_DIR_FILES 128
#define HF_SMALL_DIR_BYTES (UINT64_C(32) * 1024 * 1024)
bool hf_naming_is_small(const struct hf_naming *naming);
/* A whole listing, with the graph of a greater question. */
int hf_naming_list_all(struct hf_view *view, struct hf_node *dir,
		       struct hf_graph *graph, struct hf_wait *wait,
		       struct hf_listing **ret) HF_MUST_USE;
/* The files it is about; borrowed. */
const struct hf_source_list *hf_naming_list(const struct hf_naming *naming);
/* False if entry i of the list is of another part than the view is about. */
bool hf_naming_is_told(const struct hf_naming *naming, size_t i);
int hf_naming_finish(struct hf_naming *naming, struct hf_wait *wait,
		     struct hf_listing **ret) HF_MUST_USE;
/* The same without waiting for anything and without the graph, so that any
 * thread may. -EAGAIN: that is not possible, and hf_naming_finish is. */
int hf_naming_finish_now(struct hf_naming *naming,
			 struct hf_listing **ret) HF_MUST_USE;
/* Once it is finished: true for each entry of the list that was found to be the
 * same after hf_naming_ask was called. *ret is new; NULL: none. */
bool *hf_naming_take_seen(struct hf_naming *naming);
void hf_naming_free(struct hf_naming *naming);

/* --- errand.c ------------------------------------------------------------ */

struct hf_errand;
/*
 * Has `what` called in the pool with `arg`, which belongs to the errand and is
 * freed at its end, also on error. `asker` is woken when it is done. -ENOMEM.
 */
int hf_errand_new(struct hf_pool *pool, void (*what)(void *arg),
		  void (*free_arg)(void *arg), void *arg, struct hf_wait *asker,
		  struct hf_errand **ret) HF_MUST_USE;
/* Until it is done; -EINTR: the asker was interrupted. */
int hf_errand_wait(struct hf_errand *errand) HF_MUST_USE;
/* Borrowed; the asker's once it is done. */
void *hf_errand_arg(const struct hf_errand *errand);
/* The asker lets go of it, done or not. NULL is allowed. */
void hf_errand_end(struct hf_errand *errand);

/* --- ahead.c -------------------------------------------------------------- */

struct hf_ahead;
/* Waits for what is being looked at. NULL is allowed, here and below. */
void hf_ahead_free(struct hf_ahead *ahead);
/*
 * Somebody opens the directory `dir`; `first`: it was never listed before. True
 * if what is in it is to be offered once it is listed.
 */
bool hf_ahead_opens(struct hf_ahead *ahead, const struct hf_node *dir,
		    bool first);
/* The directories in `list`, which is what `dir` has, may be opened next. */
void hf_ahead_offer(struct hf_ahead *ahead, struct hf_node *dir,
		    const struct hf_source_list *list);
/* Replaces a new node of a directory by the one that is named ahead, or has
 * been, if there is such a one; steals and gives a reference. */
void hf_ahead_instead(struct hf_ahead *ahead, struct hf_node **node);

/* Files are read ahead: lets them go if nobody comes for them. */
void hf_ahead_tend(struct hf_ahead *ahead);

/* --- upcoming.c ----------------------------------------------------------- */

/* A directory that may be opened next. */
struct hf_next {
	struct hf_node *node;     /* a reference */
	struct hf_naming *naming; /* under way; of who took it, as graph */
	struct hf_graph *graph;
	struct hf_grounds grounds;
	struct hf_listing
		*listing; /* once it is named; held for who opens it */
	/* private, and protected by the list's lock: */
	struct hf_next *before;
	struct hf_next *after;
	unsigned state;
	size_t files;
	bool busy; /* it is taken, */
	bool gone; /* and out of the list */
};

/* Any thread; one takes and gives. */
struct hf_upcoming;
int hf_upcoming_new(const uint64_t seed[2],
		    struct hf_upcoming **ret) HF_MUST_USE;
void hf_upcoming_free(struct hf_upcoming *upcoming);
/* The directories in `list`, which is what `parent` has, come next: first of
 * all, or after `at`, which is taken, if that is still in the list. */
void hf_upcoming_offer(struct hf_upcoming *upcoming, struct hf_view *view,
		       struct hf_node *parent,
		       const struct hf_source_list *list, struct hf_next *at);
/* Somebody opens a directory. True if it was in the list. *offer: it is listed
 * for the first time; then, whether what is in it is to be offered. *ret is a
 * new reference to its listing if it was named ahead; else it stays. */
bool hf_upcoming_open(struct hf_upcoming *upcoming, const struct hf_node *dir,
		      bool *offer, struct hf_listing **ret);
/* A new reference to the node in the list that is as this one, or NULL. */
struct hf_node *hf_upcoming_node(struct hf_upcoming *upcoming,
				 const struct hf_node *node);
/* The next one whose naming is to be started, or to be finished if it has one;
 * borrowed until it is given back. NULL: there is nothing to do. */
struct hf_next *hf_upcoming_take(struct hf_upcoming *upcoming);
/* With a naming it is started, without one it is named; error: it is left to
 * whoever opens it. */
void hf_upcoming_give(struct hf_upcoming *upcoming, struct hf_next *next,
		      int error);

/* --- follow.c ------------------------------------------------------------- */

struct hf_follow;
int hf_follow_new(struct hf_follow **ret) HF_MUST_USE;
void hf_follow_free(struct hf_follow *follow);
/* Nobody goes on: forgets which directories are read. */
void hf_follow_rest(struct hf_follow *follow);
/* Somebody opens the constant file: those that come next may be read. */
void hf_follow_opens(struct hf_view *view, const struct hf_node *node,
		     struct hf_wait *wait);

/* --- pile.c --------------------------------------------------------------- */

/* Bytes of many files. One thread, besides those of the pool. */
struct hf_pile;
int hf_pile_new(struct hf_view *view, struct hf_wait *asker,
		struct hf_pile **ret) HF_MUST_USE;
/* The bytes of an explored file, as hf_vertex_read has them. -ENOMEM. */
int hf_pile_add(struct hf_pile *pile,
		const struct hf_vertex *vertex) HF_MUST_USE;
/* Begins to read what was added; -ENOMEM: the pile can only be freed. */
int hf_pile_read(struct hf_pile *pile) HF_MUST_USE;
/* Until all is read; -EINTR: the asker was interrupted. */
int hf_pile_wait(struct hf_pile *pile) HF_MUST_USE;
/* Then: the bytes of what was added i-th, borrowed; or why there are none. */
int hf_pile_get(const struct hf_pile *pile, size_t i,
		const struct hf_buf **ret) HF_MUST_USE;
/* NULL is allowed. */
void hf_pile_free(struct hf_pile *pile);

/* --- part.c --------------------------------------------------------------- */

/* Whether the directory at `path` is of that part: each is of one, the same one
 * on every machine. */
bool hf_part_has(const struct hf_part *part, const char *path);

/* --- walk.c, again.c -------------------------------------------------------------- */

/* One directory of a walk: its listing, or why there is none. */
struct hf_stop {
	struct hf_node *node;
	struct hf_errand *errand; /* while a job of it is in the pool */
	struct hf_naming *naming; /* until it is finished */
	struct hf_listing *listing;
	bool *seen;         /* as hf_naming_take_seen; after all were listed */
	size_t first_child; /* where the directories in it begin */
	int error;
	struct stat st; /* of the directory as presented; frozen.c's */
};

/* Start with view, wait and progress (or NULL) set and the rest {0}. */
struct hf_walk {
	struct hf_view *view;
	struct hf_graph *graph;
	struct hf_wait *wait;
	struct hf_progress *progress;
	struct hf_stop *stops;
	size_t n;
	size_t cap;
};
/* Lists every directory, and reads no file. An error is one that concerns the
 * whole. */
int hf_walk_list(struct hf_walk *walk) HF_MUST_USE;
/* Then names what was listed. */
int hf_walk_name(struct hf_walk *walk) HF_MUST_USE;
/* Errors that belong to one directory; others end the walk. */
bool hf_walk_error_of_dir(int error);
/* 0 if the tree was as the walk saw it at the moment between its two halves;
 * -EAGAIN if not, or if that cannot be said. */
int hf_walk_same(struct hf_walk *walk) HF_MUST_USE;
void hf_walk_fini(struct hf_walk *walk);

/* --- relay.c --------------------------------------------------------------- */

/* Texts of a walk that are to be read and looked at. */
struct hf_relay {
	size_t n;
	/* Text i; borrowed. */
	const struct hf_vertex *(*vertex)(void *arg, size_t i);
	/* What the pool finds out about a share of them; new, NULL: no
	 * memory. */
	void *(*begin)(void *arg);
	/* In the pool, as several shares are at once: the bytes of text i, as
	 * hf_pile_get has them. A negative errno ends it all. */
	int (*look)(void *found, size_t i, int error, const struct hf_buf *raw);
	/* In the asker again: all n texts from `first` on were looked at. */
	int (*take)(void *arg, void *found, size_t first, size_t n);
	void (*free)(void *found); /* NULL is allowed */
	void *arg;
};
/* Until all is done. -EINTR: the walk's asker was interrupted; -ENOMEM; errors
 * of `look` and `take`. */
int hf_relay_run(struct hf_walk *walk,
		 const struct hf_relay *relay) HF_MUST_USE;

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
