/* fs/view: what cannot be read, or not be waited for. */
#include "tests/unit/scene.h"

/* Never left out: a missing name makes mirrors delete. */
static void broken_links_stand_plain(void **state)
{
	static const struct {
		const char *name;
		const char *target;
		int error; /* told */
		int open;  /* of open(2): ENOENT is for what is not there */
	} links[] = {
		{"dangling", "nowhere", ENOENT, -EIO},
		{"outside", "/etc/passwd", EACCES, -EACCES},
		{"up", "../../../etc/passwd", EACCES, -EACCES},
		{"loop", "loop", ELOOP, -ELOOP},
		{"self", ".", ELOOP, 1},
	};
	struct scene *scene = *state;
	struct hf_listing *listing;

	for (size_t i = 0; i < HF_ARRAY_SIZE(links); i++)
		tree_link(&scene->tree, links[i].name, links[i].target);
	scene_open(scene, "@", "");
	listing = scene_list(scene, "");
	for (size_t i = 0; i < HF_ARRAY_SIZE(links); i++) {
		const struct hf_entry *entry =
			scene_entry(listing, links[i].name);
		int error = scene_open_error(scene, links[i].name);

		assert_false(entry->hidden);
		assert_string_equal(entry->name, links[i].name);
		assert_int_equal(entry->kind, HF_KIND_PLAIN);
		assert_int_equal(entry->problem, HF_PROBLEM_LINK);
		assert_int_equal(entry->error, links[i].error);
		if (links[i].open <= 0)
			assert_int_equal(error, links[i].open);
		else
			assert_true(error < 0 && error != -ENOENT);
	}
	hf_listing_unref(listing);
}

/* Which name a file has that cannot be read, nobody knows: so none that it
 * might have is denied. */
static void a_name_is_not_denied_unread(void **state)
{
	struct scene *scene = *state;
	struct hf_node *root;
	struct hf_node *node;

	tree_link(&scene->tree, "dangling.css", "nowhere");
	scene_open(scene, "@", "");
	root = scene_node(scene, "");
	assert_int_equal(hf_view_lookup(scene->view, root,
					"dangling.0123456789ab.css",
					&scene->wait, &node),
			 -EIO);
	assert_int_equal(hf_view_lookup(scene->view, root,
					"another.0123456789ab.css",
					&scene->wait, &node),
			 -ENOENT);
	hf_node_unref(root);
}

static void a_mended_link_gets_its_name(void **state)
{
	struct scene *scene = *state;
	name_buf name;

	tree_mkdir(&scene->tree, "d");
	tree_link(&scene->tree, "logo.png", "d/target");
	scene_open(scene, "@", "");
	assert_true(scene_has(scene, "logo.png"));
	tree_tick();
	tree_write(&scene->tree, "d/target", "logo");
	assert_false(scene_has(scene, "logo.png"));
	scene_assert_reads(scene, scene_name("logo", ".png", "logo", name),
			   "logo");
}

/* Its name promises bytes: so they are held to a digest from the first one on
 * that can be read. */
static void a_prehashed_file_is_never_opened_without_a_digest(void **state)
{
	struct scene *scene = *state;
	struct hf_node *before;
	struct hf_node *after;

	tree_mkdir(&scene->tree, "d");
	tree_link(&scene->tree, "app.4f2a.js", "d/target");
	scene_open(scene, "@", "prehashed=app.*");
	before = scene_node(scene, "app.4f2a.js");
	assert_int_equal(scene_try_open(scene, before), -EIO);
	assert_false(hf_node_dead(before));
	tree_write(&scene->tree, "d/target", "app");
	assert_int_equal(scene_try_open(scene, before), -ESTALE);
	assert_true(hf_node_dead(before));
	after = scene_node(scene, "app.4f2a.js");
	assert_true(hf_node_constant(after));
	assert_int_equal(hf_node_kind(after), HF_KIND_PREHASHED);
	scene_assert_reads(scene, "app.4f2a.js", "app");
	hf_node_unref(before);
	hf_node_unref(after);
}

/* The link's own directory shows nothing of what stands behind it. */
static void a_link_follows_its_target_from_kind_to_kind(void **state)
{
	struct scene *scene = *state;
	char inside[2 * NAME_MAX];
	name_buf name;

	tree_write(&scene->tree, "t/x/in.css", "in");
	tree_link(&scene->tree, "v", "t/x");
	scene_open(scene, "@", "");
	scene_name("v/in", ".css", "in", inside);
	assert_true(scene_has(scene, inside));
	tree_rename(&scene->tree, "t/x", "t/y");
	tree_write(&scene->tree, "t/x", "file now");
	scene_name("v", "", "file now", name);
	assert_false(scene_has(scene, "v"));
	scene_assert_reads(scene, name, "file now");
	tree_remove(&scene->tree, "t/x");
	tree_rename(&scene->tree, "t/y", "t/x");
	assert_true(scene_has(scene, inside));
	assert_false(scene_has(scene, name));
}

