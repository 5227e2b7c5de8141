/* hashedfs: shows a static tree under content-hashed names. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/fuse/fuse.h"
#include "tools/device.h"
#include "tools/guard.h"
#include "tools/landlock.h"
#include "tools/mountinfo.h"
#include "tools/mountpoint.h"
#include "tools/privileges.h"

#define EXIT_USAGE 2
#define EXIT_INCOMPLETE 4

#define USAGE "hashedfs [OPTIONS] SOURCE[:SOURCE...] MOUNTPOINT\n"
#define EXAMPLE "hashedfs -o length=8 ./static /mnt/static\n"

struct program {
	struct hf_config view;
	struct hf_mount_config mount;
	struct hf_guard guard;
	char *mountpoint; /* owned; resolved once it was checked */
	char *landlock;   /* owned; of the worker: how it is confined */
};

/* --- sentences ----------------------------------------------------------- */

/* Says why, and gives back the exit status. */
static int refuse(int status, int error, char *why)
{
	hf_log(HF_LOG_ERROR, "%s", why ? why : strerror(-error));
	free(why);
	return status;
}

static int refuse_usage(void)
{
	fputs("usage:   " USAGE "example: " EXAMPLE, stderr);
	return EXIT_USAGE;
}

static int print(struct hf_buf *text)
{
	int r = hf_buf_status(text);

	if (r < 0)
		return refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	if (fputs(text->data, stdout) == EOF || fflush(stdout) != 0)
		return refuse(HF_EXIT_ENVIRONMENT, -errno, NULL);
	return 0;
}

static int print_help(struct program *program)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	struct hf_option_set view = hf_config_options(&program->view);
	struct hf_option_set mount = hf_mount_options(&program->mount);

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
		"    -V, --version         print versions\n"
		"\n"
		"-o, about the view (GLOBS are patterns with ':' between):\n");
	hf_options_help(&view, &text);
	hf_buf_puts(&text, "\n-o, about the mount:\n");
	hf_options_help(&mount, &text);
	hf_buf_puts(&text, "\nUnmount with: fusermount3 -u MOUNTPOINT\n");
	return print(&text);
}

static int print_version(void)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

	hf_buf_printf(&text, "hashedfs %s\nlibfuse %s\n", HF_VERSION,
		      hf_fuse_version());
	return print(&text);
}

/* --- the worker ---------------------------------------------------------- */

/* st_dev of the mount; asking the mount itself would wait for ourselves. */
static dev_t own_dev(const char *mountpoint)
{
	struct hf_mount mount;
	dev_t dev;

	if (hf_mount_at(mountpoint, &mount) < 0)
		return 0;
	dev = makedev(mount.major, mount.minor);
	hf_mount_fini(&mount);
	return dev;
}

static int serve(struct program *program, struct hf_session *session,
		 struct hf_view *view, int ready_fd)
{
	struct hf_control *control = NULL;
	int r = 0;

	if (program->mount.control != HF_CONTROL_NONE)
		r = hf_control_new(view, &program->view, program->landlock,
				   &control);
	if (r == 0) {
		hf_guard_ready(&program->guard, ready_fd);
		r = hf_session_serve(session, view, control);
	}
	/* It holds nodes of the view, and control does not know it. */
	hf_session_free(session);
	hf_control_free(control);
	return r < 0 ? refuse(HF_EXIT_ENVIRONMENT, r, NULL) : 0;
}

/* The view finds the directory again, and tells why if there is none. */
static char *cache_dir(const struct program *program)
{
	HF_CLEANUP(hf_freep) char *why = NULL;
	char *dir = NULL;

	return hf_cache_dir(program->view.cache, &dir, &why) < 0 ? NULL : dir;
}

/*
 * What the worker opens by name from now on: the files of its sources, /proc
 * to see whether a client is being killed, and its cache. *told as
 * hf_landlock_confine.
 */
