/*
 * fs/view/name.c: which name a file gets. Every name expected here was printed
 * by Django's ManifestStaticFilesStorage.hashed_name for a file of the bytes
 * "PNG", whose MD5 starts with 55505ba281b0.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fs/view/name.h"

#define HEX "55505ba281b0"
#define DJANGO "%n.%h%e"

static const char png_md5[] = HEX "15ec31f03ccb151b2a34";

/* hf_name_forward, as a number and a borrowed string. */
static int forward(const char *template_text, const char *path, char *ret,
		   size_t size)
{
	struct hf_name_template template;
	struct hf_buf name = {0};
	const char *why;
	int r;

	r = hf_name_template_init(&template, template_text, 12, &why);
	assert_int_equal(r, 0);
	r = hf_name_forward(&template, path, png_md5, &name);
	assert_int_equal(hf_name_check(&template, path), r);
	snprintf(ret, size, "%s", r == 0 ? name.data : "");
	hf_buf_fini(&name);
	hf_name_template_fini(&template);
	return r;
}

static void assert_templated(const char *template_text, const char *path,
			     const char *expected)
{
	char name[512];

	assert_int_equal(forward(template_text, path, name, sizeof(name)), 0);
	assert_string_equal(name, expected);
}

static void assert_named(const char *path, const char *expected)
{
	assert_templated(DJANGO, path, expected);
}

static void assert_fails(const char *path, int error)
{
	char name[512];

	assert_int_equal(forward(DJANGO, path, name, sizeof(name)), error);
}

static void assert_refused(const char *path)
{
	assert_fails(path, -EINVAL);
}

/* --- the extension ------------------------------------------------------- */

static void hash_goes_before_the_last_extension(void **state)
{
	(void)state;
	assert_named("a.txt", "a." HEX ".txt");
	assert_named("README", "README." HEX);
	assert_named("a.tar.gz", "a.tar." HEX ".gz");
	assert_named("a..b", "a.." HEX ".b");
	assert_named("A.CSS", "A." HEX ".CSS");
	assert_named("b~", "b~." HEX);
	assert_named("staticfiles.json", "staticfiles." HEX ".json");
	assert_named("a." HEX ".png", "a." HEX "." HEX ".png");
}

static void trailing_dot_is_an_extension(void **state)
{
	(void)state;
	assert_named("a.", "a." HEX ".");
}

static void leading_dots_start_no_extension(void **state)
{
	(void)state;
	assert_named(".htaccess", ".htaccess." HEX);
	assert_named("...", "...." HEX);
	assert_named("..a", "..a." HEX);
	assert_named(".a.b", ".a." HEX ".b");
	assert_named("d/.git", ".git." HEX);
}

static void dots_of_directories_do_not_count(void **state)
{
	(void)state;
	assert_named("d.d/f", "f." HEX);
	assert_named("d.css/x.png", "x." HEX ".png");
}

/* --- ordinary characters ------------------------------------------------- */

static void unicode_and_punctuation_stay(void **state)
{
	(void)state;
	assert_named("\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80.png",
		     "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80." HEX ".png");
	assert_named("\xc3\xa9/\xe4\xb8\xad.png", "\xe4\xb8\xad." HEX ".png");
	assert_named("x(1).png", "x(1)." HEX ".png");
	assert_named("a;b.png", "a;b." HEX ".png");
	assert_named("a b.png", "a b." HEX ".png");
	assert_named("a\x01"
		     "b\x7f.png",
		     "a\x01"
		     "b\x7f." HEX ".png");
}

static void bytes_that_are_not_utf8_stay(void **state)
{
	(void)state;
	assert_named("\xff.png", "\xff." HEX ".png");
	assert_named("\xc3/\xff%20x.png", "\xff x." HEX ".png");
}

/* --- percent escapes ----------------------------------------------------- */

static void escapes_are_decoded(void **state)
{
	(void)state;
	assert_named("a%20b.png", "a b." HEX ".png");
	assert_named("a%2Epng", "a." HEX ".png");
	assert_named("a%2520.png", "a%20." HEX ".png");
	assert_named("%2e%2e", "..." HEX);
	assert_named("%ff.png", "\xef\xbf\xbd." HEX ".png");
	assert_named("d/a%20b.png", "a b." HEX ".png");
}

