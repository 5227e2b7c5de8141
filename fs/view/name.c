/*
 * name: HashedFilesMixin.hashed_name, with a hole where the hash goes.
 *
 * Django runs the whole path through unquote, urlsplit and strip, so that a
 * name may lose blanks and escapes, and what follows a "?" or "#" moves behind
 * the hash. That is reproduced as long as the file stays in its directory.
 */
#include "fs/view/name.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "fs/refs/refs.h"

/* A buffer to which nothing was added has no memory. */
static const char *text_of(const struct hf_buf *buf)
{
	return buf->data ? buf->data : "";
}

/* `after` may be NULL. */
static int status_of(const struct hf_buf *before, const struct hf_buf *after)
{
	int r = hf_buf_status(before);

	return r < 0 || !after ? r : hf_buf_status(after);
}

/* The length of `text` up to and with its last slash. */
static size_t dir_len_of(const char *text, size_t len)
{
	const char *slash = memrchr(text, '/', len);

	return slash ? (size_t)(slash - text) + 1 : 0;
}

static int check_len(size_t dir_len, size_t name_len)
{
	if (name_len > NAME_MAX || dir_len + name_len >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

/* --- paths that Django leaves alone -------------------------------------- */

/* A hyphen, a dot, a slash or a digit, or one from "@" to the last letter:
 * what most paths are made of, told in two steps. */
static bool is_common(unsigned char c)
{
	return (unsigned char)(c - '-') <= '9' - '-' ||
	       ((unsigned char)(c - '@') <= 'z' - '@' && c != '\\');
}

/* True if unquote, urlsplit and strip return the path as it is. */
static bool is_plain(const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)path[i];

		if (is_common(c))
			continue;
		if (c < ' ' || c >= 0x80 || c == '%' || c == '?' || c == '#' ||
		    c == ':' || c == '\\')
			return false;
	}
	return len && path[0] != ' ' && path[len - 1] != ' ';
}

static int check_plain(const struct hf_name_template *template,
		       const char *path, size_t len)
{
	size_t dir_len = dir_len_of(path, len);

	return check_len(dir_len,
			 len - dir_len + hf_name_template_added(template));
}

/* As hf_name_template_join. */
static int join_plain(const struct hf_name_template *template, const char *path,
		      size_t len, const char *hex, struct hf_buf *before,
		      struct hf_buf *after)
{
	size_t dir_len = dir_len_of(path, len);
	struct hf_stem stem = hf_stem_of(path + dir_len, len - dir_len);
	int r = check_plain(template, path, len);

	if (r < 0)
		return r;
	hf_name_template_join(template, &stem, hex, before, after);
	return status_of(before, after);
}

/* --- paths that Django takes for URLs ------------------------------------ */

static size_t count_slashes(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '/';
	return n;
}

/*
 * True if stray bytes on both sides of an escaped TAB, CR or LF would come
 * together as one character when urlsplit drops it. In Python they stay two
 * strays, so that strip sees no blank; on the disk they are the character.
 */
static bool joins_strays(const char *text, size_t len)
{
	unsigned char last = 0;
	bool dropped = false;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\t' || c == '\r' || c == '\n') {
			dropped = true;
			continue;
		}
		if (dropped && last >= 0x80 && (c & 0xc0) == 0x80)
			return true;
		dropped = false;
		last = c;
	}
	return false;
}

/*
 * unquote(path), in so far as a name may come of it. *start is what urlsplit
 * would leave of it on the left, so that NULs there are gone as they are in
 * Django; a NUL elsewhere stays in the name, and no file has such a name.
 * Backslashes, escaped or not: Django's manifest turns them into slashes, but
 * not the file that it writes. Raw TAB, CR and LF: it drops them from the name
 * and from what it looks up, but not from the manifest's key.
 */
static int decode(const char *path, struct hf_buf *text, const char **start)
{
	size_t len = strlen(path);
	size_t skipped = 0;

	if (strpbrk(path, "\t\r\n"))
		return -EINVAL;
	hf_url_unquote(path, len, text);
	hf_buf_putc(text, '\0');
	if (hf_buf_status(text) < 0)
		return -ENOMEM;
	if (memchr(text->data, '\\', text->len) ||
	    joins_strays(text->data, text->len) ||
	    count_slashes(text->data, text->len) != count_slashes(path, len))
		return -EINVAL;
	while (skipped + 1 < text->len &&
	       (unsigned char)text->data[skipped] <= ' ')
		skipped++;
	*start = text->data + skipped;
	return strlen(*start) == text->len - skipped - 1 ? 0 : -EINVAL;
}

/*
 * The second half of hashed_name: `head` and `tail` are the whole path before
 * and after the hash. urlunsplit of the two halves, one after the other, is
 * urlunsplit of the whole, because only its first half has a scheme. A font
 * trick ("a.eot?#iefix") is why an empty query is kept alive.
 */
