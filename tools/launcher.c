/* The process that was started: it leaves a guard behind and ends when the
 * mount answers, so that the next command of a script finds it. */
#include "tools/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int wait_for_guard(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return HF_EXIT_ENVIRONMENT;
	return hf_worker_exit_status(status, "guard");
}

static bool was_told(int told_fd)
{
	char byte;
	ssize_t n;

	do
		n = read(told_fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Succeeds only when a real request was answered. */
static int await_mount(const struct hf_guard *guard, pid_t pid, int told_fd)
{
	HF_CLEANUP(hf_freep) char *shown = NULL;
	struct stat st;
	int status;

	if (!was_told(told_fd)) {
		status = wait_for_guard(pid);
		return status == 0 ? HF_EXIT_ENVIRONMENT : status;
	}
	if (stat(guard->job.mountpoint, &st) == 0)
		return 0;
	status = errno;
	shown = hf_escaped(guard->job.mountpoint);
	hf_log(HF_LOG_ERROR, "%s was mounted but does not answer: %s",
	       shown ? shown : "it", strerror(status));
	kill(pid, SIGTERM);
	(void)!wait_for_guard(pid);
	return HF_EXIT_ENVIRONMENT;
}

static _Noreturn void become_guard(const struct hf_guard *guard, int told_fd)
{
	int r = hf_leave_input();

	if (r < 0) {
		hf_log(HF_LOG_ERROR, "cannot open /dev/null: %s", strerror(-r));
		_exit(HF_EXIT_ENVIRONMENT);
	}
	setsid();
	/* Whoever waits for the end of a pipe must not wait for us. */
	close_range(STDERR_FILENO + 1, (unsigned)told_fd - 1, 0);
	close_range((unsigned)told_fd + 1, ~0U, 0);
	/* Keep no other file system busy. */
	if (chdir("/") != 0)
		hf_log(HF_LOG_WARNING, "cannot leave the working directory");
	_exit(hf_guard_watch(guard, told_fd));
}

int hf_guard_run(const struct hf_guard *guard)
{
	HF_CLEANUP(hf_closep) int told_fd = -1;
	int told[2];
	pid_t pid;

	if (guard->foreground)
		return hf_guard_watch(guard, -1);
	/* An inherited SIG_IGN would swallow the guard's end. */
	signal(SIGCHLD, SIG_DFL);
	pid = pipe2(told, O_CLOEXEC) == 0 ? fork() : -1;
	if (pid < 0) {
		hf_log(HF_LOG_ERROR, "cannot start the guard: %s",
		       strerror(errno));
		return HF_EXIT_ENVIRONMENT;
	}
	if (pid == 0) {
		close(told[0]);
		become_guard(guard, told[1]);
	}
	told_fd = told[0];
	close(told[1]);
	return await_mount(guard, pid, told_fd);
}
