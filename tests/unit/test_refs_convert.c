/*
 * fs/refs/convert.c, fs/refs/target.c: one reference, step by step, as
 * HashedFilesMixin.url_converter takes them.
 */
#include "test_refs_scene.h"

/* In css/a.css, `url` stands in url() and becomes `expected`. */
static void url_in(enum hf_refs_profile first, enum hf_refs_profile last,
		   const char *url, const char *expected)
{
	struct hf_buf text = {0};
	struct hf_buf ret = {0};

	hf_buf_printf(&text, "url(\"%s\")", url);
	hf_buf_printf(&ret, "url(\"%s\")", expected);
	css(first, last, text.data, ret.data);
	hf_buf_fini(&text);
	hf_buf_fini(&ret);
}

static void url(const char *text, const char *expected)
{
	url_in(ALL, text, expected);
}

static void kept(const char *text)
{
	css(ALL, text, text);
}

static void missing(const char *text, const char *path)
{
	struct hf_buf buf = {0};

	hf_buf_printf(&buf, "url(%s)", text);
	css_missing(ALL, buf.data, path);
	hf_buf_fini(&buf);
}

static void outside(const char *static_url, const char *file, const char *text,
		    const char *path)
{
	expect_report(file, static_url, ALL, text, HF_TARGET_OUTSIDE, path);
}

/* --- 1, 2: what is foreign ----------------------------------------------- */

static void schemes_in_lower_case_are_kept(void **state)
{
	(void)state;
	kept("url(http://x)");
	kept("url(about:blank)");
	kept("url('data:image/png;base64,AA')");
	kept("@import 'http://x/y.css'");
}

static void other_schemes_are_paths(void **state)
{
	(void)state;
	missing("HTTP://x/y.png", "css/HTTP:/x/y.png");
	missing("x-foo:bar", "css/x-foo:bar");
}

static void other_hosts_are_kept(void **state)
{
	(void)state;
	kept("url(//cdn/x.png)");
	kept("@import \"//cdn/x.css\"");
}

static void absolute_urls_must_begin_with_static_url(void **state)
{
	(void)state;
	kept("url( /other/x )");
	kept("url(/static)");
	url("/static/img/a.png", "/static/img/a.H.png");
	url("/static/", "/static/");
}

static void static_url_may_be_the_root(void **state)
{
	const char *host = "url(//cdn/x.png)";

	(void)state;
	expect_in("css/a.css", "/", ALL, "url(/img/a.png)",
		  "url(\"/img/a.H.png\")");
	/* Up to 5.0 a host was a path under it. */
	expect_report("css/a.css", "/", ONLY_4_2, host, HF_TARGET_OUTSIDE,
		      "/cdn/x.png");
	expect_in("css/a.css", "/", FROM_5_2, host, host);
}

static void static_url_may_be_a_host(void **state)
{
	const char *cdn = "https://cdn/s/";

	(void)state;
	expect_in("css/a.css", cdn, ALL, "url(https://cdn/s/img/a.png)",
		  "url(https://cdn/s/img/a.png)");
	expect_in("css/a.css", cdn, ALL, "url(/img/a.png)", "url(/img/a.png)");
	expect_in("css/a.css", cdn, ALL, "url(../img/a.png)",
		  "url(\"../img/a.H.png\")");
}

static void static_url_is_unquoted_in_the_text(void **state)
{
	(void)state;
	expect_in("css/a.css", "/st%20x/", ALL, "url(/st%20x/img/a.png)",
		  "url(\"/st x/img/a.H.png\")");
}

/* --- 3: the fragment ----------------------------------------------------- */

static void urls_without_a_path_are_kept(void **state)
{
	(void)state;
	kept("url()");
	kept("url(#f)");
	kept("url(   )");
	kept("@import \"\"");
}

static void fragment_is_put_back(void **state)
{
	(void)state;
	url("../img/a.png#f", "../img/a.H.png#f");
	url("../img/a.png#", "../img/a.H.png");
	url("../img/a.png#x/y", "../img/a.H.png#x/y");
	url("../img/a.png#a%20b", "../img/a.H.png#a b");
	url("../img/m.eot?#iefix", "../img/m.H.eot?#iefix");
}

