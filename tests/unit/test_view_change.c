/* fs/view: what becomes of names and of open files while sources change. */
#include "tests/unit/scene.h"

static void changed_bytes_are_stale(void **state)
{
	struct scene *scene = *state;
	struct hf_node *node;
	name_buf old;
	name_buf new;

	scene_name("a", ".css", "one", old);
	scene_name("a", ".css", "two", new);
	tree_write(&scene->tree, "a.css", "one");
	scene_open(scene, "@", "");
	node = scene_node(scene, old);
	tree_write(&scene->tree, "a.css", "two");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	assert_true(hf_node_dead(node));
	/* For ever, even if the bytes come back. */
	tree_write(&scene->tree, "a.css", "one");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	hf_node_unref(node);
	scene_assert_reads(scene, old, "one");
	assert_false(scene_has(scene, new));
}

/* A thread of the pool lets go a moment later than its asker goes on. */
static void assert_pinned(struct scene *scene, uint64_t len)
{
	struct hf_view_stats stats;

	for (int i = 0; i < 5000; i++) {
		hf_view_stats(scene->view, &stats);
		if (stats.bytes_pinned == len)
			return;
		usleep(1000);
	}
	assert_int_equal(stats.bytes_pinned, len);
}

/* Readers of one file share its memory, and not its verdict. */
static void readers_share_one_copy(const char *ext, struct scene *scene)
{
	struct hf_content *first;
	struct hf_content *second;
	struct hf_node *node;
	char file[8] = "a";
	name_buf name;

	strcat(file, ext);
	scene_name("a", ext, "bytes", name);
	tree_write(&scene->tree, file, "bytes");
	node = scene_node(scene, name);
	assert_int_equal(hf_view_open(scene->view, node, &scene->wait, &first),
			 0);
	assert_int_equal(hf_view_open(scene->view, node, &scene->wait, &second),
			 0);
	assert_pinned(scene, 5);
	hf_content_close(first);
	assert_pinned(scene, 5);
	tree_write(&scene->tree, file, "other");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	hf_content_close(second);
	assert_pinned(scene, 0);
	hf_node_unref(node);
}

static void one_copy_of_a_file(void **state)
{
	scene_open(*state, "@", "");
	readers_share_one_copy(".png", *state);
}

static void one_copy_of_a_text(void **state)
{
	struct scene *scene = *state;
	struct hf_content *contents[2];
	struct hf_node *node;
	name_buf name;
	uint64_t len;

	tree_write(&scene->tree, "b.png", "b");
	tree_write(&scene->tree, "a.css", "a{background:url(b.png)}");
	scene_open(scene, "@", "");
	scene_name("a", ".css", "a{background:url(\"b.92eb5ffee6ae.png\")}",
		   name);
	node = scene_node(scene, name);
	len = strlen("a{background:url(\"b.92eb5ffee6ae.png\")}");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hf_view_open(scene->view, node, &scene->wait,
					      &contents[i]),
				 0);
		assert_pinned(scene, len);
	}
	hf_content_close(contents[0]);
	hf_content_close(contents[1]);
	assert_pinned(scene, 0);
	hf_node_unref(node);
	readers_share_one_copy(".js", scene);
}

static void a_deleted_file_is_not_there(void **state)
{
	struct scene *scene = *state;
	struct hf_node *hashed;
	struct hf_node *kept;
	struct stat st;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	tree_write(&scene->tree, "k.ico", "k");
	scene_open(scene, "@", "keep=*.ico");
	hashed = scene_node(scene, scene_name("a", ".css", "a", name));
	kept = scene_node(scene, "k.ico");
	tree_remove(&scene->tree, "a.css");
	tree_remove(&scene->tree, "k.ico");
	assert_int_equal(scene_try_open(scene, hashed), -ENOENT);
	assert_int_equal(scene_try_open(scene, kept), -ENOENT);
	assert_int_equal(hf_view_stat(scene->view, kept, &st), -ENOENT);
	assert_false(scene_has(scene, name));
	assert_false(scene_has(scene, "k.ico"));
	hf_node_unref(hashed);
	hf_node_unref(kept);
}

/* A hashed node is constant; what its name leads to is not. */
static void an_identity_is_path_digest_mode_owner(void **state)
{
	struct scene *scene = *state;
	struct hf_node *first;
	struct hf_node *next;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	scene_open(scene, "@", "");
	scene_name("a", ".css", "a", name);
	first = scene_node(scene, name);

	tree_set_mtime(&scene->tree, "a.css", 1234567890);
	next = scene_node(scene, name);
	assert_memory_equal(hf_node_identity(first), hf_node_identity(next),
			    16);
	hf_node_unref(next);

	tree_chmod(&scene->tree, "a.css", 0600);
	next = scene_node(scene, name);
	assert_memory_not_equal(hf_node_identity(first), hf_node_identity(next),
				16);
	hf_node_unref(next);

	tree_chmod(&scene->tree, "a.css", 0644);
	tree_replace(&scene->tree, "a.css", "b");
	next = scene_node(scene, scene_name("a", ".css", "b", name));
	assert_memory_not_equal(hf_node_identity(first), hf_node_identity(next),
				16);
	hf_node_unref(next);
	hf_node_unref(first);
}

