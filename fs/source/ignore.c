/*
 * What collectstatic leaves out. Files are ignored by base name or by their
 * path, directories by base name only: "css/deep" ignores no directory,
 * "css/deep/" neither, "css/deep/" with a star behind all files in it.
 */
#include "fs/source/internal.h"

#include <errno.h>
#include <string.h>

/* django.contrib.staticfiles.apps.StaticFilesConfig.ignore_patterns */
static const char *const defaults[] = {"CVS", ".*", "*~"};

/* Drops the last component of what is in `out` after its first `from` bytes;
 * false if there is none to drop or it is another "..". */
static bool pop(char *out, size_t from, size_t *len)
{
	size_t start = *len;

	while (start > from && out[start - 1] != '/')
		start--;
	if (start == *len ||
	    (*len - start == 2 && memcmp(out + start, "..", 2) == 0))
		return false;
	*len = start > from ? start - 1 : start;
	return true;
}

/*
 * Python's os.path.normpath, which collectstatic runs over the globs of its
 * command line. `out` has room for strlen(path) + 2 bytes.
 */
static void normalise(const char *path, char *out)
{
	size_t slashes = strspn(path, "/");
	size_t root = slashes == 2 ? 2 : slashes > 0;
	size_t len = root;

	memset(out, '/', root);
	for (path += slashes; *path; path += strspn(path, "/")) {
		size_t part = strcspn(path, "/");
		bool up = part == 2 && memcmp(path, "..", 2) == 0;

		if ((part == 1 && *path == '.') ||
		    (up && (pop(out, root, &len) || root > 0))) {
			path += part;
			continue;
		}
		if (len > root)
			out[len++] = '/';
		memcpy(out + len, path, part);
		len += part;
		path += part;
	}
	if (len == 0)
		out[len++] = '.';
	out[len] = '\0';
}

static int add_glob(struct hf_ignore *ignore, const char *glob)
{
	HF_CLEANUP(hf_freep) char *normal = malloc(strlen(glob) + 2);

	if (!normal)
		return -ENOMEM;
	normalise(glob, normal);
	return hf_strings_add(&ignore->globs, normal, strlen(normal));
}

int hf_ignore_init(struct hf_ignore *ignore, const struct hf_strings *globs,
		   bool no_defaults)
{
	int error = 0;

	*ignore = (struct hf_ignore){.by_path = globs->n > 0};
	for (size_t i = 0; !no_defaults && i < HF_ARRAY_SIZE(defaults); i++) {
		error = add_glob(ignore, defaults[i]);
		if (error < 0)
			goto failed;
	}
	for (size_t i = 0; i < globs->n; i++) {
		error = add_glob(ignore, globs->items[i]);
		if (error < 0)
			goto failed;
	}
	return 0;
failed:
	hf_ignore_fini(ignore);
	return error;
}

void hf_ignore_fini(struct hf_ignore *ignore)
{
	hf_strings_fini(&ignore->globs);
}

bool hf_ignore_name(const struct hf_ignore *ignore, const char *name)
{
	return hf_globs_match(&ignore->globs, name);
}

/* The default globs need no second look: a path they match has a base name or
 * a directory that they match. */
bool hf_ignore_path(const struct hf_ignore *ignore, const char *path)
{
	return ignore->by_path && hf_globs_match(&ignore->globs, path);
}

bool hf_ignore_below(const struct hf_ignore *ignore, const char *path)
{
	char name[NAME_MAX + 1];

	for (; *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");

		/* A longer one cannot exist. */
		if (len > NAME_MAX)
			return false;
		memcpy(name, path, len);
		name[len] = '\0';
		if (hf_ignore_name(ignore, name))
			return true;
		path += len;
	}
	return false;
}
