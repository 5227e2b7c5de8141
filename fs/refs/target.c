/*
 * target: where a reference leads, as the converter of
 * HashedFilesMixin.url_converter, _url and _stored_name find it.
 */
#include "fs/refs/internal.h"

#include <errno.h>
#include <string.h>

/* The URL functions say -EINVAL where Python raises ValueError. */
static int or_raises(int r)
{
	return r == -EINVAL ? HF_RAISES : r;
}

/* posixpath.join(posixpath.dirname(name), url_path) */
static void join(const char *name, const char *url_path, struct hf_buf *ret)
{
	const char *slash = strrchr(name, '/');

	if (slash)
		hf_buf_add(ret, name, (size_t)(slash - name) + 1);
	hf_buf_puts(ret, url_path);
}

/*
 * target_name, unquoted. Django asserts that a path which begins with "/"
 * begins with STATIC_URL, but urldefrag may have changed that.
 */
static int find_name(struct hf_convert *c)
{
	const char *url_path = c->url_path.data;
	const char *static_url = c->config->static_url;
	struct hf_buf quoted = {0};
	int r = 0;

	if (*url_path != '/')
		join(c->path, url_path, &quoted);
	else if (hf_starts_with(url_path, static_url))
		hf_buf_puts(&quoted, url_path + strlen(static_url));
	else
		r = HF_RAISES;
	if (quoted.failed)
		r = -ENOMEM;
	hf_buf_clear(&c->target);
	if (r == 0 && quoted.len > 0)
		hf_nul_unquote(quoted.data, &c->target);
	hf_buf_fini(&quoted);
	return r ? r : hf_buf_status(&c->target);
}

/*
 * What resolve is asked. hashed_name() strips controls from the left end,
 * U+0000 too; here another control stands for it, which is stripped as well
 * and, as U+0000 would, keeps the look-up by name from finding the rest.
 */
static int make_question(struct hf_convert *c)
{
	const char *text = c->normal.data;
	const char *rest = hf_nul_lstrip(text);

	hf_buf_clear(&c->asked);
	while (text < rest) {
		bool nul = hf_starts_with(text, HF_NUL);

		hf_buf_putc(&c->asked, nul ? '\1' : *text);
		text += nul ? strlen(HF_NUL) : 1;
	}
	hf_buf_puts(&c->asked, rest);
	return hf_buf_status(&c->asked);
}

/* What follows the last slash goes into the text: with a slash in the fragment
 * behind it, nothing of the name does. */
static bool is_shown(struct hf_convert *c)
{
	hf_buf_clear(&c->last);
	hf_nul_unquote(c->inner.data, &c->last);
	return hf_buf_status(&c->last) == 0 && !strchr(c->last.data, '/');
}

/* _stored_name */
static int ask(struct hf_convert *c)
{
	bool shown;
	int r;

	hf_buf_clear(&c->normal);
	hf_path_normalise(c->file.data, &c->normal);
	r = hf_buf_status(&c->normal);
	if (r == 0)
		r = make_question(c);
	shown = r == 0 && is_shown(c);
	if (r == 0)
		r = hf_buf_status(&c->last);
	if (r < 0)
		return r;
	hf_buf_clear(&c->hashed);
	r = c->caller->resolve(c->caller->arg, c->asked.data, shown, &c->answer,
			       &c->hashed);
	if (r < 0)
		return r;
	if (c->answer == HF_TARGET_SAME) {
		hf_buf_clear(&c->hashed);
		hf_buf_puts(&c->hashed, c->normal.data);
	}
	return hf_buf_status(&c->hashed);
}

/* _url up to the name; a directory is not asked for. */
static int find_hashed(struct hf_convert *c)
{
	bool is_directory;
	int r;

	hf_buf_clear(&c->file);
	hf_buf_clear(&c->inner);
	r = hf_url_defrag(c->target.data, &c->file, &c->inner);
	if (r == 0)
		r = hf_url_is_directory(c->file.data, &is_directory);
	if (r < 0)
		return or_raises(r);
	if (!is_directory)
		return ask(c);
	/* "don't hash paths" */
	c->answer = HF_TARGET_SAME;
	hf_buf_clear(&c->hashed);
	hf_buf_puts(&c->hashed, c->target.data);
	return hf_buf_status(&c->hashed);
}

int hf_target_split(struct hf_convert *c)
{
	hf_buf_clear(&c->url_path);
	hf_buf_clear(&c->fragment);
	return or_raises(
		hf_url_defrag(c->url.data, &c->url_path, &c->fragment));
}

int hf_target_find(struct hf_convert *c)
{
	int r = find_name(c);

	return r == 0 ? find_hashed(c) : r;
}
