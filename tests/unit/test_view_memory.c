/*
 * fs/view: what is remembered of a directory and of files, when that counts,
 * and when it is looked at again.
 */
#include "tests/unit/scene.h"

#include <pthread.h>
#include <sys/mman.h>

/* --- generations --------------------------------------------------------- */

static void assert_generation(struct scene *scene, uint64_t *generation,
			      bool same)
{
	struct hf_listing *listing = scene_list(scene, "");
	uint64_t now = hf_listing_generation(listing);

	if (same)
		assert_int_equal(now, *generation);
	else
		assert_int_not_equal(now, *generation);
	*generation = now;
	hf_listing_unref(listing);
}

static void check_generations(struct scene *scene)
{
	uint64_t generation = 0;

	tree_write(&scene->tree, "a.css", "a");
	tree_write(&scene->tree, "k.ico", "k");
	scene_open(scene, "@", "keep=*.ico");
	assert_generation(scene, &generation, false);
	assert_generation(scene, &generation, true);
	tree_set_mtime(&scene->tree, "a.css", 1234567890);
	assert_generation(scene, &generation, true); /* not shown */
	tree_write(&scene->tree, "a.css", "b");
	assert_generation(scene, &generation, false);
	assert_generation(scene, &generation, true);
	tree_write(&scene->tree, "k.ico", "l");
	assert_generation(scene, &generation, false); /* its time shows */
	tree_chmod(&scene->tree, "a.css", 0600);
	assert_generation(scene, &generation, false);
	tree_tick();
	tree_write(&scene->tree, "new.css", "new");
	assert_generation(scene, &generation, false);
	tree_remove(&scene->tree, "new.css");
	assert_generation(scene, &generation, false);
	assert_generation(scene, &generation, true);
}

static void a_generation_stands_for_a_state(void **state)
{
	check_generations(*state);
}

/* Racy files are hashed each time; that alone is no change. */
static void a_generation_of_racy_files(void **state)
{
	atomic_store(&scene_ahead_ns, 0);
	check_generations(*state);
}

/* --- racy files ---------------------------------------------------------- */

static uint64_t files_hashed(struct scene *scene)
{
	struct hf_view_stats stats;

	hf_view_stats(scene->view, &stats);
	return stats.digests.files_hashed;
}

static uint64_t hashed_by_listing(struct scene *scene)
{
	struct hf_view_stats before;
	struct hf_view_stats after;

	hf_view_stats(scene->view, &before);
	hf_listing_unref(scene_list(scene, ""));
	hf_view_stats(scene->view, &after);
	return after.digests.files_hashed - before.digests.files_hashed;
}

/* A listing is believed as long as the stamps of its files can be. */
static void a_listing_of_racy_files_reads_them_again(void **state)
{
	struct scene *scene = *state;

	tree_write(&scene->tree, "a.css", "a");
	scene_open(scene, "@", "");
	atomic_store(&scene_ahead_ns, 0);
	assert_int_equal(hashed_by_listing(scene), 1);
	assert_int_equal(hashed_by_listing(scene), 1);
	atomic_store(&scene_ahead_ns, HOUR_NS);
	assert_int_equal(hashed_by_listing(scene), 1);
	assert_int_equal(hashed_by_listing(scene), 0);
	assert_int_equal(hashed_by_listing(scene), 0);
}

/* Whoever looks at the same moment sees the same generation. */
struct looker {
	pthread_t thread;
	struct scene *scene;
	struct hf_node *dir;
	pthread_barrier_t *ready;
	uint64_t generation;
};

static void *look(void *arg)
{
	struct looker *looker = arg;
	struct hf_listing *listing;
	struct hf_wait wait;

	hf_wait_init(&wait);
	pthread_barrier_wait(looker->ready);
	if (hf_view_list(looker->scene->view, looker->dir, &wait, &listing) ==
	    0) {
		looker->generation = hf_listing_generation(listing);
		hf_listing_unref(listing);
	}
	hf_wait_fini(&wait);
	return NULL;
}

static void a_crowd_sees_one_generation(void **state)
{
	struct looker lookers[16] = {0};
	struct scene *scene = *state;
	pthread_barrier_t ready;
	struct hf_node *dir;

	for (int i = 0; i < 50; i++) {
		char name[32];

		snprintf(name, sizeof(name), "f%d", i);
		tree_write(&scene->tree, name, name);
	}
	for (int round = 0; round < 20; round++) {
		scene_open(scene, "@", "");
		dir = scene_node(scene, "");
		pthread_barrier_init(&ready, NULL, 16);
		for (size_t i = 0; i < 16; i++) {
			lookers[i].scene = scene;
			lookers[i].dir = dir;
			lookers[i].ready = &ready;
			pthread_create(&lookers[i].thread, NULL, look,
				       &lookers[i]);
		}
		for (size_t i = 0; i < 16; i++)
			pthread_join(lookers[i].thread, NULL);
		for (size_t i = 0; i < 16; i++) {
			assert_int_not_equal(lookers[i].generation, 0);
			assert_int_equal(lookers[i].generation,
					 lookers[0].generation);
		}
		pthread_barrier_destroy(&ready);
		hf_node_unref(dir);
	}
}

