/*
 * change: which file is written to, when, and how. Each rests half of the
 * time, so that its stamps vouch for it; meanwhile only stores through a
 * mapping reach it, which may move no stamp at all.
 */
#include "tests/hostile/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long a writer pauses between two changes at most. */
#define PAUSE_US 2000
/* A file is written to, then rests, for this long each. */
#define REST_NS INT64_C(4000000000)

static char data[LARGEST + SLACK];

/* The chosen ones, from "mmap,huge" or "all". */
static size_t choose(const char *words,
		     const struct write_way *ret[N_WRITE_WAYS])
{
	size_t n = 0;

	for (size_t i = 0; i < N_WRITE_WAYS; i++) {
		const char *name = strchr(write_ways[i].name, '.') + 1;
		const char *at = strstr(words, name);

		if (strcmp(words, "all") == 0 ||
		    (at && (at[strlen(name)] == ',' || !at[strlen(name)])))
			ret[n++] = &write_ways[i];
	}
	return n;
}

static bool rests(size_t i)
{
	return (clock_ns() / REST_NS + (int64_t)i) % 2 == 0;
}

static int change(size_t i, const struct write_way *way)
{
	struct target target = {.victim = victim_at(i), .i = i};
	struct stat st;
	int error;

	target.fd = open(target.victim->path, O_RDWR | O_CLOEXEC);
	if (target.fd < 0)
		return -errno;
	error = fstat(target.fd, &st) < 0 ? -errno : 0;
	target.size = (size_t)st.st_size;
	/* Two writers that both grow a file must not do so for ever. */
	if (error == 0 && target.size > LARGEST)
		error = ftruncate(target.fd, LARGEST) < 0 ? -errno : 0;
	if (target.size > LARGEST)
		target.size = LARGEST;
	if (error == 0)
		error = way->write(&target);
	close(target.fd);
	return error;
}

static int make_all(void)
{
	for (size_t i = 0; i < victims_len(); i++) {
		const struct victim *victim = victim_at(i);
		char dir[sizeof(victim->path)];
		int error = 0;
		int fd;

		strcpy(dir, victim->path);
		*strchr(dir, '/') = 0;
		(void)mkdir(dir, 0755);
		fd = open(victim->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			return -errno;
		victim_fill(victim, data, 0, victim->size);
		if (write(fd, data, victim->size) != (ssize_t)victim->size)
			error = -EIO;
		close(fd);
		if (error < 0)
			return error;
	}
	return 0;
}

int hostile_write(bool make, int64_t until_ns, const char *words)
{
	const struct write_way *chosen[N_WRITE_WAYS];
	size_t n = choose(words, chosen);
	int error = make ? make_all() : 0;

	if (error < 0 || n == 0) {
		fprintf(stderr, "hostile: %s\n",
			error < 0 ? strerror(-error) : "no such way");
		return 1;
	}
	while (clock_ns() < until_ns) {
		const struct write_way *way = chosen[chance_below(n)];
		size_t i = chance_below(victims_len());

		if (rests(i) && !(way->silent && chance_one_in(8)))
			continue;
		error = change(i, way);
		if (error == 0)
			count(way->name, 1);
		else if (error == -EINVAL || error == -EOPNOTSUPP)
			count("write.unable", 1); /* this file system cannot */
		else
			count("write.failed", 1);
		usleep((useconds_t)chance_below(PAUSE_US));
	}
	return 0;
}
