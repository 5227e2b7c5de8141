/*
 * view: the mapping. Which names a static tree is presented under, and what
 * is read under them. Everything that is true of the mount is decided here,
 * without a kernel in sight: mount, snapshot and export ask the same functions
 * and get the same answers.
 */
#ifndef HF_VIEW_H
#define HF_VIEW_H

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fs/base/base.h"
#include "fs/digest/digest.h"
#include "fs/refs/refs.h"
#include "fs/source/source.h"

/* --- option.c: -o ------------------------------------------------------- */

/*
 * One option: a row of a table. `arg` is what stands behind "=" in the help,
 * NULL for a flag. `help` is NULL for words that are accepted and mean nothing
 * here (fstab's). A row without a name is a heading of the help: what follows
 * it belongs together. `parse` stores the value (NULL for a flag) in `target`;
 * -EINVAL with *why = a new sentence part, as "must be between 4 and 32".
 */
struct hf_option {
	const char *name; /* a trailing * accepts every word that begins so */
	const char *arg;
	const char *help;
	int (*parse)(void *target, const char *value, char **why);
};

struct hf_option_set {
	const struct hf_option *rows;
	size_t n;
	void *target;
};

/*
 * Reads one -o argument, "a,b=c,d=e\,f": words between commas, a backslash
 * takes the next character as it is. -EINVAL with *why = a new sentence that
 * names the option and the remedy; -ENOMEM.
 */
int hf_options_parse(const struct hf_option_set *sets, size_t n_sets,
		     const char *text, char **why) HF_MUST_USE;
/* Whether `word`, as "name" or "name=value", is one of the set. */
bool hf_options_have(const struct hf_option_set *set, const char *word);
/* Appends the help lines of a set, at most 80 columns. */
void hf_options_help(const struct hf_option_set *set, struct hf_buf *ret);

/* --- config.c: what can be chosen about the view ------------------------- */

enum hf_show {
	HF_SHOW_HASHED = 1,
	HF_SHOW_KEPT = 2,
	HF_SHOW_PLAIN = 4,
};

/* Part number k, from 1, of n parts of a tree; n 0: all of it. */
struct hf_part {
	unsigned k;
	unsigned n;
};

/* All strings are owned. Immutable once a view was made of it. */
struct hf_config {
	struct hf_source_config source;
	char *name_template;
	const struct hf_algorithm *algorithm;
	unsigned hash_len; /* hex digits in a name */
	unsigned chosen;   /* options that no style= changes; config.c's */
	unsigned show;     /* set of enum hf_show */
	struct hf_strings keep;
	struct hf_strings prehashed;
	unsigned threads; /* 0: as many as there are processors */
	bool mtime_source;
	int64_t mtime_ns;           /* of hashed files, unless mtime_source */
	struct hf_refs_config refs; /* its static_url is the one below */
	char *static_url;
	char *cache; /* absolute, HF_CACHE_NONE, or NULL: see hf_cache_dir */
	int64_t uid; /* -1: the source's */
	int64_t gid;
	bool frozen; /* who presents the view is to call hf_view_freeze */
	uint64_t max_pinned; /* bytes of open files, see struct hf_pins */
	/* By which snapshots tell the integrity of what is read, worked out
	 * with the names where files are read for them; NULL: none. */
	const struct hf_algorithm *integrity;
	/* What snapshots are about, by directories: files elsewhere are read
	 * only where a file of the part refers to them. */
	struct hf_part part;
};

/* The defaults. -ENOMEM. */
int hf_config_init(struct hf_config *config) HF_MUST_USE;
void hf_config_fini(struct hf_config *config);
/* The view options of every program, bound to `config`. */
struct hf_option_set hf_config_options(struct hf_config *config);
/* Checks what only the whole can show (length against digest, the template).
 * -EINVAL with *why = a new sentence. */
int hf_config_check(struct hf_config *config, char **why) HF_MUST_USE;

/* --- carried.c: names without a view --------------------------------------- */

/* Appends the hash that `name` carries as the name of the file at `path`.
 * -ENOENT: it carries none. -ENOMEM. */
int hf_config_hash_in(const struct hf_config *config, const char *path,
		      const char *name, struct hf_buf *ret) HF_MUST_USE;
