/* fs/digest: the bytes of files, never handed out but as what was hashed. */
#include "tests/unit/digests.h"

#include <pthread.h>
#include <sys/mman.h>

/* --- bytes of small files ------------------------------------------------ */

static void bytes_are_read_from_any_place(void **state)
{
	struct room *room = *state;
	struct hf_verified *verified;

	tree_write(&room->tree, "a", "0123456789");
	assert_int_equal(open_as(room, "a", "0123456789", 10, &verified), 0);
	assert_true(is_pinned(verified));
	assert_reads(verified, "0123456789", 0, 10, 10);
	assert_reads(verified, "0123456789", 3, 4, 4);
	assert_reads(verified, "0123456789", 8, 100, 2);
	assert_reads(verified, "0123456789", 10, 1, 0);
	assert_reads(verified, "0123456789", 0, 0, 0);
	assert_int_equal(try_read(verified, UINT64_MAX, 1), 0);
	hf_verified_unref(verified);
}

static void other_bytes_are_stale(void **state)
{
	struct room *room = *state;
	struct hf_verified *verified = NULL;

	tree_write(&room->tree, "a", "after");
	assert_int_equal(open_as(room, "a", "befor", 5, &verified), -ESTALE);
	assert_null(verified);
}

/* No stamp is believed: bytes are read whatever is known of the name. */
static void opening_reads_even_what_is_known(void **state)
{
	struct room *room = *state;
	struct hf_verified *verified;

	tree_write(&room->tree, "a", "known");
	assert_fact(room, "a", "known");
	assert_int_equal(open_as(room, "a", "known", 5, &verified), 0);
	assert_int_equal(hashed(room), 2);
	hf_verified_unref(verified);
}

static void pinned_bytes_outlive_the_source(void **state)
{
	struct room *room = *state;
	struct hf_verified *verified;
	char *data = pattern(HF_PINNED_MAX);

	tree_write_bytes(&room->tree, "a", data, HF_PINNED_MAX);
	assert_int_equal(open_as(room, "a", data, HF_PINNED_MAX, &verified), 0);
	assert_true(is_pinned(verified)); /* the largest of the small */
	tree_patch(&room->tree, "a", 5, "other bytes");
	assert_reads(verified, data, 0, HF_PINNED_MAX, HF_PINNED_MAX);
	tree_write(&room->tree, "a", "");
	assert_reads(verified, data, 0, HF_PINNED_MAX, HF_PINNED_MAX);
	hf_verified_unref(verified);
	free(data);
}

/* The pool lets go of what it read a moment after it has answered. */
static void expect_pinned(struct room *room, uint64_t bytes)
{
	for (int i = 0; i < 30000 && room->pins.bytes != bytes; i++)
		usleep(1000);
	assert_int_equal(room->pins.bytes, bytes);
}

static void small_files_of_a_crowd_are_not_opened(void **state)
{
	struct room *room = *state;
	struct hf_verified *verified;

	tree_write(&room->tree, "a", "0123456789");
	atomic_store(&room->pins.bytes, room->pins.max - 9);
	assert_int_equal(open_as(room, "a", "0123456789", 10, &verified),
			 -ENOMEM);
	expect_pinned(room, room->pins.max - 9);
	atomic_store(&room->pins.bytes, room->pins.max - 10);
	assert_int_equal(open_as(room, "a", "0123456789", 10, &verified), 0);
	assert_true(is_pinned(verified));
	assert_int_equal(room->pins.bytes, room->pins.max);
	hf_verified_unref(verified);
	expect_pinned(room, room->pins.max - 10);
}

