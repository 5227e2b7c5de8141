#include "tools/freeze.h"

#include <string.h>

#include "manifest/manifest.h" /* the meter */
#include "tools/program.h"

static void tell_of(const struct hf_row *row, bool partial)
{
	HF_CLEANUP(hf_freep)
	char *shown = hf_escaped(*row->path ? row->path : ".");
	HF_CLEANUP(hf_buf_fini) struct hf_buf sentence = {0};

	hf_problem_describe(row->problem, row->error, &sentence);
	hf_log(partial ? HF_LOG_WARNING : HF_LOG_ERROR, "%s%s: %s",
	       shown ? shown : "?", partial ? " is left out" : "",
	       sentence.data ? sentence.data : strerror(row->error));
}

/* Files that cannot be read, which a command would meet as errors. */
static int judge_files(const struct hf_freezing *freezing, struct hf_view *view)
{
	struct hf_snapshot snapshot;
	size_t failed = 0;
	int r = hf_view_integrity(view, NULL, NULL, NULL, &snapshot);

	if (r < 0)
		return hf_program_refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	for (size_t i = 0; i < snapshot.n; i++)
		if (snapshot.rows[i].error) {
			failed++;
			tell_of(&snapshot.rows[i], freezing->partial);
		}
	if (failed && freezing->partial)
		hf_log(HF_LOG_WARNING, "%zu of %zu files are left out", failed,
		       snapshot.n);
	else if (failed)
		hf_log(HF_LOG_ERROR,
		       "%s, as %zu of %zu files cannot be read; --partial "
		       "leaves them out",
		       freezing->undone, failed, snapshot.n);
	else
		hf_log(HF_LOG_INFO, "%zu files have their names", snapshot.n);
	hf_snapshot_fini(&snapshot);
	return failed && !freezing->partial ? HF_EXIT_INCOMPLETE : 0;
}

/* One line for all that a browser would miss. */
static int warn(const struct hf_freezing *freezing, struct hf_view *view)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf command = {0};
	struct hf_findings findings;
	int r = hf_view_findings(view, NULL, NULL, NULL, &findings);

	if (r < 0)
		return hf_program_refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	hf_hint_print(freezing->hint, &command);
	if (findings.n)
		hf_log(HF_LOG_WARNING, "findings: %zu; to see them: %s",
		       findings.n, command.data ? command.data : "?");
	hf_findings_fini(&findings);
	return 0;
}

int hf_freeze(const struct hf_freezing *freezing, struct hf_view *view)
{
	struct hf_progress progress = {0};
	struct hf_meter *meter =
		hf_meter_start(freezing->quiet, hf_work_of_snapshot, &progress);
	int status = hf_program_freeze(view, freezing->partial, &progress);

	hf_meter_stop(meter);
	/* The sentence would stand in the line of the meter. */
	if (status == 0)
		status = judge_files(freezing, view);
	return status != 0 ? status : warn(freezing, view);
}
