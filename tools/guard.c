#include "tools/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct watch {
	const struct hf_guard *guard;
	struct hf_worker worker;
	int signal_fd;
	int launcher_fd; /* to the launcher; -1 if none waits */
};

static void close_fd(int *fd)
{
	hf_closep(fd);
	*fd = -1;
}

/* --- events -------------------------------------------------------------- */

static void on_news(struct watch *watch)
{
	char *path = NULL;
	int error;

	if (hf_worker_receive(&watch->worker, &path, &error) != HF_NEWS_READY ||
	    watch->guard->foreground)
		return;
	hf_leave_terminal();
	/* A launcher that is gone was told to stop: nobody wants the mount. */
	if (write(watch->launcher_fd, "", 1) != 1)
		hf_worker_press(&watch->worker);
	close_fd(&watch->launcher_fd);
}

static void on_signal(struct watch *watch)
{
	struct signalfd_siginfo info;
	int status;

	if (read(watch->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	/* A closed terminal is no reason to unmount. */
	if (info.ssi_signo == SIGHUP)
		kill(watch->worker.pid, SIGHUP);
	else if (info.ssi_signo != SIGCHLD)
		hf_worker_press(&watch->worker);
	/* One SIGCHLD may stand for several children. */
	else if (waitpid(watch->worker.pid, &status, WNOHANG) > 0)
		hf_worker_set_ended(&watch->worker, status);
}

static void step(struct watch *watch)
{
	struct hf_worker *worker = &watch->worker;
	struct pollfd fds[] = {
		{.fd = watch->signal_fd, .events = POLLIN},
		{.fd = watch->worker.channel, .events = POLLIN},
		{.fd = watch->launcher_fd},
		{.fd = hf_worker_is_mute(worker) ? worker->device_fd : -1,
		 .events = POLLIN},
	};
	int n = poll(fds, HF_ARRAY_SIZE(fds), hf_worker_timeout_ms(worker));

	if (n == 0)
		hf_worker_look(worker);
	if (hf_worker_is_mute(worker))
		hf_worker_answer(worker);
	if (n <= 0)
		return;
	if (fds[1].revents)
		on_news(watch);
	if (fds[0].revents)
		on_signal(watch);
	/* Nobody is left who could ask. */
	if (fds[3].revents & POLLERR)
		hf_worker_let_go(worker);
	if (fds[2].revents & POLLERR && watch->launcher_fd >= 0) {
		close_fd(&watch->launcher_fd);
		hf_worker_press(&watch->worker);
	}
}

/* --- birth --------------------------------------------------------------- */

/* The signals that the guard takes out of signal_fd. */
static void guard_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGCHLD);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGQUIT);
	sigaddset(ret, SIGHUP);
}

static int start(struct watch *watch)
{
	sigset_t signals;
	int r;

	guard_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* An inherited SIG_IGN would swallow the worker's end. */
	signal(SIGCHLD, SIG_DFL);
	/* The worker takes it for a wish to forget, once it serves. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	watch->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (watch->signal_fd < 0)
		return -errno;
	r = hf_worker_start(&watch->worker, &watch->guard->job);
	prctl(PR_SET_NAME, "hashedfs-guard");
	return r;
}

/* --- death --------------------------------------------------------------- */

static int verdict(const struct hf_worker *worker)
{
	if (worker->stage == HF_WORKER_GIVEN_UP) {
		hf_log(HF_LOG_ERROR, "the worker (process %d) does not end",
		       (int)worker->pid);
		return HF_EXIT_ENVIRONMENT;
	}
	if (worker->ready && worker->stage != HF_WORKER_RUNNING &&
	    !worker->lost)
		return 0;
	/* A service manager may stop both processes at once. */
	if (worker->ready && WIFSIGNALED(worker->status) &&
	    WTERMSIG(worker->status) == SIGTERM)
		return 0;
	return hf_worker_exit_status(worker->status, "worker");
}

static int finish(struct hf_worker *worker)
{
	int status;

	/* A fusermount3 may still be mounting. */
	if (!worker->ready)
		hf_worker_reap_all();
	status = hf_worker_clear(worker);
	return status != 0 ? status : verdict(worker);
}

int hf_guard_watch(const struct hf_guard *guard, int launcher_fd)
{
	struct watch watch = {
		.guard = guard, .signal_fd = -1, .launcher_fd = launcher_fd};
	int r = start(&watch);
	int status;

	if (r < 0) {
		hf_log(HF_LOG_ERROR, "cannot start the worker: %s",
		       strerror(-r));
		return HF_EXIT_ENVIRONMENT;
	}
	while (!watch.worker.ended && watch.worker.stage != HF_WORKER_GIVEN_UP)
		step(&watch);
	status = finish(&watch.worker);
	hf_worker_fini(&watch.worker);
	close_fd(&watch.signal_fd);
	close_fd(&watch.launcher_fd);
	return status;
}