static void bad_escapes_stay(void **state)
{
	(void)state;
	assert_named("100%.png", "100%." HEX ".png");
	assert_named("a%zz.png", "a%zz." HEX ".png");
	assert_named("100%/a.png", "a." HEX ".png");
}

/* Django writes such files into another directory, or beside the tree. */
static void escapes_that_move_the_file_are_refused(void **state)
{
	(void)state;
	assert_refused("a%2Fb.png");
	assert_refused("%2F%2Fh");
	assert_refused("d/%2Fb.png");
	assert_refused("a%20b/c.png");
	assert_refused("%2e%2e/c.png");
	assert_refused("d%23/c.png");
}

static void escaped_nul(void **state)
{
	(void)state;
	assert_refused("a%00b.png");
	assert_refused("a.png%00");
	assert_refused("d/%00a.png");
	/* urlsplit drops it with the other control characters on the left. */
	assert_named("%00a.png", "a." HEX ".png");
}

/* --- names that look like URLs ------------------------------------------- */

static void query_and_fragment_stay_behind_the_hash(void **state)
{
	(void)state;
	assert_named("a?b.png", "a." HEX "?b.png");
	assert_named("a#b.png", "a." HEX "#b.png");
	assert_named("a.png?v=1#f", "a." HEX ".png?v=1#f");
	assert_named("d/a.png?v", "a." HEX ".png?v");
	assert_named("a%3Fb.png", "a." HEX "?b.png");
	assert_named("d/?b.png", "." HEX "?b.png");
}

static void empty_query_vanishes_but_for_the_font_trick(void **state)
{
	(void)state;
	assert_named("a.png?", "a." HEX ".png");
	assert_named("a.png#", "a." HEX ".png");
	assert_named("a.eot?#iefix", "a." HEX ".eot?#iefix");
	assert_named("a.eot%3F#iefix", "a." HEX ".eot#iefix");
}

static void query_in_a_directory_is_refused(void **state)
{
	(void)state;
	assert_refused("d?q/a.png");
	assert_refused("d#f/a.png");
}

static void scheme_stays_in_lower_case(void **state)
{
	(void)state;
	assert_named("foo:bar.png", "foo:bar." HEX ".png");
	assert_named("Foo:bar.png", "foo:bar." HEX ".png");
	assert_named("foo:", "foo:." HEX);
	assert_named("foo:d/a.png", "a." HEX ".png");
	assert_named("d/Foo:bar.png", "Foo:bar." HEX ".png");
	assert_named("9:Bar.png", "9:Bar." HEX ".png");
	assert_refused("Foo:d/a.png");
}

/* http:x.png becomes http:/x.HASH.png: in a directory http: */
static void network_scheme_is_refused(void **state)
{
	(void)state;
	assert_refused("http:x.png");
	assert_refused("HTTPS:x.png");
	assert_refused("file:x.png");
	assert_refused("http:");
	assert_refused("http:/x.png");
	assert_refused("http:%2F%2Fh");
	assert_named("d/http:x.png", "http:x." HEX ".png");
}

/* --- blanks, control characters, backslashes ----------------------------- */

static void outer_blanks_of_the_path_vanish(void **state)
{
	(void)state;
	assert_named(" s.png", "s." HEX ".png");
	assert_named("t.png ", "t." HEX ".png");
	assert_named("\xc2\xa0t.png\xe3\x80\x80", "t." HEX ".png");
	assert_named("\x01"
		     "c.png",
		     "c." HEX ".png");
	assert_named("%20s.png", "s." HEX ".png");
	assert_named(" ", "." HEX);
	assert_refused(" d/a.png");
	assert_refused("\x01"
		       "d/a.png");
}

/* Only the path is stripped: not a base name, a query or a fragment. */
static void inner_blanks_stay(void **state)
{
	(void)state;
	assert_named("d/ u.png", " u." HEX ".png");
	assert_named("a.png?v ", "a." HEX ".png?v ");
	assert_named("a.png ?v", "a." HEX ".png?v");
	assert_named("foo: a.png", "foo:a." HEX ".png");
}

