/*
 * The command line. One table for all verbs: an option means the same
 * everywhere, and it may stand anywhere, even before the verb that it is for.
 */
#include "manifest/verb.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

/* What an option is about; help is in this order. */
enum topic { TREE, DOCUMENT, COMPARISON, PRINTING, ALL };

static const char *const topics[] = {
	[TREE] = "What is read",       [DOCUMENT] = "The manifest",
	[COMPARISON] = "Against what", [PRINTING] = "What is printed",
	[ALL] = "In general",
};

struct row {
	const char *name; /* "--name", or "-x" if it has a letter only */
	char letter;      /* 0: it has a name only */
	enum hf_given bit;
	const char *arg; /* NULL for a flag */
	enum topic topic;
	const char *help;
};

static const struct row rows[] = {
	{"--source", 0, HF_GIVEN_SOURCE, NULL, TREE,
	 "read SOURCES, without a mount"},
	{"--sources-from", 0, HF_GIVEN_SOURCES_FROM, "FILE", TREE,
	 "read SOURCES from FILE, one a line"},
	{"-o", 'o', HF_GIVEN_VIEW, "OPTIONS", TREE, "options of the view"},
	{"--shard", 0, HF_GIVEN_SHARD, "K/N", TREE,
	 "the K-th of N parts alone"},
	{"--reverse", 0, HF_GIVEN_REVERSE, NULL, TREE,
	 "NAME is a hashed name, print its source"},
	{"--output", 0, HF_GIVEN_OUTPUT, "FILE", DOCUMENT,
	 "write to FILE, whole or not at all"},
	{"--format", 0, HF_GIVEN_FORMAT, "NAME", DOCUMENT,
	 "of the manifest, see below"},
	{"--url-prefix", 0, HF_GIVEN_URL_PREFIX, "URL", DOCUMENT,
	 "what stands before each hashed name"},
	{"--key-prefix", 0, HF_GIVEN_KEY_PREFIX, "TEXT", DOCUMENT,
	 "what stands before each name"},
	{"--integrity", 0, HF_GIVEN_INTEGRITY, "NAME", DOCUMENT,
	 "add integrity values: sha256, sha384, sha512"},
	{"--partial", 0, HF_GIVEN_PARTIAL, NULL, DOCUMENT,
	 "leave out what cannot be read"},
	{"--strict", 0, HF_GIVEN_STRICT, NULL, DOCUMENT,
	 "check first; findings are an error"},
	{"--previous", 0, HF_GIVEN_PREVIOUS, "MANIFEST", COMPARISON,
	 "of the release before, to compare with"},
	{"--keep", 0, HF_GIVEN_KEEP, "MANIFEST", COMPARISON,
	 "of a release that is in use"},
	{"--prefix", 0, HF_GIVEN_PREFIX, "TEXT", COMPARISON,
	 "what stands before the names in a listing"},
	{"--ignore", 0, HF_GIVEN_IGNORE, "GLOBS", PRINTING,
	 "findings to pass over, as FILE:URL"},
	{"--json", 0, HF_GIVEN_JSON, NULL, PRINTING, "print JSON"},
	{"-0", '0', HF_GIVEN_NUL, NULL, PRINTING,
	 "end what is printed with NUL"},
	{"--s3-delete", 0, HF_GIVEN_S3_DELETE, NULL, PRINTING,
	 "print what aws s3api delete-objects takes"},
	{"--quiet", 'q', HF_GIVEN_QUIET, NULL, ALL, "show no progress"},
	{"--verbose", 'v', HF_GIVEN_VERBOSE, NULL, ALL, "tell more"},
	{"--help", 'h', HF_GIVEN_HELP, NULL, ALL, "show help, of a verb too"},
	{"--version", 'V', HF_GIVEN_VERSION, NULL, ALL, "show versions"},
};

#define MAX_PARTS 65536
#define HELP_COLUMN 26
#define N_ROWS HF_ARRAY_SIZE(rows)
/* What getopt_long returns for the name of rows[i]: no character. */
#define CODE(i) (256 + (int)(i))

/* What getopt_long wants to be told. */
struct tables {
	struct option names[N_ROWS + 1];
	char letters[2 * N_ROWS + 2];
};

static void make_tables(struct tables *ret)
{
	struct option *name = ret->names;
	char *letter = ret->letters;

	memset(ret, 0, sizeof(*ret));
	*letter++ = ':';
	for (size_t i = 0; i < N_ROWS; i++) {
		int arg = rows[i].arg ? required_argument : no_argument;

		if (rows[i].name[1] == '-')
			*name++ = (struct option){rows[i].name + 2, arg, NULL,
						  CODE(i)};
		if (rows[i].letter) {
			*letter++ = rows[i].letter;
			if (rows[i].arg)
				*letter++ = ':';
		}
	}
}

/* The row of a code or a letter, or NULL. */
static const struct row *find_row(int code)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (code == CODE(i) || (code && code == rows[i].letter))
			return &rows[i];
	}
	return NULL;
}

static int add_globs(struct hf_strings *globs, const char *text)
{
	size_t before = globs->n;
	int error = hf_split(globs, text, ':');

	for (size_t i = before; i < globs->n; i++)
		hf_unbackslash(globs->items[i]);
	return error;
}

