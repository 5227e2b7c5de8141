/*
 * look: a reader that believes names alone. It lists directories again and
 * again, opens what it finds there and names of long ago, and holds files
 * open and mapped while their sources change.
 */
#include "tests/hostile/hostile.h"
#include "tests/hostile/read.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Digits of the digest in a name. */
#define DIGITS 12
/* Names of long ago, and files held open. */
#define N_OLD 64
#define N_HELD 24
#define PATH_LEN 320

static _Alignas(4096) char data[LARGEST + SLACK + READ_ROOM];

/* --- what a name promises ---------------------------------------------------- */

/* The digest in "a/b.0123456789ab.css", or NULL. */
static const char *digest_in(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (!dot || dot - path < DIGITS + 1 || dot[-DIGITS - 1] != '.')
		return NULL;
	for (const char *at = dot - DIGITS; at < dot; at++)
		if (!isxdigit((unsigned char)*at))
			return NULL;
	return dot - DIGITS;
}

static bool fits(const char *path, const char *bytes, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[DIGITS + 1];

	if (!EVP_Digest(bytes, len, digest, NULL, EVP_md5(), NULL))
		abort();
	for (size_t i = 0; i < DIGITS / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return memcmp(hex, digest_in(path), DIGITS) == 0;
}

static void accuse(const char *what, const char *path, const char *way,
		   size_t size, ssize_t got)
{
	count(what, 1);
	fprintf(stderr, "%s: %s, %zu bytes, %s: %zd\n", what, path, size, way,
		got);
}

/* Judges what `way` read of a file that is `size` bytes long. */
static void judge(const char *path, const char *way, size_t size, ssize_t got)
{
	if (got == -EIO && size > PINNED) {
		count("late", 1);
	} else if (got < 0 && got != READ_SHORT) {
		accuse("failed", path, way, size, got);
	} else if (got != (ssize_t)size) {
		accuse("short", path, way, size, got);
	} else if (!fits(path, data, size)) {
		accuse("wrong", path, way, size, got);
	} else {
		count("good", 1);
		count("bytes", size);
		count(way, 1);
	}
}

/* An errno as a word that can be counted. */
static const char *refusal(const char *what, int error)
{
	static char words[2][256][32];
	char *word = words[*what == 'o'][error & 255];

	snprintf(word, sizeof(words[0][0]), "%s.%s", what,
		 strerrorname_np(error));
	return word;
}

/* The handle, or -1 when it was refused; *ret_size is what fstat says. */
static int open_counted(const char *path, int flags, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	struct stat st;

	count("opens", 1);
	if (fd < 0) {
		count(refusal("open", errno), 1);
		return -1;
	}
	if (fstat(fd, &st) < 0 || st.st_size > LARGEST + SLACK + PINNED / 8) {
		accuse("failed", path, "fstat", 0, -errno);
		close(fd);
		return -1;
	}
	*ret_size = (size_t)st.st_size;
	if (chance_one_in(4))
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return fd;
}

static void read_once(const char *path)
{
	const struct read_way *way = &read_ways[chance_below(N_READ_WAYS)];
	size_t size;
	int fd = open_counted(path, way->flags, &size);

	if (fd < 0)
		return;
	judge(path, way->name, size, way->read(fd, data, size));
	close(fd);
}

/* --- files that are held ------------------------------------------------------- */

static struct held {
	char path[PATH_LEN];
	int fd;
	char *mapped; /* NULL: nothing is held here, or nothing to map */
	size_t size;
} held[N_HELD];

static void hold(struct held *place, const char *path)
{
	place->fd = open_counted(path, 0, &place->size);
	if (place->fd < 0)
		return;
	if (place->size == 0) {
		close(place->fd);
		return;
	}
	place->mapped =
		mmap(NULL, place->size, PROT_READ, MAP_SHARED, place->fd, 0);
	if (place->mapped == MAP_FAILED)
		abort();
	snprintf(place->path, sizeof(place->path), "%s", path);
	/* Some are looked at only after their source changed. */
	if (chance_one_in(2))
		judge(path, "held.first", place->size,
		      copy_mapped(data, place->mapped, place->size)
			      ? (ssize_t)place->size
			      : -EIO);
}

static void let_go(struct held *place)
{
	munmap(place->mapped, place->size);
	close(place->fd);
	place->mapped = NULL;
}

static void look_at_held(struct held *place)
{
	const struct read_way *way = &read_ways[chance_below(N_READ_WAYS)];

	if (chance_one_in(4)) {
		(void)madvise(place->mapped, place->size, MADV_DONTNEED);
		(void)posix_fadvise(place->fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	if (chance_one_in(2)) {
		judge(place->path, "held.mmap", place->size,
		      copy_mapped(data, place->mapped, place->size)
			      ? (ssize_t)place->size
			      : -EIO);
	} else if (!way->flags && lseek(place->fd, 0, SEEK_SET) == 0) {
		judge(place->path, "held.handle", place->size,
		      way->read(place->fd, data, place->size));
	}
	/* The same name once more, beside the handle that is open. */
	if (chance_one_in(2))
		read_once(place->path);
	if (chance_one_in(16))
		let_go(place);
}

/* --- names ------------------------------------------------------------------------ */

static char old[N_OLD][PATH_LEN];

static void use_name(const char *path)
{
	struct held *place = &held[chance_below(N_HELD)];

	if (!digest_in(path)) {
		count("plain", 1); /* it promises nothing */
		return;
	}
	read_once(path);
	if (!place->mapped && chance_one_in(4))
		hold(place, path);
	if (chance_one_in(4))
		snprintf(old[chance_below(N_OLD)], PATH_LEN, "%s", path);
}

static void use_directory(const char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	char path[PATH_LEN];

	if (!stream) {
		count(refusal("listing", errno), 1);
		return;
	}
	count("listings", 1);
	while ((entry = readdir(stream))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		use_name(path);
	}
	closedir(stream);
}

/* Of large files a glance tells as much, and costs a hundred others. */
static const struct victim *any_victim(void)
{
	const struct victim *victim;

	do
		victim = victim_at(chance_below(victims_len()));
	while (victim->size > PINNED / 2 && !chance_one_in(4));
	return victim;
}

static void use_any_directory(void)
{
	const char *path = any_victim()->path;
	char dir[sizeof(((struct victim *)0)->path)];

	snprintf(dir, sizeof(dir), "%.*s", (int)(strchr(path, '/') - path),
		 path);
	use_directory(dir);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	/* 1: pages, 2: names and inodes, 3: both. */
	const char *what = (const char *[]){"1", "2", "3"}[chance_below(3)];

	if (fd < 0 || write(fd, what, 1) != 1)
		count("drop.failed", 1);
	else
		count("drops", 1);
	if (fd >= 0)
		close(fd);
}

int hostile_read(int64_t until_ns, bool drop)
{
	int64_t now;
	int64_t next_drop = 0;

	while ((now = clock_ns()) < until_ns) {
		const char *path = old[chance_below(N_OLD)];
		struct held *place = &held[chance_below(N_HELD)];

		use_any_directory();
		if (path[0])
			read_once(path);
		if (place->mapped)
			look_at_held(place);
		if (drop && now > next_drop) {
			drop_caches();
			next_drop = now + INT64_C(1000000000);
		}
	}
	for (size_t i = 0; i < N_HELD; i++)
		if (held[i].mapped)
			let_go(&held[i]);
	return 0;
}