static void tab_cr_lf_are_refused(void **state)
{
	(void)state;
	assert_refused("a\nb.png");
	assert_refused("a\tb.png");
	assert_refused("a.png\r");
	assert_refused("\na.png");
	assert_refused("a\tb/c.png");
	/* Escaped, they vanish, and the manifest's key still leads here. */
	assert_named("a%0Ab.png", "ab." HEX ".png");
	assert_refused("a%0Ab/c.png");
	/* E2 80 and A8 are three strays to Python, but U+2028 to others. */
	assert_refused("\xe2\x80%09\xa8m.png");
	assert_named("\xc3\xa9%09\xc3\xa9", "\xc3\xa9\xc3\xa9." HEX);
}

/* The manifest would name a/b.HASH.png, the file on disk is a\b.HASH.png. */
static void backslashes_are_refused(void **state)
{
	(void)state;
	assert_refused("a\\b.png");
	assert_refused("a\\b/c.png");
	assert_refused("a%5Cb.png");
}

/* --- lengths ------------------------------------------------------------- */

static void base_name_ends_at_255_bytes(void **state)
{
	char path[300];
	char name[512];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[242] = '\0';
	assert_int_equal(forward(DJANGO, path, name, sizeof(name)), 0);
	assert_int_equal(strlen(name), 255);
	path[242] = 'x';
	path[243] = '\0';
	assert_fails(path, -ENAMETOOLONG);
	path[0] = '?'; /* the same for a path that is taken for a URL */
	assert_fails(path, -ENAMETOOLONG);
	path[0] = ':';
	path[242] = '\0';
	assert_int_equal(forward(DJANGO, path, name, sizeof(name)), 0);
}

static void path_ends_at_4095_bytes(void **state)
{
	char path[5000];
	char name[512];

	(void)state;
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 100 == 99 ? '/' : 'd';
	path[4095 - 13] = '\0';
	assert_int_equal(forward(DJANGO, path, name, sizeof(name)), 0);
	path[0] = ':';
	assert_int_equal(forward(DJANGO, path, name, sizeof(name)), 0);
	path[4095 - 13] = 'd';
	path[4096 - 13] = '\0';
	assert_fails(path, -ENAMETOOLONG);
	path[0] = 'd';
	assert_fails(path, -ENAMETOOLONG);
}

/* --- templates ----------------------------------------------------------- */

/* A path is treated the same by every template: only the joining differs. */
static void template_says_how_name_hash_and_extension_join(void **state)
{
	(void)state;
	assert_templated("%n-%h%e", "d/a.tar.gz", "a.tar-" HEX ".gz");
	assert_templated("%h.%n%e", "a.png", HEX ".a.png");
	assert_templated("%h%n%e", "README", HEX "README");
	assert_templated("%n.%%%h.x%e", "a.png", "a.%" HEX ".x.png");
	assert_templated("%h.%n%e", "foo:a%20b.png?v", "foo:" HEX ".a b.png?v");
	assert_templated("%h.%n%e", "a%20b.png", HEX ".a b.png");
	assert_templated("%h.%n%e", "d/a#b", HEX ".a#b");
}

static void template_length_counts(void **state)
{
	char path[300];
	char name[512];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[255 - 12 - 2] = '\0';
	assert_int_equal(forward("%n%%%h-%e", path, name, sizeof(name)), 0);
	assert_int_equal(strlen(name), 255);
	path[255 - 12 - 2] = 'x';
	path[256 - 12 - 2] = '\0';
	assert_int_equal(forward("%n%%%h-%e", path, name, sizeof(name)),
			 -ENAMETOOLONG);
}

static void assert_bad_template(const char *text, unsigned hash_len,
				const char *expected)
{
	struct hf_name_template template;
	const char *why = NULL;

	assert_int_equal(hf_name_template_init(&template, text, hash_len, &why),
			 -EINVAL);
	assert_string_equal(why, expected);
}

