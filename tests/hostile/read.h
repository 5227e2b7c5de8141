/* The ways to read an open file. */
#ifndef HOSTILE_READ_H
#define HOSTILE_READ_H

#include <sys/types.h>

/* Fewer bytes came than were asked for and were there, or more than all. */
#define READ_SHORT (-10000)
/* Up to this size nothing fails after it was opened. */
#define PINNED (1024 * 1024)
/* What a way may write behind the bytes of a file. */
#define READ_ROOM 16384

struct read_way {
	const char *name;
	int flags; /* for open(2) */
	/* Reads the `size` bytes that the file should have, from the start of
	 * a handle at offset 0. Their number, READ_SHORT, or a negative
	 * errno. */
	ssize_t (*read)(int fd, char *data, size_t size);
};

#define N_READ_WAYS 6
extern const struct read_way read_ways[N_READ_WAYS];

#endif
