/* fs/view/vouch.c: when a listing is given again without a look. */
#include "tests/unit/scene.h"

#include <fcntl.h>
#include <sys/mman.h>

/* A view that watches, and a file of it that can be changed without a report:
 * through mmap(2). */
struct stage {
	char *bytes;
	struct hf_listing *listing;
	struct hf_grounds grounds;
	uint64_t generation; /* of the listing */
};

static void list(struct scene *scene, struct hf_node *node, struct stage *stage)
{
	if (stage->listing)
		hf_listing_unref(stage->listing);
	assert_int_equal(hf_view_list_again(scene->view, node, &scene->wait,
					    &stage->grounds, &stage->generation,
					    &stage->listing),
			 0);
	assert_non_null(stage->listing);
}

static void assert_named(struct stage *stage, const char *text)
{
	char name[NAME_MAX + 1];

	assert_string_equal(scene_entry(stage->listing, "a.bin")->name,
			    scene_name("a", ".bin", text, name));
}

static void begin(struct scene *scene, const char *options, struct stage *stage)
{
	char path[PATH_MAX];
	int fd;

	tree_write(&scene->tree, "a.bin", "old");
	fd = open(tree_path(&scene->tree, "a.bin", path), O_RDWR);
	assert_true(fd >= 0);
	stage->bytes = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(stage->bytes, MAP_FAILED);
	close(fd);
	scene_open(scene, "@", options);
	hf_view_watch(scene->view);
	list(scene, scene->top, stage);
	assert_named(stage, "old");
}

static void end(struct stage *stage)
{
	hf_listing_unref(stage->listing);
	munmap(stage->bytes, 3);
}

static void nothing_reported_nothing_looked_at(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	begin(scene, "", &stage);
	assert_true(stage.grounds.reported);
	memcpy(stage.bytes, "new", 3);
	list(scene, scene->top, &stage);
	assert_named(&stage, "old");
	end(&stage);
}

static void not_for_longer_than_a_minute(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};
	int64_t most = INT64_C(1000000) * HF_REPORTS_MS;
	int64_t seconds = INT64_C(1000000000);

	begin(scene, "", &stage);
	memcpy(stage.bytes, "new", 3);
	atomic_fetch_add(&scene_ahead_ns, most - 20 * seconds);
	list(scene, scene->top, &stage);
	assert_named(&stage, "old");
	assert_true(hf_grounds_left_ms(&stage.grounds) <= 20 * 1000);
	atomic_fetch_add(&scene_ahead_ns, 20 * seconds);
	assert_int_equal(hf_grounds_left_ms(&stage.grounds), 0);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

