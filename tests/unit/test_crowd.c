/*
 * Many small files: each gets the digest of its own bytes, whatever their
 * number and lengths; a file that hangs holds up none but itself.
 */
#include "tests/unit/tree.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/uio.h>
#include <time.h>

#include "fs/digest/crowd.h"

struct room {
	struct tree tree;
	struct hf_source_config source_config;
	struct hf_source *source;
	struct hf_pins pins;
	struct hf_digests_config config;
	struct hf_crowd *crowd;
};

static int set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));
	char *why = NULL;

	tree_make(&room->tree);
	assert_int_equal(hf_root_specs_parse(&room->source_config.roots,
					     room->tree.top, &why),
			 0);
	assert_int_equal(
		hf_source_open(&room->source_config, 0, &room->source, &why),
		0);
	room->config = (struct hf_digests_config){
		.algorithm = hf_algorithm_find("md5"),
		.source = room->source,
		.pins = &room->pins,
		.clock = hf_clock_realtime,
	};
	*state = room;
	return 0;
}

/* More threads than one only when one hangs. */
static void open_crowd(struct room *room, unsigned n_threads)
{
	assert_int_equal(hf_pool_new(n_threads, 8, &room->config.pool), 0);
	assert_int_equal(hf_crowd_new(&room->config, &room->crowd), 0);
}

static void close_crowd(struct room *room)
{
	hf_pool_free(room->config.pool);
	hf_crowd_free(room->crowd);
}

static int tear_down(void **state)
{
	struct room *room = *state;

	hf_source_close(room->source);
	hf_root_specs_fini(&room->source_config.roots);
	tree_free(&room->tree);
	free(room);
	return 0;
}

/* A file in a crowd. */
struct guest {
	struct hf_small small;
	char path[32];
	sem_t *came;
	sem_t *hangs; /* until this; or NULL */
};

static void guest_done(struct hf_small *small)
{
	hf_reading_fini(&small->reading);
	sem_post(((struct guest *)(void *)small)->came);
}

static bool guest_known(struct hf_small *small)
{
	struct guest *guest = (struct guest *)(void *)small;

	if (guest->hangs)
		sem_wait(guest->hangs);
	return false;
}

static void invite(struct room *room, struct guest *guest, sem_t *came)
{
	guest->came = came;
	guest->small.path = guest->path;
	guest->small.known = guest_known;
	guest->small.done = guest_done;
	hf_crowd_add(room->crowd, &guest->small);
}

static void assert_comes(sem_t *came)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	assert_int_equal(sem_timedwait(came, &until), 0);
}

static void assert_digest(const struct guest *guest, const void *data,
			  size_t len)
{
	struct hf_digest expected;

	assert_int_equal(guest->small.error, 0);
	assert_int_equal(guest->small.reading.fact.size, len);
	assert_int_equal(
		hf_hash(hf_algorithm_find("md5"), data, len, &expected), 0);
	if (!hf_digest_equal(&expected, &guest->small.reading.fact.digest))
		fail_msg("%s has another digest", guest->path);
}

/* All lengths that lanes can be filled with, and some bulky ones. */
#define MANY 700
#define BULK 250000

static size_t length_of(size_t i)
{
	if (i % 100 == 99)
		return BULK + i * 7;
	return i % 10 == 9 ? 997 * i : 3 * i;
}

static void each_has_its_own(void **state)
{
	static struct guest guests[MANY];
	static char bytes[2 * 997 * MANY];
	struct room *room = *state;
	sem_t came;

	memset(guests, 0, sizeof(guests));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(guests[i].path, sizeof(guests[i].path), "%zu", i);
		tree_write_bytes(&room->tree, guests[i].path, bytes + i,
				 length_of(i));
	}
	sem_init(&came, 0, 0);
	open_crowd(room, 3);
	for (size_t i = 0; i < MANY; i++)
		invite(room, &guests[i], &came);
	for (size_t i = 0; i < MANY; i++)
		assert_comes(&came);
	close_crowd(room);
	for (size_t i = 0; i < MANY; i++)
		assert_digest(&guests[i], bytes + i, length_of(i));
	sem_destroy(&came);
}

/* Of one thread: two are read, the third hangs, one comes after it. */
static void one_that_hangs_holds_up_no_other(void **state)
{
	struct guest guests[4] = {
		{.path = "0"}, {.path = "1"}, {.path = "2"}, {.path = "3"}};
	struct room *room = *state;
	sem_t came;
	sem_t late;
	sem_t gate;

	sem_init(&came, 0, 0);
	sem_init(&late, 0, 0);
	sem_init(&gate, 0, 0);
	for (size_t i = 0; i < 4; i++)
		tree_write(&room->tree, guests[i].path, guests[i].path);
	guests[2].hangs = &gate;
	open_crowd(room, 1);
	for (size_t i = 0; i < 4; i++)
		invite(room, &guests[i], i == 2 ? &late : &came);
	for (size_t i = 0; i < 3; i++)
		assert_comes(&came);
	sem_post(&gate);
	assert_comes(&late);
	close_crowd(room);
	for (size_t i = 0; i < 4; i++)
		assert_digest(&guests[i], guests[i].path, 1);
	sem_destroy(&came);
	sem_destroy(&late);
	sem_destroy(&gate);
}

