/*
 * A source with its digests, whose time is turned by hand, for tests.
 */
#ifndef HF_TESTS_DIGESTS_H
#define HF_TESTS_DIGESTS_H

#include "tests/unit/tree.h"

#include <errno.h>

#include "fs/digest/internal.h"

#define HOUR_NS (INT64_C(3600) * 1000000000)
#define KIB 1024
/* Nine blocks and a bit. */
#define LARGE (HF_PINNED_MAX + HF_BLOCK_LEN + 77)

static int64_t ahead_ns; /* set before threads start */

static inline int64_t turned_clock(void)
{
	return hf_clock_realtime() + ahead_ns;
}

struct room {
	struct tree tree;
	struct hf_source_config config;
	struct hf_source *source;
	struct hf_pool *pool;
	struct hf_pins pins;
	struct hf_cache *cache;
	struct hf_digests *digests;
	struct hf_wait wait;
};

static inline int set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));
	struct hf_digests_config config = {
		.algorithm = hf_algorithm_find("md5"),
		.clock = turned_clock,
	};
	char roots[2 * sizeof(room->tree.top) + 4];
	char *why = NULL;

	tree_make(&room->tree);
	snprintf(roots, sizeof(roots), "%s:b=%s", room->tree.top,
		 room->tree.top);
	assert_int_equal(hf_root_specs_parse(&room->config.roots, roots, &why),
			 0);
	assert_int_equal(hf_source_open(&room->config, 0, &room->source, &why),
			 0);
	assert_int_equal(hf_pool_new(2, 4, &room->pool), 0);
	assert_int_equal(
		hf_cache_new(&(struct hf_cache_config){.max_memory = 1 << 20,
						       .clock = turned_clock},
			     &room->cache, &why),
		0);
	config.source = room->source;
	config.cache = room->cache;
	config.pool = room->pool;
	room->pins.max = hf_pins_default_max();
	config.pins = &room->pins;
	assert_int_equal(hf_digests_new(&config, &room->digests), 0);
	hf_wait_init(&room->wait);
	/* Files that a test has just written are old: all is quiet. */
	ahead_ns = HOUR_NS;
	*state = room;
	return 0;
}

static inline int tear_down(void **state)
{
	struct room *room = *state;

	hf_pool_free(room->pool);
	hf_digests_free(room->digests);
	hf_cache_free(room->cache);
	hf_source_close(room->source);
	hf_root_specs_fini(&room->config.roots);
	hf_wait_fini(&room->wait);
	tree_free(&room->tree);
	free(room);
	return 0;
}

/* --- words ---------------------------------------------------------------- */

static inline struct hf_sig sig_of(struct room *room, const char *path)
{
	struct stat st = tree_stat(&room->tree, path);

	return hf_sig_of(&st);
}

static inline struct hf_digest md5_of(const void *data, size_t len)
{
	struct hf_digest digest;

	assert_int_equal(hf_hash(hf_algorithm_find("md5"), data, len, &digest),
			 0);
	return digest;
}

static inline int get(struct room *room, const char *path, struct hf_fact *ret)
{
	struct hf_sig sig = sig_of(room, path);

	return hf_digests_get(room->digests, 0, path, &sig, &room->wait, ret);
}

static inline void assert_fact(struct room *room, const char *path,
			       const char *text)
{
	struct hf_digest expected = md5_of(text, strlen(text));
	struct hf_fact fact;

	assert_int_equal(get(room, path, &fact), 0);
	assert_int_equal(fact.size, strlen(text));
	assert_true(hf_digest_equal(&fact.digest, &expected));
}

static inline uint64_t hashed(struct room *room)
{
	struct hf_digests_stats stats;

	hf_digests_stats(room->digests, &stats);
	return stats.files_hashed;
}

static inline int open_as(struct room *room, const char *path, const void *data,
			  size_t len, struct hf_verified **ret)
{
	const struct hf_expected expected = {.digest = md5_of(data, len),
					     .size = len};

	return hf_digests_open(room->digests, 0, path, &expected, &room->wait,
			       ret);
}

/* Held in memory; else its blocks are checked. */
static inline bool is_pinned(const struct hf_verified *verified)
{
	size_t len;

	return hf_verified_whole(verified, &len) != NULL;
}

static inline void assert_reads(struct hf_verified *verified,
				const char *expected, uint64_t offset,
				size_t len, size_t expected_len)
{
	struct hf_buf scratch = {0};
	const char *data;
	size_t got;

	assert_int_equal(
		hf_verified_read(verified, offset, len, &scratch, &data, &got),
		0);
	assert_int_equal(got, expected_len);
	assert_memory_equal(data, expected + offset, got);
	hf_buf_fini(&scratch);
}

static inline int try_read(struct hf_verified *verified, uint64_t offset,
			   size_t len)
{
	struct hf_buf scratch = {0};
	const char *data;
	size_t got;
	int error =
		hf_verified_read(verified, offset, len, &scratch, &data, &got);

	hf_buf_fini(&scratch);
	return error;
}

/* New bytes in which no two blocks are equal. */
static inline char *pattern(size_t len)
{
	char *data = malloc(len);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 251 + i / 65521);
	return data;
}

#endif
