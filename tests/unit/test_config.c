/* What can be chosen about a view: defaults, values, what does not go
 * together. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fs/view/view.h"

static int setup(void **state)
{
	static struct hf_config config;

	*state = &config;
	return hf_config_init(&config);
}

static int teardown(void **state)
{
	hf_config_fini(*state);
	return 0;
}

static int parse(struct hf_config *config, const char *text, char **why)
{
	struct hf_option_set set = hf_config_options(config);

	*why = NULL;
	return hf_options_parse(&set, 1, text, why);
}

static void good(struct hf_config *config, const char *text)
{
	char *why;

	assert_int_equal(parse(config, text, &why), 0);
}

static void bad(struct hf_config *config, const char *text,
		const char *sentence)
{
	char *why;

	assert_int_equal(parse(config, text, &why), -EINVAL);
	assert_string_equal(why, sentence);
	free(why);
}

static void test_defaults(void **state)
{
	struct hf_config *config = *state;
	char *why = NULL;

	assert_string_equal(config->name_template, "%n.%h%e");
	assert_string_equal(hf_algorithm_name(config->algorithm), "md5");
	assert_int_equal(config->hash_len, 12);
	assert_int_equal(config->show, HF_SHOW_HASHED | HF_SHOW_KEPT);
	assert_int_equal(config->threads, 0);
	assert_int_equal(config->refs.profile, HF_REFS_DJANGO_6_1);
	assert_string_equal(config->refs.static_url, "/static/");
	assert_false(config->mtime_source);
	assert_int_equal(config->mtime_ns, INT64_C(946684800000000000));
	assert_int_equal(config->uid, -1);
	assert_int_equal(config->gid, -1);
	assert_int_equal(hf_config_check(config, &why), 0);
	assert_null(why);
}

static void test_numbers(void **state)
{
	struct hf_config *config = *state;

	good(config, "length=4,threads=256");
	assert_int_equal(config->hash_len, 4);
	assert_int_equal(config->threads, 256);
	bad(config, "length=3",
	    "option 'length=3': must be a number from 4 to 128");
	bad(config, "length=+5",
	    "option 'length=+5': must be a number from 4 to 128");
	bad(config, "length=5x",
	    "option 'length=5x': must be a number from 4 to 128");
	bad(config,
	    "length=", "option 'length=': must be a number from 4 to 128");
	bad(config, "length=99999999999999999999",
	    "option 'length=99999999999999999999': must be a number from 4 to "
	    "128");
	bad(config, "threads=0",
	    "option 'threads=0': must be a number from 1 to 256");
}

static void test_globs_add_up(void **state)
{
	struct hf_config *config = *state;

	good(config, "keep=*.txt:a\\:b,keep=c\\,d");
	assert_int_equal(config->keep.n, 3);
	assert_string_equal(config->keep.items[0], "*.txt");
	assert_string_equal(config->keep.items[1], "a:b");
	assert_string_equal(config->keep.items[2], "c,d");
	good(config, "ignore=a,prehashed=b,no_default_ignore");
	assert_string_equal(config->source.ignore.items[0], "a");
	assert_string_equal(config->prehashed.items[0], "b");
	assert_true(config->source.no_default_ignore);
}

static void test_a_comma_in_a_list_is_told_of(void **state)
{
	struct hf_config *config = *state;

	bad(config, "keep=*.js,*.css",
	    "unknown option '*.css'; --help lists the options, and between the "
	    "values of 'keep' stands ':'");
	bad(config, "show=hashed,plain",
	    "unknown option 'plain'; --help lists the options, and between the "
	    "values of 'show' stands ':'");
	bad(config, "keep=*.js,follow,a",
	    "unknown option 'a'; --help lists the options");
	bad(config, "a,keep=*.js",
	    "unknown option 'a'; --help lists the options");
}

static void test_words(void **state)
{
	struct hf_config *config = *state;

	good(config, "digest=sha512,show=plain:hashed,follow,xdev,refs=none");
	assert_string_equal(hf_algorithm_name(config->algorithm), "sha512");
	assert_int_equal(config->show, HF_SHOW_PLAIN | HF_SHOW_HASHED);
	assert_true(config->source.follow && config->source.xdev);
	bad(config, "digest=crc32",
	    "option 'digest=crc32': must be md5, sha1, sha256, sha384 or "
	    "sha512");
	bad(config, "show=some",
	    "option 'show=some': must be hashed, kept and plain, or some of "
	    "them, with ':' between");
	bad(config, "show=",
	    "option 'show=': must be hashed, kept and plain, or some of "
	    "them, with ':' between");
	assert_int_equal(config->refs.profile, HF_REFS_NONE);
	good(config, "refs=django-5.2,static_url=s/,js_modules");
	assert_int_equal(config->refs.profile, HF_REFS_DJANGO_5_2);
	assert_string_equal(config->refs.static_url, "/s/");
	assert_true(config->refs.js_modules);
	bad(config, "refs=all",
	    "option 'refs=all': must be one of django-4.2, django-5.2, "
	    "django-6.0, django-6.1, none");
	bad(config, "static_url=/s",
	    "option 'static_url=/s': must end with a slash");
}

static void test_mtime(void **state)
{
	struct hf_config *config = *state;

	good(config, "mtime=source");
	assert_true(config->mtime_source);
	good(config, "mtime=@7");
	assert_false(config->mtime_source);
	assert_int_equal(config->mtime_ns, INT64_C(7000000000));
	bad(config, "mtime=now",
	    "option 'mtime=now': must be source, or @ and the seconds since "
	    "1970");
	bad(config, "mtime=@-1",
	    "option 'mtime=@-1': must be a number from 0 to 9223372035");
}

static void test_owner(void **state)
{
	struct hf_config *config = *state;

	good(config, "uid=1234,gid=5678");
	assert_int_equal(config->uid, 1234);
	assert_int_equal(config->gid, 5678);
	good(config, "uid=root,gid=root");
	assert_int_equal(config->uid, 0);
	assert_int_equal(config->gid, 0);
	bad(config, "uid=-1", "option 'uid=-1': there is no such name");
	bad(config, "gid=4294967295",
	    "option 'gid=4294967295': must be a number from 0 to 4294967294");
}

static void check(struct hf_config *config, const char *text,
		  const char *sentence)
{
	char *why = NULL;

	good(config, text);
	assert_int_equal(hf_config_check(config, &why), -EINVAL);
	assert_string_equal(why, sentence);
	free(why);
}

static void test_check(void **state)
{
	struct hf_config *config = *state;
	char *why = NULL;

	check(config, "length=33",
	      "option 'length=33': md5 has only 32 hex digits");
	good(config, "digest=sha1");
	assert_int_equal(hf_config_check(config, &why), 0);
	good(config, "name=%n\\,%h%e");
	assert_string_equal(config->name_template, "%n,%h%e");
	assert_int_equal(hf_config_check(config, &why), 0);
	good(config, "name=%n");
	assert_int_equal(hf_config_check(config, &why), -EINVAL);
	assert_memory_equal(why, "option 'name=%n': ", 18);
	free(why);
}

static void assert_style(struct hf_config *config, const char *options,
			 const char *name, const char *digest, unsigned length,
			 const char *static_url)
{
	hf_config_fini(config);
	assert_int_equal(hf_config_init(config), 0);
	good(config, options);
	assert_string_equal(config->name_template, name);
	assert_string_equal(hf_algorithm_name(config->algorithm), digest);
	assert_int_equal(config->hash_len, length);
	assert_string_equal(config->static_url, static_url);
	assert_ptr_equal(config->refs.static_url, config->static_url);
}

static void test_styles(void **state)
{
	struct hf_config *config = *state;

	assert_style(config, "style=django", "%n.%h%e", "md5", 12, "/static/");
	assert_style(config, "style=propshaft", "%n-%h%e", "sha1", 8,
		     "/assets/");
	assert_style(config, "style=phoenix", "%n-%h%e", "md5", 32, "/");
	assert_style(config, "style=rev", "%n-%h%e", "md5", 10, "/");
	/* What is said by itself counts, wherever it stands. */
	assert_style(config, "style=rev,length=7", "%n-%h%e", "md5", 7, "/");
	assert_style(config, "length=7,style=rev", "%n-%h%e", "md5", 7, "/");
	assert_style(config, "name=%n_%h%e,style=rev,digest=sha256", "%n_%h%e",
		     "sha256", 10, "/");
	assert_style(config, "digest=sha256,static_url=/s/,style=phoenix",
		     "%n-%h%e", "sha256", 32, "/s/");
	/* The last style counts. */
	assert_style(config, "style=phoenix,length=7,style=propshaft",
		     "%n-%h%e", "sha1", 7, "/assets/");
	bad(config, "style=rails",
	    "option 'style=rails': must be one of django, propshaft, phoenix, "
	    "rev");
}

static void test_help_has_80_columns(void **state)
{
	struct hf_option_set set = hf_config_options(*state);
	struct hf_buf text = {0};

	hf_options_help(&set, &text);
	assert_int_equal(hf_buf_status(&text), 0);
	for (char *line = text.data; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		assert_true(len < 80);
		line += len + 1;
	}
	hf_buf_fini(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_numbers),
		TEST(test_globs_add_up),
		TEST(test_a_comma_in_a_list_is_told_of),
		TEST(test_words),
		TEST(test_mtime),
		TEST(test_owner),
		TEST(test_check),
		TEST(test_help_has_80_columns),
		TEST(test_styles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
