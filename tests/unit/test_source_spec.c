/* SOURCES on a command line and in a file: [PREFIX=]DIR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/source/source.h"

/* "prefix|dir" of every root, a blank between them. */
static char *show(const struct hf_root_specs *specs)
{
	struct hf_buf text = {0};
	char *shown;

	for (size_t i = 0; i < specs->n; i++)
		hf_buf_printf(&text, "%s%s|%s", i ? " " : "",
			      specs->items[i].prefix, specs->items[i].dir);
	assert_int_equal(hf_buf_steal(&text, &shown), 0);
	return shown;
}

static void assert_parsed(const char *text, const char *expected)
{
	HF_CLEANUP(hf_root_specs_fini) struct hf_root_specs specs = {0};
	HF_CLEANUP(hf_freep) char *why = NULL;
	HF_CLEANUP(hf_freep) char *shown = NULL;

	assert_int_equal(hf_root_specs_parse(&specs, text, &why), 0);
	shown = show(&specs);
	assert_string_equal(shown, expected);
}

/* The sentence names the part and what is wrong with it. */
static void assert_refused(const char *text, const char *part,
			   const char *fault)
{
	HF_CLEANUP(hf_root_specs_fini) struct hf_root_specs specs = {0};
	HF_CLEANUP(hf_freep) char *why = NULL;

	assert_int_equal(hf_root_specs_parse(&specs, text, &why), -EINVAL);
	assert_non_null(strstr(why, part));
	assert_non_null(strstr(why, fault));
}

static void colons_stand_between_directories(void **state)
{
	(void)state;
	assert_parsed("static", "|static");
	assert_parsed("/srv/a:b:../c", "|/srv/a |b |../c");
	assert_parsed("/srv/with blank:/ü", "|/srv/with blank |/ü");
}

static void a_prefix_counts_before_what_is_clearly_a_directory(void **state)
{
	(void)state;
	assert_parsed("vendor=/srv/v", "vendor|/srv/v");
	assert_parsed("a/b=./v:c=../v", "a/b|./v c|../v");
	assert_parsed("vendor=static", "|vendor=static");
	assert_parsed("./x=y", "|./x=y");
	/* The first "=" that can end one does. */
	assert_parsed("a=b=/c=/d", "a=b|/c=/d");
	assert_parsed("...=/d", "...|/d");
}

static void backslashes_escape(void **state)
{
	(void)state;
	assert_parsed("/a\\:b:/c", "|/a:b |/c");
	assert_parsed("/a\\=/b", "|/a=/b");
	assert_parsed("a\\=/x=/b", "a=/x|/b");
	assert_parsed("/a\\,b", "|/a,b");
	assert_parsed("/a\\\\:/b", "|/a\\ |/b");
	/* Before any other character it is one itself. */
	assert_parsed("/a\\b", "|/a\\b");
	assert_parsed("/a\\", "|/a\\");
}

static void what_cannot_be_meant_is_refused(void **state)
{
	(void)state;
	assert_refused("", "", "no source");
	assert_refused("a::b", "a::b", "empty");
	assert_refused("a:", "a:", "empty");
	assert_refused("=/srv", "=/srv", "prefix is empty");
	assert_refused("x:v/=/srv", "v/=/srv", "begins nor ends");
	assert_refused("/srv/a=/b", "/srv/a=/b", "\\=");
	assert_refused("a//b=/srv", "a//b", "no empty");
	assert_refused("a/../b=/srv", "a/../b", "\"..\"");
	assert_refused(".=/srv", ".=", "\".\"");
}

static void sources_are_as_many_as_numbers_suffice_for(void **state)
{
	HF_CLEANUP(hf_root_specs_fini) struct hf_root_specs specs = {0};
	HF_CLEANUP(hf_freep) char *why = NULL;
	char text[2 * HF_ROOTS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "/:", 2);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(hf_root_specs_parse(&specs, text, &why), 0);
	assert_int_equal(specs.n, 65535);
	assert_int_equal(hf_root_specs_parse(&specs, "/last", &why), -EINVAL);
	assert_non_null(strstr(why, "/last"));
	assert_non_null(strstr(why, "65535"));
}

static void a_fault_is_shown_on_one_line(void **state)
{
	(void)state;
	assert_refused("=/a\nb", "=/a\\nb", "empty");
}

static char *write_file(const char *text, size_t len)
{
	const char *dir = getenv("TMPDIR");
	char *path;
	int fd;

	assert_true(asprintf(&path, "%s/hf-spec-XXXXXX", dir ? dir : "/tmp") >
		    0);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	return path;
}

