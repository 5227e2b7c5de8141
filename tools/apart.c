#include "tools/apart.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* One question about a directory and one source. */
struct question {
	const char *path;
	struct stat st;
	const char *what;
	bool parent; /* it is what stands in it that is asked about */
};

static int check_source(const struct question *question, const char *source,
			char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(question->path);
	HF_CLEANUP(hf_freep) char *shown_source = hf_escaped(source);
	const char *what = question->what;
	struct stat st;

	if (!shown || !shown_source)
		return -ENOMEM;
	if (stat(source, &st) != 0)
		return hf_why(-errno, why, "source %s cannot be used: %s",
			      shown_source, strerror(errno));
	if (!question->parent && same_file(&question->st, &st))
		return hf_why(-EINVAL, why,
			      "%s is source and %s at once; choose another %s",
			      shown, what, what);
	if (hf_dir_within(question->path, &st))
		return hf_why(-EINVAL, why,
			      question->parent
				      ? "a %s in %s would lie inside the "
					"source %s; choose one outside"
				      : "%s %s lies inside the source %s; "
					"choose a directory outside",
			      what, shown, shown_source);
	if (!question->parent && hf_dir_within(source, &question->st))
		return hf_why(-EINVAL, why,
			      "source %s lies inside the %s %s; choose another "
			      "%s",
			      shown_source, what, shown, what);
	return 0;
}

static int check(struct question *question, const struct hf_root_specs *roots,
		 char **why)
{
	int r = 0;

	if (stat(question->path, &question->st) != 0)
		return hf_why(-errno, why, "the %s cannot be used: %s",
			      question->what, strerror(errno));
	for (size_t i = 0; r == 0 && i < roots->n; i++)
		r = check_source(question, roots->items[i].dir, why);
	return r;
}

int hf_apart_check(const char *path, const char *what,
		   const struct hf_root_specs *roots, char **why)
{
	struct question question = {.path = path, .what = what};

	return check(&question, roots, why);
}

int hf_apart_check_new(const char *parent, const char *what,
		       const struct hf_root_specs *roots, char **why)
{
	struct question question = {
		.path = parent, .what = what, .parent = true};

	return check(&question, roots, why);
}
