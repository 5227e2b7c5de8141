/*
 * walk: every directory of the tree, named, parents first.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

/* Files whose digests may be on their way at once. */
#define MAX_PENDING 32768
/* Directories that may be looked at at once. */
#define MAX_SENT 256

void hf_walk_fini(struct hf_walk *walk)
{
	for (size_t i = 0; i < walk->n; i++) {
		hf_errand_end(walk->stops[i].errand);
		hf_naming_free(walk->stops[i].naming);
		hf_listing_unref(walk->stops[i].listing);
		hf_node_unref(walk->stops[i].node);
	}
	hf_graph_free(walk->graph);
	free(walk->stops);
	walk->graph = NULL;
	walk->stops = NULL;
	walk->n = walk->cap = 0;
}

/* Steals `node`. */
static int add_stop(struct hf_walk *walk, struct hf_node *node)
{
	if (walk->n == walk->cap) {
		size_t cap = walk->cap ? 2 * walk->cap : 256;
		struct hf_stop *stops =
			realloc(walk->stops, cap * sizeof(*stops));

		if (!stops) {
			hf_node_unref(node);
			return -ENOMEM;
		}
		walk->stops = stops;
		walk->cap = cap;
	}
	walk->stops[walk->n++] = (struct hf_stop){.node = node};
	return 0;
}

bool hf_walk_error_of_dir(int error)
{
	return error == -EACCES || error == -EPERM || error == -EIO ||
	       error == -ELOOP || error == -ENAMETOOLONG || error == -EXDEV;
}

/* --- directories ---------------------------------------------------------- */

static int add_child(struct hf_walk *walk, size_t parent,
		     const struct hf_source_entry *source)
{
	struct hf_view *view = walk->view;
	struct hf_entry entry;
	struct hf_buf unused = {0};
	struct hf_node *node;
	int error = hf_present(view, "", source, (struct hf_rule){0}, NULL, 0,
			       &unused, &entry);

	if (error == 0)
		error = hf_node_new(view, walk->stops[parent].node, &entry,
				    &node);
	hf_buf_fini(&unused);
	return error < 0 ? error : add_stop(walk, node);
}

static int look_into(struct hf_walk *walk, size_t at,
		     const struct hf_source_list *list)
{
	int error = 0;

	walk->stops[at].first_child = walk->n;
	for (size_t i = 0; i < hf_source_list_len(list) && error == 0; i++) {
		const struct hf_source_entry *entry =
			hf_source_list_entry(list, i);

		if (entry->shadowed ||
		    (at == 0 && strcmp(entry->name, HF_RESERVED_NAME) == 0))
			continue;
		if (entry->type == HF_TYPE_DIR)
			error = add_child(walk, at, entry);
		else if (entry->type == HF_TYPE_FILE && walk->progress &&
			 hf_naming_is_told(walk->stops[at].naming, i)) {
			atomic_fetch_add(&walk->progress->files, 1);
			atomic_fetch_add(&walk->progress->bytes,
					 (uint64_t)entry->st.st_size);
		}
	}
	return error;
}

/* --- looking, in the pool --------------------------------------------------- */

/* A directory that is looked at: its digests are on their way then, or it is
 * finished if there is nothing to wait for. */
struct look {
	struct hf_view *view;
	struct hf_graph *graph; /* borrowed; only handed on */
	struct hf_node *node;
	struct hf_naming *naming;
	struct hf_listing *listing;
	int error;
};

static void look_run(void *arg)
{
	struct look *look = arg;
	int error;

	look->error = hf_naming_start(look->view, look->node, look->graph,
				      &look->naming);
	if (look->error < 0)
		return;
	error = hf_naming_finish_now(look->naming, &look->listing);
	if (error < 0 && error != -EAGAIN)
		look->error = error;
}

static void look_free(void *arg)
{
	struct look *look = arg;

	hf_naming_free(look->naming);
	hf_listing_unref(look->listing);
	hf_node_unref(look->node);
	free(look);
}

