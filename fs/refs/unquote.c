/*
 * unquote: urllib.parse.unquote, with its errors="replace".
 */
#include "fs/refs/refs.h"

#include <string.h>

/* unquote_to_bytes */
static void add_unescaped(struct hf_buf *bytes, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool whole = text[i] == '%' && len - i > 2;
		int high = whole ? hf_hex_value(text[i + 1]) : -1;
		int low = whole ? hf_hex_value(text[i + 2]) : -1;

		if (high < 0 || low < 0) {
			hf_buf_putc(bytes, text[i]);
			continue;
		}
		hf_buf_putc(bytes, (char)(high * 16 + low));
		i += 2;
	}
}

/*
 * The bytes at the start of `text`, which is not UTF-8, that one U+FFFD stands
 * for: the longest start of some character (Unicode, "maximal subpart"), at
 * least one. The second byte's range keeps out overlong forms, surrogates and
 * what lies above U+10FFFF.
 */
static size_t subpart_len(const char *text, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char lead = bytes[0];
	unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	size_t whole = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	size_t n = 1;

	if (lead < 0xc2 || lead > 0xf4)
		return 1;
	while (n < whole && n < len && bytes[n] >= low && bytes[n] <= high) {
		n++;
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

/* bytes.decode("utf-8", "replace") */
static void add_replaced(struct hf_buf *ret, const char *text, size_t len)
{
	while (len) {
		uint32_t code_point;
		size_t n = hf_utf8_decode(text, len, &code_point);

		if (n) {
			hf_buf_add(ret, text, n);
		} else {
			n = subpart_len(text, len);
			hf_buf_puts(ret, "\xef\xbf\xbd");
		}
		text += n;
		len -= n;
	}
}

/* The bytes at the start of `text` that are all ASCII, or all not. */
static size_t run_len(const char *text, size_t len)
{
	size_t n = 1;

	while (n < len && ((text[n] ^ text[0]) & 0x80) == 0)
		n++;
	return n;
}

/*
 * Escaped bytes do not join with a raw byte beside them to one character: as
 * _asciire has it, each run of ASCII is decoded on its own.
 */
void hf_url_unquote(const char *text, size_t len, struct hf_buf *ret)
{
	struct hf_buf bytes = {0};

	while (len) {
		size_t run = run_len(text, len);

		if (memchr(text, '%', run)) {
			hf_buf_reset(&bytes);
			add_unescaped(&bytes, text, run);
			if (hf_buf_status(&bytes) < 0)
				ret->failed = true;
			else
				add_replaced(ret, bytes.data, bytes.len);
		} else {
			hf_buf_add(ret, text, run);
		}
		text += run;
		len -= run;
	}
	hf_buf_fini(&bytes);
}
