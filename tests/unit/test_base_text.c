#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "fs/base/base.h"

/* One character as UTF-8: the inverse of what is tested. */
static void encode(struct hf_buf *buf, uint32_t c)
{
	char out[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	/* The first byte starts with as many ones as there are bytes. */
	out[0] = (char)(n == 1 ? c : (0xf00U >> n & 0xff) | c);
	hf_buf_add(buf, out, n);
}

static void every_code_point_round_trips(void **state)
{
	struct hf_buf buf = {0};

	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		uint32_t back = ~c;
		size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		hf_buf_reset(&buf);
		encode(&buf, c);
		if (buf.len != n ||
		    hf_utf8_decode(buf.data, buf.len, &back) != n || back != c)
			fail_msg("U+%04X", c);
		/* Cut short it is no character. */
		if (hf_utf8_decode(buf.data, n - 1, &back) != 0)
			fail_msg("U+%04X, cut", c);
	}
	hf_buf_fini(&buf);
}

static void decode_refuses(void **state)
{
	static const char *const bad[] = {
		"\x80",             /* a tail without a head */
		"\xbf",             /* */
		"\xc0\x80",         /* overlong NUL */
		"\xc1\xbf",         /* overlong U+007F */
		"\xe0\x9f\xbf",     /* overlong U+07FF */
		"\xf0\x8f\xbf\xbf", /* overlong U+FFFF */
		"\xed\xa0\x80",     /* the first surrogate */
		"\xed\xbf\xbf",     /* the last one */
		"\xf4\x90\x80\x80", /* U+110000 */
		"\xf5\x80\x80\x80", /* */
		"\xff",             /* */
		"\xc3\x28",         /* no tail follows */
		"\xe2\x82\x28",     /* */
		"\xf0\x9f\x98\x28", /* */
	};
	uint32_t c = 7;

	(void)state;
	assert_int_equal(hf_utf8_decode("", 0, &c), 0);
	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++)
		assert_int_equal(hf_utf8_decode(bad[i], strlen(bad[i]), &c), 0);
	assert_int_equal(c, 7);
}

static void escapes(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{"", ""},
		{"plain text, 'quoted'", "plain text, 'quoted'"},
		{"a\\b", "a\\\\b"},
		{"a\nb\tc\rd", "a\\nb\\tc\\rd"},
		{"\x01\x1b[0m\x7f", "\\x01\\x1b[0m\\x7f"},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\xc2\x85\xc2\xa0", "\\xc2\\x85\xc2\xa0"},
		{"caf\xe9!", "caf\\xe9!"},
		{"\xe2\x82", "\\xe2\\x82"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		char *escaped = hf_escaped(cases[i].text);

		assert_non_null(escaped);
		assert_string_equal(escaped, cases[i].expected);
		free(escaped);
	}
}

static void unescape_is_the_inverse(void **state)
{
	struct hf_buf escaped = {0};
	struct hf_buf back = {0};
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[24];
		size_t len = round % sizeof(text);

		for (size_t i = 0; i < len; i++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			text[i] = (char)(random >> 56);
		}
		hf_buf_reset(&escaped);
		hf_buf_reset(&back);
		hf_escape(&escaped, text, len);
		assert_int_equal(hf_unescape(&back,
					     escaped.data ? escaped.data : "",
					     escaped.len),
				 0);
		assert_int_equal(back.len, len);
		if (len > 0)
			assert_memory_equal(back.data, text, len);
	}
	hf_buf_fini(&escaped);
	hf_buf_fini(&back);
}

static void unescape_refuses(void **state)
{
	static const char *const bad[] = {
		"\\",     "a\\",     "\\a",   "\\0",     "\\:",
		"\\x",    "\\x0",    "\\xg0", "\\x0G",   "\\xC3",
		"\\x41",  "\\x5c",   "\\x0a", "\\x0d",   "\\x09",
		"\\x20a", "a\\\\\\", "\\x-1", "ok \\x8",
	};
	struct hf_buf buf = {0};

	(void)state;
	hf_buf_puts(&buf, "before");
	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++) {
		assert_int_equal(hf_unescape(&buf, bad[i], strlen(bad[i])),
				 -EINVAL);
		assert_int_equal(buf.len, 6);
		assert_string_equal(buf.data, "before");
	}
	assert_int_equal(hf_unescape(&buf, "\\x00\\xff", 8), 0);
	assert_int_equal(buf.len, 8);
	assert_memory_equal(buf.data, "before\0\xff", 9);
	hf_buf_fini(&buf);
}

static void strings_are_copies(void **state)
{
	struct hf_strings list = {0};
	char text[] = "abcdef";

	(void)state;
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(hf_strings_add(&list, text, i % 7), 0);
	memset(text, 'x', 6);
	assert_int_equal(list.n, 100);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(strlen(list.items[i]), i % 7);
		assert_memory_equal(list.items[i], "abcdef", i % 7);
	}
	hf_strings_fini(&list);
	assert_null(list.items);
	assert_int_equal(list.n, 0);
	hf_strings_fini(&list);
}

static void splits(void **state)
{
	static const struct {
		const char *text;
		const char *parts[5];
	} cases[] = {
		{"", {NULL}},
		{"a", {"a"}},
		{"a:b", {"a", "b"}},
		{":", {"", ""}},
		{"a::b:", {"a", "", "b", ""}},
		{"a\\:b:c", {"a\\:b", "c"}},
		{"a\\\\:b", {"a\\\\", "b"}},
		{"a\\\\\\:b", {"a\\\\\\:b"}},
		{"a\\=b\\,c:d", {"a\\=b\\,c", "d"}},
		{"a\\", {"a\\"}},
		{"a:\\", {"a", "\\"}},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_strings list = {0};
		size_t n = 0;

		assert_int_equal(hf_split(&list, cases[i].text, ':'), 0);
		for (; cases[i].parts[n]; n++) {
			assert_true(n < list.n);
			assert_string_equal(list.items[n], cases[i].parts[n]);
		}
		assert_int_equal(list.n, n);
		hf_strings_fini(&list);
	}
}

static void split_appends(void **state)
{
	struct hf_strings list = {0};

	(void)state;
	assert_int_equal(hf_split(&list, "a,b", ','), 0);
	assert_int_equal(hf_split(&list, "c:d", ':'), 0);
	assert_int_equal(list.n, 4);
	assert_string_equal(list.items[1], "b");
	assert_string_equal(list.items[2], "c");
	hf_strings_fini(&list);
}

static void unbackslashes(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},           {"plain", "plain"},
		{"a\\:b", "a:b"},   {"a\\\\b", "a\\b"},
		{"\\\\\\:", "\\:"}, {"\\a", "a"},
		{"end\\", "end\\"}, {"\\\xc3\xa9", "\xc3\xa9"},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		char text[32];

		strcpy(text, cases[i][0]);
		hf_unbackslash(text);
		assert_string_equal(text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_round_trips),
		cmocka_unit_test(decode_refuses),
		cmocka_unit_test(escapes),
		cmocka_unit_test(unescape_is_the_inverse),
		cmocka_unit_test(unescape_refuses),
		cmocka_unit_test(strings_are_copies),
		cmocka_unit_test(splits),
		cmocka_unit_test(split_appends),
		cmocka_unit_test(unbackslashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
