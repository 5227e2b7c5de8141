/*
 * What the files of this room share. From the bottom up: root.c makes the
 * system calls, dir.c looks at one directory of one root, parts.c finds the
 * directories that a path means in all roots, gather.c collects what they have,
 * list.c and names.c hold what was found, tree.c and look.c answer the door,
 * watch.c hears of changes. filesystem.c knows what can be relied upon.
 */
#ifndef HF_SOURCE_INTERNAL_H
#define HF_SOURCE_INTERNAL_H

#include <limits.h>

#include "fs/source/source.h"

/* --- spec.c -------------------------------------------------------------- */

/*
 * Returns -error with *why = a new sentence, `"NAME": ...` with the name
 * escaped, or -ENOMEM with *why NULL.
 */
int hf_source_explain(char **why, int error, const char *name,
		      const char *format, ...) HF_PRINTF(4, 5);

/* --- ignore.c ------------------------------------------------------------ */

/* What is left out, as `collectstatic --ignore` does. */
struct hf_ignore {
	struct hf_strings globs;
	bool by_path; /* a glob is there that could match a path only */
};

int hf_ignore_init(struct hf_ignore *ignore, const struct hf_strings *globs,
		   bool no_defaults) HF_MUST_USE;
void hf_ignore_fini(struct hf_ignore *ignore);
/* For files and directories: the base name. */
bool hf_ignore_name(const struct hf_ignore *ignore, const char *name);
/* For files also: the path in the root, without the root's prefix. */
bool hf_ignore_path(const struct hf_ignore *ignore, const char *path);
/* True if a component of `path` is an ignored directory. */
bool hf_ignore_below(const struct hf_ignore *ignore, const char *path);

/* --- filesystem.c -------------------------------------------------------- */

/* True if every change that is made through it is reported (inotify(7)), and
 * it cannot be changed in another way: on a server, by another host. */
bool hf_filesystem_reports(unsigned long type);
/* False if its ctime is no clock of changes: images that are built with times
 * and inode numbers of the builder's choice, so that two releases of one have
 * equal stamps; FAT, which has no ctime. */
bool hf_filesystem_stamps(unsigned long type);

/* --- root.c -------------------------------------------------------------- */

struct hf_root {
	int fd;          /* O_PATH, open as long as the source */
	const char *dir; /* borrowed from the config, as is the prefix */
	const char *prefix;
	struct stat st; /* as it was when it was opened */
	dev_t own_dev;  /* never entered; 0: there is nothing to fear */
	uint64_t resolve;
	bool follow;
	bool xdev;
	bool stamps; /* changes get this machine's time, whoever makes them */
};

int hf_root_open(const struct hf_source_config *config, size_t i, dev_t own_dev,
		 struct hf_root *ret, char **why) HF_MUST_USE;
void hf_root_close(struct hf_root *root);

/* Turns -ENOENT and -ESTALE into -EIO if the root itself is gone. */
int hf_root_error(const struct hf_root *root, int error);
/*
 * Opens `path` ("" is the root), following links as far as they are allowed.
 * -EXDEV for what is not, see hf_root_refusal. O_CLOEXEC is implied. `ret`
 * NULL: its stat is not wanted.
 */
int hf_root_openat(const struct hf_root *root, const char *path, int flags,
		   int *ret_fd, struct stat *ret) HF_MUST_USE;
/* The same, but -ELOOP where any component is a link. */
int hf_root_openat_plain(const struct hf_root *root, const char *path,
			 int flags, int *ret_fd, struct stat *ret) HF_MUST_USE;
/* What -EXDEV meant: EXDEV another file system, EACCES out of the root. */
int hf_root_refusal(const struct hf_root *root, const char *path);
/*
 * Stat of `name` in the directory `dir_fd`, without following a link and
 * without looking beyond a mount point: -EXDEV. `flags` may be O_DIRECTORY.
 */
