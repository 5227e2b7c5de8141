/*
 * read: the ways to get at the bytes of an open file. Each asks for all of
 * them, and for what comes behind, in pieces of its own.
 */
#include "tests/hostile/read.h"
#include "tests/hostile/hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* O_DIRECT wants whole blocks. */
#define BLOCK 4096

/* 0: the handle is at the end of its file, as it should be. */
static ssize_t nothing_left(int fd)
{
	char more;
	ssize_t n = read(fd, &more, 1);

	if (n < 0)
		return -errno;
	return n == 0 ? 0 : READ_SHORT;
}

/* With read(2) until the end, `piece` bytes at most at a time. A piece that
 * is neither full nor the last is a short answer. */
static ssize_t read_on(int fd, char *data, size_t room, size_t piece)
{
	size_t done = 0;
	ssize_t error;
	ssize_t n;

	do {
		size_t len = room - done < piece ? room - done : piece;

		n = read(fd, data + done, len);
		if (n < 0)
			return -errno;
		done += (size_t)n;
	} while ((size_t)n == piece);
	error = nothing_left(fd);
	return error < 0 ? error : (ssize_t)done;
}

static ssize_t by_read(int fd, char *data, size_t size)
{
	size_t piece =
		chance_one_in(3) ? size + 1 : 1 + chance_below(size / 8 + 4096);

	return read_on(fd, data, size + BLOCK, piece);
}

static ssize_t by_direct(int fd, char *data, size_t size)
{
	size_t piece = BLOCK * (1 + chance_below(size / BLOCK + 2));
	size_t room = (size / BLOCK + 2) * BLOCK;

	return read_on(fd, data, room, piece);
}

/* Pieces from the middle to the end, then from the start. */
static ssize_t by_pread(int fd, char *data, size_t size)
{
	size_t piece = 1 + size / (1 + chance_below(32));
	size_t n = (size + piece - 1) / piece;
	size_t first = chance_below(n);

	for (size_t i = 0; i < n; i++) {
		size_t offset = (first + i) % n * piece;
		size_t len = size - offset < piece ? size - offset : piece;
		ssize_t got = pread(fd, data + offset, len, (off_t)offset);

		/* What came before an error may come without it. */
		if (got >= 0 && (size_t)got < len &&
		    pread(fd, data, 1, (off_t)offset + got) >= 0)
			return READ_SHORT;
		if (got < (ssize_t)len)
			return -errno;
	}
	if (lseek(fd, (off_t)size, SEEK_SET) < 0)
		return -errno;
	return nothing_left(fd) < 0 ? READ_SHORT : (ssize_t)size;
}

static ssize_t by_mmap(int fd, char *data, size_t size)
{
	int flags = chance_one_in(2) ? MAP_SHARED : MAP_PRIVATE;
	char *mapped;
	bool good;

	if (size == 0)
		return 0;
	/* Where a page cannot be read the kernel tries again for ever. */
	if (size <= PINNED && chance_one_in(4))
		flags |= MAP_POPULATE;
	mapped = mmap(NULL, size, PROT_READ, flags, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	good = copy_mapped(data, mapped, size);
	munmap(mapped, size);
	return good ? (ssize_t)size : -EIO;
}

static ssize_t by_sendfile(int fd, char *data, size_t size)
{
	int memory = memfd_create("hostile", MFD_CLOEXEC);
	ssize_t done = 0;
	ssize_t n;

	if (memory < 0)
		return -errno;
	while ((n = sendfile(memory, fd, NULL, size + 1)) > 0)
		done += n;
	if (n < 0)
		done = -errno;
	else if (done > (ssize_t)size ||
		 pread(memory, data, size, 0) != (ssize_t)done)
		done = READ_SHORT;
	close(memory);
	return done;
}

static ssize_t by_splice(int fd, char *data, size_t size)
{
	size_t done = 0;
	int ends[2];
	ssize_t n;

	if (pipe(ends) < 0)
		return -errno;
	while ((n = splice(fd, NULL, ends[1], NULL, 65536, 0)) > 0) {
		if (done + (size_t)n > size + BLOCK ||
		    read(ends[0], data + done, (size_t)n) != n) {
			n = READ_SHORT;
			break;
		}
		done += (size_t)n;
	}
	if (n < 0 && n != READ_SHORT)
		n = -errno;
	close(ends[0]);
	close(ends[1]);
	return n < 0 ? n : (ssize_t)done;
}

const struct read_way read_ways[N_READ_WAYS] = {
	{"read.read", 0, by_read},         {"read.pread", 0, by_pread},
	{"read.mmap", 0, by_mmap},         {"read.direct", O_DIRECT, by_direct},
	{"read.sendfile", 0, by_sendfile}, {"read.splice", 0, by_splice},
};
