/* names: an object with a member for each file, as most formats are. */
#include "manifest/format.h"

int hf_names_write(const struct hf_manifest *manifest,
		   const struct hf_document *document,
		   void (*add)(const struct hf_manifest_row *row,
			       const struct hf_document *document,
			       struct hf_buf *ret),
		   struct hf_buf *ret)
{
	struct hf_object object = hf_object_open(ret, 1);
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	while ((row = hf_manifest_next(manifest, &cursor))) {
		hf_object_key(&object, document->key_prefix, row->path);
		add(row, document, ret);
	}
	hf_object_close(&object);
	return hf_buf_status(ret);
}
