/*
 * One path of the merged tree, found without listing anything. The answer is
 * what a listing of its directory would say.
 */
#include "fs/source/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* "dir/name" in two; *name points into `path`. */
static int split_path(const char *path, char dir[PATH_MAX], const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(dir, path, len);
	dir[len] = '\0';
	*name = slash ? slash + 1 : path;
	return **name ? 0 : -ENOENT;
}

static int find_prefix(const struct hf_part *part, const char *name,
		       struct hf_source_entry *ret)
{
	size_t len = strlen(name);

	if (strncmp(part->above, name, len) != 0 ||
	    (part->above[len] && part->above[len] != '/'))
		return -ENOENT;
	*ret = (struct hf_source_entry){.st = part->dir.st,
					.type = HF_TYPE_DIR};
	return 0;
}

static int find_in(const struct hf_source *source, struct hf_part *part,
		   const char *name, struct hf_source_entry *ret)
{
	char path[PATH_MAX];
	int error;

	if (part->error)
		return -ENOENT;
	if (part->above)
		return find_prefix(part, name, ret);
	if (hf_ignore_name(&source->ignore, name))
		return -ENOENT;
	error = hf_dir_entry(&part->dir, name, DT_REG, ret);
	if (error < 0)
		return hf_root_error(part->dir.root, error);
	if (ret->type != HF_TYPE_DIR &&
	    hf_path_join(path, part->dir.path, name) == 0 &&
	    hf_ignore_path(&source->ignore, path))
		return -ENOENT;
	return 0;
}

int hf_source_find(const struct hf_source *source, const char *path,
		   struct hf_source_entry *ret)
{
	HF_CLEANUP(hf_parts_close) struct hf_parts parts = {0};
	struct hf_source_entry entry;
	char dir[PATH_MAX];
	const char *name;
	int error = split_path(path, dir, &name);

	if (error == 0)
		error = hf_parts_open(source, dir, O_PATH, &parts);
	if (error < 0)
		return error;
	for (size_t i = 0; i < parts.n; i++) {
		error = find_in(source, &parts.items[i], name, &entry);
		if (error == -ENOENT)
			continue;
		if (error < 0)
			return error;
		entry.root = (unsigned)i;
		entry.name = name;
		*ret = entry;
		return 0;
	}
	return -ENOENT;
}
