/*
 * fs/refs/ignored.c: comments, strings and escapes, from 6.1. The start of a
 * match decides, and 6.1's idea of a string, not that of CSS or JavaScript.
 */
#include "test_refs_scene.h"

#define URL "url(../img/a.png)"
#define NEW "url(\"../img/a.H.png\")"

static void up_to_6_0_comments_and_strings_are_text(void **state)
{
	(void)state;
	css(UP_TO_6_0, "/* " URL " */", "/* " NEW " */");
	css(UP_TO_6_0, "a{content:' " URL " '}", "a{content:' " NEW " '}");
	css_missing(UP_TO_6_0, "/* url(nope.png) */", "css/nope.png");
}

static void comments_are_left_alone(void **state)
{
	(void)state;
	css(ONLY_6_1, "/* " URL " */", "/* " URL " */");
	css(ONLY_6_1, "/* url(nope.png) */", "/* url(nope.png) */");
	css(ONLY_6_1, "/* @import 'nope.css' */" URL,
	    "/* @import 'nope.css' */" NEW);
	css(ONLY_6_1, "/*\n" URL "\n*/", "/*\n" URL "\n*/");
	css(ONLY_6_1, "/* it's */" URL "/* it's */",
	    "/* it's */" NEW "/* it's */");
	css(ONLY_6_1, "/**/" URL, "/**/" NEW);
	css(ONLY_6_1, "/***/" URL, "/***/" NEW);
	css(ONLY_6_1, "/*\\*/" URL, "/*\\*/" NEW);
	css(ONLY_6_1, "/*/ " URL " */", "/*/ " URL " */");
}

static void comment_without_an_end_is_none(void **state)
{
	(void)state;
	css(ONLY_6_1, "/* " URL, "/* " NEW);
	css(ONLY_6_1, "/*/" URL, "/*/" NEW);
}

static void strings_are_left_alone(void **state)
{
	(void)state;
	css(ONLY_6_1, "a{content:\" url(nope.png) \"}",
	    "a{content:\" url(nope.png) \"}");
	css(ONLY_6_1, "b:'} " URL " '}", "b:'} " URL " '}");
	css(ONLY_6_1, "\"\\\" " URL "\"", "\"\\\" " URL "\"");
	css(ONLY_6_1, "\"a\\\n" URL "\"", "\"a\\\n" URL "\"");
	/* No comment begins in a string. */
	css(ONLY_6_1, "\"/*\"" URL "\"*/\"", "\"/*\"" NEW "\"*/\"");
}

static void newline_makes_it_no_string(void **state)
{
	(void)state;
	css(ONLY_6_1, "\"a\n " URL "\"", "\"a\n " NEW "\"");
}

static void escapes_are_left_alone(void **state)
{
	(void)state;
	css(ONLY_6_1, "\\" URL, "\\" URL);
	css(ONLY_6_1, "\\\"" URL "\"", "\\\"" NEW "\"");
	css(ONLY_6_1, "\\\\" URL, "\\\\" NEW);
}

static void apostrophe_in_a_url_begins_a_string(void **state)
{
	(void)state;
	css(ONLY_6_1, "url(../img/it's.png)" URL "'" URL,
	    "url(\"../img/it's.H.png\")" URL "'" NEW);
}

static void only_the_start_of_a_match_counts(void **state)
{
	(void)state;
	/* The comment ends inside of the match, which is skipped whole. */
	css(ONLY_6_1, "/* url( */ a{b:url(../img/a.png)}",
	    "/* url( */ a{b:url(../img/a.png)}");
	css(ONLY_6_1, "url(data:x/*y)" URL "*/", "url(data:x/*y)" URL "*/");
}

static void match_right_behind_a_region_counts(void **state)
{
	(void)state;
	css(ONLY_6_1, "/* x */" URL, "/* x */" NEW);
	css(ONLY_6_1, "/*# sourceMappingURL=a.css.map*/",
	    "/*# sourceMappingURL=a.css.H.map */");
}

