/*
 * What the files of fs/fuse share among themselves.
 *
 *   session.c  mount, serve, end
 *   device.c   reads and writes of /dev/fuse
 *   unanswered.c  requests that others may have to answer
 *   trust.c    how long the kernel may believe names
 *   lent.c     directories whose attributes it believes for long
 *   reading.c  answers that a change may overtake
 *   notifier.c the thread that hears of changes
 *   loop.c     threads that take requests and answer them
 *   pace.c     how requests come (pace.h)
 *   idle.c     processors on which somebody waits
 *   request.c  a request that may be called off
 *   failure.c  errors that a client may meet, or not
 *   inode.c    nodeid <-> node
 *   ops.c      what the kernel asks: names and attributes
 *   xattr.c    extended ones
 *   handles.c  how much may be open
 *   file.c     open, read, release
 *   push.c     bytes that the kernel need not ask for
 *   dir.c      opendir, readdir, readdirplus, releasedir
 *   place.c    where the reader of a directory is
 *   reply.c    entries on their way to it
 *   options.c  the -o words of a mount
 */
#ifndef HF_FUSE_INTERNAL_H
#define HF_FUSE_INTERNAL_H

#include <fuse_lowlevel.h>

#include "fs/fuse/fuse.h"
#include "fs/fuse/pace.h"

/* --- idle.c --------------------------------------------------------------- */

struct hf_idle {
	bool slow;         /* it pays to stay awake while somebody waits */
	int processors[2]; /* if so: which there are */
};
/* Call before the process is confined: it looks into /sys. */
void hf_idle_init(struct hf_idle *ret);
/* One of the two processors, or either. */
enum hf_side {
	HF_SIDE_UNKNOWN, /* that of who started the thread */
	HF_SIDE_LISTENS,
	HF_SIDE_AWAKE,
	HF_SIDE_ANY,
};
/* From now on the calling thread runs there, if idle ones are slow; *on is what
 * it was told before. */
void hf_idle_run_on(const struct hf_idle *idle, enum hf_side side,
		    enum hf_side *on);

/* --- inode.c -------------------------------------------------------------- */

/*
 * nodeids count up and are never used twice, so that a late request of a
 * forgotten inode can never reach another. The top is FUSE_ROOT_ID; the
 * numbers below HF_FIRST_NODEID are .hashedfs and what is in it.
 */
#define HF_CONTROL_NODEID 2
#define HF_FIRST_NODEID 64

struct hf_inodes;
/* Steals `root`. */
int hf_inodes_new(struct hf_node *root, struct hf_inodes **ret) HF_MUST_USE;
void hf_inodes_free(struct hf_inodes *inodes);
/*
 * The nodeid of what `node` (stolen) is, one lookup counted: that of an inode
 * with the same identity, unless it is dead. -ENOMEM.
 */
int hf_inodes_enter(struct hf_inodes *inodes, struct hf_node *node,
		    uint64_t *ret) HF_MUST_USE;
/* The node of a nodeid, a new reference; NULL if it is unknown (ESTALE). */
struct hf_node *hf_inodes_get(struct hf_inodes *inodes, uint64_t nodeid);
/* A hf_numbered; `arg` is the struct hf_inodes. */
void hf_inodes_numbered(void *arg, uint64_t first, size_t n,
			struct hf_node *ret[]);
/* Gives `n` lookups back. True if these were all, and it is no inode now. */
bool hf_inodes_forget(struct hf_inodes *inodes, uint64_t nodeid, uint64_t n);
uint64_t hf_inodes_count(struct hf_inodes *inodes);
/*
 * A directory is opened at a listing's generation. *cache: the kernel may
 * cache what it reads; *keep: what it has cached is of this generation. A
 * reader of an older listing that is still at it makes both false, or it
 * would append its names to the newer ones.
 */
void hf_inodes_opendir(struct hf_inodes *inodes, uint64_t nodeid,
		       uint64_t generation, bool *cache, bool *keep);
/*
 * Until when (by hf_clock_monotonic) what the kernel has cached of the directory
 * since its last opening that did not keep it, is of use: then it believes none
 * of the names that came with it any more, and would look them up one by one.
 * 0: never, whatever is said later, for it is of another generation.
 */
void hf_inodes_keep_dir(struct hf_inodes *inodes, uint64_t nodeid,
			int64_t until_ns);
