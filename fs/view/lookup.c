/*
 * lookup: from a presented name back to its file. The shape says which files
 * the name can belong to; the digest of each then says whether it does. Equal
 * names are settled as in a listing: directories, hashed files in the order
 * of their sources, others.
 */
#include "fs/view/ahead.h"
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

/* One question; a name is looked up in one directory. */
struct search {
	struct hf_view *view;
	struct hf_node *dir;
	struct hf_wait *wait;
	struct hf_catalog *catalog;
	struct hf_buf dir_path;
	struct hf_buf path;            /* of the entry at hand */
	struct hf_buf name;            /* presented, of the entry at hand */
	struct hf_source_entry source; /* the entry at hand */
	bool reported; /* with the directory, all that was looked at */
	int unknown;   /* why a file that may have the name has none */
};

static void search_fini(struct search *search)
{
	hf_catalog_unref(search->catalog);
	hf_buf_fini(&search->dir_path);
	hf_buf_fini(&search->path);
	hf_buf_fini(&search->name);
}

static int search_init(struct search *search, struct hf_view *view,
		       struct hf_node *dir, struct hf_wait *wait)
{
	struct hf_source_list *list;
	int error;

	search->view = view;
	search->dir = dir;
	search->wait = wait;
	search->reported = true;
	hf_node_path(dir, &search->dir_path);
	if (hf_buf_status(&search->dir_path) < 0)
		return -ENOMEM;
	error = hf_view_dir_catalog(view, hf_node_dir(dir),
				    search->dir_path.data, &list,
				    &search->catalog);
	if (error == 0)
		hf_source_list_unref(list);
	return error;
}

static int name_text(struct search *search,
		     const struct hf_source_entry *source,
		     const struct hf_fact *fact, struct hf_named *ret)
{
	struct hf_graph *graph;
	int error = hf_graph_new(search->view, &graph);

	if (error < 0)
		return error;
	graph->watching = true;
	error = hf_graph_know(graph, search->path.data, source, fact, NULL);
	if (error == 0)
		error = hf_graph_name(graph, search->path.data, search->wait,
				      ret);
	hf_graph_free(graph);
	return error;
}

/* What the file at hand, whose path is search->path, is named by. */
static int name_of(struct search *search, const struct hf_source_entry *source,
		   struct hf_rule rule, struct hf_named *ret)
{
	struct hf_view *view = search->view;
	struct hf_sig sig = hf_sig_of(&source->st);
	struct hf_fact fact;
	int error =
		hf_digests_get(view->digests, source->root, search->path.data,
			       &sig, search->wait, &fact);

	if (error < 0)
		return error;
	*ret = hf_named_of(&fact);
	return rule.kind == HF_KIND_HASHED &&
			       hf_view_is_text(view, search->path.data)
		       ? name_text(search, source, &fact, ret)
		       : 0;
}

/* The presented entry of source entry `i` as it is now. -ENOENT: gone. */
static int present(struct search *search, size_t i, struct hf_entry *ret)
{
	struct hf_source_entry listed =
		hf_source_names_entry(hf_catalog_names(search->catalog), i);
	struct hf_rule rule = hf_catalog_rule(search->catalog, i);
	struct hf_source_entry *source = &search->source;
	struct hf_named named = {.reported = true};
	int named_error = 0;
	int error = hf_source_stat(search->view->source, search->dir_path.data,
				   &listed, source);

	if (error < 0)
		return error;
	hf_buf_reset(&search->path);
	hf_buf_reset(&search->name);
	hf_view_join(&search->path, search->dir_path.data, source->name);
	if (hf_buf_status(&search->path) < 0)
		return -ENOMEM;
	if (source->type == HF_TYPE_FILE && !source->shadowed &&
	    hf_rule_needs_digest(rule))
		named_error = name_of(search, source, rule, &named);
	if (hf_error_passing(named_error))
		return named_error;
	search->reported &= hf_source_entry_reported(source) &&
			    named_error == 0 && named.reported;
	/* Gone meanwhile; or there, and yet it cannot be opened. */
	if (named_error == -ENOENT) {
		error = hf_source_stat(search->view->source,
				       search->dir_path.data, &listed, source);
		if (error < 0)
			return error;
	}
	return hf_present(search->view, search->path.data, source, rule, &named,
			  named_error, &search->name, ret);
}

