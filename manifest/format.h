/*
 * format: what the files of the formats share. A new format is a file with a
 * writer, and a row in format.c.
 */
#ifndef HF_MANIFEST_FORMAT_H
#define HF_MANIFEST_FORMAT_H

#include "manifest/manifest.h"

enum hf_format_trait {
	HF_TAKES_URL_PREFIX = 1 << 0,
	HF_TAKES_KEY_PREFIX = 1 << 1,
	HF_WRITES_URLS =
		1 << 2, /* the URL prefix is the static URL by itself */
	HF_TAKES_INTEGRITY = 1 << 3,
	HF_NEEDS_INTEGRITY = 1 << 4, /* sha384 where nothing else is said */
	HF_TAKES_BYTES = 1 << 5,     /* holds names that are not UTF-8 */
	HF_KEYS_ARE_URLS = 1 << 6,   /* the key prefix is the URL prefix, too */
};

struct hf_format {
	const char *name;
	const char *help;
	unsigned traits;
	const char *algorithm; /* the only integrity that it takes, or NULL */
	/* Appends the bytes for the listed rows of a sorted manifest. Prefixes
	 * are set. -ENOMEM, -EIO. */
	int (*write)(const struct hf_manifest *manifest,
		     const struct hf_document *document, struct hf_buf *ret);
	/* As hf_document_parse; NULL: nobody needs to. */
	int (*read)(const char *text, size_t len, const char *file,
		    const struct hf_document *document, struct hf_manifest *ret,
		    char **why);
};

/* --- format.c ------------------------------------------------------------ */

/* Django's. */
const struct hf_format *hf_format_default(void);
/* Or NULL. */
const struct hf_format *hf_format_find(const char *name);
/* Appends "django, flat, ...". */
void hf_format_names(struct hf_buf *ret);

/* --- a file each --------------------------------------------------------- */

int hf_django_write(const struct hf_manifest *manifest,
		    const struct hf_document *document,
		    struct hf_buf *ret) HF_MUST_USE;
int hf_flat_write(const struct hf_manifest *manifest,
		  const struct hf_document *document,
		  struct hf_buf *ret) HF_MUST_USE;
int hf_urls_write(const struct hf_manifest *manifest,
		  const struct hf_document *document,
		  struct hf_buf *ret) HF_MUST_USE;
int hf_propshaft_write(const struct hf_manifest *manifest,
		       const struct hf_document *document,
		       struct hf_buf *ret) HF_MUST_USE;
int hf_phoenix_write(const struct hf_manifest *manifest,
		     const struct hf_document *document,
		     struct hf_buf *ret) HF_MUST_USE;
int hf_importmap_write(const struct hf_manifest *manifest,
		       const struct hf_document *document,
		       struct hf_buf *ret) HF_MUST_USE;
int hf_sri_write(const struct hf_manifest *manifest,
		 const struct hf_document *document,
		 struct hf_buf *ret) HF_MUST_USE;
int hf_null_write(const struct hf_manifest *manifest,
		  const struct hf_document *document,
		  struct hf_buf *ret) HF_MUST_USE;

/* --- json.c: the documents that are read --------------------------------- */

/* Version 1.0 or 1.1, and integrity values, if there are any. */
int hf_django_read(const char *text, size_t len, const char *file,
		   const struct hf_document *document, struct hf_manifest *ret,
		   char **why) HF_MUST_USE;
/* Prefixes are taken off again. */
int hf_flat_read(const char *text, size_t len, const char *file,
		 const struct hf_document *document, struct hf_manifest *ret,
		 char **why) HF_MUST_USE;

/* --- quote.c: JSON ------------------------------------------------------- */

/* Appends one string as Python's json.dumps writes it, with its quotes. */
void hf_quote(const char *text, struct hf_buf *ret);
/* The same of two texts, one behind the other. */
void hf_quote_both(const char *prefix, const char *text, struct hf_buf *ret);

/*
 * An object in the making, a member a line: hf_object_open, for each member
 * hf_object_key and its value, hf_object_close.
 */
struct hf_object {
	struct hf_buf *ret;
	unsigned depth; /* of its members */
	bool any;
};
struct hf_object hf_object_open(struct hf_buf *ret, unsigned depth);
void hf_object_key(struct hf_object *object, const char *prefix,
		   const char *key);
void hf_object_close(const struct hf_object *object);

/* --- names.c ------------------------------------------------------------- */

/* Writes an object whose members are the names of the listed rows, each with
 * the value that `add` appends. -ENOMEM. */
int hf_names_write(const struct hf_manifest *manifest,
		   const struct hf_document *document,
		   void (*add)(const struct hf_manifest_row *row,
			       const struct hf_document *document,
			       struct hf_buf *ret),
		   struct hf_buf *ret) HF_MUST_USE;

/* --- urls.c -------------------------------------------------------------- */

/* Appends a path as it stands in a URL, as Django's filepath_to_uri has it. */
void hf_url_of_path(const char *path, struct hf_buf *ret);
/* Appends prefix and path, in quotes. */
void hf_quote_url(const char *prefix, const char *path, struct hf_buf *ret);

#endif
