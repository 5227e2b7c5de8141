/*
 * branches: all directories of a tree, listed in the pool. A few strands of
 * jobs are under way, each of which lists one directory after the other as they
 * are found: nobody has to be woken for what comes next, and who asks for
 * something else meanwhile has its turn between two of them.
 */
#include "fs/view/walk.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct branches {
	struct hf_view *view;
	struct hf_graph *graph;       /* borrowed; only handed on */
	struct hf_progress *progress; /* NULL, or the asker's as long as there
					 is one */
	int64_t since_ns;             /* the walk's */
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct hf_wait *asker;   /* NULL: left */
	struct hf_branch *first; /* that no strand has taken yet */
	struct hf_branch **last;
	unsigned strands; /* jobs, in the pool or about to be */
	size_t n;         /* directories that were found */
	int error;        /* of the whole */
	struct hf_branch *top;
};

/* No recursion: a tree may be deep. What is in a directory comes to stand
 * behind it. */
void hf_branch_free(struct hf_branch *branch)
{
	struct hf_branch *last = branch;

	if (branch)
		branch->next = NULL;
	while (branch) {
		struct hf_branch *next;

		for (size_t i = 0; i < branch->n; i++) {
			last->next = branch->in[i];
			last = branch->in[i];
			last->next = NULL;
		}
		next = branch->next;
		hf_naming_free(branch->naming);
		hf_node_unref(branch->node);
		free(branch->in);
		free(branch);
		branch = next;
	}
}

static void branches_free(struct branches *branches)
{
	hf_branch_free(branches->top);
	pthread_mutex_destroy(&branches->lock);
	free(branches);
}

/* --- one directory ----------------------------------------------------------- */

/* Steals `node`. */
static int new_branch(struct hf_node *node, struct hf_branch **ret)
{
	struct hf_branch *branch = calloc(1, sizeof(*branch));

	if (!branch) {
		hf_node_unref(node);
		return -ENOMEM;
	}
	branch->node = node;
	*ret = branch;
	return 0;
}

static int add_dir(struct hf_view *view, struct hf_branch *branch,
		   const struct hf_source_entry *source)
{
	struct hf_entry entry;
	struct hf_buf unused = {0};
	struct hf_node *node;
	int error = hf_present(view, "", source, (struct hf_rule){0}, NULL, 0,
			       &unused, &entry);

	if (error == 0)
		error = hf_node_new(view, branch->node, &entry, &node);
	hf_buf_fini(&unused);
	if (error == 0)
		error = new_branch(node, &branch->in[branch->n]);
	if (error < 0)
		return error;
	branch->in[branch->n]->dev = source->st.st_dev;
	branch->in[branch->n]->ino = source->st.st_ino;
	branch->n++;
	return 0;
}

/* Is it one that is not shown, whatever it is? */
static bool is_hidden(const struct hf_branch *branch,
		      const struct hf_source_entry *entry)
{
	return entry->shadowed || (!branch->node->parent &&
				   strcmp(entry->name, HF_RESERVED_NAME) == 0);
}

static bool is_entered(const struct hf_branch *branch,
		       const struct hf_source_entry *entry)
{
	return entry->type == HF_TYPE_DIR && !is_hidden(branch, entry);
}

/* While the list is at hand. */
static bool was(const struct branches *branches, const struct hf_branch *branch)
{
	const struct hf_source_list *list = hf_naming_list(branch->naming);
	size_t n = 0;

	for (size_t i = 0; i < hf_source_list_len(list); i++)
		n += hf_source_list_entry(list, i)->type == HF_TYPE_DIR;
	return n == branch->n && hf_source_list_was(list, branches->since_ns);
}

static int look_into(struct hf_view *view, struct hf_branch *branch)
{
	const struct hf_source_list *list = hf_naming_list(branch->naming);
	size_t len = hf_source_list_len(list);
	size_t n = 0;
	int error = 0;

	for (size_t i = 0; i < len; i++)
		n += is_entered(branch, hf_source_list_entry(list, i));
	branch->in = n ? calloc(n, sizeof(*branch->in)) : NULL;
	if (n && !branch->in)
		return -ENOMEM;
	for (size_t i = 0; branch->n < n && error == 0; i++)
		if (is_entered(branch, hf_source_list_entry(list, i)))
			error = add_dir(view, branch,
					hf_source_list_entry(list, i));
	return error;
}

/* An error is one of the whole. */
static int list(const struct branches *branches, struct hf_branch *branch)
{
	int error = hf_naming_look(branches->view, branch->node,
				   branches->graph, &branch->naming);

	/* Without the top there is nothing to be told, least of all an empty
	 * tree. */
	if (branch->node->parent && hf_walk_error_of_dir(error)) {
		branch->error = error;
		return 0;
	}
	if (error == 0)
		error = look_into(branches->view, branch);
	if (error == 0)
		branch->was = was(branches, branch);
	return error;
}

/* What there will be to do. */
struct extent {
	uint64_t files;
	uint64_t bytes;
};

static struct extent measure(const struct hf_branch *branch)
{
	struct extent extent = {0};
	const struct hf_source_list *list =
		branch->naming ? hf_naming_list(branch->naming) : NULL;
	size_t len = list ? hf_source_list_len(list) : 0;

