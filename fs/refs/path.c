/*
 * path: posixpath.normpath, and two words on strings that the room shares.
 */
#include "fs/refs/internal.h"

#include <string.h>

/* Two slashes at the start mean something of their own to POSIX; three do
 * not. */
static size_t n_first_slashes(const char *path)
{
	size_t n = strspn(path, "/");

	return n == 2 ? 2 : n > 0;
}

static bool is_up(const char *part, size_t len)
{
	return len == 2 && memcmp(part, "..", 2) == 0;
}

/* Where the last component of text[from, len) begins. */
static size_t last_part(const char *text, size_t from, size_t len)
{
	while (len > from && text[len - 1] != '/')
		len--;
	return len;
}

/* Takes the last component away, if ".." can be answered with that. */
static bool go_up(struct hf_buf *ret, size_t root, bool absolute)
{
	size_t part;

	if (ret->failed)
		return true;
	part = last_part(ret->data, root, ret->len);
	if (ret->len == root)
		return absolute;
	if (is_up(ret->data + part, ret->len - part))
		return false;
	ret->len = part > root ? part - 1 : root;
	ret->data[ret->len] = '\0';
	return true;
}

void hf_path_normalise(const char *path, struct hf_buf *ret)
{
	size_t start = ret->len;
	size_t slashes = n_first_slashes(path);
	size_t root;

	hf_buf_add(ret, "//", slashes);
	root = ret->len;
	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");

		if (!(len == 1 && *path == '.') &&
		    !(is_up(path, len) && go_up(ret, root, slashes > 0))) {
			if (ret->len > root)
				hf_buf_putc(ret, '/');
			hf_buf_add(ret, path, len);
		}
		path += len;
	}
	if (ret->len == start)
		hf_buf_putc(ret, '.');
}

void hf_buf_clear(struct hf_buf *buf)
{
	hf_buf_reset(buf);
	hf_buf_add(buf, NULL, 0);
}

bool hf_starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}
