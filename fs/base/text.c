#include "fs/base/base.h"

#include <errno.h>
#include <string.h>

#define IS_TAIL(byte) (((byte)&0xc0) == 0x80)

/*
 * The length of the character that `head` begins, or 0; *ret is what the head
 * holds of the code point. c0, c1 and f5 to ff begin none.
 */
static size_t utf8_head(unsigned char head, uint32_t *ret)
{
	size_t n = 0;

	if (head < 0x80)
		n = 1;
	else if (head >= 0xc2 && head < 0xe0)
		n = 2;
	else if (head >= 0xe0 && head < 0xf0)
		n = 3;
	else if (head >= 0xf0 && head < 0xf5)
		n = 4;
	*ret = n == 1 ? head : head & (0x7fU >> n);
	return n;
}

size_t hf_utf8_decode(const char *text, size_t len, uint32_t *ret)
{
	/* By length: what the smallest code point of that length is. An
	 * overlong form would decode to less. */
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)text;
	uint32_t c = 0;
	size_t n = len > 0 ? utf8_head(byte[0], &c) : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (!IS_TAIL(byte[i]))
			return 0;
		c = c << 6 | (byte[i] & 0x3f);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return n;
}

/* The letter after the backslash, for characters that have one, or 0. */
static char escape_letter(uint32_t c)
{
	switch (c) {
	case '\\':
		return '\\';
	case '\n':
		return 'n';
	case '\t':
		return 't';
	case '\r':
		return 'r';
	default:
		return 0;
	}
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

void hf_escape(struct hf_buf *buf, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		uint32_t c = 0;
		size_t n = hf_utf8_decode(text + at, len - at, &c);
		size_t end = at + (n ? n : 1);

		if (n && escape_letter(c)) {
			hf_buf_putc(buf, '\\');
			hf_buf_putc(buf, escape_letter(c));
		} else if (n && !is_control(c)) {
			hf_buf_add(buf, text + at, n);
		} else {
			for (size_t i = at; i < end; i++)
				hf_buf_printf(buf, "\\x%02x",
					      (unsigned char)text[i]);
		}
		at = end;
	}
}

char *hf_escaped(const char *text)
{
	struct hf_buf buf = {0};
	char *ret = NULL;

	hf_escape(&buf, text, strlen(text));
	return hf_buf_steal(&buf, &ret) < 0 ? NULL : ret;
}

int hf_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/*
 * The byte that the escape at `text` (a backslash) means. Returns the length
 * of the escape, or 0 if hf_escape does not write such a one.
 */
static size_t unescape_one(const char *text, size_t len, char *ret)
{
	static const char letters[] = "\\ntr", meanings[] = "\\\n\t\r";
	const char *letter;
	int high, low, byte;

	if (len < 2)
		return 0;
	letter = text[1] ? strchr(letters, text[1]) : NULL;
	if (letter) {
		*ret = meanings[letter - letters];
		return 2;
	}
	if (text[1] != 'x' || len < 4)
		return 0;
	high = hf_hex_value(text[2]);
	low = hf_hex_value(text[3]);
	if (high < 0 || low < 0)
		return 0;
	byte = high << 4 | low;
	/* One spelling for each byte, so that texts compare as bytes do. */
	if (is_upper(text[2]) || is_upper(text[3]) || escape_letter(byte) ||
	    (byte < 0x80 && !is_control(byte)))
		return 0;
	*ret = (char)byte;
	return 4;
}

int hf_unescape(struct hf_buf *buf, const char *text, size_t len)
{
	size_t before = buf->len;
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		char c = text[at];

		n = c == '\\' ? unescape_one(text + at, len - at, &c) : 1;
		if (n == 0) {
			/* Half a text is no text. */
			buf->len = before;
			if (buf->data)
				buf->data[before] = '\0';
			return -EINVAL;
		}
		hf_buf_putc(buf, c);
	}
	return hf_buf_status(buf);
}

int hf_strings_add(struct hf_strings *list, const char *text, size_t len)
{
	char *copy;

	/* The array is always as long as the next power of two. */
	if ((list->n & (list->n - 1)) == 0) {
		size_t cap = list->n ? list->n * 2 : 1;
		char **items = reallocarray(list->items, cap, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
	}
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	list->items[list->n++] = copy;
	return 0;
}

void hf_strings_fini(struct hf_strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct hf_strings){0};
}

int hf_split(struct hf_strings *list, const char *text, char separator)
{
	const char *end = text;
	int err;

	if (!*text)
		return 0;
	for (;;) {
		/* A backslash takes the next character with it, so that the
		 * one in "\\:" does not guard the separator. */
		while (*end && *end != separator)
			end += end[0] == '\\' && end[1] ? 2 : 1;
		err = hf_strings_add(list, text, end - text);
		if (err || !*end)
			return err;
		text = ++end;
	}
}

void hf_unbackslash(char *text)
{
	char *out = text;

	while (*text) {
		if (text[0] == '\\' && text[1])
			text++;
		*out++ = *text++;
	}
	*out = '\0';
}

int hf_why(int error, char **why, const char *format, ...)
{
	struct hf_buf text = {0};
	va_list args;

	va_start(args, format);
	hf_buf_vprintf(&text, format, args);
	va_end(args);
	if (hf_buf_steal(&text, why) < 0)
		*why = NULL;
	return error;
}
