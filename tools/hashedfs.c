/* hashedfs: shows a static tree under content-hashed names. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "fs/fuse/fuse.h"
#include "tools/guard.h"
#include "tools/mounting.h"
#include "tools/serve.h"

#define USAGE "hashedfs [OPTIONS] SOURCE[:SOURCE...] MOUNTPOINT\n"
#define EXAMPLE "hashedfs -o length=8 ./static /mnt/static\n"

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
		"Shows the files of the SOURCEs, read-only, under names that "
		"carry a hash of\n"
		"their content: css/app.css as css/app.55e7cbb9ba48.css. "
		"Nothing is copied.\n"
		"A SOURCE is [PREFIX=]DIR; of equal paths the first one "
		"counts.\n"
		"\n"
		"    -o OPTION[,...]       options, see below\n"
		"    --sources-from FILE   read SOURCES from FILE, one a line "
		"(-: stdin)\n"
		"    -f, --foreground      stay in the foreground\n"
		"    -d, --debug           print every request; implies -f\n"
		"    -s, --single          answer one request at a time\n"
		"    -h, --help            print this\n"
		"    -V, --version         print versions\n");
	hf_program_help(program, &text);
	hf_buf_puts(&text, "\nUnmount with: fusermount3 -u MOUNTPOINT\n");
	return hf_program_print(&text);
}

/* --- the worker ---------------------------------------------------------- */

/* -o frozen. */
static int freeze(void *data, struct hf_view *view)
{
	(void)data;
	return hf_program_freeze(view, false, NULL);
}

static int work(void *data, int channel)
{
	return hf_serve(data, channel);
}

/* --- the command line ---------------------------------------------------- */

static int run(struct hf_mounting *mounting, bool foreground)
{
	struct hf_service service = {
		.view = &mounting->program.view,
		.mount = &mounting->config,
		.mountpoint = mounting->mountpoint.path,
		.unanswered = mounting->unanswered,
		.background = !foreground,
		.prepare = mounting->program.view.frozen ? freeze : NULL,
	};
	const struct hf_guard guard = {
		.job = {.mountpoint = mounting->mountpoint.path,
			.run = work,
			.data = &service,
			.unanswered = mounting->unanswered},
		.foreground = foreground,
	};

	return hf_guard_run(&guard);
}

/* SOURCES may be missing where a file gave some. */
static int read_arguments(struct hf_mounting *mounting, char **args, int n_args)
{
	struct hf_program *program = &mounting->program;
	int status;

	if (n_args != 2 && !(n_args == 1 && program->view.source.roots.n > 0))
		return refuse_usage();
	status = hf_program_set_sources(program, n_args == 2 ? args[0] : NULL);
	return status != 0
		       ? status
		       : hf_mounting_check(mounting, strdup(args[n_args - 1]));
}

/* -1: the options were read, and there is something to do. */
static int read_options(struct hf_mounting *mounting, bool *foreground,
			int argc, char **argv)
{
	struct hf_program *program = &mounting->program;
	static const struct option long_options[] = {
		{"sources-from", required_argument, NULL, 'S'},
		{"foreground", no_argument, NULL, 'f'},
		{"debug", no_argument, NULL, 'd'},
		{"single", no_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int status = 0;
	int c;

	opterr = 0;
	while (status == 0 && (c = getopt_long(argc, argv, ":o:fdshV",
					       long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			status = hf_program_add_option(program, optarg);
			break;
		case 'S':
			status = hf_program_add_sources_from(program, optarg);
			break;
		case 'd':
			hf_log_init("hashedfs", HF_LOG_DEBUG);
			mounting->config.debug = true;
			*foreground = true;
			break;
		case 'f':
			*foreground = true;
			break;
		case 's':
			mounting->config.single_threaded = true;
			break;
		case 'h':
			return print_help(program);
		case 'V':
			return hf_program_version("hashedfs", hf_fuse_version(),
						  NULL);
		default:
			return hf_program_refuse_option(c, argv[optind - 1]);
		}
	}
	return status != 0 ? status : -1;
}

int main(int argc, char **argv)
{
	struct hf_mounting mounting;
	bool foreground = false;
	int status;
	int r;

	hf_log_init("hashedfs", HF_LOG_WARNING);
	r = hf_mounting_init(&mounting);
	if (r < 0)
		return hf_program_refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	status = read_options(&mounting, &foreground, argc, argv);
	if (status < 0) {
		status =
			read_arguments(&mounting, argv + optind, argc - optind);
		if (status == 0)
			status = run(&mounting, foreground);
	}
	hf_mounting_fini(&mounting);
	return status;
}
