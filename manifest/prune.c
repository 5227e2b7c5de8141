/*
 * prune: which stored objects no manifest names that is to be kept. Only what
 * looks as a hashed name does is ever told.
 */
#include "manifest/verb.h"

#include <errno.h>
#include <string.h>

#include "manifest/format.h"
#include "manifest/listing.h"

/* What `aws s3api delete-objects` takes at once. */
#define BATCH 1000

/* --- what is to be kept -------------------------------------------------- */

static void free_map(struct hf_map **map)
{
	hf_map_free(*map);
}

/* All rows of the manifests that --keep names. */
static int read_kept(const struct hf_arguments *arguments,
		     struct hf_manifest *ret)
{
	char *why = NULL;
	int code = HF_EXIT_GOOD;

	if (!arguments->keep.n) {
		hf_why(-EINVAL, &why,
		       "nothing would be kept; name the manifests of all "
		       "releases that are in use with --keep");
		return hf_verb_misused(why);
	}
	for (size_t i = 0; i < arguments->keep.n && code == HF_EXIT_GOOD; i++) {
		const char *file = arguments->keep.items[i];
		HF_CLEANUP(hf_freep) char *shown = hf_escaped(file);
		size_t before = ret->n;

		code = hf_verb_read(arguments, file, ret);
		if (code != HF_EXIT_GOOD || ret->n > before)
			continue;
		hf_why(-EINVAL, &why, "%s names no file; nothing is pruned",
		       shown ? shown : "?");
		code = hf_verb_fail(-EINVAL, why);
	}
	return code;
}

/* --- what is not --------------------------------------------------------- */

struct pruning {
	const struct hf_config *config;
	const struct hf_map *kept;
	const char *prefix;
	size_t n_kept; /* keys of the listing that are kept */
};

/* 1: the key can go; 0: it stays. */
static int judge(struct pruning *pruning, const char *key)
{
	size_t len = strlen(pruning->prefix);
	const char *name = key + len;
	bool hashed = false;
	int error;

	if (strncmp(key, pruning->prefix, len) != 0)
		return 0;
	if (hf_map_get(pruning->kept, name, strlen(name))) {
		pruning->n_kept++;
		return 0;
	}
	error = hf_config_carries(pruning->config, name, &hashed);
	return error < 0 ? error : hashed;
}

static int select_keys(struct pruning *pruning,
		       const struct hf_strings *listing, struct hf_strings *ret)
{
	for (size_t i = 0; i < listing->n; i++) {
		const char *key = listing->items[i];
		int verdict = judge(pruning, key);

		if (verdict > 0)
			verdict = hf_strings_add(ret, key, strlen(key));
		if (verdict < 0)
			return verdict;
	}
	return 0;
}

/* --- how it is told ------------------------------------------------------ */

/* One document a line: what delete-objects takes with --delete. */
static void print_batches(const struct hf_strings *keys, struct hf_buf *ret)
{
	for (size_t i = 0; i < keys->n; i++) {
		hf_buf_puts(ret, i % BATCH ? ", " : "{\"Objects\": [");
		hf_buf_puts(ret, "{\"Key\": ");
		hf_quote(keys->items[i], ret);
		hf_buf_putc(ret, '}');
		if (i % BATCH == BATCH - 1 || i + 1 == keys->n)
			hf_buf_puts(ret, "], \"Quiet\": true}\n");
	}
}

/* -EILSEQ: a line cannot hold a key. */
static int print_lines(const struct hf_strings *keys, char end,
		       struct hf_buf *ret)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (strchr(keys->items[i], end) && end)
			return -EILSEQ;
		hf_buf_puts(ret, keys->items[i]);
		hf_buf_putc(ret, end);
	}
	return 0;
}

static int print(const struct hf_arguments *arguments,
		 const struct hf_strings *keys)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	bool nul = arguments->given & HF_GIVEN_NUL;
	char *why = NULL;

	hf_buf_puts(&text, "");
	if (arguments->given & HF_GIVEN_S3_DELETE) {
		print_batches(keys, &text);
	} else if (print_lines(keys, nul ? '\0' : '\n', &text) < 0) {
		hf_why(-EILSEQ, &why,
		       "a key has a newline in it; -0 or --s3-delete can tell "
		       "it");
		return hf_verb_fail(-EILSEQ, why);
	}
	return hf_verb_print(&text);
}

/* --- the verb ------------------------------------------------------------ */

static int prune(const struct hf_arguments *arguments, struct pruning *pruning,
		 const struct hf_strings *listing)
{
	HF_CLEANUP(hf_strings_fini) struct hf_strings keys = {0};
	char *why = NULL;
	int error = select_keys(pruning, listing, &keys);

	if (error < 0)
		return hf_verb_fail(error, NULL);
	hf_log(HF_LOG_INFO, "%zu of %zu keys are kept, %zu can go",
	       pruning->n_kept, listing->n, keys.n);
	if (!keys.n || pruning->n_kept)
		return print(arguments, &keys);
	/* Rather a wrong prefix than a bucket without any release. */
	hf_why(-EINVAL, &why,
	       "no key of the listing is a name that is to be kept, so nothing "
	       "is pruned; --prefix says what stands before the names");
	return hf_verb_fail(-EINVAL, why);
}

static int run(const struct hf_arguments *arguments,
	       const struct hf_config *config)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	HF_CLEANUP(hf_strings_fini) struct hf_strings listing = {0};
	HF_CLEANUP(free_map) struct hf_map *kept = NULL;
	struct pruning pruning = {
		.config = config,
		.prefix = arguments->prefix ? arguments->prefix : "",
	};
	char *why = NULL;
	int code = read_kept(arguments, &manifest);
	int error;

	if (code != HF_EXIT_GOOD)
		return code;
	error = hf_manifest_index(&manifest, &kept);
	pruning.kept = kept;
	if (error == 0)
		error = hf_listing_read(arguments->words[1], &listing, &why);
	if (error < 0)
		return hf_verb_fail(error, why);
	return prune(arguments, &pruning, &listing);
}

int hf_verb_prune(const struct hf_arguments *arguments)
{
	return hf_verb_with_config(arguments, run);
}
