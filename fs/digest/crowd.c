/*
 * crowd: many files, most of them small, hashed side by side. They wait until
 * a thread of the pool reads them; what was read waits until there is enough to
 * fill the lanes, or until nothing more comes. Larger ones are only opened, and
 * streamed (stream.c) when there are enough of them. No thread waits for
 * another one: each does whatever is at hand, and as long as there is anything
 * to do there is one more job in the pool's queue. So when a thread hangs in a
 * source, what it read before is hashed by the next.
 */
#include "fs/digest/crowd.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* Hashed together: enough that the lanes are full most of the time. */
#define GROUP 64
/* With so many bytes a group is large enough, however few its files are. */
#define GROUP_BYTES (32 * 1024 * 1024)
/* Files above this size are streamed; they would take the memory of many. */
#define BULKY (64 * 1024)
/* The largest that is held where it cannot be streamed. */
#define HELD_MAX (8 * 1024 * 1024)
/* So many opened ones keep the lanes full while more are being opened. */
#define OPENED 32
/* Streams that so few are left of rest until there are others beside them. */
#define FEW 8
/* After so many other files those that are streamed have waited long enough
 * where bytes are looked into: whoever does so names one directory after the
 * other, and would have to do it all in the end. */
#define PATIENCE 2048
/* After so many files a thread lets the pool's other jobs have their turn. */
#define TURN 128
/* So often what is not enough waits for what the pool's other jobs bring. */
#define DEFERRALS 16

struct list {
	struct hf_small *first;
	struct hf_small **last;
	size_t n;
	uint64_t bytes;
};

struct hf_crowd {
	const struct hf_digests_config *config;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct list unread;
	struct list read;
	struct list opened;
	struct streaming *resting; /* streams with files under way */
	bool summoned;             /* a job is in the pool's queue */
	unsigned deferrals;        /* since anything was hashed */
	unsigned passed; /* files read since streams ran to their end */
};

/* --- lists ---------------------------------------------------------------- */

static void list_init(struct list *list)
{
	*list = (struct list){.last = &list->first};
}

static void append(struct list *list, struct hf_small *small)
{
	small->next = NULL;
	*list->last = small;
	list->last = &small->next;
	list->n++;
	list->bytes += small->reading.fact.size;
}

/* Before all others. */
static void prepend(struct list *list, struct hf_small *small)
{
	small->next = list->first;
	list->first = small;
	if (!small->next)
		list->last = &small->next;
	list->n++;
	list->bytes += small->reading.fact.size;
}

/* NULL: it is empty. */
static struct hf_small *take(struct list *list)
{
	struct hf_small *small = list->first;

	if (!small)
		return NULL;
	list->first = small->next;
	if (!list->first)
		list->last = &list->first;
	list->n--;
	list->bytes -= small->reading.fact.size;
	return small;
}

int hf_crowd_new(const struct hf_digests_config *config, struct hf_crowd **ret)
{
	struct hf_crowd *crowd = calloc(1, sizeof(*crowd));

	if (!crowd)
		return -ENOMEM;
	crowd->config = config;
	hf_lock_init(&crowd->lock);
	list_init(&crowd->unread);
	list_init(&crowd->read);
	list_init(&crowd->opened);
	*ret = crowd;
	return 0;
}

void hf_crowd_free(struct hf_crowd *crowd)
{
	if (!crowd)
		return;
	pthread_mutex_destroy(&crowd->lock);
	free(crowd);
}

/* --- one file ------------------------------------------------------------- */

static bool is_streamed(const struct hf_crowd *crowd,
			const struct hf_small *small)
{
	return small->size > BULKY && !small->alone && !small->keep &&
	       hf_hash_in_lanes(crowd->config->algorithm);
}

