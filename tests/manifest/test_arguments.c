#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "manifest/verb.h"

#define MAX_WORDS 12

/* Parses a command line of words. */
static int parse(const char *const *words, struct hf_arguments *ret, char **why)
{
	static char *argv[MAX_WORDS + 2];
	static char text[1024];
	char *end = text;
	int argc = 0;

	*why = NULL;
	argv[argc++] = text;
	end = stpcpy(end, "hashedfs-manifest") + 1;
	while (*words) {
		argv[argc++] = end;
		end = stpcpy(end, *words++) + 1;
	}
	argv[argc] = NULL;
	return hf_arguments_parse(argc, argv, ret, why);
}

#define PARSE(ret, why, ...)                                                   \
	parse((const char *const[]){__VA_ARGS__, NULL}, ret, why)

static void takes_options_anywhere(void **state)
{
	struct hf_arguments arguments;
	char *why;

	(void)state;
	assert_int_equal(PARSE(&arguments, &why, "--output=f", "snapshot", "-o",
			       "a", "SRC", "-qob", "--source", "--sources-from",
			       "list", "-v"),
			 0);
	assert_int_equal(arguments.given,
			 HF_GIVEN_OUTPUT | HF_GIVEN_VIEW | HF_GIVEN_QUIET |
				 HF_GIVEN_VERBOSE | HF_GIVEN_SOURCE |
				 HF_GIVEN_SOURCES_FROM);
	assert_string_equal(arguments.output, "f");
	assert_int_equal(arguments.view.n, 2);
	assert_string_equal(arguments.view.items[0], "a");
	assert_string_equal(arguments.view.items[1], "b");
	assert_string_equal(arguments.sources_from.items[0], "list");
	assert_int_equal(arguments.n_words, 2);
	assert_string_equal(arguments.words[0], "snapshot");
	assert_string_equal(arguments.words[1], "SRC");
	hf_arguments_fini(&arguments);
}

static void takes_words_that_look_like_options(void **state)
{
	struct hf_arguments arguments;
	char *why;

	(void)state;
	assert_int_equal(PARSE(&arguments, &why, "lookup", "--reverse", "--",
			       "m", "--help"),
			 0);
	assert_int_equal(arguments.given, HF_GIVEN_REVERSE);
	assert_int_equal(arguments.n_words, 3);
	assert_string_equal(arguments.words[2], "--help");
	hf_arguments_fini(&arguments);
}

static void assert_refused(const char *word, const char *sentence)
{
	struct hf_arguments arguments;
	char *why;

	assert_int_equal(PARSE(&arguments, &why, "snapshot", word), -EINVAL);
	assert_string_equal(why, sentence);
	free(why);
}

static void refuses(void **state)
{
	(void)state;
	assert_refused("--nope",
		       "unknown option --nope; see hashedfs-manifest --help");
	assert_refused("--no\npe=x", "unknown option --no\\npe=x; see "
				     "hashedfs-manifest --help");
	assert_refused("-qx",
		       "unknown option -x; see hashedfs-manifest --help");
	assert_refused("--output", "--output needs an argument: --output FILE");
	assert_refused("-o", "-o needs an argument: -o OPTIONS");
	assert_refused("--partial=1", "--partial takes no argument");
}

static void help_is_80_columns_wide(void **state)
{
	struct hf_buf text = {0};
	char *line, *rest;

	(void)state;
	hf_arguments_help(~0u, &text);
	for (unsigned bit = 1; bit <= HF_GIVEN_SHARD; bit <<= 1)
		assert_non_null(strstr(text.data, hf_arguments_name(bit)));
	for (rest = text.data; (line = strsep(&rest, "\n"));)
		assert_in_range(strlen(line), 0, 80);
	hf_buf_fini(&text);
	assert_null(hf_arguments_name(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_options_anywhere),
		cmocka_unit_test(takes_words_that_look_like_options),
		cmocka_unit_test(refuses),
		cmocka_unit_test(help_is_80_columns_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