static void pins_have_a_bound(void **state)
{
	struct hf_pins pins = {.max = hf_pins_default_max()};
	struct hf_verified *verified;
	struct hf_buf bytes = {0};

	(void)state;
	assert_true(pins.max >= 256 * 1048576);
	hf_buf_puts(&bytes, "text");
	assert_int_equal(hf_pins_take(&pins, pins.max - 3), 0);
	assert_int_equal(hf_verified_take(&bytes, &pins, &verified), -ENOMEM);
	assert_int_equal(hf_pins_take(&pins, 4), -ENOMEM);
	assert_int_equal(pins.bytes, pins.max - 3);
	assert_int_equal(hf_pins_take(&pins, 3), 0);
	hf_pins_give(&pins, pins.max);
	assert_int_equal(hf_verified_take(&bytes, &pins, &verified), 0);
	assert_int_equal(pins.bytes, 4);
	assert_reads(verified, "text", 0, 4, 4);
	hf_verified_unref(verified);
	assert_int_equal(pins.bytes, 0);
}

/* --- bytes of large files ------------------------------------------------ */

/* A large file of pattern(), open. */
static struct hf_verified *open_large(struct room *room, const char *data)
{
	struct hf_verified *verified;

	tree_write_bytes(&room->tree, "large", data, LARGE);
	assert_int_equal(open_as(room, "large", data, LARGE, &verified), 0);
	assert_false(is_pinned(verified));
	return verified;
}

static void large_files_are_read_from_any_place(void **state)
{
	char *data = pattern(LARGE);
	struct hf_verified *verified = open_large(*state, data);

	assert_reads(verified, data, 0, LARGE, LARGE);
	assert_reads(verified, data, 0, 1, 1);
	assert_reads(verified, data, HF_BLOCK_LEN - 1, 2, 2);
	assert_reads(verified, data, 3 * HF_BLOCK_LEN, HF_BLOCK_LEN,
		     HF_BLOCK_LEN);
	assert_reads(verified, data, 12345, 3 * HF_BLOCK_LEN, 3 * HF_BLOCK_LEN);
	assert_reads(verified, data, LARGE - 77, 4096, 77);
	assert_reads(verified, data, LARGE - 1, 4096, 1);
	assert_reads(verified, data, LARGE, 4096, 0);
	hf_verified_unref(verified);
	free(data);
}

static void a_changed_block_is_not_read(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *verified = open_large(room, data);

	tree_patch(&room->tree, "large", 5 * HF_BLOCK_LEN + 9, "!");
	assert_int_equal(try_read(verified, 5 * HF_BLOCK_LEN, 4096), -EIO);
	/* Not even its bytes that are as they were. */
	assert_int_equal(try_read(verified, 6 * HF_BLOCK_LEN - 1, 1), -EIO);
	assert_int_equal(try_read(verified, 4 * HF_BLOCK_LEN, HF_BLOCK_LEN + 1),
			 -EIO);
	assert_reads(verified, data, 4 * HF_BLOCK_LEN, HF_BLOCK_LEN,
		     HF_BLOCK_LEN);
	assert_reads(verified, data, 6 * HF_BLOCK_LEN, HF_BLOCK_LEN,
		     HF_BLOCK_LEN);
	hf_verified_unref(verified);
	free(data);
}

/* Never short: whoever was promised bytes gets them or an error. */
static void a_truncated_file_is_not_read_short(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *verified = open_large(room, data);
	char path[PATH_MAX];

	tree_path(&room->tree, "large", path);
	assert_int_equal(truncate(path, 2 * HF_BLOCK_LEN + 10), 0);
	assert_int_equal(try_read(verified, 2 * HF_BLOCK_LEN, 5), -EIO);
	assert_int_equal(try_read(verified, LARGE - 1, 1), -EIO);
	assert_reads(verified, data, HF_BLOCK_LEN, HF_BLOCK_LEN, HF_BLOCK_LEN);
	hf_verified_unref(verified);
	free(data);
}

/* Appended bytes belong to nobody who opened before. */
static void a_grown_file_ends_where_it_ended(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *verified = open_large(room, data);

	tree_patch(&room->tree, "large", LARGE, "more");
	assert_reads(verified, data, LARGE - 77, 4096, 77);
	assert_reads(verified, data, LARGE, 4096, 0);
	hf_verified_unref(verified);
	free(data);
}

