/*
 * nul: U+0000, which a text may hold and Python's functions carry along, in
 * C strings. It hides as HF_NUL, two bytes that UTF-8 never has.
 */
#include "fs/refs/internal.h"

#include <string.h>

static bool is_hidden_nul(const char *text)
{
	return strncmp(text, HF_NUL, strlen(HF_NUL)) == 0;
}

void hf_nul_hide(const char *text, size_t len, struct hf_buf *ret)
{
	while (len > 0) {
		size_t run = strnlen(text, len);

		hf_buf_add(ret, text, run);
		if (run < len) {
			hf_buf_puts(ret, HF_NUL);
			run++;
		}
		text += run;
		len -= run;
	}
}

void hf_nul_show(const char *text, struct hf_buf *ret)
{
	const char *nul;

	while ((nul = strstr(text, HF_NUL))) {
		hf_buf_add(ret, text, (size_t)(nul - text));
		hf_buf_putc(ret, '\0');
		text = nul + strlen(HF_NUL);
	}
	hf_buf_puts(ret, text);
}

void hf_nul_unquote(const char *text, struct hf_buf *ret)
{
	struct hf_buf shown = {0};

	hf_url_unquote(text, strlen(text), &shown);
	if (shown.failed)
		ret->failed = true;
	else
		hf_nul_hide(shown.data, shown.len, ret);
	hf_buf_fini(&shown);
}

const char *hf_nul_lstrip(const char *text)
{
	while (is_hidden_nul(text) || (*text && (unsigned char)*text <= ' '))
		text += is_hidden_nul(text) ? strlen(HF_NUL) : 1;
	return text;
}

bool hf_nul_is_utf8(const char *text)
{
	size_t len = strlen(text);
	uint32_t code_point;
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = is_hidden_nul(text)
			    ? strlen(HF_NUL)
			    : hf_utf8_decode(text, len, &code_point);
		if (n == 0)
			return false;
	}
	return true;
}
