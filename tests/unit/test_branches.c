/* fs/view/branches.c: all directories of a tree, listed. */
#include "tests/unit/scene.h"

#include "fs/view/walk.h"

/* The paths of a walk's directories, in its order. */
static void show(const struct hf_walk *walk, struct hf_buf *ret)
{
	hf_buf_puts(ret, "");
	for (size_t i = 0; i < walk->n; i++) {
		hf_buf_puts(ret, i ? " " : "");
		hf_node_path(walk->stops[i].node, ret);
		if (walk->stops[i].error)
			hf_buf_printf(ret, "!%d", -walk->stops[i].error);
	}
}

static void assert_listed(struct scene *scene, const char *expected)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf shown = {0};
	struct hf_walk walk = {.view = scene->view, .wait = &scene->wait};

	assert_int_equal(hf_walk_list(&walk), 0);
	show(&walk, &shown);
	assert_string_equal(shown.data, expected);
	hf_walk_fini(&walk);
}

/* Whichever is listed first: small ones are beside a large one. */
static void they_stand_in_the_order_of_names(void **state)
{
	struct scene *scene = *state;
	char name[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "a/%d", i);
		tree_write(&scene->tree, name, "");
	}
	tree_mkdir(&scene->tree, "a/z/deep/er");
	tree_mkdir(&scene->tree, "a/b");
	tree_mkdir(&scene->tree, "b/a");
	tree_mkdir(&scene->tree, "c");
	tree_mkdir(&scene->tree, ".hidden/a");
	tree_mkdir(&scene->tree, ".hashedfs/a");
	scene_open(scene, "@", "no_default_ignore,ignore=.hidden");
	for (int i = 0; i < 20; i++)
		assert_listed(scene, " a b c a/b a/z b/a a/z/deep a/z/deep/er");
}

/* The directories of a listing are the stops that the walk has of them. */
static size_t assert_entered(const struct hf_walk *walk,
			     const struct hf_stop *stop)
{
	size_t child = stop->first_child;

	for (size_t i = 0; i < hf_listing_len(stop->listing); i++) {
		const struct hf_entry *entry =
			hf_listing_entry(stop->listing, i);

		if (entry->kind != HF_KIND_DIR)
			continue;
		assert_true(child < walk->n);
		assert_ptr_equal(walk->stops[child].node->parent, stop->node);
		assert_string_equal(hf_node_name(walk->stops[child].node),
				    entry->name);
		child++;
	}
	return child - stop->first_child;
}

/* No more and no less: nobody looks whether there are others. */
static void they_are_those_of_the_listings(void **state)
{
	struct scene *scene = *state;
	struct hf_walk walk = {.wait = &scene->wait};
	size_t n = 1;

	tree_write(&scene->tree, "x/both", "a file");
	tree_mkdir(&scene->tree, "x/.hashedfs/a");
	tree_mkdir(&scene->tree, "x/a/.hashedfs");
	tree_mkdir(&scene->tree, "y/a/b");
	tree_mkdir(&scene->tree, "y/both/c");
	scene_open(scene, "@/x:@/y:p/q=@/y", "no_default_ignore");
	walk.view = scene->view;
	assert_int_equal(hf_walk_list(&walk), 0);
	assert_int_equal(hf_walk_name(&walk), 0);
	for (size_t i = 0; i < walk.n; i++)
		n += assert_entered(&walk, &walk.stops[i]);
	assert_int_equal(n, walk.n);
	assert_int_equal(n, 10);
	hf_walk_fini(&walk);
}

static void what_cannot_be_listed_has_its_place(void **state)
{
	struct scene *scene = *state;

	tree_mkdir(&scene->tree, "a/x");
	tree_mkdir(&scene->tree, "b/y");
	tree_chmod(&scene->tree, "a", 0);
	scene_open(scene, "@", "");
	if (!tree_drop_root(&scene->tree))
		skip();
	assert_listed(scene, " a!13 b b/y");
	tree_regain_root();
	tree_chmod(&scene->tree, "a", 0755);
}

static void a_tree_may_be_deep(void **state)
{
	struct scene *scene = *state;
	struct hf_walk walk = {.wait = &scene->wait};
	char path[2 * 1500 + 1] = "";

	for (size_t i = 0; i < 1500; i++)
		strcpy(path + 2 * i, "d/");
	path[sizeof(path) - 2] = '\0';
	tree_mkdir(&scene->tree, path);
	scene_open(scene, "@", "");
	walk.view = scene->view;
	assert_int_equal(hf_walk_list(&walk), 0);
	assert_int_equal(walk.n, 1501);
	assert_int_equal(walk.stops[1499].first_child, 1500);
	hf_walk_fini(&walk);
}

/* The listing goes on without its asker, and is gone when the view is. */
static void who_is_interrupted_leaves(void **state)
{
	struct scene *scene = *state;
	struct hf_progress progress = {0};
	struct hf_walk walk = {.wait = &scene->wait, .progress = &progress};
	uint64_t files;

	tree_write(&scene->tree, "a/b/c/d", "");
	scene_open(scene, "@", "");
	walk.view = scene->view;
	hf_wait_interrupt(&scene->wait);
	assert_int_equal(hf_walk_list(&walk), -EINTR);
	assert_int_equal(walk.n, 0);
	hf_walk_fini(&walk);
	files = atomic_load(&progress.files);
	scene_close(scene);
	assert_int_equal(atomic_load(&progress.files), files);
}

int main(void)
{
#define BRANCHES(test)                                                         \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		BRANCHES(they_stand_in_the_order_of_names),
		BRANCHES(they_are_those_of_the_listings),
		BRANCHES(what_cannot_be_listed_has_its_place),
		BRANCHES(a_tree_may_be_deep),
		BRANCHES(who_is_interrupted_leaves),
	};

	return cmocka_run_group_tests_name("branches", tests, NULL, NULL);
}
