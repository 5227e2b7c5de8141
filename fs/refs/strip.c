/*
 * strip: str.strip, and what counts as a space for it.
 */
#include "fs/refs/refs.h"

/* str.isspace(); also what \s of the re module matches. */
bool hf_is_space(uint32_t code_point)
{
	switch (code_point) {
	case 0x20:
	case 0x85:
	case 0xa0:
	case 0x1680:
	case 0x2028:
	case 0x2029:
	case 0x202f:
	case 0x205f:
	case 0x3000:
		return true;
	default:
		return (code_point >= 0x09 && code_point <= 0x0d) ||
		       (code_point >= 0x1c && code_point <= 0x1f) ||
		       (code_point >= 0x2000 && code_point <= 0x200a);
	}
}

/* The length of the blank that starts `text`, or 0. */
static size_t first_space(const char *text, size_t len)
{
	uint32_t code_point;
	size_t n = hf_utf8_decode(text, len, &code_point);

	return n && hf_is_space(code_point) ? n : 0;
}

/* The length of the blank that ends `text`, or 0. Blanks have 1 to 3 bytes. */
static size_t last_space(const char *text, size_t len)
{
	for (size_t n = 1; n <= 3 && n <= len; n++)
		if (first_space(text + len - n, n) == n)
			return n;
	return 0;
}

void hf_strip(const char **text, size_t *len)
{
	size_t n;

	while ((n = first_space(*text, *len)) > 0) {
		*text += n;
		*len -= n;
	}
	while ((n = last_space(*text, *len)) > 0)
		*len -= n;
}
