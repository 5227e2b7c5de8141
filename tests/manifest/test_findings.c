/* The findings of a mount, and findings as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "manifest/verb.h"

#define ROW_A "css/a.css\t12\t3\tmissing\tb\\t.png\ta\\\\b\n"
#define ROW_B "p\\xff\t0\t0\tspecial\t\tleft out\n"

static int parse(const char *text, struct hf_findings *ret, char **why)
{
	*why = NULL;
	return hf_findings_parse(text, strlen(text), "/m\n", ret, why);
}

static void reads_rows(void **state)
{
	struct hf_findings findings = {0};
	char *why;

	(void)state;
	assert_int_equal(parse(ROW_A ROW_B "#end\t2\t18446744073709551615\n",
			       &findings, &why),
			 0);
	assert_int_equal(findings.n, 2);
	assert_true(findings.generation == UINT64_MAX);
	assert_string_equal(findings.rows[0].path, "css/a.css");
	assert_int_equal(findings.rows[0].line, 12);
	assert_int_equal(findings.rows[0].column, 3);
	assert_string_equal(findings.rows[0].kind, "missing");
	assert_string_equal(findings.rows[0].url, "b\t.png");
	assert_string_equal(findings.rows[0].sentence, "a\\b");
	assert_string_equal(findings.rows[1].path, "p\xff");
	assert_int_equal(findings.rows[1].line, 0);
	assert_string_equal(findings.rows[1].url, "");
	hf_findings_fini(&findings);
}

static const char *const incomplete[] = {
	"",
	"#end\t0\t1",
	"#end\t0\n",
	"#end\t1\t1\n",
	"#end\t0\tx\n",
	"#end\t0\t18446744073709551616\n",
	ROW_A,
	ROW_A "#end\t2\t1\n",
	ROW_A "#end\t1\t1\n" ROW_B,
	"a\t0\t0\tmissing\turl\n#end\t1\t1\n",
	"a\t0\t0\tmissing\turl\ts\tx\n#end\t1\t1\n",
	"a\t\t0\tmissing\turl\ts\n#end\t1\t1\n",
	"a\t-1\t0\tmissing\turl\ts\n#end\t1\t1\n",
	"a\t0\t0x\tmissing\turl\ts\n#end\t1\t1\n",
	"a\\q\t0\t0\tmissing\turl\ts\n#end\t1\t1\n",
};

static void refuses_incomplete_findings(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(incomplete); i++) {
		struct hf_findings findings = {0};
		char *why;

		assert_int_equal(parse(incomplete[i], &findings, &why),
				 -ENODATA);
		assert_string_equal(
			why,
			"/m\\n/.hashedfs/findings is incomplete; try again");
		free(why);
		hf_findings_fini(&findings);
	}
}

static void refuses_what_is_no_mount(void **state)
{
	struct hf_findings findings = {0};
	char *why = NULL;

	(void)state;
	assert_int_equal(hf_findings_read("/", &findings, &why), -ENOENT);
	assert_string_equal(why,
			    "/ is not a hashedfs mount, or not yours to ask "
			    "(mount it with -o control=all); snapshot, "
			    "check and stats read a directory with "
			    "--source");
	free(why);
}

/* --- JSON ----------------------------------------------------------------- */

static void add(struct hf_findings *findings, const char *path, size_t line,
		const char *url)
{
	const struct hf_finding finding = {.path = path,
					   .line = line,
					   .column = line ? 7 : 0,
					   .kind = "missing",
					   .url = url,
					   .sentence = "a \"b\""};

	assert_int_equal(hf_findings_add(findings, &finding), 0);
}

