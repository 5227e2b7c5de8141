/*
 * request: work that is called off when its client is being killed. The
 * watcher is the one thread that answers for others; it takes a request out
 * of its list and claims it first, so each is answered once.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* How often the watcher looks at a client that had a signal but lives. */
#define WATCH_NS INT64_C(50000000)
/* At how many it looks in one go. */
#define MAX_CLIENTS 1024

struct hf_watcher {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* the following are protected by lock */
	bool ending;
	struct hf_request *requests; /* whose clients had a signal */
};

/*
 * A signal that ends a process is turned into a pending SIGKILL of each of
 * its threads (complete_signal() in the kernel's kernel/signal.c). A client
 * that cannot be seen, in another PID namespace or gone, counts as killed.
 */
static bool is_dying(pid_t client)
{
	unsigned long long pending = 0;
	char line[256];
	char path[64];
	FILE *file;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)client);
	file = client > 0 ? fopen(path, "re") : NULL;
	if (!file)
		return true;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "SigPnd: %llx", &pending) == 1;
	fclose(file);
	return !found || pending & (1ULL << (SIGKILL - 1));
}

/* Call with the lock held. */
static void unwatch(struct hf_watcher *watcher, struct hf_request *request)
{
	struct hf_request **at = &watcher->requests;

	if (!request->watched)
		return;
	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	request->watched = false;
}

/*
 * Call with the lock held: a request of this client, claimed and out of the
 * list. Its thread may be gone once the lock is dropped, so only the
 * fuse_req_t leaves. NULL: there is none.
 */
static fuse_req_t claim(struct hf_watcher *watcher, pid_t client)
{
	struct hf_request *request = watcher->requests;

	while (request) {
		struct hf_request *next = request->next;
		fuse_req_t req = request->req;

		if (request->client == client) {
			unwatch(watcher, request);
			hf_wait_interrupt(&request->wait);
			if (!atomic_exchange(&request->answered, true))
				return req;
		}
		request = next;
	}
	return NULL;
}

/* Call with the lock held; it is dropped while /proc is read. */
static void answer_dying(struct hf_watcher *watcher)
{
	pid_t clients[MAX_CLIENTS];
	size_t n = 0;
	size_t dying = 0;

	for (struct hf_request *r = watcher->requests; r && n < MAX_CLIENTS;
	     r = r->next)
		clients[n++] = r->client;
	pthread_mutex_unlock(&watcher->lock);
	for (size_t i = 0; i < n; i++)
		if (is_dying(clients[i]))
			clients[dying++] = clients[i];
	pthread_mutex_lock(&watcher->lock);
	for (size_t i = 0; i < dying; i++) {
		fuse_req_t req;

		while ((req = claim(watcher, clients[i]))) {
			pthread_mutex_unlock(&watcher->lock);
			fuse_reply_err(req, EINTR);
			pthread_mutex_lock(&watcher->lock);
		}
	}
}

static void sleep_a_while(struct hf_watcher *watcher)
{
	if (watcher->requests)
		hf_cond_wait_until(&watcher->changed, &watcher->lock,
				   hf_clock_monotonic() + WATCH_NS);
	else
		pthread_cond_wait(&watcher->changed, &watcher->lock);
}

static void *watch(void *arg)
{
	struct hf_watcher *watcher = arg;

	pthread_mutex_lock(&watcher->lock);
	while (!watcher->ending) {
		answer_dying(watcher);
		if (!watcher->ending)
			sleep_a_while(watcher);
	}
	pthread_mutex_unlock(&watcher->lock);
	return NULL;
}

int hf_watcher_new(struct hf_watcher **ret)
{
	struct hf_watcher *watcher = calloc(1, sizeof(*watcher));
	int error;

	if (!watcher)
		return -ENOMEM;
	pthread_mutex_init(&watcher->lock, NULL);
	pthread_cond_init(&watcher->changed, NULL);
	error = hf_thread_start(&watcher->thread, 0, watch, watcher);
	if (error < 0) {
		free(watcher);
		return error;
	}
	*ret = watcher;
	return 0;
}

void hf_watcher_free(struct hf_watcher *watcher)
{
	if (!watcher)
		return;
	pthread_mutex_lock(&watcher->lock);
	watcher->ending = true;
	pthread_cond_signal(&watcher->changed);
	pthread_mutex_unlock(&watcher->lock);
	pthread_join(watcher->thread, NULL);
	pthread_mutex_destroy(&watcher->lock);
	pthread_cond_destroy(&watcher->changed);
	free(watcher);
}

/* libfuse calls this in the thread that received FUSE_INTERRUPT. */
static void interrupted(fuse_req_t req, void *data)
{
	struct hf_request *request = data;
	struct hf_watcher *watcher = request->watcher;

	(void)req;
	pthread_mutex_lock(&watcher->lock);
	if (!request->watched) {
		request->watched = true;
		request->next = watcher->requests;
		watcher->requests = request;
		pthread_cond_signal(&watcher->changed);
	}
	pthread_mutex_unlock(&watcher->lock);
}

void hf_request_begin(struct hf_request *request, struct hf_fs *fs,
		      fuse_req_t req)
{
	request->req = req;
	request->watcher = fs->watcher;
	request->watched = false;
	request->next = NULL;
	request->client = fuse_req_ctx(req)->pid;
	atomic_init(&request->answered, false);
	hf_wait_init(&request->wait);
	request->wait.works = true;
	request->wait.sleeps = hf_loop_pass;
	request->wait.sleeps_arg = fs->loop;
	fuse_req_interrupt_func(req, interrupted, request);
}

/*
 * If the watcher was first, libfuse may not be asked to forget `interrupted`:
 * the request is gone, and with it the call. It cannot run late either, since
 * the watcher only answers what it was told of.
 */
bool hf_request_claim(struct hf_request *request)
{
	struct hf_watcher *watcher = request->watcher;
	bool mine = !atomic_exchange(&request->answered, true);

	if (mine)
		fuse_req_interrupt_func(request->req, NULL, NULL);
	pthread_mutex_lock(&watcher->lock);
	unwatch(watcher, request);
	pthread_mutex_unlock(&watcher->lock);
	hf_wait_fini(&request->wait);
	return mine;
}
