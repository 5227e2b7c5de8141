/* hashedfs-run: runs one command over a frozen mount. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "manifest/manifest.h"
#include "tools/descendants.h"
#include "tools/freeze.h"
#include "tools/hint.h"
#include "tools/place.h"
#include "tools/program.h"
#include "tools/run.h"
#include "tools/serve.h"

#define USAGE "hashedfs-run [OPTIONS] SOURCE[:SOURCE...] -- COMMAND [ARG...]\n"
#define EXAMPLE                                                                \
	"hashedfs-run static -- rsync -a --delete {}/ web:/srv/static/\n"

/* What stands on the command line. Strings are borrowed from argv. */
struct arguments {
	struct hf_program program;
	struct hf_freezing freezing;
	struct hf_hint hint;
	const char *at;       /* NULL: a directory of our own */
	const char *manifest; /* NULL: none */
	char **command;       /* NULL-terminated */
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
		"    --manifest FILE       write staticfiles.json once the "
		"command succeeded\n"
		"    --partial             leave out what cannot be read\n"
		"    -q, --quiet           show no progress\n"
		"    -v, --verbose         tell more\n"
		"    -h, --help            print this\n"
		"    -V, --version         print versions\n");
	hf_program_help(program, &text);
	return hf_program_print(&text);
}

/* --- the manifest ---------------------------------------------------------- */

struct publication {
	const char *mountpoint;
	struct hf_output output;
};

/* In a child of its own, as another hashedfs-manifest would do it. */
static int publish(void *data)
{
	struct publication *publication = data;
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	char *why = NULL;
	int r = hf_manifest_read_map(publication->mountpoint, &manifest, &why);

	if (r == 0) {
		hf_manifest_sort(&manifest);
		r = hf_manifest_write(&manifest, &publication->output, &why);
	}
	return r < 0 ? refuse(r, why) : 0;
}

/* --- the run ----------------------------------------------------------------- */

static int serve(void *data, int channel)
{
	int r = hf_leave_input();

	/* Whoever reads the command's output waits for its end, not for ours:
	 * a worker can hang in a source. */
	if (r < 0 || dup2(STDIN_FILENO, STDOUT_FILENO) < 0)
		return refuse(r < 0 ? r : -errno, NULL);
	/* So that lists of processes tell it from the front. */
	prctl(PR_SET_NAME, "hashedfs-worker");
	return hf_serve(data, channel);
}

static int run(struct arguments *arguments, struct publication *publication)
{
	struct hf_program *program = &arguments->program;
	struct hf_service service = {
		.view = &program->view,
		.mount = &program->mount,
		.mountpoint = program->mountpoint.path,
		.unanswered = program->unanswered,
		.fail_stop = true,
		.prepare = hf_freeze,
		.data = &arguments->freezing,
	};
	struct hf_run run = {
		.job = {.mountpoint = program->mountpoint.path,
			.run = serve,
			.data = &service,
			.deaf = true,
			.unanswered = program->unanswered},
		.argv = hf_command_fill_in(arguments->command,
					   program->mountpoint.path),
		.temporary = !arguments->at,
		.after = arguments->manifest ? publish : NULL,
		.after_data = publication,
	};
	int status;

	if (!run.argv)
		return refuse(-ENOMEM, NULL);
	publication->mountpoint = program->mountpoint.path;
	hf_log(HF_LOG_INFO, "mounting on %s", program->mountpoint.path);
	status = hf_run(&run);
	hf_command_free(run.argv);
	return status;
}

/* Whether it can be done here; the mountpoint is made. */
static int prepare(struct arguments *arguments, char **ret_place)
{
	char *why = NULL;
	int r = hf_descendants_check(&why);

	if (r == 0 && arguments->at) {
		*ret_place = strdup(arguments->at);
		r = *ret_place ? 0 : -ENOMEM;
	} else if (r == 0) {
		r = hf_place_make(arguments->program.mount.allow_other,
				  ret_place, &why);
	}
	return r < 0 ? refuse(r, why) : 0;
}

