/*
 * convert: one reference, as the converter that HashedFilesMixin.url_converter
 * returns does it.
 */
#include "fs/refs/internal.h"

#include <errno.h>
#include <string.h>

/* --- what is left alone -------------------------------------------------- */

/* re.match(r"^[a-z]+:", url) */
static bool has_scheme(const char *url)
{
	size_t n = strspn(url, "abcdefghijklmnopqrstuvwxyz");

	return n > 0 && url[n] == ':';
}

/*
 * "Ignore absolute/protocol-relative and data-uri URLs", and absolute ones
 * "that don't point to a static file". Up to 5.0 a URL that begins with "//"
 * is one of the latter, unless STATIC_URL is "/".
 */
static bool is_foreign(const struct hf_refs_config *config, const char *url)
{
	if (has_scheme(url))
		return true;
	if (config->profile >= HF_REFS_DJANGO_5_2 && hf_starts_with(url, "//"))
		return true;
	return *url == '/' && !hf_starts_with(url, config->static_url);
}

/* --- the new text -------------------------------------------------------- */

/* Where the last component of a path begins. */
static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* FileSystemStorage.url() */
static void turn_backslashes(struct hf_buf *name)
{
	for (char *c = name->data; *c; c++)
		if (*c == '\\')
			*c = '/';
}

/*
 * hashed_url.split("/")[-1:] of _url(). urljoin() resolves dots: a last
 * component of them is empty then.
 */
static int make_last(struct hf_convert *c)
{
	const char *last = last_part(c->hashed.data);

	hf_buf_clear(&c->last);
	if (strcmp(last, ".") != 0 && strcmp(last, "..") != 0)
		hf_buf_puts(&c->last, last);
	/* "Special casing for a @font-face hack" */
	if (strstr(c->target.data, "?#"))
		hf_buf_putc(&c->last, '?');
	if (c->inner.len > 0) {
		hf_buf_putc(&c->last, '#');
		hf_nul_unquote(c->inner.data, &c->last);
	}
	return hf_buf_status(&c->last);
}

/* transformed_url; the directory and fragment are those written. */
static int make_quoted(struct hf_convert *c)
{
	const char *url_path = c->url_path.data;

	hf_buf_clear(&c->quoted);
	hf_buf_add(&c->quoted, url_path,
		   (size_t)(last_part(url_path) - url_path));
	hf_buf_puts(&c->quoted, last_part(c->last.data));
	if (c->fragment.len > 0) {
		hf_buf_puts(&c->quoted, strstr(c->url.data, "?#") ? "?#" : "#");
		hf_buf_puts(&c->quoted, c->fragment.data);
	}
	return hf_buf_status(&c->quoted);
}

static int make_text(struct hf_convert *c)
{
	int r;

	r = make_last(c);
	if (r == 0)
		r = make_quoted(c);
	if (r < 0)
		return r;
	hf_buf_clear(&c->last);
	hf_nul_unquote(c->quoted.data, &c->last);
	hf_buf_reset(&c->text);
	if (hf_buf_status(&c->last) < 0)
		return -ENOMEM;
	hf_nul_show(c->last.data, &c->text);
	return hf_buf_status(&c->text);
}

/* --- one reference ------------------------------------------------------- */

static int convert_path(struct hf_convert *c, enum hf_outcome *ret)
{
	int r;

	r = hf_target_find(c);
	if (r != 0)
		return r;
	*ret = HF_OUTCOME_AS_WRITTEN;
	if (c->answer != HF_TARGET_NAME && c->answer != HF_TARGET_SAME)
		return 0;
	turn_backslashes(&c->hashed);
	/* Nor can Python quote it: UnicodeEncodeError. */
	if (!hf_nul_is_utf8(last_part(c->hashed.data)))
		return HF_RAISES;
	*ret = HF_OUTCOME_NEW;
	return make_text(c);
}

int hf_convert_url(struct hf_convert *c, const char *url, size_t len,
		   enum hf_outcome *ret)
{
	int r;

	hf_buf_clear(&c->url);
	hf_buf_clear(&c->asked);
	hf_nul_hide(url, len, &c->url);
	if (hf_buf_status(&c->url) < 0 || hf_buf_status(&c->asked) < 0)
		return -ENOMEM;
	*ret = HF_OUTCOME_KEPT;
	if (is_foreign(c->config, c->url.data))
		return 0;
	r = hf_target_split(c);
	/* "Ignore URLs without a path" */
	if (r == 0 && c->url_path.len == 0)
		return 0;
	if (r == 0)
		r = convert_path(c, ret);
	if (r == HF_RAISES) {
		c->answer = HF_TARGET_MISSING;
		*ret = HF_OUTCOME_AS_WRITTEN;
		r = 0;
	}
	return r;
}

void hf_convert_fini(struct hf_convert *c)
{
	struct hf_buf *bufs[] = {
		&c->url,    &c->url_path, &c->fragment, &c->target,
		&c->file,   &c->inner,    &c->normal,   &c->asked,
		&c->hashed, &c->last,     &c->quoted,   &c->text,
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(bufs); i++)
		hf_buf_fini(bufs[i]);
}
