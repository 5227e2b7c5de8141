#include "tools/command.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOLE "{}"

/* --- what it inherits ---------------------------------------------------- */

void hf_inheritance_note(struct hf_inheritance *ret)
{
	sigprocmask(SIG_SETMASK, NULL, &ret->mask);
	sigaction(SIGCHLD, NULL, &ret->child);
	sigaction(SIGPIPE, NULL, &ret->pipe);
}

/* Makes it so again, in a child. */
static void restore(const struct hf_inheritance *inheritance)
{
	sigaction(SIGCHLD, &inheritance->child, NULL);
	sigaction(SIGPIPE, &inheritance->pipe, NULL);
	sigprocmask(SIG_SETMASK, &inheritance->mask, NULL);
}

/* --- signals ------------------------------------------------------------- */

static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 &&
	       action.sa_handler == SIG_IGN;
}

static const int passed_on[] = {SIGTERM, SIGINT,  SIGHUP,
				SIGQUIT, SIGUSR1, SIGUSR2};

int hf_command_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	/* By nohup(1), say. */
	for (size_t i = 0; i < HF_ARRAY_SIZE(passed_on); i++)
		if (!is_ignored(passed_on[i]))
			sigaddset(&signals, passed_on[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* An inherited SIG_IGN would swallow a child's end. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* --- children ------------------------------------------------------------ */

/* As fork(2), for children that do not outlive this process. */
static pid_t fork_follower(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(HF_EXIT_OURS);
	return 0;
}

static _Noreturn void execute(char **argv, const char *mountpoint)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(argv[0]);
	int error = setenv("HASHEDFS_MOUNT", mountpoint, 1) < 0 ? errno : 0;

	if (error == 0) {
		execvp(argv[0], argv);
		error = errno;
	}
	hf_log(HF_LOG_ERROR, "cannot run %s: %s", shown ? shown : "?",
	       strerror(error));
	_exit(error == ENOENT ? HF_EXIT_NOT_FOUND : HF_EXIT_CANNOT_RUN);
}

int hf_command_start(char **argv, const char *mountpoint,
		     const struct hf_inheritance *inheritance, pid_t *ret)
{
	pid_t pid = fork_follower();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		restore(inheritance);
		execute(argv, mountpoint);
	}
	*ret = pid;
	return 0;
}

int hf_command_fork(int (*run)(void *data), void *data, pid_t *ret)
{
	pid_t pid = fork_follower();
	sigset_t none;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		exit(run(data));
	}
	*ret = pid;
	return 0;
}

int hf_command_exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : HF_EXIT_SIGNAL + WTERMSIG(status);
}

/* --- words --------------------------------------------------------------- */

static char *fill_in(const char *word, const char *place)
{
	struct hf_buf text = {0};
	const char *hole;
	char *filled;

	while ((hole = strstr(word, HOLE))) {
		hf_buf_add(&text, word, (size_t)(hole - word));
		hf_buf_puts(&text, place);
		word = hole + strlen(HOLE);
	}
	hf_buf_puts(&text, word);
	return hf_buf_steal(&text, &filled) == 0 ? filled : NULL;
}

char **hf_command_fill_in(char *const *argv, const char *place)
{
	size_t n = 0;
	char **filled;

	while (argv[n])
		n++;
	filled = calloc(n + 1, sizeof(char *));
	for (size_t i = 0; filled && i < n; i++) {
		filled[i] = fill_in(argv[i], place);
		if (!filled[i]) {
			hf_command_free(filled);
			filled = NULL;
		}
	}
	return filled;
}

void hf_command_free(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}
