/* stats: what a tree amounts to. */
#include "manifest/stats.h"

#include <errno.h>
#include <sys/stat.h>

#include "manifest/verb.h"

#define OF_MANIFEST                                                            \
	(HF_GIVEN_FORMAT | HF_GIVEN_URL_PREFIX | HF_GIVEN_KEY_PREFIX)

/* What is asked for, read. */
struct reading {
	struct hf_manifest names; /* of the manifest that is named, if one is */
	struct hf_manifest tree;
	struct hf_references references;
	struct hf_stats stats;
};

static void reading_fini(struct reading *reading)
{
	hf_fit_fini(&reading->stats.fit);
	hf_sizes_fini(&reading->stats.sizes);
	hf_chains_fini(&reading->stats.chains);
	hf_manifest_fini(&reading->names);
	hf_manifest_fini(&reading->tree);
	hf_references_fini(&reading->references);
}

static int compare_previous(const struct hf_arguments *arguments,
			    struct reading *reading)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest old = {0};
	struct hf_stats *stats = &reading->stats;
	int code = hf_verb_read(arguments, arguments->previous, &old);

	if (code != HF_EXIT_GOOD)
		return code;
	stats->previous = arguments->previous;
	if (hf_release_find(&old,
			    stats->manifest ? &reading->names : &reading->tree,
			    &reading->tree, &stats->release) < 0)
		return hf_verb_fail(-ENOMEM, NULL);
	return HF_EXIT_GOOD;
}

static int find(struct reading *reading)
{
	struct hf_stats *stats = &reading->stats;
	int error = 0;

	hf_manifest_sort(&reading->tree);
	if (stats->manifest)
		error = hf_fit_find(&reading->names, &reading->tree,
				    &stats->fit);
	if (error == 0)
		error = hf_sizes_find(&reading->tree, &stats->sizes);
	if (error == 0)
		error = hf_chains_find(&reading->tree, &reading->references,
				       &stats->chains);
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

/* `manifest`: NULL: the tree has its own names. */
static int run(const struct hf_arguments *arguments, const char *manifest)
{
	HF_CLEANUP(reading_fini)
	struct reading reading = {.stats.manifest = manifest};
	const struct hf_tree tree = {.manifest = &reading.tree,
				     .references = &reading.references};
	int code = hf_verb_has_tree(arguments);

	if (code == HF_EXIT_GOOD && manifest)
		code = hf_verb_read(arguments, manifest, &reading.names);
	if (code == HF_EXIT_GOOD)
		code = hf_verb_load(arguments, &tree);
	if (code == HF_EXIT_GOOD)
		code = find(&reading);
	if (code == HF_EXIT_GOOD && arguments->previous)
		code = compare_previous(arguments, &reading);
	if (code == HF_EXIT_GOOD)
		code = print(arguments, &reading.stats);
	return code;
}

/* --- a manifest before the tree ------------------------------------------ */

/* A directory is a tree, and so is what has ':' or '=' in it. */
static bool is_manifest(const char *word)
{
	struct stat st;

	return stat(word, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* A manifest alone knows names, and no sizes. */
static int refuse_alone(const char *manifest)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(manifest);
	char *why = NULL;

	hf_why(-EINVAL, &why,
	       "%s is a file; a manifest has no sizes: name the tree, too, a "
	       "mount or SOURCES with --source, or compare with --previous %s",
	       shown ? shown : "?", shown ? shown : "?");
	return hf_verb_misused(why);
}

static int refuse_first(const char *word)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(word);
	char *why = NULL;

	hf_why(-EINVAL, &why,
	       "%s is no file; a MANIFEST comes first, and several sources are "
	       "one word, with ':' between: --source DIR:DIR",
	       shown ? shown : "?");
	return hf_verb_misused(why);
}

static int run_with(const struct hf_arguments *arguments)
{
	char *words[] = {arguments->words[0], arguments->words[2]};
	struct hf_arguments rest = *arguments;

	if (arguments->n_words == 2 && !arguments->sources_from.n)
		return refuse_alone(arguments->words[1]);
	if (arguments->n_words > 2 && !is_manifest(arguments->words[1]))
		return refuse_first(arguments->words[1]);
	rest.words = words;
	rest.n_words--;
	return run(&rest, arguments->words[1]);
}

int hf_verb_stats(const struct hf_arguments *arguments)
{
	bool with =
		arguments->n_words > 2 ||
		(arguments->n_words > 1 && is_manifest(arguments->words[1]));
	char *why = NULL;

	if (with)
		return run_with(arguments);
	if (arguments->given & OF_MANIFEST && !arguments->previous) {
		hf_why(-EINVAL, &why,
		       "%s is about a MANIFEST, or the one that --previous "
		       "names; name one",
		       hf_arguments_name(arguments->given & OF_MANIFEST));
		return hf_verb_misused(why);
	}
	return run(arguments, NULL);
}
