#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

#include "manifest/manifest.h"

#define NS_PER_S INT64_C(1000000000)

static void reads_status(void **state)
{
	struct hf_work work = {0};

	(void)state;
	assert_true(hf_work_parse("version: 0.1.0\n"
				  "x_progress_files: 7/7\n"
				  "progress_files: 12/345\n"
				  "progress_bytes: 18446744073709551615/0\n"
				  "threads: 2\n",
				  &work));
	assert_int_equal(work.files_done, 12);
	assert_int_equal(work.files, 345);
	assert_int_equal(work.bytes_done, UINT64_MAX);
	assert_int_equal(work.bytes, 0);
}

static void refuses_status(void **state)
{
	struct hf_work work;

	(void)state;
	assert_false(hf_work_parse("", &work));
	assert_false(hf_work_parse("progress_files: 1/2\n", &work));
	assert_false(hf_work_parse("progress_files: 1/2\n"
				   "progress_bytes: 3\n",
				   &work));
	assert_false(hf_work_parse("progress_files 1/2\n"
				   "progress_bytes: 3/4\n",
				   &work));
}

static void assert_line(struct hf_work work, int64_t seconds,
			const char *expected)
{
	struct hf_buf line = {0};

	hf_work_describe(&work, seconds * NS_PER_S, &line);
	assert_string_equal(line.data, expected);
	hf_buf_fini(&line);
}

static void describes(void **state)
{
	(void)state;
	assert_line((struct hf_work){0}, 0, "0/0 files, 0.0/0.0 MB, 0.0 MB/s");
	assert_line((struct hf_work){10, 76036, 100000000, 729000000}, 10,
		    "10/76036 files, 100.0/729.0 MB, 10.0 MB/s, 1:02 left");
	assert_line((struct hf_work){5, 5, 1000000, 1000000}, 2,
		    "5/5 files, 1.0/1.0 MB, 0.5 MB/s");
	/* A rest that nobody waits for is not told. */
	assert_line((struct hf_work){1, 9, 1, 900000000}, 1000,
		    "1/9 files, 0.0/900.0 MB, 0.0 MB/s");
}

static void fits_a_line(void **state)
{
	struct hf_work work = {9999999, 10000000, 9999999000000,
			       10000000000000};
	struct hf_buf line = {0};

	(void)state;
	hf_work_describe(&work, 99999 * NS_PER_S, &line);
	assert_in_range(line.len, 1, 79);
	hf_buf_fini(&line);
}

static bool never(void *context, struct hf_work *ret)
{
	(void)context;
	(void)ret;
	return false;
}

static void is_silent_when_told_to(void **state)
{
	(void)state;
	assert_null(hf_meter_start(true, never, NULL));
	hf_meter_stop(NULL);
}

static bool much(void *context, struct hf_work *ret)
{
	(void)context;
	*ret = (struct hf_work){9999999, 10000000, 1, 2};
	return true;
}

/* A terminal of 20 columns in the place of standard error. */
static void fits_the_terminal(void **state)
{
	struct winsize size = {.ws_row = 5, .ws_col = 20};
	int stderr_fd = dup(STDERR_FILENO);
	struct hf_meter *meter;
	struct pollfd ready = {.events = POLLIN};
	char line[256] = "";
	int slave_fd;

	(void)state;
	assert_int_equal(openpty(&ready.fd, &slave_fd, NULL, NULL, &size), 0);
	assert_int_equal(dup2(slave_fd, STDERR_FILENO), STDERR_FILENO);
	meter = hf_meter_start(false, much, NULL);
	assert_int_equal(poll(&ready, 1, 20000), 1);
	assert_true(read(ready.fd, line, sizeof(line) - 1) > 0);
	hf_meter_stop(meter);
	assert_int_equal(dup2(stderr_fd, STDERR_FILENO), STDERR_FILENO);
	assert_memory_equal(line, "\r9999999/10000000 fi\033[K", 23);
	close(stderr_fd);
	close(slave_fd);
	close(ready.fd);
}

static void knows_nothing_of_what_is_no_mount(void **state)
{
	char mount[] = "/no/such";
	struct hf_work work;

	(void)state;
	assert_false(hf_work_of_mount(mount, &work));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_status),
		cmocka_unit_test(refuses_status),
		cmocka_unit_test(describes),
		cmocka_unit_test(fits_a_line),
		cmocka_unit_test(is_silent_when_told_to),
		cmocka_unit_test(fits_the_terminal),
		cmocka_unit_test(knows_nothing_of_what_is_no_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
