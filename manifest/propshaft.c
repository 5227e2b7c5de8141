/* propshaft: the .manifest.json of Rails' Propshaft (Propshaft::Manifest#to_json,
 * from version 1.2 on; earlier ones read a flat one). */
#include "manifest/format.h"

int hf_propshaft_write(const struct hf_manifest *manifest,
		       const struct hf_document *document, struct hf_buf *ret)
{
	struct hf_object object = hf_object_open(ret, 1);
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	while ((row = hf_manifest_next(manifest, &cursor))) {
		hf_object_key(&object, document->key_prefix, row->path);
		hf_buf_puts(ret, "{\"digested_path\": ");
		hf_quote(row->name, ret);
		hf_buf_puts(ret, ", \"integrity\": ");
		if (document->integrity)
			hf_quote(row->integrity, ret);
		else
			hf_buf_puts(ret, "null");
		hf_buf_putc(ret, '}');
	}
	hf_object_close(&object);
	return hf_buf_status(ret);
}
