/*
 * convert: one reference, as the converter that HashedFilesMixin.url_converter
 * returns does it, with HashedFilesMixin._url and _stored_name inlined.
 */
#include "fs/refs/internal.h"

#include <errno.h>
#include <string.h>

/* --- strings with U+0000 in them ---------------------------------------- */

/* Empties `buf` and makes sure that it holds a string. */
static void begin(struct hf_buf *buf)
{
	hf_buf_reset(buf);
	hf_buf_add(buf, NULL, 0);
}

static void add_hiding_nul(struct hf_buf *buf, const char *text, size_t len)
{
	while (len > 0) {
		size_t run = strnlen(text, len);

		hf_buf_add(buf, text, run);
		if (run < len) {
			hf_buf_puts(buf, HF_NUL);
			run++;
		}
		text += run;
		len -= run;
	}
}

static void add_showing_nul(struct hf_buf *buf, const char *text)
{
	const char *nul;

	while ((nul = strstr(text, HF_NUL))) {
		hf_buf_add(buf, text, (size_t)(nul - text));
		hf_buf_putc(buf, '\0');
		text = nul + strlen(HF_NUL);
	}
	hf_buf_puts(buf, text);
}

/* unquote() of a string; `spare` is overwritten. */
static void add_unquoted(struct hf_buf *buf, const char *text,
			 struct hf_buf *spare)
{
	begin(spare);
	hf_url_unquote(text, strlen(text), spare);
	if (spare->failed)
		buf->failed = true;
	else
		add_hiding_nul(buf, spare->data, spare->len);
}

static bool is_utf8(const char *text)
{
	size_t len = strlen(text);
	uint32_t code_point;
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = hf_utf8_decode(text, len, &code_point);
		if (n == 0 && strncmp(text, HF_NUL, strlen(HF_NUL)) == 0)
			n = strlen(HF_NUL);
		if (n == 0)
			return false;
	}
	return true;
}

/*
 * Beside 0 and a negative errno: Django raises an exception here, so the
 * reference leads nowhere.
 */
#define RAISES 1

/* The URL functions say -EINVAL where Python raises ValueError. */
static int or_raises(int r)
{
	return r == -EINVAL ? RAISES : r;
}

/* --- converter ----------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* re.match(r"^[a-z]+:", url) */
static bool has_scheme(const char *url)
{
	size_t n = strspn(url, "abcdefghijklmnopqrstuvwxyz");

	return n > 0 && url[n] == ':';
}

/* "Ignore absolute/protocol-relative and data-uri URLs", and absolute ones
 * "that don't point to a static file". */
static bool is_foreign(const struct hf_refs_config *config, const char *url)
{
	if (has_scheme(url))
		return true;
	/* from Django 5.1 */
	if (config->profile >= HF_REFS_DJANGO_5_2 && starts_with(url, "//"))
		return true;
	return *url == '/' && !starts_with(url, config->static_url);
}

/* posixpath.join(posixpath.dirname(name), url_path) */
static void add_joined(struct hf_buf *buf, const char *name,
		       const char *url_path)
{
	const char *slash = strrchr(name, '/');

	if (slash)
		hf_buf_add(buf, name, (size_t)(slash - name) + 1);
	hf_buf_puts(buf, url_path);
}

/*
 * target_name, unquoted. Django asserts that a path which begins with "/"
 * begins with STATIC_URL, but urldefrag may have changed that.
 */
static int find_target(struct hf_convert *c)
{
	const char *url_path = c->url_path.data;
	const char *static_url = c->config->static_url;

	begin(&c->name);
	if (*url_path != '/')
		add_joined(&c->name, c->path, url_path);
	else if (starts_with(url_path, static_url))
		hf_buf_puts(&c->name, url_path + strlen(static_url));
	else
		return RAISES;
	begin(&c->target);
	if (hf_buf_status(&c->name) < 0)
		return -ENOMEM;
	add_unquoted(&c->target, c->name.data, &c->spare);
	return hf_buf_status(&c->target);
}

/*
 * What resolve is asked: `name`. hashed_name() strips controls from the left
 * end, U+0000 too; here another control stands for it, which is stripped as
 * well and hides what follows from a look-up by name as well.
 */
static int make_question(struct hf_convert *c)
{
	const char *rest = hf_url_lstrip(c->name.data);
	const char *text = c->name.data;

	begin(&c->asked);
	for (; text < rest; text++) {
		if (strncmp(text, HF_NUL, strlen(HF_NUL)) == 0) {
			hf_buf_putc(&c->asked, '\1');
			text++;
		} else {
			hf_buf_putc(&c->asked, *text);
		}
	}
	hf_buf_puts(&c->asked, rest);
	return hf_buf_status(&c->asked);
}

