/*
 * fs/refs/css.c: what the three patterns for style sheets match.
 */
#include "test_refs_scene.h"

/* --- url() --------------------------------------------------------------- */

static void quoting_and_case_are_written_anew(void **state)
{
	(void)state;
	css(ALL, "url(../img/a.png)", "url(\"../img/a.H.png\")");
	css(ALL, "url('../img/a.png')", "url(\"../img/a.H.png\")");
	css(ALL, "url(\"../img/a.png\")", "url(\"../img/a.H.png\")");
	css(ALL, "URL('../img/a.png')", "url(\"../img/a.H.png\")");
	css(ALL, "a{b:url(../img/a.png) no-repeat}",
	    "a{b:url(\"../img/a.H.png\") no-repeat}");
}

static void no_word_boundary_is_needed(void **state)
{
	(void)state;
	css(ALL, "myurl(../img/a.png)", "myurl(\"../img/a.H.png\")");
	css(ALL, "urlurl(../img/a.png)", "urlurl(\"../img/a.H.png\")");
}

static void other_functions_are_not_matched(void **state)
{
	(void)state;
	css(ALL, "image-set(\"../img/a.png\" 1x)",
	    "image-set(\"../img/a.png\" 1x)");
	css(ALL, "src(\"../img/a.png\")", "src(\"../img/a.png\")");
	css(ALL, "url (../img/a.png)", "url (../img/a.png)");
	css(ALL, "url/**/(../img/a.png)", "url/**/(../img/a.png)");
}

static void blanks_before_the_url_go(void **state)
{
	(void)state;
	css(ALL, "url( ../img/a.png)", "url(\"../img/a.H.png\")");
	css(ALL, "url(\"  ../img/a.png\")", "url(\"../img/a.H.png\")");
	css(ALL, "url(\n../img/a.png)", "url(\"../img/a.H.png\")");
	css(ALL, "url(\"\n../img/a.png\")", "url(\"../img/a.H.png\")");
}

static void blanks_behind_the_url_are_part_of_it(void **state)
{
	(void)state;
	css(ALL, "url( ../img/a.png )", "url(\"../img/a.H.png\")");
	css(ALL, "url(../img/a.png\xc2\xa0)", "url(\"../img/a.H.png\")");
}

static void blanks_are_those_of_python(void **state)
{
	(void)state;
	css(ALL, "url(\xc2\xa0../img/a.png)", "url(\"../img/a.H.png\")");
	css(ALL, "url(\x1c../img/a.png)", "url(\"../img/a.H.png\")");
	css(ALL, "url(\xc2\x85../img/a.png)", "url(\"../img/a.H.png\")");
	css(ALL, "url(\v\f../img/a.png)", "url(\"../img/a.H.png\")");
	/* U+180E is none. */
	css_missing(ALL, "url(\xe1\xa0\x8e../img/a.png)",
		    "css/\xe1\xa0\x8e../img/a.png");
	/* U+2028 may be in a name. */
	css(ALL, "url(../img/\xe2\x80\xa8.png)",
	    "url(\"../img/\xe2\x80\xa8.H.png\")");
}

static void newline_behind_the_url_is_no_match(void **state)
{
	(void)state;
	css(ALL, "url(../img/a.png\n)", "url(../img/a.png\n)");
	css(ALL, "url(\"../img/a.png\n\")", "url(\"../img/a.png\n\")");
}

static void unterminated_is_no_match(void **state)
{
	(void)state;
	css(ALL, "url(", "url(");
	css(ALL, "url('", "url('");
	css(ALL, "url(../img/a.png", "url(../img/a.png");
	css(ALL, "url(x\nurl(../img/a.png)", "url(x\nurl(\"../img/a.H.png\")");
}

static void quote_behind_a_blank_is_part_of_the_url(void **state)
{
	(void)state;
	css_missing(UP_TO_5_2, "url( \"../img/a.png\" )",
		    "css/\"../img/a.png\" ");
	css_missing(FROM_6_0, "url( \"../img/a.png\" )",
		    "css/\"../img/a.png\" ");
	/* Up to 5.2 the last one is taken for the closing quote. */
	css_missing(UP_TO_5_2, "url( \"../img/a.png\")", "css/\"../img/a.png");
	css_missing(FROM_6_0, "url( \"../img/a.png\")", "css/\"../img/a.png\"");
}

