/*
 * relay: many texts are read in the pool, and then looked at there, a share of
 * them after the other. Reading may hang: whoever is interrupted leaves it
 * behind. Looking touches no source and borrows of its asker: so it is waited
 * for in any case.
 */
#include "fs/view/relay.h"

#include <errno.h>

/* So much is worth a job, if it is less than HF_RELAY_FILES. */
#define SHARE_BYTES (512 * 1024)
/* Shares that may be under way at once. */
#define MAX_SHARES 8

struct share {
	const struct hf_relay *relay;
	struct hf_pool *pool;
	struct hf_pile *pile;
	struct hf_errand *errand; /* that looks */
	void *found;              /* hf_relay's */
	size_t first;
	size_t n;
	int error;
};

/* How far the shares are, each in a slot of its own. */
struct course {
	struct hf_view *view;
	struct hf_wait *asker;
	const struct hf_relay *relay;
	struct share shares[MAX_SHARES];
	size_t at;    /* text */
	size_t begun; /* are being read, or were */
	size_t sent;  /* are being looked at, or were */
	size_t taken;
	struct hf_wait patient; /* never interrupted */
};

static void look(void *arg)
{
	struct share *share = arg;
	const struct hf_relay *relay = share->relay;

	for (size_t i = 0; i < share->n && share->error == 0; i++) {
		const struct hf_buf *raw;
		int error = hf_pile_get(share->pile, i, &raw);

		share->error =
			relay->look(share->found, share->first + i, error, raw);
		hf_pool_tick(share->pool);
	}
	if (share->error == 0 && relay->end)
		share->error = relay->end(share->found);
}

/* The asker's own. */
static void leave(void *arg)
{
	(void)arg;
}

static void share_fini(struct share *share)
{
	hf_errand_end(share->errand);
	hf_pile_free(share->pile);
	share->relay->free(share->found);
}

/* Has the next texts read. */
static int read_share(struct course *course, struct share *share)
{
	const struct hf_relay *relay = course->relay;
	uint64_t bytes = 0;
	int error;

	*share = (struct share){
		.relay = relay,
		.pool = course->view->pool,
		.first = course->at,
	};
	share->found = relay->begin(relay->arg);
	error = share->found
			? hf_pile_new(course->view, course->asker, &share->pile)
			: -ENOMEM;
	while (error == 0 && course->at < relay->n &&
	       share->n < HF_RELAY_FILES && bytes < SHARE_BYTES) {
		const struct hf_vertex *vertex =
			relay->vertex(relay->arg, course->at++);

		error = hf_pile_add(share->pile, vertex);
		bytes += vertex->raw.size;
		share->n++;
	}
	return error < 0 ? error : hf_pile_read(share->pile);
}

static int send_share(struct share *share, struct hf_wait *patient)
{
	int error = hf_pile_wait(share->pile);

	if (error < 0)
		return error;
	return hf_errand_new(share->pool, look, leave, share, patient,
			     &share->errand);
}

static int take_share(struct share *share)
{
	const struct hf_relay *relay = share->relay;
	int error = hf_errand_wait(share->errand);

	hf_errand_end(share->errand);
	share->errand = NULL;
	if (error == 0)
		error = share->error;
	return error < 0 ? error
			 : relay->take(relay->arg, share->found, share->first,
				       share->n);
}

static int step(struct course *course)
{
	struct share *next;
	int error;

	if (hf_wait_interrupted(course->asker))
		return -EINTR;
	if (course->at < course->relay->n &&
	    course->begun - course->taken < MAX_SHARES)
		return read_share(
			course, &course->shares[course->begun++ % MAX_SHARES]);
	if (course->sent < course->begun) {
		next = &course->shares[course->sent % MAX_SHARES];
		error = send_share(next, &course->patient);
		course->sent += error == 0;
		return error;
	}
	next = &course->shares[course->taken++ % MAX_SHARES];
	error = take_share(next);
	share_fini(next);
	return error;
}

/* Those that are being looked at borrow what would go now. */
static void end(struct course *course)
{
	for (; course->taken < course->begun; course->taken++) {
		struct share *share =
			&course->shares[course->taken % MAX_SHARES];

		/* Cannot be interrupted. */
		if (share->errand && hf_errand_wait(share->errand) < 0)
			continue;
		share_fini(share);
	}
	hf_wait_fini(&course->patient);
}

int hf_relay_run(struct hf_view *view, struct hf_wait *asker,
		 const struct hf_relay *relay)
{
	struct course course = {.view = view, .asker = asker, .relay = relay};
	int error = 0;

	hf_wait_init(&course.patient);
	while (error == 0 &&
	       (course.at < relay->n || course.taken < course.begun))
		error = step(&course);
	end(&course);
	return error;
}
