/*
 * fs/view/snapshot.c: the whole mapping, as it was at one moment, or not at
 * all.
 */
#include "tests/unit/scene.h"

#include <pthread.h>

#include "fs/view/walk.h"

static void take(struct scene *scene, struct hf_snapshot *ret)
{
	assert_int_equal(hf_view_snapshot(scene->view, &scene->wait, NULL, ret),
			 0);
}

/* Sorted by bytes, each path once. */
static void assert_sorted(const struct hf_snapshot *snapshot)
{
	for (size_t i = 1; i < snapshot->n; i++)
		assert_true(strcmp(snapshot->rows[i - 1].path,
				   snapshot->rows[i].path) < 0);
}

/* The row of a path, or NULL. */
static const struct hf_row *find_row(const struct hf_snapshot *snapshot,
				     const char *path)
{
	for (size_t i = 0; i < snapshot->n; i++)
		if (strcmp(snapshot->rows[i].path, path) == 0)
			return &snapshot->rows[i];
	return NULL;
}

static const struct hf_row *row_of(const struct hf_snapshot *snapshot,
				   const char *path)
{
	static const struct hf_row none;
	const struct hf_row *row = find_row(snapshot, path);

	if (row)
		return row;
	fail_msg("no row of %s", path);
	return &none;
}

static void assert_row(const struct hf_snapshot *snapshot, const char *path,
		       const char *name, enum hf_kind kind, uint64_t size)
{
	const struct hf_row *row = row_of(snapshot, path);

	assert_string_equal(row->name, name);
	assert_int_equal(row->kind, kind);
	assert_int_equal(row->size, size);
	assert_int_equal(row->error, 0);
	assert_int_equal(row->problem, HF_PROBLEM_NONE);
	assert_int_equal(row->name_digest.len, kind == HF_KIND_HASHED ? 16 : 0);
}

/* --- rows ---------------------------------------------------------------- */

static void every_file_has_a_row(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;
	name_buf name;

	tree_write(&scene->tree, "a/z.css", "z");
	tree_write(&scene->tree, "a-b/y.css", "yy");
	tree_write(&scene->tree, "a.css", "");
	tree_write(&scene->tree, "a/b/c/d.css", "d");
	tree_write(&scene->tree, "k.ico", "icon");
	tree_write(&scene->tree, "chunk-1.js", "chunk");
	tree_write(&scene->tree, "new\nline.css", "newline");
	tree_mkdir(&scene->tree, "empty");
	tree_link(&scene->tree, "l", "a/b");
	tree_write(&scene->tree, ".hidden", "ignored");
	scene_open(scene, "@", "keep=*.ico,prehashed=chunk-*");
	take(scene, &snapshot);
	assert_sorted(&snapshot);
	assert_int_equal(snapshot.n, 8);
	assert_row(&snapshot, "a/z.css", scene_name("a/z", ".css", "z", name),
		   HF_KIND_HASHED, 1);
	assert_row(&snapshot, "a-b/y.css",
		   scene_name("a-b/y", ".css", "yy", name), HF_KIND_HASHED, 2);
	assert_row(&snapshot, "a.css", scene_name("a", ".css", "", name),
		   HF_KIND_HASHED, 0);
	assert_row(&snapshot, "a/b/c/d.css",
		   scene_name("a/b/c/d", ".css", "d", name), HF_KIND_HASHED, 1);
	assert_row(&snapshot, "l/c/d.css",
		   scene_name("l/c/d", ".css", "d", name), HF_KIND_HASHED, 1);
	assert_row(&snapshot, "k.ico", "k.ico", HF_KIND_KEPT, 4);
	assert_row(&snapshot, "chunk-1.js", "chunk-1.js", HF_KIND_PREHASHED, 5);
	assert_int_equal(row_of(&snapshot, "chunk-1.js")->content_digest.len,
			 16);
	assert_string_equal(row_of(&snapshot, "new\nline.css")->name,
			    "new\nline.css");
	assert_int_equal(row_of(&snapshot, "new\nline.css")->problem,
			 HF_PROBLEM_NAME);
	hf_snapshot_fini(&snapshot);
	hf_snapshot_fini(&snapshot); /* it is empty then */
}

