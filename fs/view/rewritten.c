/*
 * rewritten: the bytes of texts that were put together anew, for who opens them
 * next. To do it once more takes ten times as long as to read a file; bytes are
 * those of their digest for ever, and that the text is still shown so is known
 * by the mark that it was looked at under.
 */
#include "fs/view/graph.h"

#include <errno.h>
#include <string.h>

/* So long a text is held that nobody opens. No mark lasts longer. */
#define HELD_NS (HF_REPORTS_MS * INT64_C(1000000))
/* However short they are, each takes some hundred bytes more. */
#define MAX_TEXTS 65536

struct item {
	struct item *before; /* that was used before it, */
	struct item *after;
	int64_t used_ns; /* which was then, by hf_clock_monotonic */
	struct hf_verified *bytes;
	struct hf_digest digest; /* of them */
	uint32_t mark;
	char path[];
};

struct hf_rewritten {
	struct hf_pins pins;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct hf_map *by_path;
	struct item *first; /* the one that was used the longest ago */
	struct item *last;
};

int hf_rewritten_new(const uint64_t seed[2], uint64_t max,
		     struct hf_rewritten **ret)
{
	struct hf_rewritten *rewritten = calloc(1, sizeof(*rewritten));

	if (!rewritten || hf_map_new(seed, &rewritten->by_path) < 0) {
		free(rewritten);
		return -ENOMEM;
	}
	rewritten->pins.max = max;
	atomic_init(&rewritten->pins.told, true);
	pthread_mutex_init(&rewritten->lock, NULL);
	*ret = rewritten;
	return 0;
}

static void item_free(struct item *item)
{
	if (!item)
		return;
	hf_verified_unref(item->bytes);
	free(item);
}

void hf_rewritten_free(struct hf_rewritten *rewritten)
{
	if (!rewritten)
		return;
	while (rewritten->first) {
		struct item *item = rewritten->first;

		rewritten->first = item->after;
		item_free(item);
	}
	hf_map_free(rewritten->by_path);
	pthread_mutex_destroy(&rewritten->lock);
	free(rewritten);
}

/* --- in the order of use ------------------------------------------------------ */

/* Call with the lock held. */
static void take_out(struct hf_rewritten *rewritten, struct item *item)
{
	if (item->before)
		item->before->after = item->after;
	else
		rewritten->first = item->after;
	if (item->after)
		item->after->before = item->before;
	else
		rewritten->last = item->before;
}

/* Call with the lock held. */
static void put_last(struct hf_rewritten *rewritten, struct item *item)
{
	item->used_ns = hf_clock_monotonic();
	item->before = rewritten->last;
	item->after = NULL;
	if (item->before)
		item->before->after = item;
	else
		rewritten->first = item;
	rewritten->last = item;
}

/* Call with the lock held: NULL if there is none. */
static struct item *remove_item(struct hf_rewritten *rewritten,
				const char *path)
{
	struct item *item =
		hf_map_remove(rewritten->by_path, path, strlen(path));

	if (item)
		take_out(rewritten, item);
	return item;
}

/* The one that nobody opens any more; NULL: all are still held. */
static struct item *remove_old(struct hf_rewritten *rewritten, int64_t now_ns,
			       bool *left)
{
	struct item *item;

	pthread_mutex_lock(&rewritten->lock);
	item = rewritten->first;
	if (item && now_ns - item->used_ns > HELD_NS)
		remove_item(rewritten, item->path);
	else
		item = NULL;
	*left = rewritten->first != NULL;
	pthread_mutex_unlock(&rewritten->lock);
	return item;
}

bool hf_rewritten_rest(struct hf_rewritten *rewritten, int64_t now_ns,
		       bool *gone)
{
	struct item *item;
	bool left;

	while ((item = remove_old(rewritten, now_ns, &left))) {
		item_free(item);
		*gone = true;
	}
	return left;
}

/* --- the door ----------------------------------------------------------------- */

static struct item *new_item(const char *path, const struct hf_digest *digest,
			     uint32_t mark)
{
	size_t size = strlen(path) + 1;
	struct item *item = calloc(1, sizeof(*item) + size);

	if (!item)
		return NULL;
	item->digest = *digest;
	item->mark = mark;
	memcpy(item->path, path, size);
	return item;
}

/* What was there under its path goes. */
static void add(struct hf_rewritten *rewritten, struct item *item)
{
	struct item *old;

	pthread_mutex_lock(&rewritten->lock);
	old = remove_item(rewritten, item->path);
	if (hf_map_put(rewritten->by_path, item->path, strlen(item->path),
		       item) == 0) {
		put_last(rewritten, item);
		item = NULL;
	}
	pthread_mutex_unlock(&rewritten->lock);
	item_free(old);
	item_free(item);
}

static bool is_full(struct hf_rewritten *rewritten)
{
	bool full;

	pthread_mutex_lock(&rewritten->lock);
	full = hf_map_len(rewritten->by_path) >= MAX_TEXTS;
	pthread_mutex_unlock(&rewritten->lock);
	return full;
}

struct hf_verified *hf_rewritten_put(struct hf_rewritten *rewritten,
				     const char *path,
				     const struct hf_digest *digest,
				     uint32_t mark, struct hf_buf *text)
{
	struct hf_verified *bytes;
	struct item *item;

	if (!rewritten || mark == 0 || is_full(rewritten))
		return NULL;
	item = new_item(path, digest, mark);
	if (!item ||
	    hf_verified_take(text, &rewritten->pins, &item->bytes) < 0) {
		free(item);
		return NULL;
	}
	bytes = hf_verified_ref(item->bytes);
	add(rewritten, item);
	return bytes;
}

struct hf_verified *hf_rewritten_get(struct hf_rewritten *rewritten,
				     const char *path,
				     const struct hf_digest *digest,
				     uint32_t mark)
{
	struct hf_verified *bytes = NULL;
	struct item *item;

	if (!rewritten || mark == 0)
		return NULL;
	pthread_mutex_lock(&rewritten->lock);
	item = hf_map_get(rewritten->by_path, path, strlen(path));
	if (item && item->mark == mark &&
	    hf_digest_equal(&item->digest, digest)) {
		bytes = hf_verified_ref(item->bytes);
		take_out(rewritten, item);
		put_last(rewritten, item);
	}
	pthread_mutex_unlock(&rewritten->lock);
	return bytes;
}

uint64_t hf_rewritten_bytes(const struct hf_rewritten *rewritten)
{
	return rewritten ? atomic_load(&rewritten->pins.bytes) : 0;
}
