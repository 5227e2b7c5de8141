/* hashedfs-export: writes the view to a directory. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "manifest/manifest.h"
#include "tools/export.h"
#include "tools/freeze.h"
#include "tools/hint.h"
#include "tools/program.h"
#include "tools/prune.h"

#define USAGE "hashedfs-export [OPTIONS] SOURCE[:SOURCE...] DIR\n"
#define EXAMPLE "hashedfs-export --manifest staticfiles.json static public\n"

/* What stands on the command line. Strings are borrowed from argv. */
struct arguments {
	struct hf_program program;
	struct hf_freezing freezing;
	struct hf_hint hint;
	const char *dir;
	const char *manifest; /* NULL: none */
	struct hf_document document;
	const char *prune_from; /* NULL: nothing is removed */
	bool dry;
};

/* Everything that one run has to do with. */
struct work {
	const struct arguments *arguments;
	struct hf_destination dest;
	struct hf_output output;
	bool manifest_later; /* it may lie in the directory that is made */
	struct hf_manifest manifest;
	struct hf_strings old; /* names to remove */
};

static int refuse_usage(void)
{
	fputs("usage:   " USAGE "example: " EXAMPLE, stderr);
	return HF_EXIT_USAGE;
}

static int refuse(int error, char *why)
{
	return hf_program_refuse(HF_EXIT_ENVIRONMENT, error, why);
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
		"are there\n"
		"    --format NAME         of the manifest, see below\n"
		"    --url-prefix URL      what stands before each hashed name "
		"in it\n"
		"    --key-prefix TEXT     what stands before each name in it\n"
		"    --integrity NAME      add integrity values: sha256, "
		"sha384, "
		"sha512\n"
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

/* --- while there is a view ------------------------------------------------------ */

static int note_manifest(struct work *work, struct hf_view *view)
{
	char *why = NULL;
	int r = hf_manifest_of_view(view, &work->arguments->program.view,
				    &work->manifest, &why);

	hf_manifest_sort(&work->manifest);
	return r < 0 ? hf_program_refuse(r == -ESTALE ? HF_EXIT_INCOMPLETE
						      : HF_EXIT_ENVIRONMENT,
					 r, why)
		     : 0;
}

/* What is needed of it when it is gone. */
static int note(struct work *work, struct hf_view *view)
{
	const struct arguments *arguments = work->arguments;
	char *why = NULL;
	int status = arguments->manifest ? note_manifest(work, view) : 0;
	int r = 0;

	if (status == 0 && arguments->prune_from)
		r = hf_prune_list(view, arguments->prune_from,
				  &arguments->document, &work->old, &why);
	return r < 0 ? refuse(r, why) : status;
}

static int write_files(const struct work *work, struct hf_export *export)
{
	struct hf_progress progress = {0};
	bool quiet = work->arguments->freezing.quiet || work->arguments->dry;
	struct hf_meter *meter =
		hf_meter_start(quiet, hf_work_of_snapshot, &progress);
	int status = hf_export_write(export, &progress);

	hf_meter_stop(meter);
	return status;
}

static int open_target(struct work *work)
{
	bool dry = work->arguments->dry;
	char *why = NULL;
	int r = hf_destination_open(&work->dest, !dry, &why);

	if (dry && r == -ENOENT)
		return 0;
	if (r == 0 && !dry && work->manifest_later)
		r = hf_output_open(work->arguments->manifest, &work->output,
				   &why);
	return r < 0 ? refuse(r, why) : 0;
}

static int export_view(struct work *work, struct hf_view *view,
		       struct hf_export **ret)
{
	const struct arguments *arguments = work->arguments;
	struct hf_export *export;
	enum hf_export_mode mode =
		arguments->dry ? HF_EXPORT_DRY : HF_EXPORT_SAFE;
	int status = hf_freeze(&arguments->freezing, view);

	if (status == 0)
		status = note(work, view);
	if (status == 0)
		status = open_target(work);
	if (status == 0)
		status = hf_export_new(view, &work->dest, mode, &export);
	if (status != 0)
		return status;
	status = write_files(work, export);
	if (status == 0) {
		hf_export_leave_view(export);
		*ret = export;
	} else {
		hf_export_free(export);
	}
	return status;
}

/* --- and after it ------------------------------------------------------------------ */

static int tell_manifest(const struct work *work)
{
	HF_CLEANUP(hf_freep)
	char *shown = hf_escaped(work->arguments->manifest);

	/* With its {git}, where that is known. */
	printf("write %s\n", work->manifest_later ? shown : work->output.path);
	return shown ? 0 : refuse(-ENOMEM, NULL);
}

static int write_manifest(struct work *work)
{
	char *why = NULL;
	int r;

	if (!work->arguments->manifest)
		return 0;
	if (work->arguments->dry)
		return tell_manifest(work);
	r = hf_document_write(&work->arguments->document, &work->manifest,
			      &work->output, &why);
	return r < 0 ? refuse(r, why) : 0;
}

static void tell(const struct work *work, const struct hf_export *export)
{
	const struct hf_export_counts *counts = hf_export_counts(export);

	hf_log(HF_LOG_INFO,
	       "%s: %llu files copied, %llu cloned, %llu mended, %llu kept, "
	       "%llu removed; %llu bytes written",
	       work->dest.shown, (unsigned long long)counts->copied,
	       (unsigned long long)counts->cloned,
	       (unsigned long long)counts->mended,
	       (unsigned long long)counts->kept,
	       (unsigned long long)counts->removed,
	       (unsigned long long)counts->bytes);
}

/* The files, the manifest that names them, and only then what no manifest
 * names any more. */
static int export(struct work *work)
{
	struct hf_export *export = NULL;
	struct hf_view *view;
	char *why = NULL;
	int r = hf_view_new(&work->arguments->program.view, 0, &view, &why);
	int status;

	if (r < 0)
		return refuse(r, why);
	status = export_view(work, view, &export);
	hf_view_free(view);
	if (status == 0)
		status = write_manifest(work);
	if (status == 0)
		status = hf_export_remove(export, &work->old);
	if (status == 0)
		tell(work, export);
	if (export)
		hf_export_free(export);
	return status;
}

/* As both are written on the command line. */
static bool is_in_dir(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

/* The manifest is opened before anything is done for it; one in the directory,
 * once that is made. */
static int open_manifest(struct work *work, char **why)
{
	const char *path = work->arguments->manifest;
	int r = hf_output_open(path, &work->output, why);

	work->manifest_later =
		r == -ENOENT && is_in_dir(path, work->arguments->dir);
	if (!work->manifest_later)
		return r;
	free(*why);
	*why = NULL;
	return 0;
}

static int prepare(struct work *work)
{
	const struct arguments *arguments = work->arguments;
	char *why = NULL;
	int r = hf_destination_find(arguments->dir,
				    &arguments->program.view.source.roots,
				    &work->dest, &why);

	if (r == 0 && arguments->manifest)
		r = open_manifest(work, &why);
	return r < 0 ? refuse(r, why) : 0;
}

/* What only the whole command line can show. */
static int check(struct arguments *arguments)
{
	const char *file = arguments->manifest ? arguments->manifest
					       : arguments->prune_from;
	char *why = NULL;
	int r = hf_document_check_for(&arguments->document, file, &why);

	if (r == 0 && arguments->prune_from)
		r = hf_document_check_reading(&arguments->document, &why);
	if (r < 0)
		return hf_program_refuse(HF_EXIT_USAGE, r, why);
	arguments->program.view.integrity = arguments->document.integrity;
	return hf_program_check(&arguments->program);
}

static int run(struct arguments *arguments)
{
	struct work work = {
		.arguments = arguments,
		.dest = {.fd = -1},
		.output = {.fd = -1, .dir_fd = -1},
	};
	int status = check(arguments);

	if (status == 0)
		status = prepare(&work);
	if (status == 0)
		status = export(&work);
	hf_strings_fini(&work.old);
	hf_manifest_fini(&work.manifest);
	hf_output_close(&work.output);
	hf_destination_close(&work.dest);
	if (fflush(stdout) != 0 && status == 0)
		return refuse(-errno, NULL);
	return status;
}

/* --- the command line ---------------------------------------------------------- */

/* As take: how the manifest is to be written. */
static int take_format(struct arguments *arguments, const char *option)
{
	char *why = NULL;
	int r = hf_document_set(&arguments->document, option, optarg, &why);

	return r < 0 ? hf_program_refuse(HF_EXIT_USAGE, r, why) : -1;
}

/* An option; an exit status, or -1: go on. */
static int take(struct arguments *arguments, int code, const char *word)
{
	int status;

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
		arguments->manifest = optarg;
		return -1;
	case 'F':
		return take_format(arguments, "--format");
	case 'U':
		return take_format(arguments, "--url-prefix");
	case 'K':
		return take_format(arguments, "--key-prefix");
	case 'I':
		return take_format(arguments, "--integrity");
	case 'P':
		arguments->prune_from = optarg;
		return -1;
	case 'p':
		arguments->freezing.partial = true;
		return -1;
	case 'n':
		arguments->dry = true;
		return -1;
	case 'q':
		arguments->freezing.quiet = true;
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
	arguments->dir = words[n - 1];
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
		{"format", required_argument, NULL, 'F'},
		{"url-prefix", required_argument, NULL, 'U'},
		{"key-prefix", required_argument, NULL, 'K'},
		{"integrity", required_argument, NULL, 'I'},
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
		.freezing = {.undone = "nothing was written"}};
	int status;
	int r;

	hf_log_init("hashedfs-export", HF_LOG_WARNING);
	r = hf_program_init(&arguments.program);
	if (r < 0)
		return refuse(r, NULL);
	arguments.freezing.hint = &arguments.hint;
	status = read_arguments(&arguments, argc, argv);
	if (status < 0)
		status = run(&arguments);
	hf_hint_fini(&arguments.hint);
	hf_program_fini(&arguments.program);
	return status;
}