/* A row's name is what a mount shows: it can be looked up and opened. */
/* Several threads make them, each some; some files have two entries. */
static void many_files_have_rows(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;
	char path[32], name[NAME_MAX + 1];

	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "%c/%04d.txt", 'a' + i % 3, i);
		tree_write(&scene->tree, path, "x");
	}
	scene_open(scene, "@", "show=hashed:kept:plain,keep=*9.txt");
	take(scene, &snapshot);
	assert_int_equal(snapshot.n, 5000);
	assert_true(snapshot.n_texts > 1);
	assert_sorted(&snapshot);
	for (size_t i = 0; i < snapshot.n; i++) {
		const struct hf_row *row = &snapshot.rows[i];

		snprintf(path, sizeof(path), "%.6s", row->path);
		scene_name(path, ".txt", "x", name);
		assert_string_equal(row->name,
				    path[5] == '9' ? row->path : name);
		assert_int_equal(row->size, 1);
	}
	hf_snapshot_fini(&snapshot);
}

static void every_name_is_there(void **state)
{
	static const char *const options[] = {"", "show=plain",
					      "show=hashed:kept:plain,keep=k*"};
	struct scene *scene = *state;

	for (int i = 0; i < 40; i++) {
		char path[64];

		snprintf(path, sizeof(path), "d%d/%c%d.css", i % 7, "kf"[i % 2],
			 i);
		tree_write(&scene->tree, path, path);
	}
	tree_write(&scene->tree, "d0/a.png", "same");
	tree_write(&scene->tree, "d0/a.png#", "same");
	for (size_t o = 0; o < HF_ARRAY_SIZE(options); o++) {
		struct hf_snapshot snapshot;

		scene_open(scene, "@", options[o]);
		take(scene, &snapshot);
		assert_int_equal(snapshot.n, 42);
		for (size_t i = 0; i < snapshot.n; i++) {
			const struct hf_row *row = &snapshot.rows[i];
			struct hf_node *node = scene_node(scene, row->name);
			struct hf_buf path = {0};

			hf_node_path(node, &path);
			/* Two share a name, which leads to the first. */
			if (row->kind == HF_KIND_HASHED &&
			    strcmp(row->path, "d0/a.png#") == 0)
				assert_string_equal(path.data, "d0/a.png");
			else
				assert_string_equal(path.data, row->path);
			assert_int_equal(scene_try_open(scene, node), 0);
			hf_buf_fini(&path);
			hf_node_unref(node);
		}
		hf_snapshot_fini(&snapshot);
	}
}

static void what_is_not_shown_has_no_row(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	tree_write(&scene->tree, "a.css", "a");
	tree_write(&scene->tree, "k.ico", "k");
	scene_open(scene, "@", "keep=*.ico,show=hashed");
	take(scene, &snapshot);
	assert_int_equal(snapshot.n, 1);
	assert_string_equal(snapshot.rows[0].path, "a.css");
	hf_snapshot_fini(&snapshot);
}

static void an_empty_tree_has_no_rows(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	scene_open(scene, "@", "");
	take(scene, &snapshot);
	assert_int_equal(snapshot.n, 0);
	hf_snapshot_fini(&snapshot);
}

/* One path, one row, although two sources have something there. */
static void a_hidden_namesake_shares_the_row(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;
	name_buf name;

	tree_write(&scene->tree, "a/file", "file");
	tree_write(&scene->tree, "b/file/hidden", "hidden");
	tree_write(&scene->tree, "a/dir/shown", "shown");
	tree_write(&scene->tree, "b/dir", "hidden");
	scene_open(scene, "@/a:@/b", "");
	take(scene, &snapshot);
	assert_sorted(&snapshot);
	assert_int_equal(snapshot.n, 3);
	assert_string_equal(row_of(&snapshot, "dir")->name, "");
	assert_int_equal(row_of(&snapshot, "dir")->problem,
			 HF_PROBLEM_SHADOWED);
	assert_string_equal(row_of(&snapshot, "file")->name,
			    scene_name("file", "", "file", name));
	assert_int_equal(row_of(&snapshot, "file")->problem,
			 HF_PROBLEM_SHADOWED);
	assert_int_equal(row_of(&snapshot, "file")->error, 0);
	assert_non_null(find_row(&snapshot, "dir/shown"));
	hf_snapshot_fini(&snapshot);
}

/* --- what cannot be read ------------------------------------------------- */

