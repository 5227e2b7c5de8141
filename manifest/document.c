/* A document: a format, and what was chosen about it. */
#include "manifest/format.h"

#include <errno.h>
#include <string.h>

#define STATIC_URL "/static/" /* Django's own, where no other is known */
#define INTEGRITY "sha384"

static const struct hf_format *format_of(const struct hf_document *document)
{
	return document->format ? document->format : hf_format_default();
}

/* --- options ------------------------------------------------------------- */

static int set_format(struct hf_document *document, const char *value,
		      char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf names = {0};
	const struct hf_format *format = hf_format_find(value);

	if (format) {
		document->format = format;
		return 0;
	}
	hf_format_names(&names);
	if (hf_buf_status(&names) < 0)
		return -ENOMEM;
	return hf_why(-EINVAL, why, "--format must be one of %s", names.data);
}

/* What browsers take (Subresource Integrity). */
static int set_integrity(struct hf_document *document, const char *value,
			 char **why)
{
	if (strcmp(value, "sha256") && strcmp(value, "sha384") &&
	    strcmp(value, "sha512"))
		return hf_why(-EINVAL, why,
			      "--integrity must be sha256, sha384 or sha512");
	document->integrity = hf_algorithm_find(value);
	return 0;
}

int hf_document_set(struct hf_document *document, const char *option,
		    const char *value, char **why)
{
	if (!strcmp(option, "--format"))
		return set_format(document, value, why);
	if (!strcmp(option, "--integrity"))
		return set_integrity(document, value, why);
	if (!strcmp(option, "--url-prefix"))
		document->url_prefix = value;
	else
		document->key_prefix = value;
	return 0;
}

/* The option that the format has no place for, or NULL. */
static const char *surplus(const struct hf_document *document)
{
	unsigned traits = format_of(document)->traits;

	if (document->url_prefix && !(traits & HF_TAKES_URL_PREFIX))
		return "--url-prefix";
	if (document->key_prefix && !(traits & HF_TAKES_KEY_PREFIX))
		return "--key-prefix";
	if (document->integrity && !(traits & HF_TAKES_INTEGRITY))
		return "--integrity";
	return NULL;
}

int hf_document_check(struct hf_document *document, char **why)
{
	const struct hf_format *format = format_of(document);
	const char *option = surplus(document);

	if (option)
		return hf_why(-EINVAL, why,
			      "%s does not go with --format %s, which has no "
			      "place for it",
			      option, format->name);
	if (document->integrity && format->algorithm &&
	    document->integrity != hf_algorithm_find(format->algorithm))
		return hf_why(-EINVAL, why,
			      "--format %s goes with --integrity %s only",
			      format->name, format->algorithm);
	if (format->traits & HF_NEEDS_INTEGRITY && !document->integrity)
		document->integrity = hf_algorithm_find(INTEGRITY);
	return 0;
}

int hf_document_check_for(struct hf_document *document, const char *file,
			  char **why)
{
	if (!file && (document->format || document->url_prefix ||
		      document->key_prefix || document->integrity))
		return hf_why(-EINVAL, why,
			      "--format, --url-prefix, --key-prefix and "
			      "--integrity are about a manifest; say "
			      "where it goes by --manifest");
	return hf_document_check(document, why);
}

bool hf_document_has_urls(const struct hf_document *document)
{
	return format_of(document)->traits & HF_WRITES_URLS &&
	       !document->url_prefix;
}

/* --- writing ------------------------------------------------------------- */

/* With every prefix said. */
static struct hf_document complete(const struct hf_document *document,
				   const struct hf_manifest *manifest)
{
	struct hf_document full = *document;
	const struct hf_format *format = format_of(document);
	const char *url =
		manifest->static_url ? manifest->static_url : STATIC_URL;

	if (!full.url_prefix)
		full.url_prefix = format->traits & HF_WRITES_URLS ? url : "";
	if (!full.key_prefix)
		full.key_prefix = format->traits & HF_KEYS_ARE_URLS
					  ? full.url_prefix
					  : "";
	return full;
}

