/*
 * attr: what stat(2) says. Constant files have constant times, so that a
 * fresh checkout of the same bytes is no reason to upload anything; mutable
 * ones show the later of mtime and ctime, so that a replaced file is never
 * taken for old.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

#define NS INT64_C(1000000000)
#define BLOCK_LEN 131072

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * NS + time->tv_nsec;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Nobody may read here who may not read the source. */
static mode_t mode_of(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return S_IFDIR | (st->st_mode & 0555) | S_IWUSR;
	return S_IFREG | (st->st_mode & 0444) | S_IWUSR;
}

void hf_attr_entry(const struct hf_config *config, bool constant,
		   const struct stat *st, struct hf_entry *ret)
{
	ret->mode = mode_of(st);
	ret->uid = config->uid >= 0 ? (uid_t)config->uid : st->st_uid;
	ret->gid = config->gid >= 0 ? (gid_t)config->gid : st->st_gid;
	ret->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	if (!constant)
		ret->mtime_ns = later(ns_of(&st->st_mtim), ns_of(&st->st_ctim));
	else
		ret->mtime_ns = config->mtime_source ? ns_of(&st->st_mtim)
						     : config->mtime_ns;
}

static struct timespec timespec_of(int64_t ns)
{
	/* Times before 1970 have a positive nanosecond part, too. */
	int64_t nsec = (ns % NS + NS) % NS;

	return (struct timespec){.tv_sec = (time_t)((ns - nsec) / NS),
				 .tv_nsec = (long)nsec};
}

static void fill(const struct hf_entry *entry, uint64_t ino, struct stat *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->st_ino = ino;
	ret->st_mode = entry->mode;
	ret->st_nlink = 1;
	ret->st_uid = entry->uid;
	ret->st_gid = entry->gid;
	ret->st_size = (off_t)entry->size;
	ret->st_blksize = BLOCK_LEN;
	ret->st_blocks = (blkcnt_t)((entry->size + 511) / 512);
	ret->st_mtim = timespec_of(entry->mtime_ns);
	ret->st_atim = ret->st_mtim;
	ret->st_ctim = ret->st_mtim;
}

/*
 * A directory is as new as the newest of its files; so a tree of nothing but
 * hashed files has constant times throughout.
 */
static int64_t dir_time(struct hf_view *view, const char *path,
			const struct hf_catalog *catalog)
{
	struct hf_source_list *list = hf_catalog_list(catalog);
	bool by_source = view->config->mtime_source;
	int64_t newest = by_source ? INT64_MIN : view->config->mtime_ns;

	for (size_t i = 0; i < hf_source_list_len(list); i++) {
		bool mutable = hf_rule_mutable(hf_catalog_rule(catalog, i)) ||
			       view->config->show & HF_SHOW_PLAIN;
		struct hf_source_entry now;
		struct hf_entry entry;

		if ((!mutable && !by_source) ||
		    hf_source_stat(view->source, path,
				   hf_source_list_entry(list, i), &now) < 0 ||
		    now.type != HF_TYPE_FILE)
			continue;
		hf_attr_entry(view->config, !mutable, &now.st, &entry);
		newest = later(newest, entry.mtime_ns);
	}
	return newest == INT64_MIN ? ns_of(&hf_source_list_stat(list)->st_mtim)
				   : newest;
}

static int stat_dir(struct hf_view *view, struct hf_node *node,
		    struct stat *ret)
{
	struct hf_catalog *catalog;
	struct hf_entry entry = {0};
	struct hf_buf path = {0};
	int error = hf_view_dir_catalog(view, node, &catalog);

	if (error < 0)
		return error;
	hf_attr_entry(view->config, false,
		      hf_source_list_stat(hf_catalog_list(catalog)), &entry);
	hf_node_path(node, &path);
	error = hf_buf_status(&path);
	if (error == 0) {
		entry.mtime_ns = dir_time(view, path.data, catalog);
		fill(&entry, node->ino, ret);
	}
	hf_buf_fini(&path);
	hf_catalog_unref(catalog);
	return error;
}

/* A file under its plain name, as it is now. */
static int stat_plain(struct hf_view *view, struct hf_node *node,
		      struct stat *ret)
{
	struct hf_source_entry was = {.name = node->name,
				      .root = node->entry.root};
	struct hf_source_entry now;
	struct hf_entry entry = node->entry;
	struct hf_buf dir = {0};
	int error;

	hf_node_path(node->parent, &dir);
	error = hf_buf_status(&dir);
	if (error == 0)
		error = hf_source_stat(view->source, dir.data, &was, &now);
	hf_buf_fini(&dir);
	if (error < 0)
		return error;
	/* Another kind of thing now: the name leads to another node. */
	if (now.type == HF_TYPE_DIR)
		return -ESTALE;
	if (now.type == HF_TYPE_FILE)
		hf_attr_entry(view->config, false, &now.st, &entry);
	fill(&entry, node->ino, ret);
	return 0;
}

int hf_view_stat(struct hf_view *view, struct hf_node *node, struct stat *ret)
{
	if (node->entry.kind == HF_KIND_DIR)
		return stat_dir(view, node, ret);
	if (!hf_node_constant(node))
		return stat_plain(view, node, ret);
	fill(&node->entry, node->ino, ret);
	return 0;
}

int hf_view_statvfs(struct hf_view *view, struct statvfs *ret)
{
	return hf_source_statvfs(view->source, ret);
}