static void a_replaced_file_is_read_to_its_end(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *verified = open_large(room, data);

	tree_replace(&room->tree, "large", "new");
	assert_reads(verified, data, 0, LARGE, LARGE);
	hf_verified_unref(verified);
	free(data);
}

/* --- opening again ------------------------------------------------------- */

static void sums_save_the_second_reading(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *first = open_large(room, data);
	struct hf_verified *second;

	assert_int_equal(hashed(room), 1);
	assert_int_equal(open_as(room, "large", data, LARGE, &second), 0);
	assert_int_equal(hashed(room), 1);
	assert_reads(second, data, 0, LARGE, LARGE);
	/* The sums still guard: they were not believed but compared. */
	tree_patch(&room->tree, "large", 0, "!");
	assert_int_equal(try_read(second, 0, 1), -EIO);
	hf_verified_unref(second);
	hf_verified_unref(first);
	free(data);
}

/* What was hashed for its name, alone or among many. */
static void a_name_saves_the_reading_of_an_opening(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *verified;
	struct hf_batch *batch;
	struct hf_fact fact;
	struct hf_sig sig;

	tree_write_bytes(&room->tree, "alone", data, LARGE);
	tree_write_bytes(&room->tree, "large", data, LARGE);
	assert_int_equal(get(room, "alone", &fact), 0);
	sig = sig_of(room, "large");
	assert_int_equal(hf_batch_new(room->digests, &batch), 0);
	assert_int_equal(hf_batch_add(batch, 0, "large", &sig), 0);
	assert_int_equal(hf_batch_get(batch, 0, &room->wait, &fact), 0);
	hf_batch_free(batch);
	assert_int_equal(hashed(room), 2);
	assert_int_equal(open_as(room, "alone", data, LARGE, &verified), 0);
	assert_reads(verified, data, 0, LARGE, LARGE);
	hf_verified_unref(verified);
	assert_int_equal(open_as(room, "large", data, LARGE, &verified), 0);
	assert_reads(verified, data, 0, LARGE, LARGE);
	assert_int_equal(hashed(room), 2);
	tree_patch(&room->tree, "large", LARGE - 1, "!");
	assert_int_equal(try_read(verified, LARGE - 1, 1), -EIO);
	hf_verified_unref(verified);
	free(data);
}

static void sums_of_another_state_save_nothing(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *first = open_large(room, data);
	struct hf_verified *second;

	/* Other stamp, same bytes. */
	tree_set_mtime(&room->tree, "large", 1000000000);
	assert_int_equal(open_as(room, "large", data, LARGE, &second), 0);
	assert_int_equal(hashed(room), 2);
	hf_verified_unref(second);
	/* Other bytes. */
	tree_patch(&room->tree, "large", 0, "!");
	assert_int_equal(open_as(room, "large", data, LARGE, &second), -ESTALE);
	hf_verified_unref(first);
	free(data);
}

/* A page that is dirty and mapped is written to without a new stamp; the sums
 * still fit the file, and every reader would be told EIO. */
static void sums_that_failed_save_nothing(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	char path[PATH_MAX];
	struct hf_verified *first;
	struct hf_verified *second;
	char *mapped;
	int fd;

	tree_write_bytes(&room->tree, "large", data, LARGE);
	fd = open(tree_path(&room->tree, "large", path), O_RDWR | O_CLOEXEC);
	mapped = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	mapped[0] = data[0];
	assert_int_equal(open_as(room, "large", data, LARGE, &first), 0);
	mapped[0] = (char)~data[0];
	assert_int_equal(try_read(first, 0, 1), -EIO);
	assert_int_equal(open_as(room, "large", data, LARGE, &second), -ESTALE);
	hf_verified_unref(first);
	munmap(mapped, LARGE);
	close(fd);
	free(data);
}

