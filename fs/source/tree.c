/*
 * The merged tree: what the door promises, put together from parts and lists.
 */
#include "fs/source/internal.h"

#include <errno.h>
#include <fcntl.h>

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

void hf_source_share(struct hf_source *source, struct hf_pool *pool)
{
	source->pool = pool;
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

/* Has nothing come or gone since the part was opened? A prefix stays. */
static bool holds_still(const struct hf_part *part)
{
	const struct hf_dir *dir = &part->dir;
	struct hf_sig before = hf_sig_of(&dir->st);
	struct hf_sig after;
	struct stat st;

	if (part->error || part->above)
		return true;
	if (hf_root_stat_fd(dir->root, dir->fd, &st) < 0)
		return false;
	after = hf_sig_of(&st);
	return hf_sig_equal(&before, &after);
}

static bool hold_still(const struct hf_parts *parts)
{
	bool still = true;

	for (size_t i = 0; i < parts->n && still; i++)
		still = holds_still(&parts->items[i]);
	return still;
}

/* What one root has is where its directories led to, one by one; of several
 * roots that is not known. */
static bool is_steady(const struct hf_source *source, bool still)
{
	return still && source->n_roots == 1 && source->roots[0].stamps;
}

/* 1: *ret may leave out what moved while it was listed. */
static int list_once(const struct hf_source *source, const char *path,
		     int64_t now_ns, struct hf_source_list **ret)
{
	HF_CLEANUP(hf_parts_close) struct hf_parts parts = {0};
	HF_CLEANUP(hf_found_fini) struct hf_found found = {0};
	int error = hf_parts_open(source, path, O_RDONLY, &parts);
	bool still;

	if (error == 0)
		error = hf_gather(source, &parts, &found);
	if (error < 0)
		return error;
	still = hold_still(&parts);
	error = hf_list_new(&parts, &found, now_ns, is_steady(source, still),
			    ret);
	return error < 0 ? error : !still;
}

/* A name that is given to another file may be missed by who reads names just
 * then, as the file has another place in the directory (btrfs). */
#define TRIES 3

int hf_source_list_at(const struct hf_source *source, const char *path,
		      int64_t now_ns, struct hf_source_list **ret)
{
	struct hf_source_list *list = NULL;
	int error = 1;

	for (int i = 0; i < TRIES && error == 1; i++) {
		hf_source_list_unref(list);
		list = NULL;
		error = list_once(source, path, now_ns, &list);
	}
	if (error < 0)
		return error;
	*ret = list;
	return 0;
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
