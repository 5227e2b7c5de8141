/*
 * The findings of a mount, and findings as JSON. That is written here and not
 * by a library, as libraries refuse names that are not UTF-8.
 */
#include "manifest/format.h"

#include <errno.h>

/* path line column kind url sentence */
#define N_FIELDS 6

/* What is added to, and buffers that are used again for each line. */
struct parsing {
	struct hf_findings *ret;
	struct hf_buf path;
	struct hf_buf kind;
	struct hf_buf url;
	struct hf_buf sentence;
};

static void parsing_fini(struct parsing *parsing)
{
	hf_buf_fini(&parsing->path);
	hf_buf_fini(&parsing->kind);
	hf_buf_fini(&parsing->url);
	hf_buf_fini(&parsing->sentence);
}

static int read_place(const struct hf_span *fields, struct hf_finding *ret)
{
	uint64_t line, column;

	if (!hf_span_number(fields[1], &line) ||
	    !hf_span_number(fields[2], &column) || line > SIZE_MAX ||
	    column > SIZE_MAX)
		return -ENODATA;
	ret->line = (size_t)line;
	ret->column = (size_t)column;
	return 0;
}

static int add_line(void *context, struct hf_span line)
{
	struct parsing *parsing = context;
	struct hf_span fields[N_FIELDS];
	struct hf_finding finding = {0};
	int error;

	if (!hf_span_split(line, fields, N_FIELDS))
		return -ENODATA;
	error = read_place(fields, &finding);
	if (error == 0)
		error = hf_span_unescape(fields[0], &parsing->path);
	if (error == 0)
		error = hf_span_unescape(fields[3], &parsing->kind);
	if (error == 0)
		error = hf_span_unescape(fields[4], &parsing->url);
	if (error == 0)
		error = hf_span_unescape(fields[5], &parsing->sentence);
	if (error < 0)
		return error;
	finding.path = parsing->path.data;
	finding.kind = parsing->kind.data;
	finding.url = parsing->url.data;
	finding.sentence = parsing->sentence.data;
	return hf_findings_add(parsing->ret, &finding);
}

int hf_findings_parse(const char *text, size_t len, const char *mount,
		      struct hf_findings *ret, char **why)
{
	HF_CLEANUP(parsing_fini) struct parsing parsing = {.ret = ret};
	const struct hf_rows rows = {mount, "findings", add_line, &parsing};

	return hf_rows_parse(&rows, text, len, &ret->generation, why);
}

int hf_findings_read(const char *mount, struct hf_findings *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	int error = hf_rows_read(mount, "findings", &text, why);

	if (error < 0)
		return error;
	return hf_findings_parse(text.data, text.len, mount, ret, why);
}

/* --- JSON ---------------------------------------------------------------- */

static void add_text(struct hf_buf *ret, const char *key, const char *value)
{
	hf_buf_printf(ret, "\"%s\": ", key);
	hf_quote(value, ret);
}

static void add_number(struct hf_buf *ret, const char *key, size_t value)
{
	if (value)
		hf_buf_printf(ret, "\"%s\": %zu, ", key, value);
	else
		hf_buf_printf(ret, "\"%s\": null, ", key);
}

static void add_object(struct hf_buf *ret, const struct hf_finding *finding)
{
	hf_buf_putc(ret, '{');
	add_text(ret, "file", finding->path);
	hf_buf_puts(ret, ", ");
	add_number(ret, "line", finding->line);
	add_number(ret, "column", finding->column);
	add_text(ret, "kind", finding->kind);
	hf_buf_puts(ret, ", ");
	add_text(ret, "url", finding->url);
	hf_buf_puts(ret, ", ");
	add_text(ret, "message", finding->sentence);
	hf_buf_putc(ret, '}');
}

int hf_findings_json(const struct hf_findings *findings, struct hf_buf *ret)
{
	hf_buf_putc(ret, '[');
	for (size_t i = 0; i < findings->n; i++) {
		hf_buf_puts(ret, i ? ",\n " : "\n ");
		add_object(ret, &findings->rows[i]);
	}
	hf_buf_puts(ret, findings->n ? "\n]\n" : "]\n");
	return hf_buf_status(ret);
}
