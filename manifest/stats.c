/* stats: what a tree amounts to. */
#include "manifest/stats.h"

#include <errno.h>
#include <sys/stat.h>

#include "manifest/verb.h"

#define OF_MANIFEST                                                            \
	(HF_GIVEN_FORMAT | HF_GIVEN_URL_PREFIX | HF_GIVEN_KEY_PREFIX)

static int compare_previous(const struct hf_arguments *arguments,
			    const struct hf_manifest *manifest,
			    struct hf_stats *stats)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest old = {0};
	int code = hf_verb_read(arguments, arguments->previous, &old);

	if (code != HF_EXIT_GOOD)
		return code;
	stats->previous = arguments->previous;
	if (hf_release_find(&old, manifest, &stats->release) < 0)
		return hf_verb_fail(-ENOMEM, NULL);
	return HF_EXIT_GOOD;
}

static int find(const struct hf_manifest *manifest,
		const struct hf_references *references, struct hf_stats *ret)
{
	int error = hf_sizes_find(manifest, &ret->sizes);

	if (error == 0)
		error = hf_chains_find(manifest, references, &ret->chains);
	return error < 0 ? hf_verb_fail(error, NULL) : HF_EXIT_GOOD;
}

static int print(const struct hf_arguments *arguments,
		 const struct hf_stats *stats)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

	if (arguments->given & HF_GIVEN_JSON)
		hf_stats_json(stats, &text);
	else
		hf_stats_text(stats, &text);
	return hf_verb_print(&text);
}

static int run(const struct hf_arguments *arguments)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	HF_CLEANUP(hf_references_fini) struct hf_references references = {0};
	const struct hf_tree tree = {.manifest = &manifest,
				     .references = &references};
	struct hf_stats stats = {0};
	int code = hf_verb_load(arguments, &tree);

	if (code != HF_EXIT_GOOD)
		return code;
	hf_manifest_sort(&manifest);
	if (arguments->previous)
		code = compare_previous(arguments, &manifest, &stats);
	if (code == HF_EXIT_GOOD)
		code = find(&manifest, &references, &stats);
	if (code == HF_EXIT_GOOD)
		code = print(arguments, &stats);
	hf_sizes_fini(&stats.sizes);
	hf_chains_fini(&stats.chains);
	return code;
}

/* A manifest alone knows names, and no sizes. */
static bool is_manifest(const struct hf_arguments *arguments)
{
	struct stat st;

	return arguments->n_words > 1 && stat(arguments->words[1], &st) == 0 &&
	       S_ISREG(st.st_mode);
}

static int refuse_manifest(const char *file)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(file);
	char *why = NULL;

	hf_why(-EINVAL, &why,
	       "%s is a file; a manifest has no sizes: name the mount, or "
	       "SOURCES with --source, and compare with --previous %s",
	       shown ? shown : "?", shown ? shown : "?");
	return hf_verb_misused(why);
}

int hf_verb_stats(const struct hf_arguments *arguments)
{
	char *why = NULL;

	if (is_manifest(arguments))
		return refuse_manifest(arguments->words[1]);
	if (arguments->given & OF_MANIFEST && !arguments->previous) {
		hf_why(-EINVAL, &why,
		       "%s is about the manifest that --previous names; name "
		       "one",
		       hf_arguments_name(arguments->given & OF_MANIFEST));
		return hf_verb_misused(why);
	}
	return hf_verb_has_tree(arguments) == HF_EXIT_GOOD ? run(arguments)
							   : HF_EXIT_USAGE;
}
