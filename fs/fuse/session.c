/*
 * session: mount, serve, end.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct hf_session {
	struct fuse_session *fuse;
	struct hf_fs fs;
};

static struct fuse_lowlevel_ops operations(const struct hf_mount_config *config)
{
	struct fuse_lowlevel_ops ops = {
		.init = hf_op_init,
		.lookup = hf_op_lookup,
		.forget = hf_op_forget,
		.forget_multi = hf_op_forget_multi,
		.getattr = hf_op_getattr,
		.statfs = hf_op_statfs,
		.open = hf_op_open,
		.read = hf_op_read,
		.release = hf_op_release,
		.opendir = hf_op_opendir,
		.readdir = hf_op_readdir,
		.readdirplus = hf_op_readdirplus,
		.releasedir = hf_op_releasedir,
	};

	/* Without them libfuse answers ENOSYS and the kernel stops asking,
	 * which saves two round trips for each file of an `ls -l`. */
	if (config->xattr) {
		ops.getxattr = hf_op_getxattr;
		ops.listxattr = hf_op_listxattr;
	}
	return ops;
}

/* libfuse reads commas and backslashes of an option's value as its own. */
static void add_escaped(struct hf_buf *buf, const char *text)
{
	for (; *text; text++) {
		if (*text == ',' || *text == '\\')
			hf_buf_putc(buf, '\\');
		hf_buf_putc(buf, *text);
	}
}

static void mount_options(const struct hf_mount_config *config,
			  struct hf_buf *ret)
{
	hf_buf_puts(ret, "-oro,nosuid,nodev,default_permissions,"
			 "subtype=hashedfs");
	if (config->noexec)
		hf_buf_puts(ret, ",noexec");
	if (config->allow_other)
		hf_buf_puts(ret, ",allow_other");
	hf_buf_puts(ret, ",fsname=");
	add_escaped(ret, config->fsname ? config->fsname : "hashedfs");
}

/* libfuse explains failures on standard error; ours is one sentence, made of
 * its last one. Set before threads start, for the time of mounting. */
static struct hf_buf *mount_log;

static void keep_log(enum fuse_log_level level, const char *format,
		     va_list args)
{
	(void)level;
	if (mount_log) {
		hf_buf_reset(mount_log);
		hf_buf_vprintf(mount_log, format, args);
	}
}

static void pass_log(enum fuse_log_level level, const char *format,
		     va_list args)
{
	HF_CLEANUP(hf_freep) char *shown = NULL;
	struct hf_buf text = {0};

	hf_buf_vprintf(&text, format, args);
	if (text.len && text.data[text.len - 1] == '\n')
		text.data[text.len - 1] = '\0';
	shown = text.len ? hf_escaped(text.data) : NULL;
	if (shown)
		hf_log(level <= FUSE_LOG_ERR ? HF_LOG_ERROR : HF_LOG_DEBUG,
		       "%s", shown);
	hf_buf_fini(&text);
}

static int new_fuse(struct hf_session *session)
{
	const struct hf_mount_config *config = session->fs.config;
	struct fuse_lowlevel_ops ops = operations(config);
	struct hf_buf text = {0};
	char name[] = "hashedfs";
	char debug[] = "-d";
	int error;

	mount_options(config, &text);
	error = hf_buf_status(&text);
	if (error == 0) {
		char *argv[] = {name, text.data, debug, NULL};
		struct fuse_args args =
			FUSE_ARGS_INIT(config->debug ? 3 : 2, argv);

		session->fuse = fuse_session_new(&args, &ops, sizeof(ops),
						 &session->fs);
		fuse_opt_free_args(&args);
	}
	hf_buf_fini(&text);
	return error < 0 ? error : session->fuse ? 0 : -EINVAL;
}

/* *why from what libfuse said, which ends with a newline, or from errno. */
static int say(const char *mountpoint, int error, struct hf_buf *detail,
	       char **why)
{
	HF_CLEANUP(hf_freep) char *where = hf_escaped(mountpoint);
	HF_CLEANUP(hf_freep) char *shown = NULL;
	bool forbidden;

	while (detail->len && detail->data[detail->len - 1] == '\n')
		detail->data[--detail->len] = '\0';
	if (detail->len)
		shown = hf_escaped(detail->data);
	/* fusermount3 hands no error number on. */
	forbidden = error == -EPERM ||
		    (shown && strstr(shown, strerror(EPERM)) != NULL);
	return hf_why(error, why, "cannot mount on %s: %s%s",
		      where ? where : "?", shown ? shown : strerror(-error),
		      forbidden ? "; a container needs --cap-add SYS_ADMIN for "
				  "it, hashedfs-export needs no mount"
				: "");
}

