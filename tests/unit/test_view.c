/*
 * fs/view: the mapping between a tree's files and the names they are presented
 * under, asked as a mount asks it: list, lookup, stat, open.
 */
#include "tests/unit/scene.h"

/* --- list and lookup agree ----------------------------------------------- */

/* A tree with something of everything. */
static void make_zoo(struct tree *tree)
{
	char path[PATH_MAX];
	char name[251];
	name_buf taken;

	tree_write(tree, "a/css/app.css", "body{}");
	tree_write(tree, "a/css/empty.css", "");
	tree_write(tree, "a/README", "no extension");
	tree_write(tree, "a/archive.tar.gz", "two extensions");
	tree_write(tree, "a/favicon.ico", "kept");
	tree_write(tree, "a/chunk-0123abcd.js", "prehashed");
	/* Two files of one presented name. */
	tree_write(tree, "a/a.png", "picture");
	tree_write(tree, "a/a.png#", "picture");
	/* A directory and a file that carry a hashed file's name. */
	tree_write(tree, "a/dir.js", "one");
	scene_name("a/dir", ".js", "one", taken);
	tree_mkdir(tree, taken);
	tree_write(tree, "a/file.js", "two");
	tree_write(tree, scene_name("a/file", ".js", "two", taken), "three");
	/* The same, and the taker is one that keeps its name. */
	tree_write(tree, "a/loser.js", "four");
	tree_write(tree, scene_name("a/loser", ".js", "four", taken), "ico");
	/* Links. */
	tree_link(tree, "a/link.css", "css/app.css");
	tree_link(tree, "a/styles", "css");
	tree_link(tree, "a/dangling.png", "nowhere.png");
	tree_link(tree, "a/outside.txt", "/etc/passwd");
	tree_link(tree, "a/circle", "circle");
	tree_link(tree, "a/self", ".");
	/* What is no file. */
	assert_int_equal(mkfifo(tree_path(tree, "a/fifo", path), 0644), 0);
	/* Names. */
	tree_write(tree, "a/\xc3\xa4\xe2\x82\xac.css", "umlaut and euro");
	tree_write(tree, "a/latin-\xe4.css", "not UTF-8");
	tree_write(tree, "a/new\nline.css", "newline");
	tree_write(tree, "a/tab\there.css", "tab");
	tree_write(tree, "a/back\\slash.css", "backslash");
	tree_write(tree, "a/ blank .css", "blanks");
	tree_write(tree, "a/100%25.css", "escape");
	tree_write(tree, "a/what?.css", "query");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(path, sizeof(path), "a/%s", name);
	tree_write(tree, path, "too long with a hash");
	/* Another source. */
	tree_write(tree, "b/css/app.css", "of a later source");
	tree_write(tree, "b/css/other.css", "other");
	tree_write(tree, "b/README/dir-at-a-files-name", "shadowed");
	tree_write(tree, "b/css2/x.css", "x");
	tree_write(tree, "b/self", "file at a broken link's name");
}

/* What is presented can be looked up and leads to the same. */
static void assert_found(struct scene *scene, struct hf_node *dir,
			 const struct hf_listing *listing, size_t i)
{
	const struct hf_entry *entry = hf_listing_entry(listing, i);
	struct hf_node *by_list;
	struct hf_node *by_name;
	struct stat a;
	struct stat b;

	assert_int_equal(hf_view_node(scene->view, dir, listing, i, &by_list),
			 0);
	assert_int_equal(hf_view_lookup(scene->view, dir, entry->name,
					&scene->wait, &by_name),
			 0);
	assert_int_equal(hf_node_kind(by_name), entry->kind);
	assert_memory_equal(hf_node_identity(by_name),
			    hf_node_identity(by_list), 16);
	assert_int_equal(hf_view_stat(scene->view, by_list, &a), 0);
	assert_int_equal(hf_view_stat(scene->view, by_name, &b), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	if (entry->kind != HF_KIND_DIR)
		assert_int_equal(a.st_size, entry->size);
	assert_int_equal(a.st_mode, entry->mode);
	/* An error is told at open, the same by both ways. */
	if (entry->error)
		assert_true(scene_try_open(scene, by_name) < 0);
	assert_int_equal(scene_try_open(scene, by_list),
			 scene_try_open(scene, by_name));
	hf_node_unref(by_list);
	hf_node_unref(by_name);
}

/* The index of the entry that is presented under `name`, or SIZE_MAX. */
static size_t presented_as(const struct hf_listing *listing, const char *name)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < hf_listing_len(listing); i++) {
		const struct hf_entry *entry = hf_listing_entry(listing, i);

		if (entry->hidden || strcmp(entry->name, name) != 0)
			continue;
		assert_int_equal(found, SIZE_MAX); /* no name twice */
		found = i;
	}
	return found;
}

