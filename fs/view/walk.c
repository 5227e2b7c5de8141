/*
 * walk: every directory of the tree, named, parents first. All are listed
 * before the first file is read: so a file that still is as listed when it was
 * read was so at the moment between (again.c).
 */
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

/* Files whose digests may be on their way at once; of one directory no more
 * than so many count, so that others are named beside a large one. */
#define MAX_PENDING 32768
#define MAX_COUNTED 8192
/* Directories that may be listed at once. */
#define MAX_SENT 1024

void hf_walk_fini(struct hf_walk *walk)
{
	for (size_t i = 0; i < walk->n; i++) {
		hf_errand_end(walk->stops[i].errand);
		hf_naming_free(walk->stops[i].naming);
		hf_listing_unref(walk->stops[i].listing);
		free(walk->stops[i].seen);
		hf_node_unref(walk->stops[i].node);
	}
	hf_graph_free(walk->graph);
	free(walk->stops);
	if (walk->n)
		hf_pool_freed(walk->view->pool);
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

/* --- in the pool ----------------------------------------------------------- */

/* What the pool does for one directory: it is listed, or its digests are asked
 * for, and it is finished if there is nothing to wait for. */
struct work {
	struct hf_view *view;
	struct hf_graph *graph; /* borrowed; only handed on */
	struct hf_node *node;
	struct hf_naming *naming;
	struct hf_listing *listing;
	int error;
};

static void list(void *arg)
{
	struct work *work = arg;

	work->error = hf_naming_look(work->view, work->node, work->graph,
				     &work->naming);
}

static void ask(void *arg)
{
	struct work *work = arg;

	work->error = hf_naming_ask(work->naming);
	if (work->error == 0)
		work->error =
			hf_naming_finish_now(work->naming, &work->listing);
	if (work->error == -EAGAIN)
		work->error = 0;
}

static void work_free(void *arg)
{
	struct work *work = arg;

	hf_naming_free(work->naming);
	hf_listing_unref(work->listing);
	hf_node_unref(work->node);
	free(work);
}

static int send(struct hf_walk *walk, struct hf_stop *stop,
		void (*what)(void *arg))
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return -ENOMEM;
	work->view = walk->view;
	work->graph = walk->graph;
	work->node = hf_node_ref(stop->node);
	work->naming = stop->naming;
	stop->naming = NULL;
	return hf_errand_new(walk->view->pool, what, work_free, work,
			     walk->wait, &stop->errand);
}

/* Stops that are waited for together; fewer where only few are under way. */
#define TOGETHER 16

/* Waits for the errand of stop `at`, and if it is not done yet for some of
 * those before `end`, too: who waits for one after the other is woken for each. */
static int await(const struct hf_walk *walk, size_t at, size_t end)
{
	size_t more = (end - at) / 4;
	int error = 0;

	if (hf_errand_done(walk->stops[at].errand))
		return 0;
	for (size_t i = at + (more < TOGETHER ? more : TOGETHER);
	     i > at && error == 0; i--)
		if (walk->stops[i].errand)
			error = hf_errand_wait(walk->stops[i].errand);
	return error == 0 ? hf_errand_wait(walk->stops[at].errand) : error;
}

/* Waits for what stop `at` was sent for, and gives its error; `end`: no later
 * one was sent. */
static int receive(struct hf_walk *walk, size_t at, size_t end)
{
	struct hf_stop *stop = &walk->stops[at];
	struct work *work = hf_errand_arg(stop->errand);
	int error = await(walk, at, end);

	if (error < 0)
		return error;
	error = work->error;
	stop->naming = work->naming;
	stop->listing = work->listing;
	work->naming = NULL;
	work->listing = NULL;
	hf_errand_end(stop->errand);
	stop->errand = NULL;
	return error;
}

/* --- listing ---------------------------------------------------------------- */

/* What a directory has, and the next ones. */
static int enter_stop(struct hf_walk *walk, size_t at, size_t sent)
{
	struct hf_stop *stop = &walk->stops[at];
	int error = receive(walk, at, sent);

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

static int list_all(struct hf_walk *walk)
{
	size_t sent = 0;
	size_t entered = 0;
	int error = 0;

	while (entered < walk->n && error == 0) {
		if (hf_wait_interrupted(walk->wait))
			error = -EINTR;
		else if (sent < walk->n && sent - entered < MAX_SENT)
			error = send(walk, &walk->stops[sent++], list);
		else
			error = enter_stop(walk, entered++, sent);
	}
	return error;
}

/* --- naming ----------------------------------------------------------------- */

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

static int finish_stop(struct hf_walk *walk, size_t at, size_t asked)
{
	struct hf_stop *stop = &walk->stops[at];
	int error;

	if (stop->error < 0)
		return 0;
	error = receive(walk, at, asked);
	if (error == 0 && !stop->listing)
		error = hf_naming_finish(stop->naming, walk->wait,
					 &stop->listing);
	if (error < 0)
		return error;
	stop->seen = hf_naming_take_seen(stop->naming);
	hf_naming_free(stop->naming);
	stop->naming = NULL;
	count(walk, stop->listing);
	return 0;
}

/* Directories are asked for in turn, as far ahead as is good for the memory. */
struct course {
	size_t asked;
	size_t finished;
	size_t pending; /* files of those between */
};

static size_t counted(const struct hf_source_list *list)
{
	size_t n = hf_source_list_len(list);

	return n < MAX_COUNTED ? n : MAX_COUNTED;
}

static int ask_next(struct hf_walk *walk, struct course *course)
{
	struct hf_stop *stop = &walk->stops[course->asked++];

	if (stop->error < 0)
		return 0;
	course->pending += counted(hf_naming_list(stop->naming));
	return send(walk, stop, ask);
}

static int finish_next(struct hf_walk *walk, struct course *course)
{
	const struct hf_stop *stop = &walk->stops[course->finished];
	int error = finish_stop(walk, course->finished++, course->asked);

	if (error == 0 && stop->error == 0)
		course->pending -= counted(stop->listing->list);
	return error;
}

int hf_walk_list(struct hf_walk *walk)
{
	struct hf_node *root;
	int error = hf_graph_new(walk->view, &walk->graph);

	if (error == 0)
		error = hf_view_root(walk->view, &root);
	if (error == 0)
		error = add_stop(walk, root);
	return error == 0 ? list_all(walk) : error;
}

int hf_walk_name(struct hf_walk *walk)
{
	struct course course = {0};
	int error = 0;

	while (course.finished < walk->n && error == 0) {
		if (hf_wait_interrupted(walk->wait))
			error = -EINTR;
		else if (course.asked < walk->n && course.pending < MAX_PENDING)
			error = ask_next(walk, &course);
		else
			error = finish_next(walk, &course);
	}
	return error;
}
