/*
 * fs/digest: the cache. What is remembered comes back, from memory and from
 * disk.
 */
#include "tests/unit/room.h"

/* --- rows ---------------------------------------------------------------- */

static const uint64_t secret[2] = {1, 2};

static const uint64_t row_key[2] = {3, 4};

static struct hf_record record_of(uint64_t key, uint32_t day, const char *text)
{
	return (struct hf_record){.key = {key, 7},
				  .day = day,
				  .len = (uint32_t)strlen(text),
				  .data = text};
}

static void add_record(struct hf_records *records, uint64_t key, uint32_t day,
		       const char *text)
{
	struct hf_record record = record_of(key, day, text);

	assert_int_equal(hf_records_add(records, &record), 0);
}

static void a_row_is_read_as_it_was_written(void **state)
{
	struct hf_records records = {0};
	struct hf_records back = {0};
	struct hf_buf row = {0};

	(void)state;
	add_record(&records, 9, 100, "nine");
	add_record(&records, UINT64_MAX, 2, "");
	add_record(&records, 1, 1, "one");
	hf_records_sort(&records);
	assert_int_equal(hf_row_write(secret, row_key, &records, &row), 0);
	assert_int_equal(hf_row_read(secret, row_key, row.data, row.len, &back),
			 0);
	assert_int_equal(back.n, 3);
	for (size_t i = 0; i < back.n; i++) {
		const struct hf_record *a = &records.items[i];
		const struct hf_record *b = &back.items[i];

		assert_memory_equal(a->key, b->key, sizeof(a->key));
		assert_int_equal(a->day, b->day);
		assert_int_equal(a->len, b->len);
		assert_memory_equal(a->data, b->data, a->len);
	}
	hf_records_fini(&records);
	hf_records_fini(&back);
	hf_buf_fini(&row);
}

static void a_row_fits_its_key_and_secret_only(void **state)
{
	static const uint64_t other[2] = {3, 5};
	struct hf_records records = {0};
	struct hf_records back = {0};
	struct hf_buf row = {0};

	(void)state;
	add_record(&records, 1, 1, "one");
	add_record(&records, 2, 1, "two");
	assert_int_equal(hf_row_write(secret, row_key, &records, &row), 0);
	assert_int_equal(hf_row_read(secret, other, row.data, row.len, &back),
			 -EBADMSG);
	assert_int_equal(hf_row_read(other, row_key, row.data, row.len, &back),
			 -EBADMSG);
	for (size_t i = 0; i < row.len; i++) {
		assert_int_equal(
			hf_row_read(secret, row_key, row.data, i, &back),
			-EBADMSG);
		row.data[i] ^= 0x10;
		assert_int_equal(
			hf_row_read(secret, row_key, row.data, row.len, &back),
			-EBADMSG);
		row.data[i] ^= 0x10;
	}
	hf_records_fini(&records);
	hf_buf_fini(&row);
}

static void changes_are_merged(void **state)
{
	struct hf_records old = {0};
	struct hf_records changes = {0};
	struct hf_records merged = {0};

	(void)state;
	add_record(&old, 1, 50, "stays");
	add_record(&old, 2, 50, "old");
	add_record(&old, 3, 50, "goes");
	add_record(&old, 4, 9, "of no use for long");
	add_record(&changes, 0, 60, "first");
	add_record(&changes, 2, 60, "new");
	add_record(&changes, 3, 60, "");
	add_record(&changes, 9, 60, "last");
	assert_int_equal(hf_records_merge(&old, &changes, 10, &merged), 0);
	assert_int_equal(merged.n, 4);
	assert_string_equal(merged.items[0].data, "first");
	assert_string_equal(merged.items[1].data, "stays");
	assert_string_equal(merged.items[2].data, "new");
	assert_string_equal(merged.items[3].data, "last");
	hf_records_fini(&old);
	hf_records_fini(&changes);
	hf_records_fini(&merged);
}

/* --- memory and disk ----------------------------------------------------- */

