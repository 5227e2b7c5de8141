/*
 * changes: what the sources report. Nothing that is remembered is made anew by
 * a report: it is proved by stamps, as ever. Reports say when it is time to
 * ask again.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

void hf_view_watch(struct hf_view *view)
{
	if (!hf_view_is_frozen(view))
		view->watches_error =
			-hf_watches_new(view->source, &view->watches);
}

bool hf_view_watch_at(struct hf_view *view, const char *dir)
{
	return view->watches && hf_watches_dir(view->watches, dir);
}

bool hf_view_watch_parent(struct hf_view *view, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = strndup(path, slash ? (size_t)(slash - path) : 0);
	bool watched = dir && hf_view_watch_at(view, dir);

	free(dir);
	return watched;
}

bool hf_view_watch_dir(struct hf_view *view, struct hf_node *dir)
{
	struct hf_buf path = {0};
	bool watched;

	hf_node_path(dir, &path);
	watched =
		hf_buf_status(&path) == 0 && hf_view_watch_at(view, path.data);
	hf_buf_fini(&path);
	return watched;
}

int hf_view_watch_fd(const struct hf_view *view)
{
	return view->watches ? hf_watches_fd(view->watches) : -1;
}

/* The lock is for whoever comes second: what the first one has read is counted
 * when it goes on. */
void hf_view_take_reports(struct hf_view *view)
{
	if (!view->watches)
		return;
	pthread_mutex_lock(&view->reports_lock);
	if (hf_watches_read(view->watches))
		atomic_fetch_add(&view->reports, 1);
	pthread_mutex_unlock(&view->reports_lock);
}

/* Whoever reads reports holds the lock until they are counted. */
bool hf_view_heard_all(struct hf_view *view, uint64_t reports)
{
	bool all;

	if (!view->watches)
		return false;
	pthread_mutex_lock(&view->reports_lock);
	all = hf_view_reports(view) == reports &&
	      !hf_watches_pending(view->watches);
	pthread_mutex_unlock(&view->reports_lock);
	return all;
}

uint32_t hf_view_mark(struct hf_view *view, struct hf_node *dir)
{
	uint64_t ms = (uint64_t)(hf_clock_monotonic() / 1000000);
	uint64_t doubts;
	uint64_t reports;

	if (!hf_view_watch_dir(view, dir))
		return 0;
	doubts = atomic_load(&view->doubts);
	reports = hf_view_reports(view);
	/* None of the three ever falls. */
	return hf_view_heard_all(view, reports)
		       ? (uint32_t)(reports + doubts + ms / HF_REPORTS_MS)
		       : 0;
}

uint64_t hf_view_reports(const struct hf_view *view)
{
	return atomic_load(&view->reports);
}

void hf_view_suspect(struct hf_view *view)
{
	atomic_fetch_add(&view->reports, 1);
}
