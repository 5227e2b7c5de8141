/*
 * content: open and read. A constant file is opened as the bytes that were
 * hashed, or not at all; a mutable one as whatever its source holds.
 */
#include "fs/view/ahead.h"
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct hf_content {
	struct hf_view *view;
	struct hf_node *node;         /* a reference */
	struct hf_verified *verified; /* of a constant file */
	int fd;                       /* of a mutable one */
	/* the node's other openings; protected by view->openings_lock */
	struct hf_content *next;
	struct hf_content **link; /* NULL: it shares nothing */
};

/* Many readers of one file share one copy. Each verified it on its own when it
 * opened the file, and all copies are the same bytes. */
static void share_pinned(struct hf_content *content)
{
	struct hf_content **first = &content->node->openings;
	struct hf_verified *surplus = NULL;
	size_t len;

	if (!content->verified || !hf_verified_whole(content->verified, &len))
		return;
	pthread_mutex_lock(&content->view->openings_lock);
	if (*first) {
		surplus = content->verified;
		content->verified = hf_verified_ref((*first)->verified);
		(*first)->link = &content->next;
	}
	content->next = *first;
	content->link = first;
	*first = content;
	pthread_mutex_unlock(&content->view->openings_lock);
	hf_verified_unref(surplus);
}

static void leave(struct hf_content *content)
{
	if (!content->link)
		return;
	pthread_mutex_lock(&content->view->openings_lock);
	*content->link = content->next;
	if (content->next)
		content->next->link = content->link;
	pthread_mutex_unlock(&content->view->openings_lock);
}

/* While it is the same, and not 0, the node is what its source shows. */
static uint32_t mark_of(struct hf_view *view, const struct hf_node *node)
{
	return node->reported ? hf_view_mark(view, node->parent) : 0;
}

static int open_verbatim(struct hf_view *view, struct hf_node *node,
			 const char *path, struct hf_wait *wait,
			 struct hf_verified **ret)
{
	const struct hf_expected expected = {
		.digest = hf_node_content(node),
		.size = node->size,
		.mark = mark_of(view, node),
	};

	return hf_digests_open(view->digests, node->root, path, &expected, wait,
			       ret);
}

/* As hf_graph_text: by what its targets are named now. */
static int write_live(struct hf_view *view, const char *path,
		      struct hf_wait *wait, bool *verbatim, struct hf_buf *ret,
		      struct hf_digest *digest)
{
	struct hf_graph *graph;
	int error = hf_graph_new(view, &graph);

	if (error < 0)
		return error;
	error = hf_graph_text(graph, path, wait, verbatim, ret, digest);
	hf_graph_free(graph);
	return error;
}

/* As hf_graph_text: by what they were named. */
static int write_frozen(struct hf_view *view, const char *path,
			struct hf_wait *wait, bool *verbatim,
			struct hf_buf *ret, struct hf_digest *digest)
{
	struct hf_graph *graph;
	const struct hf_vertex *vertex =
		hf_frozen_text(view->frozen, path, &graph);

	return vertex ? hf_writing_again(graph, vertex, wait, verbatim, ret,
					 digest)
		      : -ESTALE;
}

/* What was written is pinned, and held for the next one if there is room. */
static int take_text(struct hf_view *view, const char *path,
		     const struct hf_digest *digest, uint32_t mark,
		     struct hf_buf *text, struct hf_verified **ret)
{
	struct hf_verified *held =
		hf_rewritten_put(view->rewritten, path, digest, mark, text);

	if (!held)
		return hf_verified_take(text, &view->pins, ret);
	hf_ahead_tend(view->ahead);
	*ret = held;
	return 0;
}

/* A text is put together anew, and is what it was, or it is not shown. */
static int write_text(struct hf_view *view, struct hf_node *node,
		      const char *path, uint32_t mark, struct hf_wait *wait,
		      struct hf_verified **ret)
{
	struct hf_buf text = {0};
	struct hf_digest expected = hf_node_content(node);
	struct hf_digest digest;
	bool verbatim = false;
	int error = view->frozen ? write_frozen(view, path, wait, &verbatim,
						&text, &digest)
				 : write_live(view, path, wait, &verbatim,
					      &text, &digest);

	if (error == 0 && verbatim)
		error = open_verbatim(view, node, path, wait, ret);
	else if (error == 0 && !hf_digest_equal(&digest, &expected))
		error = -ESTALE;
	else if (error == 0)
		error = take_text(view, path, &digest, mark, &text, ret);
	hf_buf_fini(&text);
	return error;
}

/* Its memory is set aside first, or many at once would take it all before
 * each of them finds that there is too little. */
static int open_anew(struct hf_view *view, struct hf_node *node,
		     const char *path, uint32_t mark, struct hf_wait *wait,
		     struct hf_verified **ret)
{
	uint64_t size = hf_text_fits(node->size) ? node->size : HF_TEXT_MAX;
	int error = hf_pins_take(&view->pins, size);

	if (error < 0)
		return error;
	error = write_text(view, node, path, mark, wait, ret);
	hf_pins_give(&view->pins, size);
	return error;
}

static int open_text(struct hf_view *view, struct hf_node *node,
		     const char *path, struct hf_wait *wait,
		     struct hf_verified **ret)
{
	struct hf_digest digest = hf_node_content(node);
	uint32_t mark = mark_of(view, node);

	*ret = hf_rewritten_get(view->rewritten, path, &digest, mark);
	return *ret ? 0 : open_anew(view, node, path, mark, wait, ret);
}

