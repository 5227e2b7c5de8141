/*
 * fs/refs/js.c, fs/refs/modules.c: what the patterns for scripts match.
 */
#include "test_refs_scene.h"

/* --- source maps --------------------------------------------------------- */

static void map_comment(void **state)
{
	(void)state;
	js(ALL, "x()\n//# sourceMappingURL=a.js.map\n",
	   "x()\n//# sourceMappingURL=a.js.H.map\n");
	js(ALL, "//# sourceMappingURL=a.js.map",
	   "//# sourceMappingURL=a.js.H.map");
	js(ALL, "sourceMappingURL= U\n//# sourceMappingURL=a.js.map",
	   "sourceMappingURL= U\n//# sourceMappingURL=a.js.H.map");
}

static void map_url_reaches_to_the_end_of_the_line(void **state)
{
	(void)state;
	/* The carriage return and the blanks are lost on the way. */
	js(ALL, "//# sourceMappingURL=a.js.map\r\n",
	   "//# sourceMappingURL=a.js.H.map\n");
	js(ALL, "//# sourceMappingURL=a.js.map \n",
	   "//# sourceMappingURL=a.js.H.map\n");
	js_missing(ALL, "//# sourceMappingURL=a.js.map x\n", "js/a.js.map x");
}

static void map_comment_is_written_so(void **state)
{
	static const char *const kept[] = {
		"x() //# sourceMappingURL=a.js.map\n",
		"//# sourcemappingurl=a.js.map\n",
		"//@ sourceMappingURL=a.js.map\n",
		"//#\tsourceMappingURL=a.js.map\n",
		"//#sourceMappingURL=a.js.map\n",
		" //# sourceMappingURL=a.js.map\n",
		"x()\r//# sourceMappingURL=a.js.map\r",
		"sourceMappingURL=a.js.map",
		"# sourceMappingURL=a.js.map",
		"URL=a.js.map",
		"\n//# sourceMappingU",
		"\n//# sourceMappingURL",
		"/*# sourceMappingURL=a.js.map */",
		"url(nope.png)",
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kept); i++)
		js(ALL, kept[i], kept[i]);
}

static void kept_map_comment_is_deleted_in_4_2(void **state)
{
	static const char *const urls[] = {"data:application/json,x",
					   "http://x/y.map", "/x.map", ""};
	char text[100];

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(urls); i++) {
		snprintf(text, sizeof(text), "a\n//# sourceMappingURL=%s\nb",
			 urls[i]);
		js(ONLY_4_2, text, "a\n\nb");
		js(FROM_5_2, text, text);
	}
}

static void missing_map_stays_in_every_profile(void **state)
{
	(void)state;
	js_missing(ALL, "//# sourceMappingURL=nope.map\n", "js/nope.map");
}

static void map_in_a_multi_line_string(void **state)
{
	(void)state;
	/* A newline ends what 6.1 takes for a string. */
	js_missing(ALL, "x = '\n//# sourceMappingURL=nope.map\n'",
		   "js/nope.map");
}

/* --- modules: 6.1 only --------------------------------------------------- */

static void modules_are_an_option_of_6_1(void **state)
{
	(void)state;
	js(UP_TO_6_0, "import \"./m.js\";", "import \"./m.js\";");
	js(ONLY_6_1, "import \"./m.js\";", "import\"./m.H.js\";");
}

static void import_from(void **state)
{
	(void)state;
	js(ONLY_6_1, "import {x} from './m.js';",
	   "import {x} from \"./m.H.js\";");
	js(ONLY_6_1, "import{x}from\"./m.js\"", "import{x} from \"./m.H.js\"");
	js(ONLY_6_1, "import x,\n{ y }\n  from  './m.js'",
	   "import x,\n{ y } from \"./m.H.js\"");
	js(ONLY_6_1, "import * as x from '/static/js/m.js'",
	   "import * as x from \"/static/js/m.H.js\"");
	js(ONLY_6_1, "\xc4\xb0MPORT  FROM './m.js'",
	   "import  from \"./m.H.js\"");
}

