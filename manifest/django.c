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

static void add_paths(const struct hf_manifest *manifest, struct hf_buf *ret)
{
	const struct hf_manifest_row *row;
	const char *separator = "";
	size_t cursor = 0;

	while ((row = hf_manifest_next(manifest, &cursor))) {
		hf_buf_puts(ret, separator);
		hf_quote(row->path, ret);
		hf_buf_puts(ret, ": ");
		hf_quote(row->name, ret);
		separator = ", ";
	}
}

/* --- "hash" ----------------------------------------------------------------- */

/* As much as is hashed at once. */
#define BLOCK_LEN 65536

/* The pairs as json.dumps writes a list of them. */
static int hash_pairs(const struct hf_manifest *manifest,
		      struct hf_hasher *hasher)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	const struct hf_manifest_row *row;
	const char *separator = "[";
	size_t cursor = 0;
	int error = 0;

	while (error == 0 && (row = hf_manifest_next(manifest, &cursor))) {
		hf_buf_puts(&text, separator);
		hf_buf_putc(&text, '[');
		hf_quote(row->path, &text);
		hf_buf_puts(&text, ", ");
		hf_quote(row->name, &text);
		hf_buf_putc(&text, ']');
		separator = ", ";
		if (text.len < BLOCK_LEN)
			continue;
		error = hf_buf_status(&text);
		if (error == 0)
			error = hf_hasher_add(hasher, text.data, text.len);
		hf_buf_reset(&text);
	}
	hf_buf_puts(&text, *separator == '[' ? "[]" : "]");
	if (error == 0)
		error = hf_buf_status(&text);
	return error < 0 ? error : hf_hasher_add(hasher, text.data, text.len);
}

/* ManifestFilesMixin.save_manifest: "hash" is the file_hash of
 * json.dumps(sorted(hashed_files.items())), always of MD5. */
static int hash(const struct hf_manifest *manifest, struct hf_digest *ret)
{
	struct hf_hasher *hasher = NULL;
	int error = hf_hasher_new(hf_algorithm_find("md5"), &hasher);

	if (error == 0)
		error = hash_pairs(manifest, hasher);
	if (error == 0)
		error = hf_hasher_end(hasher, ret);
	hf_hasher_free(hasher);
	return error;
}

/* It takes as long as all the rest, and so is made beside it. */
struct hashing {
	const struct hf_manifest *manifest;
	struct hf_digest digest;
	int error;
};

static void *run(void *arg)
{
	struct hashing *hashing = arg;

	hashing->error = hash(hashing->manifest, &hashing->digest);
	return NULL;
}

/* With fewer rows a thread is not worth it. */
#define MANY_ROWS 2000

/* Adds the paths; *ret is the hash of them. */
static int add_and_hash(const struct hf_manifest *manifest, struct hf_buf *text,
			struct hf_digest *ret)
{
	struct hashing hashing = {.manifest = manifest};
	pthread_t thread;
	bool beside = manifest->n >= MANY_ROWS &&
		      hf_thread_start(&thread, 0, run, &hashing) == 0;

	add_paths(manifest, text);
	if (beside)
		pthread_join(thread, NULL);
	else
		run(&hashing);
	*ret = hashing.digest;
	return hashing.error;
}

/* --- the document ------------------------------------------------------------ */

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
	char hex[HF_DIGEST_HEX_MAX + 1];
	struct hf_digest digest;
	int error;

	hf_buf_puts(ret, "{\"paths\": {");
	error = add_and_hash(manifest, ret, &digest);
	if (error < 0)
		return error;
	hf_digest_hex(&digest, hex);
	hf_buf_printf(ret, "}, \"version\": \"%s\", \"hash\": \"%.*s\"",
		      VERSION, HASH_LEN, hex);
	if (document->integrity)
		add_integrity(manifest, ret);
	hf_buf_putc(ret, '}');
	return hf_buf_status(ret);
}
