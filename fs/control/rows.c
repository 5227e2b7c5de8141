/*
 * rows: mapping, findings and references as texts for programs: fields between
 * TABs, and a last row that says that they are all there.
 */
#include "fs/control/control.h"

#include <inttypes.h>
#include <string.h>

static void add_field(struct hf_buf *ret, const char *text)
{
	hf_escape(ret, text, strlen(text));
	hf_buf_putc(ret, '\t');
}

/* --- map ----------------------------------------------------------------- */

static void add_digest(struct hf_buf *ret, const struct hf_digest *digest)
{
	char hex[HF_DIGEST_HEX_MAX + 1];

	hf_digest_hex(digest, hex);
	hf_buf_puts(ret, digest->len ? hex : "-");
	hf_buf_putc(ret, '\t');
}

static void add_problem(struct hf_buf *ret, const struct hf_row *row)
{
	if (row->problem == HF_PROBLEM_NONE) {
		hf_buf_putc(ret, '-');
		return;
	}
	if (row->error)
		hf_buf_putc(ret, '!');
	hf_problem_describe(row->problem, row->error, ret);
}

/* The last field of a map that tells the integrity, by that algorithm. */
static void add_integrity(struct hf_buf *ret, const struct hf_row *row,
			  const struct hf_algorithm *algorithm)
{
	hf_buf_putc(ret, '\t');
	if (row->integrity.len)
		hf_digest_integrity(algorithm, &row->integrity, ret);
	else
		hf_buf_putc(ret, '-');
}

static void add_row(struct hf_buf *ret, const struct hf_row *row,
		    const struct hf_algorithm *integrity)
{
	add_field(ret, row->path);
	add_field(ret, row->name);
	add_field(ret, hf_kind_name(row->kind));
	add_digest(ret, &row->name_digest);
	add_digest(ret, &row->content_digest);
	hf_buf_printf(ret, "%" PRIu64 "\t", row->size);
	add_problem(ret, row);
	if (integrity)
		add_integrity(ret, row, integrity);
	hf_buf_putc(ret, '\n');
}

void hf_control_map(const struct hf_snapshot *snapshot,
		    const struct hf_algorithm *integrity, struct hf_buf *ret)
{
	for (size_t i = 0; i < snapshot->n; i++)
		add_row(ret, &snapshot->rows[i], integrity);
	hf_buf_printf(ret, HF_MAP_END "\t%zu\t%" PRIu64 "\n", snapshot->n,
		      snapshot->generation);
}

/* --- findings, references ------------------------------------------------ */

void hf_control_findings(const struct hf_findings *findings, struct hf_buf *ret)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct hf_finding *row = &findings->rows[i];

		add_field(ret, row->path);
		hf_buf_printf(ret, "%zu\t%zu\t", row->line, row->column);
		add_field(ret, row->kind);
		add_field(ret, row->url);
		hf_escape(ret, row->sentence, strlen(row->sentence));
		hf_buf_putc(ret, '\n');
	}
	hf_buf_printf(ret, HF_MAP_END "\t%zu\t%" PRIu64 "\n", findings->n,
		      findings->generation);
}

void hf_control_references(const struct hf_references *references,
			   struct hf_buf *ret)
{
	for (size_t i = 0; i < references->n; i++) {
		const struct hf_reference *row = &references->rows[i];

		add_field(ret, row->path);
		hf_escape(ret, row->target, strlen(row->target));
		hf_buf_putc(ret, '\n');
	}
	hf_buf_printf(ret, HF_MAP_END "\t%zu\t%" PRIu64 "\n", references->n,
		      references->generation);
}
