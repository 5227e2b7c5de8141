/*
 * fs/view/findings.c, plainrefs.c: everything that is worth telling about a
 * tree, and nothing else. Findings are compared as lines of
 * "kind path:line:column url".
 */
#include "tests/unit/flipper.h"

static void take(struct scene *scene, struct hf_findings *ret)
{
	assert_int_equal(
		hf_view_findings(scene->view, &scene->wait, NULL, NULL, ret),
		0);
}

static void assert_findings(struct scene *scene, const char *expected)
{
	struct hf_findings findings;
	struct hf_buf text = {0};

	take(scene, &findings);
	hf_buf_puts(&text, "");
	for (size_t i = 0; i < findings.n; i++) {
		const struct hf_finding *row = &findings.rows[i];

		hf_buf_printf(&text, "%s %s:%zu:%zu %s\n", row->kind, row->path,
			      row->line, row->column, row->url);
	}
	assert_string_equal(text.data, expected);
	hf_buf_fini(&text);
	hf_findings_fini(&findings);
}

/* What the only finding there is says. */
static void assert_says(struct scene *scene, const char *sentence)
{
	struct hf_findings findings;

	take(scene, &findings);
	assert_int_equal(findings.n, 1);
	assert_string_equal(findings.rows[0].sentence, sentence);
	hf_findings_fini(&findings);
}

static void put(struct scene *scene, const char *path, const char *text)
{
	tree_write(&scene->tree, path, text);
}

/* --- files --------------------------------------------------------------- */

static void a_tree_without_faults_has_none(void **state)
{
	struct scene *scene = *state;

	put(scene, "css/a.css",
	    "@import 'b.css'; a{b:url(../img/a.png), url(../img/),"
	    "url(https://example.com/x.png), url(#x), url(data:,x)}");
	put(scene, "css/b.css", "a{}");
	put(scene, "img/a.png", "PNG");
	put(scene, "js/a.js", "import 'vue';\n//# sourceMappingURL=a.js.map");
	put(scene, "js/a.js.map", "{}");
	scene_open(scene, "@", "");
	assert_findings(scene, "");
	assert_findings(scene, "");
}

static void problems_of_files(void **state)
{
	struct scene *scene = *state;
	char path[PATH_MAX];

	tree_link(&scene->tree, "d/link", "nowhere");
	/* Of these bytes the digests begin with the same eight digits. */
	put(scene, "taken.png", "25302");
	put(scene, "taken.png#", "82945");
	put(scene, "a\\b", "");
	assert_int_equal(mkfifo(tree_path(&scene->tree, "pipe", path), 0600),
			 0);
	scene_open(scene, "@", "length=8");
	assert_findings(scene, "name a\\b:0:0 \n"
			       "link d/link:0:0 \n"
			       "special pipe:0:0 \n"
			       "taken taken.png#:0:0 \n");
}

static void files_that_cannot_be_read(void **state)
{
	struct scene *scene = *state;

	put(scene, "a.css", "url(b.png)");
	put(scene, "d/b.png", "");
	tree_chmod(&scene->tree, "a.css", 0);
	tree_chmod(&scene->tree, "d", 0);
	if (!tree_drop_root(&scene->tree))
		skip();
	scene_open(scene, "@", "");
	assert_findings(scene, "unreadable a.css:0:0 \n"
			       "unreadable d:0:0 \n");
	tree_regain_root();
	tree_chmod(&scene->tree, "d", 0755);
}

/* --- references that lead nowhere ---------------------------------------- */

static void missing_references(void **state)
{
	struct scene *scene = *state;

	put(scene, "css/a.css",
	    "a{b:url(b.png)}\n"
	    "\xc3\xa9{b:url('../b.png')}\n"
	    "/* url(c.png) */ a{b:url(/static/x/d.png)} @import \"e.css\";");
	put(scene, "js/a.js", "1\n//# sourceMappingURL=a.js.map\n");
	scene_open(scene, "@", "");
	assert_findings(scene, "missing css/a.css:1:9 b.png\n"
			       "missing css/a.css:2:10 ../b.png\n"
			       "missing css/a.css:3:26 /static/x/d.png\n"
			       "missing css/a.css:3:53 e.css\n"
			       "missing js/a.js:2:22 a.js.map\n");
	put(scene, "css/a.css", "url(b.png)");
	put(scene, "js/a.js", "1");
	assert_says(scene, "\"b.png\" leads to css/b.png, which is missing");
	tree_tick();
	put(scene, "css/b.png", "");
	assert_findings(scene, "");
}