/* Whether `name` looks as a hashed name of the config does, whatever file it is
 * of. -ENOMEM. */
int hf_config_carries(const struct hf_config *config, const char *name,
		      bool *ret) HF_MUST_USE;

/* --- the view ------------------------------------------------------------ */

struct hf_view;

/*
 * Opens the sources, starts the pool. *ret is new; all its functions may be
 * called from any thread. `config` is borrowed while the view lives. own_dev:
 * see hf_source_open. On error *why is a new sentence.
 */
int hf_view_new(const struct hf_config *config, dev_t own_dev,
		struct hf_view **ret, char **why) HF_MUST_USE;
/* Precondition: all nodes, listings and contents were given back. */
void hf_view_free(struct hf_view *view);

/* The one name at the top that no source can have: there a mount explains
 * itself. */
#define HF_RESERVED_NAME ".hashedfs"

enum hf_kind {
	HF_KIND_DIR,
	HF_KIND_HASHED,    /* under its hashed name */
	HF_KIND_PREHASHED, /* its own name already carries a hash */
	HF_KIND_KEPT,      /* plain name by the user's choice */
	HF_KIND_PLAIN,     /* original name beside the hashed one, or of a file
			      that cannot have a hashed name */
};
/* "dir", "hashed", "prehashed", "kept", "plain". */
const char *hf_kind_name(enum hf_kind kind);

/* What is worth telling about one file. */
enum hf_problem {
	HF_PROBLEM_NONE,
	HF_PROBLEM_UNREADABLE, /* error: fails at open */
	HF_PROBLEM_LINK,       /* error: a link that leads nowhere allowed */
	HF_PROBLEM_SPECIAL,    /* FIFO, socket or device: left out */
	HF_PROBLEM_SHADOWED,   /* file here, directory in another source */
	HF_PROBLEM_NAME,       /* cannot carry a hash: stands plain */
	HF_PROBLEM_TOO_LONG,   /* hashed name or path too long: stands plain */
	HF_PROBLEM_TAKEN,      /* presented name equals another's */
};

/*
 * One presented name of a directory. `source` is the base name in the source.
 * An entry with an `error` fails at open with it. A `hidden` entry is not
 * presented and only carries its problem.
 */
struct hf_entry {
	const char *name;   /* borrowed from the listing */
	const char *source; /* borrowed from the listing */
	enum hf_kind kind;
	enum hf_problem problem;
	int error; /* positive errno */
	bool hidden;
	bool shared;   /* hidden: another file of equal bytes has that name */
	bool reported; /* with its directory, all that the name depends on */
	unsigned root;
	mode_t mode; /* as presented, with the file type */
	uid_t uid;
	gid_t gid;
	uint64_t size;
	int64_t mtime_ns;
	struct hf_digest digest; /* of the content; len 0 for mutable ones */
	struct hf_digest
		name_digest; /* of hashed ones: what the name carries */
};

/*
 * A directory as presented: entries in the order of their source names,
 * immutable, counted, one per directory and generation.
 */
struct hf_listing;
size_t hf_listing_len(const struct hf_listing *listing);
const struct hf_entry *hf_listing_entry(const struct hf_listing *listing,
					size_t i);
/* A hash of all that it says: two listings with equal generation are the same.
 * Never 0. */
uint64_t hf_listing_generation(const struct hf_listing *listing);
struct hf_listing *hf_listing_ref(struct hf_listing *listing);
void hf_listing_unref(struct hf_listing *listing);

/*
 * What a name leads to. A node of a hashed or prehashed file, and of any file
 * in a frozen view, is constant: its identity is (path, source, digest, mode,
 * owner), its bytes, size and times never change. All others are ordinary
 * mutable files and directories.
 * Counted; a node keeps its parents alive.
 */
struct hf_node;
struct hf_node *hf_node_ref(struct hf_node *node);
void hf_node_unref(struct hf_node *node);
enum hf_kind hf_node_kind(const struct hf_node *node);
bool hf_node_constant(const struct hf_node *node);
/* 128 bits that two nodes share only if they have the same identity and
 * neither is dead. Keyed: differs between views. */
