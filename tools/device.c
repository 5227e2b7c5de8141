#include "tools/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICE "/dev/fuse"
#define FUSE_CONF "/etc/fuse.conf"
#define MTAB "/etc/mtab"
#define NO_MOUNT_NEEDED "hashedfs-export needs no mount"

static int check_device(char **why)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return hf_why(-errno, why,
			      DEVICE
			      " is missing; load it with 'modprobe fuse', or "
			      "start a container with --device " DEVICE
			      " --cap-add SYS_ADMIN; " NO_MOUNT_NEEDED);
	return hf_why(-errno, why,
		      DEVICE
		      " cannot be opened: %s; allow it with 'chmod 666 " DEVICE
		      "', or start a container with --device " DEVICE
		      " --cap-add SYS_ADMIN; " NO_MOUNT_NEEDED,
		      strerror(errno));
}

static bool in_path(const char *program)
{
	const char *path = getenv("PATH");
	struct hf_strings dirs = {0};
	bool found = false;

	if (hf_split(&dirs, path ? path : "/usr/bin:/bin", ':') < 0)
		return true; /* out of memory: libfuse will tell */
	for (size_t i = 0; !found && i < dirs.n; i++) {
		HF_CLEANUP(hf_freep) char *file = NULL;

		if (asprintf(&file, "%s/%s", dirs.items[i], program) < 0)
			file = NULL;
		found = file && access(file, X_OK) == 0;
	}
	hf_strings_fini(&dirs);
	return found;
}

/* Without what stands behind a # and without space around, as fusermount3
 * reads it. */
static bool line_is(char *line, const char *word)
{
	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t\r\n\v\f");
	return strncmp(line, word, strlen(word)) == 0 &&
	       line[strlen(word) +
		    strspn(line + strlen(word), " \t\r\n\v\f")] == '\0';
}

static bool conf_allows_other(void)
{
	FILE *conf = fopen(FUSE_CONF, "re");
	char *line = NULL;
	size_t cap = 0;
	bool found = false;

	if (!conf) /* what we may not read, fusermount3 may */
		return errno != ENOENT;
	while (!found && getline(&line, &cap, conf) > 0)
		found = line_is(line, "user_allow_other");
	free(line);
	fclose(conf);
	return found;
}

int hf_device_check(bool allow_other, char **why)
{
	int r = check_device(why);

	if (r < 0 || geteuid() == 0)
		return r;
	if (!in_path("fusermount3") && access("/usr/bin/fusermount3", X_OK))
		return hf_why(-ENOENT, why,
			      "fusermount3, which mounts for unprivileged "
			      "users, is missing; install it with 'apt install "
			      "fuse3'");
	/* It mounts without, but would not unmount. */
	if (access(MTAB, F_OK) != 0)
		return hf_why(-errno, why,
			      MTAB " is missing, and fusermount3 does not "
				   "unmount without it; make it, as root, with "
				   "'ln -s /proc/self/mounts " MTAB "'");
	if (allow_other && !conf_allows_other())
		return hf_why(-EPERM, why,
			      "option 'allow_other' is for root only; to allow "
			      "it to users, write a line user_allow_other "
			      "into " FUSE_CONF);
	return 0;
}
