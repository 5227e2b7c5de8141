/*
 * fs/refs/url.c: Python's urlsplit, urlunsplit, unquote and strip. What is
 * expected here was printed by Python 3.11.7 and 3.12.1.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fs/refs/refs.h"

/* Splits `text` and compares the five parts. */
static void assert_split(const char *text, const char *scheme,
			 const char *netloc, const char *path,
			 const char *query, const char *fragment)
{
	struct hf_url url;

	assert_int_equal(hf_url_split(text, &url), 0);
	assert_string_equal(url.scheme, scheme);
	assert_string_equal(url.netloc, netloc);
	assert_string_equal(url.path, path);
	assert_string_equal(url.query, query);
	assert_string_equal(url.fragment, fragment);
	hf_url_fini(&url);
}

static void assert_not_a_url(const char *text)
{
	struct hf_url url;

	assert_int_equal(hf_url_split(text, &url), -EINVAL);
}

/* urlunsplit(urlsplit(text)) == expected */
static void assert_reassembled(const char *text, const char *expected)
{
	struct hf_buf ret = {0};
	struct hf_url url;

	assert_int_equal(hf_url_split(text, &url), 0);
	hf_url_unsplit(&url, &ret);
	hf_url_fini(&url);
	hf_buf_putc(&ret, '\0');
	assert_int_equal(hf_buf_status(&ret), 0);
	assert_string_equal(ret.data, expected);
	hf_buf_fini(&ret);
}

static void assert_unquoted(const char *text, const char *expected)
{
	struct hf_buf ret = {0};

	hf_url_unquote(text, strlen(text), &ret);
	hf_buf_putc(&ret, '\0');
	assert_int_equal(hf_buf_status(&ret), 0);
	assert_string_equal(ret.data, expected);
	hf_buf_fini(&ret);
}

static void assert_stripped(const char *text, const char *expected)
{
	size_t len = strlen(text);

	hf_strip(&text, &len);
	assert_int_equal(len, strlen(expected));
	assert_int_equal(memcmp(text, expected, len), 0);
}

static void split_cuts_five_parts(void **state)
{
	(void)state;
	assert_split("http://host/a/b.css?v=1#top", "http", "host", "/a/b.css",
		     "v=1", "top");
	assert_split("../img/a.png", "", "", "../img/a.png", "", "");
	assert_split("", "", "", "", "", "");
	assert_split("?", "", "", "", "", "");
	assert_split("#", "", "", "", "", "");
}

static void split_fragment_before_query(void **state)
{
	(void)state;
	assert_split("a?b#c?d#e", "", "", "a", "b", "c?d#e");
	assert_split("a#b?c", "", "", "a", "", "b?c");
	assert_split("a?b?c", "", "", "a", "b?c", "");
	assert_split("a?#iefix", "", "", "a", "", "iefix");
}

/* A scheme is [A-Za-z][A-Za-z0-9+.-]* before the first colon, lower-cased. */
static void split_scheme(void **state)
{
	(void)state;
	assert_split("Foo:bar.png", "foo", "", "bar.png", "", "");
	assert_split("a+.-9:b", "a+.-9", "", "b", "", "");
	assert_split("a:b:c", "a", "", "b:c", "", "");
	assert_split("foo:", "foo", "", "", "", "");
	assert_split("9a:b", "", "", "9a:b", "", "");
	assert_split(":b", "", "", ":b", "", "");
	assert_split("d/a:b", "", "", "d/a:b", "", "");
	assert_split("a b:c", "", "", "a b:c", "", "");
	assert_split("\xc3\xa9:b", "", "", "\xc3\xa9:b", "", "");
	assert_split("a\xc3\xa9:b", "", "", "a\xc3\xa9:b", "", "");
}

static void split_netloc_ends_at_slash_query_or_fragment(void **state)
{
	(void)state;
	assert_split("//host/path", "", "host", "/path", "", "");
	assert_split("//host", "", "host", "", "", "");
	assert_split("//host?q", "", "host", "", "q", "");
	assert_split("//host#f/x", "", "host", "", "", "f/x");
	assert_split("////x", "", "", "//x", "", "");
	assert_split("///x", "", "", "/x", "", "");
	assert_split("//", "", "", "", "", "");
}

