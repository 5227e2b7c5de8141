#include "tools/running.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tools/copies.h"
#include "tools/descendants.h"
#include "tools/device.h"
#include "tools/place.h"
#include "tools/run.h"
#include "tools/serve.h"

/* What the worker of a mount is told. */
struct mount_data {
	const struct hf_freezing *freezing;
	atomic_bool *unmountable;
};

/* The manifest, on its way to its file. */
struct publication {
	const char *mountpoint;
	const char *static_url;
	const struct hf_document *document;
	struct hf_output output;
	int copy_fd; /* what the worker wrote down; -1: it is to be asked */
};

static int refuse(int error, char *why)
{
	return hf_program_refuse(HF_EXIT_OURS, error, why);
}

/* --- the manifest -------------------------------------------------------- */

static int publish_map(struct publication *publication, char **why)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	int r = hf_manifest_read_map(publication->mountpoint,
				     publication->document->integrity,
				     &manifest, why);

	if (r < 0)
		return r;
	manifest.static_url = strdup(publication->static_url);
	if (!manifest.static_url)
		return -ENOMEM;
	hf_manifest_sort(&manifest);
	return hf_document_write(publication->document, &manifest,
				 &publication->output, why);
}

static int publish_copy(struct publication *publication, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	char path[40];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", publication->copy_fd);
	r = hf_input_read(path, &text);
	return r < 0 ? r
		     : hf_output_write(&publication->output, text.data,
				       text.len, why);
}

/* In a child of its own, as another hashedfs-manifest would do it. */
static int publish(void *data)
{
	struct publication *publication = data;
	char *why = NULL;
	int r = publication->copy_fd < 0 ? publish_map(publication, &why)
					 : publish_copy(publication, &why);

	return r < 0 ? refuse(r, why) : 0;
}

/* --- the run ------------------------------------------------------------- */

static void clean(void *data)
{
	hf_place_clear(data);
}

static int run(struct hf_running *running, struct publication *publication,
	       struct hf_place *place, const struct hf_worker_job *job)
{
	struct hf_run run = {
		.job = *job,
		.argv = hf_command_fill_in(running->command, job->mountpoint),
		.copies = place->copies,
		.clean = clean,
		.clean_data = place,
		.after = running->order.manifest ? publish : NULL,
		.after_data = publication,
	};
	int status;

	if (!run.argv)
		return refuse(-ENOMEM, NULL);
	publication->mountpoint = job->mountpoint;
	publication->static_url = running->mounting->program.view.static_url;
	status = hf_run(&run);
	hf_command_free(run.argv);
	return status;
}

/* --- over a mount -------------------------------------------------------- */

static int freeze(void *data, struct hf_view *view)
{
	const struct mount_data *mount = data;

	return hf_freeze(mount->freezing, view);
}

static int serve(void *data, int channel)
{
	int r = hf_leave_input();

	/* Whoever reads the command's output waits for its end, not for ours:
	 * a worker can hang in a source. */
	if (r < 0 || dup2(STDIN_FILENO, STDOUT_FILENO) < 0)
		return refuse(r < 0 ? r : -errno, NULL);
	/* So that lists of processes tell it from the front. */
	prctl(PR_SET_NAME, "hashedfs-worker");
	return hf_serve(data, channel);
}

/* Says it without the remedies, which stand behind a semicolon. */
static void tell_of_copies(const char *why)
{
	hf_log(HF_LOG_WARNING,
	       "%.*s, so the command runs over a private copy of the files",
	       (int)strcspn(why, ";"), why);
}

/* hf_service's; in the worker. */
static int note_unmountable(void *data, const char *why)
{
	const struct mount_data *mount = data;

	tell_of_copies(why);
	atomic_store(mount->unmountable, true);
	return HF_EXIT_OURS;
}

static int run_over_mount(struct hf_running *running,
			  struct publication *publication,
			  struct hf_place *place, atomic_bool *unmountable)
{
	struct hf_mounting *mounting = running->mounting;
	struct mount_data data = {
		.freezing = &running->order.freezing,
		.unmountable = unmountable,
	};
	struct hf_service service = {
		.view = &mounting->program.view,
		.mount = &mounting->config,
		.mountpoint = mounting->mountpoint.path,
		.unanswered = mounting->unanswered,
		.fail_stop = true,
		.unmountable = running->only_mount ? NULL : note_unmountable,
		.prepare = freeze,
		.data = &data,
	};
	const struct hf_worker_job job = {.mountpoint =
						  mounting->mountpoint.path,
					  .run = serve,
					  .data = &service,
					  .deaf = true,
					  .unanswered = mounting->unanswered};

	hf_log(HF_LOG_INFO, "mounting on %s", mounting->mountpoint.path);
	return run(running, publication, place, &job);
}

/* --- over copies --------------------------------------------------------- */

