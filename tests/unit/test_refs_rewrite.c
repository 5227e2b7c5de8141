/*
 * fs/refs: the door. Profiles, which files, answers, reports, errors.
 */
#include <errno.h>

#include "test_refs_scene.h"

static struct scene scene_of(const char *file)
{
	return (struct scene){
		.static_url = "/static/",
		.file = file,
		.unknown = HF_TARGET_MISSING,
	};
}

static void profiles_have_names(void **state)
{
	enum hf_refs_profile profile = HF_REFS_NONE;

	(void)state;
	assert_int_equal(hf_refs_profile_parse("django-4.2", &profile), 0);
	assert_int_equal(profile, HF_REFS_DJANGO_4_2);
	assert_int_equal(hf_refs_profile_parse("django-5.2", &profile), 0);
	assert_int_equal(profile, HF_REFS_DJANGO_5_2);
	assert_int_equal(hf_refs_profile_parse("django-6.0", &profile), 0);
	assert_int_equal(profile, HF_REFS_DJANGO_6_0);
	assert_int_equal(hf_refs_profile_parse("django-6.1", &profile), 0);
	assert_int_equal(profile, HF_REFS_DJANGO_6_1);
	assert_int_equal(hf_refs_profile_parse("none", &profile), 0);
	assert_int_equal(profile, HF_REFS_NONE);
	assert_int_equal(hf_refs_profile_parse("django-7", &profile), -EINVAL);
	assert_int_equal(hf_refs_profile_parse("", &profile), -EINVAL);
}

static void css_and_js_are_rewritten(void **state)
{
	struct hf_refs_config config = {.profile = HF_REFS_DJANGO_6_1};

	(void)state;
	assert_true(hf_refs_applies(&config, "a/b.css"));
	assert_true(hf_refs_applies(&config, "a/b.js"));
	assert_true(hf_refs_applies(&config, ".css"));
	assert_false(hf_refs_applies(&config, "a.CSS"));
	assert_false(hf_refs_applies(&config, "a.mjs"));
	assert_false(hf_refs_applies(&config, "a.css.map"));
	assert_false(hf_refs_applies(&config, "css"));
	config.profile = HF_REFS_NONE;
	assert_false(hf_refs_applies(&config, "a/b.css"));
}

static void other_files_come_out_as_they_are(void **state)
{
	(void)state;
	expect_in("a.svg", "/static/", ALL, "url(img/a.png)\xff",
		  "url(img/a.png)\xff");
	expect_in("a.css", "/static/", HF_REFS_NONE, HF_REFS_NONE,
		  "url(img/a.png)\xff", "url(img/a.png)\xff");
}

static void text_must_be_utf8(void **state)
{
	static const char *const bad[] = {
		"\xff",         "a\xc0\x80",        "\xed\xa0\x80",
		"12345678\xe9", "\xf4\x90\x80\x80", "12345678\xe2\x82",
	};
	struct scene scene = scene_of("css/a.css");
	struct hf_buf ret = {0};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++)
		assert_int_equal(scene_rewrite(&scene, LAST, bad[i],
					       strlen(bad[i]), &ret),
				 -EILSEQ);
	assert_int_equal(ret.len, 0);
	hf_buf_fini(&ret);
}

static void text_must_be_utf8_everywhere(void **state)
{
	struct scene scene = scene_of("css/a.css");
	struct hf_buf ret = {0};
	char text[200];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		memset(text, 'a', sizeof(text));
		memcpy(text + i, "\xc3\xa9", 2);
		assert_int_equal(
			scene_rewrite(&scene, LAST, text, sizeof(text), &ret),
			0);
		text[i] = 'a';
		assert_int_equal(
			scene_rewrite(&scene, LAST, text, sizeof(text), &ret),
			-EILSEQ);
	}
	hf_buf_fini(&ret);
}

static void result_is_appended(void **state)
{
	struct scene scene = scene_of("css/a.css");
	struct hf_buf ret = {0};

	(void)state;
	hf_buf_puts(&ret, "before ");
	assert_int_equal(scene_rewrite(&scene, LAST, "url(b.css)x", 10, &ret),
			 0);
	hf_buf_putc(&ret, '\0');
	assert_string_equal(ret.data, "before url(\"b.H.css\")");
	hf_buf_fini(&ret);
}

static void error_of_resolve_ends_the_rewriting(void **state)
{
	/* Also those that mean something in between. */
	static const int errors[] = {-EIO, -EINVAL, -ENOMEM, -EINTR};
	struct scene scene = scene_of("css/a.css");
	struct hf_buf ret = {0};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(errors); i++) {
		scene.error = errors[i];
		assert_int_equal(
			scene_rewrite(&scene, LAST, "url(b.css)", 10, &ret),
			errors[i]);
	}
	assert_int_equal(ret.len, 0);
	hf_buf_fini(&ret);
}

