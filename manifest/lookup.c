/* lookup: one name in a mount or a manifest. */
#include "manifest/verb.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* A directory is a mount, anything else a manifest. */
static int load(const struct hf_arguments *arguments, struct hf_manifest *ret,
		char **why)
{
	char *place = arguments->words[1];
	struct stat st;
	int error;

	if (stat(place, &st) == 0 && !S_ISDIR(st.st_mode))
		error = hf_document_read(&arguments->document, place, ret, why);
	else
		error = hf_verb_read_mount(arguments, place, ret, why);
	if (error == 0)
		hf_manifest_sort(ret);
	return error;
}

static int not_found(const char *shown, const char *place, const char *hint)
{
	hf_log(HF_LOG_ERROR, "%s is not in %s%s", shown, place, hint);
	return HF_EXIT_FINDINGS;
}

static int print_line(const char *text)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf line = {0};

	hf_buf_puts(&line, text);
	hf_buf_putc(&line, '\n');
	return hf_verb_print(&line);
}

/* The name that a source is presented under. */
static int find_name(const struct hf_manifest *manifest, const char *path,
		     const char *shown, const char *place)
{
	const struct hf_manifest_row *row = hf_manifest_find(manifest, path);
	HF_CLEANUP(hf_freep)
	char *told = row ? hf_escaped(row->problem) : NULL;
	const char *problem = told ? told : "?";
	size_t cursor = 0;

	if (!row)
		return not_found(
			shown, place,
			hf_manifest_find_name(manifest, path, &cursor)
				? " as a source; --reverse finds hashed names"
				: "");
	if (row->failed) {
		hf_log(HF_LOG_ERROR, "%s: %s", shown, problem);
		return HF_EXIT_INCOMPLETE;
	}
	if (!*row->name) {
		hf_log(HF_LOG_ERROR, "%s has no name in %s%s%s", shown, place,
		       *row->problem ? ": " : "", *row->problem ? problem : "");
		return HF_EXIT_FINDINGS;
	}
	return print_line(row->name);
}

/* The sources that are presented under a name: one, but a manifest of Django
 * may have more (its names lose percent escapes). */
static int find_sources(const struct hf_manifest *manifest, const char *name,
			const char *shown, const char *place)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf lines = {0};
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	while ((row = hf_manifest_find_name(manifest, name, &cursor))) {
		hf_buf_puts(&lines, row->path);
		hf_buf_putc(&lines, '\n');
	}
	if (!lines.len && hf_buf_status(&lines) == 0)
		return not_found(
			shown, place,
			hf_manifest_find(manifest, name)
				? " as a hashed name; it is a source, found "
				  "without --reverse"
				: "");
	return hf_verb_print(&lines);
}

int hf_verb_lookup(const struct hf_arguments *arguments)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	const char *name = arguments->words[2];
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(name);
	HF_CLEANUP(hf_freep) char *place = hf_escaped(arguments->words[1]);
	char *why = NULL;
	int error = load(arguments, &manifest, &why);

	if (error < 0)
		return hf_verb_fail(error, why);
	if (!shown || !place)
		return hf_verb_fail(-ENOMEM, NULL);
	if (arguments->given & HF_GIVEN_REVERSE)
		return find_sources(&manifest, name, shown, place);
	return find_name(&manifest, name, shown, place);
}
