/*
 * finding: one line to tell, and many of them.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

static int grow(struct hf_findings *findings)
{
	size_t cap = findings->cap ? 2 * findings->cap : 64;
	struct hf_finding *rows;

	if (findings->n < findings->cap)
		return 0;
	rows = reallocarray(findings->rows, cap, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	findings->rows = rows;
	findings->cap = cap;
	return 0;
}

/* Copies a string with its NUL to *end and moves *end behind it. */
static const char *put(char **end, const char *text)
{
	char *start = *end;

	*end = stpcpy(start, text) + 1;
	return start;
}

int hf_findings_add(struct hf_findings *findings,
		    const struct hf_finding *finding)
{
	struct hf_finding copy = *finding;
	char *end;

	if (grow(findings) < 0)
		return -ENOMEM;
	copy.text = end =
		malloc(strlen(finding->path) + strlen(finding->kind) +
		       strlen(finding->url) + strlen(finding->sentence) + 4);
	if (!end)
		return -ENOMEM;
	copy.path = put(&end, finding->path);
	copy.kind = put(&end, finding->kind);
	copy.url = put(&end, finding->url);
	copy.sentence = put(&end, finding->sentence);
	findings->rows[findings->n++] = copy;
	return 0;
}

static int compare_numbers(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *a, const void *b)
{
	const struct hf_finding *x = a;
	const struct hf_finding *y = b;
	int order = strcmp(x->path, y->path);

	if (order == 0)
		order = compare_numbers(x->line, y->line);
	if (order == 0)
		order = compare_numbers(x->column, y->column);
	if (order == 0)
		order = strcmp(x->kind, y->kind);
	if (order == 0)
		order = strcmp(x->url, y->url);
	return order ? order : strcmp(x->sentence, y->sentence);
}

void hf_findings_sort(struct hf_findings *findings)
{
	if (findings->n)
		qsort(findings->rows, findings->n, sizeof(*findings->rows),
		      compare);
}

void hf_findings_fini(struct hf_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		free(findings->rows[i].text);
	free(findings->rows);
	*findings = (struct hf_findings){0};
}

void hf_finding_print(const struct hf_finding *finding, struct hf_buf *ret)
{
	hf_escape(ret, finding->path, strlen(finding->path));
	if (finding->line)
		hf_buf_printf(ret, ":%zu:%zu", finding->line, finding->column);
	hf_buf_puts(ret, ": ");
	hf_escape(ret, finding->sentence, strlen(finding->sentence));
	hf_buf_putc(ret, '\n');
}
