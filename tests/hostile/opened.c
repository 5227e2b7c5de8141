/*
 * opened: what a name, or else an inode, promises of the bytes of a file; and
 * whether they are so.
 */
#include "tests/hostile/opened.h"
#include "tests/hostile/read.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

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

/* Where a name says nothing of the bytes, the inode must be what it says. */
static bool only_inode_tells(const char *path)
{
	return strncmp(path, "circle/", 7) == 0 ||
	       strncmp(path, "own/", 4) == 0;
}

/* A file that could not be read to be named stands under its plain name. */
bool promises(const char *path)
{
	return digest_in(path) || strncmp(path, "own/", 4) == 0;
}

/* The digits that the digest of an open file begins with. */
static bool digest_of(const char *path, int fd, char ret[2 * DIGITS + 1])
{
	ssize_t n = DIGITS;

	memset(ret, 0, 2 * DIGITS + 1);
	if (only_inode_tells(path)) {
		char hex[64];

		n = fgetxattr(fd, "user.hashedfs.digest", hex, sizeof(hex));
		if (n >= 2 * DIGITS)
			memcpy(ret, hex, 2 * DIGITS);
		return n >= 2 * DIGITS;
	}
	memcpy(ret, digest_in(path), DIGITS);
	return true;
}

static bool fits(const char *digits, const char *bytes, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[2 * DIGITS + 1];

	if (!EVP_Digest(bytes, len, digest, NULL, EVP_md5(), NULL))
		abort();
	for (size_t i = 0; i < DIGITS; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return memcmp(hex, digits, strlen(digits)) == 0;
}

void accuse(const char *what, const char *path, const char *way, size_t size,
	    ssize_t got)
{
	count(what, 1);
	fprintf(stderr, "%s: %s, %s, %zd of %zu\n", what, path, way, got, size);
}

void judge(const struct opened *opened, const char *way, const char *data,
	   ssize_t got)
{
	const char *path = opened->path;
	size_t size = opened->size;

	if (got == -EIO && size > PINNED) {
		count("late", 1);
	} else if (got < 0 && got != READ_SHORT) {
		accuse("failed", path, way, size, got);
	} else if (got != (ssize_t)size) {
		accuse("short", path, way, size, got);
	} else if (!fits(opened->digits, data, size)) {
		accuse("wrong", path, way, size, got);
	} else {
		count("good", 1);
		count("bytes", size);
		count(way, 1);
	}
}

const char *refusal(const char *what, int error)
{
	static char words[2][256][32];
	char *word = words[*what == 'o'][error & 255];

	snprintf(word, sizeof(words[0][0]), "%s.%s", what,
		 strerrorname_np(error));
	return word;
}

bool open_counted(const char *path, int flags, struct opened *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	struct stat st;

	count("opens", 1);
	if (fd < 0) {
		count(refusal("open", errno), 1);
		return false;
	}
	if (fstat(fd, &st) < 0 || st.st_size > LARGEST + SLACK ||
	    !digest_of(path, fd, ret->digits)) {
		accuse("failed", path, "opening", 0, -errno);
		close(fd);
		return false;
	}
	if (chance_one_in(4))
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	ret->fd = fd;
	ret->size = (size_t)st.st_size;
	return true;
}