/* A name that is not listed is not found; source names are the likeliest. */
static void assert_only_listed(struct scene *scene, struct hf_node *dir,
			       const struct hf_listing *listing,
			       const char *name)
{
	struct hf_node *node;
	int error = hf_view_lookup(scene->view, dir, name, &scene->wait, &node);

	if (error == 0)
		hf_node_unref(node);
	if (presented_as(listing, name) == SIZE_MAX)
		assert_int_equal(error, -ENOENT);
	else
		assert_int_equal(error, 0);
}

static void assert_agrees(struct scene *scene, const char *path)
{
	struct hf_node *dir = scene_node(scene, path);
	struct hf_listing *listing = scene_list(scene, path);

	for (size_t i = 0; i < hf_listing_len(listing); i++) {
		const struct hf_entry *entry = hf_listing_entry(listing, i);

		if (i > 0)
			assert_true(
				strcmp(hf_listing_entry(listing, i - 1)->source,
				       entry->source) <= 0);
		assert_only_listed(scene, dir, listing, entry->source);
		assert_only_listed(scene, dir, listing, entry->name);
		if (!entry->hidden)
			assert_found(scene, dir, listing, i);
	}
	hf_listing_unref(listing);
	hf_node_unref(dir);
}

static void list_and_lookup_agree(void **state)
{
	static const char *const options[] = {
		"",
		"keep=*.ico:*/app.css,prehashed=chunk-*",
		"show=hashed,keep=*.ico:loser.*,prehashed=chunk-*",
		"show=plain",
		"show=hashed:plain",
		"show=hashed:kept:plain,keep=*.ico:loser.*.js",
		"show=kept,keep=*.css",
		"name=%h-%n%e,length=8",
		"follow",
	};
	struct scene *scene = *state;

	make_zoo(&scene->tree);
	for (size_t i = 0; i < HF_ARRAY_SIZE(options); i++) {
		scene_open(scene, "@/a:@/b", options[i]);
		assert_agrees(scene, "");
		assert_agrees(scene, "css");
		assert_agrees(scene, "styles");
		/* Once more, from memory. */
		assert_agrees(scene, "");
	}
}

/* --- names and kinds ----------------------------------------------------- */

static void files_stand_under_their_hash(void **state)
{
	struct scene *scene = *state;
	name_buf name;

	tree_write(&scene->tree, "css/app.css", "body{}");
	scene_open(scene, "@", "");
	scene_name("css/app", ".css", "body{}", name);
	scene_assert_reads(scene, name, "body{}");
	assert_false(scene_has(scene, "css/app.css"));
	assert_false(scene_has(scene, "css/app.000000000000.css"));
	assert_false(scene_has(scene, "app.css"));
}

static void kept_files_keep_their_name(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	name_buf name;

	tree_write(&scene->tree, "favicon.ico", "icon");
	tree_write(&scene->tree, "img/logo.svg", "logo");
	tree_write(&scene->tree, "img/other.svg", "other");
	scene_open(scene, "@", "keep=*.ico:img/logo.svg");
	scene_assert_reads(scene, "favicon.ico", "icon");
	scene_assert_reads(scene, "img/logo.svg", "logo");
	assert_false(
		scene_has(scene, scene_name("favicon", ".ico", "icon", name)));
	assert_false(scene_has(scene, "img/other.svg"));
	listing = scene_list(scene, "");
	assert_int_equal(scene_entry(listing, "favicon.ico")->kind,
			 HF_KIND_KEPT);
	hf_listing_unref(listing);
}

static void prehashed_files_are_constant_under_their_name(void **state)
{
	struct scene *scene = *state;
	struct hf_node *node;

	tree_write(&scene->tree, "chunk-ab12.js", "code");
	scene_open(scene, "@", "prehashed=chunk-*");
	scene_assert_reads(scene, "chunk-ab12.js", "code");
	assert_int_equal(scene_stat(scene, "chunk-ab12.js").st_mtime,
			 DEFAULT_MTIME);
	node = scene_node(scene, "chunk-ab12.js");
	assert_int_equal(hf_node_kind(node), HF_KIND_PREHASHED);
	assert_true(hf_node_constant(node));
	/* Other bytes under the name are another file. */
	tree_write(&scene->tree, "chunk-ab12.js", "edoc");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	assert_true(hf_node_dead(node));
	scene_assert_reads(scene, "chunk-ab12.js", "edoc");
	hf_node_unref(node);
}