const uint64_t *hf_node_identity(const struct hf_node *node);
/*
 * Room in every node for somebody who gives numbers to nodes, so that it costs
 * no memory besides. All of it is 0 in a new node. It is that one user's alone:
 * nothing in fs/view looks at it, and the user locks it.
 */
struct hf_node_room {
	uint32_t count : 30;
	uint32_t state : 2;
	uint64_t number;
} __attribute__((packed, aligned(4)));
struct hf_node_room *hf_node_room(struct hf_node *node);
/* The 8 bytes of its number. */
const void *hf_node_number(const struct hf_node *node);
/* True once an open found other bytes: such a node answers ESTALE for ever
 * and the next lookup of its name makes another. */
bool hf_node_dead(const struct hf_node *node);
/* Appends the path in the sources. */
void hf_node_path(const struct hf_node *node, struct hf_buf *ret);
/* The content digest in hex, "" for mutable nodes. */
void hf_node_digest(const struct hf_node *node,
		    char ret[HF_DIGEST_HEX_MAX + 1]);

/* Many nodes were given back: a second later so is their memory. */
void hf_view_freed(struct hf_view *view);

/* The top directory; *ret is new. */
int hf_view_root(struct hf_view *view, struct hf_node **ret) HF_MUST_USE;

/*
 * The node that `name` leads to in the directory `dir`; *ret is new. -ENOENT:
 * the name is not there. -EINTR: `wait` was interrupted. Other errors mean
 * that it could not be found out.
 */
int hf_view_lookup(struct hf_view *view, struct hf_node *dir, const char *name,
		   struct hf_wait *wait, struct hf_node **ret) HF_MUST_USE;
/* The directory as it is now; *ret is new. */
int hf_view_list(struct hf_view *view, struct hf_node *dir,
		 struct hf_wait *wait, struct hf_listing **ret) HF_MUST_USE;

/* So long may an answer rest on reports alone. It bounds what is not reported
 * although it should be, see hf_watches_dir. */
#define HF_REPORTS_MS 60000

/* On what the answer to a question about a directory rests. */
struct hf_grounds {
	bool reported;     /* each change of it is, as far as the entries' own
			      `reported` goes */
	uint64_t reports;  /* hf_view_reports before the look at the source:
			      while they are the same, nothing was */
	uint64_t doubts;   /* calls of hf_view_doubt before it; private */
	int64_t looked_ns; /* when that was, by hf_clock_realtime */
};
/* Watches the directory, and sets on what the next hf_view_lookup in it or
 * hf_view_list of it rests. Call it before each. */
void hf_grounds_take(struct hf_view *view, struct hf_node *dir,
		     struct hf_grounds *ret);
/* For how long it may still rest on reports; 0: it was too long ago. */
int64_t hf_grounds_left_ms(const struct hf_grounds *grounds);
/* As hf_view_list, and watches what it says. *grounds is set on success. */
int hf_view_list_anew(struct hf_view *view, struct hf_node *dir,
		      struct hf_wait *wait, struct hf_grounds *grounds,
		      struct hf_listing **ret) HF_MUST_USE;
/*
 * Somebody opens the directory: as hf_view_list_anew, but no look is needed if
 * all that the last listing says is reported, was quiet, and nothing was
 * reported since. Then *ret is NULL unless it is still held in memory; its
 * generation is known in any case.
 */
int hf_view_list_again(struct hf_view *view, struct hf_node *dir,
		       struct hf_wait *wait, struct hf_grounds *grounds,
		       uint64_t *generation,
		       struct hf_listing **ret) HF_MUST_USE;
/* The listing of that generation, new, if it is still held in memory; else
 * NULL. */
struct hf_listing *hf_view_recall(struct hf_view *view, struct hf_node *dir,
				  uint64_t generation);
/*
 * The source names of a directory, as far as they are known, in the order of its
 * listings. All entries of the last listing are among them. Immutable, counted;
 * hf_view_catalog gives a new one, or NULL: there was no listing, or the view is
 * frozen.
 */