static void semicolon_before_the_fragment_goes(void **state)
{
	(void)state;
	url("../img/a.png;#f", "../img/a.H.png#f");
	missing("../img/a.png;", "img/a.png;");
	url("../img/a;b.png", "../img/a;b.H.png");
}

/* --- 4: the target ------------------------------------------------------- */

static void target_is_relative_to_the_file(void **state)
{
	(void)state;
	expect_in("a.css", "/static/", ALL, "url(img/a.png)",
		  "url(\"img/a.H.png\")");
	expect_in("a/b/c.css", "/static/", ALL, "url(../../img/a.png)",
		  "url(\"../../img/a.H.png\")");
	expect_in("a.css", "/static/", ALL, "url(css/b.css)",
		  "url(\"css/b.H.css\")");
}

static void escapes_are_decoded(void **state)
{
	(void)state;
	url("../img/b%20c.png", "../img/b c.H.png");
	url("../img/b c.png", "../img/b c.H.png");
	url("../img/%C3%A9.png", "../img/\xc3\xa9.H.png");
	url("../img/\xc3\xa9.png", "../img/\xc3\xa9.H.png");
	url("../img/p%25d.png", "../img/p%d.H.png");
	url("../img/p+q.png", "../img/p+q.H.png");
	url("%2e%2e/img/a.png", "../img/a.H.png");
	url("../a%20b/c.png", "../a b/c.H.png");
	missing("../img/%ff.png", "img/\xef\xbf\xbd.png");
	missing("../img/b%23c.png", "img/b");
}

/* The new last component replaces that of what was written. */
static void escaped_slash_gets_the_wrong_directory(void **state)
{
	(void)state;
	url("../img%2Fa.png", "../a.H.png");
}

static void control_before_an_absolute_path(void **state)
{
	(void)state;
	/* urldefrag strips it: what was relative is absolute now. */
	js(ALL, "//# sourceMappingURL= /static/js/a.js.map#x\n",
	   "//# sourceMappingURL=/static/js/a.js.H.map#x\n");
	js_missing(ALL, "//# sourceMappingURL= /js/a.js.map#x\n", "");
}

/* --- 5: the question ----------------------------------------------------- */

static void directories_are_not_hashed(void **state)
{
	(void)state;
	url("../img/", "../img/");
	url("../nope/", "../nope/");
	url("../img", "../img");
	url("..", "");
	url("../img/a.png/* x */", "../img/a.png/* x */");
}

static void path_is_normalised_for_the_question_only(void **state)
{
	(void)state;
	url("./../img/./a.png", "./../img/./a.H.png");
	url("../css/../img/a.png", "../css/../img/a.H.png");
	url("nope/../../img/a.png", "nope/../../img/a.H.png");
	url("..//img//a.png", "..//img//a.H.png");
}

static void query_is_part_of_the_question(void **state)
{
	(void)state;
	url("../img/a.png?v=1", "../img/a.H.png?v=1");
	url("../img/a.png?v=1#f", "../img/a.H.png?v=1#f");
	url("../img/a.png%3Fv", "../img/a.H.png?v");
	missing("../img/a.png?x/../y", "img/y");
	/* Its last component is taken for the file. */
	url("../img/a.png?u=/x/y", "../img/a.png?u=/x/y");
}

/* The name ends up before the last slash; so the text does not depend on it. */
static void fragment_with_a_slash_hides_the_name(void **state)
{
	(void)state;
	url("../img/a.png%23x", "../img/a.H.png#x");
	url("../img/a.png%23x/y", "../img/a.png#x/y");
	url("../img/a.png%23x%252Fy", "../img/y");
	url("../img/a.png#x/y", "../img/a.H.png#x/y");
}

static void outside_of_the_root(void **state)
{
	(void)state;
	outside("/static/", "css/a.css", "url(../../x.png)", "../x.png");
	outside("/static/", "css/a.css", "url(..%2f..%2fetc/passwd)",
		"../etc/passwd");
	outside("/static/", "a.css", "url(../x.png)", "../x.png");
	outside("/static/", "css/a.css", "url(/static//img/a.png)",
		"/img/a.png");
	outside("/static/", "css/a.css", "url(/static/../img/a.png)",
		"../img/a.png");
	url("/static/css/../img/a.png", "/static/css/../img/a.H.png");
}

