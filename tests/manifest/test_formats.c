/* Every format, as it was written down by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "manifest/manifest.h"

/* What a text becomes, under the options "OPTION", "VALUE", ..., NULL. */
struct wanted {
	const char *const options[9];
	const char *text;
};

static const struct hf_manifest_row rows[] = {
	{.path = "a b.js",
	 .name = "a b.0123456789ab.js",
	 .digest = "0123456789abcdef0123456789abcdef",
	 .integrity = "sha512-QUJD",
	 .size = 5},
	{.path = "css/\xc3\xa9.css",
	 .name = "css/\xc3\xa9.ba9876543210.css",
	 .digest = "ba9876543210ba9876543210ba987654",
	 .integrity = "sha512-REVG",
	 .size = 7},
	{.path = "favicon.ico",
	 .name = "favicon.ico",
	 .integrity = "sha512-R0hJ",
	 .size = 9},
	{.path = "gone", .name = "", .problem = "left out"},
	{.path = "unreadable", .name = "unreadable", .failed = true},
};

static const struct wanted wanted[] = {
	{{NULL},
	 "{\"paths\": {\"a b.js\": \"a b.0123456789ab.js\", "
	 "\"css/\\u00e9.css\": \"css/\\u00e9.ba9876543210.css\", "
	 "\"favicon.ico\": \"favicon.ico\"}, \"version\": \"1.1\", "
	 "\"hash\": \"d8a93daee741\"}"},
	{{"--integrity", "sha512"},
	 "{\"paths\": {\"a b.js\": \"a b.0123456789ab.js\", "
	 "\"css/\\u00e9.css\": \"css/\\u00e9.ba9876543210.css\", "
	 "\"favicon.ico\": \"favicon.ico\"}, \"version\": \"1.1\", "
	 "\"hash\": \"d8a93daee741\", \"integrity\": {"
	 "\"a b.js\": \"sha512-QUJD\", \"css/\\u00e9.css\": \"sha512-REVG\", "
	 "\"favicon.ico\": \"sha512-R0hJ\"}}"},
	{{"--format", "flat"},
	 "{\n"
	 "  \"a b.js\": \"a b.0123456789ab.js\",\n"
	 "  \"css/\\u00e9.css\": \"css/\\u00e9.ba9876543210.css\",\n"
	 "  \"favicon.ico\": \"favicon.ico\"\n"
	 "}\n"},
	{{"--format", "flat", "--url-prefix", "/build/", "--key-prefix",
	  "build/"},
	 "{\n"
	 "  \"build/a b.js\": \"/build/a b.0123456789ab.js\",\n"
	 "  \"build/css/\\u00e9.css\": "
	 "\"/build/css/\\u00e9.ba9876543210.css\",\n"
	 "  \"build/favicon.ico\": \"/build/favicon.ico\"\n"
	 "}\n"},
	{{"--format", "urls"},
	 "{\n"
	 "  \"a b.js\": \"/static/a%20b.0123456789ab.js\",\n"
	 "  \"css/\\u00e9.css\": \"/static/css/%C3%A9.ba9876543210.css\",\n"
	 "  \"favicon.ico\": \"/static/favicon.ico\"\n"
	 "}\n"},
	{{"--format", "urls", "--url-prefix", "https://cdn/"},
	 "{\n"
	 "  \"a b.js\": \"https://cdn/a%20b.0123456789ab.js\",\n"
	 "  \"css/\\u00e9.css\": \"https://cdn/css/%C3%A9.ba9876543210.css\",\n"
	 "  \"favicon.ico\": \"https://cdn/favicon.ico\"\n"
	 "}\n"},
	{{"--format", "propshaft"},
	 "{\n"
	 "  \"a b.js\": {\"digested_path\": \"a b.0123456789ab.js\", "
	 "\"integrity\": null},\n"
	 "  \"css/\\u00e9.css\": {\"digested_path\": "
	 "\"css/\\u00e9.ba9876543210.css\", \"integrity\": null},\n"
	 "  \"favicon.ico\": {\"digested_path\": \"favicon.ico\", "
	 "\"integrity\": null}\n"
	 "}\n"},
	{{"--format", "propshaft", "--integrity", "sha512"},
	 "{\n"
	 "  \"a b.js\": {\"digested_path\": \"a b.0123456789ab.js\", "
	 "\"integrity\": \"sha512-QUJD\"},\n"
	 "  \"css/\\u00e9.css\": {\"digested_path\": "
	 "\"css/\\u00e9.ba9876543210.css\", "
	 "\"integrity\": \"sha512-REVG\"},\n"
	 "  \"favicon.ico\": {\"digested_path\": \"favicon.ico\", "
	 "\"integrity\": \"sha512-R0hJ\"}\n"
	 "}\n"},
	{{"--format", "phoenix", "--integrity", "sha512"},
	 "{\n"
	 "  \"version\": 1,\n"
	 "  \"latest\": {\n"
	 "    \"a b.js\": \"a b.0123456789ab.js\",\n"
	 "    \"css/\\u00e9.css\": \"css/\\u00e9.ba9876543210.css\"\n"
	 "  },\n"
	 "  \"digests\": {\n"
	 "    \"a b.0123456789ab.js\": {\"logical_path\": \"a b.js\", "
	 "\"mtime\": 63113904000, \"size\": 5, "
	 "\"digest\": \"0123456789abcdef0123456789abcdef\", "
	 "\"sha512\": \"QUJD\"},\n"
	 "    \"css/\\u00e9.ba9876543210.css\": {\"logical_path\": "
	 "\"css/\\u00e9.css\", \"mtime\": 63113904000, \"size\": 7, "
	 "\"digest\": \"ba9876543210ba9876543210ba987654\", "
	 "\"sha512\": \"REVG\"}\n"
	 "  }\n"
	 "}\n"},
	{{"--format", "importmap", "--integrity", "sha512"},
	 "{\n"
	 "  \"imports\": {\n"
	 "    \"/static/a%20b.js\": \"/static/a%20b.0123456789ab.js\"\n"
	 "  },\n"
	 "  \"integrity\": {\n"
	 "    \"/static/a%20b.0123456789ab.js\": \"sha512-QUJD\"\n"
	 "  }\n"
	 "}\n"},
	{{"--format", "importmap", "--key-prefix", "app/", "--url-prefix",
	  "/s/"},
	 "{\n"
	 "  \"imports\": {\n"
	 "    \"app/a b.js\": \"/s/a%20b.0123456789ab.js\"\n"
	 "  }\n"
	 "}\n"},
	{{"--format", "sri", "--integrity", "sha512"},
	 "{\n"
	 "  \"a b.js\": \"sha512-QUJD\",\n"
	 "  \"css/\\u00e9.css\": \"sha512-REVG\",\n"
	 "  \"favicon.ico\": \"sha512-R0hJ\"\n"
	 "}\n"},
};