static void quotes_need_not_match_up_to_5_2(void **state)
{
	(void)state;
	css(UP_TO_5_2, "url(\"../img/a.png')", "url(\"../img/a.H.png\")");
	css(UP_TO_5_2, "url(../img/a.png')", "url(\"../img/a.H.png\")");
	css_missing(FROM_6_0, "url(\"../img/a.png')", "css/\"../img/a.png'");
	css_missing(FROM_6_0, "url(../img/a.png')", "img/a.png'");
}

static void parenthesis_in_quotes_ends_the_url_up_to_5_2(void **state)
{
	(void)state;
	css_missing(UP_TO_5_2, "url(\"../img/x(1).png\")", "img/x(1");
	css(FROM_6_0, "url(\"../img/x(1).png\")", "url(\"../img/x(1).H.png\")");
	css_missing(ALL, "url(../img/x\\(1\\).png)", "img/x\\(1\\");
}

static void lone_quote(void **state)
{
	(void)state;
	css(UP_TO_5_2, "url(\")", "url(\")");
	css_missing(FROM_6_0, "url(\")", "css/\"");
}

static void apostrophe_in_the_url(void **state)
{
	(void)state;
	css(ALL, "url(../img/it's.png)", "url(\"../img/it's.H.png\")");
}

/* --- @import ------------------------------------------------------------- */

static void import_becomes_url(void **state)
{
	(void)state;
	css(ALL, "@import \"b.css\" screen;",
	    "@import url(\"b.H.css\") screen;");
	css(ALL, "@IMPORT'b.css'", "@import url(\"b.H.css\")");
	css(ALL, "@import  \"  b.css\";", "@import url(\"b.H.css\");");
	css(ALL, "@import\n\"b.css\";", "@import url(\"b.H.css\");");
	/* Either quote ends it. */
	css(ALL, "@import \"b.css';", "@import url(\"b.H.css\");");
}

static void import_url_is_a_url(void **state)
{
	(void)state;
	css(ALL, "@import url(b.css) print", "@import url(\"b.H.css\") print");
}

static void letter_i_has_two_more_forms(void **state)
{
	(void)state;
	css(ALL, "@\xc4\xb0mport \"b.css\"", "@import url(\"b.H.css\")");
	css(ALL, "@\xc4\xb1mport \"b.css\"", "@import url(\"b.H.css\")");
}

static void import_that_does_not_end(void **state)
{
	(void)state;
	css(ALL, "@import \"b.css\n\"", "@import \"b.css\n\"");
	css(ALL, "@import \"b.css", "@import \"b.css");
	css(ALL, "@import", "@import");
	css(ALL, "@import b.css", "@import b.css");
	css(ALL, "@@import \"b.css\"", "@@import url(\"b.H.css\")");
}

static void import_sees_what_url_wrote(void **state)
{
	(void)state;
	/* Both patterns match: the second one finds no such file. */
	css_missing(UP_TO_6_0, "@import \"url(nope.css)", "css/nope.css");
	css(ALL, "@import \"x\nurl(b.css)", "@import \"x\nurl(\"b.H.css\")");
}

/* --- source maps --------------------------------------------------------- */

static void map_comment(void **state)
{
	(void)state;
	css(ALL, "/*# sourceMappingURL=a.css.map */",
	    "/*# sourceMappingURL=a.css.H.map */");
	css(ALL, "/*# sourceMappingURL=a.css.map*/",
	    "/*# sourceMappingURL=a.css.H.map */");
	css(ALL, "/*#\tsourceMappingURL=a.css.map*/\n",
	    "/*# sourceMappingURL=a.css.H.map */\n");
}