static void import_star_without_a_blank(void **state)
{
	(void)state;
	js(ONLY_6_1, "import*as x from'./m.js'",
	   "import*as x from \"./m.H.js\"");
	js(ONLY_6_1, "import* a\xc5\xbfx1 from'./m.js'",
	   "import* a\xc5\xbfx1 from \"./m.H.js\"");
	/* \w+ gives back what looks like "from". */
	js(ONLY_6_1, "import*as xfrom'./m.js'",
	   "import*as x from \"./m.H.js\"");
	js(ONLY_6_1, "import*as from'./m.js'", "import*as from'./m.js'");
	/* \w is Unicode's. */
	js(ONLY_6_1, "import*as \xe4\xb8\xad from'./m.js'",
	   "import*as \xe4\xb8\xad from \"./m.H.js\"");
	js(ONLY_6_1, "import*as \xe2\x86\x92 from'./m.js'",
	   "import*as \xe2\x86\x92 from'./m.js'");
}

static void export_from(void **state)
{
	(void)state;
	js(ONLY_6_1, "export * from './m.js';", "export * from \"./m.H.js\";");
	js(ONLY_6_1, "export {x} from './m.js';",
	   "export {x} from \"./m.H.js\";");
	js(ONLY_6_1, "export*from './m.js';", "export*from './m.js';");
}

static void clause_ends_at_a_semicolon_only(void **state)
{
	(void)state;
	js(ONLY_6_1, "import x from \"vue\";\nimport y from './m.js'",
	   "import x from \"vue\";\nimport y from \"./m.H.js\"");
	js(ONLY_6_1, "import x from \"vue\"\nimport y from './m.js'",
	   "import x from \"vue\"\nimport y from \"./m.H.js\"");
	js(ONLY_6_1, "import x; y from './m.js'", "import x; y from './m.js'");
}

static void bare_specifiers_are_left_alone(void **state)
{
	static const char *const kept[] = {
		"import x from 'vue';",
		"import 'vue';",
		"import('vue');",
		"export {x} from 'vue';",
		"import(`./m.js`);",
		"import x from './m.js;\n",
		"import './m.js\n'",
		"import( './m.js')",
		"import './",
		"import (",
		"import",
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kept); i++)
		js(ONLY_6_1, kept[i], kept[i]);
}

static void import_call(void **state)
{
	(void)state;
	js(ONLY_6_1, "await import('./m.js')", "await import(\"./m.H.js\")");
	js(ONLY_6_1, "import('./m.js', x)", "import('./m.js', x)");
}

static void words_of_modules_stand_anywhere(void **state)
{
	(void)state;
	anywhere("js/a.js", "import './m.js'", "import\"./m.H.js\"");
	anywhere("js/a.js", "ImPORT('./m.js')", "import(\"./m.H.js\")");
	anywhere("js/a.js", "\xc4\xb1mport './m.js'                  ",
		 "import\"./m.H.js\"                  ");
	anywhere("js/a.js", "export{x, mp, xp, fr}FRom './m.js'",
		 "export{x, mp, xp, fr} from \"./m.H.js\"");
	anywhere("js/a.js", "EXport * from './m.js';                  ",
		 "export * from \"./m.H.js\";                  ");
	anywhere("js/a.js", "xport * from './m.js'", "xport * from './m.js'");
}

static void modules_in_comments_are_left_alone(void **state)
{
	static const char *const kept[] = {
		"/* import './m.js' */",
		"// import './m.js'",
		"x = \"import('./m.js')\"",
		"`import './m.js'`",
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kept); i++)
		js(ONLY_6_1, kept[i], kept[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_comment),
		cmocka_unit_test(map_url_reaches_to_the_end_of_the_line),
		cmocka_unit_test(map_comment_is_written_so),
		cmocka_unit_test(kept_map_comment_is_deleted_in_4_2),
		cmocka_unit_test(missing_map_stays_in_every_profile),
		cmocka_unit_test(map_in_a_multi_line_string),
		cmocka_unit_test(modules_are_an_option_of_6_1),
		cmocka_unit_test(import_from),
		cmocka_unit_test(import_star_without_a_blank),
		cmocka_unit_test(export_from),
		cmocka_unit_test(clause_ends_at_a_semicolon_only),
		cmocka_unit_test(bare_specifiers_are_left_alone),
		cmocka_unit_test(import_call),
		cmocka_unit_test(words_of_modules_stand_anywhere),
		cmocka_unit_test(modules_in_comments_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