static void show_chooses(void **state)
{
	struct scene *scene = *state;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	tree_write(&scene->tree, "k.ico", "k");
	scene_name("a", ".css", "a", name);

	scene_open(scene, "@", "keep=*.ico");
	assert_true(scene_has(scene, name));
	assert_true(scene_has(scene, "k.ico"));
	assert_false(scene_has(scene, "a.css"));

	scene_open(scene, "@", "keep=*.ico,show=hashed");
	assert_true(scene_has(scene, name));
	assert_false(scene_has(scene, "k.ico"));

	scene_open(scene, "@", "keep=*.ico,show=hashed:kept:plain");
	assert_true(scene_has(scene, name));
	assert_true(scene_has(scene, "k.ico"));
	assert_true(scene_has(scene, "a.css"));
	scene_assert_reads(scene, "a.css", "a");

	scene_open(scene, "@", "show=plain");
	assert_false(scene_has(scene, name));
	assert_true(scene_has(scene, "a.css"));
}

static void the_first_source_wins(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	name_buf name;

	tree_write(&scene->tree, "a/x.css", "first");
	tree_write(&scene->tree, "b/x.css", "second");
	tree_write(&scene->tree, "b/y.css", "only");
	tree_write(&scene->tree, "c/z.css", "prefixed");
	scene_open(scene, "@/a:@/b:p/q=@/c", "");
	assert_true(scene_has(scene, scene_name("x", ".css", "first", name)));
	assert_false(scene_has(scene, scene_name("x", ".css", "second", name)));
	assert_true(scene_has(scene, scene_name("y", ".css", "only", name)));
	assert_true(scene_has(scene,
			      scene_name("p/q/z", ".css", "prefixed", name)));
	listing = scene_list(scene, "");
	assert_int_equal(hf_listing_len(listing), 3);
	hf_listing_unref(listing);
}

/* Bytes, whatever they mean; nothing is normalized. */
static void names_are_bytes(void **state)
{
	static const char *const names[] = {
		"\xc3\xa4",  /* ä composed */
		"a\xcc\x88", /* ä decomposed */
		"latin-\xe4", "\xf0\x9f\x8e\x89", "with blank", "'\"$`",
	};
	struct scene *scene = *state;
	struct hf_listing *listing;

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s.css", names[i]);
		tree_write(&scene->tree, path, names[i]);
	}
	scene_open(scene, "@", "");
	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++) {
		name_buf name;

		scene_name(names[i], ".css", names[i], name);
		scene_assert_reads(scene, name, names[i]);
	}
	listing = scene_list(scene, "");
	assert_int_equal(hf_listing_len(listing), HF_ARRAY_SIZE(names));
	hf_listing_unref(listing);
}

/* A name that Django would lose a part of cannot carry a hash. */
static void names_that_cannot_be_hashed_stand_plain(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	char name[251];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	tree_write(&scene->tree, "new\nline.css", "newline");
	tree_write(&scene->tree, "back\\slash.css", "backslash");
	tree_write(&scene->tree, name, "long");
	scene_open(scene, "@", "");
	scene_assert_reads(scene, "new\nline.css", "newline");
	scene_assert_reads(scene, "back\\slash.css", "backslash");
	scene_assert_reads(scene, name, "long");
	listing = scene_list(scene, "");
	assert_int_equal(scene_entry(listing, "new\nline.css")->problem,
			 HF_PROBLEM_NAME);
	assert_int_equal(scene_entry(listing, name)->problem,
			 HF_PROBLEM_TOO_LONG);
	assert_int_equal(scene_entry(listing, name)->kind, HF_KIND_PLAIN);
	hf_listing_unref(listing);
}

/* --- collisions ---------------------------------------------------------- */

/* The path of the file that `name` leads to. */
static void assert_leads_to(struct scene *scene, const char *name,
			    const char *path)
{
	struct hf_node *node = scene_node(scene, name);
	struct hf_buf found = {0};

	hf_node_path(node, &found);
	assert_string_equal(found.data, path);
	hf_node_unref(node);
	hf_buf_fini(&found);
}

