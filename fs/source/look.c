/*
 * Looking again at what a listing named: stats anew, and files to be read.
 */
#include "fs/source/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* What readdir(3) would say, so that no mount point is statted by mistake. */
static unsigned char type_hint(const struct hf_source_entry *entry)
{
	if (entry->link || entry->type == HF_TYPE_FILE ||
	    entry->type == HF_TYPE_SPECIAL)
		return DT_REG;
	return DT_UNKNOWN;
}

static bool is_prefix(const struct hf_part *part, const char *name)
{
	size_t len = strlen(name);

	return part->above && strncmp(part->above, name, len) == 0 &&
	       (!part->above[len] || part->above[len] == '/');
}

static int look_again(struct hf_part *part, const struct hf_source_entry *old,
		      struct hf_source_entry *ret)
{
	struct hf_source_entry entry = *old;
	int error;

	if (part->error || (part->above && !is_prefix(part, old->name)))
		return -ENOENT;
	if (part->above) {
		entry.st = part->dir.st;
	} else {
		error = hf_dir_entry(&part->dir, old->name, type_hint(old),
				     &entry);
		if (error < 0)
			return hf_root_error(part->dir.root, error);
		entry.root = old->root;
		entry.shadowed = old->shadowed;
	}
	*ret = entry;
	return 0;
}

int hf_source_stat(const struct hf_source *source, const char *dir,
		   const struct hf_source_entry *entry,
		   struct hf_source_entry *ret)
{
	HF_CLEANUP(hf_part_close) struct hf_part part = {.dir = {.fd = -1}};
	int error = hf_part_open(source, entry->root, dir, O_PATH, &part);

	return error < 0 ? error : look_again(&part, entry, ret);
}

static bool same_entry(const struct hf_source_entry *a,
		       const struct hf_source_entry *b)
{
	struct hf_sig a_sig = hf_sig_of(&a->st);
	struct hf_sig b_sig = hf_sig_of(&b->st);

	return a->type == b->type && a->error == b->error &&
	       a->link == b->link && a->st.st_dev == b->st.st_dev &&
	       a->st.st_mode == b->st.st_mode && a->st.st_uid == b->st.st_uid &&
	       a->st.st_gid == b->st.st_gid && hf_sig_equal(&a_sig, &b_sig);
}

/* Whether another root's entry of that name may now win or be hidden, so that
 * the roots must be merged again. */
static bool upsets_merge(const struct hf_source_entry *old,
			 const struct hf_source_entry *fresh)
{
	return (old->type == HF_TYPE_DIR) != (fresh->type == HF_TYPE_DIR);
}

static void unref_list(struct hf_source_list **list)
{
	hf_source_list_unref(*list);
}

/* -ESTALE: what is there cannot be had by changing entries one by one. */
static int restat(struct hf_parts *parts, struct hf_source_list *list,
		  struct hf_source_list **ret)
{
	HF_CLEANUP(unref_list) struct hf_source_list *copy = NULL;

	for (size_t i = 0; i < hf_source_list_len(list); i++) {
		const struct hf_source_entry *old =
			hf_source_list_entry(list, i);
		struct hf_source_entry fresh;
		int error = look_again(&parts->items[old->root], old, &fresh);

		if (error == -ENOENT ||
		    (error == 0 && upsets_merge(old, &fresh)))
			return -ESTALE;
		if (error < 0)
			return error;
		if (same_entry(old, &fresh))
			continue;
		error = copy ? 0 : hf_list_copy(list, &copy);
		if (error < 0)
			return error;
		hf_list_replace(copy, i, &fresh);
	}
	*ret = copy ? copy : hf_source_list_ref(list);
	copy = NULL;
	return 0;
}

int hf_source_list_restat(const struct hf_source *source, const char *path,
			  struct hf_source_list *list,
			  struct hf_source_list **ret)
{
	HF_CLEANUP(hf_parts_close) struct hf_parts parts = {0};
	int error = hf_parts_open(source, path, O_PATH, &parts);

	if (error == 0)
		error = restat(&parts, list, ret);
	return error == -ESTALE ? hf_source_list(source, path, ret) : error;
}

/* -ESTALE as restat. */
static int stat_names(struct hf_parts *parts, struct hf_source_names *names,
		      struct hf_source_list **ret)
{
	HF_CLEANUP(unref_list) struct hf_source_list *list = NULL;
	struct stat st = hf_parts_stat(parts);
	int error = hf_list_of_names(names, &st, &list);

