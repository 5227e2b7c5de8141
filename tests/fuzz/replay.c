/*
 * Runs a fuzz target over files, and the files of directories, without
 * libFuzzer: replay_TARGET PATH...
 */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "fs/base/base.h"

static void replay_file(const char *path)
{
	struct hf_buf text = {0};
	char block[65536];
	FILE *file = fopen(path, "rb");
	size_t n;

	if (!file) {
		perror(path);
		exit(1);
	}
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		hf_buf_add(&text, block, n);
	fclose(file);
	LLVMFuzzerTestOneInput((const uint8_t *)text.data, text.len);
	hf_buf_fini(&text);
}

/* Returns the number of files. */
static size_t replay(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	if (!dir) {
		replay_file(path);
		return 1;
	}
	while ((entry = readdir(dir))) {
		char name[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		replay_file(name);
		n++;
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		n += replay(argv[i]);
	printf("%s: %zu inputs\n", argv[0], n);
	return n > 0 ? 0 : 1;
}