static void broken_links_have_rows(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	tree_link(&scene->tree, "d/dangling.png", "nowhere");
	tree_link(&scene->tree, "d/outside", "/etc/passwd");
	tree_link(&scene->tree, "d/kept", "nowhere");
	scene_open(scene, "@", "keep=kept");
	take(scene, &snapshot);
	assert_int_equal(snapshot.n, 3);
	assert_int_equal(row_of(&snapshot, "d/dangling.png")->error, ENOENT);
	assert_int_equal(row_of(&snapshot, "d/dangling.png")->problem,
			 HF_PROBLEM_LINK);
	assert_int_equal(row_of(&snapshot, "d/outside")->error, EACCES);
	assert_int_equal(row_of(&snapshot, "d/kept")->error, ENOENT);
	assert_string_equal(row_of(&snapshot, "d/kept")->name, "d/kept");
	hf_snapshot_fini(&snapshot);
}

static void what_may_not_be_read_has_rows(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;
	int error;

	tree_write(&scene->tree, "locked/a.css", "a");
	tree_write(&scene->tree, "hashed.css", "a");
	tree_write(&scene->tree, "kept.ico", "k");
	tree_write(&scene->tree, "open.css", "o");
	tree_chmod(&scene->tree, "locked", 0);
	tree_chmod(&scene->tree, "hashed.css", 0);
	tree_chmod(&scene->tree, "kept.ico", 0);
	if (!tree_drop_root(&scene->tree))
		skip();
	scene_open(scene, "@", "keep=*.ico");
	error = hf_view_snapshot(scene->view, &scene->wait, NULL, &snapshot);
	tree_regain_root();
	tree_chmod(&scene->tree, "locked", 0700);
	assert_int_equal(error, 0);
	assert_int_equal(snapshot.n, 4);
	assert_int_equal(row_of(&snapshot, "locked")->kind, HF_KIND_DIR);
	assert_int_equal(row_of(&snapshot, "locked")->error, EACCES);
	assert_string_equal(row_of(&snapshot, "locked")->name, "");
	assert_int_equal(row_of(&snapshot, "hashed.css")->error, EACCES);
	assert_int_equal(row_of(&snapshot, "kept.ico")->error, EACCES);
	assert_int_equal(row_of(&snapshot, "kept.ico")->problem,
			 HF_PROBLEM_UNREADABLE);
	assert_int_equal(row_of(&snapshot, "open.css")->error, 0);
	hf_snapshot_fini(&snapshot);
}

/* --- the moment ---------------------------------------------------------- */

static void nothing_changed_nothing_changes(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot first;
	struct hf_snapshot second;
	struct hf_view_stats stats;

	tree_write(&scene->tree, "a/a.css", "a");
	tree_write(&scene->tree, "b.css", "b");
	scene_open(scene, "@", "");
	take(scene, &first);
	take(scene, &second);
	assert_int_equal(first.n, second.n);
	for (size_t i = 0; i < first.n; i++)
		assert_string_equal(first.rows[i].name, second.rows[i].name);
	/* What is quiet was read once, although it was looked at four times. */
	hf_view_stats(scene->view, &stats);
	assert_int_equal(stats.digests.files_hashed, 2);
	hf_snapshot_fini(&second);
	tree_write(&scene->tree, "b.css", "c");
	take(scene, &second);
	assert_int_not_equal(first.generation, second.generation);
	hf_view_stats(scene->view, &stats);
	assert_int_equal(stats.digests.files_hashed, 3);
	hf_snapshot_fini(&first);
	hf_snapshot_fini(&second);
}

static void progress_ends_at_all(void **state)
{
	struct scene *scene = *state;
	struct hf_progress progress = {0};
	struct hf_snapshot snapshot;

	tree_write(&scene->tree, "a/a.css", "12345");
	tree_write(&scene->tree, "b.css", "123");
	scene_open(scene, "@", "");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hf_view_snapshot(scene->view, &scene->wait,
						  &progress, &snapshot),
				 0);
		assert_int_equal(atomic_load(&progress.files), 2);
		assert_int_equal(atomic_load(&progress.files_done), 2);
		assert_int_equal(atomic_load(&progress.bytes), 8);
		assert_int_equal(atomic_load(&progress.bytes_done), 8);
		hf_snapshot_fini(&snapshot);
	}
}

