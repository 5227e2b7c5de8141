/*
 * fs/digest: the cache. What is remembered comes back, from memory and from
 * disk; whatever is done to the database, an answer is a miss or the true one.
 */
#include "tests/unit/tree.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/file.h>

#include "fs/digest/internal.h"

#define HOUR_NS (INT64_C(3600) * 1000000000)
#define DAY_NS (24 * HOUR_NS)
#define PLENTY (1 << 24)

/* --- a room with a clock that is turned by hand ---------------------------- */

static atomic_int_least64_t ahead_ns;
static atomic_int_least64_t stopped_ns; /* 0: it runs */

static int64_t turned_clock(void)
{
	int64_t stopped = atomic_load(&stopped_ns);

	return (stopped ? stopped : hf_clock_realtime()) +
	       atomic_load(&ahead_ns);
}

struct room {
	struct tree tree;
	struct hf_cache *cache; /* NULL: closed */
	uint64_t realm[2];
	size_t max_memory;
	uint64_t max_disk;
};

static int set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));

	tree_make(&room->tree);
	room->max_memory = PLENTY;
	room->max_disk = PLENTY;
	atomic_store(&ahead_ns, 0);
	atomic_store(&stopped_ns, 0);
	*state = room;
	return 0;
}

static void leave(struct room *room)
{
	hf_cache_free(room->cache);
	room->cache = NULL;
}

static int tear_down(void **state)
{
	struct room *room = *state;

	tree_regain_root();
	leave(room);
	tree_free(&room->tree);
	free(room);
	return 0;
}

static struct hf_cache *open_cache(struct room *room, char **why)
{
	const struct hf_cache_config config = {
		.dir = room->tree.top,
		.max_memory = room->max_memory,
		.max_disk = room->max_disk,
		.clock = turned_clock,
	};
	struct hf_cache *cache;

	*why = NULL;
	assert_int_equal(hf_cache_new(&config, &cache, why), 0);
	return cache;
}

/* Opens it again, as at the next start. */
static void enter(struct room *room)
{
	char *why;

	leave(room);
	room->cache = open_cache(room, &why);
	if (why)
		fail_msg("%s", why);
	hf_cache_realm(room->cache, "test", 4, room->realm);
}

static void put_in(struct hf_cache *cache, const uint64_t realm[2],
		   const char *path, bool keep, const char *text)
{
	struct hf_key key;

	hf_key_of(realm, path, &key);
	hf_cache_put(cache, &key, keep, text, strlen(text));
}

static void put(struct room *room, const char *path, const char *text)
{
	put_in(room->cache, room->realm, path, true, text);
}

static bool has_in(struct hf_cache *cache, const uint64_t realm[2],
		   const char *path, const char *text)
{
	struct hf_buf data = {0};
	struct hf_key key;
	bool found;

	hf_key_of(realm, path, &key);
	found = hf_cache_get(cache, &key, &data);
	if (found) {
		assert_int_equal(data.len, strlen(text));
		assert_memory_equal(data.data, text, data.len);
	}
	hf_buf_fini(&data);
	return found;
}

/* Whether it is known; it must not be anything else than `text`. */
static bool has(struct room *room, const char *path, const char *text)
{
	return has_in(room->cache, room->realm, path, text);
}

static struct hf_cache_stats stats(struct room *room)
{
	struct hf_cache_stats stats;

	hf_cache_stats(room->cache, &stats);
	return stats;
}

static const char *database(struct room *room, char ret[PATH_MAX])
{
	return tree_path(&room->tree, "hashedfs.db", ret);
}

static sqlite3 *open_database(struct room *room)
{
	char path[PATH_MAX];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(database(room, path), &db), SQLITE_OK);
	return db;
}

