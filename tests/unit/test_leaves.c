/*
 * fs/view/leaves.c: texts that are named side by side have the names that each of
 * them is given alone.
 */
#include "tests/unit/scene.h"

#include "fs/view/relay.h"

#define TEXTS 40
#define LEVELS 5
#define PATH_LEN 64

static void text_path(int level, int i, char ret[PATH_LEN])
{
	snprintf(ret, PATH_LEN, "d%d/t%d-%d.css", i % 3, level, i);
}

/* Texts of the first level refer to an image, those above to two of the level
 * below; one in eight to what is not there. */
static void write_levels(struct scene *scene)
{
	tree_write(&scene->tree, "img/x.png", "image");
	for (int level = 0; level < LEVELS; level++) {
		for (int i = 0; i < TEXTS; i++) {
			char path[PATH_LEN];
			char below[2][PATH_LEN] = {"img/x.png", "none.png"};
			struct hf_buf text = {0};

			if (level > 0)
				text_path(level - 1, i, below[0]);
			if (level > 0 && i % 8)
				text_path(level - 1, (i + 1) % TEXTS, below[1]);
			hf_buf_printf(&text,
				      "a{b:url(../%s)} i%d{c:url(\"../%s#f\")}",
				      below[0], i, below[1]);
			text_path(level, i, path);
			tree_write(&scene->tree, path, text.data);
			hf_buf_fini(&text);
		}
	}
}

/* What cannot be named so, or only with a second look. */
static void write_others(struct scene *scene)
{
	tree_write(&scene->tree, "circle/a.css", "@import 'b.css';");
	tree_write(&scene->tree, "circle/b.css", "@import \"a.css\";");
	tree_write(&scene->tree, "circle/self.css", "@import url(self.css);");
	tree_write(&scene->tree, "circle/on.css",
		   "@import 'a.css'; a{b:url(../img/x.png)}");
	/* Once the URL is quoted, no comment begins in it. */
	tree_write(&scene->tree, "late/x/*y.png", "image");
	tree_write(&scene->tree, "late/z.css", "a{b:url(../img/x.png)}");
	tree_write(&scene->tree, "late/late.css",
		   "a{b:url(x/*y.png)} @import 'z.css'; /* */");
	tree_write(&scene->tree, "js/app.js",
		   "1\n//# sourceMappingURL=app.map");
	tree_write(&scene->tree, "js/app.map", "{}");
	tree_write(&scene->tree, "js/gone.js",
		   "1\n//# sourceMappingURL=no.map");
	tree_write(&scene->tree, "js/empty.js", "");
}

static void take(struct scene *scene, struct hf_snapshot *ret)
{
	*ret = (struct hf_snapshot){0};
	assert_int_equal(hf_view_snapshot(scene->view, &scene->wait, NULL, ret),
			 0);
}

/* A graph of its own for each text, and so no leaves. */
static void assert_named_alone(struct scene *scene, const struct hf_row *row)
{
	struct hf_graph *graph = NULL;
	struct hf_named named;

	assert_int_equal(hf_graph_new(scene->view, &graph), 0);
	assert_int_equal(hf_graph_name(graph, row->path, &scene->wait, &named),
			 0);
	assert_true(hf_digest_equal(&named.name, &row->name_digest));
	assert_true(hf_digest_equal(&named.content, &row->content_digest));
	assert_int_equal(named.size, row->size);
	hf_graph_free(graph);
}

static uint64_t files_hashed(struct scene *scene)
{
	struct hf_view_stats stats;

	hf_view_stats(scene->view, &stats);
	return stats.digests.files_hashed;
}

static void assert_all_named_alone(struct scene *scene,
				   const struct hf_snapshot *snapshot)
{
	/* Nothing is remembered. */
	scene_open(scene, "@", "");
	for (size_t i = 0; i < snapshot->n; i++)
		if (hf_view_is_text(scene->view, snapshot->rows[i].path))
			assert_named_alone(scene, &snapshot->rows[i]);
}

static void names_are_those_of_each_alone(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	write_levels(scene);
	write_others(scene);
	scene_open(scene, "@", "");
	take(scene, &snapshot);
	assert_int_equal(snapshot.n, TEXTS * LEVELS + 12);
	assert_all_named_alone(scene, &snapshot);
	hf_snapshot_fini(&snapshot);
}

/* Bytes that there was no room for are read again. */
static void without_room_for_bytes(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	write_levels(scene);
	write_others(scene);
	scene_open(scene, "@", "");
	scene->view->held.max = 0;
	take(scene, &snapshot);
	assert_true(files_hashed(scene) >= snapshot.n + TEXTS * LEVELS);
	assert_all_named_alone(scene, &snapshot);
	hf_snapshot_fini(&snapshot);
}

/* The bytes of a text are held until it is named, and no longer. */
static void texts_are_read_once(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	write_levels(scene);
	scene_open(scene, "@", "");
	take(scene, &snapshot);
	assert_int_equal(files_hashed(scene), snapshot.n);
	hf_snapshot_fini(&snapshot);
	/* The walk is freed in the pool. */
	for (int i = 0; i < 1000 && atomic_load(&scene->view->held.bytes); i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	assert_int_equal(atomic_load(&scene->view->held.bytes), 0);
}

static bool is_done(const struct hf_graph *graph, const char *path)
{
	return hf_graph_find(graph, path) != NULL;
}

/* All levels, and nothing that hangs on a circle or has late links. */
static void leaves_are_named_together(void **state)
{
	struct scene *scene = *state;
	struct hf_graph *graph;
	struct hf_vertex *vertex;
	char path[PATH_LEN];

	write_levels(scene);
	write_others(scene);
	scene_open(scene, "@", "");
	assert_int_equal(hf_graph_new(scene->view, &graph), 0);
	for (int i = 0; i < TEXTS; i++) {
		text_path(LEVELS - 1, i, path);
		assert_int_equal(hf_graph_enter(graph, path, &vertex), 0);
	}
	assert_int_equal(hf_graph_enter(graph, "circle/on.css", &vertex), 0);
	assert_int_equal(hf_graph_enter(graph, "late/late.css", &vertex), 0);
	assert_int_equal(hf_graph_explore_all(graph, &scene->wait), 0);
	assert_int_equal(hf_graph_name_leaves(graph, 0, &scene->wait), 0);
	for (int level = 0; level < LEVELS; level++) {
		for (int i = 0; i < TEXTS; i++) {
			text_path(level, i, path);
			assert_true(is_done(graph, path));
		}
	}
	assert_false(is_done(graph, "circle/a.css"));
	assert_false(is_done(graph, "circle/on.css"));
	assert_false(is_done(graph, "late/late.css"));
	hf_graph_free(graph);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(names_are_those_of_each_alone),
		TEST(without_room_for_bytes),
		TEST(texts_are_read_once),
		TEST(leaves_are_named_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
