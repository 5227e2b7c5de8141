/* urls: names to whole URLs, as django-ecstatic reads them. */
#include "manifest/format.h"

#include <string.h>

/* What needs no escape besides letters and digits: quote(path,
 * safe="/~!*()'") in Django's filepath_to_uri. */
#define SAFE "_.-/~!*()'"

static bool is_safe(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || strchr(SAFE, c);
}

/* Of a name a backslash is a part, so it is escaped; Django has none here. */
void hf_url_of_path(const char *path, struct hf_buf *ret)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (is_safe(c))
			hf_buf_putc(ret, (char)c);
		else
			hf_buf_printf(ret, "%%%02X", c);
	}
}

void hf_quote_url(const char *prefix, const char *path, struct hf_buf *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf url = {0};

	hf_buf_puts(&url, "");
	hf_url_of_path(path, &url);
	if (hf_buf_status(&url) < 0)
		ret->failed = true;
	else
		hf_quote_both(prefix, url.data, ret);
}

static void add_url(const struct hf_manifest_row *row,
		    const struct hf_document *document, struct hf_buf *ret)
{
	hf_quote_url(document->url_prefix, row->name, ret);
}

int hf_urls_write(const struct hf_manifest *manifest,
		  const struct hf_document *document, struct hf_buf *ret)
{
	return hf_names_write(manifest, document, add_url, ret);
}
