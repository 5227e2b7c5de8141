/*
 * verb: what stands on the command line of hashedfs-manifest, and the
 * functions that do it. A new option is a row in arguments.c, a new verb a
 * row in hashedfs-manifest.c and a file.
 */
#ifndef HF_MANIFEST_VERB_H
#define HF_MANIFEST_VERB_H

#include "manifest/manifest.h"

enum hf_exit {
	HF_EXIT_GOOD = 0,
	HF_EXIT_FINDINGS = 1, /* of check; not found */
	HF_EXIT_USAGE = 2,
	HF_EXIT_ENVIRONMENT = 3,
	HF_EXIT_INCOMPLETE = 4,
};

/* Bits of hf_arguments.given and hf_verb.options. */
enum hf_given {
	HF_GIVEN_HELP = 1 << 0,
	HF_GIVEN_VERSION = 1 << 1,
	HF_GIVEN_QUIET = 1 << 2,
	HF_GIVEN_VERBOSE = 1 << 3,
	HF_GIVEN_OUTPUT = 1 << 4,
	HF_GIVEN_PARTIAL = 1 << 5,
	HF_GIVEN_SOURCE = 1 << 6,
	HF_GIVEN_SOURCES_FROM = 1 << 7,
	HF_GIVEN_VIEW = 1 << 8,
	HF_GIVEN_REVERSE = 1 << 9,
	HF_GIVEN_STRICT = 1 << 10,
	HF_GIVEN_IGNORE = 1 << 11,
	HF_GIVEN_JSON = 1 << 12,
	HF_GIVEN_FORMAT = 1 << 13,
	HF_GIVEN_URL_PREFIX = 1 << 14,
	HF_GIVEN_KEY_PREFIX = 1 << 15,
	HF_GIVEN_INTEGRITY = 1 << 16,
	HF_GIVEN_NUL = 1 << 17,
	HF_GIVEN_KEEP = 1 << 18,
	HF_GIVEN_PREFIX = 1 << 19,
	HF_GIVEN_S3_DELETE = 1 << 20,
	HF_GIVEN_PREVIOUS = 1 << 21,
	HF_GIVEN_SHARD = 1 << 22,
};

/* A command line. Strings are borrowed from argv. */
struct hf_arguments {
	unsigned given;
	const char *output;
	struct hf_strings sources_from;
	struct hf_strings view;   /* the arguments of -o, in order */
	struct hf_strings ignore; /* globs */
	struct hf_strings keep;   /* manifests */
	struct hf_document document;
	const char *prefix;
	const char *previous; /* a manifest */
	struct hf_part part;  /* of the tree */
	char **words;         /* what is no option; the verb is the first */
	size_t n_words;
};

/* Sorts argv so that the words stand at its end. -EINVAL with *why. */
int hf_arguments_parse(int argc, char **argv, struct hf_arguments *ret,
		       char **why) HF_MUST_USE;
void hf_arguments_fini(struct hf_arguments *arguments);
/* Appends help lines, at most 80 columns, of the options in the set, by their
 * topics. */
void hf_arguments_help(unsigned options, struct hf_buf *ret);
/* The name of one option of the set: "--reverse"; NULL for an empty one. */
const char *hf_arguments_name(unsigned options);

struct hf_verb {
	const char *name;
	const char *synopsis; /* lines of usage, each behind the verb */
	const char *help;     /* what it does, a line of the overview */
	unsigned options;     /* enum hf_given: those that it knows */
	size_t min_words;     /* behind the verb */
	size_t max_words;
	int (*run)(const struct hf_arguments *arguments); /* enum hf_exit */
};

int hf_verb_snapshot(const struct hf_arguments *arguments);
int hf_verb_check(const struct hf_arguments *arguments);
int hf_verb_stats(const struct hf_arguments *arguments);
int hf_verb_lookup(const struct hf_arguments *arguments);
int hf_verb_diff(const struct hf_arguments *arguments);
int hf_verb_merge(const struct hf_arguments *arguments);
int hf_verb_prune(const struct hf_arguments *arguments);
int hf_verb_verify(const struct hf_arguments *arguments);

/* --- load.c: MOUNTPOINT, or SOURCES with --source ------------------------ */

/* Whether a tree is named, and with the options that fit it; complains. */
int hf_verb_has_tree(const struct hf_arguments *arguments);
/*
 * Reads what is asked for of that tree; with a meter. Complains and returns an
 * exit code if it fails. A manifest comes unsorted, findings and references
 * sorted. No thread is left running.
 */
int hf_verb_load(const struct hf_arguments *arguments,
		 const struct hf_tree *tree);

/* --- check.c -------------------------------------------------------------- */

/* Drops the findings that --ignore names. -ENOMEM. */
int hf_verb_ignore(const struct hf_arguments *arguments,
		   struct hf_findings *findings) HF_MUST_USE;

/* --- previous.c ---------------------------------------------------------- */

/* Whether a sorted manifest agrees with the one that --previous names;
 * complains and returns an exit code if not. */
int hf_verb_compare_previous(const struct hf_arguments *arguments,
			     const struct hf_manifest *manifest);

/* --- verb.c -------------------------------------------------------------- */

/* Both log the sentence `why` (stolen) and return an exit code: of a wrong
 * command line; the one that fits `error` (NULL: what strerror(3) says). */
int hf_verb_misused(char *why);
int hf_verb_fail(int error, char *why);
/* Writes to standard output and returns the exit code. */
int hf_verb_print(struct hf_buf *text);
/* Appends the rows of a manifest file and sorts all. Complains and returns an
 * exit code if it fails. */
int hf_verb_read(const struct hf_arguments *arguments, const char *file,
		 struct hf_manifest *ret);
/* Sets what -o says. -EINVAL with *why, -ENOMEM. */
int hf_verb_configure(const struct hf_arguments *arguments,
		      struct hf_config *config, char **why) HF_MUST_USE;
/* Runs `run` with a config of what -o says; complains if that is wrong. */
int hf_verb_with_config(const struct hf_arguments *arguments,
			int (*run)(const struct hf_arguments *arguments,
				   const struct hf_config *config));
/* hf_manifest_read_map with a meter. */
int hf_verb_read_mount(const struct hf_arguments *arguments, char *mount,
		       struct hf_manifest *ret, char **why) HF_MUST_USE;

#endif
