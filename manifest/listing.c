/* Listings of what is stored. */
#include "manifest/listing.h"

#include <errno.h>
#include <string.h>

static int parse_lines(const char *text, size_t len, struct hf_strings *ret)
{
	int error = 0;

	while (len && error == 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;
		size_t taken = end ? line + 1 : line;

		/* A NUL is part of no key and no name. */
		if (line && !memchr(text, '\0', line))
			error = hf_strings_add(ret, text, line);
		else if (line)
			error = -EBADMSG;
		text += taken;
		len -= taken;
	}
	return error;
}

/* A page of objects, or a list of keys in quotes. A key may well begin with
 * a bracket. */
static bool is_json(const char *text, size_t len)
{
	while (len && *text && strchr(" \t\r\n", *text)) {
		text++;
		len--;
	}
	if (len && *text == '{')
		return true;
	if (!len || *text != '[')
		return false;
	do {
		text++;
		len--;
	} while (len && *text && strchr(" \t\r\n", *text));
	return len && *text && strchr("\"]", *text);
}

int hf_listing_parse(const char *text, size_t len, const char *file,
		     struct hf_strings *ret, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(file);
	int error;

	if (!shown)
		return -ENOMEM;
	if (is_json(text, len))
		return hf_pages_parse(text, len, shown, ret, why);
	error = parse_lines(text, len, ret);
	if (error == -EBADMSG)
		return hf_why(error, why,
			      "%s is no listing of keys, one a line: it holds "
			      "a NUL",
			      shown);
	return error;
}

int hf_listing_read(const char *file, struct hf_strings *ret, char **why)
{
	bool standard = !strcmp(file, "-");
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	HF_CLEANUP(hf_freep) char *shown = NULL;
	int error = hf_input_read(standard ? "/dev/stdin" : file, &text);

	if (error == 0)
		return hf_listing_parse(text.data, text.len,
					standard ? "the listing" : file, ret,
					why);
	shown = hf_escaped(file);
	if (!shown || error == -ENOMEM)
		return -ENOMEM;
	return hf_why(error, why, "cannot read %s: %s", shown,
		      strerror(-error));
}
