/*
 * One state without a second look: what was last changed long before a walk
 * began was as listed when it began. Here the clock is the kernel's own, as
 * stamps are held against it.
 */
#include "tests/unit/scene.h"

#include <pthread.h>

#include "fs/view/walk.h"

/* --- old trees ----------------------------------------------------------------- */

#define N_OLD 22
/* One has a link, and the last one a directory that is never shown. */
#define LINKED (N_OLD - 2)
#define RESERVED (N_OLD - 1)

static struct scene *old[N_OLD];
static size_t n_used;

static void plant(struct scene *scene)
{
	tree_write(&scene->tree, "a/deep/plain.txt", "plain");
	tree_write(&scene->tree, "a/gone.txt", "gone");
	tree_write(&scene->tree, "b/deep/plain.txt", "other");
	tree_write(&scene->tree, "css/x.css", "a{b:url(../img/x.png)}");
	tree_write(&scene->tree, "img/x.png", "x");
	tree_write(&scene->tree, "kept.ico", "kept");
	tree_write(&scene->tree, "top.txt", "top");
}

/* They all grow old together: a ctime cannot be set. */
static int plant_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OLD; i++) {
		void *scene;

		(void)scene_set_up(&scene);
		old[i] = scene;
		plant(old[i]);
	}
	tree_link(&old[LINKED]->tree, "link.txt", "a/deep/plain.txt");
	tree_mkdir(&old[RESERVED]->tree, HF_RESERVED_NAME "/deep");
	usleep(HF_QUIET_NS / 1000 + 100000);
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OLD; i++) {
		void *scene = old[i];

		(void)scene_tear_down(&scene);
	}
	return 0;
}

static struct scene *open_old(struct scene *scene, const char *sources)
{
	atomic_store(&scene_ahead_ns, 0);
	scene_open(scene, sources, "no_default_ignore,keep=*.ico");
	return scene;
}

/* One that was not used yet. */
static struct scene *next_old(void)
{
	assert_true(n_used < LINKED);
	return open_old(old[n_used++], "@");
}

/* --- walks --------------------------------------------------------------------- */

static void walk_begin(struct scene *scene, struct hf_walk *walk)
{
	*walk = (struct hf_walk){.view = scene->view, .wait = &scene->wait};
	walk->since_ns = hf_clock_realtime();
	walk->since_monotonic_ns = hf_clock_monotonic();
}

static void walk_on(struct hf_walk *walk)
{
	assert_int_equal(hf_walk_list(walk), 0);
	assert_int_equal(hf_walk_name(walk), 0);
}

/* Ends the walk with a change that any second look would find. */
static int looks_again(struct scene *scene, struct hf_walk *walk)
{
	int same;

	tree_remove(&scene->tree, "a/gone.txt");
	same = hf_walk_same(walk);
	hf_walk_fini(walk);
	tree_write(&scene->tree, "a/gone.txt", "gone");
	return same == -EAGAIN;
}

static void what_is_old_is_not_looked_at_again(void **state)
{
	struct scene *scene = next_old();
	struct hf_walk walk;

	(void)state;
	walk_begin(scene, &walk);
	walk_on(&walk);
	assert_false(looks_again(scene, &walk));
	/* What is new is. */
	walk_begin(scene, &walk);
	walk_on(&walk);
	assert_true(looks_again(scene, &walk));
}

static void in_place(struct tree *tree)
{
	tree_patch(tree, "a/deep/plain.txt", 0, "P");
}

static void another_mode(struct tree *tree)
{
	tree_chmod(tree, "img/x.png", 0600);
}

static void another_mode_of_a_dir(struct tree *tree)
{
	tree_chmod(tree, "a/deep", 0700);
}

static void an_old_mtime(struct tree *tree)
{
	tree_patch(tree, "a/deep/plain.txt", 0, "P");
	tree_set_mtime(tree, "a/deep/plain.txt", 1);
}

static void one_more(struct tree *tree)
{
	tree_write(tree, "a/deep/new.txt", "new");
}

static void one_less_at_the_top(struct tree *tree)
{
	tree_remove(tree, "top.txt");
}

static void in_place_of_a_kept_one(struct tree *tree)
{
	tree_patch(tree, "kept.ico", 0, "K");
}

