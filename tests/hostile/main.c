/*
 * hostile make|write DIR SECONDS SEED WAYS
 * hostile read|drop DIR SECONDS SEED
 */
#include "tests/hostile/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(void)
{
	fprintf(stderr, "usage: hostile make|write DIR SECONDS SEED WAYS\n"
			"       hostile read|drop DIR SECONDS SEED\n");
	return 2;
}

int main(int argc, char **argv)
{
	bool make = argc == 6 && strcmp(argv[1], "make") == 0;
	bool drop = argc == 5 && strcmp(argv[1], "drop") == 0;
	int64_t until;
	int status;

	if (argc < 5 || chdir(argv[2]) < 0)
		return usage();
	until = clock_ns() + (int64_t)(strtod(argv[3], NULL) * 1e9);
	chance_seed(strtoull(argv[4], NULL, 10));
	if (make || (argc == 6 && strcmp(argv[1], "write") == 0))
		status = hostile_write(make, until, argv[5]);
	else if (drop || (argc == 5 && strcmp(argv[1], "read") == 0))
		status = hostile_read(until, drop);
	else
		return usage();
	counts_print();
	return status;
}
