/* hashedfs-manifest: the companion of hashedfs. A table of verbs. */
#include "manifest/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "hashedfs-manifest"
/* Of verbs that write a manifest, and of those that read some. */
#define OF_WRITERS (HF_GIVEN_OUTPUT | HF_GIVEN_INTEGRITY | OF_READERS)
#define OF_READERS (HF_GIVEN_FORMAT | HF_GIVEN_URL_PREFIX | HF_GIVEN_KEY_PREFIX)
#define OF_ALL                                                                 \
	(HF_GIVEN_HELP | HF_GIVEN_VERSION | HF_GIVEN_QUIET | HF_GIVEN_VERBOSE)

static const struct hf_verb verbs[] = {
	{
		.name = "snapshot",
		.synopsis = "[OPTION]... MOUNTPOINT\0"
			    "--source [OPTION]... SOURCES\0",
		.help = "write the mapping as a manifest, Django's or another",
		.options = OF_ALL | OF_WRITERS | HF_GIVEN_PARTIAL |
			   HF_GIVEN_SOURCE | HF_GIVEN_VIEW |
			   HF_GIVEN_SOURCES_FROM | HF_GIVEN_STRICT |
			   HF_GIVEN_IGNORE | HF_GIVEN_PREVIOUS | HF_GIVEN_SHARD,
		.min_words = 0,
		.max_words = 1,
		.run = hf_verb_snapshot,
	},
	{
		.name = "check",
		.synopsis = "[OPTION]... MOUNTPOINT\0"
			    "--source [OPTION]... SOURCES\0",
		.help = "print what is worth knowing about a tree",
		.options = OF_ALL | HF_GIVEN_IGNORE | HF_GIVEN_JSON |
			   HF_GIVEN_SOURCE | HF_GIVEN_VIEW |
			   HF_GIVEN_SOURCES_FROM,
		.min_words = 0,
		.max_words = 1,
		.run = hf_verb_check,
	},
	{
		.name = "stats",
		.synopsis = "[OPTION]... [MANIFEST] MOUNTPOINT\0"
			    "--source [OPTION]... [MANIFEST] SOURCES\0",
		.help = "print how large a tree is, and what refers to what",
		.options = OF_ALL | OF_READERS | HF_GIVEN_JSON |
			   HF_GIVEN_PREVIOUS | HF_GIVEN_SOURCE | HF_GIVEN_VIEW |
			   HF_GIVEN_SOURCES_FROM,
		.min_words = 0,
		.max_words = 2,
		.run = hf_verb_stats,
	},
	{
		.name = "lookup",
		.synopsis = "[-qv] [--reverse] MOUNTPOINT|MANIFEST NAME\0",
		.help = "print the hashed name of one file",
		.options = OF_ALL | OF_READERS | HF_GIVEN_REVERSE,
		.min_words = 2,
		.max_words = 2,
		.run = hf_verb_lookup,
	},
	{
		.name = "diff",
		.synopsis = "[-qv] [--json | -0] OLD NEW\0",
		.help = "print what became of names between two manifests",
		.options = OF_ALL | OF_READERS | HF_GIVEN_JSON | HF_GIVEN_NUL,
		.min_words = 2,
		.max_words = 2,
		.run = hf_verb_diff,
	},
	{
		.name = "prune",
		.synopsis = "[OPTION]... --keep MANIFEST... LISTING\0",
		.help = "print which stored files no kept manifest names",
		.options = OF_ALL | OF_READERS | HF_GIVEN_KEEP |
			   HF_GIVEN_PREFIX | HF_GIVEN_NUL | HF_GIVEN_S3_DELETE |
			   HF_GIVEN_VIEW,
		.min_words = 1,
		.max_words = 1,
		.run = hf_verb_prune,
	},
	{
		.name = "merge",
		.synopsis = "[OPTION]... MANIFEST...\0",
		.help = "write several manifests as one",
		.options = OF_ALL | OF_WRITERS,
		.min_words = 1,
		.max_words = SIZE_MAX,
		.run = hf_verb_merge,
	},
	{
		.name = "verify",
		.synopsis = "[OPTION]... MANIFEST DIR|MOUNTPOINT\0",
		.help = "check that files are there, with the right bytes",
		.options = OF_ALL | OF_READERS | HF_GIVEN_VIEW,
		.min_words = 2,
		.max_words = 2,
		.run = hf_verb_verify,
	},
};

