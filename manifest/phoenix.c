/*
 * phoenix: the cache_manifest.json of `mix phx.digest` (Phoenix.Digester,
 * version 1). A file under its own name is not in it: Phoenix would tell
 * browsers to keep it for good.
 */
#include "manifest/format.h"

#include <inttypes.h>
#include <string.h>

/* 2000-01-01T00:00:00Z in the seconds that Erlang counts from the year 0: as
 * the files have it, and the same on every machine. */
#define MTIME "63113904000"

static const struct hf_manifest_row *next(const struct hf_manifest *manifest,
					  size_t *cursor)
{
	const struct hf_manifest_row *row;

	do
		row = hf_manifest_next(manifest, cursor);
	while (row && !strcmp(row->path, row->name));
	return row;
}

static void add_latest(const struct hf_manifest *manifest, struct hf_buf *ret)
{
	struct hf_object object = hf_object_open(ret, 2);
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	while ((row = next(manifest, &cursor))) {
		hf_object_key(&object, "", row->path);
		hf_quote(row->name, ret);
	}
	hf_object_close(&object);
}

/* Phoenix takes the base64 alone, and always of SHA-512. */
static void add_digest(const struct hf_manifest_row *row, bool integrity,
		       struct hf_buf *ret)
{
	const char *dash = integrity ? strchr(row->integrity, '-') : NULL;

	hf_buf_puts(ret, "{\"logical_path\": ");
	hf_quote(row->path, ret);
	hf_buf_printf(ret,
		      ", \"mtime\": " MTIME ", \"size\": %" PRIu64
		      ", \"digest\": \"%s\"",
		      row->size, row->digest);
	if (dash)
		hf_buf_printf(ret, ", \"sha512\": \"%s\"", dash + 1);
	hf_buf_putc(ret, '}');
}

static void add_digests(const struct hf_manifest *manifest, bool integrity,
			struct hf_buf *ret)
{
	struct hf_object object = hf_object_open(ret, 2);
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	while ((row = next(manifest, &cursor))) {
		hf_object_key(&object, "", row->name);
		add_digest(row, integrity, ret);
	}
	hf_object_close(&object);
}

int hf_phoenix_write(const struct hf_manifest *manifest,
		     const struct hf_document *document, struct hf_buf *ret)
{
	struct hf_object object = hf_object_open(ret, 1);

	hf_object_key(&object, "", "version");
	hf_buf_puts(ret, "1");
	hf_object_key(&object, "", "latest");
	add_latest(manifest, ret);
	hf_object_key(&object, "", "digests");
	add_digests(manifest, document->integrity, ret);
	hf_object_close(&object);
	return hf_buf_status(ret);
}