/* --- on disk ------------------------------------------------------------- */

/* What was hashed right after a change may be of any moment of it. */
static void what_is_racy_is_not_remembered_on_disk(void **state)
{
	struct scene *scene = *state;
	char options[PATH_MAX + 8];
	name_buf name;

	tree_write(&scene->tree, "src/a.bin", "a");
	snprintf(options, sizeof(options), "cache=%s/cache", scene->tree.top);
	scene_name("a", ".bin", "a", name);
	/* The file was changed "in the future". */
	atomic_store(&scene_ahead_ns, -HOUR_NS);
	scene_open(scene, "@/src", options);
	assert_true(scene_has(scene, name));
	assert_int_equal(files_hashed(scene), 1);
	atomic_store(&scene_ahead_ns, HOUR_NS);
	scene_open(scene, "@/src", options);
	assert_true(scene_has(scene, name));
	assert_int_equal(files_hashed(scene), 1);
	scene_open(scene, "@/src", options);
	assert_true(scene_has(scene, name));
	assert_int_equal(files_hashed(scene), 0);
}

/* The disk says what the file was named as long as its stamp is the same; an
 * open finds that it lies, and then it does not any more. */
static void an_open_corrects_what_is_remembered_on_disk(void **state)
{
	struct scene *scene = *state;
	char options[PATH_MAX + 8];
	char path[PATH_MAX];
	name_buf name;
	char *map;
	int fd;

	tree_write(&scene->tree, "src/a.bin", "old");
	snprintf(options, sizeof(options), "cache=%s/cache", scene->tree.top);
	fd = open(tree_path(&scene->tree, "src/a.bin", path), O_RDWR);
	assert_true(fd >= 0);
	map = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	map[0] = 'o';
	scene_open(scene, "@/src", options);
	assert_true(scene_has(scene, scene_name("a", ".bin", "old", name)));
	memcpy(map, "new", 3);
	scene_open(scene, "@/src", options);
	assert_true(scene_has(scene, name));
	assert_int_equal(scene_open_error(scene, name), -ESTALE);
	scene_name("a", ".bin", "new", name);
	assert_true(scene_has(scene, name));
	scene_open(scene, "@/src", options);
	assert_true(scene_has(scene, name));
	assert_int_equal(files_hashed(scene), 0);
	scene_assert_reads(scene, name, "new");
	munmap(map, 3);
	close(fd);
}

/* A store through mmap(2) into a page that is dirty already leaves no stamp:
 * only forgetting makes the next look see it. */
static void what_is_forgotten_is_looked_at_again(void **state)
{
	struct scene *scene = *state;
	char path[PATH_MAX];
	name_buf name;
	struct hf_listing *listing;
	char *map;
	int fd;

	tree_write(&scene->tree, "a.bin", "old");
	fd = open(tree_path(&scene->tree, "a.bin", path), O_RDWR);
	assert_true(fd >= 0);
	map = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	map[0] = 'o';
	scene_open(scene, "@", "");
	assert_true(scene_has(scene, scene_name("a", ".bin", "old", name)));
	memcpy(map, "new", 3);
	assert_false(scene_has(scene, scene_name("a", ".bin", "new", name)));
	hf_view_forget(scene->view);
	assert_true(scene_has(scene, scene_name("a", ".bin", "new", name)));
	listing = scene_list(scene, "");
	assert_string_equal(scene_entry(listing, "a.bin")->name, name);
	memcpy(map, "odd", 3);
	hf_listing_unref(listing);
	hf_view_forget(scene->view);
	listing = scene_list(scene, "");
	assert_string_equal(scene_entry(listing, "a.bin")->name,
			    scene_name("a", ".bin", "odd", name));
	hf_listing_unref(listing);
	munmap(map, 3);
	close(fd);
}

int main(void)
{
#define VIEW(test)                                                             \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		VIEW(a_generation_stands_for_a_state),
		VIEW(a_generation_of_racy_files),
		VIEW(a_listing_of_racy_files_reads_them_again),
		VIEW(a_crowd_sees_one_generation),
		VIEW(what_is_forgotten_is_looked_at_again),
		VIEW(what_is_racy_is_not_remembered_on_disk),
		VIEW(an_open_corrects_what_is_remembered_on_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