static void the_last_known_name_stands(void **state)
{
	struct scene *scene = *state;
	const struct hf_entry *entry;
	struct hf_listing *listing;
	name_buf name;

	tree_write(&scene->tree, "target", "logo");
	tree_link(&scene->tree, "logo.png", "target");
	scene_open(scene, "@", "");
	scene_name("logo", ".png", "logo", name);
	assert_true(scene_has(scene, name));
	tree_remove(&scene->tree, "target");
	assert_int_equal(scene_open_error(scene, name), -EIO);
	assert_false(scene_has(scene, "logo.png"));
	listing = scene_list(scene, "");
	entry = scene_entry(listing, "logo.png");
	assert_string_equal(entry->name, name);
	assert_int_equal(entry->kind, HF_KIND_HASHED);
	assert_int_equal(entry->problem, HF_PROBLEM_LINK);
	assert_int_equal(entry->error, ENOENT);
	hf_listing_unref(listing);
	/* And when it comes back with other bytes, it has their name. */
	tree_tick();
	tree_write(&scene->tree, "target", "anew");
	assert_false(scene_has(scene, name));
	assert_true(scene_has(scene, scene_name("logo", ".png", "anew", name)));
}

/* Answers first: an assertion that fails must not leave us without root. */
static void files_that_may_not_be_read(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *known;
	struct hf_node *never;
	const struct hf_entry *entry;
	int known_error;
	int never_error;
	name_buf name;

	tree_write(&scene->tree, "known.css", "known");
	tree_write(&scene->tree, "never.css", "never");
	tree_chmod(&scene->tree, "never.css", 0);
	if (!tree_drop_root(&scene->tree))
		skip();
	scene_open(scene, "@", "");
	scene_name("known", ".css", "known", name);
	assert_true(scene_has(scene, name));
	tree_regain_root();
	tree_chmod(&scene->tree, "known.css", 0);
	assert_true(tree_drop_root(&scene->tree));

	listing = scene_list(scene, "");
	known = scene_node(scene, name);
	never = scene_node(scene, "never.css");
	known_error = scene_try_open(scene, known);
	never_error = scene_try_open(scene, never);
	tree_regain_root();
	assert_int_equal(known_error, -EACCES);
	assert_int_equal(never_error, -EACCES);
	assert_int_equal(hf_node_kind(known), HF_KIND_HASHED);
	assert_false(hf_node_dead(known));
	assert_int_equal(hf_node_kind(never), HF_KIND_PLAIN);
	entry = scene_entry(listing, "known.css");
	assert_string_equal(entry->name, name);
	assert_int_equal(entry->problem, HF_PROBLEM_UNREADABLE);
	assert_int_equal(entry->error, EACCES);
	assert_int_equal(scene_entry(listing, "never.css")->error, EACCES);
	hf_listing_unref(listing);
	hf_node_unref(known);
	hf_node_unref(never);
}

/* stat(2) of a directory needs no permission on it; listing it does. */
static void a_directory_that_may_not_be_listed(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *node;
	struct stat st;
	int stat_error;
	int list_error;

	tree_write(&scene->tree, "locked/a.css", "a");
	tree_chmod(&scene->tree, "locked", 0);
	if (!tree_drop_root(&scene->tree))
		skip();
	scene_open(scene, "@", "");
	node = scene_node(scene, "locked");
	stat_error = hf_view_stat(scene->view, node, &st);
	list_error = hf_view_list(scene->view, node, &scene->wait, &listing);
	hf_node_unref(node);
	tree_regain_root();
	tree_chmod(&scene->tree, "locked", 0700);
	assert_int_equal(stat_error, 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0200);
	assert_int_equal(list_error, -EACCES);
}

static void what_is_no_file_is_left_out_and_told(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	char path[PATH_MAX];

	assert_int_equal(mkfifo(tree_path(&scene->tree, "pipe", path), 0644),
			 0);
	scene_open(scene, "@", "");
	assert_false(scene_has(scene, "pipe"));
	listing = scene_list(scene, "");
	assert_true(scene_entry(listing, "pipe")->hidden);
	assert_int_equal(scene_entry(listing, "pipe")->problem,
			 HF_PROBLEM_SPECIAL);
	hf_listing_unref(listing);
}

/* --- waiting ------------------------------------------------------------- */

static void who_is_interrupted_gets_eintr(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *node;
	size_t len = 32 * 1024 * 1024;
	char *data = calloc(1, len);

	tree_write_bytes(&scene->tree, "a.bin", data, len);
	free(data);
	scene_open(scene, "@", "");
	hf_wait_interrupt(&scene->wait);
	assert_int_equal(scene_find(scene, "a.0123456789ab.bin", &node),
			 -EINTR);
	assert_int_equal(
		hf_view_list(scene->view, scene->top, &scene->wait, &listing),
		-EINTR);
}

static void opening_what_is_no_file(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *node;
	struct hf_node *below;

	tree_write(&scene->tree, "k", "k");
	scene_open(scene, "@", "keep=k");
	assert_int_equal(scene_try_open(scene, scene->top), -EISDIR);
	node = scene_node(scene, "k");
	assert_int_equal(
		hf_view_list(scene->view, node, &scene->wait, &listing),
		-ENOTDIR);
	assert_int_equal(
		hf_view_lookup(scene->view, node, "x", &scene->wait, &below),
		-ENOTDIR);
	hf_node_unref(node);
}

int main(void)
{
#define VIEW(test)                                                             \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		VIEW(broken_links_stand_plain),
		VIEW(a_name_is_not_denied_unread),
		VIEW(a_mended_link_gets_its_name),
		VIEW(a_prehashed_file_is_never_opened_without_a_digest),
		VIEW(a_link_follows_its_target_from_kind_to_kind),
		VIEW(the_last_known_name_stands),
		VIEW(files_that_may_not_be_read),
		VIEW(a_directory_that_may_not_be_listed),
		VIEW(what_is_no_file_is_left_out_and_told),
		VIEW(who_is_interrupted_gets_eintr),
		VIEW(opening_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