static void sums_of_a_racy_file_save_nothing(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *first;
	struct hf_verified *second;

	ahead_ns = 0;
	first = open_large(room, data);
	ahead_ns = HOUR_NS;
	assert_int_equal(open_as(room, "large", data, LARGE, &second), 0);
	assert_int_equal(hashed(room), 2);
	hf_verified_unref(second);
	hf_verified_unref(first);
	free(data);
}

/* --- the sums of many files ------------------------------------------------ */

static struct hf_sums *sums_new(uint64_t size, const char *text)
{
	struct hf_sums *sums;

	assert_int_equal(hf_sums_new(size, &sums), 0);
	sums->digest = md5_of(text, strlen(text));
	return sums;
}

static bool are_there(struct hf_summed *summed, uint64_t key, const char *text)
{
	struct hf_digest digest = md5_of(text, strlen(text));
	struct hf_sums *sums =
		hf_summed_get(summed, (uint64_t[2]){key, key}, &digest);

	hf_sums_unref(sums);
	return sums != NULL;
}

static void put_sums(struct hf_summed *summed, uint64_t key, uint64_t blocks,
		     const char *text)
{
	struct hf_sums *sums = sums_new(blocks * HF_BLOCK_LEN, text);

	hf_summed_put(summed, (uint64_t[2]){key, key}, sums);
	hf_sums_unref(sums);
}

static void sums_are_those_of_one_digest(void **state)
{
	struct hf_summed *summed;

	(void)state;
	assert_int_equal(hf_summed_new(10000, &summed), 0);
	assert_false(are_there(summed, 1, "old"));
	put_sums(summed, 1, 9, "old");
	assert_true(are_there(summed, 1, "old"));
	assert_false(are_there(summed, 1, "new"));
	assert_false(are_there(summed, 2, "old"));
	put_sums(summed, 1, 9, "new");
	assert_false(are_there(summed, 1, "old"));
	assert_true(are_there(summed, 1, "new"));
	hf_summed_free(summed);
}

static void sums_take_no_more_than_their_room(void **state)
{
	struct hf_summed *summed;

	(void)state;
	assert_int_equal(hf_summed_new(100 * HF_SUM_LEN, &summed), 0);
	put_sums(summed, 1, 40, "a");
	put_sums(summed, 2, 20, "b");
	assert_true(are_there(summed, 1, "a"));
	put_sums(summed, 3, 30, "c");
	assert_false(are_there(summed, 1, "a"));
	assert_true(are_there(summed, 2, "b"));
	assert_true(are_there(summed, 3, "c"));
	put_sums(summed, 4, 100, "d"); /* more than there is for all */
	for (uint64_t key = 1; key <= 4; key++)
		assert_false(
			are_there(summed, key, (char[]){"abcd"[key - 1], 0}));
	put_sums(summed, 4, 1, "d");
	assert_true(are_there(summed, 4, "d"));
	hf_summed_free(summed);
}

/* --- writers ------------------------------------------------------------- */

/*
 * A file that says now this, now that, while it is opened as this: whoever
 * gets it open reads this and nothing else. Writing through write(2) and
 * through a mapping are different races: the one stamps early, the other late
 * or never.
 */
struct writer {
	struct room *room;
	bool mapped;
	size_t len;
	char *texts[2];
	atomic_bool end;
};

static void *write_all_the_time(void *arg)
{
	struct writer *writer = arg;
	char path[PATH_MAX];
	int fd = open(tree_path(&writer->room->tree, "a", path), O_RDWR);
	char *map = mmap(NULL, writer->len, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);

	for (int i = 0; !atomic_load(&writer->end); i++) {
		const char *text = writer->texts[i / 2 % 2];
		/* In two goes, so that there is something to tear. */
		size_t half = writer->len / 2;
		size_t at = i % 2 ? half : 0;

		if (writer->mapped)
			memcpy(map + at, text + at, half);
		else if (pwrite(fd, text + at, half, (off_t)at) < 0)
			break;
		usleep(100);
	}
	munmap(map, writer->len);
	close(fd);
	return NULL;
}

