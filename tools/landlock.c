#include "tools/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The newest interface whose rights are listed here. */
#define ABI_MAX 7

/* Headers may be older than the kernel: what came after the first interface
 * is written down here (include/uapi/linux/landlock.h). */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_ALL(n_rights) ((UINT64_C(1) << (n_rights)) - 1)
#define NET_TCP UINT64_C(3)    /* bind, connect */
#define SCOPED_ALL UINT64_C(3) /* abstract sockets, signals */

#define READ LANDLOCK_ACCESS_FS_READ_FILE
#define LIST LANDLOCK_ACCESS_FS_READ_DIR
#define WRITE                                                                  \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |         \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | FS_TRUNCATE)

/* The interface of the running kernel, or a negative errno. */
static int abi(void)
{
	long n = syscall(SYS_landlock_create_ruleset, NULL, 0,
			 LANDLOCK_CREATE_RULESET_VERSION);

	if (n < 0)
		return -errno;
	return n < ABI_MAX ? (int)n : ABI_MAX;
}

/* Every right that this interface can take away. */
static struct ruleset everything(int version)
{
	static const unsigned n_rights[ABI_MAX + 1] = {0,  13, 14, 15,
						       15, 16, 16, 16};

	return (struct ruleset){
		.fs = FS_ALL(n_rights[version]),
		.net = version >= 4 ? NET_TCP : 0,
		.scoped = version >= 6 ? SCOPED_ALL : 0,
	};
}

static uint64_t rights(const struct hf_allowed *allowed)
{
#ifdef HF_SANITIZED
	/* It reads symbols and writes its report wherever it is told to. */
	return ~UINT64_C(0);
#endif
	return READ | (allowed->list ? LIST : 0) | (allowed->write ? WRITE : 0);
}

static int add_rule(int ruleset_fd, uint64_t handled,
		    const struct hf_allowed *allowed)
{
	HF_CLEANUP(hf_closep)
	int fd = open(allowed->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {
		.allowed_access = rights(allowed) & handled,
		.parent_fd = fd,
	};

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return syscall(SYS_landlock_add_rule, ruleset_fd,
		       LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0
		       ? -errno
		       : 0;
}

static int restrict_self(int version, const struct hf_allowed *allowed,
			 size_t n)
{
	const struct ruleset handled = everything(version);
	HF_CLEANUP(hf_closep)
	int fd = (int)syscall(SYS_landlock_create_ruleset, &handled,
			      sizeof(handled), 0);
	int r = fd < 0 ? -errno : 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = add_rule(fd, handled.fs, &allowed[i]);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		r = -errno;
	return r;
}

static bool anywhere(const struct hf_allowed *allowed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(allowed[i].dir, "/") == 0)
			return true;
	return false;
}

static const char *reason(int error)
{
	switch (error) {
	case -ENOSYS:
		return "this kernel has none";
	case -EOPNOTSUPP:
		return "switched off in this kernel";
	default:
		return strerror(-error);
	}
}

int hf_landlock_confine(const struct hf_allowed *allowed, size_t n, char **told)
{
	int version = abi();
	int r;

	if (version < 0)
		return hf_why(0, told, "no (%s)", reason(version));
	r = restrict_self(version, allowed, n);
	if (r < 0)
		return hf_why(r, told, "cannot confine the worker: %s",
			      strerror(-r));
	return hf_why(0, told, "ABI %d%s", version,
		      anywhere(allowed, n) ? ", reading anywhere" : "");
}
