/*
 * fs/digest: a source's digests, remembered as far as stamps can be trusted,
 * and its bytes, never handed out but as what was hashed.
 */
#include "tests/unit/tree.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "fs/digest/internal.h"

#define HOUR_NS (INT64_C(3600) * 1000000000)
#define KIB 1024
/* Nine blocks and a bit. */
#define LARGE (HF_PINNED_MAX + HF_BLOCK_LEN + 77)

/* --- a source whose time is turned by hand ------------------------------- */

static int64_t ahead_ns; /* set before threads start */

static int64_t turned_clock(void)
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

static int set_up(void **state)
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

static int tear_down(void **state)
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

static struct hf_sig sig_of(struct room *room, const char *path)
{
	struct stat st = tree_stat(&room->tree, path);

	return hf_sig_of(&st);
}

static struct hf_digest md5_of(const void *data, size_t len)
{
	struct hf_digest digest;

	assert_int_equal(hf_hash(hf_algorithm_find("md5"), data, len, &digest),
			 0);
	return digest;
}

static int get(struct room *room, const char *path, struct hf_fact *ret)
{
	struct hf_sig sig = sig_of(room, path);

	return hf_digests_get(room->digests, 0, path, &sig, &room->wait, ret);
}

static void assert_fact(struct room *room, const char *path, const char *text)
{
	struct hf_digest expected = md5_of(text, strlen(text));
	struct hf_fact fact;

	assert_int_equal(get(room, path, &fact), 0);
	assert_int_equal(fact.size, strlen(text));
	assert_true(hf_digest_equal(&fact.digest, &expected));
}

static uint64_t hashed(struct room *room)
{
	struct hf_digests_stats stats;

	hf_digests_stats(room->digests, &stats);
	return stats.files_hashed;
}

static int open_as(struct room *room, const char *path, const void *data,
		   size_t len, struct hf_sums *sums, struct hf_verified **ret)
{
	struct hf_digest expected = md5_of(data, len);

	return hf_digests_open(room->digests, 0, path, &expected, sums,
			       &room->wait, ret);
}

static void assert_reads(struct hf_verified *verified, const char *expected,
			 uint64_t offset, size_t len, size_t expected_len)
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

static int try_read(struct hf_verified *verified, uint64_t offset, size_t len)
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
static char *pattern(size_t len)
{
	char *data = malloc(len);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 251 + i / 65521);
	return data;
}

/* --- names ---------------------------------------------------------------- */

static void a_quiet_file_is_hashed_once(void **state)
{
	struct room *room = *state;

	tree_write(&room->tree, "a/b.css", "body{}");
	assert_fact(room, "a/b.css", "body{}");
	assert_fact(room, "a/b.css", "body{}");
	assert_int_equal(hashed(room), 1);
}

/* Its stamp may not yet show a change that happens now. */
static void a_racy_file_is_hashed_each_time(void **state)
{
	struct room *room = *state;

	ahead_ns = 0;
	tree_write(&room->tree, "a", "young");
	assert_fact(room, "a", "young");
	assert_fact(room, "a", "young");
	assert_int_equal(hashed(room), 2);
	/* Once it has grown old, once more suffices. */
	ahead_ns = HOUR_NS;
	assert_fact(room, "a", "young");
	assert_fact(room, "a", "young");
	assert_int_equal(hashed(room), 3);
}

/* An old mtime, as tar and rsync set it, does not make a fresh file quiet. */
static void a_set_mtime_calms_nothing(void **state)
{
	struct room *room = *state;

	ahead_ns = 0;
	tree_write(&room->tree, "a", "fresh");
	tree_set_mtime(&room->tree, "a", 1000000000);
	assert_fact(room, "a", "fresh");
	assert_fact(room, "a", "fresh");
	assert_int_equal(hashed(room), 2);
}

static void a_changed_file_has_another_digest(void **state)
{
	struct room *room = *state;

	tree_write(&room->tree, "a", "one");
	assert_fact(room, "a", "one");
	tree_write(&room->tree, "a", "two");
	assert_fact(room, "a", "two");
	tree_replace(&room->tree, "a", "six");
	assert_fact(room, "a", "six");
	assert_int_equal(hashed(room), 3);
}

static void nothing_is_a_file_too(void **state)
{
	struct room *room = *state;

	tree_write(&room->tree, "empty", "");
	assert_fact(room, "empty", "");
}

