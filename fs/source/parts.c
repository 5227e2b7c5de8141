/*
 * What a path of the merged tree means in every root: a directory, a piece of
 * a prefix, nothing, or something that stands in the way of later roots.
 */
#include "fs/source/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum hf_place hf_place_of(const char *prefix, const char *path,
			  const char **rest)
{
	size_t prefix_len = strlen(prefix);
	size_t path_len = strlen(path);
	bool slash = prefix_len > 0;

	if (strncmp(path, prefix, prefix_len) == 0 &&
	    (!slash || !path[prefix_len] || path[prefix_len] == '/')) {
		*rest = path + prefix_len + (slash && path[prefix_len]);
		return HF_PLACE_INSIDE;
	}
	if (path_len == 0 ||
	    (strncmp(path, prefix, path_len) == 0 && prefix[path_len] == '/')) {
		*rest = prefix + path_len + (path_len > 0);
		return HF_PLACE_ABOVE;
	}
	return HF_PLACE_OUTSIDE;
}

/* Errors that concern one root's directory and not the whole listing. */
static bool is_absence(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP ||
	       error == -EXDEV;
}

static int open_inside(const struct hf_source *source,
		       const struct hf_root *root, const char *path, int flags,
		       struct hf_dir *ret)
{
	/* Another root may have the name, by its prefix: those are not
	 * ignored. */
	if (hf_ignore_below(&source->ignore, path))
		return -ENOENT;
	return hf_dir_open(root, path, flags, ret);
}

int hf_part_open(const struct hf_source *source, unsigned root_number,
		 const char *path, int flags, struct hf_part *ret)
{
	const struct hf_root *root = &source->roots[root_number];
	struct hf_part part = {.dir = {.root = root, .fd = -1}};
	const char *rest;
	int error = -ENOENT;

	switch (hf_place_of(root->prefix, path, &rest)) {
	case HF_PLACE_OUTSIDE:
		break;
	case HF_PLACE_ABOVE:
		/* Not asked anew: who looks into a prefix need not wait for
		 * every source below it, one of which may hang. */
		part.above = rest;
		part.dir.st = root->st;
		error = 0;
		break;
	case HF_PLACE_INSIDE:
		error = open_inside(source, root, rest, flags, &part.dir);
		break;
	}
	if (error < 0 && !is_absence(error))
		return error;
	part.error = -error;
	*ret = part;
	return 0;
}

void hf_part_close(struct hf_part *part)
{
	hf_dir_close(&part->dir);
}

void hf_parts_close(struct hf_parts *parts)
{
	for (size_t i = 0; i < parts->n; i++)
		hf_part_close(&parts->items[i]);
	free(parts->items);
	*parts = (struct hf_parts){0};
}

/*
 * What one root has at `path`: 0 a directory, -ENOENT nothing, a positive
 * errno what to say of the thing that is there but cannot be entered.
 */
static int look_for_dir(const struct hf_source *source,
			const struct hf_root *root, const char *path)
{
	HF_CLEANUP(hf_dir_close) struct hf_dir dir = {.fd = -1};
	struct hf_source_entry entry;
	char parent[PATH_MAX] = "";
	const char *rest;
	const char *slash;
	enum hf_place place = hf_place_of(root->prefix, path, &rest);
	int error;

	if (place == HF_PLACE_OUTSIDE)
		return -ENOENT;
	if (place == HF_PLACE_ABOVE || !*rest)
		return 0;
	slash = strrchr(rest, '/');
	if (slash)
		memcpy(parent, rest, (size_t)(slash - rest));
	error = open_inside(source, root, parent, O_PATH, &dir);
	if (error == 0)
		error = hf_dir_entry(&dir, slash ? slash + 1 : rest, DT_UNKNOWN,
				     &entry);
	if (error < 0)
		return error;
	if (hf_ignore_name(&source->ignore, slash ? slash + 1 : rest))
		return -ENOENT;
	if (entry.type == HF_TYPE_DIR)
		return 0;
	if (hf_ignore_path(&source->ignore, rest))
		return -ENOENT;
	return entry.type == HF_TYPE_BROKEN ? entry.error : ENOTDIR;
}

