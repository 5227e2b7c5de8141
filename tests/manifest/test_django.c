#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "manifest/format.h"

static void add(struct hf_manifest *manifest, const char *path,
		const char *name, bool failed)
{
	struct hf_manifest_row row = {
		.path = path, .name = name, .problem = "", .failed = failed};

	assert_int_equal(hf_manifest_add(manifest, &row), 0);
}

static void assert_written(struct hf_manifest *manifest, const char *expected)
{
	struct hf_document django = {0};
	struct hf_buf text = {0};

	hf_manifest_sort(manifest);
	assert_int_equal(hf_django_write(manifest, &django, &text), 0);
	assert_string_equal(text.data, expected);
	hf_buf_fini(&text);
}

/* What real Django wrote for these three files. */
#define THREE                                                                  \
	"{\"paths\": {\"css/a.css\": \"css/a.1e50deae08cd.css\", "             \
	"\"img/a.png\": \"img/a.55505ba281b0.png\", "                          \
	"\"z.css\": \"z.7c0da6e90f1b.css\"}, "                                 \
	"\"version\": \"1.1\", \"hash\": \"8c6a7a5ab4b5\"}"

static void writes_what_django_writes(void **state)
{
	struct hf_manifest manifest = {0};

	(void)state;
	add(&manifest, "z.css", "z.7c0da6e90f1b.css", false);
	add(&manifest, "img/a.png", "img/a.55505ba281b0.png", false);
	add(&manifest, "css/a.css", "css/a.1e50deae08cd.css", false);
	assert_written(&manifest, THREE);
	hf_manifest_fini(&manifest);
}

static void leaves_out_what_is_not_listed(void **state)
{
	struct hf_manifest manifest = {0};

	(void)state;
	add(&manifest, "a", "a", true);
	add(&manifest, "css/a.css", "css/a.1e50deae08cd.css", false);
	add(&manifest, "fifo", "", false);
	add(&manifest, "img/a.png", "img/a.55505ba281b0.png", false);
	add(&manifest, "z.css", "z.7c0da6e90f1b.css", false);
	add(&manifest, "zz", "zz", true);
	assert_written(&manifest, THREE);
	hf_manifest_fini(&manifest);
}

static void writes_an_empty_tree(void **state)
{
	struct hf_manifest manifest = {0};

	(void)state;
	assert_written(&manifest, "{\"paths\": {}, \"version\": \"1.1\", "
				  "\"hash\": \"d75171398898\"}");
	hf_manifest_fini(&manifest);
}

/* name, json.dumps(os.fsdecode(name)) */
static const char *const quotes[][2] = {
	{"", "\"\""},
	{" !#[]~/", "\" !#[]~/\""},
	{"\"\\", "\"\\\"\\\\\""},
	{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
	{"\x01\x0b\x1f\x7f", "\"\\u0001\\u000b\\u001f\\u007f\""},
	{"\xc3\xa9\xe2\x82\xac", "\"\\u00e9\\u20ac\""},
	{"\xef\xbf\xbf", "\"\\uffff\""},
	{"\xf0\x90\x80\x80", "\"\\ud800\\udc00\""},
	{"\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\""},
	{"\xf4\x8f\xbf\xbf", "\"\\udbff\\udfff\""},
	{"a\x80z\xff", "\"a\\udc80z\\udcff\""},
	{"\xe2\x82", "\"\\udce2\\udc82\""},
	{"\xe2\x82"
	 "A",
	 "\"\\udce2\\udc82A\""},
	{"\xc0\xaf", "\"\\udcc0\\udcaf\""},
	{"\xed\xa0\x80", "\"\\udced\\udca0\\udc80\""},
	{"\xf4\x90\x80\x80", "\"\\udcf4\\udc90\\udc80\\udc80\""},
};

static void quotes_as_python(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(quotes); i++) {
		struct hf_buf text = {0};

		hf_quote(quotes[i][0], &text);
		assert_string_equal(text.data, quotes[i][1]);
		hf_buf_fini(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_django_writes),
		cmocka_unit_test(leaves_out_what_is_not_listed),
		cmocka_unit_test(writes_an_empty_tree),
		cmocka_unit_test(quotes_as_python),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