static void read_one(struct hf_crowd *crowd, struct hf_small *small)
{
	if (small->known && small->known(small))
		return;
	if (is_streamed(crowd, small)) {
		small->error =
			hf_read_begin(crowd->config, small->root, small->path,
				      &small->fd, &small->reading);
		return;
	}
	/* What it is instead, or why it cannot be read, is found out below. */
	if (small->seen && small->size <= HELD_MAX &&
	    hf_read_seen(crowd->config, small->root, small->path, small->seen,
			 &small->reading, &small->data) == 0)
		return;
	small->error = hf_read_bytes(crowd->config, small->root, small->path,
				     HELD_MAX, &small->reading, &small->data);
	/* It is larger, or has grown. */
	if (small->error == -EFBIG)
		small->error =
			hf_read_file(crowd->config, small->root, small->path,
				     small->keep, &small->reading);
}

/* --- a group -------------------------------------------------------------- */

static void hash_group(const struct hf_crowd *crowd, struct hf_small **group,
		       size_t n)
{
	struct hf_hashing hashings[GROUP];
	int error;

	for (size_t i = 0; i < n; i++)
		hashings[i] = (struct hf_hashing){
			.data = group[i]->data,
			.len = (size_t)group[i]->reading.fact.size,
			.ret = &group[i]->reading.fact.digest,
		};
	error = hf_hash_many(crowd->config->algorithm, hashings, n);
	for (size_t i = 0; i < n; i++)
		group[i]->error = error;
}

static bool inspect(const struct hf_crowd *crowd, const struct hf_small *small)
{
	const struct hf_inspector *inspector = &crowd->config->inspector;
	const struct hf_fact *fact = &small->reading.fact;

	return inspector->wants &&
	       inspector->wants(inspector->arg, small->path, fact->size) &&
	       inspector->inspect(inspector->arg, small->path, &fact->digest,
				  small->data, (size_t)fact->size);
}

/* What fails here is read, or fails, when somebody asks for it. */
static void hash_again(const struct hf_crowd *crowd,
		       const struct hf_small *small)
{
	const struct hf_inspector *inspector = &crowd->config->inspector;
	const struct hf_fact *fact = &small->reading.fact;
	struct hf_digest second;

	if (inspector->algorithm && hf_hash(inspector->algorithm, small->data,
					    (size_t)fact->size, &second) == 0)
		inspector->second(inspector->arg, small->path, &fact->digest,
				  &second);
}

/* Without them it is read once more when it is opened. */
static void sum(struct hf_small *small)
{
	struct hf_sums *sums;

	if (small->reading.fact.size > HF_PINNED_MAX &&
	    hf_sums_of(small->data, small->reading.fact.size, &sums) == 0)
		hf_reading_sum(&small->reading, sums);
}

/* The bytes are wanted, too. */
static void keep(const struct hf_crowd *crowd, struct hf_small *small)
{
	int error =
		hf_verified_pin(small->data, small->reading.fact.size,
				crowd->config->pins, &small->reading.verified);

	if (error == 0)
		small->data = NULL;
	else if (small->keep)
		small->error = error;
}

/* They will be asked for, if there is room until then. */
static void hold(const struct hf_crowd *crowd, struct hf_small *small)
{
	if (!crowd->config->held ||
	    hf_verified_pin(small->data, small->reading.fact.size,
			    crowd->config->held, &small->reading.verified) < 0)
		return;
	small->data = NULL;
	small->held = true;
}

static void finish(const struct hf_crowd *crowd, struct hf_small *small)
{
	bool good = small->data && small->error == 0;
	bool asked = false;

	if (good && !small->keep) {
		asked = inspect(crowd, small);
		hash_again(crowd, small);
		sum(small);
	}
	if (good && (small->keep || small->retain))
		keep(crowd, small);
	else if (good && asked)
		hold(crowd, small);
	free(small->data);
	small->data = NULL;
	small->done(small);
}

/* --- turns ---------------------------------------------------------------- */

static bool is_full(const struct list *read)
{
	return read->n >= GROUP || read->bytes >= GROUP_BYTES;
}