static void a_kept_file_is_one_through_all_changes(void **state)
{
	struct scene *scene = *state;
	struct hf_node *first;
	struct hf_node *next;
	struct stat before;
	struct stat after;

	tree_write(&scene->tree, "k.ico", "a");
	scene_open(scene, "@", "keep=*.ico");
	first = scene_node(scene, "k.ico");
	assert_int_equal(hf_view_stat(scene->view, first, &before), 0);
	tree_write(&scene->tree, "k.ico", "longer");
	tree_chmod(&scene->tree, "k.ico", 0600);
	next = scene_node(scene, "k.ico");
	assert_memory_equal(hf_node_identity(first), hf_node_identity(next),
			    16);
	assert_int_equal(hf_view_stat(scene->view, first, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_size, 6);
	assert_int_equal(after.st_mode, S_IFREG | 0600);
	scene_assert_reads(scene, "k.ico", "longer");
	hf_node_unref(next);
	hf_node_unref(first);
}

/*
 * The same bytes in another source are another node: a node looks for its
 * bytes where it was found, and a frontend may hold on to it for ever.
 */
static void a_file_that_moves_to_another_source(void **state)
{
	struct scene *scene = *state;
	struct hf_node *old_hashed;
	struct hf_node *old_kept;
	struct hf_node *node;
	name_buf name;

	tree_mkdir(&scene->tree, "a");
	tree_write(&scene->tree, "b/x.css", "x");
	tree_write(&scene->tree, "b/k.ico", "old");
	scene_open(scene, "@/a:@/b", "keep=*.ico");
	scene_name("x", ".css", "x", name);
	old_hashed = scene_node(scene, name);
	old_kept = scene_node(scene, "k.ico");
	tree_rename(&scene->tree, "b/x.css", "a/x.css");
	tree_write(&scene->tree, "a/k.ico", "new");

	node = scene_node(scene, name);
	assert_memory_not_equal(hf_node_identity(node),
				hf_node_identity(old_hashed), 16);
	assert_int_equal(scene_try_open(scene, node), 0);
	hf_node_unref(node);
	node = scene_node(scene, "k.ico");
	assert_memory_not_equal(hf_node_identity(node),
				hf_node_identity(old_kept), 16);
	hf_node_unref(node);
	scene_assert_reads(scene, "k.ico", "new");
	hf_node_unref(old_hashed);
	hf_node_unref(old_kept);
}

/* --- directories --------------------------------------------------------- */

static void names_follow_a_directory(void **state)
{
	struct scene *scene = *state;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	scene_open(scene, "@", "");
	scene_name("b", ".css", "b", name);
	for (int i = 0; i < 3; i++) {
		assert_false(scene_has(scene, name));
		tree_tick();
		tree_write(&scene->tree, "b.css", "b");
		assert_true(scene_has(scene, name));
		tree_remove(&scene->tree, "b.css");
	}
}

/* A file becomes a directory and the other way round. */
static void kinds_follow_a_directory(void **state)
{
	struct scene *scene = *state;
	name_buf file;
	name_buf inside;

	scene_name("x", "", "file", file);
	scene_name("x/in", "", "dir", inside);
	tree_write(&scene->tree, "x", "file");
	scene_open(scene, "@", "");
	for (int i = 0; i < 3; i++) {
		assert_true(scene_has(scene, file));
		tree_remove(&scene->tree, "x");
		tree_write(&scene->tree, "x/in", "dir");
		assert_true(scene_has(scene, inside));
		assert_false(scene_has(scene, file));
		tree_remove(&scene->tree, "x/in");
		tree_remove(&scene->tree, "x");
		tree_write(&scene->tree, "x", "file");
	}
}

static void a_lost_source_is_not_empty(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *node;

	tree_write(&scene->tree, "a/x.css", "x");
	scene_open(scene, "@/a", "");
	hf_listing_unref(scene_list(scene, ""));
	tree_remove(&scene->tree, "a/x.css");
	tree_remove(&scene->tree, "a");
	assert_int_equal(
		hf_view_list(scene->view, scene->top, &scene->wait, &listing),
		-EIO);
	assert_int_equal(scene_find(scene, "x", &node), -EIO);
}

int main(void)
{
#define VIEW(test)                                                             \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		VIEW(changed_bytes_are_stale),
		VIEW(one_copy_of_a_file),
		VIEW(one_copy_of_a_text),
		VIEW(a_deleted_file_is_not_there),
		VIEW(an_identity_is_path_digest_mode_owner),
		VIEW(a_kept_file_is_one_through_all_changes),
		VIEW(a_file_that_moves_to_another_source),
		VIEW(names_follow_a_directory),
		VIEW(kinds_follow_a_directory),
		VIEW(a_lost_source_is_not_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
