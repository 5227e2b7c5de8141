/*
 * Exchanges names as fast as it can, until it is killed:
 *
 *   swap A B [A B...]   what A and B name, in one step; where B is not there,
 *                       A moves to B and back
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static void swap(const char *a, const char *b)
{
	if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
		return;
	if (errno == ENOENT && rename(a, b) == 0 && rename(b, a) == 0)
		return;
	perror("swap");
	exit(1);
}

int main(int argc, char **argv)
{
	for (;;)
		for (int i = 1; i + 1 < argc; i += 2)
			swap(argv[i], argv[i + 1]);
}
