/* flat: names to hashed names and nothing else, as gulp-rev, webpack's
 * manifest plugin and Laravel Mix write it. */
#include "manifest/format.h"

int hf_flat_write(const struct hf_manifest *manifest,
		  const struct hf_document *document, struct hf_buf *ret)
{
	struct hf_object object = hf_object_open(ret, 1);
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	while ((row = hf_manifest_next(manifest, &cursor))) {
		hf_object_key(&object, document->key_prefix, row->path);
		hf_quote_both(document->url_prefix, row->name, ret);
	}
	hf_object_close(&object);
	return hf_buf_status(ret);
}