void hf_inodes_closedir(struct hf_inodes *inodes, uint64_t nodeid);
/*
 * True for the first opening of a file since the kernel has had its inode. All
 * others of it wait here until that calls hf_inodes_opened, which it does even
 * if it fails.
 */
bool hf_inodes_open_first(struct hf_inodes *inodes,
			  uint64_t nodeid) HF_MUST_USE;
void hf_inodes_opened(struct hf_inodes *inodes, uint64_t nodeid);

/* --- handles.c ------------------------------------------------------------ */

/* Open files and directories, and those of them that hold a descriptor. */
struct hf_handles {
	atomic_uint_least64_t n;
	atomic_uint_least64_t n_descriptors;
	uint64_t max_descriptors; /* constant */
};

/* Also raises this process's limit of descriptors as far as it may. */
void hf_handles_init(struct hf_handles *handles);
/* One more. -ENFILE: there are as many as there may be. */
int hf_handles_take(struct hf_handles *handles) HF_MUST_USE;
void hf_handles_give(struct hf_handles *handles);
int hf_handles_take_descriptor(struct hf_handles *handles) HF_MUST_USE;
void hf_handles_give_descriptor(struct hf_handles *handles);

/* --- the mounted file system ---------------------------------------------- */

struct hf_watcher;
struct hf_trust;
struct hf_notifier;
struct hf_loop;

struct hf_fs {
	const struct hf_mount_config *config;
	struct fuse_session *fuse;        /* borrowed */
	struct hf_unanswered *unanswered; /* borrowed */
	struct hf_view *view;             /* borrowed; set before serving */
	struct hf_control *control;       /* borrowed; NULL: no .hashedfs */
	struct hf_inodes *inodes;
	struct hf_watcher *watcher;
	struct hf_trust *trust;
	struct hf_notifier *notifier;
	struct hf_loop *loop; /* borrowed; set while it runs */
	uid_t owner;          /* who mounted */
	uint64_t place_key[2];
	int64_t started_ns;
	struct hf_handles handles;
	struct hf_idle idle;             /* hf_idle_init() */
	atomic_uint_least64_t text_len;  /* of open control files, in bytes */
	atomic_uint_least64_t lookups;   /* that the kernel asked for */
	atomic_uint_least64_t forgotten; /* inodes */
	atomic_bool initialised;         /* FUSE_INIT was answered */
	/* Told of errors that no client may meet; NULL: they are answered. */
	void (*stop)(void *arg, const char *path, int error);
	void *stop_arg;
};

/* --- device.c ------------------------------------------------------------- */

/* Takes the reads and writes of a mounted session over. */
int hf_device_attach(struct fuse_session *fuse) HF_MUST_USE;
/* Answers without libfuse, which has no way to leave a request undone. */
void hf_device_reject(struct hf_fs *fs, uint64_t unique, int error);
/* Makes the kernel distrust every name that it was told. -EINVAL: it has never
 * heard of that (before Linux 6.16); -ENODEV, ...: the mount is gone. */
int hf_device_raise_epoch(struct fuse_session *fuse);

/* --- push.c --------------------------------------------------------------- */

/*
 * To be called between the opening of a constant file and the answer: at its
 * first opening puts its bytes into the kernel's page cache, if they are held
 * in memory, so that the reader's reads do not come to us. If that fails they
 * do.
 */
void hf_push(struct hf_fs *fs, uint64_t nodeid,
	     const struct hf_content *content);

/* --- unanswered.c --------------------------------------------------------- */

struct fuse_in_header;
/* A request was taken, an answer given. Any thread. */
void hf_unanswered_add(struct hf_unanswered *unanswered,
		       const struct fuse_in_header *in);
void hf_unanswered_remove(struct hf_unanswered *unanswered, uint64_t unique);

/* --- lent.c --------------------------------------------------------------- */

/* A set of directories, by nodeid; NULL: there are none. Not locked. */
struct hf_lent;
/* One more, unless it is in there. -ENOMEM. */
int hf_lent_add(struct hf_lent **lent, uint64_t nodeid) HF_MUST_USE;
/* One less, if it is in there. */
void hf_lent_remove(struct hf_lent *lent, uint64_t nodeid);
/* The kernel is not to believe what it knows of them, nor the answer to a
 * GETATTR that it is still to get to. Takes about a microsecond each. */
void hf_lent_call_in(const struct hf_lent *lent, struct fuse_session *fuse);
void hf_lent_free(struct hf_lent *lent);

/* --- reading.c ------------------------------------------------------------ */

