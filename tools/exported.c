/* exported: what is told of an export under way. */
#include "tools/exported.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/program.h"

/* "css/app.css", escaped; new, or NULL. */
static char *shown_path(const char *dir, const char *name)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};

	hf_buf_printf(&path, "%s%s%s", dir, *dir && *name ? "/" : "", name);
	if (path.len == 0)
		hf_buf_putc(&path, '.');
	return hf_buf_status(&path) < 0 ? NULL : hf_escaped(path.data);
}

void hf_export_tell(const struct hf_export *export, const char *verb,
		    const char *dir, const char *name)
{
	HF_CLEANUP(hf_freep) char *shown = shown_path(dir, name);

	if (export->mode == HF_EXPORT_DRY)
		printf("%s %s\n", verb, shown ? shown : "?");
	else
		hf_log(HF_LOG_INFO, "%s %s", verb, shown ? shown : "?");
}

static int refuse_source(const struct hf_export *export, const char *shown,
			 int error)
{
	/* A large file that changes while it is read ends with EIO. */
	if (error == -ESTALE || error == -EIO)
		hf_log(HF_LOG_ERROR,
		       "%s changed while it was exported; %s is not complete. "
		       "Run it again",
		       shown, export->dest->shown);
	else
		hf_log(HF_LOG_ERROR,
		       "%s cannot be read any more (%s); %s is not complete. "
		       "Run it again",
		       shown, strerror(-error), export->dest->shown);
	return HF_EXIT_INCOMPLETE;
}

/* Of hashedfs-run the user has not chosen the place. */
static const char *remedy(const struct hf_export *export, int error)
{
	if (error != -ENOSPC && error != -EDQUOT)
		return "";
	return export->mode == HF_EXPORT_QUICK
		       ? "; choose another place with --at DIR or TMPDIR"
		       : "; make room there and run it again, or choose "
			 "another directory";
}

static int refuse_target(const struct hf_export *export, const char *shown,
			 int error)
{
	const char *top = export->dest->shown;

	if (error == -EISDIR)
		hf_log(HF_LOG_ERROR,
		       "%s/%s is a directory, where a file has to be; move it "
		       "away",
		       top, shown);
	else if (error == -ENOTDIR || error == -ELOOP)
		hf_log(HF_LOG_ERROR,
		       "%s/%s is no directory, where one has to be; move it "
		       "away",
		       top, shown);
	else
		hf_log(HF_LOG_ERROR, "cannot write %s/%s: %s%s", top, shown,
		       strerror(-error), remedy(export, error));
	return HF_EXIT_ENVIRONMENT;
}

void hf_export_fail(struct hf_export *export, const char *dir, const char *name,
		    bool source, int error)
{
	HF_CLEANUP(hf_freep) char *path = shown_path(dir, name);
	const char *shown = path ? path : "?";

	if (atomic_exchange(&export->failed, true))
		return;
	atomic_store(&export->status,
		     error == -ENOMEM ? hf_program_refuse(HF_EXIT_ENVIRONMENT,
							  error, NULL)
		     : source         ? refuse_source(export, shown, error)
				      : refuse_target(export, shown, error));
}
