/*
 * What a merged directory has, gathered from all roots. In a large one most of
 * the time goes into looking at one file after the other: so its files are
 * looked at by several threads.
 */
#include "fs/source/internal.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* With so many names a directory is large; its pieces have so many. */
#define LARGE 2048
#define PIECE 256

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

/* --- many files -------------------------------------------------------------- */

struct looks {
	const struct hf_source *source;
	const struct hf_dir *dir;
	const struct hf_names *names;
	struct hf_source_entry *entries; /* by name; without a name: not yet */
};

static const char *name_at(const struct hf_names *names, size_t i)
{
	return names->text.data + names->items[i].offset;
}

/* In several threads. What is not so simple is left for later. */
static void look_at_piece(void *arg, size_t piece)
{
	const struct looks *looks = arg;
	const struct hf_names *names = looks->names;
	size_t end = (piece + 1) * PIECE;

	for (size_t i = piece * PIECE; i < end && i < names->n; i++) {
		const char *name = name_at(names, i);

		if (names->items[i].type != DT_REG ||
		    hf_ignore_name(&looks->source->ignore, name) ||
		    hf_dir_file(looks->dir, name, &looks->entries[i]) == 0)
			looks->entries[i].name = NULL;
	}
}

/* The entries stand where those that are added come to stand, none of them
 * before its turn. NULL where it is not worth it, or there is no memory. */
static const struct hf_source_entry *
look_together(const struct hf_source *source, const struct hf_dir *dir,
	      const struct hf_names *names, struct hf_found *found)
{
	struct looks looks = {.source = source, .dir = dir, .names = names};

	if (names->n < LARGE || !source->pool)
		return NULL;
	looks.entries = hf_found_reserve(found, names->n);
	if (looks.entries)
		hf_pool_share(source->pool, (names->n + PIECE - 1) / PIECE,
			      look_at_piece, &looks);
	return looks.entries;
}

/* --- one root ------------------------------------------------------------------ */

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

/* `looked` is its entry, if it was looked at already. */
static int gather_name(const struct hf_source *source, struct hf_dir *dir,
		       unsigned root, const char *name, unsigned char type,
		       const struct hf_source_entry *looked,
		       struct hf_found *found)
{
	struct hf_source_entry entry;
	int error = 0;

	if (hf_ignore_name(&source->ignore, name))
		return 0;
	if (looked)
		entry = *looked;
	else
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
	const struct hf_source_entry *looked = NULL;
	int error;

	if (part->above)
		return gather_prefix(part, root, names, found);
	error = hf_root_names(part->dir.fd, names);
	if (error == 0)
		looked = look_together(source, &part->dir, names, found);
	for (size_t i = 0; error == 0 && i < names->n; i++)
		error = gather_name(
			source, &part->dir, root, name_at(names, i),
			names->items[i].type,
			looked && looked[i].name ? &looked[i] : NULL, found);
	return error;
}

/* --- all roots ------------------------------------------------------------------ */

static int gather_parts(const struct hf_source *source, struct hf_parts *parts,
			struct hf_found *found)
{
	bool any = false;

	for (size_t i = 0; i < parts->n; i++) {
		struct hf_part *part = &parts->items[i];
		int error;

		if (part->error)
			continue;
		error = gather_part(source, part, (unsigned)i, &found->names[i],
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

int hf_gather(const struct hf_source *source, struct hf_parts *parts,
	      struct hf_found *ret)
{
	ret->names = calloc(parts->n, sizeof(*ret->names));
	if (!ret->names)
		return -ENOMEM;
	ret->n_names = parts->n;
	return gather_parts(source, parts, ret);
}