int hf_root_stat_child(const struct hf_root *root, int dir_fd, const char *name,
		       int flags, struct stat *ret) HF_MUST_USE;
/* The same in one cheap call that does look beyond mount points. */
int hf_root_lstat(int dir_fd, const char *name, struct stat *ret) HF_MUST_USE;
/* Of what is open; -ELOOP: it is our own mount. */
int hf_root_stat_fd(const struct hf_root *root, int fd,
		    struct stat *ret) HF_MUST_USE;
int hf_root_statvfs(const struct hf_root *root,
		    struct statvfs *ret) HF_MUST_USE;

/* A number for its file system, and its type as statfs(2) has it. */
int hf_root_fsid(const struct hf_root *root, uint64_t *ret,
		 unsigned long *type) HF_MUST_USE;

/* Names as read from one directory, in no order, without . and .. */
struct hf_name {
	size_t offset;      /* in text.data */
	unsigned char type; /* d_type */
};

struct hf_names {
	struct hf_buf text;
	struct hf_name *items;
	size_t n;
	size_t cap;
};

/* -ENOENT: the directory was deleted after it was opened. */
int hf_root_names(int dir_fd, struct hf_names *ret) HF_MUST_USE;
void hf_names_fini(struct hf_names *names);

/* --- dir.c --------------------------------------------------------------- */

struct hf_dir_id {
	dev_t dev;
	ino_t ino;
};

/* One directory of one root, open for looking at its names. */
struct hf_dir {
	const struct hf_root *root;
	const char *path; /* in the root; borrowed */
	int fd;
	struct stat st;
	bool linked;            /* its path goes through a link */
	struct hf_dir_id *line; /* the root, ..., the directory; or NULL */
	size_t n_line;
};

/*
 * `flags` is O_RDONLY for hf_root_names, else O_PATH. -ENOENT: there is
 * nothing; -ENOTDIR, -ELOOP, -EXDEV: something else may stand there, or the
 * way leads out or round in a circle; -EIO: the root is gone.
 */
int hf_dir_open(const struct hf_root *root, const char *path, int flags,
		struct hf_dir *ret) HF_MUST_USE;
void hf_dir_close(struct hf_dir *dir);
/*
 * Looks at one name. `type` is what readdir(3) said, DT_UNKNOWN if nobody
 * did. Sets ret->name (borrowed from `name`), st, type, error, link; the rest
 * is zero. -ENOENT: no such name; other errors are of this process (memory,
 * descriptors), whatever is wrong with the entry makes it a broken one.
 */
int hf_dir_entry(struct hf_dir *dir, const char *name, unsigned char type,
		 struct hf_source_entry *ret) HF_MUST_USE;
/*
 * The same for a name that readdir(3) calls a regular file: 1 if it is, and
 * lies on the directory's own file system; 0: hf_dir_entry tells. Several
 * threads may ask at once.
 */
int hf_dir_file(const struct hf_dir *dir, const char *name,
		struct hf_source_entry *ret) HF_MUST_USE;
/* "dir/name", or "name" in the top. -ENAMETOOLONG. */
int hf_path_join(char ret[PATH_MAX], const char *dir,
		 const char *name) HF_MUST_USE;

/* --- parts.c ------------------------------------------------------------- */

struct hf_source {
	struct hf_pool *pool; /* borrowed, or NULL */
	struct hf_root *roots;
	size_t n_roots;
	struct hf_ignore ignore;
};

enum hf_place {
	HF_PLACE_OUTSIDE,
	HF_PLACE_ABOVE,  /* rest: what of the prefix is still to come */
	HF_PLACE_INSIDE, /* rest: the path in the root */
};

/* The length of the next longer piece of `path` that ends before a slash. */
size_t hf_path_next(const char *path, size_t len);
/* Where a path of the merged tree lies as seen from one root. */
enum hf_place hf_place_of(const char *prefix, const char *path,
			  const char **rest);

