/*
 * write: the ways to change a file under a reader.
 */
#include "tests/hostile/write.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for a whole content. */
static _Alignas(4096) char data[LARGEST + SLACK];

static int put(const struct target *target, int fd, size_t offset, size_t len)
{
	victim_fill(target->victim, data, offset, len);
	return pwrite(fd, data, len, (off_t)offset) < 0 ? -errno : 0;
}

/* A range of the file as it is: any, often short, never empty unless it is. */
static size_t some_range(size_t size, size_t *ret_len)
{
	size_t offset = chance_below(size);
	size_t most = size - offset;

	if (chance_one_in(2) && most > 64)
		most = 64;
	*ret_len = most ? 1 + chance_below(most) : 0;
	return offset;
}

static int write_in_place(struct target *target)
{
	int error = 0;

	for (size_t i = 1 + chance_below(3); i > 0 && error == 0; i--) {
		size_t len;
		size_t offset = some_range(target->size, &len);

		error = put(target, target->fd, offset, len);
	}
	return error;
}

/* Mappings stay, and so do their pages: dirty and writable. */
struct mapping {
	char *data;
	size_t len;
	ino_t ino;
};
static struct mapping mappings[MAX_VICTIMS];

static int map(struct target *target, struct mapping *mapping)
{
	struct stat st;

	if (fstat(target->fd, &st) < 0)
		return -errno;
	if (mapping->data && mapping->ino == st.st_ino &&
	    mapping->len <= (size_t)st.st_size && !chance_one_in(100))
		return 0;
	if (mapping->data)
		munmap(mapping->data, mapping->len);
	mapping->data = NULL;
	mapping->ino = st.st_ino;
	mapping->len = (size_t)st.st_size;
	if (mapping->len == 0)
		return 0;
	mapping->data = mmap(NULL, mapping->len, PROT_READ | PROT_WRITE,
			     MAP_SHARED, target->fd, 0);
	if (mapping->data != MAP_FAILED)
		return 0;
	mapping->data = NULL;
	return -errno;
}

static int write_mapped(struct target *target)
{
	struct mapping *mapping = &mappings[target->i];
	int error = map(target, mapping);

	if (error < 0 || !mapping->data)
		return error;
	for (size_t i = 1 + chance_below(8); i > 0; i--) {
		size_t len;
		size_t offset = some_range(mapping->len, &len);

		victim_fill(target->victim, data, offset, len);
		/* Somebody may have cut the file off meanwhile. */
		(void)copy_mapped(mapping->data + offset, data, len);
	}
	return 0;
}

static int write_and_set_back(struct target *target)
{
	struct stat st;
	size_t len;
	size_t offset = some_range(target->size, &len);
	int error = fstat(target->fd, &st) < 0 ? -errno : 0;

	if (error == 0)
		error = put(target, target->fd, offset, len);
	if (error == 0 &&
	    futimens(target->fd, (struct timespec[]){st.st_atim, st.st_mtim}) <
		    0)
		error = -errno;
	return error;
}

static int write_all_at(int fd, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pwrite(fd, data + done, size - done, (off_t)done);

		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

static int truncate_and_write(struct target *target)
{
	size_t size = victim_whole(target->victim, data);

	if (ftruncate(target->fd, 0) < 0)
		return -errno;
	return write_all_at(target->fd, size);
}

/* Moves the stamps, and nothing else; then perhaps one byte. */
static int truncate_to_same(struct target *target)
{
	if (ftruncate(target->fd, (off_t)target->size) < 0)
		return -errno;
	return chance_one_in(2) && target->size
		       ? put(target, target->fd, chance_below(target->size), 1)
		       : 0;
}

static int write_huge(struct target *target)
{
	size_t size = victim_whole(target->victim, data);
	int error = write_all_at(target->fd, size);

	if (error == 0 && ftruncate(target->fd, (off_t)size) < 0)
		error = -errno;
	return error;
}

/* The name of a helping file beside the victim; the mount ignores it. */
static void beside(const struct target *target, const char *what, char ret[64])
{
	const char *slash = strchr(target->victim->path, '/');

	snprintf(ret, 64, "%.*s/.%s-%ld", (int)(slash - target->victim->path),
		 target->victim->path, what, (long)getpid());
}

static int rename_over(struct target *target)
{
	size_t size = victim_whole(target->victim, data);
	char path[64];
	int error;
	int fd;

	beside(target, "new", path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	error = write_all_at(fd, size);
	close(fd);
	if (error == 0 && rename(path, target->victim->path) < 0)
		error = -errno;
	return error;
}

static int write_by_link(struct target *target)
{
	size_t len;
	size_t offset = some_range(target->size, &len);
	char path[64];
	int error;
	int fd;

	beside(target, "link", path);
	(void)unlink(path);
	if (link(target->victim->path, path) < 0)
		return -errno;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = put(target, fd, offset, len);
	close(fd);
	return error;
}

/* Past the page cache, in whole blocks. */
static int write_direct(struct target *target)
{
	size_t blocks = target->size / 4096;
	size_t first = chance_below(blocks);
	size_t n = blocks ? 1 + chance_below(blocks - first) : 0;
	int error;
	int fd = open(target->victim->path, O_WRONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	error = put(target, fd, first * 4096, n * 4096);
	close(fd);
	return error;
}

static int punch(struct target *target)
{
	size_t len;
	size_t offset = some_range(target->size, &len);

	if (len &&
	    fallocate(target->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)offset, (off_t)len) < 0)
		return -errno;
	return 0;
}

/* Longer for a moment, then as it was. */
static int grow_and_cut(struct target *target)
{
	int error = put(target, target->fd, target->size,
			1 + chance_below(SLACK - 1));

	if (error == 0 && ftruncate(target->fd, (off_t)target->size) < 0)
		error = -errno;
	return error;
}

/* The content of another file of the same kind, by blocks shared or copied. */
static int copy_other(struct target *target)
{
	size_t i = target->i + (target->i + 1 < victims_len() ? 1 : 0);
	off_t offset = 0;
	int error = 0;
	int fd = open(victim_at(i)->path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (ioctl(target->fd, FICLONE, fd) < 0) {
		lseek(fd, 0, SEEK_SET);
		n = copy_file_range(fd, NULL, target->fd, &offset,
				    LARGEST + SLACK, 0);
		if (n < 0 || ftruncate(target->fd, (off_t)n) < 0)
			error = -errno;
	}
	close(fd);
	return error;
}

const struct write_way write_ways[N_WRITE_WAYS] = {
	{"write.inplace", false, write_in_place},
	{"write.mmap", true, write_mapped},
	{"write.setback", false, write_and_set_back},
	{"write.truncate", false, truncate_and_write},
	{"write.same", false, truncate_to_same},
	{"write.huge", false, write_huge},
	{"write.rename", false, rename_over},
	{"write.link", false, write_by_link},
	{"write.direct", false, write_direct},
	{"write.punch", false, punch},
	{"write.grow", false, grow_and_cut},
	{"write.copy", false, copy_other},
};
