#include "tools/runner.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/descendants.h"

/* How long what the command left behind may take to end after a SIGTERM, and
 * how often it is looked at. */
#define PATIENCE_MS 2000
#define LOOK_MS 20

/* --- fail-stop ----------------------------------------------------------- */

/* Answers whoever waits until all have ended. True: none is left. */
static bool answer_all(struct hf_worker *holder)
{
	for (int ms = 0; ms < PATIENCE_MS; ms += LOOK_MS) {
		const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
		pid_t pid;

		hf_worker_answer(holder);
		do
			pid = waitpid(-1, NULL, WNOHANG);
		while (pid > 0);
		if (pid < 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

void hf_run_stop_all(struct hf_worker *holder, pid_t worker, int front)
{
	bool gone;

	hf_descendants_kill(worker);
	if (worker)
		kill(worker, SIGKILL);
	gone = answer_all(holder);
	hf_worker_let_go(holder);
	if (front >= 0)
		(void)!hf_message_device(front, -1);
	if (!gone)
		hf_log(HF_LOG_ERROR,
		       "some processes do not end although they were killed");
}

static void explain(const struct hf_runner *runner)
{
	HF_CLEANUP(hf_freep)
	char *shown = runner->path ? hf_escaped(runner->path) : NULL;
	const char *then = "so the command was ended; it met no error. Run it "
			   "again";

	if (runner->deserted)
		hf_log(HF_LOG_ERROR, "the first process was killed, %s", then);
	else if (runner->path && !*runner->path)
		hf_log(HF_LOG_ERROR, "the mount could not answer (%s), %s",
		       strerror(-runner->error), then);
	else if (shown && runner->error == -ESTALE)
		hf_log(HF_LOG_ERROR,
		       "%s changed while the command was running, %s", shown,
		       then);
	else if (shown)
		hf_log(HF_LOG_ERROR, "%s cannot be read any more (%s), %s",
		       shown, strerror(-runner->error), then);
	else
		hf_log(HF_LOG_ERROR, "the worker (process %d) died, %s",
		       (int)runner->worker.pid, then);
}

static int fail_stop(struct hf_runner *runner)
{
	pid_t worker = hf_runner_worker(runner);

	hf_run_stop_all(&runner->worker, worker, runner->front);
	explain(runner);
	/* It was reaped with the rest. */
	if (worker)
		hf_worker_set_ended(&runner->worker, SIGKILL);
	return HF_EXIT_OURS;
}

/* --- the way of things --------------------------------------------------- */

/* Until all files have their names and the mount can answer. */
static int await_mount(struct hf_runner *runner)
{
	while (!runner->worker.ready && !runner->trouble && !runner->signalled)
		hf_runner_step(runner, -1);
	if (runner->signalled)
		return HF_EXIT_SIGNAL + runner->signalled;
	if (!runner->trouble)
		return 0;
	/* It said why, unless it was killed. */
	if (runner->worker.ended)
		(void)!hf_worker_exit_status(runner->worker.status, "worker");
	return HF_EXIT_OURS;
}

/* Waits for the child, which was started if `error` is 0; its exit status. */
static int await_child(struct hf_runner *runner, int error)
{
	if (error < 0) {
		hf_log(HF_LOG_ERROR, "cannot start a process: %s",
		       strerror(-error));
		return HF_EXIT_OURS;
	}
	while (!runner->child_ended && !runner->trouble)
		hf_runner_step(runner, -1);
	return hf_command_exit_status(runner->child_status);
}

static int run_command(struct hf_runner *runner)
{
	const struct hf_run *run = runner->run;

	runner->child_ended = false;
	return await_child(
		runner, hf_command_start(run->argv, run->job.mountpoint,
					 runner->inheritance, &runner->child));
}

/* Waits until they are gone; false: some are still there. */
static bool await_leftovers(struct hf_runner *runner)
{
	pid_t worker = hf_runner_worker(runner);
	int left = hf_descendants_signal(0, worker);

	for (int ms = 0; left > 0 && ms < PATIENCE_MS && !runner->trouble &&
			 !runner->signalled;
	     ms += LOOK_MS) {
		hf_runner_step(runner, LOOK_MS);
		left = hf_descendants_signal(0, worker);
	}
	return left <= 0;
}

/* What the command left behind goes, too: it has no business with a mount that
 * goes. First it may put its things in order. */
static void end_leftovers(struct hf_runner *runner)
{
	pid_t worker = hf_runner_worker(runner);

	if (hf_descendants_signal(SIGTERM, worker) == 0)
		return;
	/* Who is stopped would not hear of it. */
	(void)hf_descendants_signal(SIGCONT, worker);
	if (await_leftovers(runner) || runner->trouble)
		return;
	hf_descendants_kill(worker);
	if (!await_leftovers(runner) && !runner->trouble)
		hf_log(HF_LOG_WARNING, "some processes do not end although "
				       "they were killed");
}

/* In a child that may read the mount, and so must not hold its device. */
static int do_after(void *data)
{
	struct hf_runner *runner = data;

	hf_worker_let_go(&runner->worker);
	return runner->run->after(runner->run->after_data);
}

static int run_after(struct hf_runner *runner)
{
	int status;

	runner->child_ended = false;
	status = await_child(runner,
			     hf_command_fork(do_after, runner, &runner->child));
	return status == 0 || status > HF_EXIT_SIGNAL ? status : HF_EXIT_OURS;
}

static int run_all(struct hf_runner *runner)
{
	int status = await_mount(runner);

	if (status != 0)
		return status;
	status = run_command(runner);
	if (!runner->trouble)
		end_leftovers(runner);
	if (status == 0 && runner->signalled)
		status = HF_EXIT_SIGNAL + runner->signalled;
	if (!runner->trouble && status == 0 && runner->run->after)
		status = run_after(runner);
	return runner->trouble ? fail_stop(runner) : status;
}

/* Unmounts, and lets the worker end. */
static int finish(struct hf_runner *runner)
{
	struct hf_worker *worker = &runner->worker;
	int status;

	runner->ending = true;
	if (!worker->ended)
		hf_worker_press(worker);
	while (!worker->ended && worker->stage != HF_WORKER_GIVEN_UP) {
		int ms = hf_worker_timeout_ms(worker);

		if (ms == 0)
			hf_worker_press(worker);
		hf_runner_step(runner, ms);
	}
	/* A fusermount3 may still be mounting. */
	if (!worker->ready)
		hf_worker_reap_all();
	status = hf_worker_clear(worker);
	if (worker->ended)
		return status;
	hf_log(HF_LOG_ERROR, "the worker (process %d) does not end",
	       (int)worker->pid);
	return HF_EXIT_OURS;
}

static int start(struct hf_runner *runner)
{
	int r = hf_command_signals();

	if (r < 0)
		return r;
	runner->signal_fd = r;
	r = hf_worker_start(&runner->worker, &runner->run->job);
	prctl(PR_SET_NAME, "hashedfs-guard");
	return r;
}

int hf_run_conduct(const struct hf_run *run,
		   const struct hf_inheritance *inheritance, int front)
{
	struct hf_runner runner = {.run = run,
				   .inheritance = inheritance,
				   .front = front,
				   .signal_fd = -1};
	int r = start(&runner);
	int status;

	if (r < 0) {
		hf_log(HF_LOG_ERROR, "cannot start the worker: %s",
		       strerror(-r));
		return HF_EXIT_OURS;
	}
	status = run_all(&runner);
	if (finish(&runner) != 0)
		status = HF_EXIT_OURS;
	if (run->clean)
		run->clean(run->clean_data);
	hf_worker_fini(&runner.worker);
	free(runner.path);
	return status;
}
