/*
 * fs/view: the mapping between a tree's files and the names they are presented
 * under, asked as a mount asks it: list, lookup, stat, open.
 */
#include "tests/unit/scene.h"

#include <pthread.h>
#include <sys/mman.h>

#include "fs/base/base.h"

#define DEFAULT_MTIME 946684800

typedef char name_buf[NAME_MAX + 1];

/* --- list and lookup agree -------------------------------------------------- */

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

/* --- names and kinds --------------------------------------------------------- */

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

/* --- collisions ---------------------------------------------------------------- */

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

/* --- what cannot be read --------------------------------------------------------- */

/* Never left out: a missing name makes mirrors delete. */
static void broken_links_stand_plain(void **state)
{
	static const struct {
		const char *name;
		const char *target;
		int error; /* told */
		int open;  /* of open(2): ENOENT is for what is not there */
	} links[] = {
		{"dangling", "nowhere", ENOENT, -EIO},
		{"outside", "/etc/passwd", EACCES, -EACCES},
		{"up", "../../../etc/passwd", EACCES, -EACCES},
		{"loop", "loop", ELOOP, -ELOOP},
		{"self", ".", ELOOP, 1},
	};
	struct scene *scene = *state;
	struct hf_listing *listing;

	for (size_t i = 0; i < HF_ARRAY_SIZE(links); i++)
		tree_link(&scene->tree, links[i].name, links[i].target);
	scene_open(scene, "@", "");
	listing = scene_list(scene, "");
	for (size_t i = 0; i < HF_ARRAY_SIZE(links); i++) {
		const struct hf_entry *entry =
			scene_entry(listing, links[i].name);
		int error = scene_open_error(scene, links[i].name);

		assert_false(entry->hidden);
		assert_string_equal(entry->name, links[i].name);
		assert_int_equal(entry->kind, HF_KIND_PLAIN);
		assert_int_equal(entry->problem, HF_PROBLEM_LINK);
		assert_int_equal(entry->error, links[i].error);
		if (links[i].open <= 0)
			assert_int_equal(error, links[i].open);
		else
			assert_true(error < 0 && error != -ENOENT);
	}
	hf_listing_unref(listing);
}

/* Which name a file has that cannot be read, nobody knows: so none that it
 * might have is denied. */
static void a_name_is_not_denied_unread(void **state)
{
	struct scene *scene = *state;
	struct hf_node *root;
	struct hf_node *node;

	tree_link(&scene->tree, "dangling.css", "nowhere");
	scene_open(scene, "@", "");
	root = scene_node(scene, "");
	assert_int_equal(hf_view_lookup(scene->view, root,
					"dangling.0123456789ab.css",
					&scene->wait, &node),
			 -EIO);
	assert_int_equal(hf_view_lookup(scene->view, root,
					"another.0123456789ab.css",
					&scene->wait, &node),
			 -ENOENT);
	hf_node_unref(root);
}

static void a_mended_link_gets_its_name(void **state)
{
	struct scene *scene = *state;
	name_buf name;

	tree_mkdir(&scene->tree, "d");
	tree_link(&scene->tree, "logo.png", "d/target");
	scene_open(scene, "@", "");
	assert_true(scene_has(scene, "logo.png"));
	tree_tick();
	tree_write(&scene->tree, "d/target", "logo");
	assert_false(scene_has(scene, "logo.png"));
	scene_assert_reads(scene, scene_name("logo", ".png", "logo", name),
			   "logo");
}

/* The link's own directory shows nothing of what stands behind it. */
static void a_link_follows_its_target_from_kind_to_kind(void **state)
{
	struct scene *scene = *state;
	char inside[2 * NAME_MAX];
	name_buf name;

	tree_write(&scene->tree, "t/x/in.css", "in");
	tree_link(&scene->tree, "v", "t/x");
	scene_open(scene, "@", "");
	scene_name("v/in", ".css", "in", inside);
	assert_true(scene_has(scene, inside));
	tree_rename(&scene->tree, "t/x", "t/y");
	tree_write(&scene->tree, "t/x", "file now");
	scene_name("v", "", "file now", name);
	assert_false(scene_has(scene, "v"));
	scene_assert_reads(scene, name, "file now");
	tree_remove(&scene->tree, "t/x");
	tree_rename(&scene->tree, "t/y", "t/x");
	assert_true(scene_has(scene, inside));
	assert_false(scene_has(scene, name));
}