static const char null[] = "a b.js\0a b.0123456789ab.js\0"
			   "css/\xc3\xa9.css\0css/\xc3\xa9.ba9876543210.css\0"
			   "favicon.ico\0favicon.ico";

static int set(const char *const *options, struct hf_document *ret, char **why)
{
	int error = 0;

	*why = NULL;
	for (; *options && error == 0; options += 2)
		error = hf_document_set(ret, options[0], options[1], why);
	return error < 0 ? error : hf_document_check(ret, why);
}

static int fill(void **state)
{
	static struct hf_manifest manifest;

	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++)
		assert_int_equal(hf_manifest_add(&manifest, &rows[i]), 0);
	hf_manifest_sort(&manifest);
	*state = &manifest;
	return 0;
}

static int empty(void **state)
{
	hf_manifest_fini(*state);
	return 0;
}

static void writes(void **state)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(wanted); i++) {
		struct hf_document document = {0};
		struct hf_buf text = {0};
		char *why;

		assert_int_equal(set(wanted[i].options, &document, &why), 0);
		assert_int_equal(
			hf_document_print(&document, *state, &text, &why), 0);
		assert_string_equal(text.data, wanted[i].text);
		hf_buf_fini(&text);
	}
}

static void writes_nuls(void **state)
{
	static const char *const options[] = {"--format", "null", NULL};
	struct hf_document document = {0};
	struct hf_buf text = {0};
	char *why;

	assert_int_equal(set(options, &document, &why), 0);
	assert_int_equal(hf_document_print(&document, *state, &text, &why), 0);
	assert_int_equal(text.len, sizeof(null));
	assert_memory_equal(text.data, null, sizeof(null));
	hf_buf_fini(&text);
}