/* Call with the lock held; returns without it, and how many files it was. */
static size_t hash_some(struct hf_crowd *crowd)
{
	struct hf_small *group[GROUP] = {NULL};
	size_t n = 0;

	while (n < GROUP && crowd->read.n > 0)
		group[n++] = take(&crowd->read);
	crowd->deferrals = 0;
	pthread_mutex_unlock(&crowd->lock);
	hash_group(crowd, group, n);
	for (size_t i = 0; i < n; i++)
		finish(crowd, group[i]);
	return n;
}

/* Streams, and how far they are. */
struct streaming {
	struct streaming *next; /* that rests; crowd->lock */
	struct hf_crowd *crowd;
	struct hf_streams *streams;
	size_t n; /* files taken in this turn */
};

static struct hf_small *next_opened(void *arg)
{
	struct streaming *streaming = arg;
	struct hf_crowd *crowd = streaming->crowd;
	struct hf_small *small = NULL;

	pthread_mutex_lock(&crowd->lock);
	if (streaming->n < TURN)
		small = take(&crowd->opened);
	pthread_mutex_unlock(&crowd->lock);
	streaming->n += small != NULL;
	return small;
}

static void invite(struct hf_crowd *crowd, struct hf_small *small);

static void read_alone(struct hf_crowd *crowd, struct hf_small *small)
{
	small->alone = true;
	invite(crowd, small);
}

static void streamed(void *arg, struct hf_small *small, int error)
{
	struct streaming *streaming = arg;

	if (error == 0)
		finish(streaming->crowd, small);
	else
		read_alone(streaming->crowd, small);
}

static struct streaming *streaming_new(struct hf_crowd *crowd)
{
	struct streaming *streaming = calloc(1, sizeof(*streaming));
	struct hf_streams_feed feed = {
		.next = next_opened, .ended = streamed, .arg = streaming};

	if (!streaming)
		return NULL;
	streaming->crowd = crowd;
	if (hf_streams_new(crowd->config, &feed, &streaming->streams) < 0) {
		free(streaming);
		return NULL;
	}
	return streaming;
}

static void streaming_free(struct streaming *streaming)
{
	hf_streams_free(streaming->streams);
	free(streaming);
}

/* Without memory for streams. */
static void read_all_alone(struct hf_crowd *crowd)
{
	struct hf_small *small;
	struct list opened;

	pthread_mutex_lock(&crowd->lock);
	opened = crowd->opened;
	list_init(&crowd->opened);
	pthread_mutex_unlock(&crowd->lock);
	while ((small = take(&opened))) {
		close(hf_steal_fd(&small->fd));
		read_alone(crowd, small);
	}
}

/* Takes up those that rest, or others. Call with the lock held; returns without
 * it, and how many files it was. */
static size_t stream_some(struct hf_crowd *crowd, size_t rest)
{
	struct streaming *streaming = crowd->resting;
	size_t left;
	size_t n;

	if (streaming)
		crowd->resting = streaming->next;
	crowd->deferrals = 0;
	if (rest == 0)
		crowd->passed = 0;
	pthread_mutex_unlock(&crowd->lock);
	if (!streaming)
		streaming = streaming_new(crowd);
	if (!streaming) {
		read_all_alone(crowd);
		return 1;
	}
	streaming->n = 0;
	left = hf_streams_run(streaming->streams, rest);
	n = streaming->n;
	if (left > 0) {
		pthread_mutex_lock(&crowd->lock);
		streaming->next = crowd->resting;
		crowd->resting = streaming;
		pthread_mutex_unlock(&crowd->lock);
	} else {
		streaming_free(streaming);
	}
	return n + 1;
}

/* Call with the lock held; returns without it. */
static void read_next(struct hf_crowd *crowd)
{
	struct hf_small *small = take(&crowd->unread);

	pthread_mutex_unlock(&crowd->lock);
	if (!small)
		return;
	read_one(crowd, small);
	if (!small->data && small->fd < 0) {
		finish(crowd, small);
		return;
	}
	pthread_mutex_lock(&crowd->lock);
	append(small->data ? &crowd->read : &crowd->opened, small);
	crowd->passed++;
	pthread_mutex_unlock(&crowd->lock);
}

static void work(void *arg);

