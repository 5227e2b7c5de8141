/*
 * loop: threads that take requests from the kernel and answer them. One more
 * is started whenever none is left to listen, so that a crowd that waits for
 * a hash, or for a source that hangs, stops nobody else. The last thread that
 * there may be starts nothing that could wait: it has to be there to read that
 * somebody was killed.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define MAX_THREADS 256
/* So many may listen at once; a thread that finds them ends. */
#define MAX_LISTENERS 16

/* How long after an unmount a thread may hang in a source before the process
 * ends without it. */
#define PATIENCE_S 2

struct loop {
	struct hf_fs *fs;
	struct fuse_session *fuse;
	unsigned max_threads;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	/* the following are protected by lock */
	unsigned threads;
	unsigned listeners;
	bool ending;
	int error;
};

static void leave(int number)
{
	(void)number;
	_exit(0);
}

/* Nobody can ask any more, and nothing is left to be saved. */
static void end_soon(void)
{
	signal(SIGALRM, leave);
	alarm(PATIENCE_S);
}

static int start_thread(struct loop *loop);

/* Call with the lock held. */
static void start_if_needed(struct loop *loop)
{
	if (loop->listeners > 0 || loop->ending ||
	    loop->threads >= loop->max_threads)
		return;
	loop->threads++;
	loop->listeners++;
	/* Without another thread this one goes on by itself later. */
	if (start_thread(loop) < 0) {
		loop->threads--;
		loop->listeners--;
	}
}

/* Can its answer depend on a source? */
static bool can_wait(const struct fuse_in_header *in)
{
	switch (in->opcode) {
	case FUSE_INIT:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		return false;
	default:
		return true;
	}
}

static void reject(const struct loop *loop, const struct fuse_in_header *in)
{
	if (!hf_withhold(loop->fs, NULL, NULL, -EAGAIN))
		hf_device_reject(loop->fs, in->unique, -EAGAIN);
}

/* One request; 0 when there are no more, or a negative errno. */
static int take(struct loop *loop, struct fuse_buf *buf)
{
	int n = fuse_session_receive_buf(loop->fuse, buf);
	bool last;

	if (n == -EINTR)
		return 1;
	pthread_mutex_lock(&loop->lock);
	loop->listeners--;
	if (n > 0)
		start_if_needed(loop);
	last = loop->listeners == 0 && loop->max_threads > 1;
	pthread_mutex_unlock(&loop->lock);
	if (n <= 0)
		return n;
	if (last && can_wait(buf->mem))
		reject(loop, buf->mem);
	else
		fuse_session_process_buf(loop->fuse, buf);
	pthread_mutex_lock(&loop->lock);
	loop->listeners++;
	pthread_mutex_unlock(&loop->lock);
	return 1;
}

/* Whether this thread is one too many. Then it no longer counts. */
static bool is_surplus(struct loop *loop)
{
	bool surplus;

	pthread_mutex_lock(&loop->lock);
	surplus = loop->listeners > MAX_LISTENERS;
	if (surplus) {
		loop->listeners--;
		loop->threads--;
	}
	pthread_mutex_unlock(&loop->lock);
	return surplus;
}

static void finish(struct loop *loop, int error)
{
	pthread_mutex_lock(&loop->lock);
	if (!loop->ending) {
		loop->ending = true;
		loop->error = error;
		end_soon();
	}
	loop->threads--;
	pthread_cond_signal(&loop->ended);
	pthread_mutex_unlock(&loop->lock);
}

static void *serve(void *arg)
{
	struct loop *loop = arg;
	struct fuse_buf buf = {0};
	bool surplus = false;
	int more = 1;

	while (more > 0 && !surplus) {
		more = take(loop, &buf);
		surplus = more > 0 && is_surplus(loop);
	}
	free(buf.mem);
	if (!surplus)
		finish(loop, more);
	return NULL;
}

static int start_thread(struct loop *loop)
{
	pthread_t thread;
	int error = hf_thread_start(&thread, 0, serve, loop);

	if (error == 0)
		pthread_detach(thread);
	return error;
}

/* An unmount wakes every listener, so all threads end by themselves. */
static void wait_for_all(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	while (loop->threads > 0)
		pthread_cond_wait(&loop->ended, &loop->lock);
	pthread_mutex_unlock(&loop->lock);
}

int hf_loop_run(struct hf_fs *fs, struct fuse_session *fuse)
{
	bool single = fs->config->single_threaded;
	struct loop loop = {.fs = fs,
			    .fuse = fuse,
			    .max_threads = single ? 1 : MAX_THREADS,
			    .threads = 1,
			    .listeners = 1};
	int error;

	pthread_mutex_init(&loop.lock, NULL);
	pthread_cond_init(&loop.ended, NULL);
	error = start_thread(&loop);
	if (error == 0) {
		wait_for_all(&loop);
		error = loop.error;
	}
	pthread_mutex_destroy(&loop.lock);
	pthread_cond_destroy(&loop.ended);
	return error;
}
