/*
 * snapshots: what `hashedfs-manifest snapshot -q --source` says of one tree
 * after the other, for tests of thousands of them. Each is the work of a new
 * process; but loading and starting libcrypto takes longer than a small tree
 * does, and is done once.
 *
 * A line on standard input is OPTIONS, a tab, SOURCES. The answer is the
 * manifest, and the exit code on the line after it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/digest/digest.h"
#include "manifest/verb.h"

static int snapshot(const char *options, char *sources)
{
	char verb[] = "snapshot";
	char *words[] = {verb, sources};
	struct hf_arguments arguments = {
		.given = HF_GIVEN_QUIET | HF_GIVEN_SOURCE | HF_GIVEN_VIEW,
		.words = words,
		.n_words = HF_ARRAY_SIZE(words),
	};
	int code;

	if (hf_strings_add(&arguments.view, options, strlen(options)) < 0)
		return HF_EXIT_ENVIRONMENT;
	code = hf_verb_snapshot(&arguments);
	hf_arguments_fini(&arguments);
	return code;
}

static int answer(char *line)
{
	char *tab = strchr(line, '\t');
	int status;
	pid_t child;

	if (!tab)
		return -1;
	*tab = '\0';
	tab[strcspn(tab + 1, "\n") + 1] = '\0';
	child = fork();
	if (child == 0)
		exit(snapshot(line, tab + 1));
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -1;
	printf("\n%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return fflush(stdout);
}

int main(void)
{
	struct hf_digest unused;
	char *line = NULL;
	size_t cap = 0;
	int error;

	hf_log_init("snapshots", HF_LOG_WARNING);
	error = hf_hash(hf_algorithm_find("md5"), "", 0, &unused);
	while (error == 0 && getline(&line, &cap, stdin) > 0)
		error = answer(line);
	free(line);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
