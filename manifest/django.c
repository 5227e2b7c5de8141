/*
 * staticfiles.json, byte for byte as ManifestFilesMixin.save_manifest of Django
 * 6 writes it (django/contrib/staticfiles/storage.py): ", " and ": " between,
 * no indentation and no final newline. Integrity values stand behind all that,
 * in a member that Django does not look at.
 */
#include "manifest/format.h"

#include <errno.h>

#define VERSION "1.1"
#define HASH_LEN 12 /* HashedFilesMixin.file_hash: hexdigest()[:12] */

static void add_pair(const struct hf_buf *text, size_t path, size_t path_end,
		     size_t name, struct hf_buf *ret)
{
	hf_buf_puts(ret, ret->len > 1 ? ", [" : "[");
	hf_buf_add(ret, text->data + path, path_end - path);
	hf_buf_puts(ret, ", ");
	hf_buf_add(ret, text->data + name, text->len - name);
	hf_buf_putc(ret, ']');
}

/* The members of "paths", and the same as json.dumps writes a list of pairs:
 * each name is quoted once. */
static int add_rows(const struct hf_manifest *manifest, struct hf_buf *ret,
		    struct hf_buf *pairs)
{
	const struct hf_manifest_row *row;
	const char *separator = "";
	size_t cursor = 0;

	hf_buf_putc(pairs, '[');
	while ((row = hf_manifest_next(manifest, &cursor))) {
		size_t path, path_end, name;

		hf_buf_puts(ret, separator);
		path = ret->len;
		hf_quote(row->path, ret);
		path_end = ret->len;
		hf_buf_puts(ret, ": ");
		name = ret->len;
		hf_quote(row->name, ret);
		if (hf_buf_status(ret) < 0)
			return -ENOMEM;
		add_pair(ret, path, path_end, name, pairs);
		separator = ", ";
	}
	hf_buf_putc(pairs, ']');
	return hf_buf_status(pairs);
}

/* ManifestFilesMixin.save_manifest: "hash" is the file_hash of
 * json.dumps(sorted(hashed_files.items())), always of MD5. */
static int add_paths(const struct hf_manifest *manifest, struct hf_buf *ret,
		     char hash[HF_DIGEST_HEX_MAX + 1])
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf pairs = {0};
	struct hf_digest digest;
	int error = add_rows(manifest, ret, &pairs);

	if (error == 0)
		error = hf_hash(hf_algorithm_find("md5"), pairs.data, pairs.len,
				&digest);
	if (error == 0)
		hf_digest_hex(&digest, hash);
	return error;
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
	char hash[HF_DIGEST_HEX_MAX + 1];
	int error;

	hf_buf_puts(ret, "{\"paths\": {");
	error = add_paths(manifest, ret, hash);
	if (error < 0)
		return error;
	hf_buf_printf(ret, "}, \"version\": \"%s\", \"hash\": \"%.*s\"",
		      VERSION, HASH_LEN, hash);
	if (document->integrity)
		add_integrity(manifest, ret);
	hf_buf_putc(ret, '}');
	return hf_buf_status(ret);
}
