/*
 * fs/refs/plain.c: references that nothing rewrites. A text, and what it
 * refers to: "form line:column url -> path", one a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "fs/refs/refs.h"

static const struct hf_refs_config config = {
	.profile = HF_REFS_DJANGO_6_1,
	.static_url = "/static/",
};

static void note(void *arg, enum hf_plain_form form, const struct hf_ref *ref)
{
	hf_buf_printf(arg, "%s %zu:%zu %.*s -> %s\n",
		      form == HF_PLAIN_MODULE ? "module" : "url", ref->line,
		      ref->column, (int)ref->url_len, ref->url, ref->path);
}

static void assert_found(const struct hf_refs_config *how, const char *path,
			 const char *text, const char *expected)
{
	struct hf_buf found = {0};

	hf_buf_puts(&found, "");
	assert_int_equal(
		hf_plain_find(how, path, text, strlen(text), note, &found), 0);
	assert_string_equal(found.data, expected);
	hf_buf_fini(&found);
}

/* Of the script js/a.js. */
static void js(const char *text, const char *expected)
{
	assert_found(&config, "js/a.js", text, expected);
}

/* Of the style sheet css/a.css. */
static void css(const char *text, const char *expected)
{
	assert_found(&config, "css/a.css", text, expected);
}

/* --- forms --------------------------------------------------------------- */

static void imports(void **state)
{
	(void)state;
	js("import './b.js'", "module 1:9 ./b.js -> js/b.js\n");
	js("import\"./b.js\";", "module 1:8 ./b.js -> js/b.js\n");
	js("import b from './b.js'", "module 1:16 ./b.js -> js/b.js\n");
	js("import{a as b}from\"./b.js\"", "module 1:20 ./b.js -> js/b.js\n");
	js("import a, * as b from './b.js'", "module 1:24 ./b.js -> js/b.js\n");
	js("import from from './b.js'", "module 1:19 ./b.js -> js/b.js\n");
	js("import {from} from './b.js'", "module 1:21 ./b.js -> js/b.js\n");
	js("import {'a b' as c} from './b.js'",
	   "module 1:27 ./b.js -> js/b.js\n");
	js("\xef\xbb\xbfimport\xc2\xa0'./b.js'",
	   "module 1:10 ./b.js -> js/b.js\n");
	js("import {\n  a,\n  b\n} from\n  './b.js'\n",
	   "module 5:4 ./b.js -> js/b.js\n");
	js("import d from './d.json' with {type: 'json'}",
	   "module 1:16 ./d.json -> js/d.json\n");
}

static void exports(void **state)
{
	(void)state;
	js("export * from './b.js'", "module 1:16 ./b.js -> js/b.js\n");
	js("export*as b from'./b.js'", "module 1:18 ./b.js -> js/b.js\n");
	js("export {a, default as b} from '../b.js'",
	   "module 1:32 ../b.js -> b.js\n");
	js("export {a}; x = './b.js'", "");
	js("export const from = './b.js'", "");
	js("export default './b.js'", "");
}

static void dynamic_imports(void **state)
{
	(void)state;
	js("x = await import('./b.js')", "module 1:19 ./b.js -> js/b.js\n");
	js("import( './b.js' , {})", "module 1:10 ./b.js -> js/b.js\n");
	js("import(`./b.js`)", "module 1:9 ./b.js -> js/b.js\n");
	js("import(/* chunk: \"b\" */ './b.js')",
	   "module 1:26 ./b.js -> js/b.js\n");
	js("`${import('./b.js')}`", "module 1:12 ./b.js -> js/b.js\n");
	js("import('./b/' + name)", "");
	js("import('./b' + '.js')", "");
	js("import(`./${name}.js`)", "");
	js("loader.import('./b.js')", "");
	js("reimport('./b.js')", "");
	js("({import: './b.js'})", "");
	js("[...import('./b.js')]", "module 1:13 ./b.js -> js/b.js\n");
}

