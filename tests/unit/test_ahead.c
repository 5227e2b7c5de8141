/*
 * fs/view/ahead.c: directories are named before they are opened, for who goes
 * through a tree, and nothing rests on it.
 */
#include "tests/unit/scene.h"

#include "fs/view/ahead.h"

#define N_DIRS 6
#define N_LARGE 200

/* --- a tree, and a reader that goes through it --------------------------- */

/* d0 to d5, each with a file, and a directory "in" with another one. */
static void write_tree(struct scene *scene)
{
	char path[64];

	tree_write(&scene->tree, "top.bin", "top");
	for (int i = 0; i < N_DIRS; i++) {
		snprintf(path, sizeof(path), "d%d", i);
		tree_mkdir(&scene->tree, path);
		snprintf(path, sizeof(path), "d%d/in", i);
		tree_mkdir(&scene->tree, path);
		snprintf(path, sizeof(path), "d%d/f.bin", i);
		tree_write(&scene->tree, path, path);
		snprintf(path, sizeof(path), "d%d/in/g.bin", i);
		tree_write(&scene->tree, path, path);
	}
}

static void open_ahead(struct scene *scene)
{
	scene_open(scene, "@", "");
	hf_view_watch(scene->view);
	assert_int_equal(hf_view_go_ahead(scene->view), 0);
}

/* As an opening does: what is vouched for and no longer held is made anew. */
static struct hf_listing *list(struct scene *scene, struct hf_node *dir)
{
	struct hf_listing *listing;
	struct hf_grounds grounds;
	uint64_t generation;

	assert_int_equal(hf_view_list_again(scene->view, dir, &scene->wait,
					    &grounds, &generation, &listing),
			 0);
	if (!listing)
		assert_int_equal(hf_view_list_anew(scene->view, dir,
						   &scene->wait, &grounds,
						   &listing),
				 0);
	return listing;
}

/* The node of a directory's entry, as a reader of the listing has it. */
static struct hf_node *child(struct scene *scene, struct hf_node *dir,
			     const struct hf_listing *listing,
			     const char *source)
{
	struct hf_node *node = NULL;

	for (size_t i = 0; i < hf_listing_len(listing) && !node; i++)
		if (strcmp(hf_listing_entry(listing, i)->source, source) == 0)
			assert_int_equal(hf_view_node(scene->view, dir, listing,
						      i, &node),
					 0);
	assert_non_null(node);
	return node;
}

/* Lists the directory of that name, of which nothing is kept. */
static void visit(struct scene *scene, const struct hf_listing *top,
		  const char *name)
{
	struct hf_node *node = child(scene, scene->top, top, name);

	hf_listing_unref(list(scene, node));
	hf_node_unref(node);
}

