/* Sentences for the user. */
#include "manifest/manifest.h"

int hf_why(int error, char **why, const char *format, ...)
{
	struct hf_buf buf = {0};
	va_list args;

	va_start(args, format);
	hf_buf_vprintf(&buf, format, args);
	va_end(args);
	if (hf_buf_steal(&buf, why) < 0)
		*why = NULL;
	hf_buf_fini(&buf);
	return error;
}
