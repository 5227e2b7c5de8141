/*
 * fs/view/follow.c: files are read before they are opened, for who opens them in
 * the order of their numbers.
 */
#include "tests/unit/scene.h"

#include "fs/view/internal.h"

#define N_FILES 40

/* --- a directory, and a reader of its files ------------------------------ */

/* A directory, its listing, and how many files were hashed for it. Its files
 * have the numbers from `first` on. */
struct shelf {
	struct hf_node *dir;
	struct hf_listing *listing;
	uint64_t hashed;
	uint64_t first;
	size_t gone;  /* of these the number is nobody's; 0: of none */
	size_t known; /* so many have a number */
	struct shelf *next;
};

static struct shelf *shelves; /* those that are open */

static void write_dir(struct scene *scene, const char *dir)
{
	char path[64];

	for (int i = 0; i < N_FILES; i++) {
		snprintf(path, sizeof(path), "%s/f%02d.bin", dir, i);
		tree_write(&scene->tree, path, path);
	}
}

static void open_ahead(struct scene *scene, bool frozen)
{
	shelves = NULL; /* a test that failed leaves some */
	scene_open(scene, "@", "");
	if (frozen)
		assert_int_equal(
			hf_view_freeze(scene->view, false, &scene->wait, NULL),
			0);
	if (frozen) {
		hf_node_unref(scene->top);
		assert_int_equal(hf_view_root(scene->view, &scene->top), 0);
	}
	assert_int_equal(hf_view_go_ahead(scene->view), 0);
}

static uint64_t hashed(struct scene *scene)
{
	struct hf_view_stats stats;

	hf_view_stats(scene->view, &stats);
	return stats.digests.files_hashed;
}

static bool comes_to(struct scene *scene, uint64_t files)
{
	for (int i = 0; i < 1000 && hashed(scene) < files; i++)
		usleep(10000);
	usleep(50000);
	return hashed(scene) == files;
}

static void shelf_open(struct scene *scene, const char *path,
		       struct shelf *shelf)
{
	*shelf = (struct shelf){.dir = scene_node(scene, path),
				.first = shelves ? 1000 : 2,
				.known = N_FILES,
				.next = shelves};
	assert_int_equal(hf_view_list(scene->view, shelf->dir, &scene->wait,
				      &shelf->listing),
			 0);
	assert_int_equal(hf_listing_len(shelf->listing), N_FILES);
	shelf->hashed = hashed(scene);
	shelves = shelf;
}

static void shelf_close(struct shelf *shelf)
{
	shelves = shelf->next;
	hf_listing_unref(shelf->listing);
	hf_node_unref(shelf->dir);
}

static struct hf_node *shelf_node(struct scene *scene,
				  const struct shelf *shelf, size_t i)
{
	struct hf_node *node;

	assert_int_equal(
		hf_view_node(scene->view, shelf->dir, shelf->listing, i, &node),
		0);
	return node;
}

static void numbered(void *arg, uint64_t first, size_t n, struct hf_node *ret[])
{
	for (size_t i = 0; i < n; i++) {
		ret[i] = NULL;
		for (struct shelf *shelf = shelves; shelf;
		     shelf = shelf->next) {
			uint64_t at = first + i - shelf->first;

			if (first + i >= shelf->first && at < shelf->known &&
			    (at == 0 || at != shelf->gone))
				ret[i] = shelf_node(arg, shelf, at);
		}
	}
}

static int open_file(struct scene *scene, const struct shelf *shelf, size_t i)
{
	struct hf_node *node = shelf_node(scene, shelf, i);
	int error = scene_try_open(scene, node);

	hf_node_unref(node);
	if (error == 0)
		hf_view_opened(scene->view, shelf->first + i, numbered, scene);
	return error;
}

/* --- what is read ahead -------------------------------------------------- */

static void read_in_order(struct scene *scene)
{
	struct shelf shelf;

	shelf_open(scene, "d", &shelf);
	assert_int_equal(open_file(scene, &shelf, 0), 0);
	assert_true(comes_to(scene, shelf.hashed + 1));
	assert_int_equal(open_file(scene, &shelf, 1), 0);
	assert_true(comes_to(scene, shelf.hashed + 4)); /* the next two */
	assert_int_equal(open_file(scene, &shelf, 1), 0);
	shelf.hashed++;
	for (size_t i = 2; i < N_FILES; i++)
		assert_int_equal(open_file(scene, &shelf, i), 0);
	/* Each was read once. */
	assert_true(comes_to(scene, shelf.hashed + N_FILES));
	shelf_close(&shelf);
}

static void files_opened_in_order_are_read_ahead(void **state)
{
	struct scene *scene = *state;

	write_dir(scene, "d");
	open_ahead(scene, false);
	read_in_order(scene);
}

