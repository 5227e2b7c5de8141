/* fs/digest: many who ask for the same files, and files that are read before
 * anybody asks. */
#include "tests/unit/digests.h"

#include <pthread.h>

/* --- a crowd ------------------------------------------------------------- */

#define N_ASKERS 32

struct crowd {
	struct room *room;
	struct hf_sig sig;
	pthread_barrier_t ready;
	struct hf_digest expected;
	atomic_int right;
};

static void *ask(void *arg)
{
	struct crowd *crowd = arg;
	struct hf_wait wait;
	struct hf_fact fact;

	hf_wait_init(&wait);
	pthread_barrier_wait(&crowd->ready);
	if (hf_digests_get(crowd->room->digests, 0, "a", &crowd->sig, &wait,
			   &fact) == 0 &&
	    hf_digest_equal(&fact.digest, &crowd->expected))
		atomic_fetch_add(&crowd->right, 1);
	hf_wait_fini(&wait);
	return NULL;
}

static void a_crowd_asks_and_one_file_is_hashed(void **state)
{
	struct crowd crowd = {.room = *state};
	struct room *room = *state;
	pthread_t threads[N_ASKERS];
	char *data = pattern(LARGE);

	tree_write_bytes(&room->tree, "a", data, LARGE);
	crowd.sig = sig_of(room, "a");
	crowd.expected = md5_of(data, LARGE);
	pthread_barrier_init(&crowd.ready, NULL, N_ASKERS);
	for (size_t i = 0; i < N_ASKERS; i++)
		pthread_create(&threads[i], NULL, ask, &crowd);
	for (size_t i = 0; i < N_ASKERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&crowd.right), N_ASKERS);
	assert_int_equal(hashed(room), 1);
	pthread_barrier_destroy(&crowd.ready);
	free(data);
}

static void hang(void *arg)
{
	sem_wait(arg);
}

/* A request has a thread of its own: another one would have to be woken. */
static void whoever_works_needs_no_pool(void **state)
{
	struct room *room = *state;
	const struct hf_expected expected = {.digest = md5_of("text", 4)};
	struct hf_verified *verified;
	struct hf_fact fact;
	static sem_t end; /* outlives the pool */

	tree_write(&room->tree, "a", "text");
	sem_init(&end, 0, 0);
	for (int i = 0; i < 4; i++) /* as many threads as it may have */
		assert_int_equal(hf_pool_submit(room->pool, hang, &end), 0);
	room->wait.works = true;
	alarm(20); /* it would wait for ever */
	assert_int_equal(get(room, "a", &fact), 0);
	assert_true(hf_digest_equal(&fact.digest, &expected.digest));
	assert_int_equal(hf_digests_open(room->digests, 0, "a", &expected,
					 &room->wait, &verified),
			 0);
	alarm(0);
	hf_verified_unref(verified);
	for (int i = 0; i < 4; i++)
		sem_post(&end);
}

#define N_FILES 500

static const char *name_of(int i, char ret[16])
{
	snprintf(ret, 16, "f%d", i);
	return ret;
}

static void *ask_for_all(void *arg)
{
	struct crowd *crowd = arg;
	struct hf_wait wait;
	struct hf_fact fact;

	hf_wait_init(&wait);
	pthread_barrier_wait(&crowd->ready);
	for (int i = 0; i < N_FILES; i++) {
		struct stat st;
		struct hf_sig sig;
		char path[PATH_MAX];
		char name[16];

		name_of(i, name);
		if (stat(tree_path(&crowd->room->tree, name, path), &st) < 0)
			break;
		sig = hf_sig_of(&st);
		if (hf_digests_get(crowd->room->digests, 0, name, &sig, &wait,
				   &fact) == 0 &&
		    fact.size == strlen(name))
			atomic_fetch_add(&crowd->right, 1);
	}
	hf_wait_fini(&wait);
	return NULL;
}

/* Small files land while others are still on the way to ask for them. */
static void a_crowd_asks_for_many_files(void **state)
{
	struct crowd crowd = {.room = *state};
	struct room *room = *state;
	pthread_t threads[N_ASKERS];

	for (int i = 0; i < N_FILES; i++) {
		char name[16];

		name_of(i, name);
		tree_write(&room->tree, name, name);
	}
	pthread_barrier_init(&crowd.ready, NULL, N_ASKERS);
	for (size_t i = 0; i < N_ASKERS; i++)
		pthread_create(&threads[i], NULL, ask_for_all, &crowd);
	for (size_t i = 0; i < N_ASKERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&crowd.right), N_ASKERS * N_FILES);
	assert_int_equal(hashed(room), N_FILES);
	pthread_barrier_destroy(&crowd.ready);
}

