#include "fs/view/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where the help text of an option begins, and where a line must end. */
#define HELP_COLUMN 26
#define HELP_WIDTH 79

static bool is_prefix(const struct hf_option *row)
{
	size_t len = strlen(row->name);

	return len > 0 && row->name[len - 1] == '*';
}

static bool row_matches(const struct hf_option *row, const char *name)
{
	if (!row->name)
		return false;
	if (is_prefix(row))
		return strncmp(row->name, name, strlen(row->name) - 1) == 0;
	return strcmp(row->name, name) == 0;
}

static const struct hf_option *find_row(const struct hf_option_set *sets,
					size_t n_sets, const char *name,
					void **target)
{
	for (size_t s = 0; s < n_sets; s++) {
		for (size_t i = 0; i < sets[s].n; i++) {
			if (!row_matches(&sets[s].rows[i], name))
				continue;
			*target = sets[s].target;
			return &sets[s].rows[i];
		}
	}
	return NULL;
}

/* `value` still has its backslashes: only the row knows whether they protect
 * a character of a list. */
static int apply(const struct hf_option *row, void *target, const char *word,
		 const char *value, char **why)
{
	HF_CLEANUP(hf_freep) char *part = NULL;
	int r;

	if (is_prefix(row))
		return 0;
	if (row->arg && !value)
		return hf_why(-EINVAL, why, "option '%s' needs a value: %s=%s",
			      word, row->name, row->arg);
	if (!row->arg && value)
		return hf_why(-EINVAL, why,
			      "option '%s' takes no value: write '%s'", word,
			      row->name);
	if (!row->parse)
		return 0;
	r = row->parse(target, value, &part);
	if (r == -EINVAL)
		return hf_why(-EINVAL, why, "option '%s': %s", word,
			      part ? part : "cannot be used");
	return r;
}

/* Whoever puts a comma between the values of a list ends it. */
static int refuse_word(const char *shown, const struct hf_option *before,
		       char **why)
{
	if (before && before->arg &&
	    (!strcmp(before->arg, "GLOBS") || !strcmp(before->arg, "SET")))
		return hf_why(-EINVAL, why,
			      "unknown option '%s'; --help lists the options, "
			      "and between the values of '%s' stands ':'",
			      shown, before->name);
	return hf_why(-EINVAL, why,
		      "unknown option '%s'; --help lists the options", shown);
}

/* *before is the row of the word before, and becomes that of this one. */
static int parse_word(const struct hf_option_set *sets, size_t n_sets,
		      char *word, const struct hf_option **before, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(word);
	const struct hf_option *row;
	char *value = strchr(word, '=');
	void *target;

	if (!shown)
		return -ENOMEM;
	if (value)
		*value++ = '\0';
	row = find_row(sets, n_sets, word, &target);
	if (!row)
		return refuse_word(shown, *before, why);
	*before = row;
	return apply(row, target, shown, value, why);
}

int hf_options_parse(const struct hf_option_set *sets, size_t n_sets,
		     const char *text, char **why)
{
	const struct hf_option *before = NULL;
	struct hf_strings words = {0};
	int r = hf_split(&words, text, ',');

	/* mount(8) puts words together and may leave a comma too many. */
	for (size_t i = 0; r == 0 && i < words.n; i++)
		if (words.items[i][0] != '\0')
			r = parse_word(sets, n_sets, words.items[i], &before,
				       why);
	hf_strings_fini(&words);
	return r;
}

bool hf_options_have(const struct hf_option_set *set, const char *word)
{
	HF_CLEANUP(hf_freep) char *name = strndup(word, strcspn(word, "="));
	void *target;

	return name && find_row(set, 1, name, &target);
}

static void pad(struct hf_buf *ret, size_t from, size_t to)
{
	while (from++ < to)
		hf_buf_putc(ret, ' ');
}

/* Fills lines with the words of `text`, the first one from `column` on. */
static void add_text(struct hf_buf *ret, const char *text, size_t column)
{
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > HELP_COLUMN && column + 1 + len > HELP_WIDTH) {
			hf_buf_putc(ret, '\n');
			pad(ret, 0, HELP_COLUMN);
			column = HELP_COLUMN;
		} else if (column > HELP_COLUMN) {
			hf_buf_putc(ret, ' ');
			column++;
		}
		hf_buf_add(ret, text, len);
		column += len;
		text += len + strspn(text + len, " ");
	}
	hf_buf_putc(ret, '\n');
}

static void add_row(const struct hf_option *row, struct hf_buf *ret)
{
	size_t width = 4 + strlen(row->name);

	hf_buf_printf(ret, "    %s", row->name);
	if (row->arg) {
		hf_buf_printf(ret, "=%s", row->arg);
		width += 1 + strlen(row->arg);
	}
	if (width + 2 > HELP_COLUMN) {
		hf_buf_putc(ret, '\n');
		width = 0;
	}
	pad(ret, width, HELP_COLUMN);
	add_text(ret, row->help, HELP_COLUMN);
}

void hf_options_help(const struct hf_option_set *set, struct hf_buf *ret)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct hf_option *row = &set->rows[i];

		if (!row->name)
			hf_buf_printf(ret, "  %s:\n", row->help);
		else if (row->help)
			add_row(row, ret);
	}
}