struct hf_catalog;
struct hf_catalog *hf_view_catalog(struct hf_node *node);
void hf_catalog_unref(struct hf_catalog *catalog);
/* NULL: there are no more. */
const char *hf_catalog_name(const struct hf_catalog *catalog, size_t i);
/* From now on nothing that was listed before is vouched for. */
void hf_view_doubt(struct hf_view *view);

/* The node of entry `i`, which must not be hidden; *ret is new. */
int hf_view_node(struct hf_view *view, struct hf_node *dir,
		 const struct hf_listing *listing, size_t i,
		 struct hf_node **ret) HF_MUST_USE;

/* Attributes, all of struct stat but st_dev. For a constant node without a
 * system call; for others as the source has them now. -ENOENT: gone. */
int hf_view_stat(struct hf_view *view, struct hf_node *node,
		 struct stat *ret) HF_MUST_USE;
/* As hf_grounds_take, for the next hf_view_stat of the node: reported only of
 * directories, and where they do not have the times of their files, which may
 * have other links. */
void hf_grounds_take_attr(struct hf_view *view, struct hf_node *node,
			  struct hf_grounds *ret);
int hf_view_statvfs(struct hf_view *view, struct statvfs *ret) HF_MUST_USE;

/* An open file. Any thread may read, one closes. */
struct hf_content;
/*
 * Opens a file. Constant nodes: -ESTALE if the bytes are not those that were
 * hashed (the node is dead then). Errors are those of the source, -ENOENT
 * included only if the file is gone. wait NULL, in a frozen view only: the
 * calling thread reads by itself and cannot be interrupted.
 */
int hf_view_open(struct hf_view *view, struct hf_node *node,
		 struct hf_wait *wait, struct hf_content **ret) HF_MUST_USE;
void hf_content_close(struct hf_content *content);
/* All the bytes of a constant file that is held in memory, which no reading
 * can fail to give; borrowed, *ret is their number. Else NULL. */
const char *hf_content_whole(const struct hf_content *content, size_t *ret);
/* As hf_verified_read; of mutable files the bytes as they are now. */
int hf_content_read(struct hf_content *content, uint64_t offset, size_t len,
		    struct hf_buf *scratch, const char **ret,
		    size_t *ret_len) HF_MUST_USE;

/* --- follow.c: files that are read before they are opened ------------------ */

/* ret[i] is a new reference to the node that has the number first + i, or NULL
 * if there is none. Any thread. */
typedef void hf_numbered(void *arg, uint64_t first, size_t n,
			 struct hf_node *ret[]);
/*
 * The opening of the file with that number (see hf_node_room) was answered:
 * those that are likely to be opened next may be read ahead. Numbers are given
 * in the order in which files are listed or looked up.
 */
void hf_view_opened(struct hf_view *view, uint64_t number,
		    hf_numbered *numbered, void *arg);

/* --- copy.c: the view written down elsewhere ------------------------------ */

/* Whether all that `fd` holds is what is read under the constant node: 0, or
 * -ESTALE; errnos of reading it. `scratch` as hf_hash_fd. Any thread. */
int hf_view_matches(struct hf_view *view, const struct hf_node *node, int fd,
		    struct hf_buf *scratch) HF_MUST_USE;
/*
 * Opens the file that the constant node's bytes come from. What it holds is
 * not verified, and may change: only for a copy that is itself held against
 * the digest. -ENOTSUP: the bytes are put together, as those of texts are.
 */
int hf_view_open_source(struct hf_view *view, const struct hf_node *node,
			int *ret_fd) HF_MUST_USE;
/* True if `name` is what the file `path` is presented as with some bytes: its
 * own name with hex digits where the template has them, whatever their
 * number. */
bool hf_view_could_name(const struct hf_view *view, const char *path,
			const char *name);

/* Work done and work known, in files and bytes. Written by the snapshot, read
 * by whoever shows progress, from any thread. */
struct hf_progress {
	atomic_uint_least64_t files_done;
	atomic_uint_least64_t files;
	atomic_uint_least64_t bytes_done;
	atomic_uint_least64_t bytes;
};

/* --- frozen.c: one state of the tree, for good --------------------------- */

