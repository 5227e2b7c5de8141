#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/base.h"

static void adds_and_terminates(void **state)
{
	struct hf_buf buf = {0};

	(void)state;
	hf_buf_add(&buf, NULL, 0);
	assert_string_equal(buf.data, "");
	hf_buf_add(&buf, "ab\0c", 4);
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.data, "ab\0c", 5);
	hf_buf_puts(&buf, "de");
	hf_buf_putc(&buf, 'f');
	hf_buf_printf(&buf, "%d", 42);
	assert_memory_equal(buf.data, "ab\0cdef42", 10);
	assert_int_equal(buf.len, 9);
	assert_int_equal(hf_buf_status(&buf), 0);
	hf_buf_fini(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf.cap, 0);
}

static void grows_at_every_length(void **state)
{
	struct hf_buf buf = {0};

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		hf_buf_putc(&buf, (char)('a' + i % 26));
		assert_int_equal(buf.len, i + 1);
		assert_int_equal(buf.data[i + 1], 0);
	}
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	hf_buf_fini(&buf);
}

/* The text may fit, fill the memory to the last byte, or be too long. */
static void printf_of_every_length(void **state)
{
	char expected[1100];

	(void)state;
	memset(expected, 'x', sizeof(expected));
	for (int before = 0; before < 3; before++) {
		for (int n = 0; n < 1000; n++) {
			struct hf_buf buf = {0};

			hf_buf_add(&buf, expected, before * 30);
			hf_buf_printf(&buf, "%.*s", n, expected);
			assert_int_equal(buf.len, before * 30 + n);
			assert_memory_equal(buf.data, expected, buf.len);
			assert_int_equal(buf.data[buf.len], 0);
			hf_buf_fini(&buf);
		}
	}
}

static void failure_is_remembered(void **state)
{
	struct hf_buf buf = {0};
	volatile size_t too_much = SIZE_MAX - 1;
	char *text = NULL;

	(void)state;
	hf_buf_puts(&buf, "kept");
	hf_buf_add(&buf, "x", too_much);
	assert_int_equal(hf_buf_status(&buf), -ENOMEM);
	hf_buf_puts(&buf, "not added");
	hf_buf_printf(&buf, "%s", "nor this");
	assert_string_equal(buf.data, "kept");
	assert_int_equal(hf_buf_steal(&buf, &text), -ENOMEM);
	assert_null(text);
	assert_null(buf.data);
	assert_int_equal(hf_buf_status(&buf), 0);
}

static void cut_keeps_the_front(void **state)
{
	struct hf_buf buf = {0};

	(void)state;
	hf_buf_cut(&buf, 0);
	assert_null(buf.data);
	hf_buf_puts(&buf, "first");
	hf_buf_cut(&buf, 5);
	assert_string_equal(buf.data, "first");
	hf_buf_cut(&buf, 2);
	assert_string_equal(buf.data, "fi");
	hf_buf_puts(&buf, "ve");
	assert_string_equal(buf.data, "five");
	hf_buf_fini(&buf);
}

static void reset_forgets(void **state)
{
	struct hf_buf buf = {0};
	volatile size_t too_much = SIZE_MAX / 2;
	const char *memory;

	(void)state;
	hf_buf_reset(&buf);
	hf_buf_puts(&buf, "first");
	memory = buf.data;
	hf_buf_add(&buf, "x", too_much);
	hf_buf_reset(&buf);
	assert_int_equal(hf_buf_status(&buf), 0);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
	assert_ptr_equal(buf.data, memory);
	hf_buf_puts(&buf, "second");
	assert_string_equal(buf.data, "second");
	hf_buf_fini(&buf);
}

static void steal_moves(void **state)
{
	struct hf_buf buf = {0};
	char *empty = NULL;
	char *text = NULL;

	(void)state;
	assert_int_equal(hf_buf_steal(&buf, &empty), 0);
	assert_string_equal(empty, "");
	hf_buf_puts(&buf, "text");
	assert_int_equal(hf_buf_steal(&buf, &text), 0);
	assert_string_equal(text, "text");
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	free(empty);
	free(text);
}

static void cleanups_keep_errno(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int none = -1;
	int kept;

	(void)state;
	assert_true(fd >= 0);
	errno = EXDEV;
	{
		HF_CLEANUP(hf_freep) char *text = malloc(10);
		HF_CLEANUP(hf_freep) char *nothing = NULL;
		HF_CLEANUP(hf_closep) int closed = fd;
		HF_CLEANUP(hf_closep) int never_opened = none;

		(void)text;
		(void)nothing;
		(void)closed;
		(void)never_opened;
		errno = EXDEV;
	}
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fcntl(fd, F_GETFD), -1);

	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	{
		HF_CLEANUP(hf_closep) int stolen = fd;

		kept = hf_steal_fd(&stolen);
		assert_int_equal(stolen, -1);
	}
	assert_true(fcntl(kept, F_GETFD) >= 0);
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_and_terminates),
		cmocka_unit_test(grows_at_every_length),
		cmocka_unit_test(printf_of_every_length),
		cmocka_unit_test(failure_is_remembered),
		cmocka_unit_test(cut_keeps_the_front),
		cmocka_unit_test(reset_forgets),
		cmocka_unit_test(steal_moves),
		cmocka_unit_test(cleanups_keep_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
