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
			.was = branch->was,
			.dev = branch->dev,
			.ino = branch->ino,
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

/* Directories that are next to each other in a walk go to the pool together, as
 * many as are worth a job. */
#define TOGETHER 32
#define TOGETHER_FILES 512

/* What the pool does for them: what is remembered of them is brought into
 * memory, their digests are asked for, and those are finished for which there is
 * nothing to wait for. */
struct work {
	struct hf_view *view;
	struct hf_naming *namings[TOGETHER];
	struct hf_listing *listings[TOGETHER]; /* NULL: to be finished */
	size_t n;
	int error;
};

static int ask(struct hf_naming *naming, struct hf_listing **ret)
{
	int error = hf_naming_ask(naming);

	if (error == 0)
		error = hf_naming_finish_now(naming, ret);
	return error == -EAGAIN ? 0 : error;
}

static void work_run(void *arg)
{
	struct work *work = arg;
	int error = hf_namings_recall(work->view, work->namings, work->n);

	for (size_t i = 0; i < work->n && error == 0; i++) {
		error = ask(work->namings[i], &work->listings[i]);
		hf_pool_tick(work->view->pool);
	}
	work->error = error;
}

static void work_free(void *arg)
{
	struct work *work = arg;

	for (size_t i = 0; i < work->n; i++) {
		hf_naming_free(work->namings[i]);
		hf_listing_unref(work->listings[i]);
	}
	free(work);
}

/* Sends the stops [first, end) as far as they could be listed; the errand is the
 * first one's. */
static int send(struct hf_walk *walk, size_t first, size_t end)
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return -ENOMEM;
	work->view = walk->view;
	for (size_t i = first; i < end; i++) {
		if (!walk->stops[i].naming)
			continue;
		work->namings[work->n++] = walk->stops[i].naming;
		walk->stops[i].naming = NULL;
	}
	return hf_errand_new(walk->view->pool, work_run, work_free, work,
			     walk->wait, &walk->stops[first].errand);
}

/* Waits for what was sent from stop `first` on. */
static int receive(struct hf_walk *walk, size_t first)
{
	struct hf_errand *errand = walk->stops[first].errand;
	struct work *work = hf_errand_arg(errand);
	struct hf_stop *stop = &walk->stops[first];
	int error = hf_errand_wait(errand);

	if (error < 0)
		return error;
	for (size_t i = 0; i < work->n; i++, stop++) {
		while (stop->error < 0)
			stop++;
		stop->naming = work->namings[i];
		stop->listing = work->listings[i];
		work->namings[i] = NULL;
		work->listings[i] = NULL;
	}
	error = work->error;
	hf_errand_end(errand);
	walk->stops[first].errand = NULL;
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

/* Those that come next. */
static int ask_next(struct hf_walk *walk, struct course *course)
{
	size_t first = course->asked;
	size_t end = first;
	size_t files = 0;

	while (end < walk->n && end - first < TOGETHER &&
	       files < TOGETHER_FILES) {
		const struct hf_stop *stop = &walk->stops[end++];

		if (stop->naming)
			files += counted(hf_naming_list(stop->naming));
	}
	course->asked = end;
	course->pending += files;
	return send(walk, first, end);
}

/* The graph is told of those of the next directory. */
static int know_texts(struct hf_walk *walk, struct course *course,
		      size_t *files)
{
	size_t at = course->texts++;
	struct hf_stop *stop = &walk->stops[at];
	int error = stop->errand ? receive(walk, at) : 0;

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
	return error < 0 ? error
			 : hf_graph_name_leaves(graph, first, walk->wait);
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
