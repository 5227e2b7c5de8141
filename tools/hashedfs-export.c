/* hashedfs-export: writes the view to a directory. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/document.h"
#include "tools/exporting.h"
#include "tools/hint.h"

#define USAGE "hashedfs-export [OPTIONS] SOURCE[:SOURCE...] DIR\n"
#define EXAMPLE "hashedfs-export --manifest staticfiles.json static public\n"

/* What stands on the command line. Strings are borrowed from argv. */
struct arguments {
	struct hf_program program;
	struct hf_hint hint;
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
		"are there\n" HF_DOCUMENT_HELP
		"    --prune-from FILE     then remove hashed files that only "
		"the manifest FILE\n"
		"                          names\n"
		"    --partial             leave out what cannot be read\n"
		"    -n, --dry-run         print what would be done, and do "
		"nothing\n"
		"    -q, --quiet           show no progress\n"
		"    -v, --verbose         tell more\n"
		"    -h, --help            print this\n"
		"    -V, --version         print versions\n");
	hf_formats_help(&text);
	hf_program_help(program, &text);
	return hf_program_print(&text);
}

/* --- the command line ---------------------------------------------------- */

/* An option; an exit status, or -1: go on. */
static int take(struct arguments *arguments, int code, const char *word)
{
	int status = hf_document_take(&arguments->exporting.document, code,
				      optarg, HF_EXIT_USAGE);

	if (status != 0)
		return status;
	switch (code) {
	case 'o':
		hf_hint_add_option(&arguments->hint, optarg);
		status = hf_program_add_option(&arguments->program, optarg);
		return status ? status : -1;
	case 'S':
		hf_hint_add_sources_from(&arguments->hint, optarg);
		status = hf_program_add_sources_from(&arguments->program,
						     optarg);
		return status ? status : -1;
	case 'm':
		arguments->exporting.manifest = optarg;
		return -1;
	case 'P':
		arguments->exporting.prune_from = optarg;
		return -1;
	case 'p':
		arguments->exporting.freezing.partial = true;
		return -1;
	case 'n':
		arguments->exporting.dry = true;
		return -1;
	case 'q':
		arguments->exporting.freezing.quiet = true;
		return -1;
	case 'v':
		hf_log_init("hashedfs-export", HF_LOG_INFO);
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
	struct hf_program *program = &arguments->program;
	const char *sources = n == 2 ? words[0] : NULL;
	int status;

	if (n < 1 || n > 2 || (!sources && program->view.source.roots.n == 0))
		return refuse_usage();
	arguments->exporting.dir = words[n - 1];
	if (sources)
		hf_hint_add_sources(&arguments->hint, sources);
	program->view.frozen = true;
	status = hf_program_set_sources(program, sources);
	return status ? status : -1;
}

/* As take. */
static int read_arguments(struct arguments *arguments, int argc, char **argv)
{
	static const struct option long_options[] = {
		{"sources-from", required_argument, NULL, 'S'},
		{"manifest", required_argument, NULL, 'm'},
		HF_DOCUMENT_OPTIONS,
		{"prune-from", required_argument, NULL, 'P'},
		{"partial", no_argument, NULL, 'p'},
		{"dry-run", no_argument, NULL, 'n'},
		{"quiet", no_argument, NULL, 'q'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int status = -1;
	int c;

	opterr = 0;
	while (status < 0 && (c = getopt_long(argc, argv, ":o:nqvhV",
					      long_options, NULL)) != -1)
		status = take(arguments, c, argv[optind - 1]);
	return status >= 0
		       ? status
		       : take_words(arguments, argv + optind, argc - optind);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.exporting = {.freezing = {.undone = "nothing was written"}}};
	int status;
	int r;

	hf_log_init("hashedfs-export", HF_LOG_WARNING);
	r = hf_program_init(&arguments.program);
	if (r < 0)
		return hf_program_refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	arguments.exporting.program = &arguments.program;
	arguments.exporting.freezing.hint = &arguments.hint;
	status = read_arguments(&arguments, argc, argv);
	if (status < 0)
		status = hf_exporting_run(&arguments.exporting);
	hf_hint_fini(&arguments.hint);
	hf_program_fini(&arguments.program);
	return status;
}