static int confine_files(const struct program *program, char **told)
{
	const struct hf_root_specs *roots = &program->view.source.roots;
	bool anywhere = program->view.source.follow;
	size_t n = 0;
	HF_CLEANUP(hf_freep) char *cache = cache_dir(program);
	HF_CLEANUP(hf_freep)
	struct hf_allowed *allowed = calloc(roots->n + 3, sizeof(*allowed));

	if (!allowed)
		return -ENOMEM;
	if (cache)
		allowed[n++] = (struct hf_allowed){.dir = cache, .write = true};
	allowed[n++] = (struct hf_allowed){.dir = "/proc"};
	if (anywhere)
		allowed[n++] = (struct hf_allowed){.dir = "/", .list = true};
	for (size_t i = 0; i < roots->n; i++)
		allowed[n++] = (struct hf_allowed){.dir = roots->items[i].dir,
						   .list = true};
	return hf_landlock_confine(allowed, n, told);
}

/* Threads, files and parsers come after this. */
static int confine(struct program *program, int ready_fd, char **why)
{
	int r = hf_privileges_drop();

	if (r == 0)
		r = confine_files(program, why);
	if (r < 0)
		return r;
	program->landlock = *why;
	*why = NULL;
	return program->landlock ? hf_guard_follow(ready_fd) : -ENOMEM;
}

/* Not interrupted: a signal ends the process. */
static int freeze(struct hf_view *view)
{
	struct hf_wait wait;
	int r;

	hf_wait_init(&wait);
	r = hf_view_freeze(view, false, &wait, NULL);
	hf_wait_fini(&wait);
	if (r == 0)
		return 0;
	if (r != -EAGAIN)
		return refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	hf_log(HF_LOG_ERROR, "the sources keep changing, so there is no state "
			     "to freeze; try again when they are quiet");
	return EXIT_INCOMPLETE;
}

static int work(void *data, int ready_fd)
{
	struct program *program = data;
	struct hf_session *session = NULL;
	struct hf_view *view = NULL;
	char *why = NULL;
	int r = hf_session_mount(&program->mount, program->mountpoint, &session,
				 &why);
	int status;

	if (r < 0)
		return refuse(HF_EXIT_ENVIRONMENT, r, why);
	r = confine(program, ready_fd, &why);
	if (r == 0)
		r = hf_view_new(&program->view, own_dev(program->mountpoint),
				&view, &why);
	if (r < 0) {
		hf_session_free(session);
		return refuse(HF_EXIT_ENVIRONMENT, r, why);
	}
	status = program->view.frozen ? freeze(view) : 0;
	if (status == 0)
		status = serve(program, session, view, ready_fd);
	else
		hf_session_free(session);
	hf_view_free(view);
	return status;
}

/* --- the command line ---------------------------------------------------- */

/* SOURCE[:SOURCE...] as given, but resolved: findmnt(8) shows it, and
 * mount(8) compares it with fstab. */
static int default_fsname(struct program *program)
{
	const struct hf_root_specs *roots = &program->view.source.roots;
	struct hf_buf name = {0};

	if (program->mount.fsname)
		return 0;
	for (size_t i = 0; i < roots->n; i++) {
		const struct hf_root_spec *root = &roots->items[i];

		hf_buf_puts(&name, i > 0 ? ":" : "");
		if (root->prefix[0] != '\0')
			hf_buf_printf(&name, "%s=", root->prefix);
		hf_buf_puts(&name, root->dir);
	}
	return hf_buf_steal(&name, &program->mount.fsname);
}

/* Opened once in the process that the user watches: what is wrong with a
 * source is told before anything is mounted. */
static int try_sources(struct program *program, char **why)
{
	struct hf_source *source;
	int r = hf_source_open(&program->view.source, 0, &source, why);

	if (r == 0)
		hf_source_close(source);
	return r;
}

/*
 * Also loads what the library reads from files before it can hash, which the
 * worker may not any more.
 */
static int try_digest(const struct program *program, char **why)
{
	const struct hf_algorithm *algorithm = program->view.algorithm;
	struct hf_digest digest;
	int r = hf_hash(algorithm, "", 0, &digest);

	if (r < 0)
		return hf_why(r, why,
			      "digest=%s: the OpenSSL library refuses it; "
			      "choose another one",
			      hf_algorithm_name(algorithm));
	return 0;
}