static void a_clock_that_was_set_back_counts_nothing(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	begin(scene, "", &stage);
	memcpy(stage.bytes, "new", 3);
	atomic_fetch_sub(&scene_ahead_ns, HOUR_NS / 2);
	assert_int_equal(hf_grounds_left_ms(&stage.grounds), 0);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

static void a_report_that_nobody_read_counts(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	begin(scene, "", &stage);
	tree_write(&scene->tree, "a.bin", "new");
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

static void a_report_that_was_read_counts(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	begin(scene, "", &stage);
	tree_write(&scene->tree, "a.bin", "new");
	hf_view_take_reports(scene->view);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

/* Also of another directory: a text may refer to what lies there. */
static void a_report_of_another_directory_counts(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};
	struct hf_node *node;

	tree_write(&scene->tree, "d/b.bin", "b");
	begin(scene, "", &stage);
	node = scene_node(scene, "d");
	list(scene, node, &stage);
	hf_node_unref(node);
	list(scene, scene->top, &stage);
	assert_named(&stage, "old");
	memcpy(stage.bytes, "new", 3);
	tree_write(&scene->tree, "d/b.bin", "c");
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

static void a_doubt_counts(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	begin(scene, "", &stage);
	memcpy(stage.bytes, "new", 3);
	hf_view_doubt(scene->view);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	memcpy(stage.bytes, "odd", 3);
	hf_view_forget(scene->view);
	list(scene, scene->top, &stage);
	assert_named(&stage, "odd");
	end(&stage);
}

static void an_opening_that_finds_other_bytes_counts(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};
	struct hf_node *node;

	begin(scene, "", &stage);
	assert_int_equal(
		hf_view_node(scene->view, scene->top, stage.listing, 0, &node),
		0);
	memcpy(stage.bytes, "new", 3);
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	hf_node_unref(node);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

/* Its writers may know it by another name, of which nothing is reported. */
static void a_file_of_two_names_is_looked_at(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};
	char path[PATH_MAX];
	char other[PATH_MAX];

	tree_write(&scene->tree, "b.bin", "b");
	tree_path(&scene->tree, "b.bin", path);
	tree_path(&scene->tree, ".other", other);
	assert_int_equal(link(path, other), 0);
	begin(scene, "", &stage);
	memcpy(stage.bytes, "new", 3);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

/* Who lists it without listening gives no grounds, and takes them away. */
static void a_listing_by_others_is_looked_at(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};
	char path[PATH_MAX];
	char other[PATH_MAX];

	tree_mkdir(&scene->tree, "d");
	tree_path(&scene->tree, "a.bin", path);
	tree_path(&scene->tree, "d/other", other);
	begin(scene, "", &stage);
	assert_int_equal(link(path, other), 0);
	hf_listing_unref(scene_list(scene, ""));
	memcpy(stage.bytes, "new", 3);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

static void what_a_link_leads_to_is_looked_at(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	tree_write(&scene->tree, "d/b.bin", "b");
	tree_link(&scene->tree, "b.bin", "d/b.bin");
	begin(scene, "", &stage);
	memcpy(stage.bytes, "new", 3);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

static void refer_to(struct scene *scene, const char *target)
{
	struct hf_buf text = {0};

	tree_write(&scene->tree, "d/b.bin", "b");
	tree_mkdir(&scene->tree, "e");
	tree_link(&scene->tree, "e/l", "../d");
	hf_buf_printf(&text, "a { src: url(%s) }", target);
	tree_write(&scene->tree, "t.css", text.data);
	hf_buf_fini(&text);
}

#define MANY 400

/* Of many listings a few are held; all are vouched for. */
static void a_listing_that_is_gone_is_vouched_for(void **state)
{
	struct scene *scene = *state;
	struct hf_node *nodes[MANY];
	struct stage stage = {0};
	struct hf_listing *listing;
	char path[32];
	size_t held = 0;

	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "d%03d/b.bin", i);
		tree_write(&scene->tree, path, "b");
	}
	begin(scene, "", &stage);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "d%03d", i);
		nodes[i] = scene_node(scene, path);
		list(scene, nodes[i], &stage);
		listing = hf_view_recall(scene->view, nodes[i], 1);
		assert_null(listing);
	}
	for (int i = 0; i < MANY; i++) {
		uint64_t generation;

		assert_int_equal(hf_view_list_again(
					 scene->view, nodes[i], &scene->wait,
					 &stage.grounds, &generation, &listing),
				 0);
		assert_true(generation);
		if (listing)
			assert_true(hf_listing_generation(listing) ==
				    generation);
		held += listing != NULL;
		hf_listing_unref(listing);
		hf_node_unref(nodes[i]);
	}
	assert_in_range(held, 1, 100);
	end(&stage);
}

/* A text's name hangs on files elsewhere, which are reported or not. */
static void what_a_text_refers_to_is_reported(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	refer_to(scene, "d/b.bin");
	begin(scene, "", &stage);
	memcpy(stage.bytes, "new", 3);
	list(scene, scene->top, &stage);
	assert_named(&stage, "old");
	tree_write(&scene->tree, "d/b.bin", "c");
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

static void what_a_text_refers_to_is_not_reported(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	refer_to(scene, "e/l/b.bin");
	begin(scene, "", &stage);
	memcpy(stage.bytes, "new", 3);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

/* What was read right after a change may be of any moment of it. */
static void what_was_just_changed_is_looked_at(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	atomic_store(&scene_ahead_ns, 0);
	begin(scene, "", &stage);
	memcpy(stage.bytes, "new", 3);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

static void without_watches_all_is_looked_at(void **state)
{
	struct scene *scene = *state;
	struct stage stage = {0};

	begin(scene, "", &stage);
	scene_open(scene, "@", "");
	list(scene, scene->top, &stage);
	assert_false(stage.grounds.reported);
	memcpy(stage.bytes, "new", 3);
	list(scene, scene->top, &stage);
	assert_named(&stage, "new");
	end(&stage);
}

int main(void)
{
#define VOUCH(test)                                                            \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		VOUCH(nothing_reported_nothing_looked_at),
		VOUCH(not_for_longer_than_a_minute),
		VOUCH(a_clock_that_was_set_back_counts_nothing),
		VOUCH(a_report_that_nobody_read_counts),
		VOUCH(a_report_that_was_read_counts),
		VOUCH(a_report_of_another_directory_counts),
		VOUCH(a_doubt_counts),
		VOUCH(an_opening_that_finds_other_bytes_counts),
		VOUCH(a_file_of_two_names_is_looked_at),
		VOUCH(a_listing_by_others_is_looked_at),
		VOUCH(what_a_link_leads_to_is_looked_at),
		VOUCH(a_listing_that_is_gone_is_vouched_for),
		VOUCH(what_a_text_refers_to_is_reported),
		VOUCH(what_a_text_refers_to_is_not_reported),
		VOUCH(what_was_just_changed_is_looked_at),
		VOUCH(without_watches_all_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
