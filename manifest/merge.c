/* merge: several manifests as one. */
#include "manifest/verb.h"

#include <string.h>

static int refuse(const struct hf_manifest_row *row, const char *sentence)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(row->path);

	hf_log(HF_LOG_ERROR, "%s %s; no manifest was written",
	       shown ? shown : "?", sentence);
	return HF_EXIT_FINDINGS;
}

/* Rows of one path say the same; the manifest is sorted. */
static int check_rows(const struct hf_manifest *manifest)
{
	for (size_t i = 1; i < manifest->n; i++) {
		const struct hf_manifest_row *row = &manifest->rows[i];

		if (!strcmp(row[-1].path, row->path) &&
		    (strcmp(row[-1].name, row->name) != 0 ||
		     strcmp(row[-1].integrity, row->integrity) != 0))
			return refuse(row, "has another name, or other bytes, "
					   "in another of the manifests");
	}
	return HF_EXIT_GOOD;
}

/* Equal rows become one: the last of them. */
static void join_rows(struct hf_manifest *manifest)
{
	size_t n = 0;

	for (size_t i = 0; i < manifest->n; i++) {
		if (n &&
		    !strcmp(manifest->rows[n - 1].path, manifest->rows[i].path))
			n--;
		manifest->rows[n++] = manifest->rows[i];
	}
	manifest->n = n;
}

/* All rows have integrity values, of one algorithm, or none has. */
static int find_integrity(const struct hf_manifest *manifest,
			  struct hf_document *document)
{
	for (size_t i = 0; i < manifest->n; i++) {
		const struct hf_manifest_row *row = &manifest->rows[i];
		const struct hf_algorithm *algorithm =
			hf_manifest_algorithm(row);

		if (i == 0 && !document->integrity)
			document->integrity = algorithm;
		if (algorithm != document->integrity)
			return refuse(row, "has another integrity value, or "
					   "none, than other files have");
	}
	return HF_EXIT_GOOD;
}

static int write_merged(const struct hf_arguments *arguments,
			struct hf_manifest *manifest, struct hf_output *output)
{
	struct hf_document document = arguments->document;
	char *why = NULL;
	int code, error;

	hf_manifest_sort(manifest);
	code = check_rows(manifest);
	if (code == HF_EXIT_GOOD)
		code = find_integrity(manifest, &document);
	if (code != HF_EXIT_GOOD)
		return code;
	join_rows(manifest);
	error = hf_document_write(&document, manifest, output, &why);
	return error < 0 ? hf_verb_fail(error, why) : HF_EXIT_GOOD;
}

int hf_verb_merge(const struct hf_arguments *arguments)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	struct hf_output output;
	char *why = NULL;
	int code = HF_EXIT_GOOD;
	int error = hf_output_open(arguments->output, &output, &why);

	if (error < 0)
		return hf_verb_fail(error, why);
	for (size_t i = 1; i < arguments->n_words && code == HF_EXIT_GOOD; i++)
		code = hf_verb_read(arguments, arguments->words[i], &manifest);
	if (code == HF_EXIT_GOOD)
		code = write_merged(arguments, &manifest, &output);
	hf_output_close(&output);
	return code;
}
