#include "tools/exporting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/export.h"
#include "tools/prune.h"

/* Everything that one run has to do with. */
struct work {
	const struct hf_exporting *exporting;
	struct hf_destination dest;
	struct hf_output output;
	bool manifest_later; /* it may lie in the directory that is made */
	struct hf_manifest manifest;
	struct hf_strings old; /* names to remove */
};

static int refuse(int error, char *why)
{
	return hf_program_refuse(HF_EXIT_ENVIRONMENT, error, why);
}

/* --- while there is a view ----------------------------------------------- */

static int note_manifest(struct work *work, struct hf_view *view)
{
	char *why = NULL;
	int r = hf_manifest_of_view(view, &work->exporting->order.program->view,
				    &work->manifest, &why);

	hf_manifest_sort(&work->manifest);
	return r < 0 ? hf_program_refuse(r == -ESTALE ? HF_EXIT_INCOMPLETE
						      : HF_EXIT_ENVIRONMENT,
					 r, why)
		     : 0;
}

/* What is needed of it when it is gone. */
static int note(struct work *work, struct hf_view *view)
{
	const struct hf_exporting *exporting = work->exporting;
	char *why = NULL;
	int status = exporting->order.manifest ? note_manifest(work, view) : 0;
	int r = 0;

	if (status == 0 && exporting->prune_from)
		r = hf_prune_list(view, exporting->prune_from,
				  &exporting->order.document, &work->old, &why);
	return r < 0 ? refuse(r, why) : status;
}

static int write_files(const struct work *work, struct hf_export *export)
{
	struct hf_progress progress = {0};
	bool quiet =
		work->exporting->order.freezing.quiet || work->exporting->dry;
	struct hf_meter *meter =
		hf_meter_start(quiet, hf_work_of_snapshot, &progress);
	int status = hf_export_write(export, &progress);

	hf_meter_stop(meter);
	return status;
}

static int open_target(struct work *work)
{
	bool dry = work->exporting->dry;
	char *why = NULL;
	int r = hf_destination_open(&work->dest, !dry, &why);

	if (dry && r == -ENOENT)
		return 0;
	if (r == 0 && !dry && work->manifest_later)
		r = hf_output_open(work->exporting->order.manifest,
				   &work->output, &why);
	return r < 0 ? refuse(r, why) : 0;
}

static int export_view(struct work *work, struct hf_view *view,
		       struct hf_export **ret)
{
	const struct hf_exporting *exporting = work->exporting;
	struct hf_export *export;
	enum hf_export_mode mode =
		exporting->dry ? HF_EXPORT_DRY : HF_EXPORT_SAFE;
	int status = hf_freeze(&exporting->order.freezing, view);

	if (status == 0)
		status = note(work, view);
	if (status == 0)
		status = open_target(work);
	if (status == 0)
		status = hf_export_new(view, &work->dest, mode, &export);
	if (status != 0)
		return status;
	status = write_files(work, export);
	if (status == 0) {
		hf_export_leave_view(export);
		*ret = export;
	} else {
		hf_export_free(export);
	}
	return status;
}

/* --- and after it -------------------------------------------------------- */

static int tell_manifest(const struct work *work)
{
	HF_CLEANUP(hf_freep)
	char *shown = hf_escaped(work->exporting->order.manifest);

	/* With its {git}, where that is known. */
	printf("write %s\n", work->manifest_later ? shown : work->output.path);
	return shown ? 0 : refuse(-ENOMEM, NULL);
}

static int write_manifest(struct work *work)
{
	char *why = NULL;
	int r;

	if (!work->exporting->order.manifest)
		return 0;
	if (work->exporting->dry)
		return tell_manifest(work);
	r = hf_document_write(&work->exporting->order.document, &work->manifest,
			      &work->output, &why);
	return r < 0 ? refuse(r, why) : 0;
}

static void tell(const struct work *work, const struct hf_export *export)
{
	const struct hf_export_counts *counts = hf_export_counts(export);

	hf_log(HF_LOG_INFO,
	       "%s: %llu files copied, %llu cloned, %llu mended, %llu kept, "
	       "%llu removed; %llu bytes written",
	       work->dest.shown, (unsigned long long)counts->copied,
	       (unsigned long long)counts->cloned,
	       (unsigned long long)counts->mended,
	       (unsigned long long)counts->kept,
	       (unsigned long long)counts->removed,
	       (unsigned long long)counts->bytes);
}

/* The files, the manifest that names them, and only then what no manifest
 * names any more. */
static int export(struct work *work)
{
	struct hf_export *export = NULL;
	struct hf_view *view;
	char *why = NULL;
	int r = hf_view_new(&work->exporting->order.program->view, 0, &view,
			    &why);
	int status;

	if (r < 0)
		return refuse(r, why);
	status = export_view(work, view, &export);
	hf_view_free(view);
	if (status == 0)
		status = write_manifest(work);
	if (status == 0)
		status = hf_export_remove(export, &work->old);
	if (status == 0)
		tell(work, export);
	if (export)
		hf_export_free(export);
	return status;
}

/* As both are written on the command line. */
static bool is_in_dir(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

/* The manifest is opened before anything is done for it; one in the directory,
 * once that is made. */
static int open_manifest(struct work *work, char **why)
{
	const char *path = work->exporting->order.manifest;
	int r = hf_output_open(path, &work->output, why);

	work->manifest_later =
		r == -ENOENT && is_in_dir(path, work->exporting->dir);
	if (!work->manifest_later)
		return r;
	free(*why);
	*why = NULL;
	return 0;
}

static int prepare(struct work *work)
{
	const struct hf_exporting *exporting = work->exporting;
	char *why = NULL;
	int r = hf_destination_find(
		exporting->dir, &exporting->order.program->view.source.roots,
		&work->dest, &why);

	if (r == 0 && exporting->order.manifest)
		r = open_manifest(work, &why);
	if (r < 0)
		return refuse(r, why);
	hf_output_check_apart(exporting->order.manifest,
			      &exporting->order.program->view.source);
	return 0;
}

/* What only the whole command line can show. */
static int check(struct hf_exporting *exporting)
{
	const char *file = exporting->order.manifest ? exporting->order.manifest
						     : exporting->prune_from;
	char *why = NULL;
	int r = hf_document_check_for(&exporting->order.document, file, &why);

	if (r == 0 && exporting->prune_from)
		r = hf_document_check_reading(&exporting->order.document, &why);
	if (r < 0)
		return hf_program_refuse(HF_EXIT_USAGE, r, why);
	exporting->order.program->view.integrity =
		exporting->order.document.integrity;
	return hf_program_check(exporting->order.program);
}

int hf_exporting_run(struct hf_exporting *exporting)
{
	struct work work = {
		.exporting = exporting,
		.dest = {.fd = -1},
		.output = {.fd = -1, .dir_fd = -1},
	};
	int status = check(exporting);

	if (status == 0)
		status = prepare(&work);
	if (status == 0)
		status = export(&work);
	hf_strings_fini(&work.old);
	hf_manifest_fini(&work.manifest);
	hf_output_close(&work.output);
	hf_destination_close(&work.dest);
	return status == 0 ? hf_program_flush() : status;
}