/* An empty tree has a document in every format, too. */
static void writes_nothing(void **state)
{
	static const char *const flat[] = {"--format", "flat", NULL};
	static const char *const map[] = {"--format", "importmap",
					  "--integrity", "sha256", NULL};
	struct hf_manifest manifest = {0};
	struct hf_document document = {0};
	struct hf_buf text = {0};
	char *why;

	(void)state;
	assert_int_equal(set(flat, &document, &why), 0);
	assert_int_equal(hf_document_print(&document, &manifest, &text, &why),
			 0);
	assert_string_equal(text.data, "{}\n");
	hf_buf_reset(&text);
	assert_int_equal(set(map, &document, &why), 0);
	assert_int_equal(hf_document_print(&document, &manifest, &text, &why),
			 0);
	assert_string_equal(text.data, "{\n  \"imports\": {},\n"
				       "  \"integrity\": {}\n}\n");
	hf_buf_fini(&text);
}

static void asks_the_tree_for_its_url(void **state)
{
	static const char *const urls[] = {"--format", "urls", NULL};
	struct hf_manifest manifest = {0};
	struct hf_document document = {0};
	struct hf_buf text = {0};
	char *why;

	(void)state;
	assert_int_equal(hf_manifest_add(&manifest, &rows[2]), 0);
	manifest.static_url = strdup("/assets/");
	assert_int_equal(set(urls, &document, &why), 0);
	assert_true(hf_document_has_urls(&document));
	assert_int_equal(hf_document_print(&document, &manifest, &text, &why),
			 0);
	assert_string_equal(
		text.data,
		"{\n  \"favicon.ico\": \"/assets/favicon.ico\"\n}\n");
	hf_buf_fini(&text);
	hf_manifest_fini(&manifest);
}

/* Options, the sentence. */
static const struct wanted refused[] = {
	{{"--format", "yaml"},
	 "--format must be one of django, flat, urls, propshaft, phoenix, "
	 "importmap, sri, null"},
	{{"--integrity", "md5"},
	 "--integrity must be sha256, sha384 or sha512"},
	{{"--url-prefix", "/static/"},
	 "--url-prefix does not go with --format django, which has no place "
	 "for it"},
	{{"--format", "phoenix", "--key-prefix", "a"},
	 "--key-prefix does not go with --format phoenix, which has no place "
	 "for it"},
	{{"--format", "flat", "--integrity", "sha256"},
	 "--integrity does not go with --format flat, which has no place for "
	 "it"},
	{{"--format", "phoenix", "--integrity", "sha384"},
	 "--format phoenix goes with --integrity sha512 only"},
};

static void refuses_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(refused); i++) {
		struct hf_document document = {0};
		char *why;

		assert_int_equal(set(refused[i].options, &document, &why),
				 -EINVAL);
		assert_string_equal(why, refused[i].text);
		free(why);
	}
}

/* Only Python's readers take what Python's json makes of a stray byte. */
static void refuses_names(void **state)
{
	static const struct {
		const char *format;
		bool holds;
	} formats[] = {{"django", true},     {"null", true},
		       {"flat", false},      {"urls", false},
		       {"propshaft", false}, {"phoenix", false},
		       {"importmap", false}, {"sri", false}};
	struct hf_manifest manifest = {0};
	struct hf_manifest_row row = {.path = "a\xff", .name = "a.1\xff"};

	(void)state;
	assert_int_equal(hf_manifest_add(&manifest, &row), 0);
	for (size_t i = 0; i < HF_ARRAY_SIZE(formats); i++) {
		const char *const options[] = {"--format", formats[i].format,
					       NULL};
		struct hf_document document = {0};
		struct hf_buf text = {0};
		char *why = NULL;

		assert_int_equal(set(options, &document, &why), 0);
		assert_int_equal(
			hf_document_print(&document, &manifest, &text, &why),
			formats[i].holds ? 0 : -EILSEQ);
		assert_true(formats[i].holds ||
			    strstr(why, "the name a\\xff is not UTF-8"));
		hf_buf_fini(&text);
		free(why);
	}
	hf_manifest_fini(&manifest);
}

