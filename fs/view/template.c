/*
 * template: what a hashed name is put together from.
 */
#include "fs/view/name.h"

#include <errno.h>
#include <string.h>

#define HASH_LEN_MAX 128

/* The letter of the one conversion of this kind; NULL for none or several. */
static const char *find_conversion(const char *text, char letter)
{
	const char *found = NULL;

	for (; *text; text++) {
		if (*text != '%' || *++text != letter)
			continue;
		if (found)
			return NULL;
		found = text;
	}
	return found;
}

/* NULL if every "%" starts a conversion and every byte may stand in a name. */
static const char *check_bytes(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			return "must not hold control characters";
		if (*text == '/' || *text == '\\')
			return "must not hold a slash or a backslash";
		if (*text == '%' && (!text[1] || !strchr("nhe%", *++text)))
			return "has a % that is not %n, %h, %e or %%";
	}
	return NULL;
}

/* NULL, or what is wrong with the template. */
static const char *check_template(const char *text)
{
	const char *why = check_bytes(text);
	const char *ext;

	if (why)
		return why;
	if (!find_conversion(text, 'n'))
		return "needs one %n";
	if (!find_conversion(text, 'h'))
		return "needs one %h";
	ext = find_conversion(text, 'e');
	if (!ext || ext[1])
		return "needs one %e, at its end";
	return NULL;
}

int hf_name_template_init(struct hf_name_template *template, const char *text,
			  unsigned hash_len, const char **why)
{
	const char *wrong = check_template(text);
	char *copy;

	if (!wrong && (hash_len < 1 || hash_len > HASH_LEN_MAX))
		wrong = "needs a hash length of 1 to 128";
	if (wrong) {
		*why = wrong;
		return -EINVAL;
	}
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	template->text = copy;
	template->hash_len = hash_len;
	return 0;
}

void hf_name_template_fini(struct hf_name_template *template)
{
	free(template->text);
	*template = (struct hf_name_template){0};
}

/* --- joining ---------------------------------------------------------------- */

/*
 * os.path.splitext: the extension starts at the last dot, but leading dots
 * never start one.
 */
struct hf_stem hf_stem_of(const char *base, size_t len)
{
	const char *dot = memrchr(base, '.', len);
	size_t root_len = dot ? (size_t)(dot - base) : len;

	if (strspn(base, ".") >= root_len)
		root_len = len;
	return (struct hf_stem){base, root_len, base + root_len,
				len - root_len};
}

void hf_name_template_join(const struct hf_name_template *template,
			   const struct hf_stem *stem, const char *hex,
			   struct hf_buf *before, struct hf_buf *after)
{
	struct hf_buf *out = before;

	for (const char *c = template->text; *c; c++) {
		if (*c != '%') {
			hf_buf_putc(out, *c);
			continue;
		}
		switch (*++c) {
		case 'n':
			hf_buf_add(out, stem->root, stem->root_len);
			break;
		case 'h':
			if (hex)
				hf_buf_add(out, hex, template->hash_len);
			else
				out = after;
			break;
		case 'e':
			hf_buf_add(out, stem->ext, stem->ext_len);
			break;
		default:
			hf_buf_putc(out, '%');
		}
	}
}

size_t hf_name_template_added(const struct hf_name_template *template)
{
	size_t len = template->hash_len;

	for (const char *c = template->text; *c; c++) {
		if (*c == '%' && *++c != '%')
			continue;
		len++;
	}
	return len;
}