/* Of what is there it is not said that it is not. */
static void references_to_what_cannot_be_read(void **state)
{
	struct scene *scene = *state;
	char path[PATH_MAX];

	put(scene, "a.css",
	    "url(b.png) url(d/e/c.png) url(d.png) url(l.png) url(p.png)");
	put(scene, "b.png", "b");
	put(scene, "d/e/c.png", "c");
	tree_link(&scene->tree, "l.png", "/etc/passwd");
	assert_int_equal(mkfifo(tree_path(&scene->tree, "p.png", path), 0600),
			 0);
	tree_chmod(&scene->tree, "b.png", 0);
	tree_chmod(&scene->tree, "d/e", 0);
	if (!tree_drop_root(&scene->tree))
		skip();
	scene_open(scene, "@", "");
	assert_findings(scene, "unreadable-target a.css:1:5 b.png\n"
			       "unreadable-target a.css:1:16 d/e/c.png\n"
			       "missing a.css:1:31 d.png\n"
			       "unreadable-target a.css:1:42 l.png\n"
			       "missing a.css:1:53 p.png\n"
			       "unreadable b.png:0:0 \n"
			       "unreadable d/e:0:0 \n"
			       "link l.png:0:0 \n"
			       "special p.png:0:0 \n");
	tree_regain_root();
	tree_chmod(&scene->tree, "d/e", 0755);
}

static void references_that_leave_the_tree(void **state)
{
	struct scene *scene = *state;

	put(scene, "css/a.css", "\n url(../../b.png)");
	scene_open(scene, "@", "");
	assert_findings(scene, "outside css/a.css:2:6 ../../b.png\n");
	assert_says(scene, "\"../../b.png\" leads out of the static files");
}

/* Python raises an exception for some URLs; nothing else refers to anything
 * in this text. */
static void references_that_are_no_urls(void **state)
{
	struct scene *scene = *state;

	put(scene, "a.css", "url(/static///[x)");
	scene_open(scene, "@", "");
	assert_findings(scene, "missing a.css:1:5 /static///[x\n");
	assert_says(scene, "\"/static///[x\" cannot lead to a file");
}

/* What is kept is not rewritten; what leads to it stays. */
static void what_is_kept_is_not_asked(void **state)
{
	struct scene *scene = *state;

	put(scene, "a.css", "url(b.png) url(k.png)");
	put(scene, "k.css", "url(b.png)");
	put(scene, "k.png", "");
	scene_open(scene, "@", "keep=k.*");
	assert_findings(scene, "missing a.css:1:5 b.png\n");
	scene_open(scene, "@", "keep=k.*,refs=none");
	assert_findings(scene, "");
}

/* --- texts as a whole ---------------------------------------------------- */

static void texts_that_are_not_rewritten(void **state)
{
	struct scene *scene = *state;
	char path[PATH_MAX];

	put(scene, "a.css", "\xff url(nope.png)");
	put(scene, "b.png", "\xff");
	put(scene, "big.js", "x");
	put(scene, "big.png", "x");
	assert_int_equal(truncate(tree_path(&scene->tree, "big.js", path),
				  32 * 1024 * 1024 + 1),
			 0);
	assert_int_equal(truncate(tree_path(&scene->tree, "big.png", path),
				  32 * 1024 * 1024 + 1),
			 0);
	scene_open(scene, "@", "");
	assert_findings(scene, "not-utf8 a.css:0:0 \n"
			       "too-large big.js:0:0 \n");
	tree_remove(&scene->tree, "big.js");
	assert_says(scene, "is not UTF-8, so it is shown as it is: its "
			   "references are not rewritten");
}

/* Each circle is told by itself, also where their paths alternate. */
static void two_circles(void **state)
{
	struct scene *scene = *state;
	struct hf_findings findings;

	put(scene, "1.css", "@import '3.css';");
	put(scene, "2.css", "@import '4.css';");
	put(scene, "3.css", "@import '1.css';");
	put(scene, "4.css", "@import '2.css';");
	scene_open(scene, "@", "");
	take(scene, &findings);
	assert_int_equal(findings.n, 2);
	assert_string_equal(findings.rows[0].sentence,
			    "refers to itself in a circle: 1.css, 3.css");
	assert_string_equal(findings.rows[1].sentence,
			    "refers to itself in a circle: 2.css, 4.css");
	hf_findings_fini(&findings);
}

/*
 * The first reference is written with quotes, and no comment begins in it any
 * more that would swallow the second one.
 */