static void run_sql(struct room *room, const char *text)
{
	sqlite3 *db = open_database(room);

	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* What is printed while the block runs is counted, and kept from the eye. */
struct ear {
	int real;
	FILE *file;
};

static struct ear listen_up(void)
{
	struct ear ear = {dup(STDERR_FILENO), tmpfile()};

	assert_non_null(ear.file);
	dup2(fileno(ear.file), STDERR_FILENO);
	return ear;
}

static unsigned lines_heard(struct ear *ear)
{
	unsigned n = 0;
	int c;

	dup2(ear->real, STDERR_FILENO);
	close(ear->real);
	rewind(ear->file);
	while ((c = fgetc(ear->file)) != EOF)
		n += c == '\n';
	fclose(ear->file);
	return n;
}

/* --- rows -------------------------------------------------------------------- */

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

/* --- memory and disk ------------------------------------------------------------ */

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

/* --- what can be wrong with the database --------------------------------------- */

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

/* --- the directory -------------------------------------------------------------- */

static const struct hf_root_specs nowhere;

static void assert_dir(const char *wanted, const char *expected)
{
	char *dir = NULL;
	char *why;
	struct stat st;

	assert_int_equal(hf_cache_dir(wanted, &nowhere, &dir, &why), 0);
	assert_string_equal(dir, expected);
	assert_int_equal(stat(dir, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 077, 0);
	free(dir);
}

static void assert_no_dir(const char *wanted, const char *word)
{
	char *dir = NULL;
	char *why;

	assert_true(hf_cache_dir(wanted, &nowhere, &dir, &why) < 0);
	assert_null(dir);
	if (!strstr(why, word))
		fail_msg("\"%s\" is not in \"%s\"", word, why);
	free(why);
}

static void the_directory_of_the_user(void **state)
{
	struct room *room = *state;
	char path[PATH_MAX];
	char expected[PATH_MAX];

	/* What is made is closed to others, whatever the umask. */
	umask(0);
	setenv("XDG_CACHE_HOME", tree_path(&room->tree, "xdg/a", path), 1);
	assert_dir(NULL, tree_path(&room->tree, "xdg/a/hashedfs", expected));
	/* The specification has relative ones passed over. */
	setenv("XDG_CACHE_HOME", "relative", 1);
	setenv("HOME", tree_path(&room->tree, "home", path), 1);
	if (geteuid() != 0)
		assert_dir(NULL, tree_path(&room->tree, "home/.cache/hashedfs",
					   expected));
	unsetenv("HOME");
	if (geteuid() != 0)
		assert_no_dir(NULL, "home");
	unsetenv("XDG_CACHE_HOME");
	umask(022);
}

static void a_directory_that_is_wanted(void **state)
{
	struct room *room = *state;
	char path[PATH_MAX];
	char expected[PATH_MAX];

	assert_dir(tree_path(&room->tree, "b/c", path), path);
	tree_link(&room->tree, "link", "b");
	assert_dir(tree_path(&room->tree, "link/c", path),
		   tree_path(&room->tree, "b/c", expected));
	assert_no_dir(HF_CACHE_NONE, "chosen");
	tree_write(&room->tree, "file", "");
	assert_no_dir(tree_path(&room->tree, "file", path), "not a directory");
	assert_no_dir(tree_path(&room->tree, "file/x", path), "Not a dir");
}

static void a_directory_that_others_may_write(void **state)
{
	struct room *room = *state;
	char path[PATH_MAX];
	char *dir;
	char *why;

	tree_mkdir(&room->tree, "open");
	tree_path(&room->tree, "open", path);
	tree_chmod(&room->tree, "open", 0775);
	assert_no_dir(path, "others may write");
	tree_chmod(&room->tree, "open", 0757);
	assert_no_dir(path, "others may write");
	tree_chmod(&room->tree, "open", 0755);
	assert_int_equal(hf_cache_dir(path, &nowhere, &dir, &why), 0);
	free(dir);
}

/* Nothing is written there, not even a directory. */
static void a_directory_in_a_source(void **state)
{
	struct room *room = *state;
	struct hf_root_spec root = {.dir = room->tree.top};
	const struct hf_root_specs roots = {.items = &root, .n = 1};
	char path[PATH_MAX];
	char src[PATH_MAX];
	char *dir;
	char *why;

	assert_int_equal(hf_cache_dir(tree_path(&room->tree, "new/one", path),
				      &roots, &dir, &why),
			 -EACCES);
	assert_non_null(strstr(why, "it lies in a source"));
	free(why);
	assert_int_not_equal(access(tree_path(&room->tree, "new", path), F_OK),
			     0);
	tree_mkdir(&room->tree, "src");
	tree_path(&room->tree, "src", src);
	root.dir = src;
	tree_path(&room->tree, "src-cache", path);
	assert_int_equal(hf_cache_dir(path, &roots, &dir, &why), 0);
	free(dir);
}

static void a_directory_of_somebody_else(void **state)
{
	struct room *room = *state;
	char path[PATH_MAX];
	char link[PATH_MAX];

	if (geteuid() != 0)
		skip();
	tree_mkdir(&room->tree, "theirs");
	tree_mkdir(&room->tree, "ours");
	tree_path(&room->tree, "theirs", path);
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_no_dir(path, "somebody else");
	tree_link(&room->tree, "link", "ours");
	tree_path(&room->tree, "link", link);
	assert_int_equal(lchown(link, 65534, 65534), 0);
	assert_no_dir(link, "link belongs");
	/* The same in other shoes; XDG_CACHE_HOME is of root's session. */
	setenv("XDG_CACHE_HOME", room->tree.top, 1);
	setenv("HOME", path, 1);
	tree_path(&room->tree, "theirs/.cache/hashedfs", link);
	assert_true(tree_drop_root(&room->tree));
	assert_dir(NULL, link);
	tree_regain_root();
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
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
		ROOM(a_row_that_is_too_long_is_not_stored),
		ROOM(the_disk_is_bounded),
		ROOM(the_oldest_unused_go_first),
		ROOM(names_that_are_gone_leave_their_row),
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
		ROOM(the_directory_of_the_user),
		ROOM(a_directory_that_is_wanted),
		ROOM(a_directory_that_others_may_write),
		ROOM(a_directory_in_a_source),
		ROOM(a_directory_of_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
