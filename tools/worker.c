#include "tools/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long the worker may take to end by itself after an unmount, then after
 * SIGTERM, then after SIGKILL (a process can hang in the kernel for ever). */
#define PATIENCE_MS 2000
/* How often it is looked whether it was killed and hangs, which no signal and
 * no closed descriptor tells. */
#define LOOK_MS 1000

static int64_t now_ms(void)
{
	return hf_clock_monotonic() / 1000000;
}

/* --- the mount ----------------------------------------------------------- */

/* Notes which mount is the worker's: the one that was not there before. */
static void note_mount(struct hf_worker *worker)
{
	struct hf_mount found;

	if (worker->mount.mountpoint ||
	    hf_mount_at(worker->job->mountpoint, &found) < 0)
		return;
	if (found.id != worker->before && strcmp(found.fstype, HF_FSTYPE) == 0)
		worker->mount = found;
	else
		hf_mount_fini(&found);
}

/*
 * Whether the kernel has given the mount up. What looks like it by now is then
 * another one: ids and devices are given out again at once, but not while the
 * mount that had them is there.
 */
static bool is_gone(const struct hf_worker *worker)
{
	struct pollfd device = {.fd = worker->device_fd};

	return worker->gone ||
	       (poll(&device, 1, 0) > 0 && device.revents & POLLERR);
}

/* Unmounts what the worker mounted, if it is still there. */
static int remove_mount(struct hf_worker *worker)
{
	int r;

	note_mount(worker);
	if (!worker->mount.mountpoint || is_gone(worker))
		return 0;
	r = hf_mount_find(&worker->mount);
	if (r > 0)
		r = hf_mount_detach(&worker->mount);
	return r;
}

static void report_mount(const struct hf_worker *worker, int error)
{
	HF_CLEANUP(hf_freep)
	char *shown =
		hf_escaped(worker->mount.mountpoint ? worker->mount.mountpoint
						    : worker->job->mountpoint);

	hf_log(HF_LOG_ERROR,
	       "cannot unmount %s (%s); do it with fusermount3 -u",
	       shown ? shown : "the mount", strerror(-error));
}

int hf_worker_clear(struct hf_worker *worker)
{
	int r = remove_mount(worker);

	hf_worker_let_go(worker);
	if (r == 0)
		return 0;
	report_mount(worker, r);
	return HF_EXIT_ENVIRONMENT;
}

/* --- birth --------------------------------------------------------------- */

