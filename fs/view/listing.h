/*
 * listing: what a directory presents.
 *
 *   glance.c     what is in a directory now
 *   naming.c     a listing in the making
 *   entries.c    what it presents of each file
 *   listing.c    a directory's presented entries
 *   settle.c     equal names in one directory
 *   dir.c        what is remembered of a directory
 *   vouch.c      a listing handed out again
 *   recent.c     the listings that were made last
 */
#ifndef HF_VIEW_LISTING_H
#define HF_VIEW_LISTING_H

#include "fs/view/graph.h"

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
/* Lets go of those that nobody has asked for in a while; now_ns is by
 * hf_clock_monotonic. *gone: there were some. True if others are left. */
bool hf_recent_rest(struct hf_recent *recent, int64_t now_ns, bool *gone);

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

/* Numbers a made listing: sets its generation. Threads of the pool help.
 * -ENOMEM. */
int hf_listing_number(struct hf_listing *made,
		      struct hf_pool *pool) HF_MUST_USE;
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

/* --- glance.c ------------------------------------------------------------ */

/*
 * What is in the directory at `path`, with the stats of now: its catalog, and a
 * list of the same entries, both new references. `last` (or NULL) is a listing
 * of it: its own list is returned if nothing in that has changed. -EBUSY: it
 * does not hold still; errors of listing.
 */
int hf_view_dir_look(struct hf_view *view, struct hf_view_dir *dir,
		     const char *path, const struct hf_listing *last,
		     struct hf_source_list **ret_list,
		     struct hf_catalog **ret) HF_MUST_USE;

/* --- naming.c ------------------------------------------------------------ */

/*
 * A listing in the making: the files are listed, then their digests are asked
 * for, then it is finished. Several may be under way. Its
 * fields are those of naming.c and entries.c alone.
 */
struct hf_naming {
	struct hf_view *view;
	struct hf_node *dir;
	struct hf_listing *last; /* the listing before, or NULL */
	struct hf_listing *made; /* the one in the making */
	struct hf_graph *graph;  /* borrowed */
	struct hf_piece *pieces; /* NULL: the last one still holds */
	size_t n_pieces;
	struct hf_buf path; /* of the directory */
	bool elsewhere;     /* not of the part that the view is about */
	bool *seen;         /* by entry of the list; NULL: none was */
};

/* Some of the directory's files, one after the other; of a large directory
 * there are many pieces, so that several threads can do them. */
struct hf_piece {
	size_t first; /* in the list */
	size_t end;
	struct hf_batch *batch;
	int error;
	/* Once it is done: */
	bool done;
	bool quiet; /* as those of struct hf_listing */
	bool settled;
	size_t n;
	struct hf_entry *entries; /* its share of the listing's */
	struct hf_buf names;
	size_t names_at; /* in those of the listing */
};
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

/* --- entries.c: a naming that is finished --------------------------------- */

/* The path of an entry in the directory: as hf_view_join_next. */
int hf_naming_path(const struct hf_naming *naming, const char *name,
		   struct hf_buf *path) HF_MUST_USE;
/* Does entry i of the list wait for a digest? */
bool hf_naming_asks(const struct hf_naming *naming, size_t i);
/* Makes the entries of the listing, in the order of the list. Errors are of the
 * whole. */
int hf_naming_enter(struct hf_naming *naming, struct hf_wait *wait) HF_MUST_USE;
/* Tells the graph of the texts that are shown with other bytes than their
 * own, once their digests are there. Errors are those of the asker. */
int hf_naming_know_texts(struct hf_naming *naming,
			 struct hf_wait *wait) HF_MUST_USE;
/* Names its texts, those that can be side by side, after hf_naming_ask: the
 * others, and without this all, are named as hf_naming_enter comes to them.
 * Errors of no file. */
int hf_naming_name_texts(struct hf_naming *naming,
			 struct hf_wait *wait) HF_MUST_USE;
/* The same as hf_naming_enter, as hf_naming_finish_now. */
int hf_naming_enter_now(struct hf_naming *naming) HF_MUST_USE;

#endif
