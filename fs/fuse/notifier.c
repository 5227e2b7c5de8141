/*
 * notifier: the one thread that waits for changes of the sources, and for
 * SIGHUP. It serves no request, and no request waits for it.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* What comes close together is taken together. */
#define PAUSE_MS 10

struct hf_notifier {
	struct hf_trust *trust;
	int watch_fd; /* of the view; -1: there is none */
	int hangup_fd;
	int end_fd;
	pthread_t thread;
	bool running;
};

static void on_hangup(struct hf_notifier *notifier)
{
	struct signalfd_siginfo info;

	if (read(notifier->hangup_fd, &info, sizeof(info)) == sizeof(info))
		hf_trust_forget(notifier->trust);
}

static void *notify(void *arg)
{
	static const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	struct hf_notifier *notifier = arg;
	struct pollfd fds[] = {
		{.fd = notifier->end_fd, .events = POLLIN},
		{.fd = notifier->hangup_fd, .events = POLLIN},
		{.fd = notifier->watch_fd, .events = POLLIN},
	};

	for (;;) {
		if (poll(fds, HF_ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			return NULL;
		if (fds[1].revents)
			on_hangup(notifier);
		if (fds[2].revents) {
			hf_trust_update(notifier->trust);
			nanosleep(&pause, NULL);
		}
	}
}

static int open_fds(struct hf_notifier *notifier)
{
	sigset_t hangup;

	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	notifier->hangup_fd = signalfd(-1, &hangup, SFD_CLOEXEC | SFD_NONBLOCK);
	if (notifier->hangup_fd < 0)
		return -errno;
	notifier->end_fd = eventfd(0, EFD_CLOEXEC);
	if (notifier->end_fd < 0)
		return -errno;
	/* Every other thread blocks all signals. */
	return -pthread_sigmask(SIG_BLOCK, &hangup, NULL);
}

int hf_notifier_new(struct hf_trust *trust, int watch_fd,
		    struct hf_notifier **ret)
{
	struct hf_notifier *notifier = calloc(1, sizeof(*notifier));
	int error;

	if (!notifier)
		return -ENOMEM;
	notifier->trust = trust;
	notifier->watch_fd = watch_fd;
	notifier->hangup_fd = notifier->end_fd = -1;
	error = open_fds(notifier);
	if (error == 0)
		error = hf_thread_start(&notifier->thread, 0, notify, notifier);
	notifier->running = error == 0;
	if (error < 0) {
		hf_notifier_free(notifier);
		return error;
	}
	*ret = notifier;
	return 0;
}

void hf_notifier_free(struct hf_notifier *notifier)
{
	if (!notifier)
		return;
	if (notifier->running && eventfd_write(notifier->end_fd, 1) == 0)
		pthread_join(notifier->thread, NULL);
	hf_closep(&notifier->hangup_fd);
	hf_closep(&notifier->end_fd);
	free(notifier);
}