static void a_reference_that_rewriting_brings_out(void **state)
{
	struct scene *scene = *state;

	put(scene, "a.css", "url(b.png#/*)\n/*# sourceMappingURL=c.css*/");
	put(scene, "b.png", "");
	put(scene, "c.css", "");
	put(scene, "d.css", "@import 'a.css';");
	scene_open(scene, "@", "");
	assert_findings(scene, "");
	put(scene, "c.css", "url(b.png#/*)\n/*# sourceMappingURL=d.css*/");
	assert_findings(scene, "cycle a.css:0:0 \n");
	assert_says(scene, "refers to itself in a circle: a.css, c.css, d.css");
	tree_remove(&scene->tree, "d.css");
	assert_findings(scene, "missing c.css:2:22 d.css\n");
	scene_open(scene, "@", "refs=django-6.0");
	assert_findings(scene, "missing c.css:2:22 d.css\n");
}

/* The other way round: the second quote, which was in a string, begins one. */
static void a_reference_that_rewriting_hides(void **state)
{
	struct scene *scene = *state;

	put(scene, "a.css", "url('b.png#\"') @import \"c.css\"");
	put(scene, "b.png", "");
	put(scene, "c.css", "@import 'a.css'; @import 'd.css';");
	put(scene, "d.css", "url('b.png#\"') @import \"d.css\"");
	scene_open(scene, "@", "");
	assert_findings(scene, "");
	put(scene, "d.css", "@import 'c.css';");
	assert_says(scene, "refers to itself in a circle: c.css, d.css");
}

static void circles(void **state)
{
	struct scene *scene = *state;

	put(scene, "a.css", "@import 'b.css';");
	put(scene, "b.css", "@import 'd/c.css'; @import 'z.css';");
	put(scene, "d/c.css", "@import '../a.css';");
	put(scene, "x.css", "url(x.css#y)");
	put(scene, "y.css", "@import 'a.css'; @import 'x.css';");
	put(scene, "z.css", "a{}");
	scene_open(scene, "@", "");
	assert_findings(scene, "cycle a.css:0:0 \n"
			       "cycle x.css:0:0 \n");
	tree_remove(&scene->tree, "x.css");
	put(scene, "y.css", "");
	assert_says(scene,
		    "refers to itself in a circle: a.css, b.css, d/c.css");
	tree_remove(&scene->tree, "a.css");
	tree_remove(&scene->tree, "b.css");
	tree_remove(&scene->tree, "d/c.css");
	put(scene, "x.css", "url(x.css)");
	assert_says(scene, "refers to itself");
}

/* --- plain names --------------------------------------------------------- */

static void write_modules(struct scene *scene)
{
	put(scene, "js/a.js",
	    "// import './b.js'\nimport './gone.js'; import 'b';\n"
	    "import './b.js'; import('./c.mjs');\n"
	    "new URL('../i.png', import.meta.url)");
	put(scene, "js/b.js", "b");
	put(scene, "js/c.mjs", "export * from './b.js'");
	put(scene, "i.png", "PNG");
	put(scene, "s.css", "a{b:image-set('i.png' 1x, 'gone.png' 2x)}");
}

static void plain_references(void **state)
{
	struct scene *scene = *state;

	write_modules(scene);
	scene_open(scene, "@", "");
	assert_findings(scene, "plain-references js/a.js:3:9 ./b.js\n"
			       "plain-references js/c.mjs:1:16 ./b.js\n"
			       "plain-references s.css:1:16 i.png\n");
	scene_open(scene, "@", "show=hashed:kept:plain");
	assert_findings(scene, "");
	scene_open(scene, "@", "show=plain");
	assert_findings(scene, "");
	scene_open(scene, "@", "keep=*.png");
	assert_findings(scene, "plain-references js/a.js:3:9 ./b.js\n"
			       "plain-references js/c.mjs:1:16 ./b.js\n");
	scene_open(scene, "@", "refs=none,keep=i.png:b.js");
	assert_findings(scene, "plain-references js/a.js:3:26 ./c.mjs\n");
}

/* Imports are rewritten then, but in no module of the other name. */
static void plain_references_with_js_modules(void **state)
{
	struct scene *scene = *state;

	write_modules(scene);
	tree_remove(&scene->tree, "s.css");
	put(scene, "js/a.js",
	    "import './b.js?v=1#x'; import( './c.mjs');\n"
	    "new URL('../i.png', import.meta.url)");
	scene_open(scene, "@", "js_modules");
	assert_findings(scene, "plain-references js/a.js:1:33 ./c.mjs\n"
			       "plain-references js/c.mjs:1:16 ./b.js\n");
	tree_remove(&scene->tree, "js/c.mjs");
	assert_findings(scene, "plain-references js/a.js:2:10 ../i.png\n");
	/* A worker is none of them, even of the same file. */
	put(scene, "js/a.js", "import './b.js'; new Worker('b.js')");
	assert_findings(scene, "plain-references js/a.js:1:30 b.js\n");
	put(scene, "js/a.js", "import './b.js?v=1#x'");
	/* These do not know the option. */
	scene_open(scene, "@", "js_modules,refs=django-6.0");
	assert_findings(scene, "plain-references js/a.js:1:9 ./b.js?v=1#x\n");
}

