/*
 * SOURCES as a user writes them: [PREFIX=]DIR[:[PREFIX=]DIR...].
 */
#include "fs/source/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int hf_source_explain(char **why, int error, const char *name,
		      const char *format, ...)
{
	struct hf_buf text = {0};
	va_list args;

	*why = NULL;
	hf_buf_putc(&text, '"');
	hf_escape(&text, name, strlen(name));
	hf_buf_puts(&text, "\": ");
	va_start(args, format);
	hf_buf_vprintf(&text, format, args);
	va_end(args);
	if (hf_buf_steal(&text, why) < 0) {
		hf_buf_fini(&text);
		return -ENOMEM;
	}
	return -error;
}

/* Removes the backslashes before the characters of `special`; others stay, so
 * that a directory called a\b can be written as it is. */
static void unescape(char *text, const char *special)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] && strchr(special, text[1]))
			text++;
		*out++ = *text;
	}
	*out = '\0';
}

static bool begins_dir(const char *text)
{
	return strncmp(text, "/", 1) == 0 || strncmp(text, "./", 2) == 0 ||
	       strncmp(text, "../", 3) == 0;
}

/* The "=" that ends a prefix, or NULL. Only before what is clearly a
 * directory, because directories have "=" in their names too. */
static const char *find_equals(const char *text)
{
	for (; *text; text++) {
		if (text[0] == '\\' && text[1])
			text++;
		else if (text[0] == '=' && begins_dir(text + 1))
			return text;
	}
	return NULL;
}

/* What is wrong with a prefix, or NULL. */
static const char *prefix_fault(const char *prefix)
{
	if (!*prefix)
		return "the prefix is empty; leave out the \"=\", or write "
		       "\"\\=\" for one that belongs to the directory";
	if (*prefix == '/' || prefix[strlen(prefix) - 1] == '/')
		return "a prefix neither begins nor ends with \"/\"; write "
		       "\"\\=\" for a \"=\" that belongs to the directory";
	for (const char *part = prefix; *part; part += *part == '/') {
		size_t len = strcspn(part, "/");

		if (len == 0)
			return "a prefix has no empty parts";
		if (strncmp(part, "..", len) == 0 && len <= 2)
			return "a prefix has no \".\" or \"..\" parts";
		if (len > NAME_MAX)
			return "a part of the prefix is too long to be a name";
		part += len;
	}
	return strlen(prefix) < PATH_MAX ? NULL : "the prefix is too long";
}

static void fini_spec(struct hf_root_spec *spec)
{
	free(spec->prefix);
	free(spec->dir);
}

static int append(struct hf_root_specs *specs, const struct hf_root_spec *spec)
{
	struct hf_root_spec *items =
		reallocarray(specs->items, specs->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	items[specs->n++] = *spec;
	specs->items = items;
	return 0;
}

/* Splits one [PREFIX=]DIR; `special` is what can be escaped in it. */
static int split_spec(const char *text, const char *special,
		      struct hf_root_spec *ret)
{
	const char *equals = find_equals(text);
	size_t len = equals ? (size_t)(equals - text) : 0;
	struct hf_root_spec spec = {
		.prefix = strndup(text, len),
		.dir = strdup(equals ? equals + 1 : text),
	};

	if (!spec.prefix || !spec.dir) {
		fini_spec(&spec);
		return -ENOMEM;
	}
	unescape(spec.prefix, special);
	unescape(spec.dir, special);
	*ret = spec;
	return 0;
}

static int add_spec(struct hf_root_specs *specs, const char *text,
		    const char *special, char **why)
{
	struct hf_root_spec spec;
	const char *fault = NULL;
	int error = split_spec(text, special, &spec);

	if (error < 0)
		return error;
	if (find_equals(text))
		fault = prefix_fault(spec.prefix);
	else if (!*spec.dir)
		fault = "a source is empty";
	if (!fault && specs->n == HF_ROOTS_MAX)
		fault = "there are more than 65535 sources";
	error = fault ? hf_source_explain(why, EINVAL, text, "%s", fault)
		      : append(specs, &spec);
	if (error < 0)
		fini_spec(&spec);
	return error;
}

int hf_root_specs_parse(struct hf_root_specs *specs, const char *text,
			char **why)
{
	HF_CLEANUP(hf_strings_fini) struct hf_strings parts = {0};
	int error = hf_split(&parts, text, ':');

	*why = NULL;
	if (error == 0 && parts.n == 0)
		return hf_source_explain(why, EINVAL, text,
					 "names no source directory");
	for (size_t i = 0; i < parts.n && error == 0; i++) {
		error = add_spec(specs, parts.items[i], "\\:=,", why);
		/* An empty part shows where it is only beside the others. */
		if (error == -EINVAL && !*parts.items[i]) {
			free(*why);
			return hf_source_explain(why, EINVAL, text,
						 "a source between \":\" is "
						 "empty");
		}
	}
	return error;
}

static int add_line(struct hf_root_specs *specs, char *line, size_t len,
		    char **why)
{
	if (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	if (len == 0 || *line == '#')
		return 0;
	if (strlen(line) != len)
		return hf_source_explain(why, EINVAL, line,
					 "a NUL byte follows");
	return add_spec(specs, line, "\\=", why);
}

/* Puts the place before the sentence of a line. */
static int place_fault(int error, const char *file, size_t number, char **why)
{
	HF_CLEANUP(hf_freep) char *sentence = *why;

	if (error == 0 || !sentence)
		return error;
	return hf_source_explain(why, -error, file, "line %zu: %s", number,
				 sentence);
}

static int read_lines(struct hf_root_specs *specs, FILE *stream,
		      const char *file, char **why)
{
	HF_CLEANUP(hf_freep) char *line = NULL;
	size_t cap = 0;
	size_t number = 0;
	int error = 0;

	while (error == 0) {
		ssize_t len = getline(&line, &cap, stream);

		if (len < 0)
			break;
		error = add_line(specs, line, (size_t)len, why);
		error = place_fault(error, file, ++number, why);
	}
	if (error == 0 && !feof(stream)) {
		error = errno;
		return hf_source_explain(why, error, file, "cannot read: %s",
					 strerror(error));
	}
	return error;
}

int hf_root_specs_read(struct hf_root_specs *specs, const char *file,
		       char **why)
{
	FILE *stream;
	int error;

	*why = NULL;
	if (strcmp(file, "-") == 0)
		return read_lines(specs, stdin, "standard input", why);
	stream = fopen(file, "re");
	if (!stream) {
		error = errno;
		return hf_source_explain(why, error, file, "cannot open: %s",
					 strerror(error));
	}
	error = read_lines(specs, stream, file, why);
	fclose(stream);
	return error;
}

int hf_root_specs_resolve(struct hf_root_specs *specs, char **why)
{
	*why = NULL;
	for (size_t i = 0; i < specs->n; i++) {
		struct hf_root_spec *spec = &specs->items[i];
		char *real = realpath(spec->dir, NULL);
		int error = errno;

		if (real) {
			free(spec->dir);
			spec->dir = real;
			continue;
		}
		return hf_source_explain(
			why, error, spec->dir,
			"cannot be used as a source: %s%s", strerror(error),
			strchr(spec->dir, '=') && !*spec->prefix
				? " (a prefix needs \"/\", \"./\" or \"../\" "
				  "after its \"=\")"
				: "");
	}
	return 0;
}

void hf_root_specs_fini(struct hf_root_specs *specs)
{
	for (size_t i = 0; i < specs->n; i++)
		fini_spec(&specs->items[i]);
	free(specs->items);
	*specs = (struct hf_root_specs){0};
}
