#include "tools/serve.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "fs/control/control.h"
#include "tools/landlock.h"
#include "tools/mountinfo.h"
#include "tools/privileges.h"
#include "tools/worker.h"

static int refuse(int error, char *why)
{
	return hf_program_refuse(HF_EXIT_ENVIRONMENT, error, why);
}

static int refuse_mount(const struct hf_service *service, int error, char *why)
{
	int status;

	if (!service->unmountable)
		return refuse(error, why);
	status = service->unmountable(service->data,
				      why ? why : strerror(-error));
	free(why);
	return status;
}

/* st_dev of the mount; asking the mount itself would wait for ourselves. */
static dev_t own_dev(const char *mountpoint)
{
	struct hf_mount mount;
	dev_t dev;

	if (hf_mount_at(mountpoint, &mount) < 0)
		return 0;
	dev = makedev(mount.major, mount.minor);
	hf_mount_fini(&mount);
	return dev;
}

/* hf_session_fail_stop's function. */
struct reporter {
	int channel;
};

static void report(void *arg, const char *path, int error)
{
	const struct reporter *reporter = arg;

	hf_message_error(reporter->channel, path, error);
}

static int answer(const struct hf_service *service, struct hf_session *session,
		  struct hf_view *view, const char *landlock, int channel)
{
	struct reporter reporter = {channel};
	struct hf_control *control = NULL;
	int r = 0;

	if (service->mount->control != HF_CONTROL_NONE)
		r = hf_control_new(view, service->view, landlock, &control);
	if (r == 0) {
		if (service->fail_stop)
			hf_session_fail_stop(session, report, &reporter);
		if (service->background)
			hf_leave_terminal();
		hf_message_ready(channel);
		r = hf_session_serve(session, view, control);
	}
	/* It holds nodes of the view, and control does not know it. */
	hf_session_free(session);
	hf_control_free(control);
	return r < 0 ? refuse(r, NULL) : 0;
}

/* The view finds the directory again, and tells why if there is none. */
static char *cache_dir(const struct hf_service *service)
{
	HF_CLEANUP(hf_freep) char *why = NULL;
	char *dir = NULL;

	return hf_cache_dir(service->view->cache, &service->view->source.roots,
			    &dir, &why) < 0
		       ? NULL
		       : dir;
}

/*
 * What the worker opens by name from now on: the files of its sources, /proc
 * to see whether a client is being killed, and its cache. *told as
 * hf_landlock_confine.
 */
static int confine_files(const struct hf_service *service, char **told)
{
	const struct hf_root_specs *roots = &service->view->source.roots;
	bool anywhere = service->view->source.follow;
	size_t n = 0;
	HF_CLEANUP(hf_freep) char *cache = cache_dir(service);
	HF_CLEANUP(hf_freep)
	struct hf_allowed *allowed = calloc(roots->n + 3, sizeof(*allowed));

	if (!allowed)
		return -ENOMEM;
	if (cache)
		allowed[n++] = (struct hf_allowed){.dir = cache, .write = true};
	allowed[n++] = (struct hf_allowed){.dir = "/proc"};
	if (anywhere)
		allowed[n++] = (struct hf_allowed){.dir = "/", .list = true};
	for (size_t i = 0; i < roots->n; i++)
		allowed[n++] = (struct hf_allowed){.dir = roots->items[i].dir,
						   .list = true};
	return hf_landlock_confine(allowed, n, told);
}

/* Threads, files and parsers come after this. *landlock is new: how far the
 * worker is confined, or on an error a sentence; NULL if memory is out. */
static int confine(const struct hf_service *service,
		   const struct hf_session *session, int channel,
		   char **landlock)
{
	/* First of all: from here on a death of ours is no abort. */
	int r = hf_message_device(channel, hf_session_device(session));

	if (r == 0)
		r = hf_privileges_drop();
	if (r == 0)
		r = confine_files(service, landlock);
	if (r == 0 && !*landlock)
		r = -ENOMEM;
	return r < 0 ? r : hf_worker_follow(channel);
}

/* Everything behind the mounting; steals `session`. */
static int serve(const struct hf_service *service, struct hf_session *session,
		 const char *landlock, int channel)
{
	struct hf_view *view;
	char *why = NULL;
	int status = 0;
	int r;

	hf_heap_keep_short();
	r = hf_view_new(service->view, own_dev(service->mountpoint), &view,
			&why);
	if (r < 0) {
		hf_session_free(session);
		return refuse(r, why);
	}
	if (service->prepare)
		status = service->prepare(service->data, view);
	if (status == 0)
		status = answer(service, session, view, landlock, channel);
	else
		hf_session_free(session);
	hf_view_free(view);
	return status;
}

int hf_serve(const struct hf_service *service, int channel)
{
	struct hf_session *session = NULL;
	char *landlock = NULL;
	char *why = NULL;
	int status;
	int r;

	hf_worker_shield(channel, service->fail_stop);
	r = hf_session_mount(service->mount, service->mountpoint,
			     service->unanswered, &session, &why);
	if (r < 0)
		return refuse_mount(service, r, why);
	r = confine(service, session, channel, &landlock);
	if (r < 0) {
		hf_session_free(session);
		return refuse(r, landlock);
	}
	status = serve(service, session, landlock, channel);
	free(landlock);
	return status;
}
