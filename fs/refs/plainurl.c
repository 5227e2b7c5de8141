/*
 * plainurl: where the URL of a plain reference leads, and telling of it.
 */
#include "fs/refs/internal.h"

#include <errno.h>
#include <string.h>

/* Without a dot or a slash in front it is not a URL but a name that an import
 * map or a bundler knows. */
static bool is_bare(const struct hf_plain *plain, const char *url)
{
	return *url != '/' && !hf_starts_with(url, "./") &&
	       !hf_starts_with(url, "../") &&
	       !hf_starts_with(url, plain->config->static_url);
}

/* Appends the path that `url` has in the tree, still with its dots. 0 if it
 * has none, 1, or -ENOMEM. */
static int join(struct hf_plain *plain, const char *url)
{
	const char *static_url = plain->config->static_url;
	const char *slash = strrchr(plain->path, '/');
	bool absolute = hf_starts_with(url, static_url);
	struct hf_url split;
	int r = hf_url_split(absolute ? url + strlen(static_url) : url, &split);

	if (r < 0)
		return r == -EINVAL ? 0 : r;
	r = !*split.scheme && !*split.netloc && *split.path &&
	    *split.path != '/';
	if (r && !absolute && slash)
		hf_buf_add(&plain->joined, plain->path,
			   (size_t)(slash - plain->path) + 1);
	hf_url_unquote(split.path, strlen(split.path), &plain->joined);
	hf_url_fini(&split);
	return r;
}

/* Whether plain->url can be that of a file; its path is then in `target`. */
static int locate(struct hf_plain *plain)
{
	struct hf_buf *joined = &plain->joined;
	struct hf_buf *target = &plain->target;
	int r;

	hf_buf_reset(joined);
	hf_buf_reset(target);
	hf_buf_puts(joined, "");
	hf_buf_puts(target, "");
	r = join(plain, plain->url.data);
	if (r <= 0 || hf_buf_status(joined) < 0)
		return r <= 0 ? r : -ENOMEM;
	if (strlen(joined->data) < joined->len ||
	    joined->data[joined->len - 1] == '/')
		return 0;
	hf_path_normalise(joined->data, target);
	if (hf_buf_status(target) < 0)
		return -ENOMEM;
	return !hf_starts_with(target->data, "../") && *target->data != '/';
}

int hf_plain_tell(struct hf_plain *plain, enum hf_plain_form form, size_t at,
		  size_t len)
{
	const char *url = plain->text + at;
	struct hf_ref ref = {.url = url, .url_len = len};
	int r;

	if (memchr(url, '\\', len) || memchr(url, '\0', len))
		return 0;
	hf_buf_reset(&plain->url);
	hf_buf_add(&plain->url, url, len);
	if (hf_buf_status(&plain->url) < 0)
		return -ENOMEM;
	if (form == HF_PLAIN_MODULE && is_bare(plain, plain->url.data))
		return 0;
	r = locate(plain);
	if (r <= 0)
		return r;
	hf_place_advance(&plain->place, plain->text, at);
	ref.line = plain->place.line;
	ref.column = plain->place.column;
	ref.path = plain->target.data;
	plain->found(plain->arg, form, &ref);
	return 0;
}