static int run_at(struct arguments *arguments, struct publication *publication)
{
	char *place = NULL;
	int status = prepare(arguments, &place);

	if (status != 0)
		return status;
	if (hf_program_check(&arguments->program, strdup(place)) == 0)
		status = run(arguments, publication);
	else
		status = HF_EXIT_OURS;
	/* It is gone already if all went well. */
	if (!arguments->at)
		(void)!rmdir(place);
	free(place);
	return status;
}

/* Opens what is to be written at the end, before anything is done for it. */
static int run_with_output(struct arguments *arguments)
{
	struct publication publication = {.output = {.fd = -1, .dir_fd = -1}};
	char *why = NULL;
	int status;
	int r = 0;

	if (arguments->manifest &&
	    arguments->program.mount.control == HF_CONTROL_NONE)
		r = hf_why(-EINVAL, &why,
			   "--manifest does not go with -o control=none");
	else if (arguments->manifest)
		r = hf_output_open(arguments->manifest, &publication.output,
				   &why);
	if (r < 0)
		return refuse(r, why);
	status = run_at(arguments, &publication);
	hf_output_close(&publication.output);
	return status;
}

/* --- the command line ---------------------------------------------------------- */

/* An option; an exit status, or -1: go on. */
static int take(struct arguments *arguments, int code, const char *word)
{
	switch (code) {
	case 'o':
		hf_hint_add_option(&arguments->hint, optarg);
		return hf_program_add_option(&arguments->program, optarg)
			       ? HF_EXIT_OURS
			       : -1;
	case 'S':
		hf_hint_add_sources_from(&arguments->hint, optarg);
		return hf_program_add_sources_from(&arguments->program, optarg)
			       ? HF_EXIT_OURS
			       : -1;
	case 'a':
		arguments->at = optarg;
		return -1;
	case 'm':
		arguments->manifest = optarg;
		return -1;
	case 'p':
		arguments->freezing.partial = true;
		return -1;
	case 'q':
		arguments->freezing.quiet = true;
		return -1;
	case 'v':
		hf_log_init("hashedfs-run", HF_LOG_INFO);
		return -1;
	case 'h':
		return print_help(&arguments->program) ? HF_EXIT_OURS : 0;
	case 'V':
		return hf_program_version("hashedfs-run") ? HF_EXIT_OURS : 0;
	default:
		(void)hf_program_refuse_option(code, word);
		return HF_EXIT_OURS;
	}
}

/* SOURCES may be missing where a file gave some. */
static int take_words(struct arguments *arguments, char **words, int n)
{
	struct hf_program *program = &arguments->program;
	const char *sources = n == 1 ? words[0] : NULL;

	if (!arguments->command || !arguments->command[0] || n > 1 ||
	    (!sources && program->view.source.roots.n == 0))
		return refuse_usage();
	if (sources)
		hf_hint_add_sources(&arguments->hint, sources);
	program->view.frozen = true;
	return hf_program_set_sources(program, sources) ? HF_EXIT_OURS : -1;
}

/* As take. */
static int read_arguments(struct arguments *arguments, int argc, char **argv)
{
	static const struct option long_options[] = {
		{"sources-from", required_argument, NULL, 'S'},
		{"at", required_argument, NULL, 'a'},
		{"manifest", required_argument, NULL, 'm'},
		{"partial", no_argument, NULL, 'p'},
		{"quiet", no_argument, NULL, 'q'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int status = -1;
	int c;

	opterr = 0;
	while (status < 0 && (c = getopt_long(argc, argv, ":o:qvhV",
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
		arguments->command = argv + i + 1;
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
	r = hf_program_init(&arguments.program);
	if (r < 0)
		return refuse(r, NULL);
	arguments.freezing.hint = &arguments.hint;
	argc = split(&arguments, argc, argv);
	status = read_arguments(&arguments, argc, argv);
	if (status < 0)
		status = run_with_output(&arguments);
	hf_hint_fini(&arguments.hint);
	hf_program_fini(&arguments.program);
	return status;
}