/* Whether the caller has to put a job into the pool's queue. Call with the
 * lock held. */
static bool is_to_summon(struct hf_crowd *crowd)
{
	bool first = !crowd->summoned;

	crowd->summoned = true;
	return first;
}

static int summon(struct hf_crowd *crowd)
{
	int error = hf_pool_submit(crowd->config->pool, work, crowd);

	if (error < 0) {
		pthread_mutex_lock(&crowd->lock);
		crowd->summoned = false;
		pthread_mutex_unlock(&crowd->lock);
	}
	return error;
}

static bool has_work(const struct hf_crowd *crowd)
{
	return crowd->unread.n > 0 || crowd->read.n > 0 ||
	       crowd->opened.n > 0 || crowd->resting;
}

/* There is one more job as long as there is anything unread. */
static void begin_turn(struct hf_crowd *crowd)
{
	bool call = false;

	pthread_mutex_lock(&crowd->lock);
	crowd->summoned = false;
	if (has_work(crowd))
		call = is_to_summon(crowd);
	pthread_mutex_unlock(&crowd->lock);
	/* Without memory for a job this one goes on to the end. */
	if (call && summon(crowd) < 0)
		return;
}

static bool has_waited(const struct hf_crowd *crowd)
{
	return crowd->config->inspector.wants && crowd->passed >= PATIENCE &&
	       (crowd->opened.n > 0 || crowd->resting);
}

/* Does whatever is best done next. Call with the lock held; returns without it,
 * and how many files it was. */
static size_t do_some(struct hf_crowd *crowd)
{
	if (crowd->opened.n >= OPENED)
		return stream_some(crowd, FEW);
	if (has_waited(crowd))
		return stream_some(crowd, 0);
	if (is_full(&crowd->read))
		return hash_some(crowd);
	if (crowd->unread.n > 0) {
		read_next(crowd);
		return 1;
	}
	if (crowd->read.n > 0)
		return hash_some(crowd);
	return stream_some(crowd, 0);
}

/* Is it better to let the pool's other jobs come first? They may bring what
 * fills a group, and the crowd's own job stands behind them. Call with the lock
 * held. */
static bool defer(struct hf_crowd *crowd)
{
	if (crowd->unread.n > 0 || is_full(&crowd->read) || !crowd->summoned ||
	    crowd->deferrals == DEFERRALS ||
	    hf_pool_waiting(crowd->config->pool) < 2)
		return false;
	crowd->deferrals++;
	return true;
}

static void work(void *arg)
{
	struct hf_crowd *crowd = arg;
	size_t done = 0;

	begin_turn(crowd);
	pthread_mutex_lock(&crowd->lock);
	while (has_work(crowd) && (done < TURN || !crowd->summoned) &&
	       !defer(crowd)) {
		done += do_some(crowd);
		hf_pool_tick(crowd->config->pool);
		pthread_mutex_lock(&crowd->lock);
	}
	pthread_mutex_unlock(&crowd->lock);
}

/* Whoever came after the job that could not be made relied on it. */
static void fail_all(struct hf_crowd *crowd, int error)
{
	struct hf_small *small;
	struct list failed;

	pthread_mutex_lock(&crowd->lock);
	failed = crowd->unread;
	list_init(&crowd->unread);
	pthread_mutex_unlock(&crowd->lock);
	while ((small = take(&failed))) {
		small->error = error;
		small->done(small);
	}
}

static void invite(struct hf_crowd *crowd, struct hf_small *small)
{
	bool call;
	int error;

	pthread_mutex_lock(&crowd->lock);
	/* Who comes again has waited already. */
	if (small->alone)
		prepend(&crowd->unread, small);
	else
		append(&crowd->unread, small);
	call = is_to_summon(crowd);
	pthread_mutex_unlock(&crowd->lock);
	error = call ? summon(crowd) : 0;
	if (error < 0)
		fail_all(crowd, error);
}

void hf_crowd_add(struct hf_crowd *crowd, struct hf_small *small)
{
	small->fd = -1;
	invite(crowd, small);
}
