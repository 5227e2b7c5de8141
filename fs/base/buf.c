#include "fs/base/base.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUF_MIN 64

void hf_freep(void *pointer_to_pointer)
{
	int saved = errno;
	void *pointer;

	/* The variable may point to anything; a copy does not alias it. */
	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	free(pointer);
	errno = saved;
}

/* Room for `len` more bytes and the NUL behind them. */
static bool buf_reserve(struct hf_buf *buf, size_t len)
{
	size_t cap = buf->cap ? buf->cap : BUF_MIN;
	char *data;

	if (buf->failed || len >= SIZE_MAX / 2 - buf->len) {
		buf->failed = true;
		return false;
	}
	if (buf->cap > buf->len + len)
		return true;
	while (cap <= buf->len + len)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (!data) {
		buf->failed = true;
		return false;
	}
	hf_heap_expect(data, cap);
	buf->data = data;
	buf->cap = cap;
	return true;
}

void hf_buf_add(struct hf_buf *buf, const void *data, size_t len)
{
	if (!buf_reserve(buf, len))
		return;
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void hf_buf_puts(struct hf_buf *buf, const char *text)
{
	hf_buf_add(buf, text, strlen(text));
}

void hf_buf_putc(struct hf_buf *buf, char c)
{
	hf_buf_add(buf, &c, 1);
}

void hf_buf_printf(struct hf_buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	hf_buf_vprintf(buf, format, args);
	va_end(args);
}

void hf_buf_vprintf(struct hf_buf *buf, const char *format, va_list args)
{
	va_list again;
	int len;

	/* Most texts fit at once; the second pass knows the length. */
	if (!buf_reserve(buf, BUF_MIN))
		return;
	va_copy(again, args);
	len = vsnprintf(buf->data + buf->len, buf->cap - buf->len, format,
			args);
	if (len < 0)
		buf->failed = true;
	else if ((size_t)len >= buf->cap - buf->len && buf_reserve(buf, len))
		vsnprintf(buf->data + buf->len, buf->cap - buf->len, format,
			  again);
	va_end(again);
	if (!buf->failed)
		buf->len += len;
	buf->data[buf->len] = '\0';
}

void hf_buf_cut(struct hf_buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len = len;
	if (buf->data)
		buf->data[len] = '\0';
}

void hf_buf_reset(struct hf_buf *buf)
{
	hf_buf_cut(buf, 0);
	buf->failed = false;
}

int hf_buf_status(const struct hf_buf *buf)
{
	return buf->failed ? -ENOMEM : 0;
}

int hf_buf_steal(struct hf_buf *buf, char **ret)
{
	char *fitted;

	/* Makes the memory of an empty buffer, unless it failed before. */
	hf_buf_add(buf, NULL, 0);
	if (buf->failed) {
		hf_buf_fini(buf);
		return -ENOMEM;
	}
	/* What is stolen is kept, often in great numbers: no slack. */
	fitted = realloc(buf->data, buf->len + 1);
	*ret = fitted ? fitted : buf->data;
	*buf = (struct hf_buf){0};
	return 0;
}

void hf_buf_trim(struct hf_buf *buf)
{
	char *data = buf->data ? realloc(buf->data, buf->len + 1) : NULL;

	if (!data)
		return;
	buf->data = data;
	buf->cap = buf->len + 1;
}

void hf_buf_fini(struct hf_buf *buf)
{
	free(buf->data);
	*buf = (struct hf_buf){0};
}