static void what_is_kept_is_there_at_the_next_start(void **state)
{
	struct room *room = *state;

	enter(room);
	assert_false(has(room, "a/b.css", ""));
	put(room, "a/b.css", "one");
	put_in(room->cache, room->realm, "a/c.css", false, "for now");
	put(room, "top", "two");
	assert_true(has(room, "a/b.css", "one"));
	assert_true(has(room, "a/c.css", "for now"));
	enter(room);
	assert_true(has(room, "a/b.css", "one"));
	assert_false(has(room, "a/c.css", ""));
	assert_true(has(room, "top", "two"));
	assert_int_equal(stats(room).rows_read, 2);
	assert_int_equal(stats(room).rows_written, 0);
}

static void what_is_not_kept_takes_the_old_along(void **state)
{
	struct room *room = *state;

	enter(room);
	put(room, "a/x", "old");
	put(room, "a/y", "y");
	enter(room);
	assert_true(has(room, "a/x", "old"));
	put_in(room->cache, room->realm, "a/x", false, "new");
	enter(room);
	assert_false(has(room, "a/x", ""));
	assert_true(has(room, "a/y", "y"));
}

static void realms_do_not_mix(void **state)
{
	struct room *room = *state;
	uint64_t other[2];

	enter(room);
	hf_cache_realm(room->cache, "other", 5, other);
	put(room, "a", "of test");
	assert_false(has_in(room->cache, other, "a", ""));
	enter(room);
	assert_false(has_in(room->cache, other, "a", ""));
	assert_true(has(room, "a", "of test"));
}

/* Each adds what it knows, and leaves what it does not know. */
static void two_at_once(void **state)
{
	struct room *room = *state;
	struct hf_cache *second;
	char *why;

	enter(room);
	second = open_cache(room, &why);
	assert_null(why);
	assert_false(has(room, "d/mine", ""));
	assert_false(has_in(second, room->realm, "d/yours", ""));
	put(room, "d/mine", "mine");
	put(room, "d/ours", "first");
	hf_cache_forget(room->cache);
	put_in(second, room->realm, "d/yours", true, "yours");
	put_in(second, room->realm, "d/ours", true, "second");
	hf_cache_free(second);
	enter(room);
	assert_true(has(room, "d/mine", "mine"));
	assert_true(has(room, "d/yours", "yours"));
	assert_true(has(room, "d/ours", "second"));
}

static void forgetting_writes_first(void **state)
{
	struct room *room = *state;

	enter(room);
	put(room, "kept", "kept");
	put_in(room->cache, room->realm, "not", false, "not");
	hf_cache_forget(room->cache);
	assert_int_equal(stats(room).entries, 0);
	assert_int_equal(stats(room).bytes, 0);
	assert_true(has(room, "kept", "kept"));
	assert_false(has(room, "not", ""));
}

static const char *path_of(unsigned i, char ret[32])
{
	snprintf(ret, 32, "d%u/f", i);
	return ret;
}

static void memory_is_bounded(void **state)
{
	struct room *room = *state;
	char path[32];

	room->max_memory = 20000;
	enter(room);
	for (unsigned i = 0; i < 1000; i++) {
		put(room, path_of(i, path), path);
		/* What is asked for again and again stays. */
		assert_true(has(room, "d0/f", "d0/f"));
		assert_in_range(stats(room).bytes, 1, room->max_memory);
	}
	assert_in_range(stats(room).entries, 20, 200);
	assert_true(has(room, "d999/f", "d999/f"));
}

static void memory_is_bounded_without_a_disk(void **state)
{
	struct hf_cache_config config = {.max_memory = 20000,
					 .clock = turned_clock};
	struct hf_cache *cache;
	uint64_t realm[2];
	char path[32];
	char *why = NULL;
	unsigned known = 0;

	(void)state;
	assert_int_equal(hf_cache_new(&config, &cache, &why), 0);
	assert_null(why);
	hf_cache_realm(cache, "x", 1, realm);
	for (unsigned i = 0; i < 1000; i++)
		put_in(cache, realm, path_of(i, path), true, path);
	for (unsigned i = 0; i < 1000; i++)
		known += has_in(cache, realm, path_of(i, path), path);
	assert_in_range(known, 20, 200);
	assert_true(has_in(cache, realm, "d999/f", "d999/f"));
	hf_cache_free(cache);
}

static off_t length(struct room *room)
{
	return tree_stat(&room->tree, "hashedfs.db").st_size;
}

