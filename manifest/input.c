/* Whole files. */
#include "manifest/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define STEP (64 * 1024)

/* The size is not asked for: files of .hashedfs/ say 0 until they are read. */
static int read_all(int fd, struct hf_buf *ret)
{
	HF_CLEANUP(hf_freep) char *step = malloc(STEP);

	if (!step)
		return -ENOMEM;
	hf_buf_puts(ret, "");
	for (;;) {
		ssize_t n = read(fd, step, STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return hf_buf_status(ret);
		hf_buf_add(ret, step, (size_t)n);
	}
}

int hf_input_read(const char *path, struct hf_buf *ret)
{
	HF_CLEANUP(hf_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_all(fd, ret);
}
