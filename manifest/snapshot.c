/* snapshot: the mapping, as a manifest that Django reads. */
#include "manifest/verb.h"

#include <errno.h>
#include <stdio.h>

/* Says what is worth saying about one row. */
static void report(const struct hf_manifest_row *row, bool partial)
{
	const char *name = *row->path ? row->path : ".";
	HF_CLEANUP(hf_freep) char *escaped = hf_escaped(name);
	const char *shown = escaped ? escaped : "?";
	HF_CLEANUP(hf_freep) char *told = hf_escaped(row->problem);
	const char *problem = told ? told : "?";

	if (row->failed && partial)
		hf_log(HF_LOG_WARNING, "%s is left out: %s", shown, problem);
	else if (row->failed)
		hf_log(HF_LOG_ERROR, "%s: %s", shown, problem);
	else
		hf_log(HF_LOG_INFO, "%s: %s", shown, problem);
}

/* Reports on all rows; HF_EXIT_INCOMPLETE if there must be no manifest. */
static int judge(const struct hf_manifest *manifest, bool partial)
{
	size_t failed = 0;

	for (size_t i = 0; i < manifest->n; i++) {
		const struct hf_manifest_row *row = &manifest->rows[i];

		failed += row->failed;
		if (row->failed || *row->problem)
			report(row, partial);
	}
	if (!failed || partial)
		return HF_EXIT_GOOD;
	hf_log(HF_LOG_ERROR,
	       "no manifest was written, as %zu of %zu files cannot be read; "
	       "--partial leaves them out",
	       failed, manifest->n);
	return HF_EXIT_INCOMPLETE;
}

static size_t count_listed(const struct hf_manifest *manifest)
{
	size_t n = 0;

	for (size_t i = 0; i < manifest->n; i++)
		n += hf_manifest_listed(&manifest->rows[i]);
	return n;
}

static int write_manifest(const struct hf_arguments *arguments,
			  const struct hf_manifest *manifest,
			  struct hf_output *output)
{
	char *why = NULL;
	int error =
		hf_document_write(&arguments->document, manifest, output, &why);

	if (error < 0)
		return hf_verb_fail(error, why);
	hf_log(HF_LOG_INFO, "wrote the names of %zu files to %s",
	       count_listed(manifest), output->path);
	return HF_EXIT_GOOD;
}

/* --strict: whatever there is to tell means that there is no manifest. */
static int refuse(const struct hf_arguments *arguments,
		  struct hf_findings *findings)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

	if (hf_verb_ignore(arguments, findings) < 0)
		return hf_verb_fail(-ENOMEM, NULL);
	if (!findings->n)
		return HF_EXIT_GOOD;
	for (size_t i = 0; i < findings->n; i++)
		hf_finding_print(&findings->rows[i], &text);
	if (hf_buf_status(&text) < 0)
		return hf_verb_fail(-ENOMEM, NULL);
	fputs(text.data, stderr);
	hf_log(HF_LOG_ERROR,
	       "no manifest was written, as there are findings (%zu); --ignore "
	       "passes over known ones",
	       findings->n);
	return HF_EXIT_FINDINGS;
}

static int run(const struct hf_arguments *arguments, struct hf_output *output)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	HF_CLEANUP(hf_findings_fini) struct hf_findings findings = {0};
	bool strict = arguments->given & HF_GIVEN_STRICT;
	const struct hf_tree tree = {.manifest = &manifest,
				     .findings = strict ? &findings : NULL};
	int code = hf_verb_load(arguments, &tree);

	if (code == HF_EXIT_GOOD)
		code = refuse(arguments, &findings);
	if (code != HF_EXIT_GOOD)
		return code;
	hf_manifest_sort(&manifest);
	code = judge(&manifest, arguments->given & HF_GIVEN_PARTIAL);
	if (code == HF_EXIT_GOOD && arguments->previous)
		code = hf_verb_compare_previous(arguments, &manifest);
	return code == HF_EXIT_GOOD
		       ? write_manifest(arguments, &manifest, output)
		       : code;
}

/* What only the whole command line can show. */
static int check(const struct hf_arguments *arguments)
{
	unsigned given = arguments->given;
	char *why = NULL;

	if (given & HF_GIVEN_IGNORE && !(given & HF_GIVEN_STRICT))
		hf_why(-EINVAL, &why, "--ignore goes with --strict only");
	else if (given & HF_GIVEN_PREVIOUS && !arguments->document.integrity)
		hf_why(-EINVAL, &why,
		       "--previous goes with --integrity only, by which bytes "
		       "are compared");
	else if (given & HF_GIVEN_SHARD && !(given & HF_GIVEN_SOURCE))
		hf_why(-EINVAL, &why,
		       "--shard goes with --source only; a mount names all");
	else if (given & HF_GIVEN_SHARD && given & HF_GIVEN_STRICT)
		hf_why(-EINVAL, &why,
		       "--shard does not go with --strict; check the whole "
		       "tree before");
	else
		return hf_verb_has_tree(arguments);
	return hf_verb_misused(why);
}

int hf_verb_snapshot(const struct hf_arguments *arguments)
{
	struct hf_output output;
	char *why = NULL;
	int code = check(arguments);
	int error;

	if (code != HF_EXIT_GOOD)
		return code;
	error = hf_output_open(arguments->output, &output, &why);
	if (error < 0)
		return hf_verb_fail(error, why);
	code = run(arguments, &output);
	hf_output_close(&output);
	return code;
}
