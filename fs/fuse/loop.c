/*
 * loop: threads that take requests from the kernel and answer them.
 *
 * One thread at a time listens. It answers what it took by itself, and listens
 * again: whoever asks for one thing after the other is answered by one thread,
 * which the kernel need not wake for what comes in time. If two listened, each
 * request would wake the other one. So nobody listens meanwhile, and the turn
 * goes on to another thread
 *   at once, when more has come already, or when the request has to sleep
 *   (hf_loop_pass); so that those who ask at the same time are answered side
 *   by side, and a crowd that waits for a hash stops nobody else;
 *   after a tick or two, when the thread hangs in a source. A thread of its own
 *   looks after that; it sleeps while nobody asks.
 *
 * Who goes through a tree asks again within microseconds, and on a machine that
 * has nothing else to do each sleep ends with the waking of an idle processor.
 * So the thread polls for a moment before it sleeps; not when nobody asks. Where
 * the processor of who waits is as slow to wake (idle.c), one of the threads that
 * rest stays awake instead while somebody asks without a pause (pace.c), on one of
 * the two processors, and the one that listens keeps to the other: there the kernel
 * lets it and the one that asks take turns.
 *
 * There is always a thread that rests, for the turn: without one nothing is
 * begun that could wait. It has to be there to read that somebody was killed.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define MAX_THREADS 256
/* So many may rest; a thread that finds them ends. */
#define MAX_RESTING 16
/* So long a thread looks for the next request before it sleeps, while they come
 * promptly: to wake it on another processor takes about as long. */
#define POLL_NS 50000
/* How often it is looked whether anybody listens, and how many of these looks
 * in a row find that nobody asks before they end. */
#define TICK_NS 1000000
#define MAX_IDLE 16

/* How long after an unmount a thread may hang in a source before the process
 * ends without it. */
#define PATIENCE_S 2

struct hf_loop {
	struct hf_fs *fs;
	struct fuse_session *fuse;
	unsigned max_threads;
	pthread_mutex_t lock;
	pthread_cond_t turn;  /* for those who rest */
	pthread_cond_t asked; /* for the one who looks after them */
	pthread_cond_t ended;
	/* the following are written with the lock held */
	atomic_bool given; /* the turn, to one of those who rest */
	atomic_bool dense; /* one client asks without a pause */
	atomic_bool awake; /* one of those who rest is */
	/* the following are protected by lock */
	unsigned threads;
	unsigned resting;
	bool listened; /* somebody listens, or has been given the turn to */
	bool idle;     /* nobody looks after them */
	uint64_t taken;
	uint64_t passed; /* turns, to those who rest */
	bool ending;
	int error;
};

