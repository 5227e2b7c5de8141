/*
 * The process that was started. If the runner is killed, what it started comes
 * to us, and the mount stays, since we hold its device, too: so the command is
 * ended before it meets an error.
 */
#include "tools/run.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct front {
	const struct hf_run *run;
	struct hf_inheritance inheritance;
	struct hf_worker_job job;
	struct hf_worker runner; /* the mount seen from here is its */
	int signal_fd;
};

/* True if a signal came from the terminal, which sends it to the whole process
 * group: the command got its own. */
static bool is_for_all(int code)
{
	return code > 0;
}

static int conduct(void *data, int channel)
{
	const struct front *front = data;

	return hf_run_conduct(front->run, &front->inheritance, channel);
}

/* --- events -------------------------------------------------------------- */

static void on_news(struct front *front)
{
	char *path = NULL;
	int error;

	(void)hf_worker_receive(&front->runner, &path, &error);
	free(path);
}

static void on_signal(struct front *front)
{
	struct signalfd_siginfo info;
	int status;

	if (read(front->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGCHLD) {
		if (!is_for_all(info.ssi_code))
			kill(front->runner.pid, (int)info.ssi_signo);
	} else if (waitpid(front->runner.pid, &status, WNOHANG) > 0) {
		hf_worker_set_ended(&front->runner, status);
	}
}

static void step(struct front *front)
{
	struct pollfd fds[] = {
		{.fd = front->signal_fd, .events = POLLIN},
		{.fd = front->runner.channel, .events = POLLIN},
	};

	if (poll(fds, HF_ARRAY_SIZE(fds), -1) <= 0)
		return;
	if (fds[1].revents)
		on_news(front);
	if (fds[0].revents)
		on_signal(front);
}

/* --- birth and death ----------------------------------------------------- */

static int start(struct front *front)
{
	int r;

	hf_inheritance_note(&front->inheritance);
	r = hf_command_signals();
	if (r < 0)
		return r;
	front->signal_fd = r;
	front->job = (struct hf_worker_job){
		.mountpoint = front->run->job.mountpoint,
		.run = conduct,
		.data = front,
		.unanswered = front->run->job.unanswered,
	};
	return hf_worker_start(&front->runner, &front->job);
}

/* The runner was killed and could not clean up. */
static int clean_up(struct front *front)
{
	hf_run_stop_all(&front->runner, 0, -1);
	hf_log(HF_LOG_ERROR,
	       "the guard (process %d) was killed by signal %d (%s), so the "
	       "command was ended; it met no error. Run it again",
	       (int)front->runner.pid, WTERMSIG(front->runner.status),
	       strsignal(WTERMSIG(front->runner.status)));
	(void)!hf_worker_clear(&front->runner);
	if (front->run->clean)
		front->run->clean(front->run->clean_data);
	return HF_EXIT_OURS;
}

int hf_run(const struct hf_run *run)
{
	struct front front = {.run = run, .signal_fd = -1};
	int r = start(&front);
	int status;

	if (r < 0) {
		hf_log(HF_LOG_ERROR, "cannot start the guard: %s",
		       strerror(-r));
		return HF_EXIT_OURS;
	}
	while (!front.runner.ended)
		step(&front);
	status = WIFEXITED(front.runner.status)
			 ? WEXITSTATUS(front.runner.status)
			 : clean_up(&front);
	hf_closep(&front.signal_fd);
	hf_worker_fini(&front.runner);
	return status;
}