/* A READDIRPLUS whose answer the kernel may not have got to. Not locked. */
struct hf_reading {
	struct hf_reading *next;
	struct hf_reading **link; /* NULL: it is in no list */
	uint64_t epoch;
};
/* It is put into the list `first`, and taken out; it may be in none then. */
void hf_reading_begin(struct hf_reading *reading, struct hf_reading **first,
		      uint64_t epoch);
void hf_reading_end(struct hf_reading *reading);
/* Are there any of an earlier epoch? */
bool hf_readings_overtaken(const struct hf_reading *first, uint64_t epoch);
/* From here on all are of that epoch. */
void hf_readings_renew(struct hf_reading *first, uint64_t epoch);

/* --- trust.c -------------------------------------------------------------- */

/*
 * How long the kernel may believe that a name leads where it led, and what it
 * knows of a directory. The short time is less than a second, so that with the
 * work of looking again a change of the source shows within a second. The long
 * one counts from the look at the source.
 */
#define HF_SHORT_MS 900
#define HF_LONG_MS HF_REPORTS_MS
/* For what never changes: constant files, and all of a frozen view. */
#define HF_EVER_S (10.0 * 365 * 24 * 3600)

/* Any thread. Both are borrowed. */
int hf_trust_new(struct fuse_session *fuse, struct hf_view *view,
		 struct hf_trust **ret) HF_MUST_USE;
void hf_trust_free(struct hf_trust *trust);
/*
 * For how many seconds the answer to a request may be believed. reported: each
 * change would be.
 */
double hf_trust_name(struct hf_trust *trust, bool reported,
		     const struct hf_grounds *grounds);
/* The same of the attributes of a directory, which were looked at after
 * `grounds` were taken (hf_grounds_take_attr); for an answer to GETATTR or
 * READDIRPLUS. An answer to LOOKUP may come after it was called in. */
double hf_trust_attr(struct hf_trust *trust, uint64_t nodeid,
		     const struct hf_grounds *grounds);
/* The kernel has forgotten the inode. */
void hf_trust_forgotten(struct hf_trust *trust, uint64_t nodeid);

/* Before the answer to a READDIRPLUS is made; once its reader asks for more or
 * leaves. */
void hf_trust_begin(struct hf_trust *trust, struct hf_reading *reading);
void hf_trust_end(struct hf_trust *trust, struct hf_reading *reading);

/* Takes in what the sources reported. May take a second. */
void hf_trust_update(struct hf_trust *trust);
/* Forgets what is remembered in memory. May take a second, or wait for the
 * disk. */
void hf_trust_forget(struct hf_trust *trust);
/* Returns when all that was changed before is seen by everybody. -EINTR. */
int hf_trust_sync(struct hf_trust *trust, struct hf_wait *wait) HF_MUST_USE;
/* Appends its lines of `status`. */
void hf_trust_status(struct hf_trust *trust, struct hf_buf *ret);

/* --- notifier.c ------------------------------------------------------------ */

/* Starts the thread; blocks SIGHUP for the calling one, as all others have it
 * blocked already. `trust` is borrowed. */
int hf_notifier_new(struct hf_trust *trust, int watch_fd,
		    struct hf_notifier **ret) HF_MUST_USE;
void hf_notifier_free(struct hf_notifier *notifier);

/* --- loop.c --------------------------------------------------------------- */

/*
 * Answers requests, on many threads or on one, until the file system is
 * unmounted; 0 then, else a negative errno of the device. From the unmount on
 * the process has two seconds to return from here and to end: whoever hangs
 * in a source must not hold it up.
 */
int hf_loop_run(struct hf_fs *fs, struct fuse_session *fuse) HF_MUST_USE;
/* The thread of a request is about to sleep: another one is to listen. `arg` is
 * the struct hf_loop. */
void hf_loop_pass(void *arg);

/* --- request.c ------------------------------------------------------------ */

/*
 * A request whose answer may take long. When its client is being killed the
 * watcher answers it with EINTR from another thread; the thread at work then
 * finds that the request is no longer its own (hf_request_claim).
 *
 * A signal that does not kill is no reason to fail: programs with timers and
 * children do not expect EINTR from stat(2) on a file system. The kernel sends
 * one FUSE_INTERRUPT whatever the signal, so the watcher looks whether SIGKILL
 * is pending, and goes on looking.
 */
struct hf_request {
	fuse_req_t req;
	struct hf_wait wait; /* pass it down */
	atomic_bool answered;
	pid_t client;
	bool watched;            /* protected by the watcher's lock */
	struct hf_request *next; /* protected by the watcher's lock */
	struct hf_watcher *watcher;
};