int hf_worker_start(struct hf_worker *worker, const struct hf_worker_job *job)
{
	struct hf_mount before = {0};
	int channel[2];

	*worker = (struct hf_worker){
		.job = job, .channel = -1, .device_fd = -1, .before = -1};
	if (hf_mount_at(job->mountpoint, &before) == 0)
		worker->before = before.id;
	hf_mount_fini(&before);
	/* A fusermount3 that outlives the worker comes to us, not to init. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0)
		return -errno;
	worker->pid = fork();
	if (worker->pid == 0) {
		close(channel[0]);
		exit(job->run(job->data, channel[1]));
	}
	close(channel[1]);
	if (worker->pid < 0) {
		worker->pid = 0;
		close(channel[0]);
		return -errno;
	}
	worker->channel = channel[0];
	return 0;
}

/* --- death --------------------------------------------------------------- */

static void enter_stage(struct hf_worker *worker, enum hf_worker_stage stage)
{
	worker->stage = stage;
	worker->deadline_ms = now_ms() + PATIENCE_MS;
}

void hf_worker_press(struct hf_worker *worker)
{
	int polite = worker->job->deaf ? SIGKILL : SIGTERM;

	switch (worker->stage) {
	case HF_WORKER_RUNNING:
		/* A worker that has not mounted yet would not notice. */
		if (!worker->ready || remove_mount(worker) < 0)
			kill(worker->pid, polite);
		enter_stage(worker, HF_WORKER_UNMOUNTED);
		break;
	case HF_WORKER_UNMOUNTED:
		kill(worker->pid, polite);
		enter_stage(worker, HF_WORKER_TERMINATED);
		break;
	case HF_WORKER_TERMINATED:
		kill(worker->pid, SIGKILL);
		enter_stage(worker, HF_WORKER_KILLED);
		break;
	case HF_WORKER_KILLED:
	case HF_WORKER_GIVEN_UP:
		enter_stage(worker, HF_WORKER_GIVEN_UP);
		break;
	}
}

int hf_worker_timeout_ms(const struct hf_worker *worker)
{
	int64_t left = worker->deadline_ms - now_ms();

	if (worker->stage == HF_WORKER_RUNNING)
		return worker->ready ? LOOK_MS : -1;
	return left > 0 ? (int)left : 0;
}

/* --- one that was killed and hangs ---------------------------------------- */

/* Its first thread only waits, so that SIGKILL ends it at once: it is a zombie
 * then, see proc_pid_stat(5). */
static bool is_zombie(pid_t pid)
{
	char path[64], line[1024];
	const char *rest;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	rest = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return rest && strncmp(rest, ") Z", 3) == 0;
}

void hf_worker_note_lost(struct hf_worker *worker)
{
	worker->lost |= !worker->ended && is_zombie(worker->pid);
}

void hf_worker_look(struct hf_worker *worker)
{
	if (worker->stage != HF_WORKER_RUNNING) {
		hf_worker_press(worker);
		return;
	}
	hf_worker_note_lost(worker);
	if (!worker->lost)
		return;
	(void)!remove_mount(worker);
	enter_stage(worker, HF_WORKER_KILLED);
}

bool hf_worker_is_mute(const struct hf_worker *worker)
{
	return worker->stage >= HF_WORKER_KILLED;
}

void hf_worker_answer(struct hf_worker *worker)
{
	if (worker->device_fd >= 0)
		hf_unanswered_fail(worker->job->unanswered, worker->device_fd);
}

void hf_worker_let_go(struct hf_worker *worker)
{
	worker->gone = is_gone(worker);
	hf_closep(&worker->device_fd);
	worker->device_fd = -1;
}

void hf_worker_set_ended(struct hf_worker *worker, int status)
{
	worker->ended = true;
	worker->status = status;
}

int hf_worker_exit_status(int status, const char *who)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	hf_log(HF_LOG_ERROR, "the %s was killed by signal %d (%s)", who,
	       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return HF_EXIT_ENVIRONMENT;
}

bool hf_worker_reap_all(void)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	for (int i = 0; i < PATIENCE_MS / 5; i++) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			return true;
		if (pid == 0)
			nanosleep(&pause, NULL);
	}
	return false;
}

void hf_worker_fini(struct hf_worker *worker)
{
	hf_mount_fini(&worker->mount);
	hf_closep(&worker->channel);
	hf_worker_let_go(worker);
}

/* --- what it says -------------------------------------------------------- */

enum hf_news hf_worker_receive(struct hf_worker *worker, char **ret_path,
			       int *ret_error)
{
	struct hf_message message;
	int fd;

	if (hf_message_receive(worker->channel, &message, &fd) < 0) {
		hf_closep(&worker->channel);
		worker->channel = -1;
		return HF_NEWS_NONE;
	}
	if (message.news == HF_NEWS_READY) {
		worker->ready = true;
		note_mount(worker);
	}
	if (message.news == HF_NEWS_DEVICE) {
		hf_worker_let_go(worker);
		worker->device_fd = fd;
	}
	if (message.news == HF_NEWS_ERROR) {
		message.path[sizeof(message.path) - 1] = '\0';
		*ret_path = strdup(message.path);
		*ret_error = message.error;
	}
	return message.news;
}

/* --- in the worker ------------------------------------------------------- */

/* Ctrl-C reaches the whole process group, but the worker must serve until its
 * mount is gone. */
void hf_worker_listen(bool deaf)
{
	static const int others[] = {SIGTERM, SIGHUP,  SIGUSR1,
				     SIGUSR2, SIGTSTP, SIGPIPE};
	sigset_t none;

	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	for (size_t i = 0; deaf && i < HF_ARRAY_SIZE(others); i++)
		signal(others[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void hf_worker_shield(int channel, bool deaf)
{
	if (channel > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)channel - 1, 0);
	close_range((unsigned)channel + 1, ~0U, 0);
	hf_worker_listen(deaf);
}

int hf_worker_follow(int channel)
{
	struct pollfd reader = {.fd = channel};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -errno;
	/* Only the watching process holds the other end. */
	if (poll(&reader, 1, 0) > 0 && reader.revents & POLLHUP)
		return -ESRCH;
	return 0;
}

int hf_leave_input(void)
{
	HF_CLEANUP(hf_closep) int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 || dup2(fd, STDIN_FILENO) < 0 ? -errno : 0;
}

void hf_leave_terminal(void)
{
	hf_log_to_syslog();
	dup2(STDIN_FILENO, STDOUT_FILENO);
	dup2(STDIN_FILENO, STDERR_FILENO);
}
