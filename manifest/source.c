/* The manifest of sources, without a mount: the same engine, asked directly. */
#include "manifest/manifest.h"

#include <errno.h>
#include <string.h>

static int add_row(const struct hf_row *row, struct hf_manifest *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf problem = {0};
	struct hf_manifest_row copy = {
		.path = row->path,
		.name = row->name,
		.failed = row->error != 0,
	};

	hf_buf_puts(&problem, "");
	if (row->problem != HF_PROBLEM_NONE || row->error)
		hf_problem_describe(row->problem, row->error, &problem);
	if (hf_buf_status(&problem) < 0)
		return -ENOMEM;
	copy.problem = problem.data;
	return hf_manifest_add(ret, &copy);
}

int hf_manifest_of_snapshot(const struct hf_snapshot *snapshot,
			    struct hf_manifest *ret)
{
	int error = 0;

	for (size_t i = 0; i < snapshot->n && error == 0; i++)
		error = add_row(&snapshot->rows[i], ret);
	return error;
}

static int explain(int error, char **why)
{
	if (error == -ENOMEM)
		return error;
	if (error == -EAGAIN)
		return hf_why(error, why,
			      "the sources keep changing; try again when they "
			      "are quiet");
	return hf_why(error, why, "cannot read the sources: %s",
		      strerror(-error));
}

static int take(struct hf_view *view, struct hf_progress *progress,
		struct hf_findings *findings, struct hf_snapshot *ret)
{
	struct hf_wait wait; /* never interrupted: a signal ends the program */
	int error;

	hf_wait_init(&wait);
	error = findings
			? hf_view_findings(view, &wait, progress, ret, findings)
			: hf_view_snapshot(view, &wait, progress, ret);
	hf_wait_fini(&wait);
	return error;
}

static int take_snapshot(struct hf_view *view, struct hf_progress *progress,
			 struct hf_findings *findings, struct hf_manifest *ret,
			 char **why)
{
	struct hf_snapshot snapshot = {0};
	int error = take(view, progress, findings, &snapshot);

	if (error < 0)
		return explain(error, why);
	error = hf_manifest_of_snapshot(&snapshot, ret);
	hf_snapshot_fini(&snapshot);
	return error;
}

int hf_manifest_of_sources(const struct hf_config *config,
			   struct hf_progress *progress,
			   struct hf_findings *findings,
			   struct hf_manifest *ret, char **why)
{
	struct hf_view *view;
	int error = hf_view_new(config, 0, &view, why);

	if (error < 0)
		return error;
	error = take_snapshot(view, progress, findings, ret, why);
	hf_view_free(view);
	return error;
}
