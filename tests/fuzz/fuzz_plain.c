/*
 * Plain references in any script: passing over those that have no word for one
 * misses nothing, and nothing that is told is out of the text.
 */
#include "fuzz.h"

#include <string.h>

#include "fs/refs/internal.h"

struct caller {
	const char *text;
	size_t len;
	size_t n;
	size_t places; /* a sum of all */
};

static void found(void *arg, enum hf_plain_form form, const struct hf_ref *ref)
{
	struct caller *caller = arg;
	size_t at = (size_t)(ref->url - caller->text);

	PROMISE(at <= caller->len && ref->url_len <= caller->len - at);
	PROMISE(ref->line > 0 && ref->column > 0 && *ref->path);
	caller->n++;
	caller->places += at * 31 + ref->url_len + (size_t)form;
}

static struct caller scan(const char *text, size_t len,
			  int (*how)(struct hf_plain *plain))
{
	static const struct hf_refs_config config = {
		.profile = HF_REFS_DJANGO_6_1, .static_url = "/static/"};
	struct caller caller = {.text = text, .len = len};
	struct hf_plain plain = {
		.config = &config,
		.path = "d/a.js",
		.text = text,
		.len = len,
		.found = found,
		.arg = &caller,
		.place = {.line = 1, .column = 1},
	};

	PROMISE(how(&plain) == 0);
	hf_buf_fini(&plain.url);
	hf_buf_fini(&plain.joined);
	hf_buf_fini(&plain.target);
	return caller;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct caller with = scan(text, size, hf_plain_scan_script);
	struct caller without = scan(text, size, hf_plain_scan_tokens);

	PROMISE(with.n == without.n && with.places == without.places);
	return 0;
}
