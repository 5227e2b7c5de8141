/*
 * fs/view/references.c: which file of a tree refers to which. References are
 * compared as lines of "path target".
 */
#include "tests/unit/flipper.h"

static void assert_references(struct scene *scene, const char *expected)
{
	struct hf_references references;
	struct hf_snapshot snapshot;
	struct hf_buf text = {0};

	assert_int_equal(hf_view_references(scene->view, &scene->wait, NULL,
					    &snapshot, &references),
			 0);
	hf_buf_puts(&text, "");
	for (size_t i = 0; i < references.n; i++)
		hf_buf_printf(&text, "%s %s\n", references.rows[i].path,
			      references.rows[i].target);
	assert_string_equal(text.data, expected);
	assert_int_equal(references.generation, snapshot.generation);
	hf_buf_fini(&text);
	hf_snapshot_fini(&snapshot);
	hf_references_fini(&references);
}

static void put(struct scene *scene, const char *path, const char *text)
{
	tree_write(&scene->tree, path, text);
}

static void put_tree(struct scene *scene)
{
	put(scene, "css/all.css",
	    "@import 'one.css'; a{b:url(../img/x.png), url('../img/x.png?q'),"
	    "url(../img/), url(../img), url(no.png), "
	    "url(https://example.com/y.png)}");
	put(scene, "css/one.css", "@import 'two.css'; a{b:url(kept.png)}");
	put(scene, "css/two.css", "@import 'one.css';");
	put(scene, "css/kept.png", "kept");
	put(scene, "css/latin.css", "\xe9 url(kept.png)");
	put(scene, "img/x.png", "x");
	put(scene, "js/a.js", "a\n//# sourceMappingURL=a.js.map\n");
	put(scene, "js/a.js.map", "{}");
	put(scene, "page.html", "<link href='css/all.css'>");
}

#define REFERENCES                                                             \
	"css/all.css css/one.css\n"                                            \
	"css/all.css img/x.png\n"                                              \
	"css/one.css css/kept.png\n"                                           \
	"css/one.css css/two.css\n"                                            \
	"css/two.css css/one.css\n"                                            \
	"js/a.js js/a.js.map\n"

static void each_pair_is_told_once(void **state)
{
	struct scene *scene = *state;

	put_tree(scene);
	scene_open(scene, "@", "keep=css/kept.png");
	assert_references(scene, REFERENCES);
}

/* Texts that were named before, and so are not read again. */
static void it_is_told_again(void **state)
{
	struct scene *scene = *state;

	put_tree(scene);
	scene_open(scene, "@", "");
	assert_references(scene, REFERENCES);
	assert_references(scene, REFERENCES);
	put(scene, "css/one.css", "@import 'latin.css';");
	assert_references(scene, "css/all.css css/one.css\n"
				 "css/all.css img/x.png\n"
				 "css/one.css css/latin.css\n"
				 "css/two.css css/one.css\n"
				 "js/a.js js/a.js.map\n");
}

static void a_frozen_view_tells_its_own(void **state)
{
	struct scene *scene = *state;

	put_tree(scene);
	scene_open(scene, "@", "");
	assert_int_equal(hf_view_freeze(scene->view, false, &scene->wait, NULL),
			 0);
	put(scene, "css/one.css", "a{}");
	assert_references(scene, REFERENCES);
}

static int count_references(struct scene *scene)
{
	struct hf_references references;
	int error = hf_view_references(scene->view, &scene->wait, NULL, NULL,
				       &references);
	int n;

	if (error < 0)
		return error;
	n = (int)references.n;
	hf_references_fini(&references);
	return n;
}

/* In every state of this tree one of both references leads to a file. */
static void references_are_of_one_state(void **state)
{
	flipper_ask(*state, 60, count_references);
}

static void *ask(void *arg)
{
	struct scene *scene = arg;
	struct hf_references references;
	struct hf_wait wait;

	hf_wait_init(&wait);
	assert_int_equal(
		hf_view_references(scene->view, &wait, NULL, NULL, &references),
		0);
	assert_int_equal(references.n, 6);
	hf_references_fini(&references);
	hf_wait_fini(&wait);
	return NULL;
}

static void ask_at_once(struct scene *scene)
{
	pthread_t threads[8];

	for (size_t i = 0; i < HF_ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, scene),
				 0);
	for (size_t i = 0; i < HF_ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
}

static void many_may_ask(void **state)
{
	struct scene *scene = *state;

	put_tree(scene);
	scene_open(scene, "@", "");
	ask_at_once(scene);
	assert_int_equal(hf_view_freeze(scene->view, false, &scene->wait, NULL),
			 0);
	ask_at_once(scene);
}

static void who_rewrites_nothing_has_none(void **state)
{
	struct scene *scene = *state;

	put_tree(scene);
	scene_open(scene, "@", "refs=none");
	assert_references(scene, "");
}

static void what_cannot_be_read_has_none(void **state)
{
	struct scene *scene = *state;

	put(scene, "a.css", "@import 'b.css';");
	put(scene, "b.css", "@import 'c.css';");
	put(scene, "c.css", "c");
	tree_link(&scene->tree, "d.css", "nowhere.css");
	scene_open(scene, "@", "");
	assert_references(scene, "a.css b.css\nb.css c.css\n");
}

static void it_can_be_interrupted(void **state)
{
	struct scene *scene = *state;
	struct hf_references references;

	put_tree(scene);
	scene_open(scene, "@", "");
	hf_wait_interrupt(&scene->wait);
	assert_int_equal(hf_view_references(scene->view, &scene->wait, NULL,
					    NULL, &references),
			 -EINTR);
}

int main(void)
{
#define SCENE(test)                                                            \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE(each_pair_is_told_once),
		SCENE(it_is_told_again),
		SCENE(a_frozen_view_tells_its_own),
		SCENE(references_are_of_one_state),
		SCENE(many_may_ask),
		SCENE(who_rewrites_nothing_has_none),
		SCENE(what_cannot_be_read_has_none),
		SCENE(it_can_be_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
