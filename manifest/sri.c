/* sri: names to the values of HTML's integrity attribute. */
#include "manifest/format.h"

static void add_integrity(const struct hf_manifest_row *row,
			  const struct hf_document *document,
			  struct hf_buf *ret)
{
	(void)document;
	hf_quote(row->integrity, ret);
}

int hf_sri_write(const struct hf_manifest *manifest,
		 const struct hf_document *document, struct hf_buf *ret)
{
	return hf_names_write(manifest, document, add_integrity, ret);
}
