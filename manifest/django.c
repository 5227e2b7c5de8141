/*
 * staticfiles.json, byte for byte as ManifestFilesMixin.save_manifest of Django
 * 6 writes it (django/contrib/staticfiles/storage.py): ", " and ": " between, no
 * indentation and no final newline. Integrity values stand behind all that, in
 * a member that Django does not look at.
 */
#include "manifest/format.h"

#include <errno.h>

#define VERSION "1.1"
#define HASH_LEN 12 /* HashedFilesMixin.file_hash: hexdigest()[:12] */

/* How the listed rows stand in a document. */
struct style {
	const char *open;
	const char *between;
	const char *close;
};

static void add_rows(const struct hf_manifest *manifest,
		     const struct style *style, struct hf_buf *ret)
{
	const char *separator = "";
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	while ((row = hf_manifest_next(manifest, &cursor))) {
		hf_buf_puts(ret, separator);
		hf_buf_puts(ret, style->open);
		hf_quote(row->path, ret);
		hf_buf_puts(ret, style->between);
		hf_quote(row->name, ret);
		hf_buf_puts(ret, style->close);
		separator = ", ";
	}
}

/* ManifestFilesMixin.save_manifest: the file_hash of
 * json.dumps(sorted(hashed_files.items())), always of MD5. */
static int hash_rows(const struct hf_manifest *manifest,
		     char ret[HF_DIGEST_HEX_MAX + 1])
{
	static const struct style pairs = {"[", ", ", "]"};
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	struct hf_digest digest;
	int error;

	hf_buf_putc(&text, '[');
	add_rows(manifest, &pairs, &text);
	hf_buf_putc(&text, ']');
	error = hf_buf_status(&text);
	if (error < 0)
		return error;
	error = hf_hash(hf_algorithm_find("md5"), text.data, text.len, &digest);
	if (error < 0)
		return error;
	hf_digest_hex(&digest, ret);
	return 0;
}

static void add_integrity(const struct hf_manifest *manifest,
			  struct hf_buf *ret)
{
	const char *separator = "";
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	hf_buf_puts(ret, ", \"integrity\": {");
	while ((row = hf_manifest_next(manifest, &cursor))) {
		hf_buf_puts(ret, separator);
		hf_quote(row->path, ret);
		hf_buf_puts(ret, ": ");
		hf_quote(row->integrity, ret);
		separator = ", ";
	}
	hf_buf_putc(ret, '}');
}

int hf_django_write(const struct hf_manifest *manifest,
		    const struct hf_document *document, struct hf_buf *ret)
{
	static const struct style members = {"", ": ", ""};
	char hash[HF_DIGEST_HEX_MAX + 1];
	int error = hash_rows(manifest, hash);

	if (error < 0)
		return error;
	hf_buf_puts(ret, "{\"paths\": {");
	add_rows(manifest, &members, ret);
	hf_buf_printf(ret, "}, \"version\": \"%s\", \"hash\": \"%.*s\"",
		      VERSION, HASH_LEN, hash);
	if (document->integrity)
		add_integrity(manifest, ret);
	hf_buf_putc(ret, '}');
	return hf_buf_status(ret);
}