static void scripts_have_line_comments(void **state)
{
	(void)state;
	js(ONLY_6_1, "/*\n//# sourceMappingURL=nope.map\n*/",
	   "/*\n//# sourceMappingURL=nope.map\n*/");
	js(ONLY_6_1, "// `\n//# sourceMappingURL=a.js.map\n// `",
	   "// `\n//# sourceMappingURL=a.js.H.map\n// `");
	/* Not style sheets. */
	css(ONLY_6_1, "// " URL, "// " NEW);
}

static void scripts_have_template_literals(void **state)
{
	(void)state;
	js(ONLY_6_1, "`\n//# sourceMappingURL=nope.map\n`",
	   "`\n//# sourceMappingURL=nope.map\n`");
	js_missing(UP_TO_6_0, "`\n//# sourceMappingURL=nope.map\n`",
		   "js/nope.map");
	js(ONLY_6_1, "`\\`\n//# sourceMappingURL=nope.map\n`",
	   "`\\`\n//# sourceMappingURL=nope.map\n`");
	/* One without an end is none. */
	js_missing(ONLY_6_1, "`\n//# sourceMappingURL=nope.map\n",
		   "js/nope.map");
	/* Nor do style sheets have them. */
	css(ONLY_6_1, "`" URL "`", "`" NEW "`");
}

static void regions_begin_anywhere(void **state)
{
	static const char *const regions[] = {
		"/*" URL "*/",
		"' " URL "'",
		"\" " URL "\"",
		"\\" URL,
	};
	char text[100];
	char expected[100];

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(regions); i++) {
		snprintf(text, sizeof(text), "%s" URL, regions[i]);
		snprintf(expected, sizeof(expected), "%s" NEW, regions[i]);
		anywhere("css/a.css", text, expected);
	}
	anywhere("js/a.js", "`import './m.js'`import './m.js'",
		 "`import './m.js'`import\"./m.H.js\"");
}

static void regions_of_several_lines_are_left_alone(void **state)
{
	static const char *const regions[] = {
		"/*\n//# sourceMappingURL=nope.map\n*/",
		"`\n//# sourceMappingURL=nope.map\n`",
		"'\\\n//# sourceMappingURL=nope.map'",
		"\"\\\n//# sourceMappingURL=nope.map\"",
	};
	char text[100];
	char expected[100];

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(regions); i++) {
		js(ONLY_6_1, regions[i], regions[i]);
		snprintf(text, sizeof(text), "%s\n%s", regions[i],
			 "//# sourceMappingURL=a.js.map");
		snprintf(expected, sizeof(expected), "%s\n%s", regions[i],
			 "//# sourceMappingURL=a.js.H.map");
		js(ONLY_6_1, text, expected);
	}
}

static void regular_expressions_are_not_known(void **state)
{
	(void)state;
	js(ONLY_6_1, "b=/[`]/\n//# sourceMappingURL=a.js.map\nc=/[`]/",
	   "b=/[`]/\n//# sourceMappingURL=a.js.map\nc=/[`]/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_to_6_0_comments_and_strings_are_text),
		cmocka_unit_test(comments_are_left_alone),
		cmocka_unit_test(comment_without_an_end_is_none),
		cmocka_unit_test(strings_are_left_alone),
		cmocka_unit_test(newline_makes_it_no_string),
		cmocka_unit_test(escapes_are_left_alone),
		cmocka_unit_test(apostrophe_in_a_url_begins_a_string),
		cmocka_unit_test(only_the_start_of_a_match_counts),
		cmocka_unit_test(match_right_behind_a_region_counts),
		cmocka_unit_test(scripts_have_line_comments),
		cmocka_unit_test(scripts_have_template_literals),
		cmocka_unit_test(regions_begin_anywhere),
		cmocka_unit_test(regions_of_several_lines_are_left_alone),
		cmocka_unit_test(regular_expressions_are_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