static void files_of_a_frozen_view_are_read_ahead(void **state)
{
	struct scene *scene = *state;

	write_dir(scene, "d");
	open_ahead(scene, true);
	read_in_order(scene);
}

static void nothing_is_read_ahead_without_order(void **state)
{
	static const size_t order[] = {39, 3, 0, 37, 2};
	struct scene *scene = *state;
	struct shelf shelf;

	write_dir(scene, "d");
	open_ahead(scene, false);
	shelf_open(scene, "d", &shelf);
	for (size_t i = 0; i < HF_ARRAY_SIZE(order); i++)
		assert_int_equal(open_file(scene, &shelf, order[i]), 0);
	assert_true(comes_to(scene, shelf.hashed + HF_ARRAY_SIZE(order)));
	shelf_close(&shelf);
}

/* As many clients that work side by side open them. */
static void the_order_need_not_be_strict(void **state)
{
	struct scene *scene = *state;
	struct shelf shelf;

	write_dir(scene, "d");
	open_ahead(scene, false);
	shelf_open(scene, "d", &shelf);
	assert_int_equal(open_file(scene, &shelf, 1), 0);
	assert_int_equal(open_file(scene, &shelf, 3), 0);
	assert_true(comes_to(scene, shelf.hashed + 4)); /* 4 and 5, too */
	assert_int_equal(open_file(scene, &shelf, 2), 0);
	assert_int_equal(open_file(scene, &shelf, 5), 0);
	assert_true(comes_to(scene, shelf.hashed + 5 + 4)); /* up to 9 */
	for (size_t i = 6; i < N_FILES; i++)
		assert_int_equal(open_file(scene, &shelf, i ^ 1), 0);
	assert_int_equal(open_file(scene, &shelf, 4), 0);
	assert_int_equal(open_file(scene, &shelf, 0), 0);
	assert_true(comes_to(scene, shelf.hashed + N_FILES));
	shelf_close(&shelf);
}

static void the_next_directory_is_read_ahead_at_once(void **state)
{
	struct scene *scene = *state;
	struct shelf shelf;

	write_dir(scene, "d");
	write_dir(scene, "e");
	open_ahead(scene, false);
	shelf_open(scene, "e", &shelf);
	read_in_order(scene);
	shelf.hashed = hashed(scene);
	assert_int_equal(open_file(scene, &shelf, 0), 0);
	assert_true(comes_to(scene, shelf.hashed + N_FILES));
	shelf_close(&shelf);
}

static void what_comes_next_may_lie_in_another_directory(void **state)
{
	struct scene *scene = *state;
	struct shelf last;
	struct shelf shelf;

	write_dir(scene, "d");
	write_dir(scene, "e");
	open_ahead(scene, false);
	shelf_open(scene, "d", &last);
	shelf_open(scene, "e", &shelf);
	shelf.first = last.first + N_FILES;
	assert_int_equal(open_file(scene, &last, N_FILES - 2), 0);
	assert_int_equal(open_file(scene, &last, N_FILES - 1), 0);
	assert_true(comes_to(scene, shelf.hashed + 4));
	assert_int_equal(open_file(scene, &shelf, 0), 0);
	assert_int_equal(open_file(scene, &shelf, 1), 0);
	assert_true(comes_to(scene, shelf.hashed + 4 + 8));
	shelf_close(&shelf);
	shelf_close(&last);
}

static void a_number_may_be_nobodys(void **state)
{
	struct scene *scene = *state;
	struct shelf shelf;

	write_dir(scene, "d");
	open_ahead(scene, false);
	shelf_open(scene, "d", &shelf);
	shelf.gone = 3;
	assert_int_equal(open_file(scene, &shelf, 0), 0);
	assert_int_equal(open_file(scene, &shelf, 1), 0);
	assert_true(comes_to(scene, shelf.hashed + 3));
	assert_int_equal(open_file(scene, &shelf, 2), 0);
	assert_true(comes_to(scene, shelf.hashed + 3 + 3));
	shelf_close(&shelf);
}

/* Its files are read once, for names and for who opens them. */
static void the_next_directory_is_read_once(void **state)
{
	struct scene *scene = *state;
	struct shelf shelf;
	uint64_t before;

	write_dir(scene, "d");
	write_dir(scene, "e");
	open_ahead(scene, false);
	read_in_order(scene);
	before = hashed(scene);
	shelf_open(scene, "e", &shelf);
	for (size_t i = 0; i < N_FILES; i++)
		assert_int_equal(open_file(scene, &shelf, i), 0);
	assert_true(comes_to(scene, before + N_FILES));
	shelf_close(&shelf);
}