static void urls_of_the_module(void **state)
{
	(void)state;
	js("new URL('b.png', import.meta.url)", "url 1:10 b.png -> js/b.png\n");
	js("new URL(\"../b.png\",import.meta.url).href",
	   "url 1:10 ../b.png -> b.png\n");
	js("new Worker(new URL('w.js', import.meta.url))",
	   "url 1:21 w.js -> js/w.js\n");
	js("new URL('b.png', document.baseURI)", "");
	js("new URL('b.png', import.meta.env)", "");
	js("new URL('b.png')", "");
	js("URL('b.png', import.meta.url)", "");
}

static void workers(void **state)
{
	(void)state;
	js("new Worker('w.js')", "url 1:13 w.js -> js/w.js\n");
	js("new Worker('/static/w.js', {type: 'module'})",
	   "url 1:13 /static/w.js -> w.js\n");
	js("new Worker(base + 'w.js')", "");
	js("new Worker('w' + '.js')", "");
	js("Worker('w.js')", "");
}

static void image_sets(void **state)
{
	(void)state;
	css("a{b:image-set(\"a.png\" 1x, '../b.png' 2x)}",
	    "url 1:16 a.png -> css/a.png\n"
	    "url 1:28 ../b.png -> b.png\n");
	css("a{b:-webkit-IMAGE-SET('a.png' 1x)}",
	    "url 1:24 a.png -> css/a.png\n");
	css("a{b:image-set(\n\"a.avif\" type('image/avif'),\"a.jpg\" 1x)}",
	    "url 2:2 a.avif -> css/a.avif\n"
	    "url 2:30 a.jpg -> css/a.jpg\n");
	css("a{b:image-set(url(a.png) 1x, url('b.png') 2x, \"c.png\" 3x)}",
	    "url 1:48 c.png -> css/c.png\n");
	css("a{b:my-image-set('a.png' 1x);content:'b.png'}", "");
	css("a{b:image-set('a.png' 1x);c:'d.png'} e{f:attr('g.png')}",
	    "url 1:16 a.png -> css/a.png\n");
	css("a{b:image-set(c;d:'e.png'}", "");
	css("a{b:image-set(\"a\\.png\")}", "");
	css("a{b:image-set(\"a.png)}\nb{c:image-set('d.png' 1x)}",
	    "url 2:16 d.png -> css/d.png\n");
	css("a{b:url(it's.png);c:image-set('d.png' 1x)}",
	    "url 1:32 d.png -> css/d.png\n");
}

/* --- where they lead ----------------------------------------------------- */

static void modules_by_name_are_no_files(void **state)
{
	(void)state;
	js("import 'vue'; import x from '@scope/x'; import('lodash/get')", "");
	js("import '.x/b.js'", "");
}

static void urls_that_lead_elsewhere(void **state)
{
	(void)state;
	js("import 'https://cdn.example/b.js'", "");
	js("import '//cdn.example/b.js'", "");
	js("import '/other/b.js'", "");
	js("import '../../b.js'", "");
	js("import '../b.js'", "module 1:9 ../b.js -> b.js\n");
	js("new Worker('data:text/javascript,1')", "");
	js("new Worker('blob:x')", "");
	js("new URL('..', import.meta.url)", "url 1:10 .. -> .\n");
	js("new URL('b/', import.meta.url)", "");
	js("new URL('', import.meta.url)", "");
	js("new URL('#b', import.meta.url)", "");
	js("import '/static/../b.js'", "");
	js("import '/static//b.js'", "");
}

static void urls_are_read_as_urls(void **state)
{
	(void)state;
	js("import './b.js?v=1#x'", "module 1:9 ./b.js?v=1#x -> js/b.js\n");
	js("import './b%20c.js'", "module 1:9 ./b%20c.js -> js/b c.js\n");
	js("import './x/.././/b.js'", "module 1:9 ./x/.././/b.js -> js/b.js\n");
	js("import './b%00.js'", "");
	js("import './b\\u002ejs'", "");
	assert_found(&config, "a.js", "import './b.js'",
		     "module 1:9 ./b.js -> b.js\n");
	assert_found(&config, "a.js", "import '../b.js'", "");
}