static void map_comment_is_a_whole_line(void **state)
{
	static const char *const kept[] = {
		"a{} /*# sourceMappingURL=a.css.map*/",
		"/*# sourceMappingURL=a.css.map*/ a{}",
		"/*# sourceMappingURL=a.css.map*/\r\n",
		"/*# sourceMappingURL=a.css.map\n*/",
		"\xef\xbb\xbf/*# sourceMappingURL=a.css.map*/",
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kept); i++)
		css(ALL, kept[i], kept[i]);
	css(ALL, "a{}\n/*# sourceMappingURL=a.css.map*/\nb{}",
	    "a{}\n/*# sourceMappingURL=a.css.H.map */\nb{}");
}

static void map_comment_is_written_so(void **state)
{
	static const char *const kept[] = {
		"/*# sourcemappingurl=a.css.map*/",
		"/*@ sourceMappingURL=a.css.map*/",
		"/*#sourceMappingURL=a.css.map*/",
		"/*#  sourceMappingURL=a.css.map*/",
		"/*# sourceMappingURL=*",
		"/*# sourceMappingURL=/",
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kept); i++)
		css(ALL, kept[i], kept[i]);
}

/* The group "matched" is empty in 4.2. */
static void kept_map_comment_is_deleted_in_4_2(void **state)
{
	static const char *const kept[] = {
		"/*# sourceMappingURL=data:x*/",
		"/*# sourceMappingURL=/other/a.map*/",
		"/*# sourceMappingURL=*/",
		"/*# sourceMappingURL=#x*/",
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kept); i++) {
		css(ONLY_4_2, kept[i], "");
		css(FROM_5_2, kept[i], kept[i]);
	}
}

static void missing_map_comment_stays(void **state)
{
	(void)state;
	css_missing(ALL, "/*# sourceMappingURL=nope.map*/", "css/nope.map");
}

/* --- around the matches -------------------------------------------------- */

static void everything_else_is_untouched(void **state)
{
	static const char *const texts[] = {
		"",
		"@charset \"utf-8\";",
		"a{b:c}\r\n",
		"\xef\xbb\xbf"
		"a{}",
		"%s %(url)s",
		"@media(x){}",
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(texts); i++)
		css(ALL, texts[i], texts[i]);
	css(ALL, "\xef\xbb\xbfurl(../img/a.png)\r\n%s",
	    "\xef\xbb\xbfurl(\"../img/a.H.png\")\r\n%s");
}

static void scanning_goes_on_behind_a_kept_match(void **state)
{
	const char *text = "url(\"data:<g fill='url(#b)'/><g fill='url(#c)'/>"
			   "\")";

	(void)state;
	css(ALL, text, text);
	css(ALL, "url(data:x)url(../img/a.png)",
	    "url(data:x)url(\"../img/a.H.png\")");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quoting_and_case_are_written_anew),
		cmocka_unit_test(no_word_boundary_is_needed),
		cmocka_unit_test(other_functions_are_not_matched),
		cmocka_unit_test(blanks_before_the_url_go),
		cmocka_unit_test(blanks_behind_the_url_are_part_of_it),
		cmocka_unit_test(blanks_are_those_of_python),
		cmocka_unit_test(newline_behind_the_url_is_no_match),
		cmocka_unit_test(unterminated_is_no_match),
		cmocka_unit_test(quote_behind_a_blank_is_part_of_the_url),
		cmocka_unit_test(quotes_need_not_match_up_to_5_2),
		cmocka_unit_test(parenthesis_in_quotes_ends_the_url_up_to_5_2),
		cmocka_unit_test(lone_quote),
		cmocka_unit_test(apostrophe_in_the_url),
		cmocka_unit_test(import_becomes_url),
		cmocka_unit_test(import_url_is_a_url),
		cmocka_unit_test(letter_i_has_two_more_forms),
		cmocka_unit_test(import_that_does_not_end),
		cmocka_unit_test(import_sees_what_url_wrote),
		cmocka_unit_test(map_comment),
		cmocka_unit_test(map_comment_is_a_whole_line),
		cmocka_unit_test(map_comment_is_written_so),
		cmocka_unit_test(kept_map_comment_is_deleted_in_4_2),
		cmocka_unit_test(missing_map_comment_stays),
		cmocka_unit_test(everything_else_is_untouched),
		cmocka_unit_test(scanning_goes_on_behind_a_kept_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
