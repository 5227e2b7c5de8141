/*
 * Preloaded into hashedfs, this tries what a worker that was taken over would
 * try, as soon as it is confined. PROBE is a directory that the worker's user
 * may do everything with: it holds "file", and the sockets "@PROBE" and TCP
 * port PROBE_PORT listen. Each line on standard error is a try and its errno.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

long syscall(long number, ...);

static const char *below(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", getenv("PROBE"), name);
	return path;
}

static int tcp(int (*call)(int, const struct sockaddr *, socklen_t), int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return call(socket(AF_INET, SOCK_STREAM, 0),
		    (struct sockaddr *)&address, sizeof(address));
}

static int abstract(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(getenv("PROBE"));

	memcpy(address.sun_path + 1, getenv("PROBE"), len);
	return connect(
		socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
}

static int run(const char *program)
{
	char *argv[] = {(char *)program, NULL};

	return execv(program, argv);
}

static void told(const char *what, int r)
{
	dprintf(STDERR_FILENO, "%s: %d\n", what, r < 0 ? errno : 0);
}

static void probe(void)
{
	int port = atoi(getenv("PROBE_PORT"));

	told("proc", open("/proc/self/status", O_RDONLY));
	told("source", open(getenv("PROBE_SOURCE"), O_RDONLY));
	told("itself", kill(getpid(), 0));
	told("read", open(below("file"), O_RDONLY));
	told("list", open(below("."), O_RDONLY | O_DIRECTORY));
	told("write", open(below("file"), O_WRONLY));
	told("make", open(below("new"), O_WRONLY | O_CREAT, 0600));
	told("write-source", open(getenv("PROBE_SOURCE"), O_WRONLY));
	told("directory", mkdir(below("d"), 0700));
	told("link", symlink("/", below("l")));
	told("remove", unlink(below("file")));
	told("cut", truncate(below("file"), 0));
	told("run", run("/bin/true"));
	told("connect", tcp(connect, port));
	told("bind", tcp(bind, 0));
	told("guard", kill(getppid(), 0));
	told("abstract", abstract());
	dprintf(STDERR_FILENO, "dumpable: %d\n", prctl(PR_GET_DUMPABLE));
}

long syscall(long number, ...)
{
	long (*real)(long, ...) = NULL;
	void *symbol = dlsym(RTLD_NEXT, "syscall");
	long arg[6];
	va_list args;
	long r;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	memcpy(&real, &symbol, sizeof(symbol));
	r = real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	if (number == SYS_landlock_restrict_self && r == 0)
		probe();
	return r;
}