size_t hf_path_next(const char *path, size_t len)
{
	len += path[len] == '/';
	return len + strcspn(path + len, "/");
}

/*
 * Whether root number `number` has a file (or a broken link) where the path
 * needs a directory, and so hides the directories of later roots. It does
 * not if an earlier root has a directory at that very place: then the file
 * itself is hidden. 0, or the negative errno of the whole path.
 */
static int blocked_by(const struct hf_source *source, unsigned number,
		      const char *path)
{
	char piece[PATH_MAX] = "";

	for (size_t len = 0; path[len];) {
		int found;

		len = hf_path_next(path, len);
		memcpy(piece, path, len);
		found = look_for_dir(source, &source->roots[number], piece);
		if (found == 0)
			continue;
		if (found < 0)
			return found == -ENOENT ? 0 : found;
		for (unsigned i = 0; i < number; i++)
			if (look_for_dir(source, &source->roots[i], piece) == 0)
				return 0;
		return -found;
	}
	return 0;
}

/* Of the roots before the first that has the directory, does one hide it? A
 * plain ENOENT cannot: no component of the path was there but directories. */
static int check_precedence(const struct hf_source *source, const char *path,
			    const struct hf_parts *parts)
{
	for (size_t i = 0; i < parts->n; i++) {
		int error;

		if (parts->items[i].error == 0)
			return 0;
		if (parts->items[i].error == ENOENT)
			continue;
		error = blocked_by(source, (unsigned)i, path);
		if (error < 0)
			return error;
	}
	return -ENOENT;
}

int hf_parts_open(const struct hf_source *source, const char *path, int flags,
		  struct hf_parts *ret)
{
	HF_CLEANUP(hf_parts_close) struct hf_parts parts = {0};
	int error = 0;

	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	parts.items = calloc(source->n_roots, sizeof(*parts.items));
	if (!parts.items)
		return -ENOMEM;
	for (; parts.n < source->n_roots; parts.n++) {
		error = hf_part_open(source, (unsigned)parts.n, path, flags,
				     &parts.items[parts.n]);
		if (error < 0)
			return error;
	}
	error = check_precedence(source, path, &parts);
	if (error < 0)
		return error;
	*ret = parts;
	parts = (struct hf_parts){0};
	return 0;
}

static bool later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec
				      : a->tv_nsec > b->tv_nsec;
}

/*
 * What `part` leaves of the permissions, for the three classes of user that
 * `whole` distinguishes. Where both have one owner and group, class by class.
 * Where the group differs, a user whom `whole` counts to its group or to the
 * others may be either in `part`, and so is given only what both may; where
 * the owner differs, anybody may be anything.
 */
static mode_t strictest(const struct stat *whole, const struct stat *part)
{
	mode_t user = (part->st_mode >> 6) & 7;
	mode_t group = (part->st_mode >> 3) & 7;
	mode_t other = part->st_mode & 7;

	if (part->st_uid != whole->st_uid)
		user = group = other = user & group & other;
	else if (part->st_gid != whole->st_gid)
		group = other = group & other;
	return (part->st_mode & ~(mode_t)0777) | user << 6 | group << 3 | other;
}

static void add_stat(struct stat *whole, const struct stat *part)
{
	whole->st_mode &= strictest(whole, part);
	if (later(&part->st_mtim, &whole->st_mtim))
		whole->st_mtim = part->st_mtim;
	if (later(&part->st_ctim, &whole->st_ctim))
		whole->st_ctim = part->st_ctim;
}

struct stat hf_parts_stat(const struct hf_parts *parts)
{
	struct stat whole = {0};
	bool first = true;

	for (size_t i = 0; i < parts->n; i++) {
		if (parts->items[i].error)
			continue;
		if (first)
			whole = parts->items[i].dir.st;
		else
			add_stat(&whole, &parts->items[i].dir.st);
		first = false;
	}
	return whole;
}
