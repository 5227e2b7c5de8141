/* deliveries: the files of an export, as jobs of a pool. */
#include <errno.h>
#include <stdlib.h>

#include "tools/exported.h"

/* So many files of a directory are one job. */
#define JOB_FILES 32

struct job {
	struct hf_export *export;
	size_t dir;
	size_t from;
	size_t to;
};

static void count(struct hf_export *export, const struct hf_plan_dir *dir,
		  const struct hf_entry *entry, enum hf_delivered delivered)
{
	struct hf_export_counts *counts = &export->counts;
	atomic_uint_least64_t *const counters[] = {
		[HF_DELIVERED_KEPT] = &counts->kept,
		[HF_DELIVERED_MENDED] = &counts->mended,
		[HF_DELIVERED_COPIED] = &counts->copied,
		[HF_DELIVERED_CLONED] = &counts->cloned,
	};

	atomic_fetch_add(counters[delivered], 1);
	if (delivered == HF_DELIVERED_MENDED)
		hf_export_tell(export, "mend", dir->path, entry->name);
	if (delivered >= HF_DELIVERED_COPIED) {
		atomic_fetch_add(&counts->bytes, entry->size);
		hf_export_tell(export, "write", dir->path, entry->name);
	}
	if (!export->progress)
		return;
	atomic_fetch_add(&export->progress->files_done, 1);
	atomic_fetch_add(&export->progress->bytes_done, entry->size);
}

static void deliver(struct hf_delivery *delivery, struct hf_export *export,
		    const struct hf_plan_dir *dir, size_t i, int dir_fd)
{
	const struct hf_entry *entry = hf_listing_entry(dir->listing, i);
	enum hf_delivered delivered;
	struct hf_node *node;
	bool source = false;
	int r = hf_view_node(export->view, dir->node, dir->listing, i, &node);

	if (r == 0) {
		r = hf_deliver(delivery, node, dir_fd, entry->name, &source,
			       &delivered);
		hf_node_unref(node);
	}
	if (r < 0)
		hf_export_fail(export, dir->path,
			       source ? entry->source : entry->name, source, r);
	else
		count(export, dir, entry, delivered);
}

static void run_job(void *arg)
{
	HF_CLEANUP(hf_closep) int dir_fd = -1;
	struct job *job = arg;
	struct hf_export *export = job->export;
	const struct hf_plan_dir *dir = &export->plan.dirs[job->dir];
	struct hf_delivery delivery = {
		.view = export->view,
		.no_clones = &export->no_clones,
		.dry = export->mode == HF_EXPORT_DRY,
	};
	int r = hf_destination_enter(export->dest, dir->path, &dir_fd);

	if (r < 0 && !(r == -ENOENT && delivery.dry))
		hf_export_fail(export, dir->path, "", false, r);
	for (size_t i = job->from; i < job->to; i++) {
		const struct hf_entry *entry =
			hf_listing_entry(dir->listing, i);

		if (!atomic_load(&export->failed) && hf_plan_is_file(entry))
			deliver(&delivery, export, dir, i, dir_fd);
	}
	hf_buf_fini(&delivery.scratch);
	free(job);
}

static int submit(struct hf_export *export, struct hf_pool *pool, size_t at)
{
	size_t n = hf_listing_len(export->plan.dirs[at].listing);
	int r = 0;

	for (size_t from = 0; from < n && r == 0; from += JOB_FILES) {
		struct job *job = malloc(sizeof(*job));

		if (!job)
			return -ENOMEM;
		*job = (struct job){
			.export = export,
			.dir = at,
			.from = from,
			.to = n - from < JOB_FILES ? n : from + JOB_FILES,
		};
		r = hf_pool_submit(pool, run_job, job);
		if (r < 0)
			free(job);
	}
	return r;
}

/* They read, hash and write; the view's own have nothing to do meanwhile. A
 * single one tells in the order of the list. */
static unsigned n_threads(const struct hf_export *export)
{
	struct hf_view_stats stats;

	hf_view_stats(export->view, &stats);
	return export->mode == HF_EXPORT_DRY ? 1 : stats.threads;
}

void hf_export_deliver(struct hf_export *export)
{
	unsigned n = n_threads(export);
	struct hf_pool *pool;
	int r = hf_pool_new(n, n, &pool);

	if (r < 0) {
		hf_export_fail(export, "", "", false, r);
		return;
	}
	for (size_t i = 0; i < export->plan.n && r == 0; i++)
		r = submit(export, pool, i);
	hf_pool_free(pool);
	if (r < 0)
		hf_export_fail(export, "", "", false, r);
}
