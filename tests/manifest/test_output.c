#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest/manifest.h"

/* Each test has a new directory and stands in it. */
static int setup(void **state)
{
	char *dir = strdup("/tmp/hashedfs-output-XXXXXX");

	*state = dir;
	umask(022);
	return dir && mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static size_t count_files(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			n++;
	}
	closedir(dir);
	return n;
}

static int teardown(void **state)
{
	char *dir = *state;
	int result = unlink("f") | unlink("link");

	(void)result;
	result = chdir("/") | rmdir(dir);
	free(dir);
	return result;
}

static void assert_content(const char *path, const char *expected)
{
	struct hf_buf text = {0};

	assert_int_equal(hf_input_read(path, &text), 0);
	assert_string_equal(text.data, expected);
	hf_buf_fini(&text);
}

static int put(const char *path, const char *text, char **why)
{
	struct hf_output output;
	int error = hf_output_open(path, &output, why);

	if (error < 0)
		return error;
	error = hf_output_write(&output, text, strlen(text), why);
	hf_output_close(&output);
	return error;
}

static void writes_and_replaces(void **state)
{
	char *why = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(put("f", "one", &why), 0);
	assert_content("f", "one");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	umask(077);
	assert_int_equal(put("./f", "two", &why), 0);
	assert_content("f", "two");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count_files(), 1);
}

/* Who looks whether there is something new is told the truth. */
static void leaves_what_is_right(void **state)
{
	char *why = NULL;
	struct stat before;
	struct stat st;

	(void)state;
	assert_int_equal(put("f", "one", &why), 0);
	assert_int_equal(stat("f", &before), 0);
	assert_int_equal(put("f", "one", &why), 0);
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_ino, before.st_ino);
	assert_int_equal(st.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	assert_int_equal(put("f", "two", &why), 0);
	assert_content("f", "two");
	assert_int_equal(put("f", "twos", &why), 0);
	assert_content("f", "twos");
}

static void keeps_a_link(void **state)
{
	char *why = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(put("f", "one", &why), 0);
	assert_int_equal(symlink("f", "link"), 0);
	assert_int_equal(put("link", "two", &why), 0);
	assert_content("f", "two");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(count_files(), 2);
}

static void never_replaces_a_device(void **state)
{
	char *why = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(symlink("/dev/null", "link"), 0);
	assert_int_equal(put("link", "x", &why), 0);
	assert_int_equal(stat("link", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

/* As --output /dev/stdout >f: the shell's file is not replaced. */
static void knows_standard_output_by_its_file(void **state)
{
	int before = dup(STDOUT_FILENO);
	int file = open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char *why = NULL;
	char text[4] = "";

	(void)state;
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	assert_int_equal(put("f", "one", &why), 0);
	dup2(before, STDOUT_FILENO);
	close(before);
	assert_int_equal(pread(file, text, 3, 0), 3);
	assert_string_equal(text, "one");
	close(file);
}

static void assert_refused(const char *path, int error, const char *sentence)
{
	struct hf_output output;
	char *why = NULL;

	assert_int_equal(hf_output_open(path, &output, &why), error);
	assert_string_equal(why, sentence);
	free(why);
	assert_int_equal(count_files(), 0);
}

static void refuses_before_the_work(void **state)
{
	(void)state;
	assert_refused("no/f", -ENOENT,
		       "cannot write no/f: its directory does not exist; "
		       "create it with mkdir");
	assert_refused("/", -EISDIR, "cannot write /: Is a directory");
	assert_refused("new/", -EISDIR, "cannot write new/: Is a directory");
	assert_refused("/dev/null/f", -ENOTDIR,
		       "cannot write /dev/null/f: Not a directory");
	assert_refused("", -ENOENT, "the name of the file to write is empty");
}

static void reports_a_full_disk(void **state)
{
	char *why = NULL;

	(void)state;
	assert_int_equal(put("/dev/full", "x", &why), -ENOSPC);
	assert_string_equal(why,
			    "cannot write /dev/full: No space left on device");
	free(why);
}

/* A limit of four bytes: the file breaks off in the middle. */
static void leaves_the_old_file_after_an_error(void **state)
{
	struct rlimit before, four = {4, 0};
	char *why = NULL;

	(void)state;
	assert_int_equal(put("f", "one", &why), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	four.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_FSIZE, &four);
	assert_int_equal(put("f", "too long", &why), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	free(why);
	assert_content("f", "one");
	assert_int_equal(count_files(), 1);
}

static void leaves_the_signal_mask(void **state)
{
	sigset_t mask;
	char *why = NULL;

	(void)state;
	assert_int_equal(put("f", "x", &why), 0);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	assert_false(sigismember(&mask, SIGINT));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_and_replaces),
		TEST(leaves_what_is_right),
		TEST(keeps_a_link),
		TEST(never_replaces_a_device),
		TEST(knows_standard_output_by_its_file),
		TEST(refuses_before_the_work),
		TEST(reports_a_full_disk),
		TEST(leaves_the_old_file_after_an_error),
		TEST(leaves_the_signal_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
