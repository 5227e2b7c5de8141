#include "tools/runner.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* So soon the front passes on what it got. */
#define GROUP_NS INT64_C(500000000)

static void on_news(struct hf_runner *runner)
{
	char *path = NULL;
	int error = 0;

	switch (hf_worker_receive(&runner->worker, &path, &error)) {
	case HF_NEWS_DEVICE:
		/* Without a front there is more to come. */
		(void)!hf_message_device(runner->front,
					 runner->worker.device_fd);
		break;
	case HF_NEWS_ERROR:
		if (!runner->trouble) {
			runner->path = path;
			runner->error = error;
			path = NULL;
		}
		runner->trouble = true;
		break;
	default:
		break;
	}
	free(path);
}

/* Its work is done; what it said before it ended has been heard. */
static bool has_copied(const struct hf_runner *runner)
{
	return runner->run->copies && runner->worker.ready &&
	       runner->worker.status == 0;
}

/* One SIGCHLD may stand for several children, adopted ones among them. */
static void reap(struct hf_runner *runner)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == runner->worker.pid) {
			hf_worker_set_ended(&runner->worker, status);
			runner->trouble |=
				!runner->ending && !has_copied(runner);
		} else if (pid == runner->child) {
			runner->child_ended = true;
			runner->child_status = status;
		}
	}
}

/*
 * Signals for the command come from the front. One that comes from somebody
 * else was sent to the whole process group: the command has it already, and the
 * front, which cannot know that, passes it on for nothing.
 */
static bool is_for_child(struct hf_runner *runner,
			 const struct signalfd_siginfo *info)
{
	int64_t *group_ns = &runner->group_ns[info->ssi_signo];
	int64_t now_ns = hf_clock_monotonic();
	bool seen = now_ns - *group_ns < GROUP_NS;

	if ((pid_t)info->ssi_pid == getppid()) {
		*group_ns = 0;
		return !seen;
	}
	*group_ns = now_ns;
	return false;
}

static void on_signal(struct hf_runner *runner)
{
	struct signalfd_siginfo info;

	if (read(runner->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		reap(runner);
	else if (!runner->child || runner->child_ended)
		runner->signalled = (int)info.ssi_signo;
	else if (is_for_child(runner, &info))
		kill(runner->child, (int)info.ssi_signo);
}

/* A worker that was killed and hangs is as good as dead. */
static void look_at_worker(struct hf_runner *runner)
{
	hf_worker_note_lost(&runner->worker);
	runner->trouble |= runner->worker.lost && !runner->ending;
}

void hf_runner_step(struct hf_runner *runner, int ms)
{
	struct pollfd fds[] = {
		{.fd = runner->signal_fd, .events = POLLIN},
		{.fd = runner->worker.channel, .events = POLLIN},
		{.fd = runner->front},
	};

	int n = poll(fds, HF_ARRAY_SIZE(fds),
		     ms < 0 ? hf_worker_timeout_ms(&runner->worker) : ms);

	if (n == 0 && ms < 0)
		look_at_worker(runner);
	if (n <= 0)
		return;
	/* Before the child's end: what it must not know decides. */
	if (fds[1].revents)
		on_news(runner);
	if (fds[0].revents)
		on_signal(runner);
	if (fds[2].revents & POLLHUP)
		runner->trouble = runner->deserted = true;
}

pid_t hf_runner_worker(const struct hf_runner *runner)
{
	return runner->worker.ended ? 0 : runner->worker.pid;
}
