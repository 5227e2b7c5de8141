#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "manifest/manifest.h"

#define DOCUMENT(paths) "{\"paths\": " paths ", \"version\": \"1.1\"}"

static int parse(const char *text, struct hf_manifest *ret, char **why)
{
	*why = NULL;
	return hf_document_parse(&(struct hf_document){0}, text, strlen(text),
				 "m.json", ret, why);
}

/* A JSON string, the name that it stands for. */
static const char *const names[][2] = {
	{"", ""},
	{"a", "a"},
	{"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
	{"\\\\udc80", "\\udc80"},
	{"\\\\\\udc80", "\\\x80"},
	{"\\u0001", "\x01"},
	{"\\u0001\\u0001", "\x01\x01"},
	{"\\u0001\\udc81\\u0001", "\x01\x81\x01"},
	{"\\u0001\\u0080", "\x01\xc2\x80"},
	{"\\u007f\\u00e9\\u20ac", "\x7f\xc3\xa9\xe2\x82\xac"},
	{"\xc3\xa9", "\xc3\xa9"},
	{"\\udc80\\udcff", "\x80\xff"},
	{"\\uDC80\\uDCfF", "\x80\xff"},
	{"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
	{"\\ud83d\\udc80", "\xf0\x9f\x92\x80"},
	{"\\ud83d\\udc80\\udc80", "\xf0\x9f\x92\x80\x80"},
	{"\\udc80\\ud83d\\udc80", "\x80\xf0\x9f\x92\x80"},
	{"\\udcc3\\udca9", "\xc3\xa9"},
};

static void reads_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++) {
		struct hf_manifest manifest = {0};
		struct hf_buf text = {0};
		char *why;

		hf_buf_printf(&text, DOCUMENT("{\"%s\": \"%s.x\"}"),
			      names[i][0], names[i][0]);
		assert_int_equal(parse(text.data, &manifest, &why), 0);
		assert_int_equal(manifest.n, 1);
		assert_string_equal(manifest.rows[0].path, names[i][1]);
		assert_int_equal(strlen(manifest.rows[0].name),
				 strlen(names[i][1]) + 2);
		assert_memory_equal(manifest.rows[0].name, names[i][1],
				    strlen(names[i][1]));
		hf_manifest_fini(&manifest);
		hf_buf_fini(&text);
	}
}

/* Every name of three bytes out of these survives writing and reading. */
static void reads_what_it_writes(void **state)
{
	static const char bytes[] = "\x01\\\"u\x7f\x80\x9f\xc3\xed\xf0\xff";
	struct hf_manifest manifest = {0}, again = {0};
	struct hf_document django = {0};
	struct hf_buf text = {0};
	char *why = NULL;

	(void)state;
	for (size_t i = 0; i < 11 * 11 * 11 * 11; i++) {
		char name[] = {bytes[i % 11], bytes[i / 11 % 11],
			       bytes[i / 121 % 11], bytes[i / 1331], '\0'};
		struct hf_manifest_row row = {
			.path = name, .name = name, .problem = ""};

		assert_int_equal(hf_manifest_add(&manifest, &row), 0);
	}
	hf_manifest_sort(&manifest);
	assert_int_equal(hf_document_print(&django, &manifest, &text, &why), 0);
	assert_int_equal(hf_document_parse(&django, text.data, text.len, "m",
					   &again, &why),
			 0);
	hf_manifest_sort(&again);
	assert_int_equal(again.n, manifest.n);
	for (size_t i = 0; i < again.n; i++) {
		assert_string_equal(again.rows[i].path, manifest.rows[i].path);
		assert_string_equal(again.rows[i].name, manifest.rows[i].name);
	}
	hf_buf_fini(&text);
	hf_manifest_fini(&manifest);
	hf_manifest_fini(&again);
}

static void reads_both_versions(void **state)
{
	struct hf_manifest manifest = {0};
	char *why;

	(void)state;
	assert_int_equal(
		parse("{\"version\": \"1.0\", \"hash\": 1, \"paths\": {}}",
		      &manifest, &why),
		0);
	assert_int_equal(manifest.n, 0);
	hf_manifest_fini(&manifest);
}

/* A text, what the sentence about it says. */
static const char *const refused[][2] = {
	{"", "is not JSON"},
	{"\n\n{", "line 3"},
	{"[]", "no \"version\""},
	{"{\"version\": 1.1, \"paths\": {}}", "no \"version\""},
	{"{\"version\": \"1.1\"}", "no \"paths\""},
	{"{\"version\": \"1.1\", \"paths\": []}", "no \"paths\""},
	{"{\"version\": \"2\\n\", \"paths\": {}}", "version 2\\n;"},
	{DOCUMENT("{\"a\": 1}"), "not a name"},
	{DOCUMENT("{\"a\": \"\\ud800\"}"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\\ud800x\"}"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\\udc7f\"}"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\\udd00\"}"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\\u0000\"}"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\x01\"}"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\xff\"}"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\\udc8\"}"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\\"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\\u"), "is not JSON"},
	{DOCUMENT("{\"a\": \"\\ud83d\\u"), "is not JSON"},
	{"{} x", "is not JSON"},
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(refused); i++) {
		struct hf_manifest manifest = {0};
		char *why;

		assert_int_equal(parse(refused[i][0], &manifest, &why),
				 -EBADMSG);
		assert_non_null(strstr(why, refused[i][1]));
		assert_int_equal(strncmp(why, "m.json", 6), 0);
		free(why);
		hf_manifest_fini(&manifest);
	}
}

static void says_what_cannot_be_read(void **state)
{
	struct hf_manifest manifest = {0};
	char *why = NULL;

	(void)state;
	assert_int_equal(hf_document_read(&(struct hf_document){0},
					  "/no/such\n", &manifest, &why),
			 -ENOENT);
	assert_string_equal(
		why, "cannot read /no/such\\n: No such file or directory");
	free(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_names),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(reads_both_versions),
		cmocka_unit_test(refuses),
		cmocka_unit_test(says_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