static int send_look(struct hf_walk *walk, struct hf_stop *stop)
{
	struct look *look = calloc(1, sizeof(*look));

	if (!look)
		return -ENOMEM;
	look->view = walk->view;
	look->graph = walk->graph;
	look->node = hf_node_ref(stop->node);
	return hf_errand_new(walk->view->pool, look_run, look_free, look,
			     walk->wait, &stop->errand);
}

/* --- names ----------------------------------------------------------------- */

static void count(struct hf_walk *walk, const struct hf_listing *listing)
{
	if (!walk->progress)
		return;
	for (size_t i = 0; i < hf_listing_len(listing); i++) {
		const struct hf_entry *entry = hf_listing_entry(listing, i);

		if (entry->kind == HF_KIND_DIR || entry->hidden)
			continue;
		atomic_fetch_add(&walk->progress->files_done, 1);
		atomic_fetch_add(&walk->progress->bytes_done, entry->size);
	}
}

/* What the look at a directory has found, and the next ones. */
static int start_stop(struct hf_walk *walk, size_t at)
{
	struct hf_stop *stop = &walk->stops[at];
	int error = hf_errand_wait(stop->errand);
	struct look *look = hf_errand_arg(stop->errand);

	if (error < 0)
		return error;
	error = look->error;
	stop->naming = look->naming;
	stop->listing = look->listing;
	look->naming = NULL;
	look->listing = NULL;
	hf_errand_end(stop->errand);
	stop->errand = NULL;
	/* Without the top there is nothing to be told, least of all an empty
	 * tree. */
	if (at > 0 && hf_walk_error_of_dir(error)) {
		stop->error = error;
		return 0;
	}
	if (error < 0)
		return error;
	return look_into(walk, at, hf_naming_list(stop->naming));
}

static int finish_stop(struct hf_walk *walk, struct hf_stop *stop)
{
	int error = 0;

	if (stop->error < 0)
		return 0;
	if (!stop->listing)
		error = hf_naming_finish(stop->naming, walk->wait,
					 &stop->listing);
	hf_naming_free(stop->naming);
	stop->naming = NULL;
	if (error == 0)
		count(walk, stop->listing);
	return error;
}

/* Files of a directory whose digests may still be on their way. */
static size_t files_of(const struct hf_stop *stop)
{
	return stop->naming && !stop->listing
		       ? hf_source_list_len(hf_naming_list(stop->naming))
		       : 0;
}

/*
 * How far the walk is: directories below `finished` are, those below
 * `started` were looked at, those below `sent` are being looked at.
 */
struct course {
	size_t sent;
	size_t started;
	size_t finished;
	size_t pending; /* files */
};

/* One step: whatever keeps the pool busy first. Small directories do not wait
 * for each other: they are looked at ahead, as far as is good for the
 * memory. */
static int step(struct hf_walk *walk, struct course *course)
{
	int error;

	if (course->sent < walk->n && course->pending < MAX_PENDING &&
	    course->sent - course->started < MAX_SENT)
		return send_look(walk, &walk->stops[course->sent++]);
	if (course->started < course->sent &&
	    (course->pending < MAX_PENDING ||
	     course->finished == course->started)) {
		error = start_stop(walk, course->started);
		course->pending += files_of(&walk->stops[course->started++]);
		return error;
	}
	course->pending -= files_of(&walk->stops[course->finished]);
	return finish_stop(walk, &walk->stops[course->finished++]);
}

int hf_walk_all(struct hf_walk *walk)
{
	struct course course = {0};
	struct hf_node *root;
	int error = hf_graph_new(walk->view, &walk->graph);

	if (error == 0)
		error = hf_view_root(walk->view, &root);
	if (error == 0)
		error = add_stop(walk, root);
	while (course.finished < walk->n && error == 0) {
		error = hf_wait_interrupted(walk->wait) ? -EINTR : 0;
		if (error == 0)
			error = step(walk, &course);
	}
	return error;
}
