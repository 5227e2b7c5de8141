/*
 * Directories whose changes the kernel reports, by inotify(7). It follows
 * inodes and not paths, and says nothing of what a directory's path came to
 * lead to. So a directory is watched together with all that are above it, and
 * as soon as a directory moves or goes all watches are given up: whoever asks
 * next sets those anew that are still of use.
 */
#include "fs/source/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CHANGES                                                                \
	(IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |       \
	 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)

/* A root's number and a path in it: what a watch is known by. */
struct place {
	unsigned root;
	char path[PATH_MAX];
};

struct watch {
	struct watch *next;
	int wd;
	size_t len;   /* of the place */
	char place[]; /* the first bytes of a struct place */
};

struct hf_watches {
	const struct hf_source *source; /* borrowed */
	int fd;
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct watch *first; /* owned */
	struct hf_map *map;  /* by place; whoever is in it, the directories
				above it are, too */
	uint64_t given_up;   /* how often all were */
	bool *deaf;          /* roots on file systems that do not report */
	bool full;           /* the kernel allows no more */
	bool told;
	int error; /* why a directory has no watch; positive */
};

/* --- birth and death ----------------------------------------------------- */

int hf_watches_new(const struct hf_source *source, struct hf_watches **ret)
{
	struct hf_watches *watches = calloc(1, sizeof(*watches));
	uint64_t seed[2];
	int error = 0;

	if (!watches)
		return -ENOMEM;
	hf_random_seed(seed);
	pthread_mutex_init(&watches->lock, NULL);
	watches->source = source;
	watches->deaf = calloc(source->n_roots, sizeof(*watches->deaf));
	watches->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	error = !watches->deaf    ? -ENOMEM
		: watches->fd < 0 ? -errno
				  : hf_map_new(seed, &watches->map);
	if (error < 0) {
		hf_watches_free(watches);
		return error;
	}
	*ret = watches;
	return 0;
}

/* Call with the lock held, or alone. */
static void give_up(struct hf_watches *watches)
{
	struct watch *watch;

	while ((watch = watches->first)) {
		watches->first = watch->next;
		hf_map_remove(watches->map, watch->place, watch->len);
		/* It may be gone with its directory. */
		inotify_rm_watch(watches->fd, watch->wd);
		free(watch);
	}
	watches->given_up++;
	watches->full = false;
	watches->error = 0;
}

void hf_watches_free(struct hf_watches *watches)
{
	if (!watches)
		return;
	if (watches->map)
		give_up(watches);
	hf_map_free(watches->map);
	free(watches->deaf);
	hf_closep(&watches->fd);
	pthread_mutex_destroy(&watches->lock);
	free(watches);
}

/* --- setting a watch ----------------------------------------------------- */

static size_t place_len(const char *path)
{
	return offsetof(struct place, path) + strlen(path);
}

/* Call with the lock held. */
static bool has(const struct hf_watches *watches, const struct place *place)
{
	return hf_map_get(watches->map, place, place_len(place->path));
}

static struct watch *watch_new(const struct place *place)
{
	size_t len = place_len(place->path);
	struct watch *watch = calloc(1, sizeof(*watch) + len);

	if (!watch)
		return NULL;
	watch->len = len;
	memcpy(watch->place, place, len);
	return watch;
}

static bool reports(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       hf_filesystem_reports((unsigned long)fs.f_type);
}

/*
 * Call with the lock held; inotify_add_watch(2) sleeps for memory alone. By
 * its descriptor the directory is the one that was opened, whatever stands at
 * its path by now.
 */
static int add(struct hf_watches *watches, struct watch *watch, int dir_fd)
{
	char path[64];
	int error;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir_fd);
	watch->wd = inotify_add_watch(watches->fd, path, CHANGES | IN_ONLYDIR);
	if (watch->wd < 0)
		return -errno;
	error = hf_map_put(watches->map, watch->place, watch->len, watch);
	if (error < 0)
		return error;
	watch->next = watches->first;
	watches->first = watch;
	return 0;
}

/* Call with the lock held. Only a directory that was opened after the ones
 * above it were watched, and while they are, may join them. */
static int join(struct hf_watches *watches, const struct place *place,
		int dir_fd, uint64_t given_up)
{
	struct watch *watch;
	int error;

	if (given_up != watches->given_up)
		return -EAGAIN;
	if (has(watches, place))
		return 0;
	if (watches->full)
		return -ENOSPC;
	watch = watch_new(place);
	if (!watch)
		return -ENOMEM;
	error = add(watches, watch, dir_fd);
	if (error < 0)
		free(watch);
	return error;
}

/* 1: it is watched already; 0: it is not; negative errno: it cannot be. */
static int is_watched(struct hf_watches *watches, const struct place *place,
		      uint64_t *given_up)
{
	int found;

	pthread_mutex_lock(&watches->lock);
	found = has(watches, place);
	if (!found && watches->deaf[place->root])
		found = -EOPNOTSUPP;
	else if (!found && watches->full)
		found = -ENOSPC;
	*given_up = watches->given_up;
	pthread_mutex_unlock(&watches->lock);
	return found;
}

static void set_deaf(struct hf_watches *watches, unsigned root)
{
	pthread_mutex_lock(&watches->lock);
	watches->deaf[root] = true;
	pthread_mutex_unlock(&watches->lock);
}

