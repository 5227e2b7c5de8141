/* The -o parser and the help writer, and the words of a mount. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Not in the engine: the mount's table belongs to the room above. */
#include "fs/fuse/options.c"

struct values {
	char text[64];
	int flag;
};

static int set_text(void *target, const char *value, char **why)
{
	struct values *values = target;

	if (strcmp(value, "bad") == 0) {
		*why = strdup("must be good");
		return -EINVAL;
	}
	snprintf(values->text, sizeof(values->text), "%s", value);
	return 0;
}

static int set_flag(void *target, const char *value, char **why)
{
	(void)why;
	assert_null(value);
	((struct values *)target)->flag++;
	return 0;
}

static const struct hf_option table[] = {
	{NULL, NULL, "first of all", NULL},
	{"text", "TEXT", "a text", set_text},
	{"flag", NULL,
	 "a long explanation that has so many words that it cannot stand on "
	 "one line of a terminal",
	 set_flag},
	{"a_word_that_is_much_too_long", "VALUE", "stands alone", set_text},
	{"nofail", NULL, NULL, NULL},
	{"comment", "TEXT", NULL, NULL},
	{"x-*", NULL, NULL, NULL},
};

static int parse(struct values *values, const char *text, char **why)
{
	struct hf_option_set set = {table, HF_ARRAY_SIZE(table), values};

	*why = NULL;
	return hf_options_parse(&set, 1, text, why);
}

static void expect_good(const char *text, const char *value, int flags)
{
	struct values values = {0};
	char *why;

	assert_int_equal(parse(&values, text, &why), 0);
	assert_null(why);
	assert_string_equal(values.text, value);
	assert_int_equal(values.flag, flags);
}

static void expect_bad(const char *text, const char *sentence)
{
	struct values values = {0};
	char *why;

	assert_int_equal(parse(&values, text, &why), -EINVAL);
	assert_string_equal(why, sentence);
	free(why);
}

static void test_words(void **state)
{
	(void)state;
	expect_good("", "", 0);
	expect_good("flag", "", 1);
	expect_good("flag,text=a,flag", "a", 2);
	expect_good(",flag,,", "", 1);
	expect_good("text=a=b", "a=b", 0);
	expect_good("text=", "", 0);
	expect_good("text=a,text=b", "b", 0);
}

static void test_backslash_reaches_the_row(void **state)
{
	(void)state;
	expect_good("text=a\\,b,flag", "a\\,b", 1);
	expect_good("text=a\\:b:c", "a\\:b:c", 0);
}

static void test_tolerated(void **state)
{
	(void)state;
	expect_good("nofail,comment=a b,x-systemd.automount,x-a=b,x-", "", 0);
}

static void test_complaints(void **state)
{
	(void)state;
	expect_bad("flag,lenght=5",
		   "unknown option 'lenght=5'; --help lists the options");
	expect_bad("a\nb", "unknown option 'a\\nb'; --help lists the options");
	expect_bad("text", "option 'text' needs a value: text=TEXT");
	expect_bad("flag=1", "option 'flag=1' takes no value: write 'flag'");
	expect_bad("nofail=1",
		   "option 'nofail=1' takes no value: write 'nofail'");
	expect_bad("comment", "option 'comment' needs a value: comment=TEXT");
	expect_bad("text=bad", "option 'text=bad': must be good");
	expect_bad("=1", "unknown option '=1'; --help lists the options");
	expect_bad("x", "unknown option 'x'; --help lists the options");
}

static void test_help(void **state)
{
	struct hf_option_set set = {table, HF_ARRAY_SIZE(table), NULL};
	struct hf_buf text = {0};

	(void)state;
	hf_options_help(&set, &text);
	assert_int_equal(hf_buf_status(&text), 0);
	assert_string_equal(
		text.data,
		"  first of all:\n"
		"    text=TEXT             a text\n"
		"    flag                  a long explanation that has so many "
		"words that it\n"
		"                          cannot stand on one line of a "
		"terminal\n"
		"    a_word_that_is_much_too_long=VALUE\n"
		"                          stands alone\n");
	hf_buf_fini(&text);
}

static int parse_mount(struct hf_mount_config *config, const char *text)
{
	struct hf_option_set set = hf_mount_options(config);
	char *why = NULL;
	int r = hf_options_parse(&set, 1, text, &why);

	assert_int_equal(r == -EINVAL, why != NULL);
	free(why);
	return r;
}

static void test_mount_options(void **state)
{
	struct hf_mount_config config;

	(void)state;
	hf_mount_config_init(&config);
	assert_int_equal(config.control, HF_CONTROL_OWNER);
	assert_int_equal(parse_mount(&config, "allow_other,nonempty,xattr"), 0);
	assert_true(config.allow_other && config.nonempty && config.xattr);
	assert_int_equal(parse_mount(&config, "control=none,fsname=a\\,b"), 0);
	assert_int_equal(config.control, HF_CONTROL_NONE);
	assert_string_equal(config.fsname, "a,b");
	assert_int_equal(parse_mount(&config, "noexec"), 0);
	assert_true(config.noexec);
	assert_int_equal(parse_mount(&config, "exec"), 0);
	assert_false(config.noexec);
	assert_int_equal(parse_mount(&config, "control=some"), -EINVAL);
	assert_int_equal(parse_mount(&config, "kernel_cache"), -EINVAL);
	hf_mount_config_fini(&config);
}

/* What mount(8) and mount.fuse3(8) make of an fstab line. */
static void test_fstab_words(void **state)
{
	struct hf_mount_config config;

	(void)state;
	hf_mount_config_init(&config);
	assert_int_equal(
		parse_mount(&config,
			    "rw,dev,suid,noexec,nofail,_netdev,user,auto,"
			    "x-systemd.requires=/a,X-mount.mkdir,relatime,"
			    "subtype=hashedfs,comment=a,uhelper=udisks2"),
		0);
	hf_mount_config_fini(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_backslash_reaches_the_row),
		cmocka_unit_test(test_tolerated),
		cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_mount_options),
		cmocka_unit_test(test_fstab_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
