/*
 * walk: every directory of the tree, named, parents first. All are listed
 * before the first file is read: so a file that still is as listed when it was
 * read was so at the moment between (again.c).
 */
#include "fs/view/walk.h"

#include <errno.h>

/* Files whose digests may be on their way at once; of one directory no more
 * than so many count, so that others are named beside a large one. */
#define MAX_PENDING 32768
#define MAX_COUNTED 8192

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
	walk->n = 0;
}

bool hf_walk_error_of_dir(int error)
{
	return error == -EACCES || error == -EPERM || error == -EIO ||
	       error == -ELOOP || error == -ENAMETOOLONG || error == -EXDEV;
}

/* --- directories ---------------------------------------------------------- */

/* From the top down, each directory's own together; the order is that of the
 * names, whichever was listed first. `found` has room for all. */
static void line_up(struct hf_branch *top, struct hf_walk *walk,
		    struct hf_branch **found)
{
	size_t n = 0;

	found[n++] = top;
	for (size_t i = 0; i < n; i++) {
		struct hf_branch *branch = found[i];

		walk->stops[i] = (struct hf_stop){
			.node = branch->node,
			.naming = branch->naming,
			.error = branch->error,
			.first_child = n,
		};
		branch->node = NULL;
		branch->naming = NULL;
		for (size_t k = 0; k < branch->n; k++)
			found[n++] = branch->in[k];
	}
	walk->n = n;
}

int hf_walk_list(struct hf_walk *walk)
{
	HF_CLEANUP(hf_freep) struct hf_branch **found = NULL;
	struct hf_branch *top = NULL;
	size_t n = 0;
	int error = hf_graph_new(walk->view, &walk->graph);

	if (error == 0)
		error = hf_branches_list(walk, &top, &n);
	if (error < 0)
		return error;
	found = malloc(n * sizeof(*found));
	walk->stops = malloc(n * sizeof(*walk->stops));
	if (found && walk->stops)
		line_up(top, walk, found);
	else
		error = -ENOMEM;
	hf_branch_free(top);
	return error;
}

/* --- in the pool ----------------------------------------------------------- */

/* What the pool does for one directory: its digests are asked for, and it is
 * finished if there is nothing to wait for. */
struct work {
	struct hf_naming *naming;
	struct hf_listing *listing;
	int error;
};

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
	free(work);
}

static int send(struct hf_walk *walk, struct hf_stop *stop)
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return -ENOMEM;
	work->naming = stop->naming;
	stop->naming = NULL;
	return hf_errand_new(walk->view->pool, ask, work_free, work, walk->wait,
			     &stop->errand);
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

static int finish_stop(struct hf_walk *walk, struct hf_stop *stop)
{
	int error = 0;

	if (stop->error < 0)
		return 0;
	if (!stop->listing)
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
	size_t texts; /* the texts of those before are named, if possible */
	size_t finished;
	size_t pending; /* files of those that are not finished */
};

static size_t counted(const struct hf_source_list *list)
{
	size_t n = hf_source_list_len(list);

	return n < MAX_COUNTED ? n : MAX_COUNTED;
}

/* Of directories with so many files the texts are named together. */
#define TEXTS_FILES 4096

/* So many directories are recalled at a time, those that come next, once those
 * before have been sent: so the pool is busy meanwhile. */
#define RECALLED 32

static int recall_next(const struct hf_walk *walk, size_t at)
{
	size_t end = at + RECALLED;

	if (at % RECALLED)
		return 0;
	return hf_walk_recall(walk, at, end < walk->n ? end : walk->n);
}

static int ask_next(struct hf_walk *walk, struct course *course)
{
	struct hf_stop *stop = &walk->stops[course->asked++];
	int error = 0;

	if (stop->error == 0) {
		course->pending += counted(hf_naming_list(stop->naming));
		error = send(walk, stop);
	}
	return error < 0 ? error : recall_next(walk, course->asked);
}

/* The graph is told of those of the next directory. */
static int know_texts(struct hf_walk *walk, struct course *course,
		      size_t *files)
{
	size_t at = course->texts++;
	struct hf_stop *stop = &walk->stops[at];
	int error = stop->error < 0 ? 0 : receive(walk, at, course->asked);

	if (error < 0 || stop->error < 0 || stop->listing)
		return error;
	*files += counted(hf_naming_list(stop->naming));
	return hf_naming_know_texts(stop->naming, walk->wait);
}

/* The texts of the next directories, together. */
static int name_texts(struct hf_walk *walk, struct course *course)
{
	struct hf_graph *graph = walk->graph;
	size_t first = graph->n;
	size_t files = 0;
	int error = 0;

	while (course->texts < course->asked && files < TEXTS_FILES &&
	       error == 0)
		error = know_texts(walk, course, &files);
	if (error == 0)
		error = hf_graph_explore_all(graph, walk->wait);
	return error < 0 ? error : hf_walk_name_leaves(walk, first);
}

static int finish_next(struct hf_walk *walk, struct course *course)
{
	struct hf_stop *stop = &walk->stops[course->finished++];
	int error = finish_stop(walk, stop);

	if (error == 0 && stop->error == 0)
		course->pending -= counted(stop->listing->list);
	return error;
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
		else if (course.finished == course.texts)
			error = name_texts(walk, &course);
		else
			error = finish_next(walk, &course);
	}
	return error;
}
