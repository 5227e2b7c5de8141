/*
 * entries: what a naming presents of each file, from its digest.
 */
#include "fs/view/listing.h"

#include <errno.h>
#include <string.h>

/* One piece at hand. */
struct entering {
	struct hf_naming *naming;
	struct hf_piece *piece;
	struct hf_wait *wait;
	bool alone;   /* nothing is waited for, and the graph left in peace */
	size_t asked; /* digests that were taken */
	struct hf_buf path;
	struct hf_buf name;
};

/* Entries that a file may have: a plain one beside the hashed. */
static size_t entries_of_file(const struct hf_naming *naming)
{
	return naming->view->config->show & HF_SHOW_PLAIN ? 2 : 1;
}

/* Room for the entries of all files, in which each piece has its share. */
static int make_room(struct hf_naming *naming)
{
	struct hf_listing *made = naming->made;
	size_t n = hf_source_list_len(made->list) * entries_of_file(naming);

	if (!made->entries)
		made->entries = malloc((n + 1) * sizeof(*made->entries));
	return made->entries ? 0 : -ENOMEM;
}

static void start(const struct entering *entering)
{
	struct hf_piece *piece = entering->piece;

	hf_buf_reset(&piece->names);
	piece->n = 0;
	piece->quiet = piece->settled = true;
	piece->entries = entering->naming->made->entries +
			 piece->first * entries_of_file(entering->naming);
}

/* Appends an entry; of a name that is not its source's own, the place in the
 * piece's names takes the place until these have stopped growing. */
