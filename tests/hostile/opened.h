/* An open file, and what it must hold. */
#ifndef HOSTILE_OPENED_H
#define HOSTILE_OPENED_H

#include "tests/hostile/hostile.h"

/* Digits of the digest in a name. */
#define DIGITS 12
#define PATH_LEN 320

struct opened {
	char path[PATH_LEN];
	char digits[2 * DIGITS + 1]; /* that the digest begins with */
	int fd;
	size_t size; /* as fstat says */
};

/* False: it was refused, and that is counted. */
bool open_counted(const char *path, int flags, struct opened *ret);
/* True if files of that name are held against something at all. */
bool promises(const char *path);
/* Judges the bytes in `data`, which `way` read and whose number is `got`, as
 * those of struct read_way. */
void judge(const struct opened *opened, const char *way, const char *data,
	   ssize_t got);
/* Counts a broken promise, and tells of it. */
void accuse(const char *what, const char *path, const char *way, size_t size,
	    ssize_t got);
/* An errno as a word that can be counted: "open.ENOENT". */
const char *refusal(const char *what, int error);

#endif