static int check_environment(struct program *program)
{
	char *given = program->mountpoint;
	char *why = NULL;
	int r = hf_root_specs_resolve(&program->view.source.roots, &why);

	if (r == 0)
		r = try_sources(program, &why);
	if (r == 0)
		r = try_digest(program, &why);
	if (r == 0)
		r = default_fsname(program);
	if (r == 0)
		r = hf_mountpoint_prepare(given, program->mount.nonempty,
					  &program->view.source.roots,
					  &program->mountpoint, &why);
	if (r == 0) {
		free(given);
		r = hf_device_check(program->mount.allow_other, &why);
	}
	return r < 0 ? refuse(HF_EXIT_ENVIRONMENT, r, why) : 0;
}

static int add_option(struct program *program, const char *text)
{
	const struct hf_option_set sets[] = {
		hf_config_options(&program->view),
		hf_mount_options(&program->mount),
	};
	char *why = NULL;
	int r = hf_options_parse(sets, HF_ARRAY_SIZE(sets), text, &why);

	return r < 0 ? refuse(EXIT_USAGE, r, why) : 0;
}

static int add_sources_from(struct program *program, const char *file)
{
	char *why = NULL;
	int r = hf_root_specs_read(&program->view.source.roots, file, &why);

	if (r == 0)
		return 0;
	return refuse(r == -EINVAL ? EXIT_USAGE : HF_EXIT_ENVIRONMENT, r, why);
}

/* SOURCES may be missing where a file gave some. */
static int read_arguments(struct program *program, char **args, int n_args)
{
	struct hf_root_specs *roots = &program->view.source.roots;
	char *why = NULL;
	int r = 0;

	if (n_args != 2 && !(n_args == 1 && roots->n > 0))
		return refuse_usage();
	if (n_args == 2)
		r = hf_root_specs_parse(roots, args[0], &why);
	if (r == 0)
		r = hf_config_check(&program->view, &why);
	if (r < 0)
		return refuse(EXIT_USAGE, r, why);
	program->mountpoint = strdup(args[n_args - 1]);
	if (!program->mountpoint)
		return refuse(HF_EXIT_ENVIRONMENT, -ENOMEM, NULL);
	return check_environment(program);
}

static int run(struct program *program, char **args, int n_args)
{
	int status = read_arguments(program, args, n_args);

	if (status != 0)
		return status;
	program->guard = (struct hf_guard){
		.mountpoint = program->mountpoint,
		.foreground = program->guard.foreground,
		.worker = work,
		.data = program,
	};
	return hf_guard_run(&program->guard);
}

/* `code` is what getopt_long returned: ':' or '?'. */
static int refuse_option(int code, const char *word)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	/* A letter may stand in the middle of a word, as in -fx. */
	bool is_letter = optopt && word[0] == '-' && word[1] != '-';
	HF_CLEANUP(hf_freep)
	char *shown = hf_escaped(is_letter ? letter : word);

	hf_log(HF_LOG_ERROR,
	       code == ':' ? "option '%s' needs an argument; see --help"
			   : "unknown option '%s'; --help lists the options",
	       shown ? shown : "?");
	return EXIT_USAGE;
}

static int read_command_line(struct program *program, int argc, char **argv)
{
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
			status = add_option(program, optarg);
			break;
		case 'S':
			status = add_sources_from(program, optarg);
			break;
		case 'd':
			program->mount.debug = true;
			program->guard.foreground = true;
			break;
		case 'f':
			program->guard.foreground = true;
			break;
		case 's':
			program->mount.single_threaded = true;
			break;
		case 'h':
			return print_help(program);
		case 'V':
			return print_version();
		default:
			return refuse_option(c, argv[optind - 1]);
		}
	}
	return status != 0 ? status
			   : run(program, argv + optind, argc - optind);
}

/* Else /dev/fuse could become descriptor 1, and somebody's output requests. */
static int open_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	struct program program = {0};
	int status;
	int r;

	hf_log_init("hashedfs", HF_LOG_WARNING);
	r = open_standard_fds();
	if (r == 0)
		r = hf_config_init(&program.view);
	if (r < 0)
		return refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	hf_mount_config_init(&program.mount);
	status = read_command_line(&program, argc, argv);
	free(program.mountpoint);
	free(program.landlock);
	hf_mount_config_fini(&program.mount);
	hf_config_fini(&program.view);
	return status;
}
