/* fs/view/integrity.c: what browsers check by is of what is read. */
#include "tests/unit/scene.h"

static const char *const algorithms[] = {"sha256", "sha384", "sha512"};

/* A file of every kind; the two circles refer to themselves and each other. */
static void write_tree(struct tree *tree)
{
	tree_write(tree, "plain.css", "a{}");
	tree_write(tree, "empty.css", "");
	tree_write(tree, "uses.css", "@import \"plain.css\";");
	tree_write(tree, "d/one.css", "@import \"two.css\";");
	tree_write(tree, "d/two.css", "@import \"one.css\";");
	tree_write(tree, "x.png", "png");
	tree_write(tree, "k.ico", "icon");
	tree_write(tree, "chunk-1.js", "chunk");
}

#define OPTIONS "keep=*.ico,prehashed=chunk-*"

static void take(struct scene *scene, const char *algorithm,
		 struct hf_snapshot *ret)
{
	assert_int_equal(hf_view_integrity(scene->view,
					   hf_algorithm_find(algorithm),
					   &scene->wait, NULL, ret),
			 0);
}

/* Opens the scene with an algorithm in its config, in a cache of the tree's. */
static void open_with(struct scene *scene, const char *algorithm)
{
	struct hf_buf options = {0};
	const struct hf_algorithm *known =
		algorithm ? hf_algorithm_find(algorithm) : NULL;
	char *why = NULL;

	scene_open(scene, "@", OPTIONS);
	hf_node_unref(scene->top);
	hf_view_free(scene->view);
	free(scene->config.cache);
	hf_buf_printf(&options, "%s-cache", scene->tree.top);
	assert_int_equal(hf_buf_steal(&options, &scene->config.cache), 0);
	scene->config.integrity = known;
	assert_int_equal(hf_view_new(&scene->config, 0, &scene->view, &why), 0);
	assert_null(why);
	assert_int_equal(hf_view_root(scene->view, &scene->top), 0);
}

