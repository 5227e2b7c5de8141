/*
 * git: {git} in the name of a file that is written is the commit of the working
 * directory, so that manifests of several releases can lie side by side. git
 * itself is asked: nobody else knows all ways in which a repository can lie.
 */
#include "manifest/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK "{git}"

/* SHA-1 or SHA-256. */
static bool is_commit(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return !text[len] && (len == 40 || len == 64);
}

/* Starts git with its standard output at `fd` and silent otherwise. */
static int start(int fd, pid_t *ret)
{
	static const char *const argv[] = {"git",           "rev-parse",
					   "--verify",      "--quiet",
					   "HEAD^{commit}", NULL};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return -error;
	error = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	if (!error)
		error = posix_spawn_file_actions_addopen(
			&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (!error)
		error = posix_spawnp(ret, argv[0], &actions, NULL,
				     (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

static int read_answer(int fd, struct hf_buf *ret)
{
	char part[128];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n > 0)
			hf_buf_add(ret, part, (size_t)n);
		else if (errno != EINTR)
			return -errno;
	}
	return hf_buf_status(ret);
}

/* What git answers decides, not its status: who ignores SIGCHLD gets none. */
static int ask(struct hf_buf *ret)
{
	HF_CLEANUP(hf_closep) int in = -1;
	HF_CLEANUP(hf_closep) int out = -1;
	int fds[2];
	pid_t pid;
	int error;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	out = fds[1];
	error = start(out, &pid);
	hf_closep(&out);
	out = -1;
	if (error < 0)
		return error;
	error = read_answer(in, ret);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return error;
}

static int find_commit(struct hf_buf *ret, char **why)
{
	int error;

	hf_buf_puts(ret, "");
	error = ask(ret);
	if (error == -ENOENT)
		return hf_why(error, why,
			      "{git} in a file name needs git, which is not "
			      "there");
	if (error < 0)
		return hf_why(error, why, "cannot run git for {git}: %s",
			      strerror(-error));
	ret->data[strcspn(ret->data, "\n")] = '\0';
	if (!is_commit(ret->data))
		return hf_why(-ENOENT, why,
			      "{git} in a file name needs a commit, and there "
			      "is none here; git rev-parse HEAD says why");
	return 0;
}

int hf_git_expand(const char *path, char **ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf commit = {0};
	struct hf_buf text = {0};
	const char *mark;
	int error = 0;

	if (strstr(path, MARK))
		error = find_commit(&commit, why);
	if (error < 0)
		return error;
	while ((mark = strstr(path, MARK))) {
		hf_buf_add(&text, path, (size_t)(mark - path));
		hf_buf_puts(&text, commit.data);
		path = mark + strlen(MARK);
	}
	hf_buf_puts(&text, path);
	return hf_buf_steal(&text, ret);
}
