/* fs/digest: a source's digests, remembered as far as stamps can be trusted. */
#include "tests/unit/digests.h"

/* --- names --------------------------------------------------------------- */

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

/* --- many at once -------------------------------------------------------- */

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
		IN_ROOM(a_batch_answers_in_order),
		IN_ROOM(a_racy_answer_is_not_settled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