	for (size_t i = 0; error == 0 && i < hf_source_list_len(list); i++) {
		const struct hf_source_entry *old =
			hf_source_list_entry(list, i);
		struct hf_source_entry fresh;

		error = look_again(&parts->items[old->root], old, &fresh);
		if (error == -ENOENT ||
		    (error == 0 && upsets_merge(old, &fresh)))
			return -ESTALE;
		if (error == 0)
			hf_list_replace(list, i, &fresh);
	}
	if (error < 0)
		return error;
	*ret = list;
	list = NULL;
	return 0;
}

int hf_source_names_stat(const struct hf_source *source, const char *path,
			 struct hf_source_names *names,
			 struct hf_source_list **ret)
{
	HF_CLEANUP(hf_parts_close) struct hf_parts parts = {0};
	int error = hf_parts_open(source, path, O_PATH, &parts);

	if (error == 0)
		error = stat_names(&parts, names, ret);
	return error == -ESTALE ? hf_source_list(source, path, ret) : error;
}

static int same_entries(struct hf_parts *parts,
			const struct hf_source_list *list, const bool *seen)
{
	for (size_t i = 0; i < hf_source_list_len(list); i++) {
		const struct hf_source_entry *old =
			hf_source_list_entry(list, i);
		struct hf_source_entry fresh;
		int error;

		if (seen && seen[i])
			continue;
		error = look_again(&parts->items[old->root], old, &fresh);
		if (error == -ENOENT)
			return 0;
		if (error < 0)
			return error;
		if (!same_entry(old, &fresh))
			return 0;
	}
	return 1;
}

int hf_source_list_same(const struct hf_source *source, const char *path,
			const struct hf_source_list *list, const bool *seen)
{
	HF_CLEANUP(hf_parts_close) struct hf_parts parts = {0};
	int error = hf_parts_open(source, path, O_PATH, &parts);

	if (error < 0)
		return error;
	/* At no time is it young. */
	return hf_names_current(hf_source_list_names(list), &parts, INT64_MIN)
		       ? same_entries(&parts, list, seen)
		       : 0;
}

/* --- reading -------------------------------------------------------------- */

/* What cannot be opened because of what it is, whatever open(2) calls it. */
static int explain_open(const struct hf_root *root, const char *path, int error)
{
	if (error == -EXDEV)
		return -hf_root_refusal(root, path);
	if (error == -ENXIO || error == -ENODEV)
		return -EINVAL;
	return hf_root_error(root, error);
}

/* `ret` NULL: its stat is not wanted. */
static int open_any(const struct hf_source *source, unsigned root_number,
		    const char *path, int *ret_fd, struct stat *ret)
{
	/* O_NONBLOCK: a FIFO that took the file's place must not stop us. */
	static const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_LARGEFILE;
	const struct hf_root *root = &source->roots[root_number];
	const char *rest;
	int error;

	switch (hf_place_of(root->prefix, path, &rest)) {
	case HF_PLACE_OUTSIDE:
		return -ENOENT;
	case HF_PLACE_ABOVE:
		return -EINVAL;
	case HF_PLACE_INSIDE:
		break;
	}
	error = hf_root_openat(root, rest, flags, ret_fd, ret);
	return error < 0 ? explain_open(root, rest, error) : 0;
}

int hf_source_open_file(const struct hf_source *source, unsigned root,
			const char *path, int *ret_fd, struct stat *ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat st;
	int error = open_any(source, root, path, &fd, &st);

	if (error < 0)
		return error;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_fd = hf_steal_fd(&fd);
	*ret = st;
	return 0;
}

int hf_source_open_seen(const struct hf_source *source, unsigned root,
			const char *path, int *ret_fd)
{
	return open_any(source, root, path, ret_fd, NULL);
}

int hf_source_statvfs(const struct hf_source *source, struct statvfs *ret)
{
	return hf_root_statvfs(&source->roots[0], ret);
}

int hf_source_stat_dir(const struct hf_source *source, const char *path,
		       struct stat *ret)
{
	HF_CLEANUP(hf_parts_close) struct hf_parts parts = {0};
	int error = hf_parts_open(source, path, O_PATH, &parts);

	if (error == 0)
		*ret = hf_parts_stat(&parts);
	return error;
}