/* Some kilobytes, so that few rows fill the disk. */
static void put_much(struct room *room, const char *path, unsigned seed)
{
	char text[8000];

	memset(text, 'a' + (int)(seed % 26), sizeof(text));
	text[sizeof(text) - 1] = '\0';
	put(room, path, text);
}

static bool has_much(struct room *room, const char *path, unsigned seed)
{
	char text[8000];

	memset(text, 'a' + (int)(seed % 26), sizeof(text));
	text[sizeof(text) - 1] = '\0';
	return has(room, path, text);
}

#define N_DIRS 50

/* The directories d0 to d49, and one that has no row, each time another. */
static void recall(struct room *room)
{
	static unsigned n_none;
	uint64_t dirs[N_DIRS + 1][2];
	char dir[16];

	snprintf(dir, sizeof(dir), "none%u", n_none++);
	hf_key_of_dir(room->realm, dir, dirs[0]);
	for (unsigned i = 0; i < N_DIRS; i++) {
		snprintf(dir, sizeof(dir), "d%u", i);
		hf_key_of_dir(room->realm, dir, dirs[i + 1]);
	}
	hf_cache_recall(room->cache, dirs, N_DIRS + 1);
}

static void what_is_recalled_is_in_memory(void **state)
{
	struct room *room = *state;
	char path[32];

	enter(room);
	for (unsigned i = 0; i < N_DIRS; i++)
		put(room, path_of(i, path), path);
	enter(room);
	assert_true(has(room, "d3/f", "d3/f"));
	recall(room);
	assert_int_equal(stats(room).rows_read, N_DIRS);
	run_sql(room, "DELETE FROM shelf");
	for (unsigned i = 0; i < N_DIRS; i++)
		assert_true(has(room, path_of(i, path), path));
	assert_false(has(room, "none0/f", ""));
	assert_int_equal(stats(room).rows_read, N_DIRS);
}

/* Bytes that this process has written, to whatever file. */
static long bytes_written(void)
{
	FILE *file = fopen("/proc/self/io", "re");
	char line[80];
	long bytes = -1;

	while (file && bytes < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "wchar: %ld", &bytes) != 1)
			bytes = -1;
	if (file)
		fclose(file);
	return bytes;
}

#define N_MANY 1000

/* The keys of directories come in no order. */
static void put_many(struct room *room, const char *prefix)
{
	char path[32];

	for (unsigned i = 0; i < N_MANY; i++) {
		snprintf(path, sizeof(path), "%s%u/f", prefix, i);
		put(room, path, "0123456789012345678901234567890123456789");
	}
	hf_cache_forget(room->cache);
}

/* Many rows at once, most pages of the database are written once: not one page
 * and more for each row. */
static void many_rows_are_written_page_by_page(void **state)
{
	struct room *room = *state;
	long before, first, second;

	enter(room);
	before = bytes_written();
	if (before < 0)
		skip();
	put_many(room, "a");
	first = bytes_written() - before;
	put_many(room, "b");
	second = bytes_written() - before - first;
	assert_int_equal(stats(room).rows_written, 2 * N_MANY);
	assert_in_range(first, 1, N_MANY * 1024);
	assert_in_range(second, 1, N_MANY * 1024);
	assert_true(
		has(room, "a0/f", "0123456789012345678901234567890123456789"));
	assert_true(has(room, "b999/f",
			"0123456789012345678901234567890123456789"));
}

static atomic_bool written;

static bool is_known(struct room *room, const char *path, const char *text)
{
	struct hf_buf data = {0};
	struct hf_key key;
	bool known;

	hf_key_of(room->realm, path, &key);
	known = hf_cache_get(room->cache, &key, &data) &&
		data.len == strlen(text) &&
		memcmp(data.data, text, data.len) == 0;
	hf_buf_fini(&data);
	return known;
}

/* Returns how much was lost on the way, as a pointer. */
static void *write_again_and_again(void *arg)
{
	struct room *room = arg;
	uintptr_t lost = 0;
	char path[32], text[32];

	for (unsigned round = 0; round < 20; round++) {
		snprintf(text, sizeof(text), "%u", round);
		for (unsigned i = 0; i < N_DIRS; i++)
			put(room, path_of(i, path), text);
		hf_cache_forget(room->cache);
		for (unsigned i = 0; i < N_DIRS; i++)
			lost += !is_known(room, path_of(i, path), text);
	}
	atomic_store(&written, true);
	return (void *)lost;
}

