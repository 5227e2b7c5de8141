/* fs/view/copy.c: what stands for a file of ours elsewhere. */
#include "tests/unit/scene.h"

#include <fcntl.h>
#include <unistd.h>

static void test_names(void **state)
{
	static const struct {
		const char *path;
		const char *name;
		bool could;
	} cases[] = {
		{"css/app.css", "css/app.55e7cbb9ba48.css", true},
		{"css/app.css", "css/app.0000.css", true},
		{"css/app.css", "css/app.000.css", false},
		{"css/app.css", "css/app..css", false},
		{"css/app.css", "css/app.css", false},
		{"css/app.css", "css/app.55E7CBB9BA48.css", false},
		{"css/app.css", "css/app.55e7cbb9ba4g.css", false},
		{"css/app.css", "css/app.55e7/bb9ba48.css", false},
		{"css/app.css", "app.55e7cbb9ba48.css", false},
		{"css/app.css", "cs/app.55e7cbb9ba48.css", false},
		{"css/app.css", "css/x.55e7cbb9ba48.css", false},
		{"css/app.css", "css/app.55e7cbb9ba48", false},
		{"css/app.css", "css/", false},
		{"css/app.css", "", false},
		{"README", "README.55e7cbb9ba48", true},
		{"", "", false},
		{"a\\b.css", "a\\b.55e7cbb9ba48.css", false},
	};
	struct scene *scene = *state;

	scene_open(scene, "@", "frozen");
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++)
		assert_int_equal(hf_view_could_name(scene->view, cases[i].path,
						    cases[i].name),
				 cases[i].could);
	scene_open(scene, "@", "name=%h-%n%e");
	assert_true(hf_view_could_name(scene->view, "d/a.js", "d/beef-a.js"));
	assert_false(hf_view_could_name(scene->view, "d/a.js", "d/a.beef.js"));
}

/* A node of the file, whose text is `text`. */
static struct hf_node *node_of(struct scene *scene, const char *before,
			       const char *after, const char *text)
{
	char name[NAME_MAX + 1];
	struct hf_node *node;

	scene_name(before, after, text, name);
	assert_int_equal(hf_view_lookup(scene->view, scene->top, name,
					&scene->wait, &node),
			 0);
	return node;
}

static int open_in(struct scene *scene, const char *path)
{
	char full[PATH_MAX];
	int fd =
		open(tree_path(&scene->tree, path, full), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_bytes(void **state)
{
	/* More and less than a block, and just one. */
	static const size_t lens[] = {0,
				      1,
				      HF_BLOCK_LEN - 1,
				      HF_BLOCK_LEN,
				      HF_BLOCK_LEN + 1,
				      3 * HF_BLOCK_LEN};
	struct scene *scene = *state;

	for (size_t i = 0; i < HF_ARRAY_SIZE(lens); i++) {
		struct hf_buf scratch = {0};
		struct hf_buf text = {0};
		struct hf_node *node;
		int fd;

		hf_buf_puts(&text, "");
		while (text.len < lens[i])
			hf_buf_putc(&text, (char)('a' + text.len % 26));
		tree_write(&scene->tree, "a.bin", text.data);
		scene_open(scene, "@", "refs=none");
		node = node_of(scene, "a", ".bin", text.data);
		fd = open_in(scene, "a.bin");
		assert_int_equal(
			hf_view_matches(scene->view, node, fd, &scratch), 0);
		/* Wherever it was read to before. */
		assert_int_equal(
			hf_view_matches(scene->view, node, fd, &scratch), 0);
		close(fd);
		hf_buf_putc(&text, '!');
		tree_write(&scene->tree, "a.bin", text.data);
		fd = open_in(scene, "a.bin");
		assert_int_equal(
			hf_view_matches(scene->view, node, fd, &scratch),
			-ESTALE);
		close(fd);
		hf_node_unref(node);
		hf_buf_fini(&scratch);
		hf_buf_fini(&text);
	}
}

/* Texts are put together; all else lies in the source as it is. */
static void test_sources(void **state)
{
	struct scene *scene = *state;
	struct hf_node *node;
	struct stat st;
	int fd = -1;

	tree_write(&scene->tree, "a.css", "a{}");
	tree_write(&scene->tree, "b.bin", "bytes");
	scene_open(scene, "@", "frozen");
	node = node_of(scene, "a", ".css", "a{}");
	assert_int_equal(hf_view_open_source(scene->view, node, &fd), -ENOTSUP);
	hf_node_unref(node);
	node = node_of(scene, "b", ".bin", "bytes");
	assert_int_equal(hf_view_open_source(scene->view, node, &fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 5);
	close(fd);
	hf_node_unref(node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, scene_set_up,
						scene_tear_down),
		cmocka_unit_test_setup_teardown(test_bytes, scene_set_up,
						scene_tear_down),
		cmocka_unit_test_setup_teardown(test_sources, scene_set_up,
						scene_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