/*
 * Names the whole tree, looks at it a second time, and answers everything of
 * that state from then on: names, attributes, snapshot and findings without a
 * system call on the sources; open reads them. Every file is constant then,
 * kept and plain ones, too: one that was changed, replaced, moved away or made
 * unreadable is -ESTALE at open, even where it is gone. `partial` leaves files
 * and directories that cannot be read out of the listings; else they stand
 * and fail when they are opened.
 *
 * Call once, before any other question. Errors and `progress` as
 * hf_view_snapshot.
 */
int hf_view_freeze(struct hf_view *view, bool partial, struct hf_wait *wait,
		   struct hf_progress *progress) HF_MUST_USE;
bool hf_view_is_frozen(const struct hf_view *view);

/* --- snapshot.c: the whole mapping at one moment ------------------------- */

/*
 * One file of the sources. `name` is the presented path ("" if it has none).
 * A row with an `error` cannot be read; its other fields are what is known.
 */
struct hf_row {
	const char *path; /* borrowed from the snapshot */
	const char *name;
	enum hf_kind kind;
	enum hf_problem problem;
	int error;
	uint64_t size;
	struct hf_digest name_digest; /* len 0 where there is none */
	struct hf_digest content_digest;
	struct hf_digest integrity; /* of what is read; len 0: not asked for */
};

struct hf_snapshot {
	struct hf_row *rows; /* sorted by path (bytes), each path once */
	size_t n;
	uint64_t generation; /* a hash of all listings: equal trees, equal
				generations */
	char **texts; /* what the strings point into; whoever takes some over
			 takes them off the end */
	size_t n_texts;
};

/*
 * Names the whole tree, then looks at it again: *ret (contents new, end with
 * hf_snapshot_fini) is one state of the tree. -EAGAIN: it changed during
 * three rounds. Files that cannot be read have rows with an error; so have
 * directories that cannot be listed (kind HF_KIND_DIR); directories have no
 * rows otherwise. `progress` may be NULL.
 */
int hf_view_snapshot(struct hf_view *view, struct hf_wait *wait,
		     struct hf_progress *progress,
		     struct hf_snapshot *ret) HF_MUST_USE;
void hf_snapshot_fini(struct hf_snapshot *snapshot);
/* The same with the integrity of every file that can be read, by another
 * algorithm than the config's, or by none if it is NULL: then a frozen view
 * needs no `wait`. -ESTALE, of a frozen view: a file has changed. */
int hf_view_integrity(struct hf_view *view,
		      const struct hf_algorithm *algorithm,
		      struct hf_wait *wait, struct hf_progress *progress,
		      struct hf_snapshot *ret) HF_MUST_USE;

/* --- findings.c: what is worth telling about a tree ---------------------- */

/*
 * One line to tell. `kind` is a word for programs. `url` is the reference as
 * it is written, "" where there is none; line and column (from 1; columns
 * count characters) say where, and are 0 where there is no place. `sentence`
 * begins in lower case and has no final stop. Strings are borrowed from the
 * findings, and hold names as they are, unescaped.
 */
struct hf_finding {
	const char *path;
	size_t line;
	size_t column;
	const char *kind;
	const char *url;
	const char *sentence;
	char *text; /* private: what the strings point into */
};

/* Start with {0}. */
struct hf_findings {
	struct hf_finding *rows;
	size_t n;
	size_t cap;
	uint64_t generation; /* of the snapshot that it is about */
};

/* Appends a copy. -ENOMEM. */
int hf_findings_add(struct hf_findings *findings,
		    const struct hf_finding *finding) HF_MUST_USE;
/* By path, line, column; then by whatever makes the order one. */
void hf_findings_sort(struct hf_findings *findings);
void hf_findings_fini(struct hf_findings *findings);
/* Appends "path:line:column: sentence" and a newline, escaped; without line
 * and column where they are 0. */
void hf_finding_print(const struct hf_finding *finding, struct hf_buf *ret);

/*
 * All findings of the tree, sorted, and in `snapshot`, unless it is NULL, the
 * mapping of the same moment. Errors and `progress` as hf_view_snapshot. The
 * kinds are
 *   unreadable link special shadowed name too-long taken
 *                     of files, as hf_problem_describe tells them
 *   missing, outside  a reference that leads nowhere, or out of the tree
 *   unreadable-target  a reference to what is there, but cannot be read
 *   cycle             files that refer to each other; at the first of them
 *   not-utf8, too-large   texts that are shown as they are
 *   plain-references  names that are not shown, in a text that is not
 *                     rewritten there; at the first one
 *   plain-name        a file that is asked for by a name that is not shown
 */
