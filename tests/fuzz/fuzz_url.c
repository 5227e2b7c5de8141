/*
 * The URL and path functions over any string.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "fs/refs/internal.h"

static void check_split(const char *text)
{
	struct hf_buf again = {0};
	struct hf_url url;
	int r;

	r = hf_url_split(text, &url);
	PROMISE(r == 0 || r == -EINVAL);
	if (r < 0)
		return;
	PROMISE(!strpbrk(url.netloc, "/?#"));
	PROMISE(!strpbrk(url.path, "?#\t\r\n"));
	PROMISE(!strchr(url.query, '#'));
	hf_url_unsplit(&url, &again);
	PROMISE(hf_buf_status(&again) == 0);
	/* At most "//" and "/" are added. */
	PROMISE(again.len <= strlen(text) + 3);
	hf_buf_fini(&again);
	hf_url_fini(&url);
}

static void check_defrag(const char *text)
{
	struct hf_buf url = {0};
	struct hf_buf fragment = {0};
	bool is_directory;
	int r;

	r = hf_url_defrag(text, &url, &fragment);
	PROMISE(r == 0 || r == -EINVAL);
	if (r == 0 && url.len > 0)
		PROMISE(!strchr(url.data, '#'));
	if (!strchr(text, '#'))
		PROMISE(r == 0 && url.len == strlen(text));
	r = hf_url_is_directory(text, &is_directory);
	PROMISE(r == 0 || r == -EINVAL);
	hf_buf_fini(&url);
	hf_buf_fini(&fragment);
}

static void check_unquote(const char *text, size_t len)
{
	struct hf_buf ret = {0};

	hf_url_unquote(text, len, &ret);
	PROMISE(hf_buf_status(&ret) == 0);
	/* A bad byte of three characters becomes U+FFFD of three bytes. */
	PROMISE(ret.len <= len);
	if (is_utf8(text, len))
		PROMISE(is_utf8(ret.data, ret.len));
	hf_buf_fini(&ret);
}

static void check_normalise(const char *text)
{
	struct hf_buf once = {0};
	struct hf_buf twice = {0};

	hf_path_normalise(text, &once);
	PROMISE(hf_buf_status(&once) == 0 && once.len > 0);
	PROMISE(once.len <= strlen(text) || strcmp(once.data, ".") == 0);
	hf_path_normalise(once.data, &twice);
	PROMISE(strcmp(once.data, twice.data) == 0);
	PROMISE(!strstr(once.data + 1, "//"));
	PROMISE(!strstr(once.data, "/./"));
	hf_buf_fini(&once);
	hf_buf_fini(&twice);
}

static void check_nul(const char *data, size_t len)
{
	struct hf_buf hidden = {0};
	struct hf_buf shown = {0};

	if (!is_utf8(data, len))
		return;
	hf_nul_hide(data, len, &hidden);
	hf_buf_add(&hidden, NULL, 0);
	PROMISE(strlen(hidden.data) == hidden.len);
	PROMISE(hf_nul_is_utf8(hidden.data));
	hf_nul_show(hidden.data, &shown);
	PROMISE(shown.len == len && (!len || !memcmp(shown.data, data, len)));
	hf_buf_fini(&hidden);
	hf_buf_fini(&shown);
}

static void check_strip(const char *text, size_t len)
{
	const char *stripped = text;
	size_t n = len;

	hf_strip(&stripped, &n);
	PROMISE(stripped >= text && stripped + n <= text + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	char *text = strndup(size ? bytes : "", size);

	PROMISE(text);
	check_nul(bytes, size);
	check_unquote(bytes, size);
	check_strip(text, strlen(text));
	check_split(text);
	check_defrag(text);
	check_normalise(text);
	free(text);
	return 0;
}
