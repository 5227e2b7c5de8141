/*
 * A cache in a directory of its own, with a clock that is turned by hand, for
 * tests.
 */
#ifndef HF_TESTS_ROOM_H
#define HF_TESTS_ROOM_H

#include "tests/unit/tree.h"

#include <errno.h>
#include <sqlite3.h>

#include "fs/digest/internal.h"
#include "fs/digest/remembered.h"

#define HOUR_NS (INT64_C(3600) * 1000000000)
#define DAY_NS (24 * HOUR_NS)
#define PLENTY (1 << 24)

static atomic_int_least64_t ahead_ns;
static atomic_int_least64_t stopped_ns; /* 0: it runs */

static inline int64_t turned_clock(void)
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

static inline int set_up(void **state)
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

static inline void leave(struct room *room)
{
	hf_cache_free(room->cache);
	room->cache = NULL;
}

static inline int tear_down(void **state)
{
	struct room *room = *state;

	tree_regain_root();
	leave(room);
	tree_free(&room->tree);
	free(room);
	return 0;
}

static inline struct hf_cache *open_cache(struct room *room, char **why)
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
static inline void enter(struct room *room)
{
	char *why;

	leave(room);
	room->cache = open_cache(room, &why);
	if (why)
		fail_msg("%s", why);
	hf_cache_realm(room->cache, "test", 4, room->realm);
}

static inline void put_in(struct hf_cache *cache, const uint64_t realm[2],
			  const char *path, bool keep, const char *text)
{
	struct hf_key key;

	hf_key_of(realm, path, &key);
	hf_cache_put(cache, &key, keep, text, strlen(text));
}

static inline void put(struct room *room, const char *path, const char *text)
{
	put_in(room->cache, room->realm, path, true, text);
}

static inline bool has_in(struct hf_cache *cache, const uint64_t realm[2],
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
static inline bool has(struct room *room, const char *path, const char *text)
{
	return has_in(room->cache, room->realm, path, text);
}

static inline struct hf_cache_stats stats(struct room *room)
{
	struct hf_cache_stats stats;

	hf_cache_stats(room->cache, &stats);
	return stats;
}

static inline const char *database(struct room *room, char ret[PATH_MAX])
{
	return tree_path(&room->tree, "hashedfs.db", ret);
}

static inline sqlite3 *open_database(struct room *room)
{
	char path[PATH_MAX];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(database(room, path), &db), SQLITE_OK);
	return db;
}

static inline void run_sql(struct room *room, const char *text)
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

static inline struct ear listen_up(void)
{
	struct ear ear = {dup(STDERR_FILENO), tmpfile()};

	assert_non_null(ear.file);
	dup2(fileno(ear.file), STDERR_FILENO);
	return ear;
}

static inline unsigned lines_heard(struct ear *ear)
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

#endif
