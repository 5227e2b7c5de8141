/*
 * source: files as they are. The directories that are presented, laid over
 * each other; the only room that makes system calls on them.
 *
 * A *path* is relative to the merged tree: no leading or trailing slash, no
 * empty, "." or ".." component, "" for the top. Callers reach a path by
 * listing its directory first; a path of their own making may name what a
 * listing would have left out.
 *
 * Nothing outside a root is ever opened: openat2(2) with RESOLVE_BENEATH,
 * RESOLVE_NO_MAGICLINKS and RESOLVE_NO_XDEV, and no fallback where the kernel
 * lacks it.
 */
#ifndef HF_SOURCE_H
#define HF_SOURCE_H

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fs/base/base.h"

/* --- spec.c: SOURCES on a command line ---------------------------------- */

/* One [PREFIX=]DIR. Both are owned. The prefix is a path, "" for none. */
struct hf_root_spec {
	char *prefix;
	char *dir;
};

/* So many there may be: their numbers are kept short. */
#define HF_ROOTS_MAX UINT16_MAX

struct hf_root_specs {
	struct hf_root_spec *items;
	size_t n;
};

/*
 * Appends the roots that `text` names: [PREFIX=]DIR[:[PREFIX=]DIR...], with
 * backslash escapes for ":", "=", "," and "\". PREFIX= counts only before a
 * DIR that begins with "/", "./" or "../". -EINVAL with *why = a new sentence
 * that names the part and what is wrong; -ENOMEM.
 */
int hf_root_specs_parse(struct hf_root_specs *specs, const char *text,
			char **why) HF_MUST_USE;
/*
 * The same from a file, one [PREFIX=]DIR a line, no ":" lists and no escapes
 * but those for "=" and "\"; empty lines and lines that begin with # are
 * passed over. "-" is standard input. A negative errno of opening or reading
 * the file also has a *why.
 */
int hf_root_specs_read(struct hf_root_specs *specs, const char *file,
		       char **why) HF_MUST_USE;
/*
 * Makes every directory an absolute path without links (realpath(3)), so that
 * the working directory may change. Errors as hf_root_specs_read.
 */
int hf_root_specs_resolve(struct hf_root_specs *specs, char **why) HF_MUST_USE;
void hf_root_specs_fini(struct hf_root_specs *specs);

/* --- within.c ------------------------------------------------------------ */

/* Whether `path` is the directory `wanted` or lies in it: by identity, since
 * bind mounts give a directory several names. What cannot be walked is taken
 * for the top. */
bool hf_dir_within(const char *path, const struct stat *wanted);

/* --- sig.c: the stamp of a file state ----------------------------------- */

/*
 * What stat(2) says of a file's state. Equal stamps do not prove equal bytes:
 * write(2) stamps before it copies, a store through mmap(2) stamps late or
 * once. So a stamp may vouch for a *name* while it is quiet, and never for
 * bytes.
 */
struct hf_sig {
	uint64_t ino;
	int64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns;
};

/* A change this long ago has left its stamp, whatever the clock's grain
 * (the "racy git" rule; FAT counts in two seconds). */
#define HF_QUIET_NS INT64_C(2000000000)

struct hf_sig hf_sig_of(const struct stat *st);
bool hf_sig_equal(const struct hf_sig *a, const struct hf_sig *b);
/*
 * True if the file was last changed more than HF_QUIET_NS before `now_ns`,
 * the moment at which its reading began. An mtime in the future was set by
 * hand and says nothing; then the ctime decides alone.
 */
bool hf_sig_quiet(const struct hf_sig *sig, int64_t now_ns);

/* --- the tree ----------------------------------------------------------- */

enum hf_type {
	HF_TYPE_FILE,
	HF_TYPE_DIR,
	HF_TYPE_BROKEN,  /* a link that leads nowhere allowed: see error */
	HF_TYPE_SPECIAL, /* FIFO, socket, device: never opened */
};

/*
 * One name in a merged directory. `error` of a broken link:
 *   EACCES  leaves the root, as every absolute link does
 *   EXDEV   crosses into another file system without `xdev`
 *   ELOOP   a loop of links, a link to a directory it stands in, or (with
 *           `xdev`) into the mount itself
 *   ENOENT  its target is missing
 * or another errno of resolving it. `st` is of what a link leads to; a
 * broken one looks like a file with the link's owner, times and length; no
 * broken entry looks empty.
 */
struct hf_source_entry {
	const char *name; /* borrowed from the list */
	struct stat st;
	enum hf_type type;
	int error;
	unsigned root; /* index of the root that has it */
	bool shadowed; /* a later root has another type here: left out */
	bool link;
};

