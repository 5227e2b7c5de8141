/* hashedfs-export: writes the view to a directory. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/exporting.h"

#define USAGE "hashedfs-export [OPTIONS] SOURCE[:SOURCE...] DIR\n"
#define EXAMPLE "hashedfs-export --manifest staticfiles.json static public\n"

/* What stands on the command line. Strings are borrowed from argv. */
struct arguments {
	struct hf_program program;
	struct hf_exporting exporting;
};

static int refuse_usage(void)
{
	fputs("usage:   " USAGE "example: " EXAMPLE, stderr);
	return HF_EXIT_USAGE;
}

static int print_help(struct hf_program *program)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

	hf_buf_puts(
		&text,
		"usage: " USAGE "\n"
		"Writes what a mount of the SOURCEs would show to the "
		"directory DIR, which is\n"
		"made if it is not there. Files of these names and bytes stay "
		"as they are; files\n"
		"of other names are not touched.\n"
		"\n"
		"    -o OPTION[,...]       options, see below\n"
		"    --sources-from FILE   read SOURCES from FILE, one a line "
		"(-: stdin)\n"
		"    --manifest FILE       write a manifest when all files "
		"are there\n" HF_ORDER_DOCUMENT_HELP
		"    --prune-from FILE     then remove hashed files that only "
		"the manifest FILE\n"
		"                          names\n"
		"    --partial             leave out what cannot be read\n"
		"    -n, --dry-run         print what would be done, and do "
		"nothing\n" HF_ORDER_QUIET_HELP);
	hf_formats_help(&text);
	hf_program_help(program, &text);
	return hf_program_print(&text);
}

/* --- the command line ---------------------------------------------------- */

/* An option; an exit status, or -1: go on. */
static int take(struct arguments *arguments, int code, const char *word)
{
	int status = hf_order_take(&arguments->exporting.order, code, optarg);

	if (status != 0)
		return status;
	switch (code) {
	case 'P':
		arguments->exporting.prune_from = optarg;
		return -1;
	case 'n':
		arguments->exporting.dry = true;
		return -1;
	case 'h':
		return print_help(&arguments->program);
	case 'V':
		return hf_program_version("hashedfs-export", NULL,
					  hf_jansson_version());
	default:
		return hf_program_refuse_option(code, word);
	}
}

/* SOURCES may be missing where a file gave some. */
static int take_words(struct arguments *arguments, char **words, int n)
{
	struct hf_order *order = &arguments->exporting.order;

	if (n != 2 && !(n == 1 && hf_order_has_sources(order)))
		return refuse_usage();
	arguments->exporting.dir = words[n - 1];
	return hf_order_take_sources(order, n == 2 ? words[0] : NULL);
}

/* As take. */
static int read_arguments(struct arguments *arguments, int argc, char **argv)
{
	static const struct option long_options[] = {
		HF_ORDER_OPTIONS,
		{"prune-from", required_argument, NULL, 'P'},
		{"dry-run", no_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int status = -1;
	int c;

	opterr = 0;
	while (status < 0 &&
	       (c = getopt_long(argc, argv, ":nhV" HF_ORDER_LETTERS,
				long_options, NULL)) != -1)
		status = take(arguments, c, argv[optind - 1]);
	return status >= 0
		       ? status
		       : take_words(arguments, argv + optind, argc - optind);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	int status;
	int r;

	hf_log_init("hashedfs-export", HF_LOG_WARNING);
	r = hf_program_init(&arguments.program);
	if (r < 0)
		return hf_program_refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	hf_order_init(&arguments.exporting.order, "hashedfs-export",
		      &arguments.program, "nothing was written");
	status = read_arguments(&arguments, argc, argv);
	if (status < 0)
		status = hf_exporting_run(&arguments.exporting);
	hf_order_fini(&arguments.exporting.order);
	hf_program_fini(&arguments.program);
	return status;
}
