#include "tools/exported.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/draft.h"
#include "tools/program.h"

/* --- birth and death ----------------------------------------------------- */

int hf_export_new(struct hf_view *view, const struct hf_destination *dest,
		  enum hf_export_mode mode, struct hf_export **ret)
{
	struct hf_export *export = calloc(1, sizeof(*export));
	int r = export ? hf_plan_make(view, &export->plan) : -ENOMEM;

	if (r < 0) {
		free(export);
		return hf_program_refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	}
	export->view = view;
	export->dest = dest;
	export->mode = mode;
	*ret = export;
	return 0;
}

void hf_export_leave_view(struct hf_export *export)
{
	hf_plan_leave_view(&export->plan);
	export->view = NULL;
}

void hf_export_free(struct hf_export *export)
{
	hf_plan_fini(&export->plan);
	free(export);
}

const struct hf_export_counts *hf_export_counts(const struct hf_export *export)
{
	return &export->counts;
}

/* --- directories --------------------------------------------------------- */

static void tell_of_dir(struct hf_export *export, const char *verb,
			struct hf_plan_dir *dir)
{
	if (dir->told)
		return;
	dir->told = true;
	hf_export_tell(export, verb, dir->path, "");
	atomic_fetch_add(&export->counts.dirs, 1);
}

/* Makes the directory if it is not there, and clears what was left in it. */
static int open_up(struct hf_export *export, struct hf_plan_dir *dir)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	bool dry = export->mode == HF_EXPORT_DRY;
	int r = hf_destination_enter(export->dest, dir->path, &fd);

	if (r == -ENOENT) {
		tell_of_dir(export, "make", dir);
		return dry ? 0
			   : hf_destination_make_dir(export->dest, dir->path);
	}
	return r < 0 || dry ? r : hf_draft_sweep(fd);
}

/* Mode, owner and times, when nothing more is put into it. */
static int settle(struct hf_export *export, struct hf_plan_dir *dir)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat have;
	int r = hf_destination_enter(export->dest, dir->path, &fd);

	/* What would be made is told of already. */
	if (export->mode == HF_EXPORT_DRY && r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (fstat(fd, &have) != 0)
		return -errno;
	if (export->mode != HF_EXPORT_DRY)
		r = hf_attributes_mend(fd, &have, &dir->st);
	else
		r = hf_attributes_differ(&have, &dir->st);
	if (r > 0)
		tell_of_dir(export, "mend", dir);
	return r < 0 ? r : 0;
}

static void each_dir(struct hf_export *export,
		     int (*visit)(struct hf_export *export,
				  struct hf_plan_dir *dir))
{
	for (size_t i = 0; i < export->plan.n && !atomic_load(&export->failed);
	     i++) {
		int r = visit(export, &export->plan.dirs[i]);

		if (r < 0)
			hf_export_fail(export, export->plan.dirs[i].path, "",
				       false, r);
	}
}

/* --- the whole ----------------------------------------------------------- */

static void expect(struct hf_export *export)
{
	struct hf_progress *progress = export->progress;

	for (size_t i = 0; i < export->plan.n && progress; i++) {
		const struct hf_listing *listing = export->plan.dirs[i].listing;

		for (size_t k = 0; k < hf_listing_len(listing); k++) {
			const struct hf_entry *entry =
				hf_listing_entry(listing, k);

			if (!hf_plan_is_file(entry))
				continue;
			atomic_fetch_add(&progress->files, 1);
			atomic_fetch_add(&progress->bytes, entry->size);
		}
	}
}

static bool wrote(const struct hf_export *export)
{
	const struct hf_export_counts *counts = &export->counts;

	return atomic_load(&counts->copied) || atomic_load(&counts->cloned) ||
	       atomic_load(&counts->mended) || atomic_load(&counts->dirs);
}

/* One call for all files, which is a fraction of one for each. */
static void sync_all(struct hf_export *export)
{
	if (export->mode == HF_EXPORT_SAFE && wrote(export) &&
	    syncfs(export->dest->fd) != 0)
		hf_export_fail(export, "", "", false, -errno);
}

int hf_export_write(struct hf_export *export, struct hf_progress *progress)
{
	export->progress = progress;
	expect(export);
	each_dir(export, open_up);
	if (!atomic_load(&export->failed))
		hf_export_deliver(export);
	each_dir(export, settle);
	if (!atomic_load(&export->failed))
		sync_all(export);
	return atomic_load(&export->status);
}

/* --- removing ------------------------------------------------------------ */

/* 1: it is gone; 0: there was nothing of ours. */
static int remove_file(const struct hf_export *export, const char *dir,
		       const char *name)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat st;
	int r = hf_destination_enter(export->dest, dir, &fd);

	/* A name that leads out, or through a link, is none of ours. */
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EXDEV)
		return 0;
	if (r < 0)
		return r;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (export->mode != HF_EXPORT_DRY && unlinkat(fd, name, 0) != 0)
		return -errno;
	return 1;
}

static int remove_name(struct hf_export *export, const char *path)
{
	HF_CLEANUP(hf_freep) char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;
	const char *name = slash ? slash + 1 : path;
	int r;

	if (!dir)
		return -ENOMEM;
	*(slash ? slash : dir) = '\0';
	r = remove_file(export, dir, name);
	if (r > 0) {
		hf_export_tell(export, "remove", dir, name);
		atomic_fetch_add(&export->counts.removed, 1);
	}
	return r < 0 ? r : 0;
}

int hf_export_remove(struct hf_export *export, const struct hf_strings *names)
{
	for (size_t i = 0; i < names->n && !atomic_load(&export->failed); i++) {
		int r = remove_name(export, names->items[i]);

		if (r < 0)
			hf_export_fail(export, "", names->items[i], false, r);
	}
	/* Their directories are younger now, and so is that of a manifest. */
	if (export->mode != HF_EXPORT_DRY)
		each_dir(export, settle);
	return atomic_load(&export->status);
}
