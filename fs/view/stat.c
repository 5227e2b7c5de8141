/*
 * stat: the attributes of a node. Of a constant file they are part of what it
 * is; of all others they are asked of the source.
 */
#include "fs/view/walk.h"

#include <errno.h>

/* Can a file of this view have times of its own? */
static bool times_move(const struct hf_config *config)
{
	return config->mtime_source || config->keep.n > 0 ||
	       config->show != (HF_SHOW_HASHED | HF_SHOW_KEPT);
}

/* The time of one entry; INT64_MIN if it has none that counts. */
static int64_t entry_time(struct hf_view *view, const char *dir,
			  const struct hf_catalog *catalog, size_t i)
{
	struct hf_source_entry listed =
		hf_source_names_entry(hf_catalog_names(catalog), i);
	bool mutable = hf_rule_mutable(hf_catalog_rule(catalog, i)) ||
		       view->config->show & HF_SHOW_PLAIN;
	struct hf_source_entry now;
	struct hf_entry entry;

	if (listed.type != HF_TYPE_FILE ||
	    (!mutable && !view->config->mtime_source) ||
	    hf_source_stat(view->source, dir, &listed, &now) < 0 ||
	    now.type != HF_TYPE_FILE)
		return INT64_MIN;
	hf_attr_entry(view->config, !mutable, &now.st, &entry);
	return entry.mtime_ns;
}

/*
 * A directory is as new as the newest of its files; so a tree of nothing but
 * hashed files has constant times throughout.
 */
static int64_t newest(struct hf_view *view, struct hf_node *node,
		      const char *path, int64_t none)
{
	struct hf_catalog *catalog;
	int64_t latest = INT64_MIN;
	struct hf_source_list *list;

	/* Who may not list it sees none of its times either. */
	if (hf_view_dir_catalog(view, hf_node_dir(node), path, &list,
				&catalog) < 0)
		return none;
	hf_source_list_unref(list);
	for (size_t i = 0; i < hf_source_names_len(hf_catalog_names(catalog));
	     i++) {
		int64_t time = entry_time(view, path, catalog, i);

		latest = time > latest ? time : latest;
	}
	hf_catalog_unref(catalog);
	return latest == INT64_MIN ? none : latest;
}

static int stat_dir(struct hf_view *view, struct hf_node *node,
		    struct stat *ret)
{
	struct hf_entry entry = {0};
	struct hf_buf path = {0};
	struct stat st;
	int error;

	hf_node_path(node, &path);
	error = hf_buf_status(&path);
	if (error == 0)
		error = hf_source_stat_dir(view->source, path.data, &st);
	if (error == 0) {
		hf_attr_entry(view->config, !view->config->mtime_source, &st,
			      &entry);
		if (times_move(view->config))
			entry.mtime_ns =
				newest(view, node, path.data, entry.mtime_ns);
		hf_attr_fill(&entry, node->ino, ret);
	}
	hf_buf_fini(&path);
	return error;
}

/* A file under its plain name, as it is now. */
static int stat_plain(struct hf_view *view, struct hf_node *node,
		      struct stat *ret)
{
	struct hf_source_entry was = {.name = hf_node_name(node),
				      .root = node->root};
	struct hf_source_entry now;
	struct hf_entry entry;
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
	if (now.type == HF_TYPE_FILE) {
		hf_attr_entry(view->config, false, &now.st, &entry);
		hf_attr_fill(&entry, node->ino, ret);
	} else {
		hf_node_attr(view, node, ret);
	}
	return 0;
}

int hf_view_stat(struct hf_view *view, struct hf_node *node, struct stat *ret)
{
	if (view->frozen) {
		hf_frozen_stat(view, node, ret);
		return 0;
	}
	if (node->kind == HF_KIND_DIR)
		return stat_dir(view, node, ret);
	if (!hf_node_constant(node))
		return stat_plain(view, node, ret);
	hf_node_attr(view, node, ret);
	return 0;
}

void hf_grounds_take_attr(struct hf_view *view, struct hf_node *node,
			  struct hf_grounds *ret)
{
	ret->reported = false;
	if (view->frozen || node->kind != HF_KIND_DIR ||
	    times_move(view->config))
		return;
	hf_grounds_take(view, node, ret);
}

int hf_view_statvfs(struct hf_view *view, struct statvfs *ret)
{
	if (view->frozen) {
		*ret = hf_frozen_statvfs(view->frozen);
		return 0;
	}
	return hf_source_statvfs(view->source, ret);
}
