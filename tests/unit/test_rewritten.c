/*
 * fs/view/rewritten.c: a text that was put together is held for who opens it
 * next, as long as nothing that it depends on changes.
 */
#include "tests/unit/scene.h"

#include "fs/view/graph.h"

#define MANY 20

/* --- one text that refers to one image ----------------------------------- */

static void open_view(struct scene *scene)
{
	tree_write(&scene->tree, "css/a.css", "a{b:url(../img/b.png)}");
	tree_write(&scene->tree, "img/b.png", "image");
	scene_open(scene, "@", "");
	assert_int_equal(hf_view_go_ahead(scene->view), 0);
	hf_view_watch(scene->view);
	assert_true(hf_view_watch_fd(scene->view) >= 0);
}

static const struct hf_view_stats *stats_of(struct scene *scene)
{
	static struct hf_view_stats stats;

	hf_view_stats(scene->view, &stats);
	return &stats;
}

/* The text, which the kernel would know from now on. */
static struct hf_node *find_text(struct scene *scene)
{
	struct hf_listing *listing = scene_list(scene, "css");
	const struct hf_entry *entry = scene_entry(listing, "a.css");
	struct hf_buf path = {0};
	struct hf_node *node;

	hf_buf_printf(&path, "css/%s", entry->name);
	node = scene_node(scene, path.data);
	hf_buf_fini(&path);
	hf_listing_unref(listing);
	return node;
}

static void assert_shows_image(struct scene *scene, struct hf_node *node)
{
	char image[NAME_MAX + 1];
	struct hf_buf expected = {0};
	struct hf_content *content;
	const char *data;
	size_t len = 0;

	hf_buf_printf(&expected, "a{b:url(\"../img/%s\")}",
		      scene_name("b", ".png", "image", image));
	assert_int_equal(
		hf_view_open(scene->view, node, &scene->wait, &content), 0);
	data = hf_content_whole(content, &len);
	assert_int_equal(len, expected.len);
	assert_memory_equal(data, expected.data, len);
	hf_content_close(content);
	hf_buf_fini(&expected);
}

static void a_text_is_written_once(void **state)
{
	struct scene *scene = *state;
	struct hf_node *node;
	uint64_t hashed;

	open_view(scene);
	node = find_text(scene);
	assert_int_equal(stats_of(scene)->bytes_rewritten, 0);
	assert_shows_image(scene, node);
	assert_int_equal(stats_of(scene)->bytes_rewritten, node->size);
	hashed = stats_of(scene)->digests.files_hashed;
	assert_shows_image(scene, node);
	assert_shows_image(scene, node);
	assert_int_equal(stats_of(scene)->digests.files_hashed, hashed);
	assert_int_equal(stats_of(scene)->bytes_rewritten, node->size);
	hf_node_unref(node);
}

/* --- changes --------------------------------------------------------------- */

static void a_changed_text_is_stale(void **state)
{
	struct scene *scene = *state;
	struct hf_node *node;

	open_view(scene);
	node = find_text(scene);
	assert_shows_image(scene, node);
	tree_patch(&scene->tree, "css/a.css", 0, "c");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	hf_node_unref(node);
}

static void so_is_one_whose_target_changed(void **state)
{
	struct scene *scene = *state;
	struct hf_node *node;

	open_view(scene);
	node = find_text(scene);
	assert_shows_image(scene, node);
	tree_patch(&scene->tree, "img/b.png", 0, "I");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	hf_node_unref(node);
}

/* Somebody else found out that not all changes are reported. */
static void after_a_doubt_it_is_written_again(void **state)
{
	struct scene *scene = *state;
	struct hf_node *node;
	uint64_t hashed;

	open_view(scene);
	node = find_text(scene);
	assert_shows_image(scene, node);
	hashed = stats_of(scene)->digests.files_hashed;
	hf_view_doubt(scene->view);
	assert_shows_image(scene, node);
	assert_true(stats_of(scene)->digests.files_hashed > hashed);
	assert_int_equal(stats_of(scene)->bytes_rewritten, node->size);
	hf_node_unref(node);
}

/* What is written to the image through another link of it is not reported. */
static void what_is_not_reported_is_not_held(void **state)
{
	struct scene *scene = *state;
	char from[PATH_MAX];
	char to[PATH_MAX];
	struct hf_node *node;

	open_view(scene);
	assert_int_equal(link(tree_path(&scene->tree, "img/b.png", from),
			      tree_path(&scene->tree, "other", to)),
			 0);
	node = find_text(scene);
	assert_shows_image(scene, node);
	assert_int_equal(stats_of(scene)->bytes_rewritten, 0);
	tree_patch(&scene->tree, "other", 0, "I");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	hf_node_unref(node);
}

/* --- for who reads in order ------------------------------------------------- */

/* No file has a number. */
static void numbered(void *arg, uint64_t first, size_t n, struct hf_node *ret[])
{
	(void)arg;
	(void)first;
	for (size_t i = 0; i < n; i++)
		ret[i] = NULL;
}

static void read_in_order(struct scene *scene)
{
	for (uint64_t i = 0; i < MANY; i++)
		hf_view_opened(scene->view, 2 + i, numbered, NULL);
}

static void what_is_named_for_a_reader_is_held(void **state)
{
	struct scene *scene = *state;
	struct hf_node *node;
	uint64_t hashed;

	open_view(scene);
	read_in_order(scene);
	node = find_text(scene);
	assert_int_equal(stats_of(scene)->bytes_rewritten, node->size);
	hashed = stats_of(scene)->digests.files_hashed;
	assert_shows_image(scene, node);
	assert_int_equal(stats_of(scene)->digests.files_hashed, hashed);
	hf_node_unref(node);
}