/* One root's share in a merged directory. */
struct hf_part {
	int error;         /* positive: why the root has no such directory */
	const char *above; /* not NULL: only a prefix, whose rest this is */
	struct hf_dir dir; /* open unless `error` or `above`; st is always set
			      unless `error` */
};

/* hf_part for every root, in order. */
struct hf_parts {
	struct hf_part *items;
	size_t n;
};

/* Errors as hf_source_list. At least one part has no error afterwards. */
int hf_parts_open(const struct hf_source *source, const char *path, int flags,
		  struct hf_parts *ret) HF_MUST_USE;
/* The part of one root alone; its `error` may be set. */
int hf_part_open(const struct hf_source *source, unsigned root,
		 const char *path, int flags, struct hf_part *ret) HF_MUST_USE;
/* hf_source_list_stat of parts that were opened. */
struct stat hf_parts_stat(const struct hf_parts *parts);
void hf_part_close(struct hf_part *part);
void hf_parts_close(struct hf_parts *parts);

/* --- names.c ------------------------------------------------------------- */

/* The names of sorted entries, copied, with the state of the parts that they
 * were read from. `listed_ns` is the time before those were opened. */
int hf_source_names_new(const struct hf_parts *parts,
			struct hf_source_entry *const *entries, size_t n,
			int64_t listed_ns,
			struct hf_source_names **ret) HF_MUST_USE;
/* hf_source_names_current, with the parts as they are now. */
bool hf_names_current(const struct hf_source_names *names,
		      const struct hf_parts *parts, int64_t now_ns);

/* --- list.c -------------------------------------------------------------- */

/* Entries while they are gathered, from all roots, in no order. */
struct hf_found {
	struct hf_source_entry *items;
	size_t n;
	size_t cap;
	struct hf_names
		*names; /* by root: what the entries' names point into */
	size_t n_names;
};

/* Room for n more entries behind what was found; borrowed until more than those
 * are added. NULL: no memory. */
struct hf_source_entry *hf_found_reserve(struct hf_found *found, size_t n);
int hf_found_add(struct hf_found *found,
		 const struct hf_source_entry *entry) HF_MUST_USE;
void hf_found_fini(struct hf_found *found);

/* Merges what was found; copies the names. `listed_ns` as
 * hf_source_names_new. `steady`: nothing came or went while it was looked at,
 * and stamps would show that. */
int hf_list_new(const struct hf_parts *parts, struct hf_found *found,
		int64_t listed_ns, bool steady,
		struct hf_source_list **ret) HF_MUST_USE;
/* Both are new, not shared yet: hf_list_replace is allowed on them. The first
 * one's entries have no stats; `st` is the directory's own. */
int hf_list_of_names(struct hf_source_names *names, const struct stat *st,
		     struct hf_source_list **ret) HF_MUST_USE;
int hf_list_copy(const struct hf_source_list *list,
		 struct hf_source_list **ret) HF_MUST_USE;
void hf_list_replace(struct hf_source_list *list, size_t i,
		     const struct hf_source_entry *entry);
/* --- gather.c ------------------------------------------------------------ */

/* Everything that the parts, open for reading, have. A part whose directory was
 * deleted meanwhile gets an error; -ENOENT: the last one was. `ret` is {0}
 * before, and ended by the caller in any case. */
int hf_gather(const struct hf_source *source, struct hf_parts *parts,
	      struct hf_found *ret) HF_MUST_USE;

/* --- tree.c -------------------------------------------------------------- */

/* hf_source_list and hf_source_names_current at a time of the caller's. */
int hf_source_list_at(const struct hf_source *source, const char *path,
		      int64_t now_ns, struct hf_source_list **ret) HF_MUST_USE;
int hf_source_names_current_at(const struct hf_source *source, const char *path,
			       const struct hf_source_names *names,
			       int64_t now_ns) HF_MUST_USE;

#endif