static void writes_json(void **state)
{
	struct hf_findings findings = {0};
	struct hf_buf text = {0};

	(void)state;
	assert_int_equal(hf_findings_json(&findings, &text), 0);
	assert_string_equal(text.data, "[]\n");
	add(&findings, "p\xff\n", 0, "");
	add(&findings, "\xc3\xa9", 3, "u");
	hf_buf_reset(&text);
	assert_int_equal(hf_findings_json(&findings, &text), 0);
	assert_string_equal(
		text.data,
		"[\n"
		" {\"file\": \"p\\udcff\\n\", \"line\": null, \"column\": "
		"null, \"kind\": \"missing\", \"url\": \"\", \"message\": \"a "
		"\\\"b\\\"\"},\n"
		" {\"file\": \"\\u00e9\", \"line\": 3, \"column\": 7, "
		"\"kind\": \"missing\", \"url\": \"u\", \"message\": \"a "
		"\\\"b\\\"\"}\n"
		"]\n");
	hf_buf_fini(&text);
	hf_findings_fini(&findings);
}

static void a_json_library_reads_it(void **state)
{
	struct hf_findings findings = {0};
	struct hf_buf text = {0};
	json_t *root, *object;

	(void)state;
	add(&findings, "a\x01\x7f\\\xe2\x82\xac\xf0\x9f\x98\x80", 1, "/");
	assert_int_equal(hf_findings_json(&findings, &text), 0);
	root = json_loadb(text.data, text.len, 0, NULL);
	assert_int_equal(json_array_size(root), 1);
	object = json_array_get(root, 0);
	assert_int_equal(json_object_size(object), 6);
	assert_string_equal(json_string_value(json_object_get(object, "file")),
			    "a\x01\x7f\\\xe2\x82\xac\xf0\x9f\x98\x80");
	json_decref(root);
	hf_buf_fini(&text);
	hf_findings_fini(&findings);
}

/* --- --ignore ------------------------------------------------------------ */

static void ignore(const char *globs, struct hf_findings *ret)
{
	static char program[] = "hashedfs-manifest", verb[] = "check";
	static char option[] = "--ignore";
	struct hf_arguments arguments;
	char *word = strdup(globs);
	char *argv[] = {program, verb, option, word, NULL};
	char *why = NULL;

	assert_int_equal(hf_arguments_parse(4, argv, &arguments, &why), 0);
	assert_int_equal(hf_verb_ignore(&arguments, ret), 0);
	hf_arguments_fini(&arguments);
	free(word);
}

static void assert_left(const char *globs, const char *expected)
{
	struct hf_findings findings = {0};
	struct hf_buf left = {0};

	add(&findings, "a.css", 1, "x.png");
	add(&findings, "a.css", 2, "y.png");
	add(&findings, "b.css", 1, "x.png");
	add(&findings, "v/c.js", 1, "c.js.map");
	add(&findings, "v/pipe", 0, "");
	ignore(globs, &findings);
	hf_buf_puts(&left, "");
	for (size_t i = 0; i < findings.n; i++)
		hf_buf_printf(&left, "%s:%s ", findings.rows[i].path,
			      findings.rows[i].url);
	assert_string_equal(left.data, expected);
	hf_buf_fini(&left);
	hf_findings_fini(&findings);
}

/* Globs of file:url; a colon in one needs its backslash. */
static void ignores(void **state)
{
	(void)state;
	assert_left("", "a.css:x.png a.css:y.png b.css:x.png v/c.js:c.js.map "
			"v/pipe: ");
	assert_left("v/*", "a.css:x.png a.css:y.png b.css:x.png ");
	assert_left("*.map:*pipe*", "a.css:x.png a.css:y.png b.css:x.png ");
	assert_left("a.css\\:x.png",
		    "a.css:y.png b.css:x.png v/c.js:c.js.map v/pipe: ");
	assert_left("*\\:x.png:v/*:a.css\\:y*", "");
	assert_left("a.css:x.png", "a.css:x.png a.css:y.png b.css:x.png "
				   "v/c.js:c.js.map v/pipe: ");
	assert_left("v/pipe\\:",
		    "a.css:x.png a.css:y.png b.css:x.png v/c.js:c.js.map ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rows),
		cmocka_unit_test(refuses_incomplete_findings),
		cmocka_unit_test(refuses_what_is_no_mount),
		cmocka_unit_test(writes_json),
		cmocka_unit_test(a_json_library_reads_it),
		cmocka_unit_test(ignores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