/* Which are written side by side (leaves.c). */
static void so_are_many(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	uint64_t size = 0;
	char path[32];

	open_view(scene);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "many/%d.css", i);
		tree_write(&scene->tree, path, "a{b:url(../img/b.png)}");
	}
	read_in_order(scene);
	listing = scene_list(scene, "many");
	assert_int_equal(hf_listing_len(listing), MANY);
	for (size_t i = 0; i < MANY; i++)
		size += hf_listing_entry(listing, i)->size;
	hf_listing_unref(listing);
	assert_int_equal(stats_of(scene)->bytes_rewritten, size);
}

/* --- by itself ---------------------------------------------------------------- */

#define SECOND_NS INT64_C(1000000000)

static const uint64_t seed[2] = {1, 2};
static const struct hf_digest digest = {2, {1, 2}};
static const struct hf_digest other = {2, {1, 3}};

/* True if it was put. */
static bool put(struct hf_rewritten *rewritten, const char *path, uint32_t mark,
		const char *text)
{
	struct hf_buf buf = {0};
	struct hf_verified *bytes;

	hf_buf_puts(&buf, text);
	bytes = hf_rewritten_put(rewritten, path, &digest, mark, &buf);
	assert_int_equal(buf.len, bytes ? 0 : strlen(text));
	hf_verified_unref(bytes);
	hf_buf_fini(&buf);
	return bytes;
}

static bool has(struct hf_rewritten *rewritten, const char *path,
		const struct hf_digest *wanted, uint32_t mark)
{
	struct hf_verified *bytes =
		hf_rewritten_get(rewritten, path, wanted, mark);

	hf_verified_unref(bytes);
	return bytes;
}

static void it_has_to_be_the_same(void **state)
{
	struct hf_rewritten *rewritten;

	(void)state;
	assert_int_equal(hf_rewritten_new(seed, 100, &rewritten), 0);
	assert_true(put(rewritten, "a.css", 7, "text"));
	assert_true(has(rewritten, "a.css", &digest, 7));
	assert_false(has(rewritten, "a.css", &digest, 8));
	assert_false(has(rewritten, "a.css", &other, 7));
	assert_false(has(rewritten, "b.css", &digest, 7));
	assert_false(put(rewritten, "b.css", 0, "text"));
	assert_false(has(rewritten, "b.css", &digest, 0));
	assert_true(put(rewritten, "a.css", 8, "text"));
	assert_false(has(rewritten, "a.css", &digest, 7));
	assert_true(has(rewritten, "a.css", &digest, 8));
	assert_int_equal(hf_rewritten_bytes(rewritten), 4);
	hf_rewritten_free(rewritten);
}

static void no_more_than_there_is_room_for(void **state)
{
	struct hf_rewritten *rewritten;

	(void)state;
	assert_int_equal(hf_rewritten_new(seed, 10, &rewritten), 0);
	assert_true(put(rewritten, "a.css", 7, "text"));
	assert_true(put(rewritten, "b.css", 7, "a text"));
	assert_false(put(rewritten, "c.css", 7, "c"));
	assert_false(has(rewritten, "c.css", &digest, 7));
	assert_true(has(rewritten, "a.css", &digest, 7));
	assert_int_equal(hf_rewritten_bytes(rewritten), 10);
	hf_rewritten_free(rewritten);
}

static void nor_more_than_can_be_counted(void **state)
{
	struct hf_rewritten *rewritten;
	size_t n = 0;
	char path[32];

	(void)state;
	assert_int_equal(hf_rewritten_new(seed, 1 << 20, &rewritten), 0);
	do
		snprintf(path, sizeof(path), "%zu.css", n);
	while (put(rewritten, path, 7, "a") && ++n < 100000);
	assert_int_equal(n, 65536);
	hf_rewritten_free(rewritten);
}

static void what_nobody_opens_is_let_go(void **state)
{
	struct hf_rewritten *rewritten;
	int64_t now_ns = hf_clock_monotonic();
	bool gone = false;

	(void)state;
	assert_int_equal(hf_rewritten_new(seed, 100, &rewritten), 0);
	assert_false(hf_rewritten_rest(rewritten, now_ns, &gone));
	assert_true(put(rewritten, "a.css", 7, "text"));
	assert_true(put(rewritten, "b.css", 7, "text"));
	assert_true(
		hf_rewritten_rest(rewritten, now_ns + 50 * SECOND_NS, &gone));
	assert_false(gone);
	usleep(1000);
	now_ns = hf_clock_monotonic();
	assert_true(has(rewritten, "a.css", &digest, 7));
	assert_true(
		hf_rewritten_rest(rewritten, now_ns + 60 * SECOND_NS, &gone));
	assert_true(gone);
	assert_false(has(rewritten, "b.css", &digest, 7));
	assert_int_equal(hf_rewritten_bytes(rewritten), 4);
	assert_false(
		hf_rewritten_rest(rewritten, now_ns + 100 * SECOND_NS, &gone));
	assert_int_equal(hf_rewritten_bytes(rewritten), 0);
	hf_rewritten_free(rewritten);
}

#define IN_SCENE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCENE(a_text_is_written_once),
		IN_SCENE(a_changed_text_is_stale),
		IN_SCENE(so_is_one_whose_target_changed),
		IN_SCENE(after_a_doubt_it_is_written_again),
		IN_SCENE(what_is_not_reported_is_not_held),
		IN_SCENE(what_is_named_for_a_reader_is_held),
		IN_SCENE(so_are_many),
		cmocka_unit_test(it_has_to_be_the_same),
		cmocka_unit_test(no_more_than_there_is_room_for),
		cmocka_unit_test(nor_more_than_can_be_counted),
		cmocka_unit_test(what_nobody_opens_is_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
