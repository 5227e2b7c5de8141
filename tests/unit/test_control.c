/* fs/control: the texts by which a mount explains itself. */
#include "tests/unit/scene.h"

#include "fs/control/control.h"

/* Renders the control file of that name. */
static int render(struct scene *scene, const char *name, struct hf_buf *ret)
{
	struct hf_control *control;
	int error = -ENOENT;

	assert_int_equal(
		hf_control_new(scene->view, &scene->config, "ABI 1", &control),
		0);
	for (size_t i = 0; hf_control_name(i); i++)
		if (strcmp(hf_control_name(i), name) == 0)
			error = hf_control_render(control, i, &scene->wait,
						  ret);
	hf_control_free(control);
	return error;
}

/* A map's last line but for the generation, which is a hash. */
static void cut_generation(struct hf_buf *text)
{
	char *tab = strrchr(text->data, '\t');

	assert_non_null(tab);
	assert_true(strstr(tab, "\n") == text->data + text->len - 1);
	assert_true(strtoull(tab + 1, NULL, 10) > 0);
	*tab = '\0';
}

static void assert_map(struct scene *scene, const char *expected)
{
	struct hf_buf text = {0};

	assert_int_equal(render(scene, "map", &text), 0);
	cut_generation(&text);
	assert_string_equal(text.data, expected);
	hf_buf_fini(&text);
}

static void assert_text(struct scene *scene, const char *name,
			const char *expected)
{
	struct hf_buf text = {0};

	assert_int_equal(render(scene, name, &text), 0);
	assert_string_equal(text.len ? text.data : "", expected);
	hf_buf_fini(&text);
}

static void assert_has(const struct hf_buf *text, const char *line)
{
	if (!strstr(text->data, line))
		fail_msg("no \"%s\" in:\n%s", line, text->data);
}

/* --- map ----------------------------------------------------------------- */

static void a_map_of_rows(void **state)
{
	struct hf_row rows[] = {
		{.path = "a.css",
		 .name = "a.0aff.css",
		 .kind = HF_KIND_HASHED,
		 .size = 7,
		 .name_digest = {2, {0x0a, 0xff}},
		 .content_digest = {2, {0x12, 0x34}}},
		{.path = "k",
		 .name = "k",
		 .kind = HF_KIND_KEPT,
		 .size = UINT64_C(1) << 40},
		{.path = "bad",
		 .name = "bad",
		 .kind = HF_KIND_PLAIN,
		 .problem = HF_PROBLEM_UNREADABLE,
		 .error = EACCES},
		{.path = "pipe",
		 .name = "",
		 .kind = HF_KIND_PLAIN,
		 .problem = HF_PROBLEM_SPECIAL},
	};
	struct hf_snapshot snapshot = {
		.rows = rows, .n = HF_ARRAY_SIZE(rows), .generation = 42};
	struct hf_buf text = {0};

	(void)state;
	hf_control_map(&snapshot, NULL, &text);
	assert_string_equal(
		text.data,
		"a.css\ta.0aff.css\thashed\t0aff\t1234\t7\t-\n"
		"k\tk\tkept\t-\t-\t1099511627776\t-\n"
		"bad\tbad\tplain\t-\t-\t0\t!cannot be read: Permission "
		"denied\n"
		"pipe\t\tplain\t-\t-\t0\tleft out: not a file but a FIFO, "
		"socket or device\n"
		"#end\t4\t42\n");
	hf_buf_fini(&text);
}

static void a_map_tells_integrity(void **state)
{
	struct hf_row rows[] = {
		{.path = "a.css",
		 .name = "a.0aff.css",
		 .kind = HF_KIND_HASHED,
		 .name_digest = {.len = 2, .bytes = {0x0a, 0xff}},
		 .integrity = {.len = 4, .bytes = {0, 0x10, 0x83, 0xff}}},
		{.path = "bad",
		 .name = "bad",
		 .kind = HF_KIND_PLAIN,
		 .problem = HF_PROBLEM_UNREADABLE,
		 .error = EACCES},
	};
	struct hf_snapshot snapshot = {
		.rows = rows, .n = HF_ARRAY_SIZE(rows), .generation = 42};
	struct hf_buf text = {0};

	(void)state;
	hf_control_map(&snapshot, hf_algorithm_find("sha384"), &text);
	assert_string_equal(
		text.data,
		"a.css\ta.0aff.css\thashed\t0aff\t-\t0\t-\tsha384-ABCD/w==\n"
		"bad\tbad\tplain\t-\t-\t0\t!cannot be read: Permission "
		"denied\t-\n"
		"#end\t2\t42\n");
	hf_buf_fini(&text);
}

