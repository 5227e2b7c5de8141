/* propshaft: the .manifest.json of Rails' Propshaft
 * (Propshaft::Manifest#to_json, from version 1.2 on; earlier ones read a flat
 * one). */
#include "manifest/format.h"

static void add_asset(const struct hf_manifest_row *row,
		      const struct hf_document *document, struct hf_buf *ret)
{
	hf_buf_puts(ret, "{\"digested_path\": ");
	hf_quote(row->name, ret);
	hf_buf_puts(ret, ", \"integrity\": ");
	if (document->integrity)
		hf_quote(row->integrity, ret);
	else
		hf_buf_puts(ret, "null");
	hf_buf_putc(ret, '}');
}

int hf_propshaft_write(const struct hf_manifest *manifest,
		       const struct hf_document *document, struct hf_buf *ret)
{
	return hf_names_write(manifest, document, add_asset, ret);
}
