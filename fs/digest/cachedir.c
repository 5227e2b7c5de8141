/*
 * cachedir: the directory of the cache. Whoever can write into it can make
 * names lie, so it has to be ours alone.
 */
#include "fs/digest/digest.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "hashedfs"
#define SYSTEMS_OWN "/var/cache"

/* An absolute path of the environment, or NULL. */
static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value == '/' ? value : NULL;
}

/* XDG_CACHE_HOME may have come along from somebody else's session, as with
 * sudo -E. */
static bool is_ours(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_uid == geteuid() : errno == ENOENT;
}

static int choose(const char *wanted, struct hf_buf *ret, char **why)
{
	const char *xdg = environment("XDG_CACHE_HOME");
	const char *home = environment("HOME");

	if (wanted)
		hf_buf_puts(ret, wanted);
	else if (xdg && is_ours(xdg))
		hf_buf_printf(ret, "%s/" NAME, xdg);
	/* Root of a user namespace is somebody else to the system. */
	else if (geteuid() == 0 && is_ours(SYSTEMS_OWN))
		hf_buf_puts(ret, SYSTEMS_OWN "/" NAME);
	else if (home)
		hf_buf_printf(ret, "%s/.cache/" NAME, home);
	else
		return hf_why(-ENOENT, why, "there is no home directory");
	return hf_buf_status(ret);
}

/* The directory nearest to `path`, itself or above, that is there, without
 * links; new, or NULL. */
static char *find_above(const char *path)
{
	HF_CLEANUP(hf_freep) char *copy = strdup(path);
	char *real = NULL;
	char *slash;

	while (copy && !(real = realpath(copy, NULL)) &&
	       (slash = strrchr(copy, '/')))
		*slash = '\0';
	return real ? real : realpath(*path == '/' ? "/" : ".", NULL);
}

static bool is_apart(const char *path, const struct hf_root_specs *roots)
{
	HF_CLEANUP(hf_freep) char *above = find_above(path);
	bool apart = above != NULL;

	for (size_t i = 0; i < roots->n && apart; i++) {
		struct stat root;

		apart = stat(roots->items[i].dir, &root) < 0 ||
			!hf_dir_within(above, &root);
	}
	return apart;
}

/* Makes the directory and those above it. */
static int make(char *path)
{
	for (char *c = path + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		(void)mkdir(path, 0700);
		*c = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

/* The link's owner could lead us into any directory of ours. */
static const char *find_flaw(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return strerror(errno);
	if (S_ISLNK(st.st_mode) && st.st_uid != geteuid())
		return "the link belongs to somebody else";
	if (stat(path, &st) < 0)
		return strerror(errno);
	if (!S_ISDIR(st.st_mode))
		return "it is not a directory";
	if (st.st_uid != geteuid())
		return "it belongs to somebody else";
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return "others may write there";
	return NULL;
}

static int refuse(const char *path, const char *flaw, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(path);

	return hf_why(-EACCES, why, "%s cannot be used: %s",
		      shown ? shown : "?", flaw);
}

int hf_cache_dir(const char *wanted, const struct hf_root_specs *roots,
		 char **ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	const char *flaw;
	char *real;
	int error;

	*why = NULL;
	if (wanted && strcmp(wanted, HF_CACHE_NONE) == 0)
		return hf_why(-ENOENT, why, "as chosen");
	error = choose(wanted, &path, why);
	if (error < 0)
		return error;
	if (!is_apart(path.data, roots))
		return refuse(path.data, "it lies in a source", why);
	error = make(path.data);
	if (error < 0)
		return refuse(path.data, strerror(-error), why);
	flaw = find_flaw(path.data);
	if (flaw)
		return refuse(path.data, flaw, why);
	real = realpath(path.data, NULL);
	if (!real)
		return refuse(path.data, strerror(errno), why);
	*ret = real;
	return 0;
}
