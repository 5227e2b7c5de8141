/* load: the tree that a command line names, a mount or sources. */
#include "manifest/verb.h"

#include <errno.h>

/* How often a mount may change between two of its files. */
#define TRIES 3

/* --- sources ------------------------------------------------------------- */

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
			      "no SOURCES; name a directory, as in %s --source "
			      "DIR",
			      arguments->words[0]);
	return hf_root_specs_resolve(ret, why);
}

/* -EINVAL: the command line is wrong. */
static int configure(const struct hf_arguments *arguments,
		     struct hf_config *config, char **why)
{
	int error = hf_verb_configure(arguments, config, why);

	if (error == 0)
		error = read_roots(arguments, &config->source.roots, why);
	return error < 0 ? error : hf_config_check(config, why);
}

/* The view is gone when this returns: hf_output_write wants no threads. */
static int read_sources(const struct hf_arguments *arguments,
			const struct hf_config *config,
			const struct hf_tree *tree)
{
	struct hf_progress progress = {0};
	struct hf_meter *meter;
	char *why = NULL;
	int error;

	hf_output_check_apart(arguments->output, &config->source);
	meter = hf_meter_start(arguments->given & HF_GIVEN_QUIET,
			       hf_work_of_snapshot, &progress);
	error = hf_tree_of_sources(config, &progress, tree, &why);
	hf_meter_stop(meter);
	return error < 0 ? hf_verb_fail(error, why) : HF_EXIT_GOOD;
}

static int load_sources(const struct hf_arguments *arguments,
			const struct hf_tree *tree)
{
	struct hf_config config;
	char *why = NULL;
	int error = hf_config_init(&config);
	int code;

	if (error < 0)
		return hf_verb_fail(error, NULL);
	config.integrity = arguments->document.integrity;
	config.part = arguments->part;
	error = configure(arguments, &config, &why);
	if (error == -EINVAL)
		code = hf_verb_misused(why);
	else if (error < 0)
		code = hf_verb_fail(error, why);
	else
		code = read_sources(arguments, &config, tree);
	hf_config_fini(&config);
	return code;
}

/* --- a mount ------------------------------------------------------------- */

static int read_mount(const char *mount, const struct hf_algorithm *integrity,
		      const struct hf_tree *tree, char **why)
{
	int error = 0;

	if (tree->findings)
		error = hf_findings_read(mount, tree->findings, why);
	if (error == 0 && tree->references)
		error = hf_references_read(mount, tree->references, why);
	if (error == 0 && tree->manifest)
		error = hf_manifest_read_map(mount, integrity, tree->manifest,
					     why);
	return error;
}

/* Files of a mount are of one moment if they name the same generation. */
static bool is_one_moment(const struct hf_tree *tree)
{
	if (!tree->manifest)
		return true;
	if (tree->findings)
		return tree->findings->generation == tree->manifest->generation;
	return !tree->references ||
	       tree->references->generation == tree->manifest->generation;
}

static void drop(const struct hf_tree *tree)
{
	if (tree->manifest)
		hf_manifest_fini(tree->manifest);
	if (tree->findings)
		hf_findings_fini(tree->findings);
	if (tree->references)
		hf_references_fini(tree->references);
}

static int read_mount_at_once(const char *mount,
			      const struct hf_algorithm *integrity,
			      const struct hf_tree *tree, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(mount);

	for (int i = 0; i < TRIES; i++) {
		int error = read_mount(mount, integrity, tree, why);

		if (error < 0 || is_one_moment(tree))
			return error;
		drop(tree);
	}
	return hf_why(-EAGAIN, why,
		      "the tree under %s keeps changing; try again when it is "
		      "quiet",
		      shown ? shown : "?");
}

static int load_mount(const struct hf_arguments *arguments,
		      const struct hf_tree *tree)
{
	char *mount = arguments->words[1];
	struct hf_meter *meter = hf_meter_start(
		arguments->given & HF_GIVEN_QUIET, hf_work_of_mount, mount);
	char *why = NULL;
	int error = read_mount_at_once(mount, arguments->document.integrity,
				       tree, &why);

	hf_meter_stop(meter);
	if (error == 0 && tree->manifest &&
	    hf_document_has_urls(&arguments->document))
		error = hf_manifest_read_url(mount, tree->manifest, &why);
	return error < 0 ? hf_verb_fail(error, why) : HF_EXIT_GOOD;
}

/* --- either -------------------------------------------------------------- */

int hf_verb_has_tree(const struct hf_arguments *arguments)
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

int hf_verb_load(const struct hf_arguments *arguments,
		 const struct hf_tree *tree)
{
	if (arguments->given & HF_GIVEN_SOURCE)
		return load_sources(arguments, tree);
	return load_mount(arguments, tree);
}