static void errors_are_told_and_not_remembered(void **state)
{
	struct room *room = *state;
	struct hf_sig sig = {.ino = 1};
	struct hf_fact fact;

	assert_int_equal(
		hf_digests_get(room->digests, 0, "a", &sig, &room->wait, &fact),
		-ENOENT);
	tree_link(&room->tree, "out", "/etc/passwd");
	assert_int_equal(hf_digests_get(room->digests, 0, "out", &sig,
					&room->wait, &fact),
			 -EACCES);
	tree_mkdir(&room->tree, "dir");
	assert_int_equal(hf_digests_get(room->digests, 0, "dir", &sig,
					&room->wait, &fact),
			 -EINVAL);
	assert_int_equal(hashed(room), 0);
	tree_write(&room->tree, "a", "here now");
	assert_fact(room, "a", "here now");
}

static void who_is_interrupted_gets_eintr(void **state)
{
	struct room *room = *state;
	struct hf_fact fact;
	char *data = pattern(16 * LARGE);

	tree_write_bytes(&room->tree, "a", data, 16 * LARGE);
	hf_wait_interrupt(&room->wait);
	assert_int_equal(get(room, "a", &fact), -EINTR);
	free(data);
}

/* The link leads nowhere any more; what it was is still known. */
static void the_last_digest_outlives_the_file(void **state)
{
	struct room *room = *state;
	struct hf_digest expected = md5_of("logo", 4);
	struct hf_sig sig = {.ino = 1};
	struct hf_fact fact;

	assert_false(hf_digests_last(room->digests, 0, "logo", &fact));
	tree_write(&room->tree, "target", "logo");
	tree_link(&room->tree, "logo", "target");
	assert_fact(room, "logo", "logo");
	tree_remove(&room->tree, "target");
	assert_int_equal(hf_digests_get(room->digests, 0, "logo", &sig,
					&room->wait, &fact),
			 -ENOENT);
	assert_true(hf_digests_last(room->digests, 0, "logo", &fact));
	assert_true(hf_digest_equal(&fact.digest, &expected));
	assert_int_equal(fact.size, 4);
	/* Another root's file of that path is another file. */
	assert_false(hf_digests_last(room->digests, 1, "logo", &fact));
}

/* The same, for a file that may not be read any more. */
static void the_last_digest_outlives_permission(void **state)
{
	struct room *room = *state;
	struct hf_digest expected = md5_of("secret", 6);
	struct hf_fact fact;
	int error;

	tree_write(&room->tree, "a", "secret");
	assert_fact(room, "a", "secret");
	tree_chmod(&room->tree, "a", 0);
	if (!tree_drop_root(&room->tree))
		skip();
	error = get(room, "a", &fact);
	tree_regain_root();
	assert_int_equal(error, -EACCES);
	assert_true(hf_digests_last(room->digests, 0, "a", &fact));
	assert_true(hf_digest_equal(&fact.digest, &expected));
}

/* --- a crowd -------------------------------------------------------------- */

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
	struct hf_digest expected = md5_of("text", 4);
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
	assert_true(hf_digest_equal(&fact.digest, &expected));
	assert_int_equal(hf_digests_open(room->digests, 0, "a", &expected, NULL,
					 &room->wait, &verified),
			 0);
	alarm(0);
	hf_verified_unref(verified);
	for (int i = 0; i < 4; i++)
		sem_post(&end);
}

#define N_FILES 500

