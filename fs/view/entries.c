/*
 * entries: what a naming presents of each file, from its digest.
 */
#include "fs/view/listing.h"

#include <errno.h>
#include <string.h>

/* Room for an entry of every file, and for a plain one beside the hashed. */
static int make_room(struct hf_naming *naming)
{
	bool both = naming->view->config->show & HF_SHOW_PLAIN;
	size_t n = hf_source_list_len(naming->made->list) * (both ? 2 : 1) + 1;

	free(naming->made->entries);
	free(naming->name_at);
	hf_buf_reset(&naming->made->names);
	naming->made->n = 0;
	naming->made->entries = calloc(n, sizeof(*naming->made->entries));
	naming->name_at = calloc(n, sizeof(*naming->name_at));
	return naming->made->entries && naming->name_at ? 0 : -ENOMEM;
}

/* Appends an entry; a name that is not its source's own moves in with it. */
static int add_entry(struct hf_naming *naming, const struct hf_entry *entry)
{
	struct hf_listing *made = naming->made;

	if (entry->name != entry->source) {
		naming->name_at[made->n] = made->names.len + 1;
		hf_buf_add(&made->names, entry->name, strlen(entry->name) + 1);
	}
	made->entries[made->n++] = *entry;
	return hf_buf_status(&made->names);
}

/* The buffer no longer moves: offsets become pointers. It is kept for long, so
 * what doubling has left over goes. */
static void fix_names(struct hf_naming *naming)
{
	struct hf_listing *made = naming->made;

	hf_buf_trim(&made->names);

	for (size_t i = 0; i < made->n; i++)
		if (naming->name_at[i])
			made->entries[i].name =
				made->names.data + naming->name_at[i] - 1;
}

/* A file that vanished after it was listed has no entry. */
static bool vanished(const struct hf_naming *naming,
		     const struct hf_source_entry *source, int error)
{
	struct hf_source_entry now;

	return error == -ENOENT &&
	       hf_source_stat(naming->view->source, naming->path.data, source,
			      &now) == -ENOENT;
}

/* Entry i of the list becomes one entry, two (with its plain name), none. */
static int finish_entry(struct hf_naming *naming, size_t i,
			const struct hf_named *named, int named_error,
			struct hf_buf *path, struct hf_buf *name)
{
	struct hf_listing *made = naming->made;
	const struct hf_source_entry *source =
		hf_source_list_entry(made->list, i);
	bool reported = hf_source_entry_reported(source) && named_error == 0 &&
			named->reported;
	struct hf_entry entry;
	int error = hf_naming_path(naming, source->name, path);

	if (error < 0)
		return error;
	hf_buf_reset(name);
	error = hf_present(naming->view, path->data, source,
			   hf_catalog_rule(made->catalog, i), named,
			   named_error, name, &entry);
	entry.reported = reported;
	if (error == 0)
		error = add_entry(naming, &entry);
	if (error == 0 && entry.kind == HF_KIND_HASHED &&
	    naming->view->config->show & HF_SHOW_PLAIN) {
		hf_present_plain(naming->view->config, source, &entry);
		entry.reported = reported;
		error = add_entry(naming, &entry);
	}
	return error;
}

/* Most texts refer to nothing, which is known as a rule, and are shown as
 * they are. */
static bool is_verbatim(const struct hf_naming *naming, const char *path,
			const struct hf_fact *fact)
{
	struct hf_links links = {0};
	bool verbatim = hf_texts_links(naming->view->texts, path, &fact->digest,
				       &links) &&
			links.verbatim;

	hf_links_fini(&links);
	return verbatim;
}

/* Entry i was found to be what the list says. */
static void mark_seen(struct hf_naming *naming, size_t i)
{
	if (!naming->seen)
		naming->seen = calloc(hf_source_list_len(naming->made->list),
				      sizeof(*naming->seen));
	/* Without memory it is looked at once more. */
	if (naming->seen)
		naming->seen[i] = true;
}

/* What entry i, the asked-th that needs a digest, is named by. */
static int name_of(struct hf_naming *naming, size_t i, size_t asked,
		   struct hf_wait *wait, struct hf_buf *path,
		   struct hf_named *ret)
{
	struct hf_listing *made = naming->made;
	const struct hf_source_entry *source =
		hf_source_list_entry(made->list, i);
	struct hf_fact fact;
	int error = hf_batch_get(naming->batch, asked, wait, &fact);

	made->quiet &= hf_batch_settled(naming->batch, asked);
	if (hf_batch_seen(naming->batch, asked))
		mark_seen(naming, i);
	if (error == 0)
		error = hf_naming_path(naming, source->name, path);
	if (error < 0)
		return error;
	*ret = hf_named_of(&fact);
	if (hf_catalog_rule(made->catalog, i).kind != HF_KIND_HASHED ||
	    !hf_view_is_text(naming->view, path->data) ||
	    is_verbatim(naming, path->data, &fact))
		return 0;
	if (naming->alone)
		return -EAGAIN;
	error = hf_graph_know(naming->graph, path->data, source, &fact);
	if (error == 0)
		error = hf_graph_name(naming->graph, path->data, wait, ret);
	/* What it refers to may change while the directory does not. */
	made->settled &= error == 0 && !ret->depends;
	return error;
}

static int finish_entries(struct hf_naming *naming, struct hf_wait *wait)
{
	struct hf_listing *made = naming->made;
	struct hf_buf path = {0};
	struct hf_buf name = {0};
	size_t asked = 0;
	int error = 0;

	made->quiet = true;
	made->settled = true;
	for (size_t i = 0; i < hf_source_list_len(made->list) && error == 0;
	     i++) {
		const struct hf_source_entry *source =
			hf_source_list_entry(made->list, i);
		struct hf_named named = {.reported = true};
		int named_error = 0;

		if (!hf_naming_is_told(naming, i))
			continue;
		if (hf_naming_asks(naming, i))
			named_error = name_of(naming, i, asked++, wait, &path,
					      &named);
		if (hf_error_passing(named_error) ||
		    (naming->alone && named_error == -EAGAIN))
			error = named_error;
		else if (!vanished(naming, source, named_error))
			error = finish_entry(naming, i, &named, named_error,
					     &path, &name);
	}
	made->settled &= made->quiet;
	hf_buf_fini(&path);
	hf_buf_fini(&name);
	return error;
}

int hf_naming_enter(struct hf_naming *naming, struct hf_wait *wait)
{
	int error = make_room(naming);

	if (error == 0)
		error = finish_entries(naming, wait);
	if (error == 0)
		fix_names(naming);
	return error;
}