/* A row is a line and a field has no TAB, whatever a file is called. */
static void a_map_escapes_names(void **state)
{
	static const char name[] = "t\ta\nb\\c\r\x01\xff\xc3\xa4";
	struct hf_row row = {.path = name, .name = name, .kind = HF_KIND_PLAIN};
	struct hf_snapshot snapshot = {.rows = &row, .n = 1, .generation = 1};
	struct hf_buf text = {0};
	struct hf_buf back = {0};

	(void)state;
	hf_control_map(&snapshot, NULL, &text);
	assert_string_equal(text.data, "t\\ta\\nb\\\\c\\r\\x01\\xff\xc3\xa4\t"
				       "t\\ta\\nb\\\\c\\r\\x01\\xff\xc3\xa4\t"
				       "plain\t-\t-\t0\t-\n"
				       "#end\t1\t1\n");
	assert_int_equal(
		hf_unescape(&back, text.data, strcspn(text.data, "\t")), 0);
	assert_string_equal(back.data, name);
	hf_buf_fini(&text);
	hf_buf_fini(&back);
}

/* Without its last line a map is incomplete; the empty one has it, too. */
static void a_map_ends(void **state)
{
	struct scene *scene = *state;

	scene_open(scene, "@", "keep=#end");
	assert_map(scene, "#end\t0");
	tree_tick();
	tree_write(&scene->tree, "#end", "a file of that name");
	assert_map(scene, "#end\t#end\tkept\t-\t-\t19\t-\n#end\t1");
}

static void a_map_of_a_tree(void **state)
{
	struct scene *scene = *state;
	char expected[512];
	char name[NAME_MAX + 1];

	tree_write(&scene->tree, "d/a.css", "a");
	tree_link(&scene->tree, "b", "nowhere");
	scene_open(scene, "@", "");
	snprintf(expected, sizeof(expected),
		 "b\tb\tplain\t-\t-\t7\t!link that leads nowhere: its target "
		 "is missing\n"
		 "d/a.css\t%s\thashed\t0cc175b9c0f1b6a831c399e269772661\t"
		 "0cc175b9c0f1b6a831c399e269772661\t1\t-\n"
		 "#end\t2",
		 scene_name("d/a", ".css", "a", name));
	assert_map(scene, expected);
	assert_map(scene, expected);
}

/* --- problems ------------------------------------------------------------ */

static void no_problems_no_text(void **state)
{
	struct scene *scene = *state;

	tree_write(&scene->tree, "a.css", "a");
	scene_open(scene, "@", "");
	assert_text(scene, "problems", "");
}

static void problems_are_one_a_line(void **state)
{
	struct scene *scene = *state;
	char path[PATH_MAX];

	tree_write(&scene->tree, "fine.css", "fine");
	tree_link(&scene->tree, "d/out", "/etc/passwd");
	tree_link(&scene->tree, "dangling\nline", "nowhere");
	tree_write(&scene->tree, "a.png", "25302");
	tree_write(&scene->tree, "a.png#", "82945");
	assert_int_equal(mkfifo(tree_path(&scene->tree, "pipe", path), 0600),
			 0);
	scene_open(scene, "@", "length=8");
	assert_text(scene, "problems",
		    "a.png#: stands under its plain name: another file is "
		    "presented under its hashed name\n"
		    "d/out: link that leaves its source (see -o follow)\n"
		    "dangling\\nline: link that leads nowhere: its target is "
		    "missing\n"
		    "pipe: left out: not a file but a FIFO, socket or "
		    "device\n");
}

static void problems_name_the_place(void **state)
{
	struct scene *scene = *state;

	tree_write(&scene->tree, "a\x7f.css", "\na{b:url(c\xc2\x85.png)}");
	scene_open(scene, "@", "");
	assert_text(scene, "problems",
		    "a\\x7f.css:2:9: \"c\\xc2\\x85.png\" leads to "
		    "c\\xc2\\x85.png, which is missing\n");
}

/* --- findings ------------------------------------------------------------ */

static void findings_are_rows(void **state)
{
	struct hf_finding rows[] = {
		{.path = "t\ta.css",
		 .line = 12,
		 .column = 3,
		 .kind = "missing",
		 .url = "b\n.png",
		 .sentence = "a\\b"},
		{.path = "p", .kind = "special", .url = "", .sentence = "s"},
	};
	struct hf_findings findings = {
		.rows = rows, .n = HF_ARRAY_SIZE(rows), .generation = 42};
	struct hf_buf text = {0};

	(void)state;
	hf_control_findings(&findings, &text);
	assert_string_equal(text.data,
			    "t\\ta.css\t12\t3\tmissing\tb\\n.png\ta\\\\b\n"
			    "p\t0\t0\tspecial\t\ts\n"
			    "#end\t2\t42\n");
	hf_buf_fini(&text);
}

/* Findings and map of one state of the tree name the same generation. */
static void findings_have_the_generation_of_the_map(void **state)
{
	struct scene *scene = *state;
	struct hf_buf map = {0};
	struct hf_buf findings = {0};

	tree_write(&scene->tree, "a.css", "url(b.png)");
	scene_open(scene, "@", "");
	assert_int_equal(render(scene, "map", &map), 0);
	assert_int_equal(render(scene, "findings", &findings), 0);
	assert_string_equal(strstr(map.data, "\n#end"),
			    strstr(findings.data, "\n#end"));
	tree_tick();
	tree_write(&scene->tree, "c", "");
	hf_buf_reset(&findings);
	assert_int_equal(render(scene, "findings", &findings), 0);
	assert_string_not_equal(strstr(map.data, "\n#end"),
				strstr(findings.data, "\n#end"));
	hf_buf_fini(&map);
	hf_buf_fini(&findings);
}

