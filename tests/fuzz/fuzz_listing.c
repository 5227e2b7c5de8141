/*
 * Listings that anybody wrote: one sentence, or keys; of lines and of what is
 * known to be a page no key is lost.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "manifest/format.h"
#include "manifest/listing.h"

static void check_sentence(const char *why)
{
	PROMISE(why && *why);
	for (const char *c = why; *c; c++)
		PROMISE((unsigned char)*c >= ' ' && *c != '\x7f');
}

static bool is_line(const char *key)
{
	return !strchr(key, '\n') && !strchr("{[ \t\r", *key);
}

/* Keys that are lines are the same keys again. */
static void check_lines(const struct hf_strings *keys)
{
	struct hf_strings again = {0};
	struct hf_buf text = {0};
	char *why = NULL;

	hf_buf_puts(&text, "");
	for (size_t i = 0; i < keys->n; i++) {
		if (!is_line(keys->items[i]))
			goto out;
		hf_buf_printf(&text, "%s\n", keys->items[i]);
	}
	PROMISE(hf_listing_parse(text.data, text.len, "l", &again, &why) == 0);
	PROMISE(again.n == keys->n);
	for (size_t i = 0; i < keys->n; i++)
		PROMISE(!strcmp(again.items[i], keys->items[i]));
out:
	hf_strings_fini(&again);
	hf_buf_fini(&text);
}

/* Two pages of all keys hold each of them twice. */
static void check_pages(const struct hf_strings *keys)
{
	struct hf_strings again = {0};
	struct hf_buf text = {0};
	char *why = NULL;

	for (int page = 0; page < 2; page++) {
		hf_buf_puts(&text, "{\"Contents\": [");
		for (size_t i = 0; i < keys->n; i++) {
			hf_buf_puts(&text, i ? ", {\"Key\": " : "{\"Key\": ");
			hf_quote(keys->items[i], &text);
			hf_buf_putc(&text, '}');
		}
		hf_buf_puts(&text, "]}\n");
	}
	PROMISE(hf_listing_parse(text.data, text.len, "l", &again, &why) == 0);
	PROMISE(again.n == 2 * keys->n);
	for (size_t i = 0; i < again.n; i++)
		PROMISE(!strcmp(again.items[i], keys->items[i % keys->n]));
	hf_strings_fini(&again);
	hf_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_strings keys = {0};
	char *why = NULL;
	int error = hf_listing_parse(size ? (const char *)data : "", size,
				     "a\nb", &keys, &why);

	if (error == 0) {
		PROMISE(!why);
		for (size_t i = 0; i < keys.n; i++)
			PROMISE(*keys.items[i]);
		check_lines(&keys);
		check_pages(&keys);
	} else {
		PROMISE(error == -EBADMSG);
		check_sentence(why);
	}
	free(why);
	hf_strings_fini(&keys);
	return 0;
}
