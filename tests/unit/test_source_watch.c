/* fs/source/watch.c: what is reported, and what is not. */
#include "tests/unit/tree.h"

#include <errno.h>

#include "fs/source/source.h"

struct stage {
	struct tree tree;
	struct hf_source_config config;
	struct hf_source *source;
	struct hf_watches *watches;
};

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	tree_make(&stage->tree);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	hf_watches_free(stage->watches);
	hf_source_close(stage->source);
	hf_root_specs_fini(&stage->config.roots);
	tree_free(&stage->tree);
	free(stage);
	return 0;
}

/* `sources` with @ for the tree. */
static void start(struct stage *stage, const char *sources)
{
	struct hf_buf text = {0};
	char *why = NULL;

	for (const char *c = sources; *c; c++) {
		if (*c == '@')
			hf_buf_puts(&text, stage->tree.top);
		else
			hf_buf_putc(&text, *c);
	}
	assert_int_equal(
		hf_root_specs_parse(&stage->config.roots, text.data, &why), 0);
	assert_int_equal(
		hf_source_open(&stage->config, 0, &stage->source, &why), 0);
	assert_int_equal(hf_watches_new(stage->source, &stage->watches), 0);
	hf_buf_fini(&text);
}

static void assert_watched(struct stage *stage, size_t n)
{
	struct hf_watches_stats stats;

	hf_watches_stats(stage->watches, &stats);
	assert_int_equal(stats.directories, n);
}

static void a_directory_is_watched_with_those_above(void **state)
{
	struct stage *stage = *state;

	tree_write(&stage->tree, "a/b/c/x", "1");
	start(stage, "@");
	assert_false(hf_watches_read(stage->watches));
	assert_true(hf_watches_dir(stage->watches, "a/b"));
	assert_watched(stage, 3);
	assert_true(hf_watches_dir(stage->watches, "a/b"));
	assert_watched(stage, 3);
	assert_false(hf_watches_read(stage->watches));
	tree_write(&stage->tree, "a/b/c/x", "2"); /* not asked for */
	assert_false(hf_watches_read(stage->watches));
	tree_write(&stage->tree, "a/b/new", "");
	assert_true(hf_watches_read(stage->watches));
	assert_false(hf_watches_read(stage->watches));
	tree_write(&stage->tree, "a/b/new", "written");
	assert_true(hf_watches_read(stage->watches));
	assert_watched(stage, 3);
}

static void what_is_not_there_is_reported_when_it_comes(void **state)
{
	struct stage *stage = *state;

	tree_write(&stage->tree, "one/x", "");
	tree_write(&stage->tree, "two/a/x", "");
	start(stage, "@/one:pre/fix=@/two");
	assert_true(hf_watches_dir(stage->watches, "a/b/c"));
	assert_watched(stage, 1); /* nothing of the second can be there */
	assert_true(hf_watches_dir(stage->watches, "pre/fix/a/b"));
	assert_watched(stage, 3);
	assert_true(hf_watches_dir(stage->watches, "x/below/a/file"));
	tree_write(&stage->tree, "two/a/b/new", "");
	assert_true(hf_watches_read(stage->watches));
	assert_true(hf_watches_dir(stage->watches, "pre/fix/a/b"));
	assert_watched(stage, 4);
}

static void links_are_not_watched(void **state)
{
	struct stage *stage = *state;
	struct hf_source_entry entry;
	char link[PATH_MAX];

	tree_write(&stage->tree, "a/x", "");
	assert_int_equal(symlink("a", tree_path(&stage->tree, "link", link)),
			 0);
	start(stage, "@");
	assert_false(hf_watches_dir(stage->watches, "link"));
	assert_false(hf_watches_dir(stage->watches, "link/below"));
	assert_int_equal(hf_source_find(stage->source, "link", &entry), 0);
	assert_false(hf_source_entry_reported(&entry));
	assert_int_equal(hf_source_find(stage->source, "a", &entry), 0);
	assert_true(hf_source_entry_reported(&entry));
	assert_int_equal(hf_source_find(stage->source, "a/x", &entry), 0);
	assert_true(hf_source_entry_reported(&entry));
}

static void all_is_given_up_when_a_directory_moves(void **state)
{
	struct stage *stage = *state;

	tree_write(&stage->tree, "a/b/x", "");
	start(stage, "@");
	assert_true(hf_watches_dir(stage->watches, "a/b"));
	tree_rename(&stage->tree, "a/b/x", "a/b/y");
	assert_true(hf_watches_read(stage->watches));
	assert_watched(stage, 3);
	tree_rename(&stage->tree, "a", "A");
	assert_true(hf_watches_read(stage->watches));
	assert_watched(stage, 0);
	/* The ends of the watches are no news. */
	assert_false(hf_watches_read(stage->watches));
	tree_write(&stage->tree, "a/b/x", "");
	assert_true(hf_watches_dir(stage->watches, "a/b"));
	assert_watched(stage, 3);
	tree_write(&stage->tree, "A/b/y", "old directory");
	assert_false(hf_watches_read(stage->watches));
	tree_write(&stage->tree, "a/b/x", "new directory");
	assert_true(hf_watches_read(stage->watches));
}

int main(void)
{
#define WATCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WATCH(a_directory_is_watched_with_those_above),
		WATCH(what_is_not_there_is_reported_when_it_comes),
		WATCH(links_are_not_watched),
		WATCH(all_is_given_up_when_a_directory_moves),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
