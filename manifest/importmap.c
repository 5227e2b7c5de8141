/*
 * importmap: what stands in <script type="importmap"> (HTML Standard, "Import
 * maps"): the specifiers of ES modules, hashed URLs, and integrity values by
 * URL. By itself a specifier is the plain URL: a relative import is resolved to
 * it before it is looked up.
 */
#include "manifest/format.h"

#include <ctype.h>
#include <string.h>

/* Scripts; a style sheet or JSON that is imported is asked for by its name. */
static bool is_module(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (!strcmp(dot, ".js") || !strcmp(dot, ".mjs"));
}

static const struct hf_manifest_row *next(const struct hf_manifest *manifest,
					  size_t *cursor)
{
	const struct hf_manifest_row *row;

	do
		row = hf_manifest_next(manifest, cursor);
	while (row && !is_module(row->path));
	return row;
}

/* True for a prefix that makes a URL of what follows, not a bare name. */
static bool is_url(const char *prefix)
{
	size_t scheme = 0;

	while (isalnum((unsigned char)prefix[scheme]) ||
	       (prefix[scheme] && strchr("+-.", prefix[scheme])))
		scheme++;
	return *prefix == '/' || !strncmp(prefix, "./", 2) ||
	       !strncmp(prefix, "../", 3) || (scheme && prefix[scheme] == ':');
}

static int add_key(struct hf_object *object, const char *prefix,
		   const char *path)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf key = {0};

	hf_buf_puts(&key, "");
	if (is_url(prefix))
		hf_url_of_path(path, &key);
	else
		hf_buf_puts(&key, path);
	if (hf_buf_status(&key) < 0)
		return hf_buf_status(&key);
	hf_object_key(object, prefix, key.data);
	return 0;
}

static int add_imports(const struct hf_manifest *manifest,
		       const struct hf_document *document, struct hf_buf *ret)
{
	struct hf_object object = hf_object_open(ret, 2);
	const struct hf_manifest_row *row;
	size_t cursor = 0;
	int error = 0;

	while (error == 0 && (row = next(manifest, &cursor))) {
		error = add_key(&object, document->key_prefix, row->path);
		hf_quote_url(document->url_prefix, row->name, ret);
	}
	hf_object_close(&object);
	return error;
}

static int add_integrity(const struct hf_manifest *manifest,
			 const struct hf_document *document, struct hf_buf *ret)
{
	struct hf_object object = hf_object_open(ret, 2);
	const struct hf_manifest_row *row;
	size_t cursor = 0;
	int error = 0;

	while (error == 0 && (row = next(manifest, &cursor))) {
		error = add_key(&object, document->url_prefix, row->name);
		hf_quote(row->integrity, ret);
	}
	hf_object_close(&object);
	return error;
}

int hf_importmap_write(const struct hf_manifest *manifest,
		       const struct hf_document *document, struct hf_buf *ret)
{
	struct hf_object object = hf_object_open(ret, 1);
	int error;

	hf_object_key(&object, "", "imports");
	error = add_imports(manifest, document, ret);
	if (error == 0 && document->integrity) {
		hf_object_key(&object, "", "integrity");
		error = add_integrity(manifest, document, ret);
	}
	hf_object_close(&object);
	return error < 0 ? error : hf_buf_status(ret);
}