/* "a.png#" is presented as "a.png" is, as in Django's manifest. */
static void two_files_of_equal_bytes_share_a_name(void **state)
{
	struct scene *scene = *state;
	struct hf_snapshot snapshot = {0};
	struct hf_listing *listing;
	const struct hf_entry *entry;
	name_buf name;

	tree_write(&scene->tree, "a.png", "same");
	tree_write(&scene->tree, "a.png#", "same");
	scene_open(scene, "@", "");
	scene_name("a", ".png", "same", name);
	assert_leads_to(scene, name, "a.png");
	assert_false(scene_has(scene, "a.png#"));
	listing = scene_list(scene, "");
	entry = hf_listing_entry(listing, 1);
	assert_string_equal(entry->source, "a.png#");
	assert_true(entry->hidden);
	assert_int_equal(entry->problem, HF_PROBLEM_NONE);
	hf_listing_unref(listing);
	assert_int_equal(
		hf_view_snapshot(scene->view, &scene->wait, NULL, &snapshot),
		0);
	assert_int_equal(snapshot.n, 2);
	for (size_t i = 0; i < snapshot.n; i++) {
		assert_string_equal(snapshot.rows[i].name, name);
		assert_int_equal(snapshot.rows[i].problem, HF_PROBLEM_NONE);
	}
	hf_snapshot_fini(&snapshot);
	assert_int_equal(hf_view_integrity(scene->view,
					   hf_algorithm_find("sha256"),
					   &scene->wait, NULL, &snapshot),
			 0);
	assert_int_equal(snapshot.rows[0].integrity.len, 32);
	assert_true(hf_digest_equal(&snapshot.rows[0].integrity,
				    &snapshot.rows[1].integrity));
	hf_snapshot_fini(&snapshot);
	/* With other bytes each has its own. */
	tree_write(&scene->tree, "a.png#", "other");
	assert_false(scene_has(scene, "a.png#"));
	assert_leads_to(scene, name, "a.png");
	assert_leads_to(scene, scene_name("a", ".png", "other", name),
			"a.png#");
}

/* Short hashes can be equal where bytes are not: the first has the name. */
static void two_files_of_one_name(void **state)
{
	struct scene *scene = *state;
	const struct hf_entry *loser;
	struct hf_listing *listing;

	tree_write(&scene->tree, "a.png", "25302");
	tree_write(&scene->tree, "a.png#", "82945");
	scene_open(scene, "@", "length=8");
	scene_assert_reads(scene, "a.7b763dcb.png", "25302");
	scene_assert_reads(scene, "a.png#", "82945");
	listing = scene_list(scene, "");
	loser = scene_entry(listing, "a.png#");
	assert_int_equal(loser->kind, HF_KIND_PLAIN);
	assert_int_equal(loser->problem, HF_PROBLEM_TAKEN);
	assert_false(loser->hidden);
	hf_listing_unref(listing);
}

static void a_directory_of_a_hashed_name(void **state)
{
	struct scene *scene = *state;
	char inside[2 * NAME_MAX];
	name_buf name;

	scene_name("a", ".png", "bytes", name);
	tree_write(&scene->tree, "a.png", "bytes");
	snprintf(inside, sizeof(inside), "%s/k", name);
	tree_write(&scene->tree, inside, "inside");
	scene_open(scene, "@", "keep=k");
	scene_assert_reads(scene, inside, "inside");
	scene_assert_reads(scene, "a.png", "bytes");
}

/* A kept file of a hashed file's name loses, and is told of. */
static void a_kept_file_of_a_hashed_name(void **state)
{
	struct scene *scene = *state;
	const struct hf_entry *loser;
	struct hf_listing *listing;
	name_buf name;

	scene_name("a", ".png", "bytes", name);
	tree_write(&scene->tree, "a.png", "bytes");
	tree_write(&scene->tree, name, "impostor");
	scene_open(scene, "@", "keep=a.*.png");
	scene_assert_reads(scene, name, "bytes");
	listing = scene_list(scene, "");
	loser = scene_entry(listing, name);
	assert_true(loser->hidden);
	assert_int_equal(loser->problem, HF_PROBLEM_TAKEN);
	assert_int_not_equal(loser->error, 0);
	hf_listing_unref(listing);
}

int main(void)
{
#define VIEW(test)                                                             \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		VIEW(list_and_lookup_agree),
		VIEW(files_stand_under_their_hash),
		VIEW(kept_files_keep_their_name),
		VIEW(prehashed_files_are_constant_under_their_name),
		VIEW(show_chooses),
		VIEW(the_first_source_wins),
		VIEW(names_are_bytes),
		VIEW(names_that_cannot_be_hashed_stand_plain),
		VIEW(two_files_of_equal_bytes_share_a_name),
		VIEW(two_files_of_one_name),
		VIEW(a_directory_of_a_hashed_name),
		VIEW(a_kept_file_of_a_hashed_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
