/* Large directories, which several threads look at. */
#include "tests/unit/tree.h"

#include "fs/source/internal.h"

#define N 5000

struct place {
	struct tree tree;
	struct hf_source_config config;
	struct hf_pool *pool;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	struct hf_root_spec root;

	tree_make(&place->tree);
	root = (struct hf_root_spec){strdup(""), strdup(place->tree.top)};
	place->config.roots.items = malloc(sizeof(root));
	place->config.roots.items[0] = root;
	place->config.roots.n = 1;
	assert_int_equal(hf_pool_new(3, 3, &place->pool), 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	hf_pool_free(place->pool);
	hf_root_specs_fini(&place->config.roots);
	hf_strings_fini(&place->config.ignore);
	tree_free(&place->tree);
	free(place);
	return 0;
}

/* Many files, and among them one of everything else. */
static void plant(const struct tree *tree)
{
	char name[32];
	char full[PATH_MAX];

	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "d/%d.txt", i);
		tree_write_bytes(tree, name, name, (size_t)i % 7);
	}
	tree_mkdir(tree, "d/dir");
	tree_write(tree, "d/.hidden", "ignored");
	tree_write(tree, "d/backup~", "ignored");
	tree_link(tree, "d/link.txt", "1.txt");
	tree_link(tree, "d/dir.link", "dir");
	tree_link(tree, "d/round", "../d");
	tree_link(tree, "d/broken", "nowhere");
	assert_int_equal(mkfifo(tree_path(tree, "d/fifo", full), 0644), 0);
}

static struct hf_source_list *list(const struct place *place,
				   struct hf_pool *pool)
{
	struct hf_source_list *found;
	struct hf_source *source;
	char *why;

	assert_int_equal(hf_source_open(&place->config, 0, &source, &why), 0);
	hf_source_share(source, pool);
	assert_int_equal(hf_source_list(source, "d", &found), 0);
	hf_source_close(source);
	return found;
}

static void assert_same(const struct hf_source_entry *a,
			const struct hf_source_entry *b)
{
	struct hf_sig x = hf_sig_of(&a->st);
	struct hf_sig y = hf_sig_of(&b->st);

	assert_string_equal(a->name, b->name);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->error, b->error);
	assert_int_equal(a->link, b->link);
	assert_int_equal(a->root, b->root);
	assert_int_equal(a->st.st_mode, b->st.st_mode);
	assert_true(hf_sig_equal(&x, &y));
}

static void it_is_what_one_thread_sees(void **state)
{
	const struct place *place = *state;
	struct hf_source_list *alone;
	struct hf_source_list *together;

	plant(&place->tree);
	alone = list(place, NULL);
	together = list(place, place->pool);
	assert_int_equal(hf_source_list_len(alone), N + 6);
	assert_int_equal(hf_source_list_len(together), N + 6);
	for (size_t i = 0; i < N + 6; i++)
		assert_same(hf_source_list_entry(alone, i),
			    hf_source_list_entry(together, i));
	hf_source_list_unref(alone);
	hf_source_list_unref(together);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_what_one_thread_sees,
						set_up, tear_down),
	};

	return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