/*
 * A merged directory as it was, sorted by name (bytes). Immutable and
 * counted; any thread.
 */
struct hf_source_list;
size_t hf_source_list_len(const struct hf_source_list *list);
const struct hf_source_entry *
hf_source_list_entry(const struct hf_source_list *list, size_t i);
/* The entry of that name, or NULL. */
const struct hf_source_entry *
hf_source_list_find(const struct hf_source_list *list, const char *name);
/* Mode, owner and times of the merged directory itself: mode and owner never
 * allow more than the strictest of its parts. */
const struct stat *hf_source_list_stat(const struct hf_source_list *list);
struct hf_source_list *hf_source_list_ref(struct hf_source_list *list);
void hf_source_list_unref(struct hf_source_list *list);

/*
 * The same without the stats, in a tenth of the memory. Entries have all but
 * `st`.
 */
struct hf_source_names;
/* Borrowed from the list, which keeps them alive. */
struct hf_source_names *hf_source_list_names(const struct hf_source_list *list);
size_t hf_source_names_len(const struct hf_source_names *names);
/* Its name is borrowed from `names`. */
struct hf_source_entry
hf_source_names_entry(const struct hf_source_names *names, size_t i);
/* The index of the entry of that name, or SIZE_MAX. */
size_t hf_source_names_find(const struct hf_source_names *names,
			    const char *name);
struct hf_source_names *hf_source_names_ref(struct hf_source_names *names);
void hf_source_names_unref(struct hf_source_names *names);

/*
 * How to present the roots. `ignore` are the user's globs, which come on top
 * of collectstatic's CVS, .* and *~ unless no_default_ignore is set; they are
 * matched as Django's get_files does (django/contrib/staticfiles/utils.py).
 * The struct and what it holds are borrowed while the source lives.
 */
struct hf_source_config {
	struct hf_root_specs roots;
	struct hf_strings ignore;
	bool no_default_ignore;
	bool follow; /* links may leave their root */
	bool xdev;   /* paths may cross into other file systems */
};

struct hf_source;

/*
 * Opens every root. *ret is new; it is immutable, so any thread may use it.
 * -ENOSYS: the kernel has no openat2. On any error *why is a new sentence
 * that names the root. With `xdev`, `own_dev` (st_dev of the mount, 0 if there
 * is none) is what must not be entered.
 */
int hf_source_open(const struct hf_source_config *config, dev_t own_dev,
		   struct hf_source **ret, char **why) HF_MUST_USE;
void hf_source_close(struct hf_source *source);

/*
 * Lists the directory `path` through all roots. -ENOENT: no root has it;
 * -ENOTDIR, or a broken link's error; -EIO: a root itself is gone (a lost
 * root is never shown empty); other errnos of opening and reading. One root's
 * failure fails the whole.
 */
int hf_source_list(const struct hf_source *source, const char *path,
		   struct hf_source_list **ret) HF_MUST_USE;
/*
 * Whether `names` still are those that `path` has: 1 yes, 0 no or it cannot
 * be known (a directory changed within the grain of its stamp), or a negative
 * errno as hf_source_list. Says nothing of the entries' own stamps.
 */
int hf_source_names_current(const struct hf_source *source, const char *path,
			    const struct hf_source_names *names) HF_MUST_USE;
/* The same for who has heard of a change since they were read: they are
 * current only if their stamps alone prove that. */
int hf_source_names_certain(const struct hf_source *source, const char *path,
			    const struct hf_source_names *names) HF_MUST_USE;
/*
 * The stats of now: *ret is a new list, of other names where these turn out
 * not to be there any more. Precondition: current.
 */
int hf_source_names_stat(const struct hf_source *source, const char *path,
			 struct hf_source_names *names,
			 struct hf_source_list **ret) HF_MUST_USE;
/*
 * Brings the entries' stats up to date: *ret is a new list, or `list` itself
 * (a new reference) if nothing in it changed. Precondition: current.
 */
int hf_source_list_restat(const struct hf_source *source, const char *path,
			  struct hf_source_list *list,
			  struct hf_source_list **ret) HF_MUST_USE;
/* 1: `list` still says what `path` has, names and stats, as far as stamps can
 * prove that; 0: it cannot be said; or a negative errno as hf_source_list.
 * Entries i with seen[i] are not looked at; NULL: all are. */
int hf_source_list_same(const struct hf_source *source, const char *path,
			const struct hf_source_list *list,
			const bool *seen) HF_MUST_USE;
