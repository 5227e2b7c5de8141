#include "tools/document.h"

#include "tools/program.h"

/* The name of an option of that code, or NULL. */
static const char *option_of(int code)
{
	switch (code) {
	case 'F':
		return "--format";
	case 'U':
		return "--url-prefix";
	case 'K':
		return "--key-prefix";
	case 'I':
		return "--integrity";
	default:
		return NULL;
	}
}

int hf_document_take(struct hf_document *document, int code, const char *value,
		     int status)
{
	const char *option = option_of(code);
	char *why = NULL;
	int r;

	if (!option)
		return 0;
	r = hf_document_set(document, option, value, &why);
	return r < 0 ? hf_program_refuse(status, r, why) : -1;
}
