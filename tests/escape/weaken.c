/*
 * Preloaded into a program, this takes away one of its locks, so that the
 * other one can be tried alone. WEAKEN names them:
 *
 *   landlock   the kernel seems to have no Landlock
 *   openat2    openat2(2) resolves every path wherever it leads
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

long syscall(long number, ...);

static int without(const char *lock)
{
	const char *locks = getenv("WEAKEN");

	return locks && strstr(locks, lock);
}

static long pass(long number, const long *arg)
{
	long (*real)(long, ...) = NULL;
	void *symbol = dlsym(RTLD_NEXT, "syscall");

	memcpy(&real, &symbol, sizeof(symbol));
	return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

long syscall(long number, ...)
{
	struct open_how how;
	long arg[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (number >= SYS_landlock_create_ruleset &&
	    number <= SYS_landlock_restrict_self && without("landlock")) {
		errno = ENOSYS;
		return -1;
	}
	if (number == SYS_openat2 && without("openat2")) {
		memcpy(&how, (const void *)arg[2], sizeof(how));
		how.resolve &= RESOLVE_NO_SYMLINKS;
		arg[2] = (long)&how;
	}
	return pass(number, arg);
}