static int hash_url(const struct hf_name_template *template, const char *path,
		    const struct hf_url *url, struct hf_buf *head,
		    struct hf_buf *tail)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf left = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf right = {0};
	const char *clean = url->path;
	size_t len = strlen(clean);
	struct hf_url part = {url->scheme, url->netloc, "", "", "", {0}};
	struct hf_stem stem;
	size_t dir_len;

	hf_strip(&clean, &len);
	dir_len = dir_len_of(clean, len);
	stem = hf_stem_of(clean + dir_len, len - dir_len);
	hf_buf_add(&left, clean, dir_len);
	hf_name_template_join(template, &stem, NULL, &left, &right);
	if (strstr(path, "?#") && !*url->query)
		hf_buf_putc(&right, '?');
	if (hf_buf_status(&left) < 0 || hf_buf_status(&right) < 0)
		return -ENOMEM;
	part.path = text_of(&left);
	hf_url_unsplit(&part, head);
	part = (struct hf_url){"", "", "", url->query, url->fragment, {0}};
	part.path = text_of(&right);
	hf_url_unsplit(&part, tail);
	return hf_buf_status(head) < 0 || hf_buf_status(tail) < 0 ? -ENOMEM : 0;
}

/*
 * The result's base name starts where the path's does. A host, a scheme that
 * wants one, a "?" or "#" in a directory or an escape in it all move slashes
 * or change what stands before them.
 */
static bool stays(const char *path, size_t dir_len, const struct hf_buf *head,
		  const struct hf_buf *tail)
{
	return head->len >= dir_len &&
	       memcmp(path, text_of(head), dir_len) == 0 &&
	       !strchr(text_of(head) + dir_len, '/') &&
	       !strchr(text_of(tail), '/');
}

static int shape_url(const struct hf_name_template *template, const char *path,
		     struct hf_buf *before, struct hf_buf *after)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf head = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf tail = {0};
	HF_CLEANUP(hf_url_fini) struct hf_url url = {0};
	size_t dir_len = dir_len_of(path, strlen(path));
	const char *start;
	int r = decode(path, &text, &start);

	if (r == 0)
		r = hf_url_split(start, &url);
	if (r == 0)
		r = hash_url(template, path, &url, &head, &tail);
	if (r == 0 && !stays(path, dir_len, &head, &tail))
		r = -EINVAL;
	if (r == 0)
		r = check_len(dir_len, head.len - dir_len + template->hash_len +
					       tail.len);
	if (r < 0)
		return r;
	hf_buf_puts(before, text_of(&head) + dir_len);
	hf_buf_puts(after, text_of(&tail));
	return status_of(before, after);
}

/* --- the door ------------------------------------------------------------ */

/*
 * No check for "", "." and "..": every name holds its hash, which has at least
 * one digit.
 */
int hf_name_shape(const struct hf_name_template *template, const char *path,
		  struct hf_buf *before, struct hf_buf *after)
{
	size_t len = strlen(path);

	return is_plain(path, len)
		       ? join_plain(template, path, len, NULL, before, after)
		       : shape_url(template, path, before, after);
}

int hf_name_check(const struct hf_name_template *template, const char *path)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf before = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf after = {0};
	size_t len = strlen(path);

	return is_plain(path, len) ? check_plain(template, path, len)
				   : shape_url(template, path, &before, &after);
}

int hf_name_forward(const struct hf_name_template *template, const char *path,
		    const char *hex, struct hf_buf *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf after = {0};
	size_t len = strlen(path);
	int r;

	if (is_plain(path, len))
		return join_plain(template, path, len, hex, ret, NULL);
	r = shape_url(template, path, ret, &after);
	if (r < 0)
		return r;
	hf_buf_add(ret, hex, template->hash_len);
	hf_buf_puts(ret, text_of(&after));
	return hf_buf_status(ret);
}

static int shape_link(const struct hf_name_template *template, const char *link,
		      struct hf_buf *before, struct hf_buf *after)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	HF_CLEANUP(hf_url_fini) struct hf_url url = {0};
	int r;

	hf_url_unquote(link, strlen(link), &text);
	r = hf_buf_status(&text);
	if (r == 0)
		r = hf_url_split(text_of(&text), &url);
	return r < 0 ? r : hash_url(template, link, &url, before, after);
}

int hf_name_insert(const struct hf_name_template *template, const char *link,
		   const char *hex, struct hf_buf *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf after = {0};
	int r = shape_link(template, link, ret, &after);

	if (r < 0)
		return r;
	hf_buf_add(ret, hex, template->hash_len);
	hf_buf_add(ret, after.data, after.len);
	return hf_buf_status(ret);
}

int hf_name_shows_hash(const struct hf_name_template *template,
		       const char *link, bool *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf before = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf after = {0};
	int r = shape_link(template, link, &before, &after);

	if (r == 0)
		*ret = !strpbrk(text_of(&after), "/\\");
	return r;
}