/* An unknown target is no reason to delete a comment. */
static void stay_is_as_written_and_not_reported(void **state)
{
	static const char text[] = "url( 'nope.png')\n@import 'nope.css'\n"
				   "/*# sourceMappingURL=nope.map*/\n"
				   "url(../img/a.png)";
	static const char expected[] = "url( 'nope.png')\n@import 'nope.css'\n"
				       "/*# sourceMappingURL=nope.map*/\n"
				       "url(\"../img/a.H.png\")";

	(void)state;
	for (enum hf_refs_profile p = FIRST; p <= LAST; p++) {
		struct scene scene = scene_of("css/a.css");
		struct hf_buf ret = {0};

		scene.unknown = HF_TARGET_STAY;
		assert_int_equal(
			scene_rewrite(&scene, p, text, strlen(text), &ret), 0);
		hf_buf_putc(&ret, '\0');
		assert_string_equal(ret.data, expected);
		assert_int_equal(scene.n_reports, 0);
		hf_buf_fini(&ret);
	}
}

static void nobody_needs_to_want_reports(void **state)
{
	struct scene scene = scene_of("css/a.css");
	struct hf_refs_config config = {
		.profile = LAST,
		.static_url = "/static/",
	};
	struct hf_refs_caller caller = {
		.arg = &scene,
		.resolve = scene_resolve,
	};
	struct hf_buf ret = {0};

	(void)state;
	assert_int_equal(
		hf_refs_rewrite(&config, "a.css", "url(x)", 6, &caller, &ret),
		0);
	assert_memory_equal(ret.data, "url(x)", 6);
	hf_buf_fini(&ret);
}

/* --- where --------------------------------------------------------------- */

static void assert_place_in(enum hf_refs_profile profile, const char *text,
			    const char *url, size_t line, size_t column)
{
	struct scene scene = scene_of("css/a.css");
	struct hf_buf ret = {0};

	assert_int_equal(
		scene_rewrite(&scene, profile, text, strlen(text), &ret), 0);
	hf_buf_fini(&ret);
	assert_string_equal(scene.url, url);
	assert_int_equal(scene.line, line);
	assert_int_equal(scene.column, column);
}

static void assert_place(const char *text, const char *url, size_t line,
			 size_t column)
{
	assert_place_in(LAST, text, url, line, column);
}

static void report_says_where_the_url_is(void **state)
{
	(void)state;
	assert_place("url(nope.png)", "nope.png", 1, 5);
	assert_place("a\r\n\n  url( 'nope.png' )", "'nope.png' ", 3, 8);
	/* Columns count characters. */
	assert_place("\xc3\xa9\xf0\x9f\x98\x80 url(nope.png)", "nope.png", 1,
		     8);
	assert_place("url(1)url(2)\nurl(nope.png)", "nope.png", 2, 5);
}

static void place_is_that_in_the_original_text(void **state)
{
	(void)state;
	/* The first pattern has made the text longer before it. */
	assert_place("url(b.css) @import 'nope.css'", "nope.css", 1, 21);
	assert_place("url(b.css)\nurl(b.css) @import 'nope.css'", "nope.css", 2,
		     21);
	assert_place("url(b.css) @import 'b.css' url(b.css)\n"
		     "/*# sourceMappingURL=nope.map*/",
		     "nope.map", 2, 22);
}

/* What a pattern replaced is one place to the patterns after it. */
static void place_in_replaced_text_is_where_that_began(void **state)
{
	(void)state;
	assert_place_in(HF_REFS_DJANGO_6_0,
			"abc\nabc URL(../img/a.png#@import%20%22nope)", "nope",
			2, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_have_names),
		cmocka_unit_test(css_and_js_are_rewritten),
		cmocka_unit_test(other_files_come_out_as_they_are),
		cmocka_unit_test(text_must_be_utf8),
		cmocka_unit_test(text_must_be_utf8_everywhere),
		cmocka_unit_test(result_is_appended),
		cmocka_unit_test(error_of_resolve_ends_the_rewriting),
		cmocka_unit_test(stay_is_as_written_and_not_reported),
		cmocka_unit_test(nobody_needs_to_want_reports),
		cmocka_unit_test(report_says_where_the_url_is),
		cmocka_unit_test(place_is_that_in_the_original_text),
		cmocka_unit_test(place_in_replaced_text_is_where_that_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
