/*
 * fs/digest: whatever is done to the database of the cache, an answer is a miss
 * or the true one.
 */
#include "tests/unit/room.h"

#include <sys/file.h>

/* Fills a database of many rows and several levels. */
static void fill(struct room *room)
{
	char path[64];

	enter(room);
	for (unsigned i = 0; i < 150; i++) {
		unsigned n = i % 50 == 0 ? 100 : 3;

		for (unsigned k = 0; k < n; k++) {
			snprintf(path, sizeof(path), "dir%u/file%u", i, k);
			put(room, path, path);
		}
	}
	leave(room);
}

/* How many are known; none may be wrong. */
static unsigned count_known(struct room *room)
{
	char path[64];
	unsigned known = 0;

	for (unsigned i = 0; i < 150; i += 7) {
		snprintf(path, sizeof(path), "dir%u/file%u", i, i % 3);
		known += has(room, path, path);
	}
	return known;
}

static void read_file(const char *path, struct hf_buf *ret)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	char *data;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	data = malloc((size_t)st.st_size);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	hf_buf_reset(ret);
	hf_buf_add(ret, data, (size_t)st.st_size);
	free(data);
	close(fd);
}

static uint32_t draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
		 UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

#define PAGE 4096

/* One of the ways in which disks, file systems and people damage files. */
static size_t mutate(char *data, size_t len, uint64_t *state)
{
	size_t pages = len / PAGE;
	size_t at = draw(state) % len;
	size_t page = draw(state) % pages * PAGE;
	size_t other = draw(state) % pages * PAGE;

	switch (draw(state) % 8) {
	case 0: /* a bit, in a header more often than not */
	case 1:
		if (draw(state) % 2)
			at = page + draw(state) % 128;
		data[at] ^= (char)(1 << draw(state) % 8);
		return len;
	case 2: /* some bytes */
		for (unsigned i = 0; i < 16 && at + i < len; i++)
			data[at + i] = (char)draw(state);
		return len;
	case 3:
		memset(data + page, 0, PAGE);
		return len;
	case 4: /* a page of another place */
		memcpy(data + page, data + other, PAGE);
		return len;
	case 5: /* a sector */
		memset(data + at / 512 * 512, draw(state) % 2 ? 0 : 0xff, 512);
		return len;
	case 6:
		return page;
	default:
		return at;
	}
}

static void write_file(const char *path, const struct hf_buf *data)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data->data, data->len), data->len);
	assert_int_equal(ftruncate(fd, (off_t)data->len), 0);
	close(fd);
}

#define MUTATIONS 10000

/* A bit in a row's data costs that row; a page costs more; nothing costs a
 * wrong answer. Every so often somebody also writes into what is left. */
static void damage_is_a_miss(void **state)
{
	struct room *room = *state;
	struct hf_buf good = {0};
	uint64_t random = 20261127;
	unsigned perfect = 0;
	unsigned known = 0;
	unsigned expected;
	char path[PATH_MAX];
	struct ear ear;

	fill(room);
	read_file(database(room, path), &good);
	enter(room);
	expected = count_known(room);
	assert_int_equal(expected, 22);
	leave(room);
	ear = listen_up();
	for (unsigned i = 0; i < MUTATIONS; i++) {
		struct hf_buf bad = {0};
		unsigned n;
		char *why;

		hf_buf_add(&bad, good.data, good.len);
		bad.len = mutate(bad.data, bad.len, &random);
		write_file(path, &bad);
		hf_buf_fini(&bad);
		room->cache = open_cache(room, &why);
		free(why);
		hf_cache_realm(room->cache, "test", 4, room->realm);
		n = count_known(room);
		known += n;
		perfect += n == expected;
		if (i % 10 == 0) {
			put(room, "dir0/file0", "dir0/file0");
			put(room, "new/file", "new/file");
			leave(room);
			room->cache = open_cache(room, &why);
			free(why);
			(void)count_known(room);
		}
		leave(room);
	}
	assert_in_range(lines_heard(&ear), 1, 2 * MUTATIONS);
	/* Most flips hit rows that are not asked for. */
	assert_in_range(perfect, MUTATIONS / 10, MUTATIONS);
	assert_in_range(known, MUTATIONS, MUTATIONS * expected - 1);
	hf_buf_fini(&good);
}

/* From the damaged state on, everything works again. */
static void a_damaged_database_is_made_anew(void **state)
{
	struct room *room = *state;
	struct hf_buf good = {0};
	struct hf_buf bad = {0};
	char path[PATH_MAX];
	struct ear ear;

	fill(room);
	read_file(database(room, path), &good);
	/* All pages but the first. */
	hf_buf_add(&bad, good.data, good.len);
	memset(bad.data + PAGE, 0xee, bad.len - PAGE);
	write_file(path, &bad);
	ear = listen_up();
	enter(room);
	assert_int_equal(count_known(room), 0);
	put(room, "a", "a");
	hf_cache_forget(room->cache);
	put(room, "b", "b");
	assert_int_equal(lines_heard(&ear), 1);
	enter(room);
	assert_true(has(room, "a", "a"));
	assert_true(has(room, "b", "b"));
	leave(room);
	/* The first page alone, and a file that a crash left full of zeros. */
	for (unsigned i = 0; i < 2; i++) {
		hf_buf_reset(&bad);
		hf_buf_add(&bad, good.data, good.len);
		memset(bad.data, 0, i ? bad.len : PAGE);
		write_file(path, &bad);
		ear = listen_up();
		enter(room);
		assert_int_equal(lines_heard(&ear), 1);
		put(room, "c", "c");
		enter(room);
		assert_true(has(room, "c", "c"));
		leave(room);
	}
	hf_buf_fini(&good);
	hf_buf_fini(&bad);
}