static void remove_cache(struct scene *scene)
{
	char path[PATH_MAX];

	scene_close(scene);
	snprintf(path, sizeof(path), "%s-cache", scene->tree.top);
	nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int forget_cache(void **state)
{
	struct scene *scene = *state;
	remove_cache(scene);
	return scene_tear_down(state);
}

static void assert_read_as(struct scene *scene, const struct hf_row *row,
			   const char *algorithm)
{
	struct hf_node *node = scene_node(scene, row->name);
	struct hf_content *content;
	struct hf_buf scratch = {0};
	struct hf_digest digest;
	const char *data;
	size_t len;

	assert_int_equal(
		hf_view_open(scene->view, node, &scene->wait, &content), 0);
	assert_int_equal(
		hf_content_read(content, 0, 65536, &scratch, &data, &len), 0);
	assert_int_equal(
		hf_hash(hf_algorithm_find(algorithm), data, len, &digest), 0);
	assert_true(hf_digest_equal(&digest, &row->integrity));
	hf_buf_fini(&scratch);
	hf_content_close(content);
	hf_node_unref(node);
}

static void assert_all_read_as(struct scene *scene, const char *algorithm)
{
	struct hf_snapshot snapshot;

	take(scene, algorithm, &snapshot);
	assert_int_equal(snapshot.n, 8);
	for (size_t i = 0; i < snapshot.n; i++)
		assert_read_as(scene, &snapshot.rows[i], algorithm);
	hf_snapshot_fini(&snapshot);
}

static void is_of_what_is_read(void **state)
{
	struct scene *scene = *state;

	write_tree(&scene->tree);
	for (size_t i = 0; i < HF_ARRAY_SIZE(algorithms); i++) {
		open_with(scene, algorithms[i]);
		assert_all_read_as(scene, algorithms[i]);
	}
	/* Asked for only afterwards, by all three in turn. */
	scene_open(scene, "@", OPTIONS);
	for (size_t i = 0; i < HF_ARRAY_SIZE(algorithms); i++)
		assert_all_read_as(scene, algorithms[i]);
}

static void is_that_of_a_frozen_tree(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	write_tree(&scene->tree);
	scene_open(scene, "@", OPTIONS);
	assert_int_equal(hf_view_freeze(scene->view, false, &scene->wait, NULL),
			 0);
	hf_node_unref(scene->top);
	assert_int_equal(hf_view_root(scene->view, &scene->top), 0);
	assert_all_read_as(scene, "sha384");
	tree_write(&scene->tree, "x.png", "another png");
	/* What was worked out stays true of the state that it is about. */
	take(scene, "sha384", &snapshot);
	hf_snapshot_fini(&snapshot);
	assert_int_equal(hf_view_integrity(scene->view,
					   hf_algorithm_find("sha512"),
					   &scene->wait, NULL, &snapshot),
			 -ESTALE);
}

static void follows_a_change(void **state)
{
	struct scene *scene = *state;

	write_tree(&scene->tree);
	open_with(scene, "sha384");
	assert_all_read_as(scene, "sha384");
	tree_write(&scene->tree, "plain.css", "b{}");
	tree_write(&scene->tree, "k.ico", "nocI");
	assert_all_read_as(scene, "sha384");
}

static struct hf_digests_stats stats_with(struct scene *scene,
					  const char *algorithm)
{
	struct hf_snapshot snapshot;
	struct hf_view_stats stats;

	open_with(scene, algorithm);
	assert_int_equal(
		hf_view_snapshot(scene->view, &scene->wait, NULL, &snapshot),
		0);
	hf_snapshot_fini(&snapshot);
	hf_view_stats(scene->view, &stats);
	return stats.digests;
}

/* But for kept files, which nothing else would read. */
static void takes_no_read_of_its_own(void **state)
{
	struct scene *scene = *state;
	struct hf_digests_stats with, without;

	write_tree(&scene->tree);
	with = stats_with(scene, "sha384");
	remove_cache(scene);
	without = stats_with(scene, NULL);
	assert_int_equal(with.bytes_hashed,
			 without.bytes_hashed + strlen("icon"));
}

/* A text that is read again for its name is not rewritten again for this. */
static void outlives_a_touch(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;
	struct hf_view_stats stats;
	uint64_t before;
	char path[PATH_MAX];

	write_tree(&scene->tree);
	before = stats_with(scene, "sha384").bytes_hashed;
	assert_int_equal(utimensat(AT_FDCWD,
				   tree_path(&scene->tree, "uses.css", path),
				   NULL, 0),
			 0);
	assert_int_equal(
		hf_view_snapshot(scene->view, &scene->wait, NULL, &snapshot),
		0);
	hf_snapshot_fini(&snapshot);
	hf_view_stats(scene->view, &stats);
	assert_int_equal(stats.digests.bytes_hashed - before,
			 strlen("@import \"plain.css\";"));
}

static void is_remembered(void **state)
{
	struct scene *scene = *state;

	write_tree(&scene->tree);
	assert_true(stats_with(scene, "sha384").files_hashed > 0);
	assert_int_equal(stats_with(scene, "sha384").files_hashed, 0);
	/* By another algorithm nothing is known, and by none nothing asked. */
	assert_true(stats_with(scene, "sha512").files_hashed > 0);
	assert_int_equal(stats_with(scene, NULL).files_hashed, 0);
}

static void is_not_there_unless_asked_for(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	write_tree(&scene->tree);
	open_with(scene, NULL);
	assert_int_equal(
		hf_view_snapshot(scene->view, &scene->wait, NULL, &snapshot),
		0);
	for (size_t i = 0; i < snapshot.n; i++)
		assert_int_equal(snapshot.rows[i].integrity.len, 0);
	hf_snapshot_fini(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_of_what_is_read,
						scene_set_up, forget_cache),
		cmocka_unit_test_setup_teardown(is_that_of_a_frozen_tree,
						scene_set_up, forget_cache),
		cmocka_unit_test_setup_teardown(follows_a_change, scene_set_up,
						forget_cache),
		cmocka_unit_test_setup_teardown(takes_no_read_of_its_own,
						scene_set_up, forget_cache),
		cmocka_unit_test_setup_teardown(outlives_a_touch, scene_set_up,
						forget_cache),
		cmocka_unit_test_setup_teardown(is_remembered, scene_set_up,
						forget_cache),
		cmocka_unit_test_setup_teardown(is_not_there_unless_asked_for,
						scene_set_up, forget_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
