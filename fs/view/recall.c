/*
 * recall: what is remembered of the directories that a walk comes to, read for
 * many of them together.
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

int hf_namings_recall(const struct hf_view *view,
		      struct hf_naming *const *namings, size_t n)
{
	size_t n_each = hf_source_len(view->source) + 1;
	HF_CLEANUP(hf_freep)
	void *items = calloc(n * n_each + 1, 2 * sizeof(uint64_t));
	struct keys keys = {.items = items};

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (hf_source_list_len(hf_naming_list(namings[i])))
			add_keys(view, namings[i]->path.data, &keys);
	hf_cache_recall(view->cache, keys.items, keys.n);
	return 0;
}