/* "K/N" in decimal, 1 <= K <= N. */
static int parse_part(const char *text, struct hf_part *ret, char **why)
{
	const char *slash = strchr(text, '/');
	uint64_t k, n;

	if (!slash ||
	    !hf_span_number((struct hf_span){text, (size_t)(slash - text)},
			    &k) ||
	    !hf_span_number((struct hf_span){slash + 1, strlen(slash + 1)},
			    &n) ||
	    k < 1 || k > n || n > MAX_PARTS)
		return hf_why(-EINVAL, why,
			      "--shard must be K/N, as 1/4, with K from 1 to N "
			      "and N up to %d",
			      MAX_PARTS);
	*ret = (struct hf_part){(unsigned)k, (unsigned)n};
	return 0;
}

static int take(const struct row *row, const char *value,
		struct hf_arguments *ret, char **why)
{
	ret->given |= row->bit;
	switch (row->bit) {
	case HF_GIVEN_OUTPUT:
		ret->output = value;
		return 0;
	case HF_GIVEN_IGNORE:
		return add_globs(&ret->ignore, value);
	case HF_GIVEN_SOURCES_FROM:
		return hf_strings_add(&ret->sources_from, value, strlen(value));
	case HF_GIVEN_VIEW:
		return hf_strings_add(&ret->view, value, strlen(value));
	case HF_GIVEN_KEEP:
		return hf_strings_add(&ret->keep, value, strlen(value));
	case HF_GIVEN_PREFIX:
		ret->prefix = value;
		return 0;
	case HF_GIVEN_PREVIOUS:
		ret->previous = value;
		return 0;
	case HF_GIVEN_SHARD:
		return parse_part(value, &ret->part, why);
	case HF_GIVEN_FORMAT:
	case HF_GIVEN_URL_PREFIX:
	case HF_GIVEN_KEY_PREFIX:
	case HF_GIVEN_INTEGRITY:
		return hf_document_set(&ret->document, row->name, value, why);
	default:
		return 0;
	}
}

/* Whether it belongs behind -o: "--length=8". */
static bool is_of_view(const char *word)
{
	const struct hf_option_set set = hf_config_options(NULL);

	return !strncmp(word, "--", 2) && hf_options_have(&set, word + 2);
}

/* Why getopt_long returned '?' or ':'. */
static int refuse(int code, const char *word, char **why)
{
	const struct row *row = find_row(optopt);
	char letter[] = {'-', (char)optopt, '\0'};
	bool is_letter = optopt && optopt < CODE(0);
	HF_CLEANUP(hf_freep) char *shown = NULL;

	shown = hf_escaped(is_letter ? letter : word);
	if (!shown)
		return -ENOMEM;
	if (row && code == ':')
		return hf_why(-EINVAL, why, "%s needs an argument: %s %s",
			      row->name, row->name, row->arg);
	if (row)
		return hf_why(-EINVAL, why, "%s takes no argument", row->name);
	if (!is_letter && is_of_view(word))
		return hf_why(-EINVAL, why, "unknown option %s; write -o %s",
			      shown, shown + strlen("--"));
	return hf_why(-EINVAL, why,
		      "unknown option %s; see hashedfs-manifest --help", shown);
}

static int parse(int argc, char **argv, struct hf_arguments *ret, char **why)
{
	struct tables tables;
	const struct row *row;
	int code, error;

	make_tables(&tables);
	opterr = 0;
	optind = 0; /* from the start, also in a second call */
	while ((code = getopt_long(argc, argv, tables.letters, tables.names,
				   NULL)) >= 0) {
		if (code == '?' || code == ':')
			return refuse(code, argv[optind - 1], why);
		row = find_row(code);
		assert(row);
		error = take(row, optarg, ret, why);
		if (error < 0)
			return error;
	}
	ret->words = argv + optind;
	ret->n_words = (size_t)(argc - optind);
	return hf_document_check(&ret->document, why);
}

int hf_arguments_parse(int argc, char **argv, struct hf_arguments *ret,
		       char **why)
{
	struct hf_arguments arguments = {0};
	int error = parse(argc, argv, &arguments, why);

	if (error < 0)
		hf_arguments_fini(&arguments);
	else
		*ret = arguments;
	return error;
}

void hf_arguments_fini(struct hf_arguments *arguments)
{
	hf_strings_fini(&arguments->sources_from);
	hf_strings_fini(&arguments->view);
	hf_strings_fini(&arguments->ignore);
	hf_strings_fini(&arguments->keep);
}

static void add_help(const struct row *row, struct hf_buf *ret)
{
	bool has_name = row->name[1] == '-';
	size_t start = ret->len;

	hf_buf_puts(ret, "  ");
	if (has_name && row->letter)
		hf_buf_printf(ret, "-%c, ", row->letter);
	else if (has_name)
		hf_buf_puts(ret, "    ");
	hf_buf_puts(ret, row->name);
	if (row->arg)
		hf_buf_printf(ret, " %s", row->arg);
	while (!ret->failed && ret->len - start < HELP_COLUMN)
		hf_buf_putc(ret, ' ');
	hf_buf_printf(ret, "%s\n", row->help);
}

static void add_topic(enum topic topic, unsigned options, struct hf_buf *ret)
{
	const char *heading = topics[topic];

	for (size_t i = 0; i < N_ROWS; i++) {
		if (rows[i].topic != topic || !(options & rows[i].bit))
			continue;
		if (heading)
			hf_buf_printf(ret, "\n%s:\n", heading);
		heading = NULL;
		add_help(&rows[i], ret);
	}
}

void hf_arguments_help(unsigned options, struct hf_buf *ret)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(topics); i++)
		add_topic((enum topic)i, options, ret);
}

const char *hf_arguments_name(unsigned options)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (options & rows[i].bit)
			return rows[i].name;
	}
	return NULL;
}