/* 1: it is watched now; 0: there is none, and its coming would be reported,
 * since those above are watched; or a negative errno. */
static int watch_one(struct hf_watches *watches, const struct place *place,
		     uint64_t given_up)
{
	const struct hf_root *root = &watches->source->roots[place->root];
	HF_CLEANUP(hf_closep) int fd = -1;
	struct stat st;
	int error = hf_root_openat_plain(root, place->path,
					 O_PATH | O_DIRECTORY, &fd, &st);

	if ((error == -ENOENT || error == -ENOTDIR) && *place->path)
		return 0;
	if (error < 0)
		return error;
	if (!reports(fd)) {
		if (!*place->path)
			set_deaf(watches, place->root);
		return -EOPNOTSUPP;
	}
	pthread_mutex_lock(&watches->lock);
	error = join(watches, place, fd, given_up);
	pthread_mutex_unlock(&watches->lock);
	return error < 0 ? error : 1;
}

/* From the root down to `path` in it. */
static int watch_line(struct hf_watches *watches, unsigned root,
		      const char *path)
{
	struct place place = {.root = root};
	uint64_t given_up;
	size_t len = strlen(path);
	int found;

	if (len >= sizeof(place.path))
		return -ENAMETOOLONG;
	memcpy(place.path, path, len + 1);
	found = is_watched(watches, &place, &given_up);
	if (found != 0)
		return found < 0 ? found : 0;
	for (len = 0;; len = hf_path_next(path, len)) {
		uint64_t unused;

		place.path[len] = '\0';
		found = is_watched(watches, &place, &unused);
		if (found == 0)
			found = watch_one(watches, &place, given_up);
		place.path[len] = path[len];
		if (found != 1 || !path[len])
			return found < 0 ? found : 0;
	}
}

static void complain(struct hf_watches *watches, int error)
{
	bool news;

	/* Everything was given up meanwhile: the next one succeeds. */
	if (error == -EAGAIN)
		return;
	pthread_mutex_lock(&watches->lock);
	news = error == -ENOSPC && !watches->told;
	watches->full |= error == -ENOSPC;
	watches->told |= news;
	watches->error = -error;
	pthread_mutex_unlock(&watches->lock);
	if (news)
		hf_log(HF_LOG_WARNING,
		       "no more directories can be watched, so changes show "
		       "within a second only; raise "
		       "fs.inotify.max_user_watches with sysctl(8)");
}

bool hf_watches_dir(struct hf_watches *watches, const char *path)
{
	const struct hf_source *source = watches->source;

	for (size_t i = 0; i < source->n_roots; i++) {
		const char *rest;
		int error;

		/* Nothing above a root is ever looked at again. */
		if (hf_place_of(source->roots[i].prefix, path, &rest) !=
			    HF_PLACE_INSIDE ||
		    hf_ignore_below(&source->ignore, rest))
			continue;
		error = watch_line(watches, (unsigned)i, rest);
		if (error < 0) {
			complain(watches, error);
			return false;
		}
	}
	return true;
}

bool hf_source_entry_reported(const struct hf_source_entry *entry)
{
	if (entry->link || entry->error)
		return false;
	return entry->type == HF_TYPE_DIR ||
	       (entry->type == HF_TYPE_FILE && entry->st.st_nlink == 1);
}

/* --- reading ------------------------------------------------------------- */

/* Does it make a path lead elsewhere, or can that not be known? */
static bool moves_a_directory(const struct inotify_event *event)
{
	if (event->mask &
	    (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_Q_OVERFLOW))
		return true;
	return event->mask & IN_ISDIR &&
	       event->mask & (IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO);
}

/* Returns whether there was anything but the ends of watches. */
static bool look_at(const char *data, size_t len, bool *moved)
{
	bool any = false;

	while (len > 0) {
		const struct inotify_event *event = (const void *)data;
		size_t size = sizeof(*event) + event->len;

		*moved |= moves_a_directory(event);
		any |= !(event->mask & IN_IGNORED);
		data += size;
		len -= size;
	}
	return any;
}

int hf_watches_fd(const struct hf_watches *watches)
{
	return watches->fd;
}

/* In bytes. */
static int unread(const struct hf_watches *watches)
{
	int n = 0;

	ioctl(watches->fd, FIONREAD, &n);
	return n;
}

bool hf_watches_pending(const struct hf_watches *watches)
{
	return unread(watches) > 0;
}

bool hf_watches_read(struct hf_watches *watches)
{
	_Alignas(struct inotify_event) char data[16384];
	bool moved = false;
	bool any = false;
	/* No more than was there when it was called: whoever asks for that
	 * must not wait for those who go on writing. */
	int left = unread(watches);

	while (left > 0) {
		ssize_t n = read(watches->fd, data, sizeof(data));

		if (n <= 0)
			break;
		any |= look_at(data, (size_t)n, &moved);
		left -= (int)n;
	}
	if (moved) {
		pthread_mutex_lock(&watches->lock);
		give_up(watches);
		pthread_mutex_unlock(&watches->lock);
	}
	return any;
}

void hf_watches_stats(struct hf_watches *watches, struct hf_watches_stats *ret)
{
	pthread_mutex_lock(&watches->lock);
	ret->directories = hf_map_len(watches->map);
	ret->error = watches->error;
	pthread_mutex_unlock(&watches->lock);
}
