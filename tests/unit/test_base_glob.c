#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fs/base/base.h"

struct glob_case {
	const char *glob;
	const char *matches[8];
	const char *others[8];
};

/* Every line is what Python's fnmatch.fnmatchcase says. */
static const struct glob_case cases[] = {
	{"", {""}, {"a"}},
	{"abc", {"abc"}, {"", "ab", "abcd", "ABC"}},
	{"*", {"", "a", ".hidden", "a/b/c", "a\nb"}, {NULL}},
	{"***", {"", "a"}, {NULL}},
	{"*.css", {".css", "a.css", "a/b.css", "a.css.css"}, {"a.cssx", "css"}},
	{"a*b*c", {"abc", "aXbYc", "abbcc", "abcbc"}, {"ab", "acb", "abcd"}},
	{"*ab*ab", {"abab", "xabyabab"}, {"ab", "aba", "ababa"}},
	{"?", {"a", "\n", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xff"}, {"", "ab"}},
	{"a?c", {"abc", "a/c"}, {"ac", "abbc"}},
	{"\\*", {"\\", "\\x"}, {"*"}},
	/* classes */
	{"[abc]", {"a", "b", "c"}, {"", "d", "ab", "[abc]"}},
	{"[!abc]", {"d", "!", "\n", "\xc3\xa9"}, {"a", "", "dd"}},
	{"[^a]", {"^", "a"}, {"b"}},
	{"[a-c]", {"a", "b", "c"}, {"-", "d"}},
	{"[a-cx-z]", {"b", "y"}, {"-", "d"}},
	{"x[0-9]y", {"x0y", "x9y"}, {"xay", "xy"}},
	{"[]]", {"]"}, {"[]]", ""}},
	{"[]a]", {"]", "a"}, {"[", "a]"}},
	{"[!]a]", {"b", "[", "!"}, {"]", "a"}},
	{"[]-a]", {"]", "^", "a"}, {"-", "b", "["}},
	{"[a-]", {"a", "-"}, {"b"}},
	{"[-a]", {"a", "-"}, {"b"}},
	{"[-]", {"-"}, {"a", ""}},
	{"[!-]", {"a"}, {"-"}},
	{"[--0]", {"-", ".", "/", "0"}, {",", "1"}},
	{"[---]", {"-"}, {"a", "."}},
	{"[a-c-e]", {"a", "b", "c", "-", "e"}, {"d"}},
	{"[a--z]", {"z"}, {"a", "-", "b"}},
	{"[\\]", {"\\"}, {"a"}},
	{"[\\a]", {"\\", "a"}, {"\x07"}},
	{"[\\-^]", {"\\", "]", "^"}, {"-"}},
	{"[[]", {"["}, {"]"}},
	{"[&&~|]", {"&", "~", "|"}, {"a"}},
	{"[*?]", {"*", "?"}, {"a"}},
	/* classes that are not closed */
	{"[", {"["}, {"", "a"}},
	{"[!", {"[!"}, {"["}},
	{"[]", {"[]"}, {"]"}},
	{"[!]", {"[!]"}, {"a"}},
	{"[a", {"[a"}, {"a"}},
	{"[*", {"[", "[x"}, {"a"}},
	{"]", {"]"}, {"a"}},
	{"[a]]", {"a]"}, {"a"}},
	{"*[*[", {"[[", "a[b["}, {"[", "[a"}},
	/* empty ranges */
	{"[z-a]", {NULL}, {"", "a", "m", "z", "-"}},
	{"[!z-a]", {"a", "-", "\n"}, {"", "aa"}},
	{"[z-ab]", {"b"}, {"a", "z"}},
	{"[xz-a]", {"x"}, {"z", "a"}},
	{"[b-ac-]", {"c", "-"}, {"a", "b"}},
	{"[z-ay-b^]", {"^"}, {"a", "b", "y"}},
	/* empty ranges that leave a ! in front */
	{"[z-a!b]", {"a", "c", "!", "z"}, {"b"}},
	{"[z-a!]", {"a", "!", "z"}, {"", "aa"}},
	{"[z-a!-c]", {"a", "b", "!", "#"}, {"-", "c"}},
	{"[z-a!-!]", {"a", "z"}, {"!", "-"}},
	{"[!z-a!b]", {"a", "z"}, {"!", "b"}},
	/* characters of several bytes, and bytes that are none */
	{"[\xc3\xa0-\xc3\xa9]", {"\xc3\xa4"}, {"\xc3\xaa", "\xc3", "\xa4"}},
	{"[!a]", {"\xe2\x82\xac", "\xe2"}, {"a", "\xe2\x82"}},
	{"a\xffz", {"a\xffz"}, {"a\xfez", "az"}},
	{"[\x80-\xff]",
	 {"\x90", "\xfe"},
	 {"a", "\xc3\xa9", "\xf0\x9f\x98\x80"}},
	{"[\xe9]", {"\xe9"}, {"\xc3\xa9"}},
	{"*\xa9", {"x\xa9"}, {"x\xc3\xa9"}},
};

static void matches_as_python(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		const struct glob_case *c = &cases[i];

		for (size_t k = 0; c->matches[k]; k++)
			if (!hf_glob_match(c->glob, c->matches[k]))
				fail_msg("%s, %s", c->glob, c->matches[k]);
		for (size_t k = 0; c->others[k]; k++)
			if (hf_glob_match(c->glob, c->others[k]))
				fail_msg("%s, not %s", c->glob, c->others[k]);
	}
}

/* Would take years if every star were tried with every run. */
static void many_stars_take_no_time(void **state)
{
	char glob[401];
	char text[5001];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < sizeof(glob) - 1; i += 2)
		memcpy(glob + i, "*a", 2);
	glob[sizeof(glob) - 1] = '\0';
	assert_true(hf_glob_match(glob, text));
	glob[sizeof(glob) - 2] = 'b';
	assert_false(hf_glob_match(glob, text));
	/* Nor must each open bracket look for its end in vain. */
	memset(glob, '[', sizeof(glob) - 1);
	glob[0] = '*';
	memset(text, '[', sizeof(text) - 1);
	assert_true(hf_glob_match(glob, text));
	text[sizeof(text) - 2] = 'a';
	assert_false(hf_glob_match(glob, text));
}

static void any_of_several(void **state)
{
	struct hf_strings globs = {0};

	(void)state;
	assert_false(hf_globs_match(&globs, "a"));
	assert_int_equal(hf_split(&globs, "CVS:.*:*~", ':'), 0);
	assert_true(hf_globs_match(&globs, "CVS"));
	assert_true(hf_globs_match(&globs, ".git"));
	assert_true(hf_globs_match(&globs, "a.css~"));
	assert_false(hf_globs_match(&globs, "a.css"));
	hf_strings_fini(&globs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_as_python),
		cmocka_unit_test(many_stars_take_no_time),
		cmocka_unit_test(any_of_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