static void who_is_interrupted_gets_eintr(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;

	tree_write(&scene->tree, "a.css", "a");
	scene_open(scene, "@", "");
	hf_wait_interrupt(&scene->wait);
	assert_int_equal(
		hf_view_snapshot(scene->view, &scene->wait, NULL, &snapshot),
		-EINTR);
}

static void a_lost_source_has_no_mapping_of_nothing(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot;
	int error;

	tree_mkdir(&scene->tree, "a");
	scene_open(scene, "@/a", "");
	tree_remove(&scene->tree, "a");
	error = hf_view_snapshot(scene->view, &scene->wait, NULL, &snapshot);
	if (error == 0) {
		assert_true(snapshot.n > 0);
		assert_int_equal(snapshot.rows[0].error, EIO);
		hf_snapshot_fini(&snapshot);
	} else {
		assert_int_equal(error, -EIO);
	}
}

/* --- beside a writer ----------------------------------------------------- */

/*
 * The writer counts: a/x first, then z/y, so that at any moment x is y or y
 * plus one; and t is now a file, now a directory with a file in it. Between a
 * and z lie directories enough for a snapshot to be torn in.
 */
#define N_BETWEEN 40
#define N_COUNTS 100000

struct writer {
	struct scene *scene;
	atomic_bool end;
	atomic_int pause_us;
};

static bool write_count(struct tree *tree, const char *path, int n)
{
	char full[PATH_MAX];
	char fresh[PATH_MAX];
	char text[16];
	int fd;

	snprintf(text, sizeof(text), "%d", n);
	fd = open(tree_path(tree, ".fresh", fresh),
		  O_WRONLY | O_CREAT | O_TRUNC, 0644);
	return fd >= 0 && write(fd, text, strlen(text)) > 0 && close(fd) == 0 &&
	       rename(fresh, tree_path(tree, path, full)) == 0;
}

static bool toggle(struct tree *tree, int n)
{
	char t[PATH_MAX];
	char in[PATH_MAX];

	tree_path(tree, "t", t);
	tree_path(tree, "t/in", in);
	if (n % 2) {
		unlink(t);
		mkdir(t, 0755);
		return write_count(tree, "t/in", n);
	}
	unlink(in);
	rmdir(t);
	return write_count(tree, "t", n);
}

/* The tree goes away if the test fails: then it ends. */
static void *count_up(void *arg)
{
	struct writer *writer = arg;
	struct tree *tree = &writer->scene->tree;

	for (int n = 1; !atomic_load(&writer->end) && n < N_COUNTS; n++) {
		if (!write_count(tree, "a/x", n))
			break;
		usleep((useconds_t)atomic_load(&writer->pause_us));
		if (!write_count(tree, "z/y", n) || !toggle(tree, n))
			break;
		usleep((useconds_t)atomic_load(&writer->pause_us));
	}
	return NULL;
}

/* Which number between `from` and N_COUNTS has the digest of the row? */
static int number_of(const struct hf_row *row, int from)
{
	for (int n = from; n < N_COUNTS; n++) {
		struct hf_digest digest;
		char text[16];

		snprintf(text, sizeof(text), "%d", n);
		assert_int_equal(hf_hash(hf_algorithm_find("md5"), text,
					 strlen(text), &digest),
				 0);
		if (hf_digest_equal(&digest, &row->content_digest))
			return n;
	}
	fail_msg("%s has bytes that it never had", row->path);
	return -1;
}

static void assert_one_state(const struct hf_snapshot *snapshot, int *from)
{
	const struct hf_row *t = find_row(snapshot, "t");
	const struct hf_row *in = find_row(snapshot, "t/in");
	int y = number_of(row_of(snapshot, "z/y"), *from);
	int x = number_of(row_of(snapshot, "a/x"), y);

	assert_sorted(snapshot);
	assert_true(x == y || x == y + 1);
	assert_false(t && in);
	for (size_t i = 0; i < snapshot->n; i++)
		assert_int_equal(snapshot->rows[i].error, 0);
	*from = y;
}

static int look_at_nothing(struct hf_walk *walk)
{
	(void)walk;
	return 0;
}

/*
 * By quiet stamps, that is with a clock that is far ahead of them. So nothing
 * may be concluded from how old they are, as is by walks that look at nothing
 * besides.
 */