static int copy(void *data, int channel)
{
	prctl(PR_SET_NAME, "hashedfs-worker");
	return hf_copies_write(data, channel);
}

static int run_over_copies(struct hf_running *running,
			   struct publication *publication,
			   struct hf_place *place)
{
	struct hf_mounting *mounting = running->mounting;
	struct hf_copies copies = {
		.view = &mounting->program.view,
		.dir = mounting->mountpoint.path,
		.freezing = &running->order.freezing,
		.manifest_fd = -1,
		.document = &running->order.document,
	};
	const struct hf_worker_job job = {.mountpoint =
						  mounting->mountpoint.path,
					  .run = copy,
					  .data = &copies};
	char *why = NULL;
	int status;
	int r = hf_place_claim(place, &why);

	if (r < 0)
		return refuse(r, why);
	if (running->order.manifest) {
		publication->copy_fd = memfd_create("manifest", MFD_CLOEXEC);
		if (publication->copy_fd < 0)
			return refuse(-errno, NULL);
		copies.manifest_fd = publication->copy_fd;
	}
	/* Who writes the copies locks the place, and nobody mounts there. */
	hf_closep(&mounting->mountpoint.lock_fd);
	hf_log(HF_LOG_INFO, "writing the files to %s",
	       mounting->mountpoint.path);
	status = run(running, publication, place, &job);
	hf_closep(&publication->copy_fd);
	/* It is empty again; what somebody puts there now is theirs. */
	place->claimed = place->made != NULL;
	return status;
}

/* --- either -------------------------------------------------------------- */

/* *unmountable: it turned out that nothing can be mounted, and nothing was
 * done. NULL: it is done over copies. */
static int run_once(struct hf_running *running, struct publication *publication,
		    atomic_bool *unmountable)
{
	struct hf_mounting *mounting = running->mounting;
	struct hf_place place;
	char *why = NULL;
	int r = hf_place_make(running->at, !unmountable,
			      mounting->config.allow_other, &place, &why);
	int status;

	if (r < 0)
		return refuse(r, why);
	/* What is no mountpoint has to be empty in any case (hf_place_claim). */
	if (place.copies)
		mounting->config.nonempty = true;
	if (hf_mounting_place(mounting, strdup(place.path)) != 0)
		status = HF_EXIT_OURS;
	else if (unmountable)
		status = run_over_mount(running, publication, &place,
					unmountable);
	else
		status = run_over_copies(running, publication, &place);
	/* It is gone already if all went well. */
	hf_place_clear(&place);
	hf_place_fini(&place);
	return status;
}

/* Whether mounting is worth a try: 1 or 0; an exit status, negative, if that is
 * the end of it. */
static int can_mount(const struct hf_running *running)
{
	char *why = NULL;
	int r;

	if (running->only_export)
		return 0;
	r = hf_device_check(false, &why);
	if (r < 0 && !running->only_mount && why) {
		tell_of_copies(why);
		free(why);
		return 0;
	}
	if (r == 0)
		r = hf_device_check(running->mounting->config.allow_other,
				    &why);
	return r < 0 ? -refuse(r, why) : 1;
}

static int run_somehow(struct hf_running *running,
		       struct publication *publication)
{
	/* The worker, another process, says so. */
	atomic_bool *unmountable =
		mmap(NULL, sizeof(*unmountable), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *why = NULL;
	int status = 0;
	int r = unmountable == MAP_FAILED ? -errno : hf_descendants_check(&why);

	if (r < 0)
		return refuse(r, why);
	r = can_mount(running);
	if (r < 0)
		return -r;
	if (r > 0)
		status = run_once(running, publication, unmountable);
	if (r == 0 || atomic_load(unmountable))
		status = run_once(running, publication, NULL);
	munmap(unmountable, sizeof(*unmountable));
	return status;
}

/* Opens what is to be written at the end, before anything is done for it. */
int hf_running_run(struct hf_running *running)
{
	struct hf_config *view = &running->mounting->program.view;
	struct publication publication = {.output = {.fd = -1, .dir_fd = -1},
					  .copy_fd = -1,
					  .document = &running->order.document};
	char *why = NULL;
	int status;
	int r = hf_document_check_for(&running->order.document,
				      running->order.manifest, &why);

	if (r < 0)
		return refuse(r, why);
	view->integrity = running->order.document.integrity;
	if (running->order.manifest &&
	    running->mounting->config.control == HF_CONTROL_NONE)
		r = hf_why(-EINVAL, &why,
			   "--manifest does not go with -o control=none");
	else if (running->order.manifest)
		r = hf_output_open(running->order.manifest, &publication.output,
				   &why);
	if (r < 0)
		return refuse(r, why);
	hf_output_check_apart(running->order.manifest, &view->source);
	status = run_somehow(running, &publication);
	hf_output_close(&publication.output);
	return status;
}
