/*
 * fs/view/graph.c: one question fails in the middle, and the next one of the
 * same graph is answered nevertheless.
 */
#include "tests/unit/scene.h"

#include "fs/view/graph.h"

#define TEXT "a{background:url(x.png)}"

static int name(struct scene *scene, struct hf_graph *graph, const char *path)
{
	struct hf_named named;

	return hf_graph_name(graph, path, &scene->wait, &named);
}

static struct hf_graph *graph_new(struct scene *scene)
{
	struct hf_graph *graph = NULL;

	assert_int_equal(hf_graph_new(scene->view, &graph), 0);
	return graph;
}

/* Its links are known, its bytes have just gone: it cannot be rewritten. */
static void a_text_that_changes_spoils_no_other(void **state)
{
	struct scene *scene = *state;
	struct hf_source_entry entry = {.name = "one.css"};
	struct hf_fact fact = {.size = strlen(TEXT)};
	struct hf_graph *graph;

	assert_int_equal(hf_hash(hf_algorithm_find("md5"), TEXT, strlen(TEXT),
				 &fact.digest),
			 0);
	tree_write(&scene->tree, "a/one.css", TEXT);
	tree_write(&scene->tree, "a/two.css", TEXT "/* two */");
	tree_write(&scene->tree, "a/x.png", "before");
	scene_open(scene, "@/a", "");
	graph = graph_new(scene);
	assert_int_equal(name(scene, graph, "one.css"), 0);
	hf_graph_free(graph);

	tree_replace(&scene->tree, "a/one.css", TEXT "/* changed */");
	tree_replace(&scene->tree, "a/x.png", "after");
	graph = graph_new(scene);
	assert_int_equal(hf_graph_know(graph, "one.css", &entry, &fact, NULL),
			 0);
	assert_int_equal(name(scene, graph, "one.css"), -ESTALE);
	assert_int_equal(name(scene, graph, "two.css"), 0);
	assert_int_equal(name(scene, graph, "one.css"), 0);
	hf_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_text_that_changes_spoils_no_other, scene_set_up,
			scene_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