/* 1: opened, and right; 0: not opened. */
static int open_and_check(struct writer *writer)
{
	struct room *room = writer->room;
	struct hf_verified *verified;
	int error =
		open_as(room, "a", writer->texts[0], writer->len, &verified);

	if (error < 0) {
		assert_true(error == -ESTALE || error == -EBUSY);
		return 0;
	}
	if (writer->len <= HF_PINNED_MAX)
		assert_reads(verified, writer->texts[0], 0, writer->len,
			     writer->len);
	for (size_t at = 0; at < writer->len; at += HF_BLOCK_LEN) {
		struct hf_buf scratch = {0};
		const char *data;
		size_t len;

		error = hf_verified_read(verified, at, HF_BLOCK_LEN, &scratch,
					 &data, &len);
		if (error == 0)
			assert_memory_equal(data, writer->texts[0] + at, len);
		else
			assert_int_equal(error, -EIO);
		hf_buf_fini(&scratch);
	}
	hf_verified_unref(verified);
	return 1;
}

static void beside_a_writer(struct room *room, bool mapped, size_t len)
{
	struct writer writer = {.room = room, .mapped = mapped, .len = len};
	pthread_t thread;

	ahead_ns = HOUR_NS; /* the worst case: every stamp is believed */
	for (int i = 0; i < 2; i++) {
		writer.texts[i] = malloc(len);
		memset(writer.texts[i], 'a' + i, len);
	}
	tree_write_bytes(&room->tree, "a", writer.texts[0], len);
	pthread_create(&thread, NULL, write_all_the_time, &writer);
	for (int i = 0; i < 150; i++)
		open_and_check(&writer);
	atomic_store(&writer.end, true);
	pthread_join(thread, NULL);
	/* In the quiet after it, it opens: the test was not about nothing. */
	tree_write_bytes(&room->tree, "a", writer.texts[0], len);
	assert_int_equal(open_and_check(&writer), 1);
	free(writer.texts[0]);
	free(writer.texts[1]);
}

static void bytes_match_beside_a_writer(void **state)
{
	beside_a_writer(*state, false, 64 * KIB);
}

static void bytes_match_beside_a_mapped_writer(void **state)
{
	beside_a_writer(*state, true, 64 * KIB);
}

static void large_files_match_beside_a_writer(void **state)
{
	beside_a_writer(*state, false, 2 * HF_PINNED_MAX);
}

static void large_files_match_beside_a_mapped_writer(void **state)
{
	beside_a_writer(*state, true, 2 * HF_PINNED_MAX);
}

int main(void)
{
#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		IN_ROOM(bytes_are_read_from_any_place),
		IN_ROOM(other_bytes_are_stale),
		IN_ROOM(opening_reads_even_what_is_known),
		IN_ROOM(pinned_bytes_outlive_the_source),
		IN_ROOM(large_files_are_read_from_any_place),
		IN_ROOM(a_changed_block_is_not_read),
		IN_ROOM(a_truncated_file_is_not_read_short),
		IN_ROOM(a_grown_file_ends_where_it_ended),
		IN_ROOM(a_replaced_file_is_read_to_its_end),
		IN_ROOM(small_files_of_a_crowd_are_not_opened),
		cmocka_unit_test(pins_have_a_bound),
		IN_ROOM(sums_save_the_second_reading),
		IN_ROOM(a_name_saves_the_reading_of_an_opening),
		IN_ROOM(sums_of_another_state_save_nothing),
		IN_ROOM(sums_that_failed_save_nothing),
		IN_ROOM(sums_are_those_of_one_digest),
		IN_ROOM(sums_take_no_more_than_their_room),
		IN_ROOM(sums_of_a_racy_file_save_nothing),
		IN_ROOM(bytes_match_beside_a_writer),
		IN_ROOM(bytes_match_beside_a_mapped_writer),
		IN_ROOM(large_files_match_beside_a_writer),
		IN_ROOM(large_files_match_beside_a_mapped_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
