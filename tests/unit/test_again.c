/*
 * The second look: what changed at the moment between listing and naming is
 * noticed, by stamps where they vouch for what they were taken with, and by
 * reading where they do not.
 */
#include "tests/unit/scene.h"

#include <sys/mman.h>

#include "fs/view/walk.h"

static void walk_list(struct scene *scene, struct hf_walk *walk)
{
	struct hf_digests_stats before;
	struct hf_digests_stats after;

	*walk = (struct hf_walk){.view = scene->view, .wait = &scene->wait};
	hf_digests_stats(scene->view->digests, &before);
	assert_int_equal(hf_walk_list(walk), 0);
	/* What is read counts as looked at again: so nothing is, before all is
	 * listed. */
	hf_digests_stats(scene->view->digests, &after);
	assert_int_equal(before.files_hashed, after.files_hashed);
}

static void walk_begin(struct scene *scene, struct hf_walk *walk)
{
	walk_list(scene, walk);
	assert_int_equal(hf_walk_name(walk), 0);
}

/* Walks, changes something, and says what the second look says. */
static int look_again_after(struct scene *scene,
			    void (*change)(struct tree *tree))
{
	struct hf_walk walk;
	int same;

	walk_begin(scene, &walk);
	change(&scene->tree);
	same = hf_walk_same(&walk);
	hf_walk_fini(&walk);
	return same;
}

/* Does the walk say what a new one says? */
static bool is_current(struct scene *scene, const struct hf_walk *walk)
{
	struct hf_walk now;
	bool current;

	walk_begin(scene, &now);
	current = now.n == walk->n;
	for (size_t i = 0; i < walk->n && current; i++)
		current = hf_listing_generation(walk->stops[i].listing) ==
			  hf_listing_generation(now.stops[i].listing);
	hf_walk_fini(&now);
	return current;
}

/* Whether a change between listing and naming is noticed, or else what it made
 * is what the walk says. */
static bool is_noticed_between(struct scene *scene,
			       void (*change)(struct tree *tree))
{
	struct hf_walk walk;
	bool good;

	walk_list(scene, &walk);
	change(&scene->tree);
	assert_int_equal(hf_walk_name(&walk), 0);
	good = hf_walk_same(&walk) == -EAGAIN || is_current(scene, &walk);
	hf_walk_fini(&walk);
	return good;
}

static void nothing(struct tree *tree)
{
	(void)tree;
}

static void in_place(struct tree *tree)
{
	tree_patch(tree, "a/deep/plain.txt", 0, "P");
}

static void another_mode(struct tree *tree)
{
	tree_chmod(tree, "a/deep/plain.txt", 0600);
}

static void another_target(struct tree *tree)
{
	tree_patch(tree, "img/x.png", 0, "X");
}

static void one_more(struct tree *tree)
{
	tree_write(tree, "a/deep/new.txt", "new");
}

static void one_more_dir(struct tree *tree)
{
	tree_mkdir(tree, "a/deep/new");
}

static void one_less(struct tree *tree)
{
	tree_remove(tree, "a/deep/plain.txt");
}

static void replaced(struct tree *tree)
{
	tree_replace(tree, "a/deep/plain.txt", "Plain");
}

static void plant(struct scene *scene)
{
	tree_write(&scene->tree, "a/deep/plain.txt", "plain");
	tree_write(&scene->tree, "css/x.css", "a{b:url(../img/x.png)}");
	tree_write(&scene->tree, "img/x.png", "x");
	scene_open(scene, "@", "");
}

static void what_is_the_same_is_the_same(void **state)
{
	plant(*state);
	assert_int_equal(look_again_after(*state, nothing), 0);
	/* Nothing is quiet: it is found out in another way. */
	atomic_store(&scene_ahead_ns, 0);
	assert_int_equal(look_again_after(*state, nothing), 0);
}

static void (*const changes[])(struct tree *tree) = {
	in_place,     another_mode, another_target, one_more,
	one_more_dir, replaced,     one_less,
};

/* What was not read by the walk itself, as its digest was known. */
static void what_changed_is_noticed(void **state)
{
	plant(*state);
	assert_int_equal(look_again_after(*state, nothing), 0);
	for (size_t i = 0; i < HF_ARRAY_SIZE(changes); i++) {
		if (look_again_after(*state, changes[i]) != -EAGAIN)
			fail_msg("change %zu was not noticed", i);
		assert_int_equal(look_again_after(*state, nothing), 0);
	}
}