static void missing_files_stay_as_written(void **state)
{
	(void)state;
	missing("nope.png", "css/nope.png");
	missing("../img/A.png", "img/A.png");
	missing("..\\img\\a.png", "css/..\\img\\a.png");
	missing("'../img/a\\70ng'", "img/a\\70ng");
}

static void brackets_without_partner_lead_nowhere(void **state)
{
	(void)state;
	missing("/static///[x", "");
}

/* Python's strings hold U+0000; no file's name does. */
static void null_character(void **state)
{
	struct scene scene = {
		.static_url = "/static/",
		.file = "css/a.css",
		.unknown = HF_TARGET_MISSING,
	};
	const char text[] = "url(../img/a.png?\0x)url(../\0/)url(../img/\0)";
	const char expected[] = "url(\"../img/a.H.png?\0x\")url(\"../\0/\")"
				"url(../img/\0)";
	struct hf_buf ret = {0};

	(void)state;
	assert_int_equal(
		scene_rewrite(&scene, LAST, text, sizeof(text) - 1, &ret), 0);
	assert_int_equal(ret.len, sizeof(expected) - 1);
	assert_memory_equal(ret.data, expected, ret.len);
	assert_int_equal(scene.n_reports, 1);
	assert_string_equal(scene.path, "img/\xc0\x80");
	hf_buf_fini(&ret);
	url("../img/a.png#%41", "../img/a.H.png#A");
}

/* --- 6, 7, 8: the new text ----------------------------------------------- */

static void only_the_last_component_changes(void **state)
{
	(void)state;
	url("../img/a.png?", "../img/a.H.png?");
	url("?x", "?x");
}

static void escaped_fragment_is_a_fragment_of_the_target(void **state)
{
	(void)state;
	url("../img/a.png%23x", "../img/a.H.png#x");
	url("../img/a.png%23x/y", "../img/a.png#x/y");
	url("../img/a.png%3f%23x", "../img/a.H.png?#x");
}

static void result_is_unquoted_once_more(void **state)
{
	(void)state;
	url("../img/./%2e/a.png", "../img/././a.H.png");
	url("../%69mg/a.png#%2520", "../img/a.H.png#%20");
	/* A quote in the result is not escaped. */
	css(ALL, "url(../img/a.png#%22)", "url(\"../img/a.H.png#\"\")");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schemes_in_lower_case_are_kept),
		cmocka_unit_test(other_schemes_are_paths),
		cmocka_unit_test(other_hosts_are_kept),
		cmocka_unit_test(absolute_urls_must_begin_with_static_url),
		cmocka_unit_test(static_url_may_be_the_root),
		cmocka_unit_test(static_url_may_be_a_host),
		cmocka_unit_test(static_url_is_unquoted_in_the_text),
		cmocka_unit_test(urls_without_a_path_are_kept),
		cmocka_unit_test(fragment_is_put_back),
		cmocka_unit_test(semicolon_before_the_fragment_goes),
		cmocka_unit_test(target_is_relative_to_the_file),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(escaped_slash_gets_the_wrong_directory),
		cmocka_unit_test(control_before_an_absolute_path),
		cmocka_unit_test(directories_are_not_hashed),
		cmocka_unit_test(path_is_normalised_for_the_question_only),
		cmocka_unit_test(query_is_part_of_the_question),
		cmocka_unit_test(fragment_with_a_slash_hides_the_name),
		cmocka_unit_test(outside_of_the_root),
		cmocka_unit_test(missing_files_stay_as_written),
		cmocka_unit_test(brackets_without_partner_lead_nowhere),
		cmocka_unit_test(null_character),
		cmocka_unit_test(only_the_last_component_changes),
		cmocka_unit_test(escaped_fragment_is_a_fragment_of_the_target),
		cmocka_unit_test(result_is_unquoted_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