/* --- references ---------------------------------------------------------- */

static void references_are_rows(void **state)
{
	struct scene *scene = *state;
	struct hf_buf map = {0};
	struct hf_buf text = {0};
	const char *end;

	tree_write(&scene->tree, "a\x7f.css", "url(x.png) url(x.png?y)");
	tree_write(&scene->tree, "x.png", "x");
	scene_open(scene, "@", "");
	assert_int_equal(render(scene, "map", &map), 0);
	assert_int_equal(render(scene, "references", &text), 0);
	end = strchr(text.data, '\n');
	assert_memory_equal(text.data, "a\\x7f.css\tx.png\n", 16);
	assert_memory_equal(end, "\n#end\t1\t", 8);
	assert_string_equal(strrchr(map.data, '\t'), strrchr(text.data, '\t'));
	hf_buf_fini(&map);
	hf_buf_fini(&text);
}

/* --- status -------------------------------------------------------------- */

static void status_has_the_facts(void **state)
{
	struct scene *scene = *state;
	struct hf_buf text = {0};

	tree_write(&scene->tree, "a\tb/a.css", "a");
	scene_open(scene, "x/y=@/a\tb", "length=8,digest=sha256,threads=3");
	assert_int_equal(render(scene, "map", &text), 0);
	hf_buf_reset(&text);
	assert_int_equal(render(scene, "status", &text), 0);
	assert_has(&text, "version: " HF_VERSION "\n");
	assert_has(&text, "source: x/y=/");
	assert_has(&text, "/a\\tb\n");
	assert_has(&text, "name: %n.%h%e\n");
	assert_has(&text, "digest: sha256\n");
	assert_has(&text, "length: 8\n");
	assert_has(&text, "static_url: /static/\n");
	assert_has(&text, "threads: 3\n");
	assert_has(&text, "files_hashed: 1\n");
	assert_has(&text, "bytes_hashed: 1\n");
	assert_has(&text, "remembered: 2\n");
	assert_has(&text, "hashing_now: 0\n");
	assert_has(&text, "landlock: ABI 1\n");
	hf_buf_fini(&text);
}

/* --- sync ---------------------------------------------------------------- */

static void sync_tells_the_generation(void **state)
{
	struct scene *scene = *state;
	struct hf_buf text = {0};

	scene_open(scene, "@", "");
	hf_listing_unref(scene_list(scene, ""));
	assert_int_equal(render(scene, "sync", &text), 0);
	assert_string_equal(text.data, "0\n"); /* no change was noticed */
	hf_buf_reset(&text);
	hf_view_suspect(scene->view);
	assert_int_equal(render(scene, "sync", &text), 0);
	assert_string_equal(text.data, "1\n");
	hf_buf_fini(&text);
}

/* --- looking at the whole tree ------------------------------------------- */

static void it_can_be_interrupted(void **state)
{
	struct scene *scene = *state;
	struct hf_buf text = {0};

	scene_open(scene, "@", "");
	hf_wait_interrupt(&scene->wait);
	assert_int_equal(render(scene, "map", &text), -EINTR);
	assert_int_equal(render(scene, "problems", &text), -EINTR);
	hf_buf_fini(&text);
}

/* --- the directory ------------------------------------------------------- */

static void files_have_numbers(void **state)
{
	static const char *const names[] = {
		"findings",   "map",        "map.sha256",
		"map.sha384", "map.sha512", "problems",
		"references", "status",     "sync"};
	struct scene *scene = *state;
	struct hf_control *control;
	struct hf_buf text = {0};

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		assert_string_equal(hf_control_name(i), names[i]);
	assert_null(hf_control_name(HF_ARRAY_SIZE(names)));
	scene_open(scene, "@", "");
	assert_int_equal(
		hf_control_new(scene->view, &scene->config, "no", &control), 0);
	assert_int_equal(hf_control_render(control, HF_ARRAY_SIZE(names),
					   &scene->wait, &text),
			 -ENOENT);
	hf_control_free(control);
	hf_buf_fini(&text);
}

int main(void)
{
#define CONTROL(test)                                                          \
	cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		CONTROL(a_map_of_rows),
		cmocka_unit_test(a_map_tells_integrity),
		CONTROL(a_map_escapes_names),
		CONTROL(a_map_ends),
		CONTROL(a_map_of_a_tree),
		CONTROL(no_problems_no_text),
		CONTROL(problems_are_one_a_line),
		CONTROL(problems_name_the_place),
		CONTROL(findings_are_rows),
		CONTROL(findings_have_the_generation_of_the_map),
		CONTROL(references_are_rows),
		CONTROL(status_has_the_facts),
		CONTROL(sync_tells_the_generation),
		CONTROL(it_can_be_interrupted),
		CONTROL(files_have_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