static void name_of(int i, char ret[16])
{
	snprintf(ret, 16, "f%d", i);
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

/* --- many at once --------------------------------------------------------- */

static void a_batch_answers_in_order(void **state)
{
	static const char *const texts[] = {"zero", "one", "two", "three"};
	struct room *room = *state;
	struct hf_batch *batch;
	struct hf_sig gone = {.ino = 1};
	struct hf_fact fact;
	char name[2] = "0";

	assert_int_equal(hf_batch_new(room->digests, &batch), 0);
	for (size_t i = 0; i < 4; i++, name[0]++) {
		struct hf_sig sig;

		tree_write(&room->tree, name, texts[i]);
		sig = sig_of(room, name);
		assert_int_equal(hf_batch_add(batch, 0, name, &sig), 0);
	}
	assert_int_equal(hf_batch_add(batch, 0, "gone", &gone), 0);
	for (size_t i = 0; i < 4; i++) {
		struct hf_digest expected = md5_of(texts[i], strlen(texts[i]));

		assert_int_equal(hf_batch_get(batch, i, &room->wait, &fact), 0);
		assert_true(hf_digest_equal(&fact.digest, &expected));
		assert_true(hf_batch_settled(batch, i));
	}
	assert_int_equal(hf_batch_get(batch, 4, &room->wait, &fact), -ENOENT);
	assert_false(hf_batch_settled(batch, 4));
	hf_batch_free(batch);
	hf_batch_free(NULL);
}

/* "Settled" is a promise that nobody has to look again. */
static void a_racy_answer_is_not_settled(void **state)
{
	struct room *room = *state;
	struct hf_batch *batch;
	struct hf_fact fact;
	struct hf_sig old;

	tree_write(&room->tree, "a", "first");
	old = sig_of(room, "a");
	tree_write(&room->tree, "a", "second");
	assert_int_equal(hf_batch_new(room->digests, &batch), 0);
	/* Quiet, but no longer the state that was asked for. */
	assert_int_equal(hf_batch_add(batch, 0, "a", &old), 0);
	assert_int_equal(hf_batch_get(batch, 0, &room->wait, &fact), 0);
	assert_false(hf_batch_settled(batch, 0));
	hf_batch_free(batch);

	ahead_ns = 0;
	tree_write(&room->tree, "b", "young");
	old = sig_of(room, "b");
	assert_int_equal(hf_batch_new(room->digests, &batch), 0);
	assert_int_equal(hf_batch_add(batch, 0, "b", &old), 0);
	assert_int_equal(hf_batch_get(batch, 0, &room->wait, &fact), 0);
	assert_false(hf_batch_settled(batch, 0));
	hf_batch_free(batch);
}

/* --- bytes of small files ------------------------------------------------- */

static void bytes_are_read_from_any_place(void **state)
{
	struct room *room = *state;
	struct hf_verified *verified;

	tree_write(&room->tree, "a", "0123456789");
	assert_int_equal(open_as(room, "a", "0123456789", 10, NULL, &verified),
			 0);
	assert_null(hf_verified_sums(verified));
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
	assert_int_equal(open_as(room, "a", "befor", 5, NULL, &verified),
			 -ESTALE);
	assert_null(verified);
}

/* No stamp is believed: bytes are read whatever is known of the name. */
static void opening_reads_even_what_is_known(void **state)
{
	struct room *room = *state;
	struct hf_verified *verified;

	tree_write(&room->tree, "a", "known");
	assert_fact(room, "a", "known");
	assert_int_equal(open_as(room, "a", "known", 5, NULL, &verified), 0);
	assert_int_equal(hashed(room), 2);
	hf_verified_unref(verified);
}

static void pinned_bytes_outlive_the_source(void **state)
{
	struct room *room = *state;
	struct hf_verified *verified;
	char *data = pattern(HF_PINNED_MAX);

	tree_write_bytes(&room->tree, "a", data, HF_PINNED_MAX);
	assert_int_equal(
		open_as(room, "a", data, HF_PINNED_MAX, NULL, &verified), 0);
	assert_null(hf_verified_sums(verified)); /* the largest of the small */
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
	assert_int_equal(open_as(room, "a", "0123456789", 10, NULL, &verified),
			 -ENOMEM);
	expect_pinned(room, room->pins.max - 9);
	atomic_store(&room->pins.bytes, room->pins.max - 10);
	assert_int_equal(open_as(room, "a", "0123456789", 10, NULL, &verified),
			 0);
	assert_null(hf_verified_sums(verified));
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
	hf_buf_fini(&bytes);
	hf_buf_puts(&bytes, "text");
	assert_int_equal(hf_verified_take(&bytes, &pins, &verified), 0);
	assert_int_equal(pins.bytes, 4);
	assert_reads(verified, "text", 0, 4, 4);
	hf_verified_unref(verified);
	assert_int_equal(pins.bytes, 0);
}

/* --- bytes of large files -------------------------------------------------- */

/* A large file of pattern(), open. */
static struct hf_verified *open_large(struct room *room, const char *data)
{
	struct hf_verified *verified;

	tree_write_bytes(&room->tree, "large", data, LARGE);
	assert_int_equal(open_as(room, "large", data, LARGE, NULL, &verified),
			 0);
	assert_non_null(hf_verified_sums(verified));
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

/* --- opening again ---------------------------------------------------------- */

static void sums_save_the_second_reading(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *first = open_large(room, data);
	struct hf_verified *second;
	struct hf_sums *sums = hf_sums_ref(hf_verified_sums(first));

	assert_int_equal(hashed(room), 1);
	assert_int_equal(open_as(room, "large", data, LARGE, sums, &second), 0);
	assert_int_equal(hashed(room), 1);
	assert_reads(second, data, 0, LARGE, LARGE);
	/* The sums still guard: they were not believed but compared. */
	tree_patch(&room->tree, "large", 0, "!");
	assert_int_equal(try_read(second, 0, 1), -EIO);
	hf_verified_unref(second);
	hf_verified_unref(first);
	hf_sums_unref(sums);
	hf_sums_unref(NULL);
	free(data);
}

static void sums_of_another_state_save_nothing(void **state)
{
	struct room *room = *state;
	char *data = pattern(LARGE);
	struct hf_verified *first = open_large(room, data);
	struct hf_verified *second;
	struct hf_sums *sums = hf_verified_sums(first);

	/* Other stamp, same bytes. */
	tree_set_mtime(&room->tree, "large", 1000000000);
	assert_int_equal(open_as(room, "large", data, LARGE, sums, &second), 0);
	assert_int_equal(hashed(room), 2);
	hf_verified_unref(second);
	/* Other bytes. */
	tree_patch(&room->tree, "large", 0, "!");
	assert_int_equal(open_as(room, "large", data, LARGE, sums, &second),
			 -ESTALE);
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
	assert_int_equal(open_as(room, "large", data, LARGE, NULL, &first), 0);
	mapped[0] = (char)~data[0];
	assert_int_equal(try_read(first, 0, 1), -EIO);
	assert_int_equal(open_as(room, "large", data, LARGE,
				 hf_verified_sums(first), &second),
			 -ESTALE);
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
	assert_int_equal(open_as(room, "large", data, LARGE,
				 hf_verified_sums(first), &second),
			 0);
	assert_int_equal(hashed(room), 2);
	hf_verified_unref(second);
	hf_verified_unref(first);
	free(data);
}

/* --- writers ---------------------------------------------------------------- */

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
	int error = open_as(room, "a", writer->texts[0], writer->len, NULL,
			    &verified);

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

/* --- read ahead ----------------------------------------------------------- */

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
	hf_digests_fetch(room->digests, 0, path, sig_of(room, path).size);
	wait_for_flights(room);
}

static int open_text(struct room *room, const char *path, const char *text)
{
	struct hf_verified *verified;
	int error = open_as(room, path, text, strlen(text), NULL, &verified);

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

static void what_cannot_be_read_ahead_is_read_later(void **state)
{
	struct room *room = *state;

	hf_digests_fetch(room->digests, 0, "a", 4);
	wait_for_flights(room);
	tree_write(&room->tree, "a", "text");
	assert_int_equal(open_text(room, "a", "text"), 0);
	/* Nor is a large file. */
	hf_digests_fetch(room->digests, 0, "a", HF_PINNED_MAX + 1);
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
	for (int i = 0; i < N_FILES; i++) {
		name_of(i, name);
		tree_write(&room->tree, name, "one");
		fetch(room, name);
		assert_true(room->pins.bytes <= 128 * 3);
	}
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

static void whoever_waits_for_what_is_read_ahead_can_leave(void **state)
{
	struct room *room = *state;
	static sem_t end; /* outlives the pool */

	tree_write(&room->tree, "a", "text");
	sem_init(&end, 0, 0);
	for (int i = 0; i < 4; i++) /* as many threads as it may have */
		assert_int_equal(hf_pool_submit(room->pool, hang, &end), 0);
	hf_digests_fetch(room->digests, 0, "a", 4);
	room->wait.works = true;
	hf_wait_interrupt(&room->wait);
	assert_int_equal(open_text(room, "a", "text"), -EINTR);
	for (int i = 0; i < 4; i++)
		sem_post(&end);
}

int main(void)
{
#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		IN_ROOM(a_quiet_file_is_hashed_once),
		IN_ROOM(a_racy_file_is_hashed_each_time),
		IN_ROOM(a_set_mtime_calms_nothing),
		IN_ROOM(a_changed_file_has_another_digest),
		IN_ROOM(nothing_is_a_file_too),
		IN_ROOM(errors_are_told_and_not_remembered),
		IN_ROOM(who_is_interrupted_gets_eintr),
		IN_ROOM(the_last_digest_outlives_the_file),
		IN_ROOM(the_last_digest_outlives_permission),
		IN_ROOM(a_crowd_asks_and_one_file_is_hashed),
		IN_ROOM(a_crowd_asks_for_many_files),
		IN_ROOM(whoever_works_needs_no_pool),
		IN_ROOM(a_batch_answers_in_order),
		IN_ROOM(a_racy_answer_is_not_settled),
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
		IN_ROOM(sums_of_another_state_save_nothing),
		IN_ROOM(sums_that_failed_save_nothing),
		IN_ROOM(sums_of_a_racy_file_save_nothing),
		IN_ROOM(what_was_read_ahead_is_not_read_again),
		IN_ROOM(what_changed_since_it_was_read_ahead_is_stale),
		IN_ROOM(other_bytes_that_were_read_ahead_are_stale),
		IN_ROOM(racy_files_are_read_when_they_are_opened),
		IN_ROOM(what_cannot_be_read_ahead_is_read_later),
		IN_ROOM(little_is_read_ahead_and_not_kept),
		IN_ROOM(nothing_is_read_ahead_where_memory_is_short),
		IN_ROOM(whoever_waits_for_what_is_read_ahead_can_leave),
		IN_ROOM(bytes_match_beside_a_writer),
		IN_ROOM(bytes_match_beside_a_mapped_writer),
		IN_ROOM(large_files_match_beside_a_writer),
		IN_ROOM(large_files_match_beside_a_mapped_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