int hf_view_findings(struct hf_view *view, struct hf_wait *wait,
		     struct hf_progress *progress, struct hf_snapshot *snapshot,
		     struct hf_findings *ret) HF_MUST_USE;

/* --- references.c: which file refers to which ----------------------------- */

/* A text refers to a file of the tree; both by their paths in the sources. */
struct hf_reference {
	const char *path;   /* of the text; borrowed from the references */
	const char *target; /* borrowed from the references */
	char *text;         /* private: what the strings point into */
};

/* Start with {0}. */
struct hf_references {
	struct hf_reference *rows;
	size_t n;
	size_t cap;
	uint64_t generation; /* of the snapshot that they are of */
};

/* Appends a copy. -ENOMEM. */
int hf_references_add(struct hf_references *references, const char *path,
		      const char *target) HF_MUST_USE;
void hf_references_fini(struct hf_references *references);

/*
 * All references between files of the tree, sorted by path and target, each
 * pair once: those that rewriting looks for, whether they are written anew or
 * stay. Texts that cannot be read, or are shown as they are, have none.
 * `snapshot`, errors and `progress` as hf_view_findings, without integrity.
 */
int hf_view_references(struct hf_view *view, struct hf_wait *wait,
		       struct hf_progress *progress,
		       struct hf_snapshot *snapshot,
		       struct hf_references *ret) HF_MUST_USE;

/* --- problem.c ------------------------------------------------------------ */

/* The word for a problem of a file, as above; "" for none. */
const char *hf_problem_kind(enum hf_problem problem);
/* Appends one sentence about a problem, without the path and without a final
 * stop: "cannot be read: Permission denied". */
void hf_problem_describe(enum hf_problem problem, int error,
			 struct hf_buf *ret);

/*
 * Drops everything that is remembered in memory, so that the next question
 * looks again at each file's stamp. What the cache on disk says of a stamp
 * still counts, and what is being answered meanwhile may come from before.
 * May wait for the disk: not for whoever answers a request.
 */
void hf_view_forget(struct hf_view *view);

/* --- changes.c: what the sources report ----------------------------------- */

/*
 * Begins to watch the sources; call before anybody asks for anything. Where
 * that is impossible nothing is ever reported.
 */
void hf_view_watch(struct hf_view *view);
/*
 * From here on directories are named before they are opened, while somebody
 * goes through the tree, and files are read before they are opened, while
 * somebody opens those of a directory in their order. For a view that is asked
 * by many for long; call once, after the freezing if there is one. -ENOMEM,
 * -EAGAIN: no thread.
 */
int hf_view_go_ahead(struct hf_view *view) HF_MUST_USE;
/* hf_entry's `reported` of the entry that a node was made of. */
bool hf_node_reported(const struct hf_node *node);
/* Readable when something was reported; -1: there are no watches. */
int hf_view_watch_fd(const struct hf_view *view);
/* Takes in what was reported up to now. Does not block. */
void hf_view_take_reports(struct hf_view *view);
/* Rises whenever something was reported, after it was. */
uint64_t hf_view_reports(const struct hf_view *view);
/* As if there had been a report: for who cannot know of all changes. */
void hf_view_suspect(struct hf_view *view);
/* The numbers of `status`. */
struct hf_view_stats {
	struct hf_digests_stats digests;
	struct hf_cache_stats cache;
	const char *cache_dir;    /* or "none (why)"; borrowed from the view */
	uint64_t generation;      /* counts the changes noticed so far */
	uint64_t bytes_pinned;    /* of open files */
	uint64_t bytes_rewritten; /* of texts, open or held for a minute */
	unsigned threads;
	size_t watched; /* directories */
	int unwatched;  /* why not all are; positive errno, or 0 */
	uint64_t reports;
};
void hf_view_stats(struct hf_view *view, struct hf_view_stats *ret);

#endif
