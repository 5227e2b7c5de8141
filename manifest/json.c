/* Reads JSON. The only file that knows jansson. */
#include "manifest/format.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "manifest/listing.h"
#include "manifest/marks.h"

/* A string as the bytes that it was made of, in an empty buffer. */
static int spell(const char *text, struct hf_buf *ret)
{
	hf_buf_puts(ret, "");
	hf_marks_take(text, ret);
	return hf_buf_status(ret);
}

static int refuse(const json_error_t *error, const char *file, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(error->text);

	if (json_error_code(error) == json_error_out_of_memory || !shown)
		return -ENOMEM;
	return hf_why(-EBADMSG, why, "%s is not JSON: line %d: %s", file,
		      error->line, shown);
}

/* --- what manifests have in common --------------------------------------- */

/* One manifest being read. */
struct reading {
	const char *file; /* what to call it, escaped */
	const struct hf_document *document;
	json_t *integrity; /* an object, or NULL; borrowed */
	struct hf_manifest *ret;
	char **why;
};

/* Takes a prefix off a text. */
static int take_off(const struct reading *reading, const char *option,
		    const char *prefix, const char **text)
{
	HF_CLEANUP(hf_freep) char *shown = NULL;

	if (!strncmp(*text, prefix, strlen(prefix))) {
		*text += strlen(prefix);
		return 0;
	}
	shown = hf_escaped(*text);
	return hf_why(-EBADMSG, reading->why,
		      "%s: %s does not begin with what %s says", reading->file,
		      shown ? shown : "?", option);
}

/* An algorithm that browsers know, a dash, and base64. */
static bool is_integrity(const char *text)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/=";

	if (strncmp(text, "sha256-", 7) != 0 &&
	    strncmp(text, "sha384-", 7) != 0 &&
	    strncmp(text, "sha512-", 7) != 0)
		return false;
	return text[7] && strspn(text + 7, base64) == strlen(text + 7);
}

/* The value of `key`; *ret is borrowed, NULL if there is none. */
static int find_integrity(const struct reading *reading, const char *key,
			  const char **ret)
{
	json_t *value = json_object_get(reading->integrity, key);

	*ret = json_string_value(value);
	if (!value || (*ret && is_integrity(*ret)))
		return 0;
	return hf_why(-EBADMSG, reading->why,
		      "%s: \"integrity\" holds something else than integrity "
		      "values; write the manifest anew",
		      reading->file);
}

static int add_row(const struct reading *reading, const char *key,
		   const char *value)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf name = {0};
	struct hf_manifest_row row = {0};
	int error = spell(key, &path);

	if (error == 0)
		error = spell(value, &name);
	if (error < 0)
		return error;
	row.path = path.data;
	row.name = name.data;
	error = find_integrity(reading, key, &row.integrity);
	if (error == 0)
		error = take_off(reading, "--key-prefix",
				 reading->document->key_prefix, &row.path);
	if (error == 0)
		error = take_off(reading, "--url-prefix",
				 reading->document->url_prefix, &row.name);
	if (error == 0 && !*row.name)
		error = hf_why(-EBADMSG, reading->why,
			       "%s: a name is nothing but what --url-prefix "
			       "says",
			       reading->file);
	return error < 0 ? error : hf_manifest_add(reading->ret, &row);
}

/* `what` names the object in a sentence. */
static int add_names(const struct reading *reading, json_t *names,
		     const char *what)
{
	const char *path;
	json_t *name;

	json_object_foreach(names, path, name)
	{
		int error;

		if (!json_is_string(name) || !json_string_length(name))
			return hf_why(-EBADMSG, reading->why,
				      "%s: %s holds something that is not a "
				      "name; write the manifest anew",
				      reading->file, what);
		error = add_row(reading, path, json_string_value(name));
		if (error < 0)
			return error;
	}
	return 0;
}

/* Reads a text by `add`, which gets its root. */
static int read_manifest(const char *text, size_t len, struct reading *reading,
			 int (*add)(struct reading *reading, json_t *root))
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf marked = {0};
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(reading->file);
	json_error_t wrong;
	json_t *root;
	int error;

	hf_buf_puts(&marked, "");
	hf_marks_set(text, len, &marked);
	if (!shown || hf_buf_status(&marked) < 0)
		return -ENOMEM;
	reading->file = shown;
	root = json_loadb(marked.data, marked.len, JSON_REJECT_DUPLICATES,
			  &wrong);
	if (!root)
		return refuse(&wrong, shown, reading->why);
	error = add(reading, root);
	json_decref(root);
	return error;
}