/* In a frozen view a file is what it was, or it is stale: gone, replaced and
 * closed to us are all the same. */
static int stale(int error)
{
	return error == 0 || error == -EIO || hf_error_passing(error) ? error
								      : -ESTALE;
}

/* Its name has to be looked up again. */
static int end_node(struct hf_view *view, struct hf_node *node)
{
	atomic_store(&node->dead, true);
	hf_view_doubt(view);
	return -ESTALE;
}

/* Does opening it take more than its source's bytes? */
static bool is_written(const struct hf_view *view, const struct hf_node *node,
		       const char *path)
{
	struct hf_digest content = hf_node_content(node);

	return node->kind == HF_KIND_HASHED && hf_view_is_text(view, path) &&
	       !hf_texts_verbatim(view->texts, path, &content);
}

static int open_constant(struct hf_view *view, struct hf_node *node,
			 const char *path, struct hf_wait *wait,
			 struct hf_content *content)
{
	int error =
		is_written(view, node, path)
			? open_text(view, node, path, wait, &content->verified)
			: open_verbatim(view, node, path, wait,
					&content->verified);

	if (view->frozen)
		error = stale(error);
	return error == -ESTALE ? end_node(view, node) : error;
}

/*
 * ENOENT is only for what is not there; a tool like rsync takes it for a file
 * that vanished and goes on. A name that still stands fails otherwise.
 */
static int honest(struct hf_view *view, struct hf_node *node, int error)
{
	struct hf_source_entry was = {.name = hf_node_name(node),
				      .root = node->root};
	struct hf_source_entry now;
	struct hf_buf dir = {0};

	/* What is no file says so when it is opened; the listing knew more. */
	if (error == -EINVAL && node->error)
		return -node->error;
	if (error != -ENOENT)
		return error;
	hf_node_path(node->parent, &dir);
	if (hf_buf_status(&dir) == 0 &&
	    hf_source_stat(view->source, dir.data, &was, &now) == 0)
		error = -EIO;
	hf_buf_fini(&dir);
	return error;
}

/*
 * A file that could not be read when it was to be named is read through before
 * it is opened: where it fails, it fails now and not in the middle. If it can
 * be read now, and its own name promises its bytes, there is a digest to hold
 * them to: the node is another one by now.
 */
static int open_mutable(struct hf_view *view, struct hf_node *node,
			const char *path, struct hf_wait *wait, int *ret_fd)
{
	struct hf_rule rule;
	struct hf_fact fact;
	struct hf_sig sig;
	struct stat st;
	int error = hf_source_open_file(view->source, node->root, path, ret_fd,
					&st);

	if (error < 0 || !node->error)
		return error;
	sig = hf_sig_of(&st);
	error = hf_digests_get(view->digests, node->root, path, &sig, wait,
			       &fact);
	if (error < 0)
		return error;
	rule = hf_rule_of(view, path, hf_node_name(node));
	return rule.kind == HF_KIND_PREHASHED ? end_node(view, node) : 0;
}

static int open_node(struct hf_view *view, struct hf_node *node,
		     struct hf_wait *wait, struct hf_content *content)
{
	struct hf_buf path = {0};
	int error;

	hf_node_path(node, &path);
	error = hf_buf_status(&path);
	if (error == 0 && hf_node_constant(node))
		error = open_constant(view, node, path.data, wait, content);
	else if (error == 0)
		error = open_mutable(view, node, path.data, wait, &content->fd);
	hf_buf_fini(&path);
	return honest(view, node, error);
}

int hf_view_open(struct hf_view *view, struct hf_node *node,
		 struct hf_wait *wait, struct hf_content **ret)
{
	struct hf_content *content;
	int error;

	if (node->kind == HF_KIND_DIR)
		return -EISDIR;
	if (hf_node_dead(node))
		return -ESTALE;
	/* As honest() has it: the name stands, so it is not ENOENT. */
	if (view->frozen && node->error)
		return node->error == ENOENT ? -EIO : -node->error;
	content = calloc(1, sizeof(*content));
	if (!content)
		return -ENOMEM;
	content->view = view;
	content->node = hf_node_ref(node);
	content->fd = -1;
	error = open_node(view, node, wait, content);
	if (error < 0) {
		hf_content_close(content);
		return error;
	}
	share_pinned(content);
	*ret = content;
	return 0;
}

void hf_content_close(struct hf_content *content)
{
	leave(content);
	hf_verified_unref(content->verified);
	hf_closep(&content->fd);
	hf_node_unref(content->node);
	free(content);
}

const char *hf_content_whole(const struct hf_content *content, size_t *ret)
{
	return content->verified ? hf_verified_whole(content->verified, ret)
				 : NULL;
}

/* A mutable file, as it is at this moment. */
static int read_fd(int fd, uint64_t offset, size_t len, struct hf_buf *scratch,
		   const char **ret, size_t *ret_len)
{
	ssize_t n;

	hf_buf_reset(scratch);
	if (scratch->cap < len) {
		char *data = realloc(scratch->data, len);

		if (!data)
			return -ENOMEM;
		scratch->data = data;
		scratch->cap = len;
	}
	do
		n = pread(fd, scratch->data, len, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*ret = scratch->data;
	*ret_len = (size_t)n;
	return 0;
}

int hf_content_read(struct hf_content *content, uint64_t offset, size_t len,
		    struct hf_buf *scratch, const char **ret, size_t *ret_len)
{
	if (content->verified)
		return hf_verified_read(content->verified, offset, len, scratch,
					ret, ret_len);
	return read_fd(content->fd, offset, len, scratch, ret, ret_len);
}
