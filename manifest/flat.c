/* flat: names to hashed names and nothing else, as gulp-rev, webpack's
 * manifest plugin and Laravel Mix write it. */
#include "manifest/format.h"

static void add_name(const struct hf_manifest_row *row,
		     const struct hf_document *document, struct hf_buf *ret)
{
	hf_quote_both(document->url_prefix, row->name, ret);
}

int hf_flat_write(const struct hf_manifest *manifest,
		  const struct hf_document *document, struct hf_buf *ret)
{
	return hf_names_write(manifest, document, add_name, ret);
}