/* --- Django's ------------------------------------------------------------ */

static int add_django(struct reading *reading, json_t *root)
{
	const char *version =
		json_string_value(json_object_get(root, "version"));
	json_t *paths = json_object_get(root, "paths");

	if (!version || !json_is_object(paths))
		return hf_why(-EBADMSG, reading->why,
			      "%s is not a manifest of static files: it has no "
			      "\"%s\"",
			      reading->file, version ? "paths" : "version");
	if (strcmp(version, "1.0") && strcmp(version, "1.1")) {
		HF_CLEANUP(hf_freep) char *shown = hf_escaped(version);

		return hf_why(-EBADMSG, reading->why,
			      "%s is a manifest of version %s; 1.0 and 1.1 can "
			      "be read",
			      reading->file, shown ? shown : "?");
	}
	reading->integrity = json_object_get(root, "integrity");
	if (reading->integrity && !json_is_object(reading->integrity))
		return hf_why(-EBADMSG, reading->why,
			      "%s: \"integrity\" is no object", reading->file);
	return add_names(reading, paths, "\"paths\"");
}

int hf_django_read(const char *text, size_t len, const char *file,
		   const struct hf_document *document, struct hf_manifest *ret,
		   char **why)
{
	struct reading reading = {
		.file = file, .document = document, .ret = ret, .why = why};

	return read_manifest(text, len, &reading, add_django);
}

/* --- flat ones ----------------------------------------------------------- */

static int add_flat(struct reading *reading, json_t *root)
{
	if (!json_is_object(root))
		return hf_why(-EBADMSG, reading->why,
			      "%s is not a flat manifest: it is no object",
			      reading->file);
	return add_names(reading, root, "the manifest");
}

int hf_flat_read(const char *text, size_t len, const char *file,
		 const struct hf_document *document, struct hf_manifest *ret,
		 char **why)
{
	struct reading reading = {
		.file = file, .document = document, .ret = ret, .why = why};

	return read_manifest(text, len, &reading, add_flat);
}

/* --- pages of aws s3api list-objects-v2 ---------------------------------- */

/* `contents` is an array of objects with a "Key", or of keys: --query
 * 'Contents[].Key'. */
static int add_keys(json_t *contents, const char *file, struct hf_strings *ret,
		    char **why)
{
	size_t i;
	json_t *object;

	json_array_foreach(contents, i, object)
	{
		HF_CLEANUP(hf_buf_fini) struct hf_buf key = {0};
		const char *text = json_string_value(
			json_is_string(object)
				? object
				: json_object_get(object, "Key"));
		int error;

		if (!text || !*text)
			return hf_why(-EBADMSG, why,
				      "%s: \"Contents\" holds something that "
				      "has no \"Key\"",
				      file);
		error = spell(text, &key);
		if (error == 0)
			error = hf_strings_add(ret, key.data, key.len);
		if (error < 0)
			return error;
	}
	return 0;
}

/* A page of an empty bucket has no contents; it still says that it is one. */
static int add_page(json_t *page, const char *file, struct hf_strings *ret,
		    char **why)
{
	json_t *contents =
		json_is_array(page) ? page : json_object_get(page, "Contents");

	if (contents ? json_is_array(contents)
		     : json_is_object(page) &&
			       (json_object_get(page, "KeyCount") ||
				json_object_get(page, "RequestCharged") ||
				json_object_size(page) == 0))
		return add_keys(contents, file, ret, why);
	return hf_why(-EBADMSG, why,
		      "%s is no listing of objects: it has no \"Contents\"",
		      file);
}

int hf_pages_parse(const char *text, size_t len, const char *file,
		   struct hf_strings *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf marked = {0};
	const char *rest;
	size_t left;
	int error = 0;

	hf_buf_puts(&marked, "");
	hf_marks_set(text, len, &marked);
	if (hf_buf_status(&marked) < 0)
		return -ENOMEM;
	rest = marked.data;
	left = marked.len;
	while (error == 0 && left > strspn(rest, " \t\r\n")) {
		json_error_t wrong;
		json_t *page = json_loadb(rest, left,
					  JSON_REJECT_DUPLICATES |
						  JSON_DISABLE_EOF_CHECK,
					  &wrong);

		if (!page)
			return refuse(&wrong, file, why);
		rest += wrong.position;
		left -= (size_t)wrong.position;
		error = add_page(page, file, ret, why);
		json_decref(page);
	}
	return error;
}

const char *hf_jansson_version(void)
{
	return jansson_version_str();
}
