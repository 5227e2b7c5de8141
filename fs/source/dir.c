/*
 * One directory of one root: what each of its names is. Whatever is wrong
 * with an entry becomes part of the answer, because an entry that is left out
 * is an entry that a mirror deletes.
 */
#include "fs/source/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static bool same_dir(const struct hf_dir_id *a, const struct hf_dir_id *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

static struct hf_dir_id id_of(const struct stat *st)
{
	return (struct hf_dir_id){.dev = st->st_dev, .ino = st->st_ino};
}

static int identify(const struct hf_root *root, const char *path,
		    struct hf_dir_id *ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat st;
	int error = hf_root_openat(root, path, O_PATH | O_DIRECTORY, &fd, &st);

	if (error == 0)
		*ret = id_of(&st);
	return error;
}

static size_t depth_of(const char *path)
{
	size_t depth = *path != '\0';

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/* Fills `line` with the directories above `path`, the root first. */
static int identify_line(const struct hf_root *root, const char *path,
			 struct hf_dir_id *line)
{
	char above[PATH_MAX] = "";
	size_t len = strlen(path);
	int error = identify(root, "", line++);

	if (len >= sizeof(above))
		return -ENAMETOOLONG;
	for (size_t i = 0; i < len && error == 0; i++) {
		if (path[i] == '/')
			error = identify(root, above, line++);
		above[i] = path[i];
	}
	return error;
}

/*
 * The line from the root down to the directory, read when the first link to a
 * directory asks for it: most directories hold none.
 */
static int load_line(struct hf_dir *dir)
{
	size_t depth = depth_of(dir->path);
	HF_CLEANUP(hf_freep) struct hf_dir_id *line = NULL;

	if (dir->line)
		return 0;
	line = calloc(depth + 1, sizeof(*line));
	if (!line)
		return -ENOMEM;
	if (depth > 0) {
		int error = identify_line(dir->root, dir->path, line);

		if (error < 0)
			return error;
	}
	line[depth] = id_of(&dir->st);
	dir->line = line;
	dir->n_line = depth + 1;
	line = NULL;
	return 0;
}

/* A directory that stands in itself makes a tree without end. */
static int check_circle(struct hf_dir *dir, const struct stat *st)
{
	struct hf_dir_id id = id_of(st);
	int error = load_line(dir);

	for (size_t i = 0; error == 0 && i < dir->n_line; i++)
		if (same_dir(&dir->line[i], &id))
			error = -ELOOP;
	return error;
}

static int check_line(struct hf_dir *dir)
{
	int error = load_line(dir);

	for (size_t i = 1; error == 0 && i < dir->n_line; i++)
		for (size_t k = 0; k < i; k++)
			if (same_dir(&dir->line[i], &dir->line[k]))
				error = -ELOOP;
	return error;
}

/* Nothing at the end of a link is not the same as nothing at all: the link
 * stands there and has the name. So it is not ENOENT. */
static int open_through_links(struct hf_dir *dir, int flags)
{
	int error =
		hf_root_openat(dir->root, dir->path, flags, &dir->fd, &dir->st);

	dir->linked = true;
	if (error == -ENOENT)
		return -ENOTDIR;
	return error < 0 ? error : check_line(dir);
}

int hf_dir_open(const struct hf_root *root, const char *path, int flags,
		struct hf_dir *ret)
{
	struct hf_dir dir = {.root = root, .path = path, .fd = -1};
	int error = hf_root_openat_plain(root, path, flags | O_DIRECTORY,
					 &dir.fd, &dir.st);

	/* A path without links can have no circle, so it need not be looked
	 * for where there is none. */
	if (error == -ELOOP)
		error = open_through_links(&dir, flags | O_DIRECTORY);
	if (error == 0 && *path == '\0' && dir.st.st_nlink == 0)
		error = -EIO;
	if (error < 0) {
		hf_dir_close(&dir);
		return hf_root_error(root, error);
	}
	*ret = dir;
	return 0;
}

void hf_dir_close(struct hf_dir *dir)
{
	hf_closep(&dir->fd);
	free(dir->line);
	*dir = (struct hf_dir){.fd = -1};
}

int hf_path_join(char ret[PATH_MAX], const char *dir, const char *name)
{
	size_t dir_len = strlen(dir);
	size_t name_len = strlen(name);
	size_t slash = dir_len > 0;

	if (dir_len + slash + name_len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret, dir, dir_len);
	if (slash)
		ret[dir_len] = '/';
	memcpy(ret + dir_len + slash, name, name_len + 1);
	return 0;
}

/* By its full path from the root, so that ".." in it may lead anywhere inside
 * the root and not only below this directory. */
static int stat_link(struct hf_dir *dir, const char *name, struct stat *ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	char path[PATH_MAX];
	int error = hf_path_join(path, dir->path, name);

	if (error < 0)
		return error;
	error = hf_root_openat(dir->root, path, O_PATH, &fd, ret);
	if (error == -EXDEV)
		return -hf_root_refusal(dir->root, path);
	if (error == 0 && S_ISDIR(ret->st_mode))
		return check_circle(dir, ret);
	return error;
}

/* A missing target leaves the link; a missing link leaves nothing. */
static int look_at_link(struct hf_dir *dir, struct hf_source_entry *entry)
{
	struct stat st;
	int error = stat_link(dir, entry->name, &entry->st);

	entry->link = error != -ENOENT ||
		      hf_root_lstat(dir->fd, entry->name, &st) == 0;
	return error;
}

/* Where the path goes through a link, a plain directory may be one that the
 * path came through before. */
static int look_at_dir(struct hf_dir *dir, const char *name, struct stat *ret)
{
	int error =
		hf_root_stat_child(dir->root, dir->fd, name, O_DIRECTORY, ret);

	return error == 0 && dir->linked ? check_circle(dir, ret) : error;
}

/*
 * Directories are opened with O_PATH instead of being statted, since they may
 * be mount points: nothing beyond one is touched, be it a dead server or our
 * own mount. Files are statted, which costs a third; one whose device differs
 * may be a mount point too and is looked at again.
 */
static int look_at(struct hf_dir *dir, unsigned char type,
		   struct hf_source_entry *entry)
{
	struct stat *st = &entry->st;
	int error;

	if (type == DT_LNK)
		return look_at_link(dir, entry);
	if (type == DT_DIR || type == DT_UNKNOWN) {
		error = look_at_dir(dir, entry->name, st);
		if (error != -ENOTDIR)
			return error;
	}
	error = hf_root_lstat(dir->fd, entry->name, st);
	if (error < 0)
		return error;
	if (S_ISLNK(st->st_mode))
		return look_at_link(dir, entry);
	if (S_ISDIR(st->st_mode))
		return look_at_dir(dir, entry->name, st);
	if (st->st_dev != dir->st.st_dev)
		return hf_root_stat_child(dir->root, dir->fd, entry->name, 0,
					  st);
	return 0;
}

static enum hf_type type_of(mode_t mode)
{
	if (S_ISREG(mode))
		return HF_TYPE_FILE;
	return S_ISDIR(mode) ? HF_TYPE_DIR : HF_TYPE_SPECIAL;
}

/* Errors that say nothing of the entry: it may be sound. */
static bool is_ours(int error)
{
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE ||
	       error == -EINTR || error == -EAGAIN;
}

/*
 * A broken link has its own owner and times and looks like a file that anybody
 * may read: it is the opening that fails. So it must not look empty: tar(1)
 * archives an empty file without opening it. What is no link is not touched.
 */
static struct stat stat_broken(struct hf_dir *dir,
			       const struct hf_source_entry *entry)
{
	struct stat st = {0};

	if (entry->link && hf_root_lstat(dir->fd, entry->name, &st) < 0)
		st = (struct stat){0};
	st.st_mode = S_IFREG | 0444;
	st.st_size = st.st_size ? st.st_size : 1;
	return st;
}

int hf_dir_entry(struct hf_dir *dir, const char *name, unsigned char type,
		 struct hf_source_entry *ret)
{
	struct hf_source_entry entry = {.name = name};
	int error = look_at(dir, type, &entry);

	if (is_ours(error) || (error == -ENOENT && !entry.link))
		return error;
	if (error < 0) {
		entry.type = HF_TYPE_BROKEN;
		entry.error = -error;
		entry.st = stat_broken(dir, &entry);
	} else {
		entry.type = type_of(entry.st.st_mode);
	}
	*ret = entry;
	return 0;
}

int hf_dir_file(const struct hf_dir *dir, const char *name,
		struct hf_source_entry *ret)
{
	struct hf_source_entry entry = {.name = name, .type = HF_TYPE_FILE};

	if (hf_root_lstat(dir->fd, name, &entry.st) < 0 ||
	    !S_ISREG(entry.st.st_mode) || entry.st.st_dev != dir->st.st_dev)
		return 0;
	*ret = entry;
	return 1;
}