static void errors_are_each_ones_own(void **state)
{
	struct guest guests[3] = {
		{.path = "is"}, {.path = "is-not"}, {.path = "too"}};
	struct room *room = *state;
	sem_t came;

	sem_init(&came, 0, 0);
	tree_write(&room->tree, "is", "is");
	tree_write(&room->tree, "too", "too");
	open_crowd(room, 2);
	for (size_t i = 0; i < 3; i++)
		invite(room, &guests[i], &came);
	for (size_t i = 0; i < 3; i++)
		assert_comes(&came);
	close_crowd(room);
	assert_digest(&guests[0], "is", 2);
	assert_int_equal(guests[1].small.error, -ENOENT);
	assert_digest(&guests[2], "too", 3);
	sem_destroy(&came);
}

/* --- streamed ones ------------------------------------------------------- */

/* What reading without waiting does, instead of libc's own. */
static atomic_int reads;
static atomic_int good_reads; /* before it fails; -1: none fails */
static atomic_int read_error;

/* cppcheck-suppress unusedFunction */
ssize_t preadv64v2(int fd, const struct iovec *iov, int n, off64_t offset,
		   int flags)
{
	assert_int_equal(n, 1);
	assert_int_equal(flags, RWF_NOWAIT);
	reads++;
	if (good_reads == 0) {
		errno = read_error;
		return -1;
	}
	if (good_reads > 0)
		good_reads--;
	return pread(fd, iov->iov_base, iov->iov_len, offset);
}

#define STREAMED 40
#define STREAMED_LEN 200000

/* Many of them, each known to be bulky. */
static void stream(struct room *room)
{
	static struct guest guests[STREAMED];
	static char bytes[STREAMED_LEN + 1000 * STREAMED];
	sem_t came;

	memset(guests, 0, sizeof(guests));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	for (size_t i = 0; i < STREAMED; i++) {
		snprintf(guests[i].path, sizeof(guests[i].path), "%zu", i);
		guests[i].small.size = STREAMED_LEN + 999 * i;
		tree_write_bytes(&room->tree, guests[i].path, bytes + i,
				 STREAMED_LEN + 999 * i);
	}
	sem_init(&came, 0, 0);
	open_crowd(room, 3);
	for (size_t i = 0; i < STREAMED; i++)
		invite(room, &guests[i], &came);
	for (size_t i = 0; i < STREAMED; i++)
		assert_comes(&came);
	close_crowd(room);
	for (size_t i = 0; i < STREAMED; i++)
		assert_digest(&guests[i], bytes + i, STREAMED_LEN + 999 * i);
	sem_destroy(&came);
}

static void bulky_ones_are_streamed(void **state)
{
	good_reads = -1;
	reads = 0;
	stream(*state);
	assert_in_range(reads, STREAMED * 7, STREAMED * 8);
}

/* As if the kernel had not all of a file at hand, or did not know the flag. */
static void what_is_not_at_hand_is_read(void **state)
{
	read_error = EAGAIN;
	good_reads = 50;
	stream(*state);
	read_error = EOPNOTSUPP;
	good_reads = 0;
	stream(*state);
}

/* What the inspector sees of streamed files. */
static atomic_int seen;

static bool wants_all(void *arg, const char *path, uint64_t size)
{
	(void)arg;
	(void)path;
	return size > 0;
}

static bool look_at(void *arg, const char *path, const struct hf_digest *digest,
		    const char *data, size_t len)
{
	struct hf_digest again;

	(void)arg;
	(void)path;
	assert_int_equal(hf_hash(hf_algorithm_find("md5"), data, len, &again),
			 0);
	assert_true(hf_digest_equal(&again, digest));
	seen++;
	return false;
}

static void inspectors_see_all_bytes(void **state)
{
	struct room *room = *state;

	good_reads = -1;
	reads = 0;
	seen = 0;
	room->config.inspector =
		(struct hf_inspector){.wants = wants_all, .inspect = look_at};
	stream(room);
	assert_int_equal(seen, STREAMED);
	assert_in_range(reads, STREAMED * 7, STREAMED * 8);
}

/* Whoever invited it saw a smaller one. */
static void one_that_has_grown(void **state)
{
	static char bytes[HF_SMALL_MAX + 1];
	struct guest guest = {.path = "grown"};
	struct room *room = *state;
	sem_t came;

	sem_init(&came, 0, 0);
	tree_write_bytes(&room->tree, "grown", bytes, sizeof(bytes));
	open_crowd(room, 2);
	invite(room, &guest, &came);
	assert_comes(&came);
	close_crowd(room);
	assert_digest(&guest, bytes, sizeof(bytes));
	sem_destroy(&came);
}

#define CROWD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CROWD(each_has_its_own),
		CROWD(one_that_hangs_holds_up_no_other),
		CROWD(errors_are_each_ones_own),
		CROWD(bulky_ones_are_streamed),
		CROWD(what_is_not_at_hand_is_read),
		CROWD(inspectors_see_all_bytes),
		CROWD(one_that_has_grown),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
