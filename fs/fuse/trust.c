/*
 * trust: how long the kernel may believe a name. For long where every change
 * is reported to us, because then one notification makes it distrust all names
 * that it has: it raises the epoch of the mount, and a name is of the epoch
 * that its lookup was sent in. So an answer that is overtaken by a change is
 * distrusted, too. The notification takes no lock in the kernel, so it can
 * neither hang nor hold anybody up.
 *
 * It is not free: names that are distrusted go, and with them the pages of
 * their files. So there is one when something changes after names were lent
 * for long; while changes go on names are believed for a short time only, and
 * no change needs one.
 *
 * An answer to READDIRPLUS may be overtaken by a notification (reading.c). Then
 * there is another one as soon as its reader has got to it.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

/* So long after a change names are lent for long again. */
#define QUIET_NS INT64_C(2000000000)
/* So long a reader may take to get to what was sent to it: who then has not
 * asked again has left its directory open and does something else. */
#define READING_NS INT64_C(1000000000)
#define LOOK_MS 2

enum kernel { UNTRIED, HEARS, DEAF };

struct hf_trust {
	struct fuse_session *fuse;
	struct hf_view *view;
	atomic_uint calls; /* of directories that are to be called in */
	pthread_mutex_t lock;
	/* the following are protected by lock */
	enum kernel kernel;
	uint64_t reports;     /* that were taken into account */
	int64_t changed_ns;   /* when the last of them came */
	bool lent;            /* names were lent since the last notification, */
	bool unreported;      /* or handed out of which nothing is reported, */
	bool changed;         /* or something changed */
	uint64_t epoch;       /* counts notifications */
	struct hf_lent *dirs; /* lent with their attributes since the last */
	struct hf_reading *readings;
};

int hf_trust_new(struct fuse_session *fuse, struct hf_view *view,
		 struct hf_trust **ret)
{
	struct hf_trust *trust = calloc(1, sizeof(*trust));

	if (!trust)
		return -ENOMEM;
	trust->fuse = fuse;
	trust->view = view;
	trust->changed_ns = hf_clock_monotonic() - QUIET_NS;
	trust->reports = hf_view_reports(view);
	pthread_mutex_init(&trust->lock, NULL);
	*ret = trust;
	return 0;
}

void hf_trust_free(struct hf_trust *trust)
{
	if (!trust)
		return;
	hf_lent_free(trust->dirs);
	pthread_mutex_destroy(&trust->lock);
	free(trust);
}

/* --- notifications ------------------------------------------------------------ */

/* Call with the lock held, after FUSE_INIT was answered. */
static bool kernel_hears(struct hf_trust *trust)
{
	if (trust->kernel == UNTRIED)
		trust->kernel = hf_device_raise_epoch(trust->fuse) == -EINVAL
					? DEAF
					: HEARS;
	return trust->kernel == HEARS;
}

/* Call with the lock held. An error means that the mount is gone. */
static void notify(struct hf_trust *trust)
{
	if (kernel_hears(trust))
		hf_device_raise_epoch(trust->fuse);
	/* The top has attributes, but no name that could be distrusted. */
	fuse_lowlevel_notify_inval_inode(trust->fuse, FUSE_ROOT_ID, -1, 0);
}

/* Call with the lock held. Names are distrusted from here on. Returns the
 * directories that the caller is to call in once the lock is dropped. */
static struct hf_lent *distrust(struct hf_trust *trust)
{
	struct hf_lent *dirs = trust->dirs;

	notify(trust);
	trust->epoch++;
	trust->lent = trust->unreported = trust->changed = false;
	trust->dirs = NULL;
	atomic_fetch_add(&trust->calls, dirs != NULL);
	return dirs;
}

/* Call with the lock held: takes into account what the view has heard of.
 * Returns as distrust, or NULL. */
static struct hf_lent *take(struct hf_trust *trust)
{
	uint64_t reports = hf_view_reports(trust->view);

	if (trust->reports == reports)
		return NULL;
	trust->reports = reports;
	trust->changed_ns = hf_clock_monotonic();
	trust->changed = true;
	return trust->lent ? distrust(trust) : NULL;
}

/* --- readings ----------------------------------------------------------------- */

void hf_trust_begin(struct hf_trust *trust, struct hf_reading *reading)
{
	pthread_mutex_lock(&trust->lock);
	hf_reading_begin(reading, &trust->readings, trust->epoch);
	pthread_mutex_unlock(&trust->lock);
}

void hf_trust_end(struct hf_trust *trust, struct hf_reading *reading)
{
	pthread_mutex_lock(&trust->lock);
	hf_reading_end(reading);
	pthread_mutex_unlock(&trust->lock);
}

/* Are there readings from before a notification? Too late: they are over. */
static bool overtaken(struct hf_trust *trust, bool too_late)
{
	bool found;

	pthread_mutex_lock(&trust->lock);
	if (too_late)
		hf_readings_renew(trust->readings, trust->epoch);
	found = hf_readings_overtaken(trust->readings, trust->epoch);
	pthread_mutex_unlock(&trust->lock);
	return found;
}

static int sleep_a_bit(struct hf_wait *wait)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	int error;

	if (!wait) {
		nanosleep(&pause, NULL);
		return 0;
	}
	error = hf_wait_block_for(wait, LOOK_MS);
	return error == -ETIMEDOUT ? 0 : error;
}

/* Waits for the readings that a notification overtook, even if the wait is
 * interrupted: nobody else may do it. *any: there were some. */
static int outlast(struct hf_trust *trust, struct hf_wait *wait, bool *any)
{
	int64_t deadline = hf_clock_monotonic() + READING_NS;
	int error = 0;

	*any = false;
	while (overtaken(trust, hf_clock_monotonic() > deadline)) {
		int now = sleep_a_bit(error < 0 ? NULL : wait);

		error = now < 0 ? now : error;
		*any = true;
	}
	return error;
}

