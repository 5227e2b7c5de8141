/* The formats: one table. */
#include "manifest/format.h"

#include <string.h>

static const struct hf_format formats[] = {
	{
		.name = "django",
		.help = "staticfiles.json of ManifestStaticFilesStorage",
		.traits = HF_TAKES_INTEGRITY | HF_TAKES_BYTES,
		.write = hf_django_write,
		.read = hf_django_read,
	},
	{
		.name = "flat",
		.help = "{\"a.css\": \"a.HASH.css\"}: gulp-rev, Mix, Symfony",
		.traits = HF_TAKES_URL_PREFIX | HF_TAKES_KEY_PREFIX,
		.write = hf_flat_write,
		.read = hf_flat_read,
	},
	{
		.name = "urls",
		.help = "{\"a.css\": \"/static/a.HASH.css\"}: whole URLs",
		.traits = HF_TAKES_URL_PREFIX | HF_TAKES_KEY_PREFIX |
			  HF_WRITES_URLS,
		.write = hf_urls_write,
	},
	{
		.name = "propshaft",
		.help = ".manifest.json of Rails' Propshaft",
		.traits = HF_TAKES_INTEGRITY,
		.write = hf_propshaft_write,
	},
	{
		.name = "phoenix",
		.help = "cache_manifest.json of Phoenix",
		.traits = HF_TAKES_INTEGRITY,
		.algorithm = "sha512",
		.write = hf_phoenix_write,
	},
	{
		.name = "importmap",
		.help = "import map of the ES modules, for a browser",
		.traits = HF_TAKES_URL_PREFIX | HF_TAKES_KEY_PREFIX |
			  HF_WRITES_URLS | HF_KEYS_ARE_URLS |
			  HF_TAKES_INTEGRITY,
		.write = hf_importmap_write,
	},
	{
		.name = "sri",
		.help = "{\"a.css\": \"sha384-...\"}: integrity alone",
		.traits = HF_TAKES_KEY_PREFIX | HF_TAKES_INTEGRITY |
			  HF_NEEDS_INTEGRITY,
		.write = hf_sri_write,
	},
	{
		.name = "null",
		.help = "name and hashed name, each with a NUL, for scripts",
		.traits = HF_TAKES_URL_PREFIX | HF_TAKES_KEY_PREFIX |
			  HF_TAKES_BYTES,
		.write = hf_null_write,
	},
};

const struct hf_format *hf_format_default(void)
{
	return &formats[0];
}

const struct hf_format *hf_format_find(const char *name)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

void hf_format_names(struct hf_buf *ret)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(formats); i++)
		hf_buf_printf(ret, "%s%s", i ? ", " : "", formats[i].name);
}

void hf_formats_help(struct hf_buf *ret)
{
	hf_buf_puts(ret, "\nFormats:\n");
	for (size_t i = 0; i < HF_ARRAY_SIZE(formats); i++)
		hf_buf_printf(ret, "  %-10s %s\n", formats[i].name,
			      formats[i].help);
}
