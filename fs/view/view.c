/*
 * view: the whole. Everything here is made before the first question and is
 * constant after, but for the counters.
 */
#include "fs/view/ahead.h"
#include "fs/view/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Threads that hang in a dead source are replaced up to this many. */
#define MAX_POOL_THREADS 256
/* Of the cache: some million files in memory, and some more on disk. */
#define MAX_MEMORY (UINT32_C(128) << 20)
#define MAX_DISK (UINT64_C(256) << 20)
/* Of texts that were hashed and are to be rewritten. */
#define MAX_HELD (UINT64_C(32) << 20)

static unsigned processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}

/* Without a directory there is a cache of memory only, and one note. */
static int open_cache(struct hf_view *view)
{
	HF_CLEANUP(hf_freep) char *dir = NULL;
	HF_CLEANUP(hf_freep) char *why = NULL;
	HF_CLEANUP(hf_buf_fini) struct hf_buf shown = {0};
	const char *wanted = view->config->cache;
	struct hf_cache_config config = {
		.max_memory = MAX_MEMORY,
		.max_disk = MAX_DISK,
		.clock = hf_clock_realtime,
	};
	int error =
		hf_cache_dir(wanted, &view->config->source.roots, &dir, &why);

	if (error == -ENOMEM)
		return error;
	config.dir = dir;
	error = hf_cache_new(&config, &view->cache, &why);
	if (error < 0)
		return error;
	if (why && !(wanted && strcmp(wanted, HF_CACHE_NONE) == 0))
		hf_log(HF_LOG_WARNING,
		       "nothing is remembered on disk: %s; -o cache=DIR "
		       "chooses a place, -o cache=none none",
		       why);
	if (why)
		hf_buf_printf(&shown, HF_CACHE_NONE " (%s)", why);
	else
		hf_buf_puts(&shown, dir);
	return hf_buf_steal(&shown, &view->cache_shown);
}

static int open_parts(struct hf_view *view, dev_t own_dev, char **why)
{
	const struct hf_config *config = view->config;
	struct hf_digests_config digests = {
		.algorithm = config->algorithm,
		.clock = hf_clock_realtime,
	};
	const char *flaw = "";
	int error = hf_name_template_init(&view->name_template,
					  config->name_template,
					  config->hash_len, &flaw);

	if (error < 0)
		return hf_why(error, why, "name=%s: %s", config->name_template,
			      flaw);
	error = hf_source_open(&config->source, own_dev, &view->source, why);
	if (error < 0)
		return error;
	error = open_cache(view);
	if (error == 0)
		error = hf_texts_new(view, &view->texts);
	if (error == 0)
		error = hf_pool_new(view->threads, MAX_POOL_THREADS,
				    &view->pool);
	if (error == 0)
		hf_source_share(view->source, view->pool);
	if (error == 0)
		error = hf_integrities_new(view, &view->integrities);
	digests.inspector =
		(struct hf_inspector){view, hf_links_wanted, hf_links_inspect,
				      config->integrity, hf_integrity_second};
	if (config->refs.profile == HF_REFS_NONE)
		digests.inspector.wants = NULL;
	digests.source = view->source;
	digests.pool = view->pool;
	digests.pins = &view->pins;
	digests.held = &view->held;
	digests.cache = view->cache;
	if (error == 0)
		error = hf_digests_new(&digests, &view->digests);
	return error < 0 ? hf_why(error, why, "no memory or no threads") : 0;
}

int hf_view_new(const struct hf_config *config, dev_t own_dev,
		struct hf_view **ret, char **why)
{
	struct hf_view *view = calloc(1, sizeof(*view));
	int error;

	if (!view)
		return hf_why(-ENOMEM, why, "no memory");
	view->config = config;
	view->pins.max = config->max_pinned;
	view->held.max = MAX_HELD;
	atomic_init(&view->held.told, true);
	view->threads = config->threads ? config->threads : processors();
	hf_random_seed(view->seed);
	pthread_mutex_init(&view->openings_lock, NULL);
	pthread_mutex_init(&view->reports_lock, NULL);
	hf_recent_init(&view->recent);
	error = open_parts(view, own_dev, why);
	if (error < 0) {
		hf_view_free(view);
		return error;
	}
	*ret = view;
	return 0;
}

void hf_view_free(struct hf_view *view)
{
	if (!view)
		return;
	hf_ahead_free(view->ahead);
	hf_follow_free(view->follow);
	hf_pool_free(view->pool); /* first: its jobs use the others */
	view->pool = NULL;
	hf_rewritten_free(view->rewritten);
	hf_recent_fini(&view->recent);
	hf_frozen_free(view->frozen);
	hf_digests_free(view->digests);
	hf_texts_free(view->texts);
	hf_integrities_free(view->integrities);
	hf_cache_free(view->cache);
	free(view->cache_shown);
	hf_watches_free(view->watches);
	hf_source_close(view->source);
	hf_name_template_fini(&view->name_template);
	pthread_mutex_destroy(&view->openings_lock);
	pthread_mutex_destroy(&view->reports_lock);
	free(view);
}

void hf_view_freed(struct hf_view *view)
{
	hf_pool_freed(view->pool);
}

int hf_view_root(struct hf_view *view, struct hf_node **ret)
{
	struct hf_entry entry = {.source = "", .kind = HF_KIND_DIR};

	if (view->frozen) {
		*ret = hf_frozen_root(view->frozen);
		return 0;
	}
	return hf_node_new(view, NULL, &entry, ret);
}

void hf_view_forget(struct hf_view *view)
{
	hf_cache_forget(view->cache);
	atomic_fetch_add(&view->forgets, 1);
	hf_view_doubt(view);
}

void hf_view_stats(struct hf_view *view, struct hf_view_stats *ret)
{
	struct hf_watches_stats watches = {.error = view->watches_error};

	if (view->watches)
		hf_watches_stats(view->watches, &watches);
	hf_digests_stats(view->digests, &ret->digests);
	ret->reports = hf_view_reports(view);
	ret->generation = atomic_load(&view->changes) + ret->reports;
	hf_cache_stats(view->cache, &ret->cache);
	ret->cache_dir = view->cache_shown;
	ret->bytes_pinned = atomic_load(&view->pins.bytes);
	ret->bytes_rewritten = hf_rewritten_bytes(view->rewritten);
	ret->threads = view->threads;
	ret->watched = watches.directories;
	ret->unwatched = watches.error;
}