static const struct hf_verb *find_verb(const char *name)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(verbs); i++) {
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

/* Usage lines; `lead` is what stands before the first one. */
static void add_usage(const struct hf_verb *verb, const char *lead,
		      struct hf_buf *ret)
{
	for (const char *line = verb->synopsis; *line;
	     line += strlen(line) + 1) {
		hf_buf_printf(ret, "%s" PROGRAM " %s %s\n", lead, verb->name,
			      line);
		lead = "       ";
	}
}

static void add_overview(struct hf_buf *ret)
{
	const char *lead = "usage: ";

	for (size_t i = 0; i < HF_ARRAY_SIZE(verbs); i++) {
		add_usage(&verbs[i], lead, ret);
		lead = "       ";
	}
	hf_buf_puts(ret, "\nVerbs:\n");
	for (size_t i = 0; i < HF_ARRAY_SIZE(verbs); i++)
		hf_buf_printf(ret, "  %-23s %s\n", verbs[i].name,
			      verbs[i].help);
	hf_arguments_help(~0u, ret);
	hf_formats_help(ret);
}

/* `verb`: NULL for all of them. */
static int add_view_options(const struct hf_verb *verb, struct hf_buf *ret)
{
	struct hf_config config;
	struct hf_option_set set;
	int error = hf_config_init(&config);

	if (error < 0)
		return error;
	set = hf_config_options(&config);
	if (!verb || verb->options & HF_GIVEN_SOURCE)
		hf_buf_puts(ret, "\nSOURCES: [PREFIX=]DIR[:[PREFIX=]DIR...], "
				 "the first that has a file wins\n");
	hf_buf_puts(ret, "\nOptions of the view (-o a,b=c):\n");
	hf_options_help(&set, ret);
	hf_config_fini(&config);
	return 0;
}

static int help(const struct hf_verb *verb)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	int error = 0;

	if (verb) {
		add_usage(verb, "usage: ", &text);
		hf_buf_printf(&text, "\n%s\n", verb->help);
		hf_arguments_help(verb->options, &text);
		if (verb->options & HF_GIVEN_FORMAT)
			hf_formats_help(&text);
	} else {
		add_overview(&text);
	}
	if (!verb || verb->options & HF_GIVEN_VIEW)
		error = add_view_options(verb, &text);
	return error < 0 ? hf_verb_fail(error, NULL) : hf_verb_print(&text);
}

static int version(void)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

	hf_buf_printf(&text,
		      PROGRAM " " HF_VERSION
			      "\nOpenSSL %s\nSQLite %s\nJansson %s\n",
		      hf_openssl_version(), hf_sqlite_version(),
		      hf_jansson_version());
	return hf_verb_print(&text);
}

/* Whether the verb knows the options and has its words. */
static int run_verb(const struct hf_verb *verb,
		    const struct hf_arguments *arguments)
{
	unsigned foreign = arguments->given & ~verb->options;
	size_t n = arguments->n_words - 1;
	char *why = NULL;

	if (foreign)
		hf_why(-EINVAL, &why,
		       "%s does not go with %s; see " PROGRAM " %s --help",
		       hf_arguments_name(foreign), verb->name, verb->name);
	else if (n > verb->max_words && arguments->given & HF_GIVEN_SOURCE)
		hf_why(-EINVAL, &why,
		       "too many arguments; several sources are one word, with "
		       "':' between: --source DIR:DIR");
	else if (n < verb->min_words || n > verb->max_words)
		hf_why(-EINVAL, &why,
		       "too %s arguments; usage: " PROGRAM " %s %s",
		       n < verb->min_words ? "few" : "many", verb->name,
		       verb->synopsis);
	else
		return verb->run(arguments);
	return hf_verb_misused(why);
}

static int unknown_verb(const char *name)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf names = {0};
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(name);
	char *why = NULL;

	for (size_t i = 0; i < HF_ARRAY_SIZE(verbs); i++)
		hf_buf_printf(&names, "%s%s", i ? ", " : "", verbs[i].name);
	if (shown && hf_buf_status(&names) == 0)
		hf_why(-EINVAL, &why, "unknown verb %s; the verbs are %s",
		       shown, names.data);
	return hf_verb_misused(why);
}

static int no_verb(void)
{
	fputs("usage:   " PROGRAM " VERB [OPTION]... ARGUMENT...\n"
	      "example: " PROGRAM " snapshot --source static\n",
	      stderr);
	return HF_EXIT_USAGE;
}

static int run(const struct hf_arguments *arguments)
{
	const struct hf_verb *verb =
		arguments->n_words ? find_verb(arguments->words[0]) : NULL;

	if (arguments->given & HF_GIVEN_VERSION)
		return version();
	if (arguments->n_words && !verb)
		return unknown_verb(arguments->words[0]);
	if (arguments->given & HF_GIVEN_HELP)
		return help(verb);
	return verb ? run_verb(verb, arguments) : no_verb();
}

/*
 * A standard descriptor that the caller closed must not be given to a file
 * that is opened later. Read-only, so that writing to it still fails.
 */
static void hold_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Memory that is free is given back in the end, which is soon. */
static void keep_memory(void)
{
#ifdef __GLIBC__
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024); /* no more is allowed */
#endif
}

int main(int argc, char **argv)
{
	struct hf_arguments arguments;
	char *why = NULL;
	int error, code;

	keep_memory();
	hold_standard_fds();
	/* Then write(2) tells, with EPIPE and EFBIG. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	hf_log_init(PROGRAM, HF_LOG_WARNING);
	error = hf_arguments_parse(argc, argv, &arguments, &why);
	if (error == -EINVAL)
		return hf_verb_misused(why);
	if (error < 0)
		return hf_verb_fail(error, why);
	if (arguments.given & HF_GIVEN_VERBOSE)
		hf_log_init(PROGRAM, HF_LOG_INFO);
	code = run(&arguments);
	hf_arguments_fini(&arguments);
	return code;
}