static void one_less(struct tree *tree)
{
	tree_remove(tree, "a/deep/plain.txt");
}

static void another_name(struct tree *tree)
{
	tree_rename(tree, "a/deep/plain.txt", "a/deep/other.txt");
}

static void there_and_back(struct tree *tree)
{
	tree_rename(tree, "a/deep", "a/deeper");
	tree_rename(tree, "a/deeper", "a/deep");
}

static void (*const changes[])(struct tree *tree) = {
	in_place,
	another_mode,
	another_mode_of_a_dir,
	an_old_mtime,
	one_more,
	one_less,
	another_name,
	there_and_back,
	one_less_at_the_top,
	in_place_of_a_kept_one,
};

/* Each changes what was so when the walk began. */
static void what_changed_since_is_looked_at_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(changes); i++) {
		struct scene *scene = next_old();
		struct hf_walk walk;

		walk_begin(scene, &walk);
		changes[i](&scene->tree);
		walk_on(&walk);
		if (!looks_again(scene, &walk))
			fail_msg("change %zu counts for nothing", i);
	}
}

static size_t stop_of(const struct hf_walk *walk, const char *dir,
		      const char *name)
{
	for (size_t i = 1; i < walk->n; i++)
		if (strcmp(hf_node_name(walk->stops[i].node), name) == 0 &&
		    strcmp(hf_node_name(walk->stops[i].node->parent), dir) == 0)
			return i;
	fail_msg("no directory %s/%s", dir, name);
	return 0;
}

/* The walk saw "a" before, and what is in it after another directory had taken
 * its place: all stamps are old, but of two states. */
static void another_directory_on_the_way_is_looked_at_again(void **state)
{
	struct scene *scene = next_old();
	struct hf_listing **torn;
	struct hf_walk before;
	struct hf_walk after;

	(void)state;
	walk_begin(scene, &before);
	walk_on(&before);
	tree_rename(&scene->tree, "a", "c");
	tree_rename(&scene->tree, "b", "a");
	walk_begin(scene, &after);
	walk_on(&after);
	torn = &before.stops[stop_of(&before, "a", "deep")].listing;
	hf_listing_unref(*torn);
	*torn = hf_listing_ref(
		after.stops[stop_of(&after, "a", "deep")].listing);
	assert_int_equal(hf_walk_same(&before), -EAGAIN);
	hf_walk_fini(&before);
	hf_walk_fini(&after);
}

/* Another file system may have come to stand there, with the same numbers. */
static void another_file_system_on_the_way_is_looked_at_again(void **state)
{
	struct scene *scene = next_old();
	struct hf_walk walk;

	(void)state;
	walk_begin(scene, &walk);
	walk_on(&walk);
	walk.stops[stop_of(&walk, "a", "deep")].dev++;
	assert_true(looks_again(scene, &walk));
}

/* A change since could bear a stamp from before. */
static void a_clock_that_was_set_back_says_nothing(void **state)
{
	struct scene *scene = next_old();
	struct hf_walk walk;

	(void)state;
	walk_begin(scene, &walk);
	walk_on(&walk);
	atomic_store(&scene_ahead_ns, -HF_QUIET_NS);
	assert_true(looks_again(scene, &walk));
}

/* Where a link leads to may change without a stamp of what was listed. */
static void what_links_lead_to_is_looked_at_again(void **state)
{
	struct scene *scene = open_old(old[LINKED], "@");
	struct hf_walk walk;

	(void)state;
	walk_begin(scene, &walk);
	walk_on(&walk);
	assert_true(looks_again(scene, &walk));
}

/* A text may refer to what is in there, of which no stamp was looked at. */
static void what_is_not_entered_is_looked_at_again(void **state)
{
	struct scene *scene = open_old(old[RESERVED], "@");
	struct hf_walk walk;

	(void)state;
	walk_begin(scene, &walk);
	walk_on(&walk);
	assert_true(looks_again(scene, &walk));
}

static void several_roots_are_looked_at_again(void **state)
{
	struct scene *scene = open_old(old[n_used++], "@:@");
	struct hf_walk walk;

	(void)state;
	walk_begin(scene, &walk);
	walk_on(&walk);
	assert_true(looks_again(scene, &walk));
}

/* --- while it is listed --------------------------------------------------------- */

