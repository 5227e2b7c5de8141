/*
 * The product's clock, moved by the number of seconds that stands in the file
 * that HASHEDFS_TEST_CLOCK names, 32 bytes that are written in place. Linked
 * over hf_clock_realtime() by -Wl,--wrap, so that a test can step the clock of
 * one program alone.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEN 32

int64_t __real_hf_clock_realtime(void);
int64_t __wrap_hf_clock_realtime(void);

static const volatile char *offset = MAP_FAILED;

/* Mapped before the program closes what it does not know, and before it is
 * confined to its sources. */
__attribute__((constructor)) static void map_offset(void)
{
	const char *path = getenv("HASHEDFS_TEST_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	offset = mmap(NULL, LEN, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
}

int64_t __wrap_hf_clock_realtime(void)
{
	char text[LEN] = "";

	for (size_t i = 0; offset != MAP_FAILED && i < LEN - 1; i++)
		text[i] = offset[i];
	return __real_hf_clock_realtime() + atoll(text) * 1000000000;
}