	for (size_t i = 0; i < len; i++) {
		const struct hf_source_entry *entry =
			hf_source_list_entry(list, i);

		if (entry->type != HF_TYPE_FILE || is_hidden(branch, entry) ||
		    !hf_naming_is_told(branch->naming, i))
			continue;
		extent.files++;
		extent.bytes += (uint64_t)entry->st.st_size;
	}
	return extent;
}

/* --- strands ------------------------------------------------------------------ */

/* Call with the lock held. */
static void put(struct branches *branches, struct hf_branch *branch)
{
	branch->next = NULL;
	*branches->last = branch;
	branches->last = &branch->next;
	branches->n++;
}

static struct hf_branch *take(struct branches *branches)
{
	struct hf_branch *branch = NULL;

	pthread_mutex_lock(&branches->lock);
	if (branches->asker && branches->error == 0)
		branch = branches->first;
	if (branch)
		branches->first = branch->next;
	if (!branches->first)
		branches->last = &branches->first;
	pthread_mutex_unlock(&branches->lock);
	return branch;
}

/* What was found in a directory is for whoever comes. Returns how many strands
 * more that is worth. */
static unsigned give(struct branches *branches, const struct hf_branch *branch,
		     int error)
{
	unsigned most = hf_pool_threads(branches->view->pool);
	struct extent extent = {0};
	unsigned more = 0;

	if (branches->progress)
		extent = measure(branch);
	pthread_mutex_lock(&branches->lock);
	if (error < 0 && branches->error == 0)
		branches->error = error;
	if (branches->asker && branches->progress) {
		atomic_fetch_add(&branches->progress->files, extent.files);
		atomic_fetch_add(&branches->progress->bytes, extent.bytes);
	}
	for (size_t i = 0; i < branch->n; i++)
		put(branches, branch->in[i]);
	for (; branches->strands < most && more < branch->n; more++)
		branches->strands++;
	pthread_mutex_unlock(&branches->lock);
	return more;
}

/* A strand ends. The last one tells the asker, or, if that has left, cleans
 * up. */
static void end(struct branches *branches)
{
	bool left = false;

	pthread_mutex_lock(&branches->lock);
	branches->strands--;
	if (branches->strands == 0 && branches->asker)
		hf_wait_wake(branches->asker);
	else if (branches->strands == 0)
		left = true;
	pthread_mutex_unlock(&branches->lock);
	if (left)
		branches_free(branches);
}

static void run(void *arg);

/* Goes on with a strand; where there is no memory for a job it ends, and so
 * does the whole. */
static void send(struct branches *branches)
{
	int error = hf_pool_submit(branches->view->pool, run, branches);

	if (error == 0)
		return;
	pthread_mutex_lock(&branches->lock);
	branches->error = error;
	pthread_mutex_unlock(&branches->lock);
	end(branches);
}

static void run(void *arg)
{
	struct branches *branches = arg;
	struct hf_branch *branch = take(branches);

	if (!branch) {
		end(branches);
		return;
	}
	for (unsigned more = give(branches, branch, list(branches, branch));
	     more > 0; more--)
		send(branches);
	send(branches);
}

/* --- the asker ----------------------------------------------------------------- */

static int branches_new(const struct hf_walk *walk, struct branches **ret)
{
	struct branches *branches = calloc(1, sizeof(*branches));
	struct hf_node *node;
	int error;

	if (!branches)
		return -ENOMEM;
	pthread_mutex_init(&branches->lock, NULL);
	branches->view = walk->view;
	branches->graph = walk->graph;
	branches->asker = walk->wait;
	branches->progress = walk->progress;
	branches->since_ns = walk->since_ns;
	branches->last = &branches->first;
	error = hf_view_root(walk->view, &node);
	if (error == 0)
		error = new_branch(node, &branches->top);
	if (error < 0) {
		branches_free(branches);
		return error;
	}
	put(branches, branches->top);
	branches->strands = 1;
	*ret = branches;
	return 0;
}

static bool is_over(struct branches *branches)
{
	bool over;

	pthread_mutex_lock(&branches->lock);
	over = branches->strands == 0;
	pthread_mutex_unlock(&branches->lock);
	return over;
}

/* Leaves it to its strands, if there are any: a source may hang. */
static void leave(struct branches *branches)
{
	bool over;

	pthread_mutex_lock(&branches->lock);
	over = branches->strands == 0;
	branches->asker = NULL;
	pthread_mutex_unlock(&branches->lock);
	if (over)
		branches_free(branches);
}

int hf_branches_list(const struct hf_walk *walk, struct hf_branch **ret,
		     size_t *ret_n)
{
	struct branches *branches;
	int error = branches_new(walk, &branches);

	if (error < 0)
		return error;
	send(branches);
	while (error == 0 && !is_over(branches))
		error = hf_wait_block(walk->wait);
	if (error == 0)
		error = branches->error;
	if (error == 0) {
		*ret = branches->top;
		*ret_n = branches->n;
		branches->top = NULL;
	}
	leave(branches);
	return error;
}
