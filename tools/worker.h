/*
 * worker: the process that mounts and serves, as whoever watches over it sees
 * it: started, pressed to end, and its mount removed when it is gone. The
 * watching process, once the worker serves, never touches the mountpoint: a
 * dead file system would hold it fast. It has a copy of /dev/fuse, to answer
 * those who wait if the worker is killed and hangs: see hf_worker_answer.
 */
#ifndef HF_WORKER_H
#define HF_WORKER_H

#include <sys/types.h>

#include "fs/base/base.h"
#include "fs/fuse/fuse.h"
#include "tools/message.h"
#include "tools/mountinfo.h"
#include "tools/program.h" /* HF_EXIT_ENVIRONMENT */

/* What a worker is to do. */
struct hf_worker_job {
	const char *mountpoint; /* absolute, without links */
	/*
	 * Runs in the worker, which exits with what it returns. Mounts, calls
	 * hf_message_ready when it is about to serve, and serves until the file
	 * system is unmounted. On failure it says why itself.
	 */
	int (*run)(void *data, int channel);
	void *data;
	bool deaf;                        /* as hf_worker_shield was told */
	struct hf_unanswered *unanswered; /* of its session; borrowed */
};

/* What was done last to make the worker end. */
enum hf_worker_stage {
	HF_WORKER_RUNNING,
	HF_WORKER_UNMOUNTED,
	HF_WORKER_TERMINATED,
	HF_WORKER_KILLED,
	HF_WORKER_GIVEN_UP,
};

/* Private but for what is said of a field. */
struct hf_worker {
	const struct hf_worker_job *job;
	pid_t pid;     /* read by all; 0: there is none */
	int channel;   /* read by all, for poll(2); -1 once it was closed */
	int device_fd; /* its /dev/fuse; read by all; -1: not known, let go */
	int before;    /* id of the mount that was there before, or -1 */
	struct hf_mount mount;
	bool gone;                  /* the mount was, when it was let go */
	bool ready;                 /* read by all: the mount can answer */
	enum hf_worker_stage stage; /* read by all */
	int64_t deadline_ms;        /* of this stage */
	bool lost;  /* read by all: it was killed, and hangs in the kernel */
	bool ended; /* read by all */
	int status; /* waitpid's, once ended; read by all */
};

/*
 * Starts the worker. Call before any thread starts, with descriptors 0 to 2
 * open. It inherits all that is open, and the signal mask. This process adopts
 * what its descendants leave behind from then on. `job` is borrowed. Negative
 * errno.
 */
int hf_worker_start(struct hf_worker *worker,
		    const struct hf_worker_job *job) HF_MUST_USE;

/* Takes one message from the channel; at its end the channel is closed. Of
 * HF_NEWS_ERROR *ret_path is new; HF_NEWS_DEVICE sets device_fd. */
enum hf_news hf_worker_receive(struct hf_worker *worker, char **ret_path,
			       int *ret_error);

/* Makes the worker end, less politely every time: by unmounting, by SIGTERM,
 * by SIGKILL. */
void hf_worker_press(struct hf_worker *worker);
/* How long until hf_worker_look is due; -1: never. */
int hf_worker_timeout_ms(const struct hf_worker *worker);
/* Presses the worker again if it was pressed; else looks whether it is lost,
 * and unmounts if so. */
void hf_worker_look(struct hf_worker *worker);
/* Sets `lost`. A worker that hangs in a source ends, for us who wait for it,
 * with the last of its threads. */
void hf_worker_note_lost(struct hf_worker *worker);
/* True: nobody answers any more, so hf_worker_answer is to. */
bool hf_worker_is_mute(const struct hf_worker *worker);
/* Everybody who waits for the worker by now gets an error; without that they
 * could not even be killed while it hangs. It must have got SIGKILL. */
void hf_worker_answer(struct hf_worker *worker);
/* Closes device_fd; the kernel gives the mount up with the last copy. */
void hf_worker_let_go(struct hf_worker *worker);
/* Takes waitpid's status of the worker. */
void hf_worker_set_ended(struct hf_worker *worker, int status);
/*
 * Removes the mount once the worker has ended or was given up, and lets go of
 * it. 0, also if there is none; else says so and returns HF_EXIT_ENVIRONMENT.
 */
int hf_worker_clear(struct hf_worker *worker) HF_MUST_USE;
void hf_worker_fini(struct hf_worker *worker);
/* The exit status behind waitpid(2)'s; says so if a signal ended `who`. */
int hf_worker_exit_status(int status, const char *who) HF_MUST_USE;
/* Waits two seconds at most for all children of this process. True: none is
 * left. */
bool hf_worker_reap_all(void);

/* --- in the worker -------------------------------------------------------- */

/*
 * Blocks no signal, and is not ended by Ctrl-C, which reaches the whole process
 * group: who watches decides. `deaf`: nor by any other signal that may be meant
 * for a group, SIGTERM included: only by SIGKILL, or when the mount ends.
 */
void hf_worker_listen(bool deaf);
/*
 * For the worker that serves, first of all: closes all descriptors but 0 to 2
 * and the channel, since whoever waits for the end of another one must not
 * wait for us; and hf_worker_listen.
 */
void hf_worker_shield(int channel, bool deaf);
/*
 * Makes the kernel kill this process when the one that watches ends. A change
 * of credentials undoes that, so call after the last one. -ESRCH: it is gone
 * already.
 */
int hf_worker_follow(int channel) HF_MUST_USE;
/* Standard input leads nowhere from here on. Negative errno: /dev/null cannot
 * be opened. */
int hf_leave_input(void) HF_MUST_USE;
/* Standard output and error lead to where standard input does, which is
 * nowhere by now, and messages go to syslog(3): whoever reads our output waits
 * for its end. Nothing need be opened. */
void hf_leave_terminal(void);

#endif