static uint64_t hashed(struct scene *scene)
{
	struct hf_view_stats stats;

	hf_view_stats(scene->view, &stats);
	return stats.digests.files_hashed;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* At least so many, in time, and never more than `most`. */
static bool comes_to(struct scene *scene, uint64_t files, uint64_t most)
{
	for (int i = 0; i < 1000 && hashed(scene) < files; i++)
		pause_ms(10);
	pause_ms(50);
	return hashed(scene) >= files && hashed(scene) <= most;
}

/* --- what is named ahead ------------------------------------------------- */

static void what_comes_next_is_named(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *top;

	write_tree(scene);
	open_ahead(scene);
	top = list(scene, scene->top);
	visit(scene, top, "d0");
	/* Four are ahead of it at first: d0/in, d1, d1/in and d2. If the last
	 * three were begun before d0 was known, d2/in was, too. */
	assert_true(comes_to(scene, 2 + 4, 2 + 5));
	visit(scene, top, "d1");
	visit(scene, top, "d2");
	assert_true(comes_to(scene, 1 + 2 * N_DIRS, 1 + 2 * N_DIRS));
	hf_listing_unref(top);
}

static void nothing_is_named_for_who_lists_one_directory(void **state)
{
	struct scene *scene = *state;

	write_tree(scene);
	open_ahead(scene);
	hf_listing_unref(list(scene, scene->top));
	hf_listing_unref(list(scene, scene->top));
	pause_ms(50);
	assert_int_equal(hashed(scene), 1);
}

static void what_the_reader_passes_over_is_not_named(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *top;

	write_tree(scene);
	open_ahead(scene);
	top = list(scene, scene->top);
	visit(scene, top, "d4");
	assert_true(comes_to(scene, 1 + 4, 1 + 4)); /* d4, d4/in, d5, d5/in */
	hf_listing_unref(top);
}

static void a_large_directory_is_left(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *top;
	char path[64];

	tree_mkdir(&scene->tree, "a");
	tree_mkdir(&scene->tree, "b");
	tree_mkdir(&scene->tree, "c");
	tree_write(&scene->tree, "c/f.bin", "f");
	for (int i = 0; i < N_LARGE; i++) {
		snprintf(path, sizeof(path), "b/f%d.bin", i);
		tree_write(&scene->tree, path, "");
	}
	open_ahead(scene);
	top = list(scene, scene->top);
	visit(scene, top, "a");
	assert_true(comes_to(scene, 1, 1)); /* c/f.bin */
	visit(scene, top, "b");
	assert_int_equal(hashed(scene), 1 + N_LARGE);
	hf_listing_unref(top);
}

/* Once nothing more is read. */
static uint64_t hashed_in_the_end(struct scene *scene)
{
	uint64_t before;

	do {
		before = hashed(scene);
		pause_ms(300);
	} while (hashed(scene) > before);
	return before;
}

/* What was read for names is kept for who opens the files, but not for ever
 * more of them: 16 MiB, and what had been begun before that was known. */
static void no_more_is_named_than_is_kept(void **state)
{
	static const char mebibyte[1024 * 1024];
	struct scene *scene = *state;
	uint64_t small = 1 + 2 * N_DIRS;
	struct hf_listing *top;
	char path[64];

	write_tree(scene);
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "e%02d/f.bin", i);
		tree_make_parents(&scene->tree, path);
		tree_write_bytes(&scene->tree, path, mebibyte,
				 sizeof(mebibyte));
	}
	open_ahead(scene);
	top = list(scene, scene->top);
	for (int i = 0; i < N_DIRS; i++) {
		snprintf(path, sizeof(path), "d%d", i);
		visit(scene, top, path);
	}
	assert_true(hashed_in_the_end(scene) <= small + 17);
	hf_listing_unref(top);
}

/* --- and what that changes ----------------------------------------------- */

static void an_opening_reads_nothing_again(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_listing *top;
	struct hf_node *node;
	uint64_t before;

	write_tree(scene);
	open_ahead(scene);
	top = list(scene, scene->top);
	node = child(scene, scene->top, top, "d1");
	visit(scene, top, "d0");
	assert_true(comes_to(scene, 6, 7));
	hf_ahead_free(scene->view->ahead); /* only that it does not go on */
	scene->view->ahead = NULL;
	before = hashed(scene);
	listing = list(scene, node);
	assert_int_equal(hf_listing_len(listing), 2);
	assert_int_equal(hashed(scene), before);
	hf_listing_unref(listing);
	hf_node_unref(node);
	hf_listing_unref(top);
}

/* Whoever got a node before the directory was named has the one that was. */
static void a_node_is_the_one_that_is_named(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *top;
	struct hf_node *early;
	struct hf_node *late;

	write_tree(scene);
	open_ahead(scene);
	top = list(scene, scene->top);
	early = child(scene, scene->top, top, "d2");
	late = child(scene, scene->top, top, "d2");
	assert_ptr_equal(early, late);
	hf_node_unref(early);
	hf_node_unref(late);
	late = scene_node(scene, "d2");
	assert_ptr_equal(early, late);
	hf_node_unref(late);
	hf_listing_unref(top);
}

