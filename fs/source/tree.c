/*
 * The merged tree: what the door promises, put together from parts and lists.
 */
#include "fs/source/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* --- opening -------------------------------------------------------------- */

void hf_source_close(struct hf_source *source)
{
	if (!source)
		return;
	for (size_t i = 0; i < source->n_roots; i++)
		hf_root_close(&source->roots[i]);
	hf_ignore_fini(&source->ignore);
	free(source->roots);
	free(source);
}

static void close_source(struct hf_source **source)
{
	hf_source_close(*source);
}

int hf_source_open(const struct hf_source_config *config, dev_t own_dev,
		   struct hf_source **ret, char **why)
{
	HF_CLEANUP(close_source) struct hf_source *source = NULL;
	size_t n = config->roots.n;
	int error;

	*why = NULL;
	if (n == 0)
		return hf_source_explain(why, EINVAL, "",
					 "names no source directory");
	source = calloc(1, sizeof(*source));
	if (!source)
		return -ENOMEM;
	source->roots = calloc(n, sizeof(*source->roots));
	if (!source->roots)
		return -ENOMEM;
	error = hf_ignore_init(&source->ignore, &config->ignore,
			       config->no_default_ignore);
	for (; error == 0 && source->n_roots < n; source->n_roots++) {
		error = hf_root_open(config, source->n_roots, own_dev,
				     &source->roots[source->n_roots], why);
		if (error < 0)
			return error;
	}
	if (error < 0)
		return error;
	*ret = source;
	source = NULL;
	return 0;
}

/* --- listing -------------------------------------------------------------- */

/* The names of a part must live until the list has copied them. */
struct names_of_parts {
	struct hf_names *items;
	size_t n;
};

static void fini_names(struct names_of_parts *names)
{
	for (size_t i = 0; i < names->n; i++)
		hf_names_fini(&names->items[i]);
	free(names->items);
}

/* What comes next of a prefix, as a directory with the root's own stat: there
 * is no other it could have. */
static int gather_prefix(const struct hf_part *part, unsigned root,
			 struct hf_names *names, struct hf_found *found)
{
	struct hf_source_entry entry = {
		.st = part->dir.st,
		.type = HF_TYPE_DIR,
		.root = root,
	};

	hf_buf_add(&names->text, part->above, strcspn(part->above, "/"));
	if (hf_buf_status(&names->text) < 0)
		return -ENOMEM;
	entry.name = names->text.data;
	return hf_found_add(found, &entry);
}

static bool is_ignored(const struct hf_ignore *ignore, const struct hf_dir *dir,
		       unsigned char type, const struct hf_source_entry *entry)
{
	char path[PATH_MAX];

	/* A directory is one whether it can be looked at or not. */
	if (entry->type == HF_TYPE_DIR || type == DT_DIR)
		return false;
	return hf_path_join(path, dir->path, entry->name) == 0 &&
	       hf_ignore_path(ignore, path);
}

static int gather_name(const struct hf_source *source, struct hf_dir *dir,
		       unsigned root, const char *name, unsigned char type,
		       struct hf_found *found)
{
	struct hf_source_entry entry;
	int error;

	if (hf_ignore_name(&source->ignore, name))
		return 0;
	error = hf_dir_entry(dir, name, type, &entry);
	/* It went away since the names were read. */
	if (error == -ENOENT)
		return 0;
	if (error < 0)
		return error;
	if (is_ignored(&source->ignore, dir, type, &entry))
		return 0;
	entry.root = root;
	return hf_found_add(found, &entry);
}

static int gather_part(const struct hf_source *source, struct hf_part *part,
		       unsigned root, struct hf_names *names,
		       struct hf_found *found)
{
	int error;

	if (part->above)
		return gather_prefix(part, root, names, found);
	error = hf_root_names(part->dir.fd, names);
	for (size_t i = 0; error == 0 && i < names->n; i++)
		error = gather_name(source, &part->dir, root,
				    names->text.data + names->items[i].offset,
				    names->items[i].type, found);
	return error;
}

/* -ENOENT: the last directory of that path was deleted meanwhile. */
static int gather(const struct hf_source *source, struct hf_parts *parts,
		  struct names_of_parts *names, struct hf_found *found)
{
	bool any = false;

	for (size_t i = 0; i < parts->n; i++) {
		struct hf_part *part = &parts->items[i];
		int error;

		if (part->error)
			continue;
		error = gather_part(source, part, (unsigned)i, &names->items[i],
				    found);
		if (error == -ENOENT && *part->dir.path)
			part->error = ENOENT;
		else if (error < 0)
			return error == -ENOENT ? -EIO : error;
		else
			any = true;
	}
	return any ? 0 : -ENOENT;
}

int hf_source_list_at(const struct hf_source *source, const char *path,
		      int64_t now_ns, struct hf_source_list **ret)
{
	HF_CLEANUP(hf_parts_close) struct hf_parts parts = {0};
	HF_CLEANUP(fini_names) struct names_of_parts names = {0};
	HF_CLEANUP(hf_found_fini) struct hf_found found = {0};
	int error = hf_parts_open(source, path, O_RDONLY, &parts);

	if (error < 0)
		return error;
	names.items = calloc(parts.n, sizeof(*names.items));
	if (!names.items)
		return -ENOMEM;
	names.n = parts.n;
	error = gather(source, &parts, &names, &found);
	return error < 0 ? error : hf_list_new(&parts, &found, now_ns, ret);
}

int hf_source_list(const struct hf_source *source, const char *path,
		   struct hf_source_list **ret)
{
	return hf_source_list_at(source, path, hf_clock_realtime(), ret);
}

int hf_source_names_current_at(const struct hf_source *source, const char *path,
			       const struct hf_source_names *names,
			       int64_t now_ns)
{
	HF_CLEANUP(hf_parts_close) struct hf_parts parts = {0};
	int error = hf_parts_open(source, path, O_PATH, &parts);

	return error < 0 ? error : hf_names_current(names, &parts, now_ns);
}

int hf_source_names_current(const struct hf_source *source, const char *path,
			    const struct hf_source_names *names)
{
	return hf_source_names_current_at(source, path, names,
					  hf_clock_realtime());
}

int hf_source_names_certain(const struct hf_source *source, const char *path,
			    const struct hf_source_names *names)
{
	/* At no time are they young. */
	return hf_source_names_current_at(source, path, names, INT64_MIN);
}