#define ONE                                                                    \
	"1 reference is not rewritten and names a file that is shown under "   \
	"its hashed name only; -o show=hashed:kept:plain shows plain names "   \
	"too, keep= those of some files"
#define THREE                                                                  \
	"3 references are not rewritten and name files that are shown under "  \
	"their hashed names only; -o show=hashed:kept:plain shows plain "      \
	"names too, keep= those of some files"

static void plain_references_have_remedies(void **state)
{
	struct scene *scene = *state;

	put(scene, "a.js",
	    "import './b.js'; import './b.js'; import('./b.js"
	    "')");
	put(scene, "b.js", "");
	scene_open(scene, "@", "");
	assert_says(scene, THREE ", js_modules rewrites imports");
	scene_open(scene, "@", "refs=django-5.2");
	assert_says(scene, THREE);
	tree_remove(&scene->tree, "a.js");
	put(scene, "a.css", "image-set('b.js')");
	scene_open(scene, "@", "");
	assert_says(scene, ONE);
}

/* What is not shown at all is not shown under another name. */
static void references_to_what_is_left_out(void **state)
{
	struct scene *scene = *state;
	char path[PATH_MAX];

	put(scene, "a.js", "import './k.js'; new Worker('pipe')");
	put(scene, "k.js", "");
	assert_int_equal(mkfifo(tree_path(&scene->tree, "pipe", path), 0600),
			 0);
	scene_open(scene, "@", "show=hashed,keep=k.js");
	assert_findings(scene, "special pipe:0:0 \n");
}

/* A text that is not UTF-8 has its imports, too; one that is too large is not
 * read at all. */
static void plain_references_in_odd_texts(void **state)
{
	struct scene *scene = *state;
	char path[PATH_MAX];

	put(scene, "a.js", "/*\xff*/import './b.js'");
	put(scene, "b.js", "");
	put(scene, "c.mjs", "import './b.js';");
	assert_int_equal(truncate(tree_path(&scene->tree, "c.mjs", path),
				  32 * 1024 * 1024 + 1),
			 0);
	scene_open(scene, "@", "");
	assert_findings(scene, "not-utf8 a.js:0:0 \n"
			       "plain-references a.js:1:14 ./b.js\n");
}

static void names_by_custom(void **state)
{
	struct scene *scene = *state;

	put(scene, "favicon.ico", "");
	put(scene, "app/robots.txt", "");
	put(scene, "manifest.webmanifest", "");
	put(scene, "sw.js", "");
	put(scene, "service-worker.js", "");
	put(scene, "service-worker-v2.js", "");
	put(scene, "my-sw.js", "");
	scene_open(scene, "@", "");
	assert_findings(scene, "plain-name app/robots.txt:0:0 \n"
			       "plain-name favicon.ico:0:0 \n"
			       "plain-name manifest.webmanifest:0:0 \n"
			       "plain-name service-worker-v2.js:0:0 \n"
			       "plain-name service-worker.js:0:0 \n"
			       "plain-name sw.js:0:0 \n");
	scene_open(scene, "@", "keep=*.ico:*.txt:*.webmanifest:s*.js");
	assert_findings(scene, "");
	scene_open(scene, "@", "show=hashed:plain");
	assert_findings(scene, "");
	scene_open(scene, "@", "keep=*.txt:*.webmanifest:s*.js");
	assert_says(scene, "is asked for by this name, but shown under its "
			   "hashed name only; -o keep= keeps its name");
}

/* --- order, moment, size ------------------------------------------------- */

static void sorted_by_path_line_column(void **state)
{
	struct scene *scene = *state;

	/* The pattern of @import comes after that of url(). */
	put(scene, "b.css",
	    "@import '1.css'; url(2.png)\nurl(3.png) @import '4.css';");
	put(scene, "b/a.css", "url(x.png)");
	put(scene, "b-a.css", "url(x.png)");
	scene_open(scene, "@", "");
	assert_findings(scene, "missing b-a.css:1:5 x.png\n"
			       "missing b.css:1:10 1.css\n"
			       "missing b.css:1:22 2.png\n"
			       "missing b.css:2:5 3.png\n"
			       "missing b.css:2:21 4.css\n"
			       "missing b/a.css:1:5 x.png\n");
}