static void the_last_known_name_stands(void **state)
{
	struct scene *scene = *state;
	const struct hf_entry *entry;
	struct hf_listing *listing;
	name_buf name;

	tree_write(&scene->tree, "target", "logo");
	tree_link(&scene->tree, "logo.png", "target");
	scene_open(scene, "@", "");
	scene_name("logo", ".png", "logo", name);
	assert_true(scene_has(scene, name));
	tree_remove(&scene->tree, "target");
	assert_int_equal(scene_open_error(scene, name), -EIO);
	assert_false(scene_has(scene, "logo.png"));
	listing = scene_list(scene, "");
	entry = scene_entry(listing, "logo.png");
	assert_string_equal(entry->name, name);
	assert_int_equal(entry->kind, HF_KIND_HASHED);
	assert_int_equal(entry->problem, HF_PROBLEM_LINK);
	assert_int_equal(entry->error, ENOENT);
	hf_listing_unref(listing);
	/* And when it comes back with other bytes, it has their name. */
	tree_tick();
	tree_write(&scene->tree, "target", "anew");
	assert_false(scene_has(scene, name));
	assert_true(scene_has(scene, scene_name("logo", ".png", "anew", name)));
}

/* Answers first: an assertion that fails must not leave us without root. */
static void files_that_may_not_be_read(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *known;
	struct hf_node *never;
	const struct hf_entry *entry;
	int known_error;
	int never_error;
	name_buf name;

	tree_write(&scene->tree, "known.css", "known");
	tree_write(&scene->tree, "never.css", "never");
	tree_chmod(&scene->tree, "never.css", 0);
	if (!tree_drop_root(&scene->tree))
		skip();
	scene_open(scene, "@", "");
	scene_name("known", ".css", "known", name);
	assert_true(scene_has(scene, name));
	tree_regain_root();
	tree_chmod(&scene->tree, "known.css", 0);
	assert_true(tree_drop_root(&scene->tree));

	listing = scene_list(scene, "");
	known = scene_node(scene, name);
	never = scene_node(scene, "never.css");
	known_error = scene_try_open(scene, known);
	never_error = scene_try_open(scene, never);
	tree_regain_root();
	assert_int_equal(known_error, -EACCES);
	assert_int_equal(never_error, -EACCES);
	assert_int_equal(hf_node_kind(known), HF_KIND_HASHED);
	assert_false(hf_node_dead(known));
	assert_int_equal(hf_node_kind(never), HF_KIND_PLAIN);
	entry = scene_entry(listing, "known.css");
	assert_string_equal(entry->name, name);
	assert_int_equal(entry->problem, HF_PROBLEM_UNREADABLE);
	assert_int_equal(entry->error, EACCES);
	assert_int_equal(scene_entry(listing, "never.css")->error, EACCES);
	hf_listing_unref(listing);
	hf_node_unref(known);
	hf_node_unref(never);
}

/* stat(2) of a directory needs no permission on it; listing it does. */
static void a_directory_that_may_not_be_listed(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *node;
	struct stat st;
	int stat_error;
	int list_error;

	tree_write(&scene->tree, "locked/a.css", "a");
	tree_chmod(&scene->tree, "locked", 0);
	if (!tree_drop_root(&scene->tree))
		skip();
	scene_open(scene, "@", "");
	node = scene_node(scene, "locked");
	stat_error = hf_view_stat(scene->view, node, &st);
	list_error = hf_view_list(scene->view, node, &scene->wait, &listing);
	hf_node_unref(node);
	tree_regain_root();
	tree_chmod(&scene->tree, "locked", 0700);
	assert_int_equal(stat_error, 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0200);
	assert_int_equal(list_error, -EACCES);
}

static void what_is_no_file_is_left_out_and_told(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	char path[PATH_MAX];

	assert_int_equal(mkfifo(tree_path(&scene->tree, "pipe", path), 0644),
			 0);
	scene_open(scene, "@", "");
	assert_false(scene_has(scene, "pipe"));
	listing = scene_list(scene, "");
	assert_true(scene_entry(listing, "pipe")->hidden);
	assert_int_equal(scene_entry(listing, "pipe")->problem,
			 HF_PROBLEM_SPECIAL);
	hf_listing_unref(listing);
}