static int add_entry(struct hf_piece *piece, const struct hf_entry *entry)
{
	struct hf_entry *added = &piece->entries[piece->n++];

	*added = *entry;
	if (entry->name == entry->source)
		return 0;
	added->name = (const char *)(uintptr_t)piece->names.len;
	hf_buf_add(&piece->names, entry->name, strlen(entry->name) + 1);
	return hf_buf_status(&piece->names);
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
static int finish_entry(struct entering *entering, size_t i,
			const struct hf_named *named, int named_error)
{
	const struct hf_naming *naming = entering->naming;
	struct hf_listing *made = naming->made;
	const struct hf_source_entry *source =
		hf_source_list_entry(made->list, i);
	bool reported = hf_source_entry_reported(source) && named_error == 0 &&
			named->reported;
	struct hf_entry entry;
	int error;

	hf_buf_reset(&entering->name);
	error = hf_present(naming->view, entering->path.data, source,
			   hf_catalog_rule(made->catalog, i), named,
			   named_error, &entering->name, &entry);
	entry.reported = reported;
	if (error == 0)
		error = add_entry(entering->piece, &entry);
	if (error == 0 && entry.kind == HF_KIND_HASHED &&
	    naming->view->config->show & HF_SHOW_PLAIN) {
		hf_present_plain(naming->view->config, source, &entry);
		entry.reported = reported;
		error = add_entry(entering->piece, &entry);
	}
	return error;
}

/* Is the file at hand, entry i, shown with other bytes than its own? */
static bool is_written(const struct entering *entering, size_t i,
		       const struct hf_fact *fact)
{
	const struct hf_view *view = entering->naming->view;
	const struct hf_catalog *catalog = entering->naming->made->catalog;
	const char *path = entering->path.data;

	return hf_catalog_rule(catalog, i).kind == HF_KIND_HASHED &&
	       hf_view_is_text(view, path) &&
	       !hf_texts_verbatim(view->texts, path, &fact->digest);
}

/* What entry i, which needs a digest, is named by. */
static int name_of(struct entering *entering, size_t i, struct hf_named *ret)
{
	struct hf_naming *naming = entering->naming;
	struct hf_piece *piece = entering->piece;
	const struct hf_listing *made = naming->made;
	const struct hf_source_entry *source =
		hf_source_list_entry(made->list, i);
	const char *path = entering->path.data;
	size_t asked = entering->asked++;
	struct hf_fact fact;
	int error = hf_batch_get(piece->batch, asked, entering->wait, &fact);

	piece->quiet &= hf_batch_settled(piece->batch, asked);
	/* Without memory it is looked at once more. */
	if (naming->seen)
		naming->seen[i] = hf_batch_seen(piece->batch, asked);
	if (error < 0)
		return error;
	*ret = hf_named_of(&fact);
	if (!is_written(entering, i, &fact))
		return 0;
	if (entering->alone)
		return -EAGAIN;
	error = hf_graph_know(naming->graph, path, source, &fact,
			      hf_batch_take_bytes(piece->batch, asked));
	if (error == 0)
		error = hf_graph_name(naming->graph, path, entering->wait, ret);
	/* What it refers to may change while the directory does not. */
	piece->settled &= error == 0 && !ret->depends;
	return error;
}

static int enter_one(struct entering *entering, size_t i)
{
	struct hf_naming *naming = entering->naming;
	const struct hf_source_entry *source =
		hf_source_list_entry(naming->made->list, i);
	struct hf_named named = {.reported = true};
	int error = 0;

	if (!hf_naming_is_told(naming, i))
		return 0;
	error = hf_naming_path(naming, source->name, &entering->path);
	if (error < 0)
		return error;
	if (hf_naming_asks(naming, i))
		error = name_of(entering, i, &named);
	if (hf_error_passing(error) || (entering->alone && error == -EAGAIN))
		return error;
	return vanished(naming, source, error)
		       ? 0
		       : finish_entry(entering, i, &named, error);
}

static int enter(struct hf_naming *naming, struct hf_piece *piece, bool alone,
		 struct hf_wait *wait)
{
	struct entering entering = {
		.naming = naming, .piece = piece, .wait = wait, .alone = alone};
	int error = 0;

	start(&entering);
	for (size_t i = piece->first; i < piece->end && error == 0; i++)
		error = enter_one(&entering, i);
	piece->settled &= piece->quiet;
	piece->done = error == 0;
	hf_buf_fini(&entering.path);
	hf_buf_fini(&entering.name);
	return error;
}

/* --- all pieces -------------------------------------------------------------- */

static bool is_ready(const struct hf_piece *piece)
{
	return !piece->done && hf_batch_ready(piece->batch);
}

/* In several threads. */
static void enter_ready(void *arg, size_t i)
{
	struct hf_naming *naming = arg;
	struct hf_piece *piece = &naming->pieces[i];

	piece->error = is_ready(piece) ? enter(naming, piece, true, NULL) : 0;
}

/* As far as that is possible without waiting and without the graph. */
static int enter_all_ready(struct hf_naming *naming)
{
	int error = 0;

	hf_pool_share(naming->view->pool, naming->n_pieces, enter_ready,
		      naming);
	for (size_t i = 0; i < naming->n_pieces && error == 0; i++)
		if (naming->pieces[i].error != -EAGAIN)
			error = naming->pieces[i].error;
	return error;
}

/* Moves a piece's entries up to those of the others, if there is a gap. The
 * names of all do not move any more. */
static void move(struct hf_listing *made, const struct hf_piece *piece)
{
	struct hf_entry *entries = made->entries + made->n;

	if (entries != piece->entries)
		memmove(entries, piece->entries, piece->n * sizeof(*entries));
	for (size_t i = 0; i < piece->n; i++)
		if (entries[i].name != entries[i].source)
			entries[i].name = made->names.data + piece->names_at +
					  (uintptr_t)entries[i].name;
	made->n += piece->n;
	made->quiet &= piece->quiet;
	made->settled &= piece->settled;
}

/* They are kept for long, so what doubling has left over goes. */
static int join_names(const struct hf_naming *naming, struct hf_buf *names)
{
	*names = naming->pieces[0].names;
	naming->pieces[0].names = (struct hf_buf){0};
	for (size_t i = 1; i < naming->n_pieces; i++) {
		struct hf_piece *piece = &naming->pieces[i];

		piece->names_at = names->len;
		hf_buf_add(names, piece->names.data, piece->names.len);
	}
	hf_buf_trim(names);
	return hf_buf_status(names);
}

/* The same of entries. */
static void trim_entries(struct hf_listing *made)
{
	struct hf_entry *entries =
		realloc(made->entries, (made->n + 1) * sizeof(*made->entries));

	if (entries)
		made->entries = entries;
}

/* The pieces make up the listing. */
static int join(struct hf_naming *naming)
{
	struct hf_listing *made = naming->made;

	made->quiet = made->settled = true;
	if (join_names(naming, &made->names) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < naming->n_pieces; i++)
		move(made, &naming->pieces[i]);
	trim_entries(made);
	return 0;
}

int hf_naming_enter_now(struct hf_naming *naming)
{
	int error = make_room(naming);

	if (error == 0)
		error = enter_all_ready(naming);
	for (size_t i = 0; i < naming->n_pieces && error == 0; i++)
		if (!naming->pieces[i].done)
			error = -EAGAIN;
	return error == 0 ? join(naming) : error;
}

int hf_naming_enter(struct hf_naming *naming, struct hf_wait *wait)
{
	int error = make_room(naming);

	if (error == 0 && naming->n_pieces > 1)
		error = enter_all_ready(naming);
	for (size_t i = 0; i < naming->n_pieces && error == 0; i++)
		if (!naming->pieces[i].done)
			error = enter(naming, &naming->pieces[i], false, wait);
	return error == 0 ? join(naming) : error;
}

/* --- texts ------------------------------------------------------------------- */

/* Entry i, which needs a digest. */
static int know_text(struct entering *entering, size_t i)
{
	const struct hf_naming *naming = entering->naming;
	const struct hf_source_entry *source =
		hf_source_list_entry(naming->made->list, i);
	struct hf_batch *batch = entering->piece->batch;
	size_t asked = entering->asked++;
	struct hf_fact fact;
	int error = hf_naming_path(naming, source->name, &entering->path);

	if (error < 0 || !hf_view_is_text(naming->view, entering->path.data))
		return error;
	error = hf_batch_get(batch, asked, entering->wait, &fact);
	if (error == 0 && is_written(entering, i, &fact))
		return hf_graph_know(naming->graph, entering->path.data, source,
				     &fact, hf_batch_take_bytes(batch, asked));
	/* Else it is told when it is named. */
	return hf_error_passing(error) ? error : 0;
}

int hf_naming_know_texts(struct hf_naming *naming, struct hf_wait *wait)
{
	int error = 0;

	for (size_t p = 0; p < naming->n_pieces && error == 0; p++) {
		struct hf_piece *piece = &naming->pieces[p];
		struct entering entering = {
			.naming = naming, .piece = piece, .wait = wait};

		for (size_t i = piece->first; i < piece->end && error == 0; i++)
			if (hf_naming_asks(naming, i))
				error = know_text(&entering, i);
		hf_buf_fini(&entering.path);
	}
	return error;
}