static void split_drops_control_characters_and_blanks_on_the_left(void **state)
{
	(void)state;
	assert_split("\x01 \x1f\x0b a b ", "", "", "a b ", "", "");
	assert_split(" //host/x", "", "host", "/x", "", "");
	/* DEL and U+00A0 are no C0 controls. */
	assert_split("\x7f"
		     "a",
		     "", "",
		     "\x7f"
		     "a",
		     "", "");
	assert_split("\xc2\xa0"
		     "a",
		     "", "",
		     "\xc2\xa0"
		     "a",
		     "", "");
}

static void split_drops_tab_cr_lf_everywhere(void **state)
{
	(void)state;
	assert_split("a\tb\r\nc\n", "", "", "abc", "", "");
	assert_split("ht\ttp:/\n/ho\rst", "http", "host", "", "", "");
	assert_split("\t\r\n", "", "", "", "", "");
}

/* urlsplit's ValueError "Invalid IPv6 URL", and _check_bracketed_host. */
static void split_brackets_hold_an_ipv6_address(void **state)
{
	(void)state;
	assert_not_a_url("//[x");
	assert_not_a_url("//x]/y");
	assert_not_a_url("//[x]/y");
	assert_not_a_url("//[]");
	assert_not_a_url("//]::1[");
	assert_not_a_url("//[1.2.3.4]");
	assert_not_a_url("//[::1%]");
	assert_not_a_url("//[::1%a%b]");
	assert_not_a_url("//[v1]");
	assert_not_a_url("//[v.x]");
	assert_not_a_url("//[v1.]");
	assert_split("//[::1]:80/x", "", "[::1]:80", "/x", "", "");
	assert_split("//[::1%eth0]", "", "[::1%eth0]", "", "", "");
	assert_split("//[v1f.x]", "", "[v1f.x]", "", "", "");
	assert_split("[x", "", "", "[x", "", "");
}

static void split_leaves_bytes_that_are_not_utf8(void **state)
{
	(void)state;
	assert_split("\xff?\xfe#\x80", "", "", "\xff", "\xfe", "\x80");
}

static void unsplit_drops_empty_query_and_fragment(void **state)
{
	(void)state;
	assert_reassembled("a?", "a");
	assert_reassembled("a#", "a");
	assert_reassembled("a?#f", "a#f");
	assert_reassembled("a?b#c", "a?b#c");
	assert_reassembled("", "");
}

static void unsplit_scheme_and_host(void **state)
{
	(void)state;
	assert_reassembled("//h", "//h");
	assert_reassembled("//h?x", "//h?x");
	assert_reassembled("FOO:x", "foo:x");
	assert_reassembled("foo:/x", "foo:/x");
	assert_reassembled("foo://h/x?q#f", "foo://h/x?q#f");
	assert_reassembled("//////x", "////x");
}

/* A scheme of uses_netloc gets a host, if only an empty one. */
static void unsplit_network_scheme(void **state)
{
	(void)state;
	assert_reassembled("http:x.png", "http:///x.png");
	assert_reassembled("http:", "http://");
	assert_reassembled("http:/x", "http:///x");
	assert_reassembled("file:?q", "file://?q");
	assert_reassembled("itms-services:x", "itms-services:///x");
	assert_reassembled("svn+ssh:x", "svn+ssh:///x");
	assert_reassembled("http:////x", "http://x");
	assert_reassembled("mailto:x", "mailto:x");
}

static void unquote_decodes_escapes_of_either_case(void **state)
{
	(void)state;
	assert_unquoted("a%20b%2fc%2Fd", "a b/c/d");
	assert_unquoted("%C3%a9", "\xc3\xa9");
	assert_unquoted("%2520", "%20");
	assert_unquoted("a+b", "a+b");
	assert_unquoted("", "");
}

static void unquote_keeps_bad_escapes(void **state)
{
	(void)state;
	assert_unquoted("100%", "100%");
	assert_unquoted("%zz%2", "%zz%2");
	assert_unquoted("%2%41", "%2A");
	assert_unquoted("%%41", "%A");
	assert_unquoted("%\xc3\xa9", "%\xc3\xa9");
}

#define REPLACEMENT "\xef\xbf\xbd"