static void findings_come_with_their_snapshot(void **state)
{
	struct scene *scene = *state;
	struct hf_progress progress = {0};
	struct hf_snapshot snapshot, alone;
	struct hf_findings findings;

	put(scene, "a.css", "url(b.png)");
	put(scene, "c.png", "c");
	scene_open(scene, "@", "");
	assert_int_equal(hf_view_findings(scene->view, &scene->wait, &progress,
					  &snapshot, &findings),
			 0);
	assert_int_equal(
		hf_view_snapshot(scene->view, &scene->wait, NULL, &alone), 0);
	assert_int_equal(findings.n, 1);
	assert_int_equal(snapshot.n, 2);
	assert_int_equal(findings.generation, alone.generation);
	assert_int_equal(snapshot.generation, alone.generation);
	assert_int_equal(atomic_load(&progress.files), 3);
	assert_int_equal(atomic_load(&progress.files_done), 3);
	assert_int_equal(atomic_load(&progress.bytes_done),
			 atomic_load(&progress.bytes));
	hf_snapshot_fini(&snapshot);
	hf_snapshot_fini(&alone);
	hf_findings_fini(&findings);
}

static void who_is_interrupted_gets_eintr(void **state)
{
	struct scene *scene = *state;
	struct hf_findings findings;
	struct hf_wait wait;

	put(scene, "a.css", "url(b.png)");
	scene_open(scene, "@", "");
	hf_wait_init(&wait);
	hf_wait_interrupt(&wait);
	assert_int_equal(
		hf_view_findings(scene->view, &wait, NULL, NULL, &findings),
		-EINTR);
	hf_wait_fini(&wait);
}

static int count_findings(struct scene *scene)
{
	struct hf_findings findings;
	int error = hf_view_findings(scene->view, &scene->wait, NULL, NULL,
				     &findings);
	int n;

	if (error < 0)
		return error;
	n = (int)findings.n;
	hf_findings_fini(&findings);
	return n;
}

/* In every state of this tree one of both references leads nowhere. */
static void findings_are_of_one_state(void **state)
{
	flipper_ask(*state, 100, count_findings);
}

/* A circle of many files, a text of many references: time is linear, and no
 * stack is as deep as the tree is large. */
static void many_of_everything(void **state)
{
	struct scene *scene = *state;
	struct hf_findings findings;
	struct hf_buf text = {0};
	const int n = 2000;

	for (int i = 0; i < n; i++) {
		char path[32];
		char import[48];

		snprintf(path, sizeof(path), "c/%d.css", i);
		snprintf(import, sizeof(import), "@import '%d.css';",
			 (i + 1) % n);
		put(scene, path, import);
	}
	for (int i = 0; i < 100000; i++)
		hf_buf_printf(&text, "url(%d.png)\nimage-set('c/%d.css')\n", i,
			      i % n);
	put(scene, "a.css", text.data);
	hf_buf_fini(&text);
	scene_open(scene, "@", "");
	take(scene, &findings);
	assert_int_equal(findings.n, 100000 + 2);
	assert_string_equal(findings.rows[100001].kind, "cycle");
	assert_string_equal(findings.rows[1].kind, "plain-references");
	assert_int_equal(strncmp(findings.rows[1].sentence, "100000 ", 7), 0);
	hf_findings_fini(&findings);
}

int main(void)
{
#define FINDINGS(test)                                                         \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		FINDINGS(a_tree_without_faults_has_none),
		FINDINGS(problems_of_files),
		FINDINGS(files_that_cannot_be_read),
		FINDINGS(missing_references),
		FINDINGS(references_to_what_cannot_be_read),
		FINDINGS(references_that_leave_the_tree),
		FINDINGS(references_that_are_no_urls),
		FINDINGS(what_is_kept_is_not_asked),
		FINDINGS(texts_that_are_not_rewritten),
		FINDINGS(two_circles),
		FINDINGS(a_reference_that_rewriting_brings_out),
		FINDINGS(a_reference_that_rewriting_hides),
		FINDINGS(circles),
		FINDINGS(plain_references),
		FINDINGS(plain_references_with_js_modules),
		FINDINGS(plain_references_have_remedies),
		FINDINGS(references_to_what_is_left_out),
		FINDINGS(plain_references_in_odd_texts),
		FINDINGS(names_by_custom),
		FINDINGS(sorted_by_path_line_column),
		FINDINGS(findings_come_with_their_snapshot),
		FINDINGS(who_is_interrupted_gets_eintr),
		FINDINGS(findings_are_of_one_state),
		FINDINGS(many_of_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