/* A file that cannot be read stands plain, for want of a name. Nobody knows
 * whether it would have the one that is looked for. */
static void note_unknown(struct search *search, const struct hf_entry *entry)
{
	if (entry->kind == HF_KIND_PLAIN && entry->error)
		search->unknown = entry->error == ENOENT ? -EIO : -entry->error;
}

/* 1: the file whose hashed name is `name`, *ret and its index; 0: none. */
static int find_hashed(struct search *search, const char *name,
		       struct hf_entry *ret, size_t *ret_i)
{
	size_t *matches = NULL;
	size_t n = 0;
	int error = hf_catalog_match(search->view, search->catalog, name,
				     &matches, &n);

	for (size_t i = 0; i < n && error == 0; i++) {
		error = present(search, matches[i], ret);
		if (error == 0)
			note_unknown(search, ret);
		if (error == 0 && ret->kind == HF_KIND_HASHED && !ret->hidden &&
		    strcmp(ret->name, name) == 0) {
			*ret_i = matches[i];
			error = 1;
		}
		if (error == -ENOENT)
			error = 0;
	}
	free(matches);
	return error;
}

/* `i` may be SIZE_MAX. */
static bool is_dir(const struct hf_source_names *names, size_t i)
{
	return i != SIZE_MAX &&
	       hf_source_names_entry(names, i).type == HF_TYPE_DIR;
}

/* Does the hashed name in `entry` lead to another source than `i`? */
static int is_taken(struct search *search, const struct hf_entry *entry,
		    size_t i)
{
	const struct hf_source_names *names = hf_catalog_names(search->catalog);
	size_t dir = hf_source_names_find(names, entry->name);
	struct hf_entry winner;
	size_t winner_i = i;
	char *name;
	int found;

	if (is_dir(names, dir))
		return 1;
	name = strdup(entry->name); /* the search reuses its buffer */
	if (!name)
		return -ENOMEM;
	found = find_hashed(search, name, &winner, &winner_i);
	free(name);
	if (found < 0)
		return found;
	return found == 1 && winner_i != i && !hf_entries_share(&winner, entry);
}

/*
 * A source's own name: a directory, a file that carries it by choice or
 * because it cannot carry a hash, or, where plain names are shown, any. 1 or
 * 0 as find_hashed.
 */
static int find_own(struct search *search, size_t i, struct hf_entry *ret)
{
	const struct hf_config *config = search->view->config;
	int error = present(search, i, ret);
	struct hf_source_entry source = search->source;

	if (error < 0)
		return error == -ENOENT ? 0 : error;
	if (ret->hidden)
		return 0;
	if (ret->kind != HF_KIND_HASHED)
		return 1;
	if (!(config->show & HF_SHOW_PLAIN)) {
		int taken = is_taken(search, ret, i);

		if (taken != 1)
			return taken;
		ret->problem = HF_PROBLEM_TAKEN;
	}
	hf_present_plain(config, &source, ret);
	return 1;
}

static int find(struct search *search, const char *name, struct hf_entry *ret)
{
	const struct hf_source_names *names = hf_catalog_names(search->catalog);
	size_t own = hf_source_names_find(names, name);
	size_t hashed;
	int found = 0;

	if (is_dir(names, own))
		return find_own(search, own, ret);
	found = find_hashed(search, name, ret, &hashed);
	if (found == 0 && own != SIZE_MAX)
		found = find_own(search, own, ret);
	return found;
}

int hf_view_lookup(struct hf_view *view, struct hf_node *dir, const char *name,
		   struct hf_wait *wait, struct hf_node **ret)
{
	HF_CLEANUP(search_fini) struct search search = {0};
	struct hf_entry entry;
	int found;

	if (view->frozen)
		return hf_frozen_lookup(view, dir, name, ret);
	if (!hf_node_dir(dir))
		return -ENOTDIR;
	found = search_init(&search, view, dir, wait);
	if (found == 0)
		found = find(&search, name, &entry);
	if (found < 0)
		return found;
	entry.reported = search.reported;
	if (!found)
		return search.unknown ? search.unknown : -ENOENT;
	found = hf_node_new(view, dir, &entry, ret);
	if (found == 0)
		hf_ahead_instead(view->ahead, ret);
	return found;
}