/* One that takes requests. */
struct thread {
	struct fuse_buf buf;
	bool prompt; /* the last one came soon after it began to listen, and
			so may the next one */
	enum hf_side on;
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

/* --- the turn ----------------------------------------------------------------- */

/* Call with the lock held: somebody is to listen. */
static void pass(struct hf_loop *loop)
{
	if (loop->listened || loop->resting == 0)
		return;
	loop->listened = true;
	loop->passed++;
	loop->given = true;
	pthread_cond_signal(&loop->turn);
}

void hf_loop_pass(void *arg)
{
	struct hf_loop *loop = arg;

	pthread_mutex_lock(&loop->lock);
	pass(loop);
	pthread_mutex_unlock(&loop->lock);
}

/* Call with the lock held, which is let go in between: keeps a processor from
 * going idle, and yields to all others. */
static void rest_awake(struct hf_loop *loop, struct thread *thread)
{
	loop->awake = true;
	pthread_mutex_unlock(&loop->lock);
	hf_idle_run_on(&loop->fs->idle, HF_SIDE_AWAKE, &thread->on);
	while (loop->dense && !loop->given)
		sched_yield();
	hf_idle_run_on(&loop->fs->idle, HF_SIDE_ANY, &thread->on);
	pthread_mutex_lock(&loop->lock);
	loop->awake = false;
	/* It has been given the turn: another one in its place. */
	if (loop->dense)
		pthread_cond_signal(&loop->turn);
}

/* Call with the lock held, counted among those who rest. False: all ends. */
static bool rest(struct hf_loop *loop, struct thread *thread)
{
	while (!loop->given && !loop->ending)
		if (loop->dense && !loop->awake)
			rest_awake(loop, thread);
		else
			pthread_cond_wait(&loop->turn, &loop->lock);
	loop->given = false;
	loop->resting--;
	return !loop->ending;
}

static void *serve(void *arg);

/* Call with the lock held: true if another thread rests, or now does. */
static bool has_another(struct hf_loop *loop)
{
	pthread_t thread;

	if (loop->resting > 0 || loop->threads >= loop->max_threads)
		return loop->resting > 0;
	if (hf_thread_start(&thread, 0, serve, loop) < 0)
		return false;
	pthread_detach(thread);
	loop->threads++;
	loop->resting++;
	return true;
}

/* --- requests ----------------------------------------------------------------- */

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

/* Within so long; -1: sleeps until something has come. */
static bool has_come(const struct hf_loop *loop, int timeout_ms)
{
	struct pollfd device = {.fd = fuse_session_fd(loop->fuse),
				.events = POLLIN};

	return poll(&device, 1, timeout_ms) > 0;
}

static void reject(const struct hf_loop *loop, const struct fuse_in_header *in)
{
	if (!hf_withhold(loop->fs, NULL, NULL, -EAGAIN))
		hf_device_reject(loop->fs, in->unique, -EAGAIN);
}

/* Call with the lock held. */
static void look_after(struct hf_loop *loop)
{
	loop->taken++;
	if (loop->idle) {
		loop->idle = false;
		pthread_cond_signal(&loop->asked);
	}
}

static void answer(struct hf_loop *loop, struct fuse_buf *buf)
{
	bool waits = can_wait(buf->mem) && loop->max_threads > 1;
	bool more = waits && has_come(loop, 0);
	bool alone;

	pthread_mutex_lock(&loop->lock);
	loop->listened = false;
	look_after(loop);
	alone = waits && !has_another(loop);
	if (more)
		pass(loop);
	pthread_mutex_unlock(&loop->lock);
	if (alone)
		reject(loop, buf->mem);
	else
		fuse_session_process_buf(loop->fuse, buf);
}

/* One request; 0 when there are no more, or a negative errno. */
static int take(struct hf_loop *loop, struct thread *thread)
{
	int64_t since_ns = hf_clock_monotonic();
	bool awake = loop->awake;
	bool polls = thread->prompt && !awake;
	int64_t until_ns = polls ? since_ns + POLL_NS : since_ns;
	int n;

	hf_idle_run_on(&loop->fs->idle, awake ? HF_SIDE_LISTENS : HF_SIDE_ANY,
		       &thread->on);
	while ((n = fuse_session_receive_buf(loop->fuse, &thread->buf)) ==
		       -EAGAIN ||
	       n == -EINTR)
		if (n == -EAGAIN && hf_clock_monotonic() >= until_ns)
			(void)has_come(loop, -1);
	thread->prompt = hf_clock_monotonic() < since_ns + 2 * POLL_NS;
	if (n > 0)
		answer(loop, &thread->buf);
	return n;
}

/* Call with the lock held, after a request: true if it is this thread's turn,
 * perhaps after a rest. False: it is one too many, or all ends. */
static bool has_turn(struct hf_loop *loop, struct thread *thread)
{
	if (loop->ending)
		return false;
	if (!loop->listened) {
		loop->listened = true;
		return true;
	}
	if (loop->resting >= MAX_RESTING)
		return false;
	loop->resting++;
	return rest(loop, thread);
}

/* Call with the lock held: there is nothing more to be taken. */
static void end(struct hf_loop *loop, int error)
{
	if (loop->ending)
		return;
	loop->ending = true;
	loop->dense = false;
	loop->error = error;
	pthread_cond_broadcast(&loop->turn);
	pthread_cond_signal(&loop->asked);
	end_soon();
}

static void *serve(void *arg)
{
	struct hf_loop *loop = arg;
	struct thread thread = {.on = HF_SIDE_UNKNOWN};
	bool turn;

	pthread_mutex_lock(&loop->lock);
	turn = rest(loop, &thread);
	while (turn) {
		int n;

		pthread_mutex_unlock(&loop->lock);
		n = take(loop, &thread);
		pthread_mutex_lock(&loop->lock);
		if (n <= 0)
			end(loop, n);
		turn = has_turn(loop, &thread);
	}
	free(thread.buf.mem);
	loop->threads--;
	pthread_cond_signal(&loop->ended);
	pthread_mutex_unlock(&loop->lock);
	return NULL;
}

/* --- who looks after them ----------------------------------------------------- */

/* Call with the lock held. */
static void look_how_dense(struct hf_loop *loop, struct hf_pace *pace)
{
	loop->dense = hf_pace_look(pace, loop->taken, loop->passed,
				   hf_clock_monotonic()) &&
		      loop->fs->idle.slow && !loop->ending;
	if (loop->dense && !loop->awake)
		pthread_cond_signal(&loop->turn);
}

static void *watch(void *arg)
{
	struct hf_loop *loop = arg;
	struct hf_pace pace;
	unsigned idle = 0;

	hf_pace_init(&pace);
	pthread_mutex_lock(&loop->lock);
	while (!loop->ending) {
		uint64_t taken = loop->taken;

		hf_cond_wait_until(&loop->asked, &loop->lock,
				   hf_clock_monotonic() + TICK_NS);
		look_how_dense(loop, &pace);
		idle = loop->taken == taken ? idle + 1 : 0;
		if (idle > 0)
			pass(loop);
		if (idle < MAX_IDLE || !loop->listened)
			continue;
		loop->idle = true;
		while (loop->idle && !loop->ending)
			pthread_cond_wait(&loop->asked, &loop->lock);
	}
	pthread_mutex_unlock(&loop->lock);
	return NULL;
}

/* --- the whole ---------------------------------------------------------------- */

/* An unmount wakes who listens, so all threads end by themselves. */
static void wait_for_all(struct hf_loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	while (loop->threads > 0)
		pthread_cond_wait(&loop->ended, &loop->lock);
	pthread_mutex_unlock(&loop->lock);
}

/* Who finds that nothing has come looks again before it sleeps. */
static int dont_wait(const struct hf_loop *loop)
{
	int fd = fuse_session_fd(loop->fuse);

	return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int run(struct hf_loop *loop)
{
	bool many = loop->max_threads > 1;
	pthread_t watcher;
	int error = dont_wait(loop);

	if (error == 0 && many)
		error = hf_thread_start(&watcher, 0, watch, loop);

	if (error < 0)
		return error;
	pthread_mutex_lock(&loop->lock);
	if (has_another(loop))
		pass(loop);
	else
		end(loop, -EAGAIN);
	pthread_mutex_unlock(&loop->lock);
	wait_for_all(loop);
	if (many)
		pthread_join(watcher, NULL);
	return loop->error;
}

int hf_loop_run(struct hf_fs *fs, struct fuse_session *fuse)
{
	bool single = fs->config->single_threaded;
	struct hf_loop loop = {.fs = fs,
			       .fuse = fuse,
			       .max_threads = single ? 1 : MAX_THREADS};
	int error;

	pthread_mutex_init(&loop.lock, NULL);
	pthread_cond_init(&loop.turn, NULL);
	pthread_cond_init(&loop.asked, NULL);
	pthread_cond_init(&loop.ended, NULL);
	fs->loop = &loop;
	error = run(&loop);
	fs->loop = NULL;
	pthread_mutex_destroy(&loop.lock);
	pthread_cond_destroy(&loop.turn);
	pthread_cond_destroy(&loop.asked);
	pthread_cond_destroy(&loop.ended);
	return error;
}
