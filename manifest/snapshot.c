/* snapshot: the mapping, as a manifest that Django reads. */
#include "manifest/verb.h"

#include <errno.h>

static int read_roots(const struct hf_arguments *arguments,
		      struct hf_root_specs *ret, char **why)
{
	int error = 0;

	if (arguments->n_words > 1)
		error = hf_root_specs_parse(ret, arguments->words[1], why);
	for (size_t i = 0; i < arguments->sources_from.n && error == 0; i++)
		error = hf_root_specs_read(
			ret, arguments->sources_from.items[i], why);
	if (error < 0)
		return error;
	if (!ret->n)
		return hf_why(-EINVAL, why,
			      "no SOURCES; name a directory, as in snapshot "
			      "--source DIR");
	return hf_root_specs_resolve(ret, why);
}

/* -EINVAL: the command line is wrong. */
static int configure(const struct hf_arguments *arguments,
		     struct hf_config *config, char **why)
{
	struct hf_option_set set = hf_config_options(config);
	int error = 0;

	for (size_t i = 0; i < arguments->view.n && error == 0; i++)
		error = hf_options_parse(&set, 1, arguments->view.items[i],
					 why);
	if (error == 0)
		error = read_roots(arguments, &config->source.roots, why);
	return error < 0 ? error : hf_config_check(config, why);
}

/* The view is gone when this returns: hf_output_write wants no threads. */
static int read_sources(const struct hf_arguments *arguments,
			const struct hf_config *config, struct hf_manifest *ret)
{
	struct hf_progress progress = {0};
	struct hf_meter *meter =
		hf_meter_start(arguments->given & HF_GIVEN_QUIET,
			       hf_work_of_snapshot, &progress);
	char *why = NULL;
	int error = hf_manifest_of_sources(config, &progress, ret, &why);

	hf_meter_stop(meter);
	return error < 0 ? hf_verb_fail(error, why) : HF_EXIT_GOOD;
}

static int snapshot_sources(const struct hf_arguments *arguments,
			    struct hf_manifest *ret)
{
	struct hf_config config;
	char *why = NULL;
	int error = hf_config_init(&config);
	int code;

	if (error < 0)
		return hf_verb_fail(error, NULL);
	error = configure(arguments, &config, &why);
	if (error == -EINVAL)
		code = hf_verb_misused(why);
	else if (error < 0)
		code = hf_verb_fail(error, why);
	else
		code = read_sources(arguments, &config, ret);
	hf_config_fini(&config);
	return code;
}

static int snapshot_mount(const struct hf_arguments *arguments,
			  struct hf_manifest *ret)
{
	char *why = NULL;
	int error =
		hf_verb_read_mount(arguments, arguments->words[1], ret, &why);

	return error < 0 ? hf_verb_fail(error, why) : HF_EXIT_GOOD;
}

/* Says what is worth saying about one row. */
static void report(const struct hf_manifest_row *row, bool partial)
{
	const char *name = *row->path ? row->path : ".";
	HF_CLEANUP(hf_freep) char *escaped = hf_escaped(name);
	const char *shown = escaped ? escaped : "?";

	if (row->failed && partial)
		hf_log(HF_LOG_WARNING, "%s is left out: %s", shown,
		       row->problem);
	else if (row->failed)
		hf_log(HF_LOG_ERROR, "%s: %s", shown, row->problem);
	else if (*row->problem)
		hf_log(HF_LOG_INFO, "%s: %s", shown, row->problem);
}

/* Reports on all rows; HF_EXIT_INCOMPLETE if there must be no manifest. */
static int judge(const struct hf_manifest *manifest, bool partial)
{
	size_t failed = 0;

	for (size_t i = 0; i < manifest->n; i++) {
		failed += manifest->rows[i].failed;
		report(&manifest->rows[i], partial);
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

static int write_manifest(const struct hf_manifest *manifest,
			  struct hf_output *output)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	char *why = NULL;
	int error = hf_manifest_django(manifest, &text);

	if (error == -EIO)
		hf_why(error, &why,
		       "this system's OpenSSL policy forbids MD5, which the "
		       "manifest's hash is made of");
	if (error == 0)
		error = hf_output_write(output, text.data, text.len, &why);
	if (error < 0)
		return hf_verb_fail(error, why);
	hf_log(HF_LOG_INFO, "wrote the names of %zu files to %s",
	       count_listed(manifest), output->path);
	return HF_EXIT_GOOD;
}

static int run(const struct hf_arguments *arguments, struct hf_output *output)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	int code;

	if (arguments->given & HF_GIVEN_SOURCE)
		code = snapshot_sources(arguments, &manifest);
	else
		code = snapshot_mount(arguments, &manifest);
	if (code != HF_EXIT_GOOD)
		return code;
	hf_manifest_sort(&manifest);
	code = judge(&manifest, arguments->given & HF_GIVEN_PARTIAL);
	return code == HF_EXIT_GOOD ? write_manifest(&manifest, output) : code;
}

/* What only the whole command line can show. */
static int check(const struct hf_arguments *arguments)
{
	const unsigned of_source = HF_GIVEN_VIEW | HF_GIVEN_SOURCES_FROM;
	char *why = NULL;

	if (arguments->given & HF_GIVEN_SOURCE)
		return HF_EXIT_GOOD;
	if (arguments->given & of_source)
		hf_why(-EINVAL, &why,
		       "%s goes with --source only; a mount has its own "
		       "options",
		       hf_arguments_name(arguments->given & of_source));
	else if (arguments->n_words < 2)
		hf_why(-EINVAL, &why,
		       "no MOUNTPOINT; name one, or SOURCES with --source");
	else
		return HF_EXIT_GOOD;
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