static void assert_same_rows(const struct hf_manifest *a,
			     const struct hf_manifest *b, bool integrity)
{
	size_t cursor = 0, i = 0;
	const struct hf_manifest_row *row;

	while ((row = hf_manifest_next(a, &cursor))) {
		assert_string_equal(row->path, b->rows[i].path);
		assert_string_equal(row->name, b->rows[i].name);
		assert_string_equal(integrity ? row->integrity : "",
				    b->rows[i].integrity);
		i++;
	}
	assert_int_equal(i, b->n);
}

static void reads_what_it_writes(void **state)
{
	static const char *const options[][7] = {
		{"--integrity", "sha512"},
		{"--format", "flat"},
		{"--format", "flat", "--key-prefix", "k/", "--url-prefix",
		 "//u/"},
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(options); i++) {
		struct hf_document document = {0};
		struct hf_manifest again = {0};
		struct hf_buf text = {0};
		char *why;

		assert_int_equal(set(options[i], &document, &why), 0);
		assert_int_equal(
			hf_document_print(&document, *state, &text, &why), 0);
		assert_int_equal(hf_document_parse(&document, text.data,
						   text.len, "m", &again, &why),
				 0);
		hf_manifest_sort(&again);
		assert_same_rows(*state, &again, i == 0);
		hf_manifest_fini(&again);
		hf_buf_fini(&text);
	}
}

/* Format, a text, what is said of it. */
static const char *const unreadable[][3] = {
	{"flat", "[]", "m is not a flat manifest: it is no object"},
	{"flat", "{\"a\": {}}",
	 "m: the manifest holds something that is not a name; write the "
	 "manifest anew"},
	{"flat", "{\"a\": \"\"}",
	 "m: the manifest holds something that is not a name; write the "
	 "manifest anew"},
	{"flat", "{\"a\": \"b\", \"a\": \"c\"}",
	 "m is not JSON: line 1: duplicate object key near '\"a\"'"},
	{"django",
	 "{\"paths\": {\"a\": \"b\"}, \"version\": \"1.1\", \"integrity\": []}",
	 "m: \"integrity\" is no object"},
	{"django",
	 "{\"paths\": {\"a\": \"b\"}, \"version\": \"1.1\", "
	 "\"integrity\": {\"a\": \"sha384-\"}}",
	 "m: \"integrity\" holds something else than integrity values; write "
	 "the manifest anew"},
	{"django",
	 "{\"paths\": {\"a\": \"b\"}, \"version\": \"1.1\", "
	 "\"integrity\": {\"a\": \"sha999-QUJD\"}}",
	 "m: \"integrity\" holds something else than integrity values; write "
	 "the manifest anew"},
	{"urls", "{}",
	 "--format urls is written only; django and flat are read"},
};

static void refuses_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(unreadable); i++) {
		const char *const options[] = {"--format", unreadable[i][0],
					       NULL};
		struct hf_document document = {0};
		struct hf_manifest manifest = {0};
		char *why;

		assert_int_equal(set(options, &document, &why), 0);
		assert_true(hf_document_parse(&document, unreadable[i][1],
					      strlen(unreadable[i][1]), "m",
					      &manifest, &why) < 0);
		assert_string_equal(why, unreadable[i][2]);
		free(why);
		hf_manifest_fini(&manifest);
	}
}

static void help_is_80_columns_wide(void **state)
{
	struct hf_buf text = {0};
	char *line, *rest;

	(void)state;
	hf_formats_help(&text);
	assert_non_null(strstr(text.data, "\n  django     "));
	assert_non_null(strstr(text.data, "\n  null       "));
	for (rest = text.data; (line = strsep(&rest, "\n"));)
		assert_in_range(strlen(line), 0, 80);
	hf_buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(writes_nuls),
		cmocka_unit_test(writes_nothing),
		cmocka_unit_test(asks_the_tree_for_its_url),
		cmocka_unit_test(refuses_options),
		cmocka_unit_test(refuses_names),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(refuses_texts),
		cmocka_unit_test(help_is_80_columns_wide),
	};

	return cmocka_run_group_tests(tests, fill, empty);
}