static int read_text(const char *text, size_t len, char **shown, char **why)
{
	HF_CLEANUP(hf_root_specs_fini) struct hf_root_specs specs = {0};
	HF_CLEANUP(hf_freep) char *path = write_file(text, len);
	int error = hf_root_specs_read(&specs, path, why);

	*shown = show(&specs);
	unlink(path);
	return error;
}

static void a_file_has_one_root_a_line(void **state)
{
	static const char text[] = "# static files\n"
				   "/srv/a:b\n"
				   "\n"
				   "vendor=/srv/v\n"
				   "/a\\=/b\\\\\\:\n"
				   "./#last";
	HF_CLEANUP(hf_freep) char *shown = NULL;
	HF_CLEANUP(hf_freep) char *why = NULL;

	(void)state;
	assert_int_equal(read_text(text, strlen(text), &shown, &why), 0);
	assert_string_equal(shown, "|/srv/a:b vendor|/srv/v |/a=/b\\\\: "
				   "|./#last");
}

static void a_fault_in_a_file_is_told_with_its_line(void **state)
{
	static const char text[] = "/a\n\n=/b\n";
	HF_CLEANUP(hf_freep) char *shown = NULL;
	HF_CLEANUP(hf_freep) char *why = NULL;

	(void)state;
	assert_int_equal(read_text(text, strlen(text), &shown, &why), -EINVAL);
	assert_non_null(strstr(why, "line 3"));
	assert_non_null(strstr(why, "=/b"));
}

static void a_nul_byte_is_refused(void **state)
{
	HF_CLEANUP(hf_freep) char *shown = NULL;
	HF_CLEANUP(hf_freep) char *why = NULL;

	(void)state;
	assert_int_equal(read_text("/a\0b\n", 5, &shown, &why), -EINVAL);
	assert_non_null(strstr(why, "NUL"));
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	HF_CLEANUP(hf_root_specs_fini) struct hf_root_specs specs = {0};
	HF_CLEANUP(hf_freep) char *missing = NULL;
	HF_CLEANUP(hf_freep) char *directory = NULL;

	(void)state;
	assert_int_equal(hf_root_specs_read(&specs, "/nowhere/list", &missing),
			 -ENOENT);
	assert_non_null(strstr(missing, "/nowhere/list"));
	assert_int_equal(hf_root_specs_read(&specs, "/", &directory), -EISDIR);
	assert_non_null(directory);
}

static void resolving_makes_absolute_paths_without_links(void **state)
{
	HF_CLEANUP(hf_root_specs_fini) struct hf_root_specs specs = {0};
	HF_CLEANUP(hf_freep) char *why = NULL;
	HF_CLEANUP(hf_freep) char *here = realpath(".", NULL);

	(void)state;
	assert_int_equal(hf_root_specs_parse(&specs, ".:v=/../", &why), 0);
	assert_int_equal(hf_root_specs_resolve(&specs, &why), 0);
	assert_string_equal(specs.items[0].dir, here);
	assert_string_equal(specs.items[1].dir, "/");
	assert_string_equal(specs.items[1].prefix, "v");
}

static void a_missing_directory_is_named_with_the_likely_cause(void **state)
{
	HF_CLEANUP(hf_root_specs_fini) struct hf_root_specs specs = {0};
	HF_CLEANUP(hf_freep) char *why = NULL;

	(void)state;
	assert_int_equal(hf_root_specs_parse(&specs, "vendor=none", &why), 0);
	assert_int_equal(hf_root_specs_resolve(&specs, &why), -ENOENT);
	assert_non_null(strstr(why, "vendor=none"));
	assert_non_null(strstr(why, "./"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colons_stand_between_directories),
		cmocka_unit_test(
			a_prefix_counts_before_what_is_clearly_a_directory),
		cmocka_unit_test(backslashes_escape),
		cmocka_unit_test(what_cannot_be_meant_is_refused),
		cmocka_unit_test(sources_are_as_many_as_numbers_suffice_for),
		cmocka_unit_test(a_fault_is_shown_on_one_line),
		cmocka_unit_test(a_file_has_one_root_a_line),
		cmocka_unit_test(a_fault_in_a_file_is_told_with_its_line),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(resolving_makes_absolute_paths_without_links),
		cmocka_unit_test(
			a_missing_directory_is_named_with_the_likely_cause),
	};

	return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