static void forget(struct scene *scene)
{
	scene_close(scene);
	scene_open(scene, "@", "");
}

/* Whatever was read by the walk, or was not. */
static void what_changed_between_is_noticed(void **state)
{
	plant(*state);
	for (size_t i = 0; i < HF_ARRAY_SIZE(changes); i++) {
		if (!is_noticed_between(*state, changes[i]))
			fail_msg("change %zu was not noticed", i);
		forget(*state);
		assert_int_equal(look_again_after(*state, nothing), 0);
		forget(*state);
	}
}

/* It was one state, as names and bytes were taken when nothing had changed
 * yet; another directory is another listing. */
static void what_was_read_is_not_looked_at_again(void **state)
{
	plant(*state);
	assert_int_equal(look_again_after(*state, in_place), 0);
	forget(*state);
	assert_int_equal(look_again_after(*state, one_less), -EAGAIN);
}

static size_t stop_of(const struct hf_walk *walk, const char *name)
{
	for (size_t i = 0; i < walk->n; i++)
		if (strcmp(hf_node_name(walk->stops[i].node), name) == 0)
			return i;
	fail_msg("no directory %s", name);
	return 0;
}

/* A text was named by a target that had become another one when its own
 * directory was looked at. */
static void a_torn_name_is_noticed(void **state)
{
	struct scene *scene = *state;
	struct hf_walk before;
	struct hf_walk after;
	struct hf_listing **listing;
	struct hf_graph *graph;

	plant(scene);
	walk_begin(scene, &before);
	tree_patch(&scene->tree, "img/x.png", 0, "X");
	walk_begin(scene, &after);
	assert_int_equal(hf_walk_same(&after), 0);
	graph = after.graph;
	after.graph = before.graph;
	before.graph = graph;
	listing = &after.stops[stop_of(&after, "css")].listing;
	hf_listing_unref(*listing);
	*listing =
		hf_listing_ref(before.stops[stop_of(&before, "css")].listing);
	assert_int_equal(hf_walk_same(&after), -EAGAIN);
	hf_walk_fini(&after);
	hf_walk_fini(&before);
}

/* Names and bytes are the same again; what was told meanwhile need not be. */
static void there_and_back_is_noticed(void **state)
{
	struct scene *scene = *state;
	struct hf_walk walk;

	tree_write(&scene->tree, "x.png", "x");
	plant(scene);
	atomic_store(&scene_ahead_ns, 0);
	walk_begin(scene, &walk);
	usleep(20000); /* a tick of the clock */
	tree_rename(&scene->tree, "x.png", "y.png");
	tree_rename(&scene->tree, "y.png", "x.png");
	assert_int_equal(hf_walk_same(&walk), -EAGAIN);
	hf_walk_fini(&walk);
}

/* A store through mmap(2) into a page that is dirty already leaves no stamp:
 * so a stamp that is not quiet says nothing. */
static void what_left_no_stamp_is_noticed(void **state)
{
	struct scene *scene = *state;
	struct hf_walk walk;
	char full[PATH_MAX];
	struct stat before;
	char *bytes;
	int fd;

	plant(scene);
	atomic_store(&scene_ahead_ns, 0);
	fd = open(tree_path(&scene->tree, "a/deep/plain.txt", full), O_RDWR);
	assert_true(fd >= 0);
	bytes = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(bytes != MAP_FAILED);
	close(fd);
	/* The directory is quiet by then, the file is not. */
	usleep(HF_QUIET_NS / 1000 + 100000);
	bytes[0] = 'q';
	walk_begin(scene, &walk);
	before = tree_stat(&scene->tree, "a/deep/plain.txt");
	bytes[0] = 'r';
	if (tree_stat(&scene->tree, "a/deep/plain.txt").st_ctim.tv_nsec ==
	    before.st_ctim.tv_nsec)
		assert_int_equal(hf_walk_same(&walk), -EAGAIN);
	munmap(bytes, 5);
	hf_walk_fini(&walk);
}

#define AGAIN(test)                                                            \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AGAIN(what_is_the_same_is_the_same),
		AGAIN(what_changed_is_noticed),
		AGAIN(what_changed_between_is_noticed),
		AGAIN(what_was_read_is_not_looked_at_again),
		AGAIN(a_torn_name_is_noticed),
		AGAIN(there_and_back_is_noticed),
		AGAIN(what_left_no_stamp_is_noticed),
	};

	return cmocka_run_group_tests_name("again", tests, NULL, NULL);
}
