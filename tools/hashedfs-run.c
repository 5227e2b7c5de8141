/* hashedfs-run: runs one command over a frozen mount, or over a copy of it. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/running.h"

#define USAGE "hashedfs-run [OPTIONS] SOURCE[:SOURCE...] -- COMMAND [ARG...]\n"
#define EXAMPLE "hashedfs-run static -- rsync -a {}/ web:/srv/static/\n"

/* What stands on the command line. Strings are borrowed from argv. */
struct arguments {
	struct hf_mounting mounting;
	struct hf_running running;
};

static int refuse_usage(void)
{
	fputs("usage:   " USAGE "example: " EXAMPLE, stderr);
	return HF_EXIT_OURS;
}

static int refuse(int error, char *why)
{
	return hf_program_refuse(HF_EXIT_OURS, error, why);
}

static int print_help(struct hf_program *program)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

	hf_buf_puts(
		&text,
		"usage: " USAGE "\n"
		"Mounts the SOURCEs as hashedfs does, frozen, runs the "
		"COMMAND, "
		"and unmounts.\n"
		"{} in its words is the mountpoint, which is in "
		"HASHEDFS_MOUNT, too. The COMMAND\n"
		"meets no error of the mount: where it would, it is killed, "
		"and the exit status\n"
		"is 125.\n"
		"\n"
		"    -o OPTION[,...]       options, see below\n"
		"    --sources-from FILE   read SOURCES from FILE, one a line "
		"(-: stdin)\n"
		"    --at DIR              mount on this empty directory\n"
		"    --manifest FILE       write a manifest once the command "
		"succeeded\n" HF_ORDER_DOCUMENT_HELP
		"    --export              do not mount: copy the files to a "
		"private directory\n"
		"    --mount               never copy files where nothing can "
		"be mounted\n"
		"    --partial             leave out what cannot be "
		"read\n" HF_ORDER_QUIET_HELP);
	hf_formats_help(&text);
	hf_program_help(program, &text);
	return hf_program_print(&text);
}

/* --- the command line ---------------------------------------------------- */

/* What went wrong is ours: the statuses below 125 are the command's. */
static int ours(int status)
{
	return status > 0 ? HF_EXIT_OURS : status;
}

/* An option; an exit status, or -1: go on. */
static int take(struct arguments *arguments, int code, const char *word)
{
	int status = hf_order_take(&arguments->running.order, code, optarg);

	if (status != 0)
		return ours(status);
	switch (code) {
	case 'a':
		arguments->running.at = optarg;
		return -1;
	case 'e':
	case 'M':
		arguments->running.only_export = code == 'e';
		arguments->running.only_mount = code == 'M';
		return -1;
	case 'h':
		return ours(print_help(&arguments->mounting.program));
	case 'V':
		return ours(hf_program_version("hashedfs-run",
					       hf_fuse_version(),
					       hf_jansson_version()));
	default:
		(void)hf_program_refuse_option(code, word);
		/* It may be one of the command. */
		return arguments->running.command ? HF_EXIT_OURS
						  : refuse_usage();
	}
}

/* SOURCES may be missing where a file gave some. */
static int take_words(struct arguments *arguments, char **words, int n)
{
	struct hf_order *order = &arguments->running.order;
	char *const *command = arguments->running.command;

	if (!command || !command[0] ||
	    (n != 1 && !(n == 0 && hf_order_has_sources(order))))
		return refuse_usage();
	return ours(hf_order_take_sources(order, n == 1 ? words[0] : NULL));
}

/* As take. */
static int read_arguments(struct arguments *arguments, int argc, char **argv)
{
	static const struct option long_options[] = {
		HF_ORDER_OPTIONS,
		{"at", required_argument, NULL, 'a'},
		{"export", no_argument, NULL, 'e'},
		{"mount", no_argument, NULL, 'M'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int status = -1;
	int c;

	opterr = 0;
	while (status < 0 &&
	       (c = getopt_long(argc, argv, ":hV" HF_ORDER_LETTERS,
				long_options, NULL)) != -1)
		status = take(arguments, c, argv[optind - 1]);
	return status >= 0
		       ? status
		       : take_words(arguments, argv + optind, argc - optind);
}

/* What stands before the first "--" is for us, the rest is the command. */
static int split(struct arguments *arguments, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		arguments->running.command = argv + i + 1;
		argv[i] = NULL;
		return i;
	}
	return argc;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	int status;
	int r;

	hf_log_init("hashedfs-run", HF_LOG_WARNING);
	r = hf_mounting_init(&arguments.mounting);
	if (r < 0)
		return refuse(r, NULL);
	arguments.running.mounting = &arguments.mounting;
	hf_order_init(&arguments.running.order, "hashedfs-run",
		      &arguments.mounting.program,
		      "the command was not started");
	argc = split(&arguments, argc, argv);
	status = read_arguments(&arguments, argc, argv);
	if (status < 0)
		status = hf_running_run(&arguments.running);
	hf_order_fini(&arguments.running.order);
	hf_mounting_fini(&arguments.mounting);
	return status;
}
