/* null: name, NUL, hashed name, NUL: for scripts, whatever a name holds. */
#include "manifest/format.h"

#include <string.h>

static void add(const char *prefix, const char *text, struct hf_buf *ret)
{
	hf_buf_puts(ret, prefix);
	hf_buf_add(ret, text, strlen(text) + 1);
}

int hf_null_write(const struct hf_manifest *manifest,
		  const struct hf_document *document, struct hf_buf *ret)
{
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	while ((row = hf_manifest_next(manifest, &cursor))) {
		add(document->key_prefix, row->path, ret);
		add(document->url_prefix, row->name, ret);
	}
	return hf_buf_status(ret);
}