int hf_watcher_new(struct hf_watcher **ret) HF_MUST_USE;
void hf_watcher_free(struct hf_watcher *watcher);
void hf_request_begin(struct hf_request *request, struct hf_fs *fs,
		      fuse_req_t req);
/* Ends it; true: the caller must answer `req` now. False: it was answered,
 * `req` must not be touched, and what was to be handed out must be undone. */
bool hf_request_claim(struct hf_request *request) HF_MUST_USE;

/* --- failure.c ------------------------------------------------------------ */

/* True if no client may meet this error; then it was told, and the request is
 * to be left as it is. `node` (or NULL) is what it is about, or the directory
 * in which it is `name`. */
bool hf_withhold(struct hf_fs *fs, const struct hf_node *node, const char *name,
		 int error);
/* Answers with the error, unless it is withheld. */
void hf_reply_failure(struct hf_fs *fs, fuse_req_t req,
		      const struct hf_node *node, const char *name, int error);

/* --- place.c -------------------------------------------------------------- */

/* Offsets 1 and 2 are behind "." and "..", which come before all entries. */
#define HF_N_DOTS 2

/* The offset behind an entry of a listing. */
off_t hf_place_behind(const struct hf_fs *fs, const struct hf_entry *entry);
/*
 * The index of the entry that comes at such an offset, perhaps of an earlier
 * listing. `names` (or NULL) are those of the directory then: by them a place
 * is found whose own entry is gone. -ESTALE: it is nobody's.
 */
int hf_place_find(const struct hf_fs *fs, off_t place,
		  const struct hf_listing *listing,
		  const struct hf_catalog *names, size_t *ret) HF_MUST_USE;

/* --- reply.c -------------------------------------------------------------- */

/* An answer to READDIR or READDIRPLUS; what it points to is borrowed. */
struct hf_reply {
	fuse_req_t req;
	struct hf_fs *fs;
	bool plus;
	size_t size;         /* so many bytes, at most */
	struct hf_node *dir; /* NULL: .hashedfs, which has no listing */
	struct hf_listing *listing;
	struct hf_grounds grounds; /* of the listing */
	bool current;              /* nothing was reported since it was made */
	off_t offset;              /* where it begins, then where it ends, */
	size_t at;                 /* and in the listing */
	/* owned; hf_reply_init makes them: */
	char *data;
	size_t len;
	uint64_t *entered; /* nodeids that the answer hands out */
	size_t n_entered;
	double believed_s; /* so long one of them is, at most */
};

int hf_reply_init(struct hf_reply *reply) HF_MUST_USE;
void hf_reply_fini(struct hf_reply *reply);
/* Puts in what fits. On error what came before stands in it. */
int hf_reply_fill(struct hf_reply *reply) HF_MUST_USE;
/* The answer does not go out, and so hands out nothing. */
void hf_reply_take_back(struct hf_reply *reply);

/* --- ops.c, xattr.c, file.c, dir.c ---------------------------------------- */

struct hf_fs *hf_fs_of(fuse_req_t req);
/* The struct stat and time-outs of a node; its name is not believed at all, and
 * what can change, for a short time. */
int hf_entry_param(struct hf_fs *fs, struct hf_node *node, uint64_t nodeid,
		   struct fuse_entry_param *ret) HF_MUST_USE;
/* The kernel gives lookups of an inode back, or was not told of them. */
void hf_forget(struct hf_fs *fs, uint64_t nodeid, uint64_t n);
/* True for .hashedfs and what is in it; *ret: which file, -1: the directory */
bool hf_is_control(uint64_t nodeid, int *ret);
void hf_control_stat(const struct hf_fs *fs, int file, struct stat *ret);

void hf_op_init(void *userdata, struct fuse_conn_info *conn);
void hf_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void hf_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n);
void hf_op_forget_multi(fuse_req_t req, size_t count,
			struct fuse_forget_data *forgets);
void hf_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void hf_op_statfs(fuse_req_t req, fuse_ino_t ino);
void hf_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		    size_t size);
void hf_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void hf_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void hf_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *fi);
void hf_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void hf_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void hf_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		   struct fuse_file_info *fi);
void hf_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
		       off_t offset, struct fuse_file_info *fi);
void hf_op_releasedir(fuse_req_t req, fuse_ino_t ino,
		      struct fuse_file_info *fi);

#endif
