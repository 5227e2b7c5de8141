#include "tools/mountinfo.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

void hf_mount_fini(struct hf_mount *mount)
{
	free(mount->mountpoint);
	free(mount->fstype);
	*mount = (struct hf_mount){0};
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The kernel writes space, tab, newline, # and backslash as \ooo. */
static void decode_octal(char *text)
{
	char *out = text;

	while (*text != '\0') {
		if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) &&
		    is_octal(text[3])) {
			*out++ = (char)((text[1] - '0') << 6 |
					(text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

/*
 * Splits a line in place; the strings of *ret are borrowed from it:
 *   36 35 98:0 /root /mountpoint rw,noatime [tag[:value]...] - type source ...
 */
static bool parse_line(char *line, struct hf_mount *ret)
{
	char *fields[6] = {0};
	char *rest = line;

	for (size_t i = 0; i < HF_ARRAY_SIZE(fields); i++)
		fields[i] = strsep(&rest, " ");
	if (!rest || sscanf(fields[0], "%d", &ret->id) != 1 ||
	    sscanf(fields[2], "%u:%u", &ret->major, &ret->minor) != 2)
		return false;
	for (const char *tag = ""; tag && strcmp(tag, "-") != 0;)
		tag = strsep(&rest, " ");
	ret->fstype = strsep(&rest, " ");
	ret->mountpoint = fields[4];
	decode_octal(ret->mountpoint);
	return ret->fstype != NULL;
}

static int copy_mount(const struct hf_mount *mount, struct hf_mount *ret)
{
	struct hf_mount copy = *mount;

	copy.mountpoint = strdup(mount->mountpoint);
	copy.fstype = strdup(mount->fstype);
	if (!copy.mountpoint || !copy.fstype) {
		hf_mount_fini(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

typedef bool matcher(const struct hf_mount *mount, const void *wanted);

static bool is_at(const struct hf_mount *mount, const void *wanted)
{
	return strcmp(mount->mountpoint, wanted) == 0;
}

static bool is_same(const struct hf_mount *mount, const void *wanted)
{
	const struct hf_mount *other = wanted;

	return mount->id == other->id && mount->major == other->major &&
	       mount->minor == other->minor;
}

/* The last mount that matches: of several at one path it is the topmost. */
static int find_last(matcher *matches, const void *wanted, struct hf_mount *ret)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	struct hf_mount found = {0};
	struct hf_mount mount;
	char *line = NULL;
	size_t cap = 0;
	int r = -ENOENT;

	if (!table)
		return -errno;
	while (r != -ENOMEM && getline(&line, &cap, table) > 0) {
		if (!parse_line(line, &mount) || !matches(&mount, wanted))
			continue;
		hf_mount_fini(&found);
		r = copy_mount(&mount, &found);
	}
	free(line);
	fclose(table);
	if (r == 0)
		*ret = found;
	return r;
}

int hf_mount_at(const char *mountpoint, struct hf_mount *ret)
{
	return find_last(is_at, mountpoint, ret);
}

int hf_mount_find(struct hf_mount *mount)
{
	struct hf_mount found;
	int r = find_last(is_same, mount, &found);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	hf_mount_fini(mount);
	*mount = found;
	return 1;
}

/*
 * fusermount3 is setuid root and unmounts what its caller mounted. It starts
 * with clean signals and in its own process group, so that neither our masks
 * nor a Ctrl-C reach it.
 */
static int run_fusermount(char *mountpoint)
{
	char program[] = "fusermount3", unmount[] = "-u", lazily[] = "-z",
	     quietly[] = "-q", end[] = "--";
	char *argv[] = {program, unmount,    lazily, quietly,
			end,     mountpoint, NULL};
	posix_spawnattr_t attr;
	sigset_t none, all;
	int status = 0;
	pid_t pid;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_init(&attr);
	if (r != 0)
		return -r;
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETPGROUP);
	r = posix_spawnp(&pid, argv[0], NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int hf_mount_detach(const struct hf_mount *mount)
{
	struct hf_mount top = {0};
	int r = hf_mount_at(mount->mountpoint, &top);

	if (r == 0 && !is_same(&top, mount))
		r = -EBUSY;
	hf_mount_fini(&top);
	if (r < 0)
		return r;
	if (umount2(mount->mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	return run_fusermount(mount->mountpoint);
}
