/* fs/view/part.c: the parts of a tree are the tree, and each is read alone. */
#include "tests/unit/scene.h"

#define DIRS 12

static void write_tree(struct tree *tree)
{
	char path[64];

	for (int i = 0; i < DIRS; i++) {
		snprintf(path, sizeof(path), "d%d/e/f.png", i);
		tree_write(tree, path, "0123456789");
	}
}

/* The snapshot of part k of n, and what was hashed for it. */
static uint64_t take(struct scene *scene, unsigned k, unsigned n,
		     struct hf_snapshot *ret)
{
	struct hf_view_stats stats;

	scene_open(scene, "@", "");
	scene->config.part = (struct hf_part){k, n};
	assert_int_equal(hf_view_snapshot(scene->view, &scene->wait, NULL, ret),
			 0);
	hf_view_stats(scene->view, &stats);
	return stats.digests.bytes_hashed;
}

static bool has_row(const struct hf_snapshot *snapshot,
		    const struct hf_row *wanted)
{
	for (size_t i = 0; i < snapshot->n; i++)
		if (strcmp(snapshot->rows[i].path, wanted->path) == 0 &&
		    strcmp(snapshot->rows[i].name, wanted->name) == 0)
			return true;
	return false;
}

static void parts_are_the_tree(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot whole;

	write_tree(&scene->tree);
	assert_int_equal(take(scene, 0, 0, &whole), DIRS * 10);
	assert_int_equal(whole.n, DIRS);
	for (unsigned n = 1; n <= 16; n++) {
		uint64_t bytes = 0;
		size_t rows = 0;

		for (unsigned k = 1; k <= n; k++) {
			struct hf_snapshot part;

			bytes += take(scene, k, n, &part);
			rows += part.n;
			for (size_t i = 0; i < part.n; i++)
				assert_true(has_row(&whole, &part.rows[i]));
			hf_snapshot_fini(&part);
		}
		assert_int_equal(rows, DIRS);
		assert_int_equal(bytes, DIRS * 10);
	}
	hf_snapshot_fini(&whole);
}

/* Which part a directory is of must never change: parts are made by machines
 * of their own, perhaps by several versions. */
static void which_part_is_for_ever(void **state)
{
	static const char *const of_part[] = {NULL, "js/lib/c.png", "css/b.png",
					      "a.png"};
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	tree_write(&scene->tree, "a.png", "a");
	tree_write(&scene->tree, "css/b.png", "b");
	tree_write(&scene->tree, "js/lib/c.png", "c");
	for (unsigned k = 1; k <= 4; k++) {
		take(scene, k, 4, &snapshot);
		assert_int_equal(snapshot.n, of_part[k - 1] != NULL);
		if (snapshot.n)
			assert_string_equal(snapshot.rows[0].path,
					    of_part[k - 1]);
		hf_snapshot_fini(&snapshot);
	}
}

/* What a text refers to is read for it, and told by its own part only. */
static void reads_what_a_text_refers_to(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;
	size_t told = 0;

	tree_write(&scene->tree, "css/a.css", "a{background:url(../i/x.png)}");
	tree_write(&scene->tree, "i/x.png", "x");
	tree_write(&scene->tree, "far/y.png", "y");
	for (unsigned k = 1; k <= 8; k++) {
		struct hf_view_stats stats;

		take(scene, k, 8, &snapshot);
		hf_view_stats(scene->view, &stats);
		for (size_t i = 0; i < snapshot.n; i++) {
			if (strcmp(snapshot.rows[i].path, "css/a.css") != 0)
				continue;
			told++;
			assert_true(stats.digests.files_hashed >= 2);
		}
		if (snapshot.n == 0)
			assert_int_equal(stats.digests.files_hashed, 0);
		hf_snapshot_fini(&snapshot);
	}
	assert_int_equal(told, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(parts_are_the_tree,
						scene_set_up, scene_tear_down),
		cmocka_unit_test_setup_teardown(which_part_is_for_ever,
						scene_set_up, scene_tear_down),
		cmocka_unit_test_setup_teardown(reads_what_a_text_refers_to,
						scene_set_up, scene_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
