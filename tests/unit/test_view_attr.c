/* fs/view: attributes of what is presented. */
#include "tests/unit/scene.h"

static void assert_time(const struct stat *st, time_t seconds)
{
	assert_int_equal(st->st_mtim.tv_sec, seconds);
	assert_int_equal(st->st_mtim.tv_nsec, 0);
	assert_int_equal(st->st_ctim.tv_sec, seconds);
	assert_int_equal(st->st_atim.tv_sec, seconds);
}

static void attributes_of_a_hashed_file(void **state)
{
	struct scene *scene = *state;
	struct stat source;
	struct stat st;
	name_buf name;

	tree_write(&scene->tree, "a.css", "0123456789");
	tree_chmod(&scene->tree, "a.css", 07751);
	source = tree_stat(&scene->tree, "a.css");
	scene_open(scene, "@", "");
	scene_name("a", ".css", "0123456789", name);
	st = scene_stat(scene, name);
	assert_time(&st, DEFAULT_MTIME);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_uid, source.st_uid);
	assert_int_equal(st.st_gid, source.st_gid);
	assert_int_equal(st.st_size, 10);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_blocks, 1);
	assert_int_equal(st.st_blksize, 131072);
	assert_true(st.st_ino > 1 && st.st_ino >> 63 == 0);
}

/* Nobody may read here who may not read there. */
static void modes_never_widen(void **state)
{
	struct scene *scene = *state;

	scene_open(scene, "@", "keep=*");
	tree_write(&scene->tree, "f", "f");
	tree_mkdir(&scene->tree, "d");
	for (mode_t mode = 0; mode <= 0777; mode += 073) {
		tree_chmod(&scene->tree, "f", mode);
		tree_chmod(&scene->tree, "d", mode | 0500);
		assert_int_equal(scene_stat(scene, "f").st_mode,
				 S_IFREG | (mode & 0444) | 0200);
		assert_int_equal(scene_stat(scene, "d").st_mode,
				 S_IFDIR | ((mode | 0500) & 0555) | 0200);
	}
	tree_chmod(&scene->tree, "d", 0755);
}

static void blocks_are_of_512(void **state)
{
	static const struct {
		size_t size;
		blkcnt_t blocks;
	} sizes[] = {{0, 0}, {1, 1}, {512, 1}, {513, 2}, {4096, 8}};
	struct scene *scene = *state;
	char data[4096];

	memset(data, 'x', sizeof(data));
	for (size_t i = 0; i < HF_ARRAY_SIZE(sizes); i++) {
		char name[8];

		snprintf(name, sizeof(name), "f%zu", i);
		tree_write_bytes(&scene->tree, name, data, sizes[i].size);
	}
	scene_open(scene, "@", "keep=*");
	for (size_t i = 0; i < HF_ARRAY_SIZE(sizes); i++) {
		char name[8];

		snprintf(name, sizeof(name), "f%zu", i);
		assert_int_equal(scene_stat(scene, name).st_blocks,
				 sizes[i].blocks);
	}
}

static void times_can_be_chosen(void **state)
{
	struct scene *scene = *state;
	struct stat st;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	tree_set_mtime(&scene->tree, "a.css", 1234567890);
	scene_name("a", ".css", "a", name);
	scene_open(scene, "@", "mtime=@42");
	st = scene_stat(scene, name);
	assert_time(&st, 42);
	scene_open(scene, "@", "mtime=source");
	st = scene_stat(scene, name);
	assert_time(&st, 1234567890);
	st = scene_stat(scene, "");
	assert_time(&st, 1234567890);
}

/* A file that was replaced by an older one is never taken for old. */
static void a_plain_file_shows_the_later_time(void **state)
{
	struct scene *scene = *state;
	struct stat source;
	struct stat st;

	tree_write(&scene->tree, "k.ico", "k");
	tree_set_mtime(&scene->tree, "k.ico", 1000000000);
	source = tree_stat(&scene->tree, "k.ico");
	scene_open(scene, "@", "keep=*.ico");
	st = scene_stat(scene, "k.ico");
	assert_int_equal(st.st_mtim.tv_sec, source.st_ctim.tv_sec);
	assert_int_equal(st.st_mtim.tv_nsec, source.st_ctim.tv_nsec);
	tree_set_mtime(&scene->tree, "k.ico", 4000000000);
	st = scene_stat(scene, "k.ico");
	assert_int_equal(st.st_mtim.tv_sec, 4000000000);
}

static void a_directory_is_as_new_as_its_files(void **state)
{
	struct scene *scene = *state;
	struct stat kept;
	struct stat st;

	tree_write(&scene->tree, "h/a.css", "a");
	tree_write(&scene->tree, "m/a.css", "a");
	tree_write(&scene->tree, "m/k.ico", "k");
	scene_open(scene, "@", "keep=*.ico");
	st = scene_stat(scene, "h");
	assert_time(&st, DEFAULT_MTIME);
	assert_int_equal(st.st_nlink, 1);
	kept = scene_stat(scene, "m/k.ico");
	st = scene_stat(scene, "m");
	assert_int_equal(st.st_mtim.tv_sec, kept.st_mtim.tv_sec);
	assert_int_equal(st.st_mtim.tv_nsec, kept.st_mtim.tv_nsec);
}

static void owners_can_be_chosen(void **state)
{
	struct scene *scene = *state;
	struct stat st;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	scene_name("a", ".css", "a", name);
	scene_open(scene, "@", "uid=12345,gid=54321");
	st = scene_stat(scene, name);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 54321);
	st = scene_stat(scene, "");
	assert_int_equal(st.st_uid, 12345);
}

/* Backups and NFS know a file by its number: equal in every mount. */
static void inode_numbers_outlive_the_view(void **state)
{
	struct scene *scene = *state;
	struct stat first;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	tree_write(&scene->tree, "b.css", "a");
	scene_name("a", ".css", "a", name);
	scene_open(scene, "@", "");
	first = scene_stat(scene, name);
	scene_open(scene, "@", "");
	assert_int_equal(scene_stat(scene, name).st_ino, first.st_ino);
	scene_name("b", ".css", "a", name);
	assert_int_not_equal(scene_stat(scene, name).st_ino, first.st_ino);
}

int main(void)
{
#define VIEW(test)                                                             \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		VIEW(attributes_of_a_hashed_file),
		VIEW(modes_never_widen),
		VIEW(blocks_are_of_512),
		VIEW(times_can_be_chosen),
		VIEW(a_plain_file_shows_the_later_time),
		VIEW(a_directory_is_as_new_as_its_files),
		VIEW(owners_can_be_chosen),
		VIEW(inode_numbers_outlive_the_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