/* What is read is what was written, and neither is in the other's way. */
static void rows_are_recalled_beside_a_writer(void **state)
{
	struct room *room = *state;
	pthread_t writer;
	struct ear ear;
	void *lost;

	enter(room);
	ear = listen_up();
	assert_int_equal(
		pthread_create(&writer, NULL, write_again_and_again, room), 0);
	while (!atomic_load(&written))
		recall(room);
	pthread_join(writer, &lost);
	assert_int_equal(lines_heard(&ear), 0);
	assert_null(lost);
}

static void a_row_that_is_too_long_is_not_stored(void **state)
{
	struct room *room = *state;
	char path[64];

	room->max_disk = 40000;
	enter(room);
	put(room, "small/a", "a");
	for (unsigned i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "large/%u", i);
		put(room, path, path);
	}
	enter(room);
	assert_true(has(room, "small/a", "a"));
	assert_false(has(room, "large/0", ""));
}

/* A million bytes are some 80 of these. */
static void the_disk_is_bounded(void **state)
{
	struct room *room = *state;
	char path[32];
	unsigned known = 0;

	room->max_disk = 1000000;
	for (unsigned i = 0; i < 400; i++) {
		if (i % 40 == 0) {
			enter(room);
			atomic_fetch_add(&ahead_ns, DAY_NS);
		}
		put_much(room, path_of(i, path), i);
	}
	enter(room);
	assert_in_range(length(room), 500000, 1500000);
	for (unsigned i = 0; i < 400; i++)
		known += has_much(room, path_of(i, path), i);
	assert_in_range(known, 40, 125);
	/* The last days are all there, the first ones are gone. */
	for (unsigned i = 360; i < 400; i++)
		assert_true(has_much(room, path_of(i, path), i));
	for (unsigned i = 0; i < 200; i++)
		assert_false(has_much(room, path_of(i, path), i));
}

/* What is read is of use, and stays. */
static void the_oldest_unused_go_first(void **state)
{
	struct room *room = *state;
	char path[32];

	room->max_disk = 1000000;
	enter(room);
	put_much(room, "asked/for", 1);
	put_much(room, "not/asked/for", 2);
	for (unsigned i = 0; i < 400; i++) {
		if (i % 40 == 0) {
			enter(room);
			atomic_fetch_add(&ahead_ns, 8 * DAY_NS);
			assert_true(has_much(room, "asked/for", 1));
		}
		put_much(room, path_of(i, path), i);
	}
	enter(room);
	assert_true(has_much(room, "asked/for", 1));
	assert_false(has_much(room, "not/asked/for", 2));
}

static void names_that_are_gone_leave_their_row(void **state)
{
	struct room *room = *state;

	enter(room);
	put(room, "d/gone", "gone");
	put(room, "d/here", "here");
	enter(room);
	atomic_fetch_add(&ahead_ns, 40 * DAY_NS);
	assert_true(has(room, "d/here", "here"));
	enter(room);
	atomic_fetch_add(&ahead_ns, 40 * DAY_NS);
	assert_true(has(room, "d/here", "here"));
	enter(room);
	assert_true(has(room, "d/here", "here"));
	assert_false(has(room, "d/gone", ""));
}

int main(void)
{
#define ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_read_as_it_was_written),
		cmocka_unit_test(a_row_fits_its_key_and_secret_only),
		cmocka_unit_test(changes_are_merged),
		ROOM(what_is_kept_is_there_at_the_next_start),
		ROOM(what_is_not_kept_takes_the_old_along),
		ROOM(realms_do_not_mix),
		ROOM(two_at_once),
		ROOM(forgetting_writes_first),
		ROOM(memory_is_bounded),
		cmocka_unit_test(memory_is_bounded_without_a_disk),
		ROOM(what_is_recalled_is_in_memory),
		ROOM(many_rows_are_written_page_by_page),
		ROOM(rows_are_recalled_beside_a_writer),
		ROOM(a_row_that_is_too_long_is_not_stored),
		ROOM(the_disk_is_bounded),
		ROOM(the_oldest_unused_go_first),
		ROOM(names_that_are_gone_leave_their_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
