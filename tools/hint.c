#include "tools/hint.h"

#include <string.h>

#include "fs/view/view.h"

#define PLAIN                                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"       \
	"_./:=,@%+-"

/* Can it be shown as it is, in one line? Backslashes can. */
static bool is_tame(const char *word, const char *escaped)
{
	for (; *word && *word == *escaped; word++, escaped++)
		if (*word == '\\')
			escaped++;
	return !*word && !*escaped;
}

/* Between single quotes, with `apostrophe` for each of them. */
static void quote_as(const char *word, const char *apostrophe,
		     struct hf_buf *ret)
{
	hf_buf_putc(ret, '\'');
	for (; *word; word++)
		if (*word == '\'')
			hf_buf_puts(ret, apostrophe);
		else
			hf_buf_putc(ret, *word);
	hf_buf_putc(ret, '\'');
}

static void quote(const char *word, struct hf_buf *ret)
{
	HF_CLEANUP(hf_freep) char *escaped = hf_escaped(word);

	if (!escaped) {
		ret->failed = true;
	} else if (*word && word[strspn(word, PLAIN)] == '\0') {
		hf_buf_puts(ret, word);
	} else if (is_tame(word, escaped)) {
		quote_as(word, "'\"'\"'", ret);
	} else {
		hf_buf_putc(ret, '$');
		quote_as(escaped, "\\'", ret);
	}
}

static void add(struct hf_hint *hint, const char *option, const char *value)
{
	hf_buf_printf(&hint->words, " %s", option);
	quote(value, &hint->words);
}

static bool is_about_the_view(const char *word)
{
	struct hf_config config;
	struct hf_option_set set;
	char *why = NULL;
	bool known = false;

	if (hf_config_init(&config) == 0) {
		set = hf_config_options(&config);
		known = hf_options_parse(&set, 1, word, &why) == 0;
	}
	hf_config_fini(&config);
	free(why);
	return known;
}

void hf_hint_add_option(struct hf_hint *hint, const char *text)
{
	struct hf_strings words = {0};

	if (hf_split(&words, text, ',') < 0)
		hint->words.failed = true;
	for (size_t i = 0; i < words.n; i++)
		if (is_about_the_view(words.items[i]))
			add(hint, "-o ", words.items[i]);
	hf_strings_fini(&words);
}

void hf_hint_add_sources_from(struct hf_hint *hint, const char *file)
{
	add(hint, "--sources-from ", file);
}

void hf_hint_add_sources(struct hf_hint *hint, const char *sources)
{
	add(hint, "", sources);
}

void hf_hint_print(const struct hf_hint *hint, struct hf_buf *ret)
{
	hf_buf_printf(ret, "hashedfs-manifest check --source%s",
		      hint->words.len ? hint->words.data : "");
}

void hf_hint_fini(struct hf_hint *hint)
{
	hf_buf_fini(&hint->words);
}