/* --- change ------------------------------------------------------------------------ */

static void changed_bytes_are_stale(void **state)
{
	struct scene *scene = *state;
	struct hf_node *node;
	name_buf old;
	name_buf new;

	scene_name("a", ".css", "one", old);
	scene_name("a", ".css", "two", new);
	tree_write(&scene->tree, "a.css", "one");
	scene_open(scene, "@", "");
	node = scene_node(scene, old);
	tree_write(&scene->tree, "a.css", "two");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	assert_true(hf_node_dead(node));
	/* For ever, even if the bytes come back. */
	tree_write(&scene->tree, "a.css", "one");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	hf_node_unref(node);
	scene_assert_reads(scene, old, "one");
	assert_false(scene_has(scene, new));
}

/* A thread of the pool lets go a moment later than its asker goes on. */
static void assert_pinned(struct scene *scene, uint64_t len)
{
	struct hf_view_stats stats;

	for (int i = 0; i < 5000; i++) {
		hf_view_stats(scene->view, &stats);
		if (stats.bytes_pinned == len)
			return;
		usleep(1000);
	}
	assert_int_equal(stats.bytes_pinned, len);
}

/* Readers of one file share its memory, and not its verdict. */
static void readers_share_one_copy(const char *ext, struct scene *scene)
{
	struct hf_content *first;
	struct hf_content *second;
	struct hf_node *node;
	char file[8] = "a";
	name_buf name;

	strcat(file, ext);
	scene_name("a", ext, "bytes", name);
	tree_write(&scene->tree, file, "bytes");
	node = scene_node(scene, name);
	assert_int_equal(hf_view_open(scene->view, node, &scene->wait, &first),
			 0);
	assert_int_equal(hf_view_open(scene->view, node, &scene->wait, &second),
			 0);
	assert_pinned(scene, 5);
	hf_content_close(first);
	assert_pinned(scene, 5);
	tree_write(&scene->tree, file, "other");
	assert_int_equal(scene_try_open(scene, node), -ESTALE);
	hf_content_close(second);
	assert_pinned(scene, 0);
	hf_node_unref(node);
}

static void one_copy_of_a_file(void **state)
{
	scene_open(*state, "@", "");
	readers_share_one_copy(".png", *state);
}

static void one_copy_of_a_text(void **state)
{
	struct scene *scene = *state;
	struct hf_content *contents[2];
	struct hf_node *node;
	name_buf name;
	uint64_t len;

	tree_write(&scene->tree, "b.png", "b");
	tree_write(&scene->tree, "a.css", "a{background:url(b.png)}");
	scene_open(scene, "@", "");
	scene_name("a", ".css", "a{background:url(\"b.92eb5ffee6ae.png\")}",
		   name);
	node = scene_node(scene, name);
	len = strlen("a{background:url(\"b.92eb5ffee6ae.png\")}");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hf_view_open(scene->view, node, &scene->wait,
					      &contents[i]),
				 0);
		assert_pinned(scene, len);
	}
	hf_content_close(contents[0]);
	hf_content_close(contents[1]);
	assert_pinned(scene, 0);
	hf_node_unref(node);
	readers_share_one_copy(".js", scene);
}

static void a_deleted_file_is_not_there(void **state)
{
	struct scene *scene = *state;
	struct hf_node *hashed;
	struct hf_node *kept;
	struct stat st;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	tree_write(&scene->tree, "k.ico", "k");
	scene_open(scene, "@", "keep=*.ico");
	hashed = scene_node(scene, scene_name("a", ".css", "a", name));
	kept = scene_node(scene, "k.ico");
	tree_remove(&scene->tree, "a.css");
	tree_remove(&scene->tree, "k.ico");
	assert_int_equal(scene_try_open(scene, hashed), -ENOENT);
	assert_int_equal(scene_try_open(scene, kept), -ENOENT);
	assert_int_equal(hf_view_stat(scene->view, kept, &st), -ENOENT);
	assert_false(scene_has(scene, name));
	assert_false(scene_has(scene, "k.ico"));
	hf_node_unref(hashed);
	hf_node_unref(kept);
}