/* One U+FFFD for every maximal subpart. */
static void unquote_replaces_what_is_not_utf8(void **state)
{
	(void)state;
	assert_unquoted("%ff", REPLACEMENT);
	assert_unquoted("%80%80", REPLACEMENT REPLACEMENT);
	assert_unquoted("%f0%9f%98", REPLACEMENT);
	assert_unquoted("%f0%9f%98x", REPLACEMENT "x");
	assert_unquoted("%e2%82%c3%a9", REPLACEMENT "\xc3\xa9");
	/* overlong, surrogate, above U+10FFFF: no byte fits the first */
	assert_unquoted("%c0%af", REPLACEMENT REPLACEMENT);
	assert_unquoted("%e0%80%80", REPLACEMENT REPLACEMENT REPLACEMENT);
	assert_unquoted("%ed%a0%80", REPLACEMENT REPLACEMENT REPLACEMENT);
	assert_unquoted("%f4%90%80", REPLACEMENT REPLACEMENT REPLACEMENT);
}

static void unquote_does_not_join_escaped_and_raw_bytes(void **state)
{
	(void)state;
	assert_unquoted("\xc3%a9", "\xc3" REPLACEMENT);
	assert_unquoted("%c3\xa9", REPLACEMENT "\xa9");
	assert_unquoted("%c3\xc3\xa9%a9", REPLACEMENT "\xc3\xa9" REPLACEMENT);
	assert_unquoted("\xff%20\xfe", "\xff \xfe");
}

static void unquote_of_nul(void **state)
{
	struct hf_buf ret = {0};

	(void)state;
	hf_url_unquote("a%00b", 5, &ret);
	assert_int_equal(ret.len, 3);
	assert_memory_equal(ret.data, "a\0b", 3);
	hf_buf_fini(&ret);
}

static void space_is_the_29_characters_of_python(void **state)
{
	unsigned n = 0;

	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++)
		n += hf_is_space(c);
	assert_int_equal(n, 29);
	assert_true(hf_is_space('\t'));
	assert_true(hf_is_space(0x1c));
	assert_true(hf_is_space(0x85));
	assert_true(hf_is_space(0x3000));
	assert_false(hf_is_space(0x180e));
	assert_false(hf_is_space(0x200b));
	assert_false(hf_is_space(0xfeff));
	assert_false(hf_is_space(0));
}

static void strip_both_ends(void **state)
{
	(void)state;
	assert_stripped("  a b\t", "a b");
	assert_stripped("\xc2\xa0\xe3\x80\x80"
			"a\xe2\x80\xa8\x1f",
			"a");
	assert_stripped(" \xc2\x85 ", "");
	assert_stripped("", "");
	assert_stripped("\x01"
			"a\x7f",
			"\x01"
			"a\x7f");
}

static void strip_stops_at_bytes_that_are_not_utf8(void **state)
{
	(void)state;
	assert_stripped("\xc2 a \xff", "\xc2 a \xff");
	assert_stripped("a\x85", "a\x85");
	assert_stripped("\xa0"
			"a",
			"\xa0"
			"a");
	assert_stripped("\xe2\xc2\x85", "\xe2");
	/* U+00C5 ends with the byte that ends U+0085. */
	assert_stripped("\xc3\x85", "\xc3\x85");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_cuts_five_parts),
		cmocka_unit_test(split_fragment_before_query),
		cmocka_unit_test(split_scheme),
		cmocka_unit_test(split_netloc_ends_at_slash_query_or_fragment),
		cmocka_unit_test(
			split_drops_control_characters_and_blanks_on_the_left),
		cmocka_unit_test(split_drops_tab_cr_lf_everywhere),
		cmocka_unit_test(split_brackets_hold_an_ipv6_address),
		cmocka_unit_test(split_leaves_bytes_that_are_not_utf8),
		cmocka_unit_test(unsplit_drops_empty_query_and_fragment),
		cmocka_unit_test(unsplit_scheme_and_host),
		cmocka_unit_test(unsplit_network_scheme),
		cmocka_unit_test(unquote_decodes_escapes_of_either_case),
		cmocka_unit_test(unquote_keeps_bad_escapes),
		cmocka_unit_test(unquote_replaces_what_is_not_utf8),
		cmocka_unit_test(unquote_does_not_join_escaped_and_raw_bytes),
		cmocka_unit_test(unquote_of_nul),
		cmocka_unit_test(space_is_the_29_characters_of_python),
		cmocka_unit_test(strip_both_ends),
		cmocka_unit_test(strip_stops_at_bytes_that_are_not_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