static void the_static_url_may_be_another_host(void **state)
{
	static const struct hf_refs_config cdn = {
		.profile = HF_REFS_DJANGO_6_1,
		.static_url = "https://cdn.example/s/",
	};

	(void)state;
	assert_found(&cdn, "js/a.js",
		     "import 'https://cdn.example/s/js/b.js'; import '/b.js'",
		     "module 1:9 https://cdn.example/s/js/b.js -> js/b.js\n");
}

/* Columns are characters. */
static void places(void **state)
{
	(void)state;
	js("\n\xc3\xa9\xc3\xa9; import './b.js'\r\nimport './c.js'",
	   "module 2:13 ./b.js -> js/b.js\n"
	   "module 3:9 ./c.js -> js/c.js\n");
}

/* --- what is no code ----------------------------------------------------- */

static void comments(void **state)
{
	(void)state;
	js("// import './b.js'\nimport './c.js'",
	   "module 2:9 ./c.js -> js/c.js\n");
	js("/* import './b.js'\n*/import './c.js'",
	   "module 2:11 ./c.js -> js/c.js\n");
	js("import /* a */ './c.js' // it's",
	   "module 1:17 ./c.js -> js/c.js\n");
	js("/* import './b.js'", "");
	css("/* image-set('a.png') */ a{b:image-set(/*'*/'c.png')}",
	    "url 1:46 c.png -> css/c.png\n");
	css("/* image-set('a.png')", "");
}

static void strings(void **state)
{
	(void)state;
	js("x = \"import './b.js'\"; y = 'it\\'s import \"./b.js\"'", "");
	js("x = `import './b.js'`", "");
	js("x = `a${b}import './b.js'${c}`; import './c.js'",
	   "module 1:41 ./c.js -> js/c.js\n");
	js("x = `a${`b${{c: 1}}`}import './b.js'`; import './c.js'",
	   "module 1:48 ./c.js -> js/c.js\n");
	js("x = 'a\\\nimport \"./b.js\"'", "");
	css("a{b:\"image-set('a.png')\"}", "");
}

/* Quotes in them open no strings. */
static void regular_expressions(void **state)
{
	(void)state;
	js("x = /['\"`]/g; import './b.js'", "module 1:23 ./b.js -> js/b.js\n");
	js("x = /[/'`]\\/'/; import './b.js'",
	   "module 1:25 ./b.js -> js/b.js\n");
	js("x = /[/]'/; import('./b.js'); y = '1'",
	   "module 1:21 ./b.js -> js/b.js\n");
	js("return /'/.test(x), import('./b.js')",
	   "module 1:29 ./b.js -> js/b.js\n");
	js("if (x) /'/.test(y); import('./b.js')",
	   "module 1:29 ./b.js -> js/b.js\n");
	js("x = (a) / 2; import('./b.js'); y / 2",
	   "module 1:22 ./b.js -> js/b.js\n");
	js("x = a[0] / b / '1', import('./b.js')",
	   "module 1:29 ./b.js -> js/b.js\n");
	js("x = i++ / 2, import('./b.js') / 2",
	   "module 1:22 ./b.js -> js/b.js\n");
	js("x = y.in / 2, import('./b.js') / 2",
	   "module 1:23 ./b.js -> js/b.js\n");
}