/* Threads of `pool` (borrowed) help to look at large directories. Before the
 * first of them is listed. */
void hf_source_share(struct hf_source *source, struct hf_pool *pool);
/*
 * Whether the directory already was what `list` says at the moment `at_ns`,
 * although it was listed later: by the stamps, all was changed long before that
 * (hf_sig_quiet), and nothing while it was listed. Its path need not have led
 * to it then; that of hf_source_list_stat is the directory that is meant. False
 * also where stamps do not prove that: those of a file system that others
 * change, too; what links lead to; several roots.
 */
bool hf_source_list_was(const struct hf_source_list *list, int64_t at_ns);
/* Mode, owner and times of the directory `path`, as hf_source_list_stat has
 * them; it need not be allowed to read the directory. Errors as
 * hf_source_list. */
int hf_source_stat_dir(const struct hf_source *source, const char *path,
		       struct stat *ret) HF_MUST_USE;
/*
 * The entry that a listing of its directory has for `path`, which may be of
 * the caller's making but must be normalised; ret->name points into it. What
 * a listing leaves out is not there. Errors as hf_source_list.
 */
int hf_source_find(const struct hf_source *source, const char *path,
		   struct hf_source_entry *ret) HF_MUST_USE;
/* One entry's stat anew; for a name that went away -ENOENT. ret->name is
 * entry->name. */
int hf_source_stat(const struct hf_source *source, const char *dir,
		   const struct hf_source_entry *entry,
		   struct hf_source_entry *ret) HF_MUST_USE;
/*
 * Opens the regular file `path` of root number `root` for reading. *ret_fd is
 * new (close-on-exec), *ret its stat. -EACCES for a link that leaves the root
 * as well as for a file that may not be read; -EINVAL: no regular file; other
 * errnos of openat2(2).
 */
int hf_source_open_file(const struct hf_source *source, unsigned root,
			const char *path, int *ret_fd,
			struct stat *ret) HF_MUST_USE;
/*
 * The same for a file that was seen to be a regular one a moment ago, without
 * another look: it may be anything by now, so whoever reads from it has to look
 * at it after that, and to throw away what was not read from that file.
 */
int hf_source_open_seen(const struct hf_source *source, unsigned root,
			const char *path, int *ret_fd) HF_MUST_USE;
/* How many roots there are. */
size_t hf_source_len(const struct hf_source *source);
/*
 * Appends what tells root number `root` from all others of this machine: its
 * directory, file system and prefix. *lasting: equal stamps mean the same file
 * state even after another file system was mounted there; those of images,
 * whose times and inode numbers are made up when it is built, do not. -ENOMEM.
 */
int hf_source_identity(const struct hf_source *source, unsigned root,
		       struct hf_buf *ret, bool *lasting) HF_MUST_USE;
/* statvfs(3) of the first root. */
int hf_source_statvfs(const struct hf_source *source,
		      struct statvfs *ret) HF_MUST_USE;

/* --- watch.c: changes that the kernel reports ---------------------------- */

/* Any thread. */
struct hf_watches;
/* Watches nothing yet. `source` is borrowed. Errors of inotify_init1(2). */
int hf_watches_new(const struct hf_source *source,
		   struct hf_watches **ret) HF_MUST_USE;
void hf_watches_free(struct hf_watches *watches);
/*
 * True if from now on every change that makes a listing of the directory
 * `path` say something else is reported: its coming and going, that of its
 * names, what is written to its files by this machine. Not what is stored
 * through mmap(2), or written through another link of a file; nor what a
 * symbolic link leads to; nor a file system that is mounted over it. Call it
 * before the directory is looked at, each time: it stands until something is
 * reported. It costs next to nothing where all is watched already.
 */
bool hf_watches_dir(struct hf_watches *watches, const char *path);
/* True if hf_watches_dir speaks for this entry of the directory. */
bool hf_source_entry_reported(const struct hf_source_entry *entry);
/* A descriptor that is readable when something was reported. */
int hf_watches_fd(const struct hf_watches *watches);
/* True if something was reported that was not read yet. */
bool hf_watches_pending(const struct hf_watches *watches);
/* Reads what was reported up to now; true if there was anything. Does not
 * block. */
bool hf_watches_read(struct hf_watches *watches);
struct hf_watches_stats {
	size_t directories;
	int error; /* why there is one that is not watched; positive, or 0:
		      ENOSPC the limit of watches, EOPNOTSUPP a file system
		      that does not report all changes */
};
void hf_watches_stats(struct hf_watches *watches, struct hf_watches_stats *ret);

#endif
