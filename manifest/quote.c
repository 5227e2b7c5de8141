/*
 * JSON as Python's json.dumps writes it: ASCII only. Django builds its own text
 * with it, and so do we: no JSON library promises these bytes.
 */
#include "manifest/format.h"

#include <string.h>

static void escape_unit(uint32_t unit, struct hf_buf *ret)
{
	hf_buf_printf(ret, "\\u%04x", (unsigned)unit);
}

static void quote_code_point(uint32_t point, struct hf_buf *ret)
{
	switch (point) {
	case '"':
	case '\\':
		hf_buf_putc(ret, '\\');
		hf_buf_putc(ret, (char)point);
		return;
	case '\b':
		hf_buf_puts(ret, "\\b");
		return;
	case '\f':
		hf_buf_puts(ret, "\\f");
		return;
	case '\n':
		hf_buf_puts(ret, "\\n");
		return;
	case '\r':
		hf_buf_puts(ret, "\\r");
		return;
	case '\t':
		hf_buf_puts(ret, "\\t");
		return;
	}
	if (point >= 0x10000) {
		escape_unit(0xd800 + ((point - 0x10000) >> 10), ret);
		escape_unit(0xdc00 + ((point - 0x10000) & 0x3ff), ret);
	} else if (point < ' ' || point > '~') {
		escape_unit(point, ret);
	} else {
		hf_buf_putc(ret, (char)point);
	}
}

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

/* Eight bytes at a time, each of them compared in its own bits of a word. */
#define BYTES(c) (UINT64_C(0x0101010101010101) * (c))
#define HIGH BYTES(0x80)

/* Has a byte whose high bit is not set, and that is less than `c`? */
static uint64_t have_less(uint64_t word, unsigned c)
{
	return (word - BYTES(c)) & ~word & HIGH;
}

static bool is_word_plain(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return !((word & HIGH) | have_less(word, ' ') |
		 have_less(word ^ BYTES('"'), 1) |
		 have_less(word ^ BYTES('\\'), 1) |
		 have_less(word ^ BYTES(0x7f), 1));
}

/* How much of it stands for itself. */
static size_t plain_len(const char *text, size_t len)
{
	size_t plain = 0;

	while (len - plain >= sizeof(uint64_t) && is_word_plain(text + plain))
		plain += sizeof(uint64_t);
	while (plain < len && is_plain(text[plain]))
		plain++;
	return plain;
}

static void quote_inside(const char *text, struct hf_buf *ret)
{
	const char *end = text + strlen(text);

	while (text < end) {
		size_t len = plain_len(text, (size_t)(end - text));

		hf_buf_add(ret, text, len);
		text += len;
		if (text < end)
			quote_code_point(hf_manifest_code_point(&text), ret);
	}
}

void hf_quote(const char *text, struct hf_buf *ret)
{
	hf_quote_both("", text, ret);
}

void hf_quote_both(const char *prefix, const char *text, struct hf_buf *ret)
{
	hf_buf_putc(ret, '"');
	quote_inside(prefix, ret);
	quote_inside(text, ret);
	hf_buf_putc(ret, '"');
}

/* --- objects ------------------------------------------------------------- */

static void new_line(struct hf_buf *ret, unsigned depth)
{
	hf_buf_putc(ret, '\n');
	while (depth--)
		hf_buf_puts(ret, "  ");
}

struct hf_object hf_object_open(struct hf_buf *ret, unsigned depth)
{
	hf_buf_putc(ret, '{');
	return (struct hf_object){.ret = ret, .depth = depth};
}

void hf_object_key(struct hf_object *object, const char *prefix,
		   const char *key)
{
	if (object->any)
		hf_buf_putc(object->ret, ',');
	object->any = true;
	new_line(object->ret, object->depth);
	hf_quote_both(prefix, key, object->ret);
	hf_buf_puts(object->ret, ": ");
}

void hf_object_close(const struct hf_object *object)
{
	if (object->any)
		new_line(object->ret, object->depth - 1);
	hf_buf_putc(object->ret, '}');
	if (object->depth == 1)
		hf_buf_putc(object->ret, '\n');
}