/* After a notification: calls in `dirs` (stolen), and repeats both for answers
 * that were overtaken. Then waits for those who do so for a change that was
 * taken in before the caller came. */
static int catch_up(struct hf_trust *trust, struct hf_lent *dirs,
		    struct hf_wait *wait)
{
	bool any;
	int error;

	hf_lent_call_in(dirs, trust->fuse);
	error = outlast(trust, wait, &any);
	if (any) {
		pthread_mutex_lock(&trust->lock);
		notify(trust);
		pthread_mutex_unlock(&trust->lock);
		hf_lent_call_in(dirs, trust->fuse);
	}
	if (dirs)
		atomic_fetch_sub(&trust->calls, 1);
	hf_lent_free(dirs);
	while (error == 0 && atomic_load(&trust->calls) > 0)
		error = sleep_a_bit(wait);
	return error;
}

/* --- the door ----------------------------------------------------------------- */

/* Call with the lock held. */
static bool is_quiet(struct hf_trust *trust)
{
	return kernel_hears(trust) &&
	       hf_clock_monotonic() - trust->changed_ns >= QUIET_NS;
}

/* Call with the lock held. May what rests on the grounds be lent for long? */
static bool may_lend(struct hf_trust *trust, const struct hf_grounds *grounds,
		     int64_t left_ms)
{
	return left_ms > HF_SHORT_MS && is_quiet(trust) &&
	       grounds->reports == hf_view_reports(trust->view);
}

static double seconds(bool lend, int64_t left_ms)
{
	return (double)(lend ? left_ms : HF_SHORT_MS) / 1000;
}

double hf_trust_name(struct hf_trust *trust, bool reported,
		     const struct hf_grounds *grounds)
{
	int64_t left_ms = hf_grounds_left_ms(grounds);
	bool lend;

	if (hf_view_is_frozen(trust->view))
		return HF_EVER_S;
	pthread_mutex_lock(&trust->lock);
	trust->unreported |= !reported;
	lend = reported && may_lend(trust, grounds, left_ms);
	trust->lent |= lend;
	pthread_mutex_unlock(&trust->lock);
	return seconds(lend, left_ms);
}

double hf_trust_attr(struct hf_trust *trust, uint64_t nodeid,
		     const struct hf_grounds *grounds)
{
	int64_t left_ms = hf_grounds_left_ms(grounds);
	bool lend;

	pthread_mutex_lock(&trust->lock);
	lend = grounds->reported && may_lend(trust, grounds, left_ms) &&
	       hf_lent_add(&trust->dirs, nodeid) == 0;
	trust->lent |= lend;
	pthread_mutex_unlock(&trust->lock);
	return seconds(lend, left_ms);
}

void hf_trust_forgotten(struct hf_trust *trust, uint64_t nodeid)
{
	pthread_mutex_lock(&trust->lock);
	hf_lent_remove(trust->dirs, nodeid);
	pthread_mutex_unlock(&trust->lock);
}

void hf_trust_update(struct hf_trust *trust)
{
	struct hf_lent *dirs;

	hf_view_take_reports(trust->view);
	pthread_mutex_lock(&trust->lock);
	dirs = take(trust);
	pthread_mutex_unlock(&trust->lock);
	(void)!catch_up(trust, dirs, NULL);
}

void hf_trust_forget(struct hf_trust *trust)
{
	struct hf_lent *dirs;

	hf_view_forget(trust->view);
	hf_view_suspect(trust->view);
	pthread_mutex_lock(&trust->lock);
	dirs = take(trust);
	if (!dirs)
		dirs = distrust(trust);
	pthread_mutex_unlock(&trust->lock);
	(void)!catch_up(trust, dirs, NULL);
}

/* Names that nobody can distrust run out. */
static int run_out(struct hf_trust *trust, struct hf_wait *wait)
{
	int error = hf_wait_block_for(wait, HF_SHORT_MS);

	hf_view_suspect(trust->view);
	return error == -ETIMEDOUT ? 0 : error;
}

int hf_trust_sync(struct hf_trust *trust, struct hf_wait *wait)
{
	struct hf_lent *dirs;
	bool hears;

	if (hf_view_is_frozen(trust->view))
		return 0;
	hf_view_take_reports(trust->view);
	hf_view_doubt(trust->view);
	pthread_mutex_lock(&trust->lock);
	hears = kernel_hears(trust);
	dirs = take(trust);
	if (trust->unreported) {
		/* It may have changed; which does not mean that it did. */
		hf_view_suspect(trust->view);
		trust->reports = hf_view_reports(trust->view);
	}
	if (trust->unreported || trust->changed)
		dirs = distrust(trust);
	pthread_mutex_unlock(&trust->lock);
	return hears ? catch_up(trust, dirs, wait) : run_out(trust, wait);
}

void hf_trust_status(struct hf_trust *trust, struct hf_buf *ret)
{
	bool hears;
	bool quiet;

	if (hf_view_is_frozen(trust->view)) {
		hf_buf_puts(ret, "names_believed_ms: for ever\n");
		return;
	}
	pthread_mutex_lock(&trust->lock);
	hears = kernel_hears(trust);
	quiet = is_quiet(trust);
	pthread_mutex_unlock(&trust->lock);
	hf_buf_printf(ret, "names_believed_ms: %d%s\n",
		      quiet ? HF_LONG_MS : HF_SHORT_MS,
		      quiet   ? ""
		      : hears ? " (changes go on)"
			      : " (the kernel cannot be told of changes; Linux "
				"6.16 can)");
}