static void template_errors_say_why(void **state)
{
	(void)state;
	assert_bad_template("", 12, "needs one %n");
	assert_bad_template("%h%e", 12, "needs one %n");
	assert_bad_template("%n%n%h%e", 12, "needs one %n");
	assert_bad_template("%n%e", 12, "needs one %h");
	assert_bad_template("%n%h%h%e", 12, "needs one %h");
	assert_bad_template("%n%%h%e", 12, "needs one %h");
	assert_bad_template("%n.%h", 12, "needs one %e, at its end");
	assert_bad_template("%n.%h%%e", 12, "needs one %e, at its end");
	assert_bad_template("%n%e.%h", 12, "needs one %e, at its end");
	assert_bad_template("%n%e%h%%e", 12, "needs one %e, at its end");
	assert_bad_template("%n%h%e%e", 12, "needs one %e, at its end");
	assert_bad_template("%n%h%e%", 12,
			    "has a % that is not %n, %h, %e or %%");
	assert_bad_template("%x%n%h%e", 12,
			    "has a % that is not %n, %h, %e or %%");
	assert_bad_template("%n/%h%e", 12,
			    "must not hold a slash or a backslash");
	assert_bad_template("%n\\%h%e", 12,
			    "must not hold a slash or a backslash");
	assert_bad_template("%n\n%h%e", 12, "must not hold control characters");
	assert_bad_template("%n\x7f%h%e", 12,
			    "must not hold control characters");
	assert_bad_template(DJANGO, 0, "needs a hash length of 1 to 128");
	assert_bad_template(DJANGO, 129, "needs a hash length of 1 to 128");
}

/* --- the shape ----------------------------------------------------------- */

static void assert_shape(const char *template_text, const char *path,
			 const char *before_hash, const char *after_hash)
{
	struct hf_name_template template;
	struct hf_buf before = {0};
	struct hf_buf after = {0};
	const char *why;

	assert_int_equal(
		hf_name_template_init(&template, template_text, 12, &why), 0);
	hf_buf_puts(&before, "<");
	hf_buf_puts(&after, ">");
	assert_int_equal(hf_name_shape(&template, path, &before, &after), 0);
	assert_string_equal(before.data + 1, before_hash);
	assert_string_equal(after.data + 1, after_hash);
	hf_buf_fini(&before);
	hf_buf_fini(&after);
	hf_name_template_fini(&template);
}

/* Both sides are appended: what stood there before stays. */
static void shape_is_the_name_with_a_hole(void **state)
{
	(void)state;
	assert_shape(DJANGO, "d/a.png", "a.", ".png");
	assert_shape(DJANGO, "README", "README.", "");
	assert_shape(DJANGO, "Foo:a%20b?c", "foo:a b.", "?c");
	assert_shape("%h.%n%e", "d/a.png", "", ".a.png");
	assert_shape("%h.%n%e", "d/a%20b.png", "", ".a b.png");
}

static void failed_shape_leaves_its_results_alone(void **state)
{
	struct hf_name_template template;
	struct hf_buf before = {0};
	struct hf_buf after = {0};
	const char *why;

	(void)state;
	assert_int_equal(hf_name_template_init(&template, DJANGO, 12, &why), 0);
	assert_int_equal(hf_name_shape(&template, "d?/a", &before, &after),
			 -EINVAL);
	assert_int_equal(before.len, 0);
	assert_int_equal(after.len, 0);
	hf_name_template_fini(&template);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_goes_before_the_last_extension),
		cmocka_unit_test(trailing_dot_is_an_extension),
		cmocka_unit_test(leading_dots_start_no_extension),
		cmocka_unit_test(dots_of_directories_do_not_count),
		cmocka_unit_test(unicode_and_punctuation_stay),
		cmocka_unit_test(bytes_that_are_not_utf8_stay),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(bad_escapes_stay),
		cmocka_unit_test(escapes_that_move_the_file_are_refused),
		cmocka_unit_test(escaped_nul),
		cmocka_unit_test(query_and_fragment_stay_behind_the_hash),
		cmocka_unit_test(empty_query_vanishes_but_for_the_font_trick),
		cmocka_unit_test(query_in_a_directory_is_refused),
		cmocka_unit_test(scheme_stays_in_lower_case),
		cmocka_unit_test(network_scheme_is_refused),
		cmocka_unit_test(outer_blanks_of_the_path_vanish),
		cmocka_unit_test(inner_blanks_stay),
		cmocka_unit_test(tab_cr_lf_are_refused),
		cmocka_unit_test(backslashes_are_refused),
		cmocka_unit_test(base_name_ends_at_255_bytes),
		cmocka_unit_test(path_ends_at_4095_bytes),
		cmocka_unit_test(
			template_says_how_name_hash_and_extension_join),
		cmocka_unit_test(template_length_counts),
		cmocka_unit_test(template_errors_say_why),
		cmocka_unit_test(shape_is_the_name_with_a_hole),
		cmocka_unit_test(failed_shape_leaves_its_results_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