static void what_changed_since_is_seen(void **state)
{
	struct scene *scene = *state;
	char name[NAME_MAX + 1];
	struct hf_listing *listing;
	struct hf_listing *top;
	struct hf_node *node;

	write_tree(scene);
	open_ahead(scene);
	top = list(scene, scene->top);
	node = child(scene, scene->top, top, "d1");
	visit(scene, top, "d0");
	assert_true(comes_to(scene, 6, 7));
	tree_tick();
	tree_write(&scene->tree, "d1/f.bin", "changed");
	tree_write(&scene->tree, "d1/new.bin", "new");
	listing = list(scene, node);
	assert_int_equal(hf_listing_len(listing), 3);
	assert_string_equal(scene_entry(listing, "f.bin")->name,
			    scene_name("f", ".bin", "changed", name));
	hf_listing_unref(listing);
	hf_node_unref(node);
	hf_listing_unref(top);
}

static void a_view_ends_in_the_middle_of_it(void **state)
{
	struct scene *scene = *state;

	write_tree(scene);
	for (int i = 0; i < 20; i++) {
		struct hf_listing *top;

		open_ahead(scene);
		top = list(scene, scene->top);
		visit(scene, top, "d0");
		hf_listing_unref(top);
		pause_ms(i % 4);
	}
}

#define IN_SCENE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)

/* --- what is let go ----------------------------------------------------------- */

static bool is_held(struct scene *scene, const struct hf_node *dir)
{
	struct hf_listing *listing = hf_recent_get(&scene->view->recent, dir);
	bool held = listing;

	hf_listing_unref(listing);
	return held;
}

/* Looks without asking for any. */
static size_t n_held(struct scene *scene)
{
	struct hf_recent *recent = &scene->view->recent;
	size_t n = 0;

	pthread_mutex_lock(&recent->lock);
	for (size_t i = 0; i < HF_RECENT; i++)
		n += recent->slots[i].listing != NULL;
	pthread_mutex_unlock(&recent->lock);
	return n;
}

static void what_nobody_asks_for_is_let_go(void **state)
{
	struct scene *scene = *state;
	struct hf_recent *recent;
	int64_t now;
	bool gone;

	write_tree(scene);
	scene_open(scene, "@", "");
	recent = &scene->view->recent;
	hf_listing_unref(list(scene, scene->top));
	now = hf_clock_monotonic();
	assert_true(hf_recent_rest(recent, now + HOUR_NS / 3600, &gone));
	assert_false(gone);
	assert_true(is_held(scene, scene->top));
	assert_false(hf_recent_rest(recent, now + HOUR_NS, &gone));
	assert_true(gone);
	assert_false(is_held(scene, scene->top));
	assert_false(hf_recent_rest(recent, now + HOUR_NS, &gone));
	assert_false(gone);
	/* The next one is as good. */
	hf_listing_unref(list(scene, scene->top));
	assert_true(is_held(scene, scene->top));
}

static void listings_go_by_themselves(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *top;

	write_tree(scene);
	open_ahead(scene);
	top = list(scene, scene->top);
	visit(scene, top, "d1");
	hf_listing_unref(top);
	assert_true(n_held(scene) > 0);
	for (int i = 0; i < 3000 && n_held(scene) > 0; i++)
		pause_ms(10);
	assert_int_equal(n_held(scene), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCENE(what_comes_next_is_named),
		IN_SCENE(nothing_is_named_for_who_lists_one_directory),
		IN_SCENE(what_the_reader_passes_over_is_not_named),
		IN_SCENE(a_large_directory_is_left),
		IN_SCENE(no_more_is_named_than_is_kept),
		IN_SCENE(an_opening_reads_nothing_again),
		IN_SCENE(a_node_is_the_one_that_is_named),
		IN_SCENE(what_changed_since_is_seen),
		IN_SCENE(a_view_ends_in_the_middle_of_it),
		IN_SCENE(what_nobody_asks_for_is_let_go),
		IN_SCENE(listings_go_by_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