static void numbers_may_come_later(void **state)
{
	struct scene *scene = *state;
	struct shelf shelf;

	write_dir(scene, "d");
	open_ahead(scene, false);
	shelf_open(scene, "d", &shelf);
	shelf.known = 10;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(open_file(scene, &shelf, i), 0);
	assert_true(comes_to(scene, shelf.hashed + 10));
	shelf.known = N_FILES;
	assert_int_equal(open_file(scene, &shelf, 4), 0);
	assert_true(comes_to(scene, shelf.hashed + 21)); /* 16 after that */
	shelf_close(&shelf);
}

/* As who comes back from a directory below. */
static void what_others_have_read_is_not_read_again(void **state)
{
	struct scene *scene = *state;
	struct shelf shelf;

	write_dir(scene, "d");
	open_ahead(scene, false);
	shelf_open(scene, "d", &shelf);
	assert_int_equal(open_file(scene, &shelf, N_FILES - 4), 0);
	assert_int_equal(open_file(scene, &shelf, N_FILES - 3), 0);
	assert_true(comes_to(scene, shelf.hashed + 4));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(open_file(scene, &shelf, i), 0);
	assert_true(comes_to(scene, shelf.hashed + N_FILES));
	shelf_close(&shelf);
}

/* --- and what that changes ----------------------------------------------- */

/* `path` is the third file, or another name of it. */
static void expect_stale(struct scene *scene, const char *path)
{
	struct shelf shelf;

	shelf_open(scene, "d", &shelf);
	assert_int_equal(open_file(scene, &shelf, 0), 0);
	assert_int_equal(open_file(scene, &shelf, 1), 0);
	assert_true(comes_to(scene, shelf.hashed + 4));
	tree_patch(&scene->tree, path, 0, "X");
	assert_int_equal(open_file(scene, &shelf, 2), -ESTALE);
	assert_int_equal(open_file(scene, &shelf, 3), 0);
	shelf_close(&shelf);
}

static void a_changed_file_is_stale(void **state)
{
	struct scene *scene = *state;

	write_dir(scene, "d");
	open_ahead(scene, false);
	expect_stale(scene, "d/f02.bin");
}

static void a_reported_change_is_stale(void **state)
{
	struct scene *scene = *state;

	write_dir(scene, "d");
	open_ahead(scene, false);
	hf_view_watch(scene->view);
	assert_true(hf_view_watch_fd(scene->view) >= 0);
	expect_stale(scene, "d/f02.bin");
}

/* What is written to through another link of it is not reported. */
static void an_unreported_change_is_stale(void **state)
{
	struct scene *scene = *state;
	char from[PATH_MAX];
	char to[PATH_MAX];

	write_dir(scene, "d");
	tree_mkdir(&scene->tree, "e");
	assert_int_equal(link(tree_path(&scene->tree, "d/f02.bin", from),
			      tree_path(&scene->tree, "e/f.bin", to)),
			 0);
	open_ahead(scene, false);
	hf_view_watch(scene->view);
	expect_stale(scene, "e/f.bin");
}

static void what_nobody_opens_is_let_go(void **state)
{
	struct scene *scene = *state;
	struct hf_view_stats stats;
	struct shelf shelf;

	write_dir(scene, "d");
	open_ahead(scene, false);
	shelf_open(scene, "d", &shelf);
	assert_int_equal(open_file(scene, &shelf, 0), 0);
	assert_int_equal(open_file(scene, &shelf, 1), 0);
	assert_true(comes_to(scene, shelf.hashed + 4));
	hf_view_stats(scene->view, &stats);
	assert_true(stats.bytes_pinned > 0);
	for (int i = 0; i < 1000 && stats.bytes_pinned > 0; i++) {
		usleep(10000);
		hf_view_stats(scene->view, &stats);
	}
	assert_int_equal(stats.bytes_pinned, 0);
	for (int i = 0; i < 1000 && atomic_load(&shelf.dir->refs) > 1; i++)
		usleep(10000);
	assert_int_equal(atomic_load(&shelf.dir->refs), 1);
	shelf_close(&shelf);
}

#define IN_SCENE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCENE(files_opened_in_order_are_read_ahead),
		IN_SCENE(files_of_a_frozen_view_are_read_ahead),
		IN_SCENE(nothing_is_read_ahead_without_order),
		IN_SCENE(the_order_need_not_be_strict),
		IN_SCENE(the_next_directory_is_read_ahead_at_once),
		IN_SCENE(the_next_directory_is_read_once),
		IN_SCENE(what_comes_next_may_lie_in_another_directory),
		IN_SCENE(a_number_may_be_nobodys),
		IN_SCENE(numbers_may_come_later),
		IN_SCENE(what_others_have_read_is_not_read_again),
		IN_SCENE(a_changed_file_is_stale),
		IN_SCENE(a_reported_change_is_stale),
		IN_SCENE(an_unreported_change_is_stale),
		IN_SCENE(what_nobody_opens_is_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