/* A hashed node is constant; what its name leads to is not. */
static void an_identity_is_path_digest_mode_owner(void **state)
{
	struct scene *scene = *state;
	struct hf_node *first;
	struct hf_node *next;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	scene_open(scene, "@", "");
	scene_name("a", ".css", "a", name);
	first = scene_node(scene, name);

	tree_set_mtime(&scene->tree, "a.css", 1234567890);
	next = scene_node(scene, name);
	assert_memory_equal(hf_node_identity(first), hf_node_identity(next),
			    16);
	hf_node_unref(next);

	tree_chmod(&scene->tree, "a.css", 0600);
	next = scene_node(scene, name);
	assert_memory_not_equal(hf_node_identity(first), hf_node_identity(next),
				16);
	hf_node_unref(next);

	tree_chmod(&scene->tree, "a.css", 0644);
	tree_replace(&scene->tree, "a.css", "b");
	next = scene_node(scene, scene_name("a", ".css", "b", name));
	assert_memory_not_equal(hf_node_identity(first), hf_node_identity(next),
				16);
	hf_node_unref(next);
	hf_node_unref(first);
}

static void a_kept_file_is_one_through_all_changes(void **state)
{
	struct scene *scene = *state;
	struct hf_node *first;
	struct hf_node *next;
	struct stat before;
	struct stat after;

	tree_write(&scene->tree, "k.ico", "a");
	scene_open(scene, "@", "keep=*.ico");
	first = scene_node(scene, "k.ico");
	assert_int_equal(hf_view_stat(scene->view, first, &before), 0);
	tree_write(&scene->tree, "k.ico", "longer");
	tree_chmod(&scene->tree, "k.ico", 0600);
	next = scene_node(scene, "k.ico");
	assert_memory_equal(hf_node_identity(first), hf_node_identity(next),
			    16);
	assert_int_equal(hf_view_stat(scene->view, first, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_size, 6);
	assert_int_equal(after.st_mode, S_IFREG | 0600);
	scene_assert_reads(scene, "k.ico", "longer");
	hf_node_unref(next);
	hf_node_unref(first);
}

/*
 * The same bytes in another source are another node: a node looks for its
 * bytes where it was found, and a frontend may hold on to it for ever.
 */
static void a_file_that_moves_to_another_source(void **state)
{
	struct scene *scene = *state;
	struct hf_node *old_hashed;
	struct hf_node *old_kept;
	struct hf_node *node;
	name_buf name;

	tree_mkdir(&scene->tree, "a");
	tree_write(&scene->tree, "b/x.css", "x");
	tree_write(&scene->tree, "b/k.ico", "old");
	scene_open(scene, "@/a:@/b", "keep=*.ico");
	scene_name("x", ".css", "x", name);
	old_hashed = scene_node(scene, name);
	old_kept = scene_node(scene, "k.ico");
	tree_rename(&scene->tree, "b/x.css", "a/x.css");
	tree_write(&scene->tree, "a/k.ico", "new");

	node = scene_node(scene, name);
	assert_memory_not_equal(hf_node_identity(node),
				hf_node_identity(old_hashed), 16);
	assert_int_equal(scene_try_open(scene, node), 0);
	hf_node_unref(node);
	node = scene_node(scene, "k.ico");
	assert_memory_not_equal(hf_node_identity(node),
				hf_node_identity(old_kept), 16);
	hf_node_unref(node);
	scene_assert_reads(scene, "k.ico", "new");
	hf_node_unref(old_hashed);
	hf_node_unref(old_kept);
}

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

static void names_follow_a_directory(void **state)
{
	struct scene *scene = *state;
	name_buf name;

	tree_write(&scene->tree, "a.css", "a");
	scene_open(scene, "@", "");
	scene_name("b", ".css", "b", name);
	for (int i = 0; i < 3; i++) {
		assert_false(scene_has(scene, name));
		tree_tick();
		tree_write(&scene->tree, "b.css", "b");
		assert_true(scene_has(scene, name));
		tree_remove(&scene->tree, "b.css");
	}
}

/* A file becomes a directory and the other way round. */
static void kinds_follow_a_directory(void **state)
{
	struct scene *scene = *state;
	name_buf file;
	name_buf inside;

	scene_name("x", "", "file", file);
	scene_name("x/in", "", "dir", inside);
	tree_write(&scene->tree, "x", "file");
	scene_open(scene, "@", "");
	for (int i = 0; i < 3; i++) {
		assert_true(scene_has(scene, file));
		tree_remove(&scene->tree, "x");
		tree_write(&scene->tree, "x/in", "dir");
		assert_true(scene_has(scene, inside));
		assert_false(scene_has(scene, file));
		tree_remove(&scene->tree, "x/in");
		tree_remove(&scene->tree, "x");
		tree_write(&scene->tree, "x", "file");
	}
}

static void a_lost_source_is_not_empty(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *node;

	tree_write(&scene->tree, "a/x.css", "x");
	scene_open(scene, "@/a", "");
	hf_listing_unref(scene_list(scene, ""));
	tree_remove(&scene->tree, "a/x.css");
	tree_remove(&scene->tree, "a");
	assert_int_equal(
		hf_view_list(scene->view, scene->top, &scene->wait, &listing),
		-EIO);
	assert_int_equal(scene_find(scene, "x", &node), -EIO);
}

/* --- attributes -------------------------------------------------------------------- */

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

/* --- waiting ------------------------------------------------------------------------ */

static void who_is_interrupted_gets_eintr(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *node;
	size_t len = 32 * 1024 * 1024;
	char *data = calloc(1, len);

	tree_write_bytes(&scene->tree, "a.bin", data, len);
	free(data);
	scene_open(scene, "@", "");
	hf_wait_interrupt(&scene->wait);
	assert_int_equal(scene_find(scene, "a.0123456789ab.bin", &node),
			 -EINTR);
	assert_int_equal(
		hf_view_list(scene->view, scene->top, &scene->wait, &listing),
		-EINTR);
}

static void opening_what_is_no_file(void **state)
{
	struct scene *scene = *state;
	struct hf_listing *listing;
	struct hf_node *node;
	struct hf_node *below;

	tree_write(&scene->tree, "k", "k");
	scene_open(scene, "@", "keep=k");
	assert_int_equal(scene_try_open(scene, scene->top), -EISDIR);
	node = scene_node(scene, "k");
	assert_int_equal(
		hf_view_list(scene->view, node, &scene->wait, &listing),
		-ENOTDIR);
	assert_int_equal(
		hf_view_lookup(scene->view, node, "x", &scene->wait, &below),
		-ENOTDIR);
	hf_node_unref(node);
}

static uint64_t files_hashed(struct scene *scene)
{
	struct hf_view_stats stats;

	hf_view_stats(scene->view, &stats);
	return stats.digests.files_hashed;
}

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
		VIEW(broken_links_stand_plain),
		VIEW(a_name_is_not_denied_unread),
		VIEW(a_mended_link_gets_its_name),
		VIEW(a_link_follows_its_target_from_kind_to_kind),
		VIEW(the_last_known_name_stands),
		VIEW(files_that_may_not_be_read),
		VIEW(a_directory_that_may_not_be_listed),
		VIEW(what_is_no_file_is_left_out_and_told),
		VIEW(changed_bytes_are_stale),
		VIEW(one_copy_of_a_file),
		VIEW(one_copy_of_a_text),
		VIEW(a_deleted_file_is_not_there),
		VIEW(an_identity_is_path_digest_mode_owner),
		VIEW(a_kept_file_is_one_through_all_changes),
		VIEW(a_file_that_moves_to_another_source),
		VIEW(a_generation_stands_for_a_state),
		VIEW(a_generation_of_racy_files),
		VIEW(a_listing_of_racy_files_reads_them_again),
		VIEW(a_crowd_sees_one_generation),
		VIEW(names_follow_a_directory),
		VIEW(kinds_follow_a_directory),
		VIEW(a_lost_source_is_not_empty),
		VIEW(attributes_of_a_hashed_file),
		VIEW(modes_never_widen),
		VIEW(blocks_are_of_512),
		VIEW(times_can_be_chosen),
		VIEW(a_plain_file_shows_the_later_time),
		VIEW(a_directory_is_as_new_as_its_files),
		VIEW(owners_can_be_chosen),
		VIEW(inode_numbers_outlive_the_view),
		VIEW(who_is_interrupted_gets_eintr),
		VIEW(opening_what_is_no_file),
		VIEW(what_is_forgotten_is_looked_at_again),
		VIEW(what_is_racy_is_not_remembered_on_disk),
		VIEW(an_open_corrects_what_is_remembered_on_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