static void assert_left_alone(struct room *room, const char *word)
{
	struct hf_buf before = {0};
	struct hf_buf after = {0};
	char path[PATH_MAX];
	char *why;

	read_file(database(room, path), &before);
	room->cache = open_cache(room, &why);
	assert_non_null(why);
	assert_non_null(strstr(why, word));
	free(why);
	put(room, "x", "y");
	assert_true(has(room, "x", "y"));
	leave(room);
	read_file(path, &after);
	assert_int_equal(after.len, before.len);
	assert_memory_equal(after.data, before.data, after.len);
	hf_buf_fini(&before);
	hf_buf_fini(&after);
}

static void foreign_files_are_left_alone(void **state)
{
	struct room *room = *state;

	tree_write(&room->tree, "hashedfs.db", "somebody's notes\n");
	assert_left_alone(room, "not a cache");
	tree_remove(&room->tree, "hashedfs.db");
	run_sql(room, "PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
	assert_left_alone(room, "not a cache");
}

static void a_newer_database_is_left_alone(void **state)
{
	struct room *room = *state;

	fill(room);
	run_sql(room, "PRAGMA user_version=2");
	assert_left_alone(room, "newer");
}

static void an_older_database_is_made_anew(void **state)
{
	struct room *room = *state;

	fill(room);
	run_sql(room, "PRAGMA user_version=0; DROP TABLE shelf");
	enter(room);
	assert_false(has(room, "dir0/file0", ""));
	put(room, "a", "a");
	enter(room);
	assert_true(has(room, "a", "a"));
}

static void a_locked_database_is_a_miss(void **state)
{
	struct room *room = *state;
	struct ear ear;
	sqlite3 *db;
	char *why;

	fill(room);
	enter(room);
	db = open_database(room);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL),
			 SQLITE_OK);
	ear = listen_up();
	assert_int_equal(count_known(room), 0);
	put(room, "late", "late");
	hf_cache_forget(room->cache);
	assert_int_equal(lines_heard(&ear), 1);
	leave(room);
	/* Locked from the start: there is no cache, and it is told. */
	room->cache = open_cache(room, &why);
	assert_non_null(strstr(why, "locked"));
	free(why);
	leave(room);
	sqlite3_close(db);
	enter(room);
	assert_int_equal(count_known(room), 22);
}

/* Who met a lock does not wait for it again and again. */
static void a_lock_is_waited_for_once(void **state)
{
	struct room *room = *state;
	struct ear ear;
	sqlite3 *db;

	fill(room);
	atomic_store(&stopped_ns, hf_clock_realtime());
	enter(room);
	db = open_database(room);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL),
			 SQLITE_OK);
	ear = listen_up();
	assert_false(has(room, "dir0/file0", ""));
	sqlite3_close(db);
	assert_int_equal(count_known(room), 0);
	atomic_fetch_add(&ahead_ns, HOUR_NS);
	assert_int_equal(count_known(room), 22);
	assert_int_equal(lines_heard(&ear), 1);
}

/* While somebody writes, others read; and write what they have later. */
static void a_writer_does_not_stop_readers(void **state)
{
	struct room *room = *state;
	struct ear ear;
	sqlite3 *db;

	fill(room);
	enter(room);
	db = open_database(room);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(count_known(room), 22);
	put(room, "late", "late");
	ear = listen_up();
	hf_cache_forget(room->cache);
	assert_int_equal(lines_heard(&ear), 1);
	put(room, "late", "late");
	sqlite3_close(db);
	/* The pause after the failure is over. */
	atomic_fetch_add(&ahead_ns, DAY_NS);
	enter(room);
	assert_true(has(room, "late", "late"));
}

/* Who takes the file away has it; the mount goes on without. */
static void a_database_that_is_taken_away(void **state)
{
	struct room *room = *state;
	struct ear ear;

	fill(room);
	enter(room);
	assert_true(has(room, "dir0/file0", "dir0/file0"));
	tree_remove(&room->tree, "hashedfs.db");
	ear = listen_up();
	put(room, "a", "a");
	hf_cache_forget(room->cache);
	put(room, "a", "a");
	assert_true(has(room, "a", "a"));
	leave(room);
	assert_int_equal(lines_heard(&ear), 1);
	enter(room);
	assert_false(has(room, "a", ""));
	put(room, "b", "b");
	enter(room);
	assert_true(has(room, "b", "b"));
}

static void others_cannot_read_the_secret(void **state)
{
	struct room *room = *state;

	enter(room);
	assert_int_equal(tree_stat(&room->tree, "hashedfs.db").st_mode & 07777,
			 0600);
}

int main(void)
{
#define ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROOM(damage_is_a_miss),
		ROOM(a_damaged_database_is_made_anew),
		ROOM(foreign_files_are_left_alone),
		ROOM(a_newer_database_is_left_alone),
		ROOM(an_older_database_is_made_anew),
		ROOM(a_locked_database_is_a_miss),
		ROOM(a_lock_is_waited_for_once),
		ROOM(a_writer_does_not_stop_readers),
		ROOM(a_database_that_is_taken_away),
		ROOM(others_cannot_read_the_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