/* --- read ahead ---------------------------------------------------------- */

/* Until nothing is being read any more. */
static void wait_for_flights(struct room *room)
{
	struct hf_digests_stats stats;

	do {
		usleep(1000);
		hf_digests_stats(room->digests, &stats);
	} while (stats.flights > 0);
}

static void fetch(struct room *room, const char *path)
{
	hf_digests_fetch(room->digests, 0, path, sig_of(room, path).size, 0);
	wait_for_flights(room);
}

static int open_text(struct room *room, const char *path, const char *text)
{
	struct hf_verified *verified;
	int error = open_as(room, path, text, strlen(text), &verified);

	if (error < 0)
		return error;
	assert_reads(verified, text, 0, 100, strlen(text));
	hf_verified_unref(verified);
	return 0;
}

static void what_was_read_ahead_is_not_read_again(void **state)
{
	struct room *room = *state;

	tree_write(&room->tree, "a", "text");
	fetch(room, "a");
	assert_int_equal(hashed(room), 1);
	assert_int_equal(open_text(room, "a", "text"), 0);
	assert_int_equal(hashed(room), 1);
	/* It is for one opening. */
	assert_int_equal(open_text(room, "a", "text"), 0);
	assert_int_equal(hashed(room), 2);
}

static void what_changed_since_it_was_read_ahead_is_stale(void **state)
{
	struct room *room = *state;

	tree_write(&room->tree, "a", "text");
	fetch(room, "a");
	tree_patch(&room->tree, "a", 0, "TEXT");
	assert_int_equal(open_text(room, "a", "text"), -ESTALE);
	fetch(room, "a");
	unlink(tree_path(&room->tree, "a", (char[PATH_MAX]){0}));
	assert_int_equal(open_text(room, "a", "TEXT"), -ENOENT);
}

static void other_bytes_that_were_read_ahead_are_stale(void **state)
{
	struct room *room = *state;

	tree_write(&room->tree, "a", "TEXT");
	fetch(room, "a");
	assert_int_equal(open_text(room, "a", "text"), -ESTALE);
}

/* A stamp of a moment ago vouches for nothing. */
static void racy_files_are_read_when_they_are_opened(void **state)
{
	struct room *room = *state;

	ahead_ns = 0;
	tree_write(&room->tree, "a", "text");
	fetch(room, "a");
	assert_int_equal(hashed(room), 1);
	assert_int_equal(open_text(room, "a", "text"), 0);
	assert_int_equal(hashed(room), 2);
}

static int open_marked(struct room *room, uint32_t mark)
{
	const struct hf_expected expected = {.digest = md5_of("text", 4),
					     .mark = mark};
	struct hf_verified *verified;
	int error = hf_digests_open(room->digests, 0, "a", &expected,
				    &room->wait, &verified);

	if (error == 0)
		hf_verified_unref(verified);
	return error;
}

static void fetch_marked(struct room *room, uint32_t mark)
{
	hf_digests_fetch(room->digests, 0, "a", 4, mark);
	wait_for_flights(room);
}

/* The caller knows that nothing changed: so well that the file may be gone. */
static void what_bears_the_mark_is_not_looked_at(void **state)
{
	static const struct {
		uint32_t fetched;
		uint32_t opened;
		int error;
	} rows[] = {
		{7, 7, 0}, {7, 8, -ENOENT}, {7, 0, -ENOENT}, {0, 0, -ENOENT}};
	struct room *room = *state;

	ahead_ns = 0;
	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++) {
		tree_write(&room->tree, "a", "text");
		fetch_marked(room, rows[i].fetched);
		unlink(tree_path(&room->tree, "a", (char[PATH_MAX]){0}));
		assert_int_equal(open_marked(room, rows[i].opened),
				 rows[i].error);
	}
}

