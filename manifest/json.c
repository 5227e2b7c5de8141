/*
 * Reads a manifest. The only file that knows jansson.
 *
 * jansson refuses lone surrogates, which is how Python's json writes a byte
 * that is not UTF-8 (\udc80 to \udcff). So the text is spelt anew before
 * jansson sees it, with U+0001 as a mark, and the strings that come out of it
 * are spelt back:
 *
 *     in the file        for jansson         a name's byte(s)
 *     lone \udcXX        \u0001 \u00XX       XX, 0x80 to 0xff
 *     \u0001             \u0001 \u0001       01
 *
 * This is unambiguous: JSON allows U+0001 in no other spelling than \u0001,
 * and behind a mark there is either a mark or U+0080 to U+00FF. Surrogates in
 * pairs are left alone; other lone ones are no file name, and stay to be
 * refused. Line numbers in jansson's errors stay true.
 */
#include "manifest/manifest.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#define MARK '\x01'

static bool is_high(unsigned unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(unsigned unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* True if a \uXXXX stands there. */
static bool read_unit(const char *text, size_t len, unsigned *ret)
{
	unsigned unit = 0;

	if (len < 6 || text[0] != '\\' || text[1] != 'u')
		return false;
	for (int i = 2; i < 6; i++) {
		int value = hex_value(text[i]);

		if (value < 0)
			return false;
		unit = unit << 4 | (unsigned)value;
	}
	*ret = unit;
	return true;
}

/* Spells the escape at `text` for jansson; returns how long it was. */
static size_t mark_escape(const char *text, size_t len, struct hf_buf *ret)
{
	unsigned unit, next;
	size_t taken = len < 2 ? len : 2;

	if (read_unit(text, len, &unit)) {
		taken = 6;
		if (unit == MARK) {
			hf_buf_puts(ret, "\\u0001");
		} else if (unit >= 0xdc80 && unit <= 0xdcff) {
			hf_buf_printf(ret, "\\u0001\\u%04x", unit - 0xdc00);
			return taken;
		} else if (is_high(unit) &&
			   read_unit(text + 6, len - 6, &next) &&
			   is_low(next)) {
			taken = 12;
		}
	}
	hf_buf_add(ret, text, taken);
	return taken;
}

/* Outside of strings a backslash is an error whatever follows, so that the
 * escapes can be found without telling strings from the rest. */
static void mark_text(const char *text, size_t len, struct hf_buf *ret)
{
	while (len) {
		const char *escape = memchr(text, '\\', len);
		size_t plain = escape ? (size_t)(escape - text) : len;
		size_t taken = plain;

		hf_buf_add(ret, text, plain);
		if (escape)
			taken += mark_escape(escape, len - plain, ret);
		text += taken;
		len -= taken;
	}
}

/* Spells a string back. */
static void unmark(const char *text, struct hf_buf *ret)
{
	for (;;) {
		size_t plain = strcspn(text, "\x01");
		uint32_t point;
		size_t len;

		hf_buf_add(ret, text, plain);
		text += plain;
		if (!*text)
			return;
		text++;
		len = hf_utf8_decode(text, strlen(text), &point);
		assert(len);
		hf_buf_putc(ret, (char)point);
		text += len;
	}
}

static int add_row(const char *path, const char *name, struct hf_manifest *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path_text = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf name_text = {0};
	struct hf_manifest_row row = {.problem = ""};

	hf_buf_puts(&path_text, "");
	unmark(path, &path_text);
	hf_buf_puts(&name_text, "");
	unmark(name, &name_text);
	if (hf_buf_status(&path_text) < 0 || hf_buf_status(&name_text) < 0)
		return -ENOMEM;
	row.path = path_text.data;
	row.name = name_text.data;
	return hf_manifest_add(ret, &row);
}

static int add_paths(json_t *paths, const char *file, struct hf_manifest *ret,
		     char **why)
{
	const char *path;
	json_t *name;

	json_object_foreach(paths, path, name)
	{
		if (!json_is_string(name))
			return hf_why(-EBADMSG, why,
				      "%s: \"paths\" holds something that is "
				      "not a name; write the manifest anew",
				      file);
		if (add_row(path, json_string_value(name), ret) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_document(json_t *root, const char *file, struct hf_manifest *ret,
			char **why)
{
	const char *version =
		json_string_value(json_object_get(root, "version"));
	json_t *paths = json_object_get(root, "paths");

	if (!version || !json_is_object(paths))
		return hf_why(-EBADMSG, why,
			      "%s is not a manifest of static files: it has no "
			      "\"%s\"",
			      file, version ? "paths" : "version");
	if (strcmp(version, "1.0") && strcmp(version, "1.1")) {
		HF_CLEANUP(hf_freep) char *shown = hf_escaped(version);

		return hf_why(-EBADMSG, why,
			      "%s is a manifest of version %s; 1.0 and 1.1 can "
			      "be read",
			      file, shown ? shown : "?");
	}
	return add_paths(paths, file, ret, why);
}

static int refuse(const json_error_t *error, const char *file, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(error->text);

	if (json_error_code(error) == json_error_out_of_memory || !shown)
		return -ENOMEM;
	return hf_why(-EBADMSG, why, "%s is not JSON: line %d: %s", file,
		      error->line, shown);
}

int hf_manifest_parse(const char *text, size_t len, const char *file,
		      struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf marked = {0};
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(file);
	json_error_t error;
	json_t *root;
	int result;

	hf_buf_puts(&marked, "");
	mark_text(text, len, &marked);
	if (!shown || hf_buf_status(&marked) < 0)
		return -ENOMEM;
	root = json_loadb(marked.data, marked.len, 0, &error);
	if (!root)
		return refuse(&error, shown, why);
	result = add_document(root, shown, ret, why);
	json_decref(root);
	return result;
}

int hf_manifest_read(const char *file, struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	HF_CLEANUP(hf_freep) char *shown = NULL;
	int error = hf_input_read(file, &text);

	if (error == 0)
		return hf_manifest_parse(text.data, text.len, file, ret, why);
	shown = hf_escaped(file);
	if (!shown || error == -ENOMEM)
		return -ENOMEM;
	return hf_why(error, why, "cannot read %s: %s", shown,
		      strerror(-error));
}

const char *hf_jansson_version(void)
{
	return jansson_version_str();
}
