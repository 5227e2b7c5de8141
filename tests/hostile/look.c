/*
 * look: a reader that believes names alone. It lists directories again and
 * again, opens what it finds there and names of long ago, and holds files
 * open and mapped while their sources change.
 */
#include "tests/hostile/opened.h"
#include "tests/hostile/read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Names of long ago, and files held open. */
#define N_OLD 64
#define N_HELD 24

static _Alignas(4096) char data[LARGEST + SLACK + READ_ROOM];

static void read_once(const char *path)
{
	const struct read_way *way = &read_ways[chance_below(N_READ_WAYS)];
	struct opened opened;

	if (!open_counted(path, way->flags, &opened))
		return;
	judge(&opened, way->name, data,
	      way->read(opened.fd, data, opened.size));
	close(opened.fd);
}

/* --- files that are held ------------------------------------------------- */

static struct held {
	struct opened opened;
	char *mapped; /* NULL: nothing is held here */
} held[N_HELD];

static void judge_mapped(const struct held *place, const char *way)
{
	size_t size = place->opened.size;
	bool good = copy_mapped(data, place->mapped, size);

	judge(&place->opened, way, data, good ? (ssize_t)size : -EIO);
}

static void hold(struct held *place, const char *path)
{
	struct opened *opened = &place->opened;

	if (!open_counted(path, 0, opened))
		return;
	if (opened->size == 0) {
		close(opened->fd);
		return;
	}
	place->mapped =
		mmap(NULL, opened->size, PROT_READ, MAP_SHARED, opened->fd, 0);
	if (place->mapped == MAP_FAILED)
		abort();
	/* Some are looked at only after their source changed. */
	if (chance_one_in(2))
		judge_mapped(place, "held.first");
}

static void let_go(struct held *place)
{
	munmap(place->mapped, place->opened.size);
	close(place->opened.fd);
	place->mapped = NULL;
}

static void look_at_held(struct held *place)
{
	const struct read_way *way = &read_ways[chance_below(N_READ_WAYS)];
	const struct opened *opened = &place->opened;

	if (chance_one_in(4)) {
		(void)madvise(place->mapped, opened->size, MADV_DONTNEED);
		(void)posix_fadvise(opened->fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	if (chance_one_in(2))
		judge_mapped(place, "held.mmap");
	else if (!way->flags && lseek(opened->fd, 0, SEEK_SET) == 0)
		judge(opened, "held.handle", data,
		      way->read(opened->fd, data, opened->size));
	/* The same name once more, beside the handle that is open. */
	if (chance_one_in(2))
		read_once(opened->path);
	if (chance_one_in(16))
		let_go(place);
}

/* --- names --------------------------------------------------------------- */

static char old[N_OLD][PATH_LEN];

static void use_name(const char *path)
{
	struct held *place = &held[chance_below(N_HELD)];

	if (!promises(path)) {
		count("plain", 1); /* it promises nothing */
		return;
	}
	for (size_t i = 1 + chance_below(3); i > 0; i--)
		read_once(path);
	if (!place->mapped && chance_one_in(4))
		hold(place, path);
	if (chance_one_in(4))
		snprintf(old[chance_below(N_OLD)], PATH_LEN, "%s", path);
}

/* How many files stand in a directory, always. */
static size_t n_victims_in(const char *dir)
{
	size_t len = strlen(dir);
	size_t n = 0;

	for (size_t i = 0; i < victims_len(); i++) {
		const char *path = victim_at(i)->path;

		n += strncmp(path, dir, len) == 0 && path[len] == '/';
	}
	return n;
}

static void use_directory(const char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	char path[PATH_LEN];
	size_t n = 0;

	if (!stream) {
		count(refusal("listing", errno), 1);
		return;
	}
	count("listings", 1);
	while ((entry = readdir(stream))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		use_name(path);
	}
	closedir(stream);
	if (n != n_victims_in(dir))
		accuse("missing", dir, "listing", n_victims_in(dir),
		       (ssize_t)n);
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