static void what_cannot_be_read_ahead_is_read_later(void **state)
{
	struct room *room = *state;

	hf_digests_fetch(room->digests, 0, "a", 4, 0);
	wait_for_flights(room);
	tree_write(&room->tree, "a", "text");
	assert_int_equal(open_text(room, "a", "text"), 0);
	/* Nor is a large file. */
	hf_digests_fetch(room->digests, 0, "a", HF_PINNED_MAX + 1, 0);
	wait_for_flights(room);
	assert_int_equal(hashed(room), 1);
}

static void little_is_read_ahead_and_not_kept(void **state)
{
	struct room *room = *state;
	char *data = pattern(HF_PINNED_MAX);
	char name[16];

	for (int i = 0; i < 40; i++) {
		name_of(i, name);
		tree_write_bytes(&room->tree, name, data, HF_PINNED_MAX);
		fetch(room, name);
		assert_true(room->pins.bytes <= 16 * HF_PINNED_MAX);
	}
	assert_true(hf_digests_rest(room->digests));
	usleep(1100 * 1000);
	assert_false(hf_digests_rest(room->digests));
	assert_int_equal(room->pins.bytes, 0);
	for (int i = 0; i < 600; i++) {
		name_of(i, name);
		tree_write(&room->tree, name, "one");
		fetch(room, name);
		assert_true(room->pins.bytes <= 512 * 3);
	}
	assert_int_equal(room->pins.bytes, 512 * 3);
	free(data);
}

/* What is open comes first. */
static void nothing_is_read_ahead_where_memory_is_short(void **state)
{
	struct room *room = *state;

	tree_write(&room->tree, "a", "text");
	room->pins.max = 7;
	fetch(room, "a");
	assert_int_equal(hashed(room), 0);
	room->pins.max = 8;
	fetch(room, "a");
	assert_int_equal(hashed(room), 1);
}

/* The pool has not got to it. */
static void who_comes_before_it_was_read_ahead_reads_it(void **state)
{
	struct room *room = *state;
	static sem_t end; /* outlives the pool */

	tree_write(&room->tree, "a", "text");
	sem_init(&end, 0, 0);
	for (int i = 0; i < 4; i++) /* as many threads as it may have */
		assert_int_equal(hf_pool_submit(room->pool, hang, &end), 0);
	hf_digests_fetch(room->digests, 0, "a", 4, 0);
	room->wait.works = true;
	alarm(20); /* it would wait for ever */
	assert_int_equal(open_text(room, "a", "text"), 0);
	alarm(0);
	hf_digests_fetch(room->digests, 0, "a", 4, 0);
	assert_int_equal(open_text(room, "a", "TEXT"), -ESTALE);
	hf_digests_fetch(room->digests, 0, "a", 4, 0);
	room->wait.works = false;
	hf_wait_interrupt(&room->wait);
	assert_int_equal(open_text(room, "a", "text"), -EINTR);
	for (int i = 0; i < 4; i++)
		sem_post(&end);
	wait_for_flights(room);
	assert_int_equal(hashed(room), 2); /* and not for nobody */
}

/* --- read for names, and kept ----------------------------------------------- */

/* Asks for the digests of files that are named by their numbers. */
static void retain(struct room *room, int from, int to)
{
	struct hf_batch *batch;
	struct hf_fact fact;
	struct hf_sig sig;
	char name[16];

	assert_int_equal(hf_batch_new(room->digests, &batch), 0);
	hf_batch_retain(batch, 0);
	for (int i = from; i < to; i++) {
		sig = sig_of(room, name_of(i, name));
		assert_int_equal(hf_batch_add(batch, 0, name, &sig), 0);
	}
	for (int i = from; i < to; i++)
		assert_int_equal(hf_batch_get(batch, (size_t)(i - from),
					      &room->wait, &fact),
				 0);
	hf_batch_free(batch);
	wait_for_flights(room);
}

static void what_was_read_for_its_name_is_not_read_again(void **state)
{
	struct room *room = *state;
	char name[16];

	tree_write(&room->tree, name_of(0, name), "text");
	retain(room, 0, 1);
	assert_int_equal(open_text(room, name, "text"), 0);
	assert_fact(room, name, "text");
	/* Nor is it read ahead. */
	tree_write(&room->tree, name_of(1, name), "other");
	retain(room, 1, 2);
	fetch(room, name);
	assert_int_equal(hashed(room), 2);
	assert_int_equal(open_text(room, name, "other"), 0);
	assert_int_equal(hashed(room), 2);
	assert_int_equal(room->pins.bytes, 0);
}

