/* fs/view: how much memory it costs that a file is known. */
#include "tests/unit/scene.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define N_DIRS 80
#define N_FILES 100  /* in each */
#define N_OTHERS 400 /* directories with one file */

/* What is allocated; 0 where that is not known. */
static size_t heap(void)
{
#if defined(__GLIBC__) && !defined(HF_SANITIZED)
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}

static void write_dir(struct scene *scene, const char *dir, int n)
{
	char path[64];

	tree_mkdir(&scene->tree, dir);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/file%07d.txt", dir, i);
		tree_write(&scene->tree, path, path);
	}
}

/* Lists a directory; what is in it, as a kernel knows it that has read it. */
static void know(struct scene *scene, const char *dir, struct hf_node **ret)
{
	struct hf_node *node = scene_node(scene, dir);
	struct hf_listing *listing;

	assert_int_equal(
		hf_view_list(scene->view, node, &scene->wait, &listing), 0);
	for (size_t i = 0; i < hf_listing_len(listing); i++)
		assert_int_equal(
			hf_view_node(scene->view, node, listing, i, &ret[i]),
			0);
	hf_node_unref(node);
	hf_listing_unref(listing);
}

/* After that no other listing is held, or hardly one. */
static void list_others(struct scene *scene)
{
	struct hf_node *node;
	char name[32];

	for (int i = 0; i < N_OTHERS; i++) {
		snprintf(name, sizeof(name), "other%d", i);
		know(scene, name, &node);
		hf_node_unref(node);
	}
}

static void write_tree(struct scene *scene)
{
	char name[32];

	for (int i = 0; i < N_OTHERS; i++) {
		snprintf(name, sizeof(name), "other%d", i);
		write_dir(scene, name, 1);
	}
	for (int i = 0; i < N_DIRS; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		write_dir(scene, name, N_FILES);
	}
}

/*
 * A file that is known costs its node, a name in its directory, and a memo of
 * its digest. What the first half of the directories costs is left out: with
 * them the heap came to have as many free pieces at hand as it may.
 */
static void a_known_file_takes_little(void **state)
{
	static struct hf_node *nodes[N_DIRS][N_FILES];
	struct scene *scene = *state;
	size_t before = 0;
	size_t after;
	char name[32];

	write_tree(scene);
	scene_open(scene, "@", "");
	for (int i = 0; i < N_DIRS; i++) {
		if (i == N_DIRS / 2) {
			list_others(scene);
			before = heap();
		}
		snprintf(name, sizeof(name), "d%d", i);
		know(scene, name, nodes[i]);
	}
	list_others(scene);
	after = heap();
	if (after)
		assert_in_range((after - before) / (N_DIRS / 2 * N_FILES), 100,
				250);
	for (int i = 0; i < N_DIRS; i++)
		for (int k = 0; k < N_FILES; k++)
			hf_node_unref(nodes[i][k]);
}

int main(void)
{
#define VIEW(test)                                                             \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		VIEW(a_known_file_takes_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
