/*
 * Spells text anew for jansson, and back:
 *
 *     in the file        for jansson         a name's byte(s)
 *     lone \udcXX        \u0001 \u00XX       XX, 0x80 to 0xff
 *     \u0001             \u0001 \u0001       01
 *
 * This is unambiguous: JSON allows U+0001 in no other spelling than \u0001,
 * and behind a mark there is either a mark or U+0080 to U+00FF. Surrogates in
 * pairs are left alone; other lone ones are no file name, and stay to be
 * refused. Line numbers in jansson's errors stay true.
 */
#include "manifest/marks.h"

#include <assert.h>
#include <string.h>

#define MARK '\x01'

static bool is_high(unsigned unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(unsigned unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* True if a \uXXXX stands there. */
static bool read_unit(const char *text, size_t len, unsigned *ret)
{
	unsigned unit = 0;

	if (len < 6 || text[0] != '\\' || text[1] != 'u')
		return false;
	for (int i = 2; i < 6; i++) {
		int value = hf_hex_value(text[i]);

		if (value < 0)
			return false;
		unit = unit << 4 | (unsigned)value;
	}
	*ret = unit;
	return true;
}

/* Spells the escape at `text` for jansson; returns how long it was. */
static size_t mark_escape(const char *text, size_t len, struct hf_buf *ret)
{
	unsigned unit, next;
	size_t taken = len < 2 ? len : 2;

	if (read_unit(text, len, &unit)) {
		taken = 6;
		if (unit == MARK) {
			hf_buf_puts(ret, "\\u0001");
		} else if (unit >= 0xdc80 && unit <= 0xdcff) {
			hf_buf_printf(ret, "\\u0001\\u%04x", unit - 0xdc00);
			return taken;
		} else if (is_high(unit) &&
			   read_unit(text + 6, len - 6, &next) &&
			   is_low(next)) {
			taken = 12;
		}
	}
	hf_buf_add(ret, text, taken);
	return taken;
}

/* Outside of strings a backslash is an error whatever follows, so that the
 * escapes can be found without telling strings from the rest. */
void hf_marks_set(const char *text, size_t len, struct hf_buf *ret)
{
	while (len) {
		const char *escape = memchr(text, '\\', len);
		size_t plain = escape ? (size_t)(escape - text) : len;
		size_t taken = plain;

		hf_buf_add(ret, text, plain);
		if (escape)
			taken += mark_escape(escape, len - plain, ret);
		text += taken;
		len -= taken;
	}
}

/* Spells a string back. */
void hf_marks_take(const char *text, struct hf_buf *ret)
{
	for (;;) {
		size_t plain = strcspn(text, "\x01");
		uint32_t point;
		size_t len;

		hf_buf_add(ret, text, plain);
		text += plain;
		if (!*text)
			return;
		text++;
		len = hf_utf8_decode(text, strlen(text), &point);
		assert(len);
		hf_buf_putc(ret, (char)point);
		text += len;
	}
}
