/* The references of a mount. */
#include "manifest/manifest.h"

#include <errno.h>

/* path target */
#define N_FIELDS 2

/* What is added to, and buffers that are used again for each line. */
struct parsing {
	struct hf_references *ret;
	struct hf_buf path;
	struct hf_buf target;
};

static void parsing_fini(struct parsing *parsing)
{
	hf_buf_fini(&parsing->path);
	hf_buf_fini(&parsing->target);
}

static int add_line(void *context, struct hf_span line)
{
	struct parsing *parsing = context;
	struct hf_span fields[N_FIELDS];
	int error;

	if (!hf_span_split(line, fields, N_FIELDS))
		return -ENODATA;
	error = hf_span_unescape(fields[0], &parsing->path);
	if (error == 0)
		error = hf_span_unescape(fields[1], &parsing->target);
	if (error < 0)
		return error;
	return hf_references_add(parsing->ret, parsing->path.data,
				 parsing->target.data);
}

int hf_references_parse(const char *text, size_t len, const char *mount,
			struct hf_references *ret, char **why)
{
	HF_CLEANUP(parsing_fini) struct parsing parsing = {.ret = ret};
	const struct hf_rows rows = {mount, "references", add_line, &parsing};

	return hf_rows_parse(&rows, text, len, &ret->generation, why);
}

int hf_references_read(const char *mount, struct hf_references *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	int error = hf_rows_read(mount, "references", &text, why);

	if (error < 0)
		return error;
	return hf_references_parse(text.data, text.len, mount, ret, why);
}
