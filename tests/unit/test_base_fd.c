/* Writing to a descriptor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "fs/base/base.h"

#define LEN (4 << 20)

static void on_alarm(int number)
{
	(void)number;
}

/* Reads to the end, slowly at first, so that writers are held up. */
static void *drain(void *arg)
{
	int *fd = arg;
	char *data = malloc(LEN + 1);
	size_t len = 0;
	ssize_t n;

	usleep(50000);
	while ((n = read(*fd, data + len, LEN + 1 - len)) > 0)
		len += (size_t)n;
	for (size_t i = 0; i < len; i++)
		if (data[i] != (char)(i % 251))
			len = 0;
	free(data);
	return (void *)(uintptr_t)len;
}

/* A write to a pipe is cut short by each signal. */
static void all_is_written_whatever_signals_come(void **state)
{
	const struct itimerval often = {{0, 1000}, {0, 1000}}, never = {0};
	const struct sigaction action = {.sa_handler = on_alarm};
	char *data = malloc(LEN);
	pthread_t thread;
	void *read;
	int fds[2];

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		data[i] = (char)(i % 251);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(hf_thread_start(&thread, 0, drain, &fds[0]), 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(hf_write_all(fds[1], data, LEN), 0);
	setitimer(ITIMER_REAL, &never, NULL);
	close(fds[1]);
	pthread_join(thread, &read);
	assert_int_equal((uintptr_t)read, LEN);
	close(fds[0]);
	free(data);
}

static void what_cannot_be_written_is_an_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_int_equal(hf_write_all(fd, "text", 4), -ENOSPC);
	assert_int_equal(hf_write_all(fd, "", 0), 0);
	close(fd);
	assert_int_equal(hf_write_all(-1, "text", 4), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_written_whatever_signals_come),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests_name("fd", tests, NULL, NULL);
}
