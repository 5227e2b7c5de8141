/* The map of a mount, as rows of a manifest. */
#include "manifest/manifest.h"

#include <errno.h>

/* path name kind name-digest content-digest size problem */
#define N_FIELDS 7

/* What is added to, and buffers that are used again for each line. */
struct parsing {
	struct hf_manifest *ret;
	struct hf_buf path;
	struct hf_buf name;
	struct hf_buf problem;
};

static void parsing_fini(struct parsing *parsing)
{
	hf_buf_fini(&parsing->path);
	hf_buf_fini(&parsing->name);
	hf_buf_fini(&parsing->problem);
}

static int add_line(void *context, struct hf_span line)
{
	struct parsing *parsing = context;
	struct hf_span fields[N_FIELDS];
	struct hf_manifest_row row = {0};
	struct hf_span problem;
	int error;

	if (!hf_span_split(line, fields, N_FIELDS))
		return -ENODATA;
	problem = fields[6];
	row.failed = problem.len && *problem.text == '!';
	if (row.failed || hf_span_is(problem, "-")) {
		problem.text++;
		problem.len--;
	}
	error = hf_span_unescape(fields[0], &parsing->path);
	if (error == 0)
		error = hf_span_unescape(fields[1], &parsing->name);
	if (error == 0)
		error = hf_span_unescape(problem, &parsing->problem);
	if (error < 0)
		return error;
	row.path = parsing->path.data;
	row.name = parsing->name.data;
	row.problem = parsing->problem.data;
	return hf_manifest_add(parsing->ret, &row);
}

int hf_manifest_parse_map(const char *text, size_t len, const char *mount,
			  struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(parsing_fini) struct parsing parsing = {.ret = ret};
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(mount);
	int error =
		hf_rows_parse(text, len, add_line, &parsing, &ret->generation);

	if (!shown || error == -ENOMEM)
		return -ENOMEM;
	if (error < 0)
		return hf_why(error, why,
			      "the map of %s is incomplete; try again", shown);
	return 0;
}

int hf_manifest_read_map(const char *mount, struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	int error = hf_rows_read(mount, "map", &text, why);

	if (error < 0)
		return error;
	return hf_manifest_parse_map(text.data, text.len, mount, ret, why);
}
