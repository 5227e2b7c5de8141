/*
 * fuse: the view as a Linux mount. The only room that knows a kernel, inode
 * numbers, offsets and time-outs; the only one that includes libfuse.
 */
#ifndef HF_FUSE_H
#define HF_FUSE_H

#include "fs/base/base.h"
#include "fs/control/control.h"
#include "fs/view/view.h"

enum hf_control_access {
	HF_CONTROL_OWNER, /* the mounting user only */
	HF_CONTROL_ALL,
	HF_CONTROL_NONE, /* no .hashedfs at all */
};

/* What can be chosen about a mount. Strings are owned. */
struct hf_mount_config {
	bool allow_other;
	bool nonempty; /* the mountpoint may hold files */
	bool noexec;
	bool xattr;
	bool debug;           /* libfuse prints every request */
	bool single_threaded; /* one request at a time */
	enum hf_control_access control;
	char *fsname; /* what mount tables show as the source */
};

void hf_mount_config_init(struct hf_mount_config *config);
void hf_mount_config_fini(struct hf_mount_config *config);
/*
 * The -o words of a mount, bound to `config`, with those of fstab(5) that say
 * nothing to a read-only mount (rw, defaults, nofail, _netdev, x-*, ...).
 */
struct hf_option_set hf_mount_options(struct hf_mount_config *config);

/*
 * Requests that wait for an answer, seen by all processes that are forked once
 * it is there. In one of them, which has a copy of the device, it answers for a
 * session that was killed.
 */
struct hf_unanswered;
int hf_unanswered_new(struct hf_unanswered **ret) HF_MUST_USE;
void hf_unanswered_free(struct hf_unanswered *unanswered);
/* Everybody who waits by now gets ENOTCONN. The session must not serve any
 * more; its threads may still be there. */
void hf_unanswered_fail(struct hf_unanswered *unanswered, int device_fd);

struct hf_session;

/*
 * Mounts at `mountpoint` (absolute). Call in the process that will serve,
 * before it drops privileges and before any thread starts; the kernel's
 * requests wait until hf_session_serve. Unmounting is the guard's. `unanswered`
 * is borrowed, and tells what is not answered from then on. On error
 * *why is a new sentence. -EPERM, -ENOENT, ... of mount(2) and /dev/fuse.
 */
int hf_session_mount(const struct hf_mount_config *config,
		     const char *mountpoint, struct hf_unanswered *unanswered,
		     struct hf_session **ret, char **why) HF_MUST_USE;
/* /dev/fuse of the mount; borrowed. */
int hf_session_device(const struct hf_session *session);
/*
 * From here on no client meets an error of ours: `stop` is called instead, in
 * any thread, with the path in the sources ("" if it is about no file) and a
 * negative errno, and the request is never answered; whoever waits for it can
 * only be killed, and then only once the device is closed. Call before
 * hf_session_serve. Errors of ours are all but
 *   - ENOENT of a name that is not there,
 *   - ENODATA and ERANGE of extended attributes,
 *   - what is answered about .hashedfs and what is in it,
 *   - EINTR of a client that is being killed,
 *   - what the kernel answers by itself: EROFS, EACCES of modes, EISDIR, ...
 */
void hf_session_fail_stop(struct hf_session *session,
			  void (*stop)(void *arg, const char *path, int error),
			  void *arg);
/*
 * Answers requests until the file system is unmounted; 0 then. `view` and
 * `control` (NULL: no .hashedfs) are borrowed until it returns.
 */
int hf_session_serve(struct hf_session *session, struct hf_view *view,
		     struct hf_control *control) HF_MUST_USE;
/* Gives every inode back. */
void hf_session_free(struct hf_session *session);

/* The version of libfuse that runs, as "3.14.0". */
const char *hf_fuse_version(void);

#endif
