/*
 * Manifests that anybody wrote: one sentence or rows, and of the rows nothing
 * is lost when they are written and read again. The first byte chooses the
 * format and prefixes.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "manifest/manifest.h"

static const char *const choices[][6] = {
	{"--format", "django"},
	{"--format", "flat"},
	{"--format", "flat", "--url-prefix", "/s/"},
	{"--format", "flat", "--url-prefix", "", "--key-prefix", "k"},
};

static void choose(unsigned char byte, struct hf_document *ret)
{
	const char *const *options = choices[byte % HF_ARRAY_SIZE(choices)];
	char *why = NULL;

	for (size_t i = 0; i < 6 && options[i]; i += 2)
		PROMISE(hf_document_set(ret, options[i], options[i + 1],
					&why) == 0);
	PROMISE(hf_document_check(ret, &why) == 0);
}

static void check_sentence(const char *why)
{
	PROMISE(why && *why);
	for (const char *c = why; *c; c++)
		PROMISE((unsigned char)*c >= ' ' && *c != '\x7f');
}

static void check_same(const struct hf_manifest *a, const struct hf_manifest *b)
{
	PROMISE(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		PROMISE(!strcmp(a->rows[i].path, b->rows[i].path));
		PROMISE(!strcmp(a->rows[i].name, b->rows[i].name));
		PROMISE(!strcmp(a->rows[i].integrity, b->rows[i].integrity));
	}
}

/* In Django's format, which holds every name. */
static void check_nothing_lost(struct hf_manifest *manifest)
{
	struct hf_document django = {.integrity = hf_algorithm_find("sha384")};
	struct hf_manifest again = {0};
	struct hf_buf text = {0};
	char *why = NULL;

	hf_manifest_sort(manifest);
	for (size_t i = 0; i < manifest->n; i++) {
		PROMISE(*manifest->rows[i].name);
		PROMISE(i == 0 || strcmp(manifest->rows[i - 1].path,
					 manifest->rows[i].path) != 0);
		/* Values are there for all or for none. */
		if (!*manifest->rows[i].integrity)
			django.integrity = NULL;
	}
	for (size_t i = 0; !django.integrity && i < manifest->n; i++)
		manifest->rows[i].integrity = "";
	PROMISE(hf_document_print(&django, manifest, &text, &why) == 0);
	PROMISE(hf_document_parse(&django, text.data, text.len, "m", &again,
				  &why) == 0);
	hf_manifest_sort(&again);
	check_same(manifest, &again);
	hf_manifest_fini(&again);
	hf_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_document document = {0};
	struct hf_manifest manifest = {0};
	char *why = NULL;
	int error;

	if (!size)
		return 0;
	choose(data[0], &document);
	error = hf_document_parse(&document, (const char *)data + 1, size - 1,
				  "a\nb", &manifest, &why);
	if (error == 0) {
		PROMISE(!why);
		check_nothing_lost(&manifest);
	} else {
		PROMISE(error == -EBADMSG);
		check_sentence(why);
	}
	free(why);
	hf_manifest_fini(&manifest);
	return 0;
}