#define N_MOVED 64

struct mover {
	const struct tree *tree;
	int n;
	unsigned pause_us;
	atomic_bool over;
	pthread_t thread;
};

/* Files that are always there, each under one of two names. */
static void *move(void *arg)
{
	struct mover *mover = arg;
	char x[PATH_MAX];
	char y[PATH_MAX];
	char name[16];

	for (int i = 0; !atomic_load(&mover->over); i = (i + 1) % mover->n) {
		snprintf(name, sizeof(name), "d/x%d", i);
		tree_path(mover->tree, name, x);
		snprintf(name, sizeof(name), "d/y%d", i);
		tree_path(mover->tree, name, y);
		if (rename(x, y) < 0 && rename(y, x) < 0)
			abort();
		if (i == 0)
			usleep(mover->pause_us);
	}
	return NULL;
}

static void mover_start(struct mover *mover)
{
	char name[16];

	for (int i = 0; i < mover->n; i++) {
		snprintf(name, sizeof(name), "d/x%d", i);
		tree_write(mover->tree, name, "x");
	}
	assert_int_equal(pthread_create(&mover->thread, NULL, move, mover), 0);
}

static void mover_end(struct mover *mover)
{
	atomic_store(&mover->over, true);
	pthread_join(mover->thread, NULL);
}

static struct hf_source_list *list_moved(const struct scene *scene)
{
	struct hf_source_list *list;

	assert_int_equal(hf_source_list(scene->view->source, "d", &list), 0);
	return list;
}

/* Do two changes, one after the other, have two stamps? */
static bool stamps_are_fine(const struct tree *tree)
{
	char full[PATH_MAX];
	struct stat before;

	tree_path(tree, "top.txt", full);
	assert_int_equal(chmod(full, 0600), 0);
	before = tree_stat(tree, "top.txt");
	assert_int_equal(chmod(full, 0644), 0);
	return tree_stat(tree, "top.txt").st_ctim.tv_nsec !=
	       before.st_ctim.tv_nsec;
}

/* In a listing that lost some, as they had other names when they were looked
 * at, not all was as it says at any time. */
static void what_moves_while_it_is_listed_never_was(void **state)
{
	struct scene *scene = next_old();
	struct mover mover = {.tree = &scene->tree, .n = N_MOVED};
	size_t torn = 0;

	(void)state;
	if (!stamps_are_fine(&scene->tree))
		skip();
	mover_start(&mover);
	for (int i = 0; i < 20000 && torn < 50; i++) {
		struct hf_source_list *list = list_moved(scene);

		if (hf_source_list_len(list) != N_MOVED) {
			torn++;
			assert_false(hf_source_list_was(
				list, hf_clock_realtime() + HOUR_NS));
		}
		hf_source_list_unref(list);
	}
	mover_end(&mover);
	assert_int_not_equal(torn, 0);
}

/* It is listed again, which helps where not all moves all the time. */
static void what_moves_now_and_then_is_not_lost(void **state)
{
	struct scene *scene = next_old();
	struct mover mover = {.tree = &scene->tree, .n = 1, .pause_us = 2000};

	(void)state;
	if (!stamps_are_fine(&scene->tree))
		skip();
	mover_start(&mover);
	for (int i = 0; i < 20000; i++) {
		struct hf_source_list *list = list_moved(scene);

		assert_int_equal(hf_source_list_len(list), 1);
		hf_source_list_unref(list);
	}
	mover_end(&mover);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_old_is_not_looked_at_again),
		cmocka_unit_test(what_changed_since_is_looked_at_again),
		cmocka_unit_test(
			another_directory_on_the_way_is_looked_at_again),
		cmocka_unit_test(
			another_file_system_on_the_way_is_looked_at_again),
		cmocka_unit_test(a_clock_that_was_set_back_says_nothing),
		cmocka_unit_test(what_links_lead_to_is_looked_at_again),
		cmocka_unit_test(what_is_not_entered_is_looked_at_again),
		cmocka_unit_test(several_roots_are_looked_at_again),
		cmocka_unit_test(what_moves_while_it_is_listed_never_was),
		cmocka_unit_test(what_moves_now_and_then_is_not_lost),
	};

	return cmocka_run_group_tests_name("since", tests, plant_all,
					   remove_all);
}