static void what_changed_since_it_was_named_is_stale(void **state)
{
	struct room *room = *state;
	char name[16];

	tree_write(&room->tree, name_of(0, name), "text");
	retain(room, 0, 1);
	tree_patch(&room->tree, name, 0, "TEXT");
	assert_int_equal(open_text(room, name, "text"), -ESTALE);
	assert_int_equal(open_text(room, name, "TEXT"), 0);
}

#define KEPT_LEN (60 * KIB)
#define N_KEPT 700 /* more than there is room for */

static void open_file(struct room *room, const char *path, const char *data)
{
	struct hf_verified *verified;

	assert_int_equal(open_as(room, path, data, KEPT_LEN, &verified), 0);
	hf_verified_unref(verified);
}

static void little_is_kept_and_not_for_long(void **state)
{
	struct room *room = *state;
	char *data = pattern(KEPT_LEN);
	char name[16];
	uint64_t bytes;

	for (int i = 0; i < N_KEPT; i++)
		tree_write_bytes(&room->tree, name_of(i, name), data, KEPT_LEN);
	retain(room, 0, N_KEPT);
	bytes = room->pins.bytes;
	assert_true(bytes > 28 * KIB * KIB && bytes <= 29 * KIB * KIB);
	/* The first ones are, as they are opened first. */
	assert_int_equal(hashed(room), N_KEPT);
	open_file(room, name_of(0, name), data);
	assert_int_equal(hashed(room), N_KEPT);
	usleep(1100 * 1000);
	/* Somebody is on the way to the others. */
	open_file(room, name_of(1, name), data);
	assert_true(hf_digests_rest(room->digests));
	assert_int_equal(room->pins.bytes, bytes - 2 * KEPT_LEN);
	usleep(1100 * 1000);
	assert_false(hf_digests_rest(room->digests));
	assert_int_equal(room->pins.bytes, 0);
	free(data);
}

/* Where there is no more room for those, there is for a small one. */
static void small_ones_are_kept_besides(void **state)
{
	struct room *room = *state;
	char *data = pattern(KEPT_LEN);
	char name[16];

	for (int i = 0; i < N_KEPT; i++)
		tree_write_bytes(&room->tree, name_of(i, name), data, KEPT_LEN);
	tree_write(&room->tree, name_of(N_KEPT, name), "text");
	retain(room, 0, N_KEPT + 1);
	assert_int_equal(hashed(room), N_KEPT + 1);
	open_file(room, name_of(N_KEPT - 1, name), data);
	assert_int_equal(hashed(room), N_KEPT + 2);
	assert_int_equal(open_text(room, name_of(N_KEPT, name), "text"), 0);
	assert_int_equal(hashed(room), N_KEPT + 2);
	free(data);
}

/* What cannot be kept is named nonetheless. */
static void names_need_no_room(void **state)
{
	struct room *room = *state;
	char name[16];

	tree_write(&room->tree, name_of(0, name), "text");
	room->pins.max = 0;
	retain(room, 0, 1);
	room->pins.max = 8;
	assert_int_equal(open_text(room, name, "text"), 0);
	assert_int_equal(hashed(room), 2);
}

int main(void)
{
#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		IN_ROOM(a_crowd_asks_and_one_file_is_hashed),
		IN_ROOM(a_crowd_asks_for_many_files),
		IN_ROOM(whoever_works_needs_no_pool),
		IN_ROOM(what_was_read_ahead_is_not_read_again),
		IN_ROOM(what_changed_since_it_was_read_ahead_is_stale),
		IN_ROOM(other_bytes_that_were_read_ahead_are_stale),
		IN_ROOM(racy_files_are_read_when_they_are_opened),
		IN_ROOM(what_bears_the_mark_is_not_looked_at),
		IN_ROOM(what_cannot_be_read_ahead_is_read_later),
		IN_ROOM(little_is_read_ahead_and_not_kept),
		IN_ROOM(nothing_is_read_ahead_where_memory_is_short),
		IN_ROOM(who_comes_before_it_was_read_ahead_reads_it),
		IN_ROOM(what_was_read_for_its_name_is_not_read_again),
		IN_ROOM(what_changed_since_it_was_named_is_stale),
		IN_ROOM(little_is_kept_and_not_for_long),
		IN_ROOM(small_ones_are_kept_besides),
		IN_ROOM(names_need_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
