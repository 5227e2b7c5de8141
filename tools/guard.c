#include "tools/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/mountinfo.h"

/* How long the worker may take to end by itself after an unmount, then after
 * SIGTERM, then after SIGKILL (a process can hang in the kernel for ever). */
#define PATIENCE_MS 2000

/* What was done last to make the worker end. */
enum stage { RUNNING, UNMOUNTED, TERMINATED, KILLED, GIVEN_UP };

struct watch {
	const struct hf_guard *guard;
	pid_t worker;
	int signal_fd;
	int ready_fd;    /* from the worker; -1 once it was read */
	int launcher_fd; /* to the launcher; -1 if none waits */
	int before;      /* id of the mount that was there before, or -1 */
	struct hf_mount mount;
	bool ready;
	enum stage stage;
	int64_t deadline_ms; /* of this stage */
	bool ended;
	int status; /* waitpid's, once ended */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static ssize_t read_byte(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Whoever reads our output waits for its end: let go of it. Standard input
 * leads nowhere already, and nothing need be opened. */
static void leave_terminal(void)
{
	hf_log_to_syslog();
	dup2(STDIN_FILENO, STDOUT_FILENO);
	dup2(STDIN_FILENO, STDERR_FILENO);
}

/* --- the mount ----------------------------------------------------------- */

/* Notes which mount is the worker's: the one that was not there before. */
static void note_mount(struct watch *watch)
{
	struct hf_mount found;

	if (watch->mount.mountpoint ||
	    hf_mount_at(watch->guard->mountpoint, &found) < 0)
		return;
	if (found.id != watch->before && strcmp(found.fstype, HF_FSTYPE) == 0)
		watch->mount = found;
	else
		hf_mount_fini(&found);
}

/* Unmounts what the worker mounted, if it is still there. */
static int remove_mount(struct watch *watch)
{
	int r;

	note_mount(watch);
	if (!watch->mount.mountpoint)
		return 0;
	r = hf_mount_find(&watch->mount);
	if (r > 0)
		r = hf_mount_detach(&watch->mount);
	return r;
}

/* --- events -------------------------------------------------------------- */

static void enter_stage(struct watch *watch, enum stage stage)
{
	watch->stage = stage;
	watch->deadline_ms = now_ms() + PATIENCE_MS;
}

/* Makes the worker end, less politely every time. */
static void press(struct watch *watch)
{
	switch (watch->stage) {
	case RUNNING:
		/* A worker that has not mounted yet would not notice. */
		if (!watch->ready)
			kill(watch->worker, SIGTERM);
		else if (remove_mount(watch) < 0)
			kill(watch->worker, SIGTERM);
		enter_stage(watch, UNMOUNTED);
		break;
	case UNMOUNTED:
		kill(watch->worker, SIGTERM);
		enter_stage(watch, TERMINATED);
		break;
	case TERMINATED:
		kill(watch->worker, SIGKILL);
		enter_stage(watch, KILLED);
		break;
	case KILLED:
	case GIVEN_UP:
		enter_stage(watch, GIVEN_UP);
		break;
	}
}

static void on_ready(struct watch *watch)
{
	bool ready = read_byte(watch->ready_fd) == 1;

	close_fd(&watch->ready_fd);
	if (!ready || watch->stage != RUNNING)
		return;
	watch->ready = true;
	note_mount(watch);
	if (watch->guard->foreground)
		return;
	leave_terminal();
	/* A launcher that is gone was told to stop: nobody wants the mount. */
	if (write(watch->launcher_fd, "", 1) != 1)
		press(watch);
	close_fd(&watch->launcher_fd);
}

static void on_signal(struct watch *watch)
{
	struct signalfd_siginfo info;

	if (read(watch->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	/* A closed terminal is no reason to unmount. */
	if (info.ssi_signo == SIGHUP)
		kill(watch->worker, SIGHUP);
	else if (info.ssi_signo != SIGCHLD)
		press(watch);
	/* One SIGCHLD may stand for several children. */
	else if (waitpid(watch->worker, &watch->status, WNOHANG) > 0)
		watch->ended = true;
}

static int timeout_ms(const struct watch *watch)
{
	int64_t left = watch->deadline_ms - now_ms();

	if (watch->stage == RUNNING)
		return -1;
	return left > 0 ? (int)left : 0;
}

static void step(struct watch *watch)
{
	struct pollfd fds[] = {
		{.fd = watch->signal_fd, .events = POLLIN},
		{.fd = watch->ready_fd, .events = POLLIN},
		{.fd = watch->launcher_fd},
	};
	int n = poll(fds, HF_ARRAY_SIZE(fds), timeout_ms(watch));

	if (n == 0)
		press(watch);
	if (n <= 0)
		return;
	if (fds[1].revents)
		on_ready(watch);
	if (fds[0].revents)
		on_signal(watch);
	if (fds[2].revents & POLLERR && watch->launcher_fd >= 0) {
		close_fd(&watch->launcher_fd);
		press(watch);
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

/* Ctrl-C reaches the whole process group, but the worker must serve until the
 * guard has unmounted. SIGHUP is ignored until it serves (see start). */
static _Noreturn void become_worker(struct watch *watch, int ready_fd)
{
	sigset_t none;

	close_fd(&watch->signal_fd);
	close_fd(&watch->ready_fd);
	close_fd(&watch->launcher_fd);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	exit(watch->guard->worker(watch->guard->data, ready_fd));
}

static int start(struct watch *watch)
{
	struct hf_mount before = {0};
	sigset_t signals;
	int ready[2];

	guard_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* An inherited SIG_IGN would swallow the worker's end. */
	signal(SIGCHLD, SIG_DFL);
	/* The worker takes it for a wish to forget, once it serves. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	/* A fusermount3 that outlives the worker comes to us, not to init. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	watch->before = -1;
	if (hf_mount_at(watch->guard->mountpoint, &before) == 0)
		watch->before = before.id;
	hf_mount_fini(&before);
	watch->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (watch->signal_fd < 0 || pipe2(ready, O_CLOEXEC) != 0)
		return -errno;
	watch->ready_fd = ready[0];
	watch->worker = fork();
	if (watch->worker < 0)
		return -errno;
	if (watch->worker == 0)
		become_worker(watch, ready[1]);
	close(ready[1]);
	prctl(PR_SET_NAME, "hashedfs-guard");
	return 0;
}

/* --- death --------------------------------------------------------------- */

int hf_guard_exit_status(int status, const char *who)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	hf_log(HF_LOG_ERROR, "the %s was killed by signal %d (%s)", who,
	       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return HF_EXIT_ENVIRONMENT;
}

/* Waits, but not for ever, for a fusermount3 that may still be mounting. */
static void reap_orphans(void)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			return;
		if (pid == 0)
			nanosleep(&pause, NULL);
	}
}

static int verdict(const struct watch *watch)
{
	if (watch->stage == GIVEN_UP) {
		hf_log(HF_LOG_ERROR, "the worker (process %d) does not end",
		       (int)watch->worker);
		return HF_EXIT_ENVIRONMENT;
	}
	if (watch->ready && watch->stage != RUNNING)
		return 0;
	/* A service manager may stop both processes at once. */
	if (watch->ready && WIFSIGNALED(watch->status) &&
	    WTERMSIG(watch->status) == SIGTERM)
		return 0;
	return hf_guard_exit_status(watch->status, "worker");
}

static void report_mount(const struct watch *watch, int error)
{
	HF_CLEANUP(hf_freep)
	char *shown =
		hf_escaped(watch->mount.mountpoint ? watch->mount.mountpoint
						   : watch->guard->mountpoint);

	hf_log(HF_LOG_ERROR,
	       "cannot unmount %s (%s); do it with fusermount3 -u",
	       shown ? shown : "the mount", strerror(-error));
}

/* A worker that served to the end saw its mount go. Whatever looks like it by
 * now is another one: the kernel gives ids and devices out again at once. */
static bool saw_unmount(const struct watch *watch)
{
	return watch->ready && watch->ended && WIFEXITED(watch->status) &&
	       WEXITSTATUS(watch->status) == 0;
}

static int finish(struct watch *watch)
{
	int r;

	if (!watch->ready)
		reap_orphans();
	if (saw_unmount(watch))
		return verdict(watch);
	r = remove_mount(watch);
	if (r < 0) {
		report_mount(watch, r);
		return HF_EXIT_ENVIRONMENT;
	}
	return verdict(watch);
}

int hf_guard_watch(const struct hf_guard *guard, int launcher_fd)
{
	struct watch watch = {.guard = guard,
			      .signal_fd = -1,
			      .ready_fd = -1,
			      .launcher_fd = launcher_fd};
	int r = start(&watch);
	int status;

	if (r < 0) {
		hf_log(HF_LOG_ERROR, "cannot start the worker: %s",
		       strerror(-r));
		return HF_EXIT_ENVIRONMENT;
	}
	while (!watch.ended && watch.stage != GIVEN_UP)
		step(&watch);
	status = finish(&watch);
	hf_mount_fini(&watch.mount);
	close_fd(&watch.signal_fd);
	close_fd(&watch.ready_fd);
	close_fd(&watch.launcher_fd);
	return status;
}

/* --- the worker's side --------------------------------------------------- */

int hf_guard_follow(int ready_fd)
{
	struct pollfd reader = {.fd = ready_fd};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -errno;
	/* Only the guard holds the other end. */
	if (poll(&reader, 1, 0) > 0 && reader.revents & POLLERR)
		return -ESRCH;
	return 0;
}

void hf_guard_ready(const struct hf_guard *guard, int ready_fd)
{
	if (!guard->foreground)
		leave_terminal();
	/* Without a guard there is a signal on its way. */
	if (write(ready_fd, "", 1) != 1)
		hf_log(HF_LOG_ERROR, "the guard is gone");
	close(ready_fd);
}
