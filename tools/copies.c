#include "tools/copies.h"

#include <string.h>

#include "tools/export.h"
#include "tools/message.h"
#include "tools/program.h"
#include "tools/worker.h"

static int refuse(int error, char *why)
{
	return hf_program_refuse(HF_EXIT_ENVIRONMENT, error, why);
}

static int write_files(const struct hf_copies *copies, struct hf_view *view,
		       struct hf_destination *dest)
{
	struct hf_progress progress = {0};
	struct hf_export *export;
	struct hf_meter *meter;
	char *why = NULL;
	int r = hf_destination_open(dest, true, &why);
	int status;

	if (r < 0)
		return refuse(r, why);
	/* What is removed in a minute need not be on the disk. */
	status = hf_export_new(view, dest, HF_EXPORT_QUICK, &export);
	if (status != 0)
		return status;
	meter = hf_meter_start(copies->freezing->quiet, hf_work_of_snapshot,
			       &progress);
	status = hf_export_write(export, &progress);
	hf_meter_stop(meter);
	hf_export_free(export);
	return status;
}

static int write_to_dir(const struct hf_copies *copies, struct hf_view *view)
{
	struct hf_destination dest;
	char *why = NULL;
	int r = hf_destination_find(copies->dir, &copies->view->source.roots,
				    &dest, &why);
	int status;

	if (r < 0)
		return refuse(r, why);
	status = write_files(copies, view, &dest);
	hf_destination_close(&dest);
	return status;
}

static int write_manifest(const struct hf_copies *copies, struct hf_view *view)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	struct hf_output output = {.path = strdup("the manifest"),
				   .fd = copies->manifest_fd,
				   .dir_fd = -1};
	char *why = NULL;
	int r = hf_manifest_of_view(view, copies->view, &manifest, &why);

	hf_manifest_sort(&manifest);
	if (r == 0)
		r = hf_document_write(copies->document, &manifest, &output,
				      &why);
	hf_output_close(&output);
	return r < 0 ? refuse(r, why) : 0;
}

int hf_copies_write(void *data, int channel)
{
	const struct hf_copies *copies = data;
	struct hf_view *view;
	char *why = NULL;
	int status;
	int r;

	hf_worker_listen(false);
	r = hf_worker_follow(channel);
	if (r == 0)
		r = hf_view_new(copies->view, 0, &view, &why);
	if (r < 0)
		return refuse(r, why);
	status = hf_freeze(copies->freezing, view);
	if (status == 0)
		status = write_to_dir(copies, view);
	if (status == 0 && copies->manifest_fd >= 0)
		status = write_manifest(copies, view);
	hf_view_free(view);
	if (status == 0)
		hf_message_ready(channel);
	return status;
}
