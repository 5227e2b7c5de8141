/*
 * plain: references that no pattern of Django's rewrites, and which therefore
 * name files by their plain names: modules that a script imports, URLs that it
 * makes of its own place, workers, and images in image-set(). They are looked
 * for as a browser reads them, not as Django does, and only to be told of.
 *
 * A string that is put together of pieces, or has escapes in it, is left out:
 * what is told has to be true.
 */
#include "fs/refs/internal.h"

bool hf_plain_applies(const char *path)
{
	return hf_glob_match("*.css", path) || hf_glob_match("*.js", path) ||
	       hf_glob_match("*.mjs", path);
}

int hf_plain_find(const struct hf_refs_config *config, const char *path,
		  const char *text, size_t len, hf_plain_found *found,
		  void *arg)
{
	struct hf_plain plain = {
		.config = config,
		.path = path,
		.text = text,
		.len = len,
		.found = found,
		.arg = arg,
		.place = {.line = 1, .column = 1},
	};
	int r = hf_glob_match("*.css", path) ? hf_plain_scan_sheet(&plain)
					     : hf_plain_scan_script(&plain);

	hf_buf_fini(&plain.url);
	hf_buf_fini(&plain.joined);
	hf_buf_fini(&plain.target);
	return r;
}
