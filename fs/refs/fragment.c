/*
 * fragment: urllib.parse.urldefrag, and what else of urlsplit Django asks for
 * while it converts a reference. hf_url_split strips controls from the left
 * end, but does not know that HF_NUL is one.
 */
#include "fs/refs/internal.h"

#include <errno.h>
#include <string.h>

/* urllib.parse.uses_params */
static const char *const uses_params[] = {
	"",      "ftp",   "hdl", "prospero", "http", "https", "shttp", "rtsp",
	"rtsps", "rtspu", "sip", "sips",     "mms",  "sftp",  "tel",
};

static bool has_params(const char *scheme)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(uses_params); i++)
		if (strcmp(scheme, uses_params[i]) == 0)
			return true;
	return false;
}

/*
 * _splitparams and urlunparse lose a semicolon with nothing behind it: the
 * length of the path without it.
 */
static size_t path_len(const struct hf_url *url)
{
	const char *slash = strrchr(url->path, '/');
	const char *params = strchr(slash ? slash : url->path, ';');

	if (params && !params[1] && has_params(url->scheme))
		return (size_t)(params - url->path);
	return strlen(url->path);
}

/* urlunparse of all parts but the fragment */
static int unsplit_rest(const struct hf_url *split, struct hf_buf *url)
{
	struct hf_url rest = *split;
	struct hf_buf path = {0};
	int r;

	hf_buf_add(&path, split->path, path_len(split));
	r = hf_buf_status(&path);
	if (r == 0) {
		rest.path = path.data;
		rest.fragment = "";
		hf_url_unsplit(&rest, url);
		r = hf_buf_status(url);
	}
	hf_buf_fini(&path);
	return r;
}

int hf_url_defrag(const char *text, struct hf_buf *url, struct hf_buf *fragment)
{
	struct hf_url split;
	int r;

	if (!strchr(text, '#')) {
		hf_buf_puts(url, text);
		return hf_buf_status(url);
	}
	r = hf_url_split(hf_nul_lstrip(text), &split);
	if (r < 0)
		return r;
	hf_buf_puts(fragment, split.fragment);
	r = unsplit_rest(&split, url);
	hf_url_fini(&split);
	return r < 0 ? r : hf_buf_status(fragment);
}

int hf_url_is_directory(const char *text, bool *ret)
{
	struct hf_url split;
	size_t len;
	int r;

	r = hf_url_split(hf_nul_lstrip(text), &split);
	if (r < 0)
		return r;
	len = strlen(split.path);
	*ret = len > 0 && split.path[len - 1] == '/';
	hf_url_fini(&split);
	return 0;
}
