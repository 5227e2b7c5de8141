/*
 * staticfiles.json, byte for byte as Django writes it with json.dumps: ASCII
 * only, ", " and ": " between, no indentation and no final newline. Django
 * builds its own text and so do we: no JSON library promises these bytes.
 */
#include "manifest/manifest.h"

#include <errno.h>

#define VERSION "1.1"
#define HASH_LEN 12 /* HashedFilesMixin.file_hash: hexdigest()[:12] */

static void escape_unit(uint32_t unit, struct hf_buf *ret)
{
	hf_buf_printf(ret, "\\u%04x", (unsigned)unit);
}

static void quote_code_point(uint32_t point, struct hf_buf *ret)
{
	switch (point) {
	case '"':
	case '\\':
		hf_buf_putc(ret, '\\');
		hf_buf_putc(ret, (char)point);
		return;
	case '\b':
		hf_buf_puts(ret, "\\b");
		return;
	case '\f':
		hf_buf_puts(ret, "\\f");
		return;
	case '\n':
		hf_buf_puts(ret, "\\n");
		return;
	case '\r':
		hf_buf_puts(ret, "\\r");
		return;
	case '\t':
		hf_buf_puts(ret, "\\t");
		return;
	}
	if (point >= 0x10000) {
		escape_unit(0xd800 + ((point - 0x10000) >> 10), ret);
		escape_unit(0xdc00 + ((point - 0x10000) & 0x3ff), ret);
	} else if (point < ' ' || point > '~') {
		escape_unit(point, ret);
	} else {
		hf_buf_putc(ret, (char)point);
	}
}

/* How much of it stands for itself. */
static size_t plain_len(const char *name)
{
	size_t len = 0;

	while (name[len] >= ' ' && name[len] <= '~' && name[len] != '"' &&
	       name[len] != '\\')
		len++;
	return len;
}

void hf_manifest_quote(const char *name, struct hf_buf *ret)
{
	uint32_t point;

	hf_buf_putc(ret, '"');
	do {
		size_t len = plain_len(name);

		hf_buf_add(ret, name, len);
		name += len;
		point = hf_manifest_code_point(&name);
		if (point)
			quote_code_point(point, ret);
	} while (point);
	hf_buf_putc(ret, '"');
}

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

	for (size_t i = 0; i < manifest->n; i++) {
		const struct hf_manifest_row *row = &manifest->rows[i];

		if (!hf_manifest_listed(row))
			continue;
		hf_buf_puts(ret, separator);
		hf_buf_puts(ret, style->open);
		hf_manifest_quote(row->path, ret);
		hf_buf_puts(ret, style->between);
		hf_manifest_quote(row->name, ret);
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

int hf_manifest_django(const struct hf_manifest *manifest, struct hf_buf *ret)
{
	static const struct style members = {"", ": ", ""};
	char hash[HF_DIGEST_HEX_MAX + 1];
	int error = hash_rows(manifest, hash);

	if (error < 0)
		return error;
	hf_buf_puts(ret, "{\"paths\": {");
	add_rows(manifest, &members, ret);
	hf_buf_printf(ret, "}, \"version\": \"%s\", \"hash\": \"%.*s\"}",
		      VERSION, HASH_LEN, hash);
	return hf_buf_status(ret);
}

int hf_manifest_write(const struct hf_manifest *manifest,
		      struct hf_output *output, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	int error = hf_manifest_django(manifest, &text);

	if (error == -EIO)
		return hf_why(error, why,
			      "this system's OpenSSL policy forbids MD5, which "
			      "the manifest's hash is made of");
	if (error < 0)
		return error;
	return hf_output_write(output, text.data, text.len, why);
}