/* _stored_name: asks for the name of the file. */
static int ask(struct hf_convert *c)
{
	int r;

	begin(&c->name);
	hf_path_normalise(c->file.data, &c->name);
	if (hf_buf_status(&c->name) < 0)
		return -ENOMEM;
	r = make_question(c);
	if (r < 0)
		return r;
	begin(&c->hashed);
	r = c->caller->resolve(c->caller->arg, c->asked.data, &c->answer,
			       &c->hashed);
	if (r < 0)
		return r;
	if (c->answer == HF_TARGET_SAME) {
		begin(&c->hashed);
		hf_buf_puts(&c->hashed, c->name.data);
	}
	return hf_buf_status(&c->hashed);
}

/* Makes `hashed` from `target`. */
static int find_hashed(struct hf_convert *c)
{
	bool is_directory;
	int r;

	begin(&c->file);
	begin(&c->inner);
	r = hf_url_defrag(c->target.data, &c->file, &c->inner);
	if (r == 0)
		r = hf_url_is_directory(c->file.data, &is_directory);
	if (r < 0)
		return or_raises(r);
	if (!is_directory)
		return ask(c);
	/* "don't hash paths" */
	c->answer = HF_TARGET_SAME;
	begin(&c->hashed);
	hf_buf_puts(&c->hashed, c->target.data);
	return hf_buf_status(&c->hashed);
}

/* Where the last component of a path begins. */
static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * hashed_url.split("/")[-1:] of _url(): FileSystemStorage.url() turns
 * backslashes, and urljoin() resolves dots, so that their last component is
 * empty.
 */
static void add_last_part(struct hf_convert *c)
{
	const char *last;

	for (char *byte = c->hashed.data; *byte; byte++)
		if (*byte == '\\')
			*byte = '/';
	last = last_part(c->hashed.data);
	if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		last = "";
	begin(&c->name);
	hf_buf_puts(&c->name, last);
	/* "Special casing for a @font-face hack" */
	if (strstr(c->target.data, "?#"))
		hf_buf_putc(&c->name, '?');
	if (c->inner.len > 0) {
		hf_buf_putc(&c->name, '#');
		add_unquoted(&c->name, c->inner.data, &c->spare);
	}
	if (c->name.failed)
		c->text.failed = true;
	else
		hf_buf_puts(&c->text, last_part(c->name.data));
}

/* transformed_url, unquoted */
static int make_text(struct hf_convert *c)
{
	const char *url_path = c->url_path.data;

	begin(&c->text);
	hf_buf_add(&c->text, url_path,
		   (size_t)(last_part(url_path) - url_path));
	add_last_part(c);
	if (c->fragment.len > 0) {
		hf_buf_puts(&c->text, strstr(c->url.data, "?#") ? "?#" : "#");
		hf_buf_puts(&c->text, c->fragment.data);
	}
	begin(&c->name);
	if (hf_buf_status(&c->text) < 0)
		return -ENOMEM;
	add_unquoted(&c->name, c->text.data, &c->spare);
	begin(&c->text);
	if (hf_buf_status(&c->name) < 0)
		return -ENOMEM;
	add_showing_nul(&c->text, c->name.data);
	return hf_buf_status(&c->text);
}

static int convert_target(struct hf_convert *c, enum hf_outcome *ret)
{
	int r;

	r = find_target(c);
	if (r == 0)
		r = find_hashed(c);
	if (r != 0)
		return r;
	*ret = HF_OUTCOME_AS_WRITTEN;
	if (c->answer != HF_TARGET_NAME && c->answer != HF_TARGET_SAME)
		return 0;
	/* Nor can Python quote it: UnicodeEncodeError. */
	if (!is_utf8(last_part(c->hashed.data)))
		return RAISES;
	*ret = HF_OUTCOME_NEW;
	return make_text(c);
}

int hf_convert_url(struct hf_convert *c, const char *url, size_t len,
		   enum hf_outcome *ret)
{
	int r;

	begin(&c->url);
	begin(&c->asked);
	begin(&c->url_path);
	begin(&c->fragment);
	add_hiding_nul(&c->url, url, len);
	if (hf_buf_status(&c->url) < 0 || hf_buf_status(&c->asked) < 0)
		return -ENOMEM;
	*ret = HF_OUTCOME_KEPT;
	if (is_foreign(c->config, c->url.data))
		return 0;
	r = or_raises(hf_url_defrag(c->url.data, &c->url_path, &c->fragment));
	/* "Ignore URLs without a path", from Django 4.2 */
	if (r == 0 && c->url_path.len == 0)
		return 0;
	if (r == 0)
		r = convert_target(c, ret);
	if (r == RAISES) {
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
		&c->file,   &c->inner,    &c->name,     &c->asked,
		&c->hashed, &c->spare,    &c->text,
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(bufs); i++)
		hf_buf_fini(bufs[i]);
}