static int survey(struct scene *scene, struct hf_snapshot *ret)
{
	struct hf_walk walk = {.view = scene->view, .wait = &scene->wait};
	struct hf_snapshot snapshot = {0};
	int error = hf_survey(&walk, look_at_nothing, NULL, &snapshot, NULL);

	hf_walk_fini(&walk);
	if (error < 0)
		hf_snapshot_fini(&snapshot);
	else
		*ret = snapshot;
	return error;
}

static int take_racy(struct scene *scene, struct hf_snapshot *ret)
{
	return hf_view_snapshot(scene->view, &scene->wait, NULL, ret);
}

static void beside_a_writer(struct scene *scene,
			    int (*take_one)(struct scene *scene,
					    struct hf_snapshot *ret))
{
	static const int pauses[] = {0, 300, 3000, 100000};
	struct writer writer = {.scene = scene};
	struct hf_snapshot snapshot;
	pthread_t thread;
	int n_told = 0;
	int from = 0;

	for (int i = 0; i < N_BETWEEN; i++) {
		char path[32];

		snprintf(path, sizeof(path), "b%d/f", i);
		tree_write(&scene->tree, path, path);
	}
	tree_mkdir(&scene->tree, "a");
	tree_mkdir(&scene->tree, "z");
	write_count(&scene->tree, "a/x", 0);
	write_count(&scene->tree, "z/y", 0);
	write_count(&scene->tree, "t", 0);
	scene_open(scene, "@", "");
	pthread_create(&thread, NULL, count_up, &writer);
	for (int i = 0; i < 60; i++) {
		int error;

		atomic_store(&writer.pause_us, pauses[i / 15]);
		error = take_one(scene, &snapshot);
		if (error < 0) {
			assert_int_equal(error, -EAGAIN);
			continue;
		}
		n_told++;
		assert_one_state(&snapshot, &from);
		hf_snapshot_fini(&snapshot);
	}
	atomic_store(&writer.end, true);
	pthread_join(thread, NULL);
	assert_true(n_told > 0);
	take(scene, &snapshot);
	assert_one_state(&snapshot, &from);
	hf_snapshot_fini(&snapshot);
}

static void one_state_or_none(void **state)
{
	beside_a_writer(*state, survey);
}

static void one_state_or_none_of_racy_files(void **state)
{
	atomic_store(&scene_ahead_ns, 0);
	beside_a_writer(*state, take_racy);
}

/* Who only looks disturbs nobody. */
static void *look_around(void *arg)
{
	struct writer *writer = arg;
	struct scene *scene = writer->scene;
	struct hf_wait wait;

	hf_wait_init(&wait);
	while (!atomic_load(&writer->end)) {
		struct hf_snapshot snapshot;

		if (hf_view_snapshot(scene->view, &wait, NULL, &snapshot) == 0)
			hf_snapshot_fini(&snapshot);
	}
	hf_wait_fini(&wait);
	return NULL;
}

static void readers_are_no_writers(void **state)
{
	struct scene *scene = *state;
	struct writer writer = {.scene = scene};
	pthread_t threads[4];

	for (int i = 0; i < 30; i++) {
		char path[32];

		snprintf(path, sizeof(path), "d%d/f", i);
		tree_write(&scene->tree, path, path);
	}
	scene_open(scene, "@", "");
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, look_around, &writer);
	for (int i = 0; i < 20; i++) {
		struct hf_snapshot snapshot;

		take(scene, &snapshot);
		assert_int_equal(snapshot.n, 30);
		hf_snapshot_fini(&snapshot);
	}
	atomic_store(&writer.end, true);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
#define SNAPSHOT(test)                                                         \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		SNAPSHOT(every_file_has_a_row),
		SNAPSHOT(many_files_have_rows),
		SNAPSHOT(every_name_is_there),
		SNAPSHOT(what_is_not_shown_has_no_row),
		SNAPSHOT(an_empty_tree_has_no_rows),
		SNAPSHOT(a_hidden_namesake_shares_the_row),
		SNAPSHOT(broken_links_have_rows),
		SNAPSHOT(what_may_not_be_read_has_rows),
		SNAPSHOT(nothing_changed_nothing_changes),
		SNAPSHOT(progress_ends_at_all),
		SNAPSHOT(who_is_interrupted_gets_eintr),
		SNAPSHOT(a_lost_source_has_no_mapping_of_nothing),
		SNAPSHOT(one_state_or_none),
		SNAPSHOT(one_state_or_none_of_racy_files),
		SNAPSHOT(readers_are_no_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
