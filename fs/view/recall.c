/*
 * recall: what is remembered of the directories that a walk comes to next, read
 * while the pool is busy with those before: so nobody has to wait for it there.
 */
#include "fs/view/walk.h"

#include <errno.h>

/* Keys of directories. */
struct keys {
	uint64_t (*items)[2];
	size_t n;
};

static void add_keys(const struct hf_view *view, const char *dir,
		     struct keys *keys)
{
	for (unsigned i = 0; i < hf_source_len(view->source); i++)
		hf_digests_dir(view->digests, i, dir, keys->items[keys->n++]);
	if (view->config->refs.profile != HF_REFS_NONE)
		hf_texts_dir(view->texts, dir, keys->items[keys->n++]);
}

static int add_stop(const struct hf_walk *walk, const struct hf_stop *stop,
		    struct keys *keys)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf dir = {0};

	hf_node_path(stop->node, &dir);
	if (hf_buf_status(&dir) == 0)
		add_keys(walk->view, dir.data, keys);
	return hf_buf_status(&dir);
}

int hf_walk_recall(const struct hf_walk *walk, size_t first, size_t end)
{
	size_t n_each = hf_source_len(walk->view->source) + 1;
	HF_CLEANUP(hf_freep)
	void *items = calloc((end - first) * n_each, 2 * sizeof(uint64_t));
	struct keys keys = {.items = items};
	int error = items ? 0 : -ENOMEM;

	for (size_t i = first; i < end && error == 0; i++)
		if (walk->stops[i].naming &&
		    hf_source_list_len(hf_naming_list(walk->stops[i].naming)))
			error = add_stop(walk, &walk->stops[i], &keys);
	if (error == 0)
		hf_cache_recall(walk->view->cache, keys.items, keys.n);
	return error;
}