static bool is_utf8(const char *text)
{
	uint32_t point;

	while ((point = hf_manifest_code_point(&text)))
		if (point >= 0xdc80 && point <= 0xdcff)
			return false;
	return true;
}

/* Other readers of JSON refuse what Python makes of a stray byte. */
static int check_names(const struct hf_format *format,
		       const struct hf_manifest *manifest, char **why)
{
	const struct hf_manifest_row *row;
	size_t cursor = 0;

	if (format->traits & HF_TAKES_BYTES)
		return 0;
	while ((row = hf_manifest_next(manifest, &cursor))) {
		HF_CLEANUP(hf_freep) char *shown = NULL;

		if (is_utf8(row->path) && is_utf8(row->name))
			continue;
		shown = hf_escaped(row->path);
		return hf_why(-EILSEQ, why,
			      "the name %s is not UTF-8, which --format %s "
			      "cannot hold; leave it out with -o ignore=",
			      shown ? shown : "?", format->name);
	}
	return 0;
}

int hf_document_print(const struct hf_document *document,
		      const struct hf_manifest *manifest, struct hf_buf *ret,
		      char **why)
{
	const struct hf_format *format = format_of(document);
	struct hf_document full = complete(document, manifest);
	int error = check_names(format, manifest, why);

	if (error < 0)
		return error;
	error = format->write(manifest, &full, ret);
	if (error == -EIO || error == -ENOTSUP)
		return hf_why(-EIO, why,
			      "this system's OpenSSL policy forbids MD5, which "
			      "the manifest's hash is made of");
	return error;
}

int hf_document_write(const struct hf_document *document,
		      const struct hf_manifest *manifest,
		      struct hf_output *output, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	int error;

	hf_buf_puts(&text, "");
	error = hf_document_print(document, manifest, &text, why);
	if (error < 0)
		return error;
	return hf_output_write(output, text.data, text.len, why);
}

/* --- reading ------------------------------------------------------------- */

/* Two spellings of one name would be one file. `manifest` is sorted. */
static int check_twice(const struct hf_manifest *manifest, const char *file,
		       char **why)
{
	for (size_t i = 1; i < manifest->n; i++) {
		const char *path = manifest->rows[i].path;
		HF_CLEANUP(hf_freep) char *shown = NULL;
		HF_CLEANUP(hf_freep) char *place = NULL;

		if (strcmp(manifest->rows[i - 1].path, path) != 0)
			continue;
		shown = hf_escaped(path);
		place = hf_escaped(file);
		return hf_why(-EBADMSG, why, "%s names %s twice",
			      place ? place : "?", shown ? shown : "?");
	}
	return 0;
}

static int add_all(const struct hf_manifest *from, struct hf_manifest *ret)
{
	int error = 0;

	for (size_t i = 0; i < from->n && error == 0; i++)
		error = hf_manifest_add(ret, &from->rows[i]);
	return error;
}

int hf_document_check_reading(const struct hf_document *document, char **why)
{
	const struct hf_format *format = format_of(document);

	if (format->read)
		return 0;
	return hf_why(-EINVAL, why,
		      "--format %s is written only; django and flat are read",
		      format->name);
}

int hf_document_parse(const struct hf_document *document, const char *text,
		      size_t len, const char *file, struct hf_manifest *ret,
		      char **why)
{
	const struct hf_format *format = format_of(document);
	struct hf_document full = complete(document, ret);
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	int error = hf_document_check_reading(document, why);

	if (error < 0)
		return error;
	error = format->read(text, len, file, &full, &manifest, why);
	if (error < 0)
		return error;
	hf_manifest_sort(&manifest);
	error = check_twice(&manifest, file, why);
	return error < 0 ? error : add_all(&manifest, ret);
}

int hf_document_read(const struct hf_document *document, const char *file,
		     struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	HF_CLEANUP(hf_freep) char *shown = NULL;
	int error = hf_input_read(file, &text);

	if (error == 0)
		return hf_document_parse(document, text.data, text.len, file,
					 ret, why);
	shown = hf_escaped(file);
	if (!shown || error == -ENOMEM)
		return -ENOMEM;
	return hf_why(error, why, "cannot read %s: %s", shown,
		      strerror(-error));
}
