#include "tools/program.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Such that reading and writing still fail, with EBADF. */
static int open_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) < 0)
			return -errno;
	}
	return 0;
}

int hf_program_init(struct hf_program *program)
{
	int r = open_standard_fds();

	*program = (struct hf_program){0};
	return r < 0 ? r : hf_config_init(&program->view);
}

void hf_program_fini(struct hf_program *program)
{
	hf_config_fini(&program->view);
}

/* --- sentences ----------------------------------------------------------- */

int hf_program_refuse(int status, int error, char *why)
{
	hf_log(HF_LOG_ERROR, "%s", why ? why : strerror(-error));
	free(why);
	return status;
}

/* Whether it belongs behind -o. */
static bool is_word(const char *word)
{
	struct hf_option_set view = hf_config_options(NULL);

	return hf_options_have(&view, word);
}

int hf_program_refuse_option(int code, const char *word)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	/* A letter may stand in the middle of a word, as in -fx. */
	bool is_letter = optopt && word[0] == '-' && word[1] != '-';
	HF_CLEANUP(hf_freep)
	char *shown = hf_escaped(is_letter ? letter : word);

	if (code != ':' && strncmp(word, "--", 2) == 0 && is_word(word + 2))
		hf_log(HF_LOG_ERROR, "unknown option '%s'; write -o %s",
		       shown ? shown : "?", shown ? shown + 2 : "?");
	else
		hf_log(HF_LOG_ERROR,
		       code == ':' ? "option '%s' needs an argument; see --help"
				   : "unknown option '%s'; --help lists the "
				     "options",
		       shown ? shown : "?");
	return HF_EXIT_USAGE;
}

int hf_program_print(struct hf_buf *text)
{
	int r = hf_buf_status(text);

	if (r < 0)
		return hf_program_refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	fputs(text->data, stdout);
	return hf_program_flush();
}

int hf_program_flush(void)
{
	char *why = NULL;

	if (!ferror(stdout) && fflush(stdout) == 0)
		return 0;
	hf_why(-errno, &why, "cannot write standard output: %s",
	       strerror(errno));
	return hf_program_refuse(HF_EXIT_ENVIRONMENT, -errno, why);
}

void hf_program_help(struct hf_program *program, struct hf_buf *ret)
{
	struct hf_option_set view = hf_config_options(&program->view);

	hf_buf_puts(ret, "\n-o, about the view (GLOBS are patterns with ':' "
			 "between):\n");
	hf_options_help(&view, ret);
	if (!program->mount.n)
		return;
	hf_buf_puts(ret, "\n-o, about the mount:\n");
	hf_options_help(&program->mount, ret);
}

int hf_program_version(const char *name, const char *fuse, const char *jansson)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

	hf_buf_printf(&text, "%s %s\n", name, HF_VERSION);
	if (fuse)
		hf_buf_printf(&text, "libfuse %s\n", fuse);
	hf_buf_printf(&text, "OpenSSL %s\nSQLite %s\n", hf_openssl_version(),
		      hf_sqlite_version());
	if (jansson)
		hf_buf_printf(&text, "Jansson %s\n", jansson);
	return hf_program_print(&text);
}

/* --- the command line ---------------------------------------------------- */

int hf_program_add_option(struct hf_program *program, const char *text)
{
	const struct hf_option_set sets[] = {
		hf_config_options(&program->view),
		program->mount,
	};
	char *why = NULL;
	int r = hf_options_parse(sets, HF_ARRAY_SIZE(sets), text, &why);

	return r < 0 ? hf_program_refuse(HF_EXIT_USAGE, r, why) : 0;
}

int hf_program_add_sources_from(struct hf_program *program, const char *file)
{
	char *why = NULL;
	int r = hf_root_specs_read(&program->view.source.roots, file, &why);

	if (r == 0)
		return 0;
	return hf_program_refuse(
		r == -EINVAL ? HF_EXIT_USAGE : HF_EXIT_ENVIRONMENT, r, why);
}

int hf_program_set_sources(struct hf_program *program, const char *sources)
{
	char *why = NULL;
	int r = 0;

	if (sources)
		r = hf_root_specs_parse(&program->view.source.roots, sources,
					&why);
	if (r == 0)
		r = hf_config_check(&program->view, &why);
	return r < 0 ? hf_program_refuse(HF_EXIT_USAGE, r, why) : 0;
}

/* --- the environment ------------------------------------------------------ */

/* Opened once in the process that the user watches: what is wrong with a
 * source is told before anything is mounted. */
static int try_sources(struct hf_program *program, char **why)
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
static int try_digest(const struct hf_program *program, char **why)
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

int hf_program_check(struct hf_program *program)
{
	char *why = NULL;
	int r = hf_root_specs_resolve(&program->view.source.roots, &why);

	if (r == 0)
		r = try_sources(program, &why);
	if (r == 0)
		r = try_digest(program, &why);
	return r < 0 ? hf_program_refuse(HF_EXIT_ENVIRONMENT, r, why) : 0;
}

/* --- the view ------------------------------------------------------------ */

int hf_program_freeze(struct hf_view *view, bool partial,
		      struct hf_progress *progress)
{
	struct hf_wait wait; /* a signal ends the process */
	int r;

	hf_wait_init(&wait);
	r = hf_view_freeze(view, partial, &wait, progress);
	hf_wait_fini(&wait);
	if (r == 0)
		return 0;
	if (r != -EAGAIN)
		return hf_program_refuse(HF_EXIT_ENVIRONMENT, r, NULL);
	hf_log(HF_LOG_ERROR, "the sources keep changing, so there is no state "
			     "to freeze; try again when they are quiet");
	return HF_EXIT_INCOMPLETE;
}