/* What was written to `fd`, as much as a few sentences need. */
static void read_back(int fd, struct hf_buf *ret)
{
	char text[1024];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n > 0)
		hf_buf_add(ret, text, (size_t)n);
}

/* fusermount3 explains failures on standard error, too. */
static int mount_and_listen(struct fuse_session *fuse, const char *mountpoint,
			    struct hf_buf *log)
{
	HF_CLEANUP(hf_closep) int said = memfd_create("stderr", MFD_CLOEXEC);
	HF_CLEANUP(hf_closep)
	int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	bool listens =
		said >= 0 && before >= 0 && dup2(said, STDERR_FILENO) >= 0;
	int error = 0;

	if (fuse_session_mount(fuse, mountpoint) != 0)
		error = errno ? -errno : -EIO;
	if (!listens)
		return error;
	dup2(before, STDERR_FILENO);
	if (error < 0)
		read_back(said, log);
	return error;
}

int hf_session_mount(const struct hf_mount_config *config,
		     const char *mountpoint, struct hf_unanswered *unanswered,
		     struct hf_session **ret, char **why)
{
	struct hf_session *session = calloc(1, sizeof(*session));
	struct hf_buf log = {0};
	int error;

	if (!session)
		return hf_why(-ENOMEM, why, "no memory");
	session->fs.config = config;
	session->fs.unanswered = unanswered;
	session->fs.owner = getuid();
	session->fs.started_ns = hf_clock_realtime();
	hf_random_seed(session->fs.place_key);
	hf_handles_init(&session->fs.handles);
	hf_idle_init(&session->fs.idle);
	mount_log = &log;
	fuse_set_log_func(keep_log);
	error = new_fuse(session);
	if (error == 0)
		error = mount_and_listen(session->fuse, mountpoint, &log);
	if (error == 0)
		error = hf_device_attach(session->fuse);
	mount_log = NULL;
	fuse_set_log_func(pass_log);
	if (error < 0) {
		error = say(mountpoint, error, &log, why);
		hf_session_free(session);
	} else {
		*ret = session;
	}
	hf_buf_fini(&log);
	return error;
}

int hf_session_device(const struct hf_session *session)
{
	return fuse_session_fd(session->fuse);
}

void hf_session_fail_stop(struct hf_session *session,
			  void (*stop)(void *arg, const char *path, int error),
			  void *arg)
{
	session->fs.stop = stop;
	session->fs.stop_arg = arg;
}

int hf_session_serve(struct hf_session *session, struct hf_view *view,
		     struct hf_control *control)
{
	struct hf_fs *fs = &session->fs;
	struct hf_node *root;
	int error = hf_view_root(view, &root);

	fs->fuse = session->fuse;
	fs->view = view;
	fs->control = control;
	if (error == 0)
		error = hf_inodes_new(root, &fs->inodes);
	if (error == 0)
		error = hf_watcher_new(&fs->watcher);
	hf_view_watch(view);
	if (error == 0)
		error = hf_view_go_ahead(view);
	if (error == 0)
		error = hf_trust_new(session->fuse, view, &fs->trust);
	if (error == 0)
		error = hf_notifier_new(fs->trust, hf_view_watch_fd(view),
					&fs->notifier);
	if (error == 0)
		error = hf_loop_run(fs, session->fuse);
	/* The file system is unmounted already: libfuse sees that and only
	 * frees what it kept for it. */
	if (error == 0)
		fuse_session_unmount(session->fuse);
	hf_notifier_free(fs->notifier);
	hf_watcher_free(fs->watcher);
	hf_inodes_free(fs->inodes);
	hf_trust_free(fs->trust);
	fs->notifier = NULL;
	fs->trust = NULL;
	fs->watcher = NULL;
	fs->inodes = NULL;
	return error;
}

#ifdef HF_SANITIZED
/* libfuse frees its copy of the mountpoint in fuse_session_unmount only; a
 * session that was never served is unmounted by the guard. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfuse3.so";
}

const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}
#endif

void hf_session_free(struct hf_session *session)
{
	if (!session)
		return;
	if (session->fuse)
		fuse_session_destroy(session->fuse);
	free(session);
}

const char *hf_fuse_version(void)
{
	return fuse_pkgversion();
}