/* What does not end on its line harms nothing behind it. */
static void broken_texts(void **state)
{
	(void)state;
	js("x = 'it; import('./b.js')\nimport './c.js'",
	   "module 2:9 ./c.js -> js/c.js\n");
	js("don't\nimport './c.js'", "module 2:9 ./c.js -> js/c.js\n");
	js("x = /a[\nimport './c.js'", "module 2:9 ./c.js -> js/c.js\n");
	js("}})) import './c.js'", "module 1:14 ./c.js -> js/c.js\n");
	js("`${(}`; import './c.js'", "module 1:17 ./c.js -> js/c.js\n");
	js("import", "");
	js("import(", "");
	js("import '", "");
	js("import './b.js\\", "");
	js("`\\", "");
	js("`${", "");
	js("new URL('b', import.meta.", "");
	js("\xff\xfeimport './b.js'", "");
	js("\xff; import './b.js'", "module 1:12 ./b.js -> js/b.js\n");
	css("a{b:image-set('a.png\\", "");
	css("a{b:image-set(", "");
	css("a{b:url(", "");
	css("))image-set('a.png'", "url 1:14 a.png -> css/a.png\n");
	css("\\", "");
}

static void which_files(void **state)
{
	(void)state;
	assert_true(hf_plain_applies("a/b.js"));
	assert_true(hf_plain_applies("a/b.mjs"));
	assert_true(hf_plain_applies("a/b.css"));
	assert_false(hf_plain_applies("a/b.js.map"));
	assert_false(hf_plain_applies("a/b.JS"));
	assert_found(&config, "m/a.mjs", "import './b.mjs'",
		     "module 1:9 ./b.mjs -> m/b.mjs\n");
}

/* --- time ---------------------------------------------------------------- */

static void count(void *arg, enum hf_plain_form form, const struct hf_ref *ref)
{
	(void)form;
	(void)ref;
	++*(size_t *)arg;
}

static double seconds(const char *path, const char *piece, size_t n)
{
	struct hf_buf text = {0};
	struct timespec from, to;
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		hf_buf_puts(&text, piece);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	assert_int_equal(hf_plain_find(&config, path, text.data, text.len,
				       count, &found),
			 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	hf_buf_fini(&text);
	return (double)(to.tv_sec - from.tv_sec) +
	       (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Pieces that, repeated, have made scanners of this kind quadratic. At this
 * size a quadratic one takes minutes, a linear one less than a second. */
static void hostile_texts_take_linear_time(void **state)
{
	static const char *const scripts[] = {
		"'\\",
		"\"\\",
		"=/[",
		"=/\\/",
		"`",
		"`${",
		"}",
		"({",
		"(",
		"(}",
		"/*",
		"'\\'",
		"/",
		"//",
		"\\",
		"import{",
		"new URL('a',",
		"export{'",
		"${}",
		"`${}`",
		"a.b/'",
		"import './b.js';",
		"(((}",
		"`${(",
	};
	static const char *const sheets[] = {
		"url(", "image-set(",        "'\\", "/*",     "a(", "aaaa",
		"\\(",  "image-set('a.png'", "(a-", "url(\"",
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(scripts); i++)
		if (seconds("a.js", scripts[i], 500000) > 20)
			fail_msg("slow: %s", scripts[i]);
	for (size_t i = 0; i < HF_ARRAY_SIZE(sheets); i++)
		if (seconds("a.css", sheets[i], 500000) > 20)
			fail_msg("slow: %s", sheets[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imports),
		cmocka_unit_test(exports),
		cmocka_unit_test(dynamic_imports),
		cmocka_unit_test(urls_of_the_module),
		cmocka_unit_test(workers),
		cmocka_unit_test(image_sets),
		cmocka_unit_test(modules_by_name_are_no_files),
		cmocka_unit_test(urls_that_lead_elsewhere),
		cmocka_unit_test(urls_are_read_as_urls),
		cmocka_unit_test(the_static_url_may_be_another_host),
		cmocka_unit_test(places),
		cmocka_unit_test(comments),
		cmocka_unit_test(strings),
		cmocka_unit_test(regular_expressions),
		cmocka_unit_test(broken_texts),
		cmocka_unit_test(which_files),
		cmocka_unit_test(hostile_texts_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
