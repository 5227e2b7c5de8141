/* The map of a mount, as rows of a manifest; and the URL that it is for. */
#include "manifest/manifest.h"

#include <errno.h>
#include <string.h>

/* path name kind name-digest content-digest size problem, and in a map that
 * tells it the integrity */
#define N_FIELDS 8

/* What is added to, and buffers that are used again for each line. */
struct parsing {
	struct hf_manifest *ret;
	bool tells; /* integrity */
	struct hf_buf path;
	struct hf_buf name;
	struct hf_buf problem;
	struct hf_buf digest;
	struct hf_buf content;
	struct hf_buf integrity;
};

static void parsing_fini(struct parsing *parsing)
{
	hf_buf_fini(&parsing->path);
	hf_buf_fini(&parsing->name);
	hf_buf_fini(&parsing->problem);
	hf_buf_fini(&parsing->digest);
	hf_buf_fini(&parsing->content);
	hf_buf_fini(&parsing->integrity);
}

/* A field that is "-" where there is nothing; *ret is borrowed from `buf`. */
static int take(struct hf_span field, struct hf_buf *buf, const char **ret)
{
	int error;

	*ret = NULL;
	if (hf_span_is(field, "-"))
		return 0;
	error = hf_span_unescape(field, buf);
	if (error == 0)
		*ret = buf->data;
	return error;
}

static int add_line(void *context, struct hf_span line)
{
	struct parsing *parsing = context;
	struct hf_span fields[N_FIELDS];
	struct hf_manifest_row row = {0};
	struct hf_span problem;
	int error;

	if (!hf_span_split(line, fields, N_FIELDS - !parsing->tells))
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
	if (error == 0)
		error = take(fields[3], &parsing->digest, &row.digest);
	if (error == 0)
		error = take(fields[4], &parsing->content, &row.content);
	if (error == 0 && parsing->tells)
		error = take(fields[7], &parsing->integrity, &row.integrity);
	if (error == 0 && !hf_span_number(fields[5], &row.size))
		error = -ENODATA;
	if (error < 0)
		return error;
	row.path = parsing->path.data;
	row.name = parsing->name.data;
	row.problem = parsing->problem.data;
	return hf_manifest_add(parsing->ret, &row);
}

int hf_manifest_parse_map(const char *text, size_t len, const char *mount,
			  bool integrity, struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(parsing_fini)
	struct parsing parsing = {.ret = ret, .tells = integrity};
	const struct hf_rows rows = {mount, "map", add_line, &parsing};

	return hf_rows_parse(&rows, text, len, &ret->generation, why);
}

int hf_manifest_read_map(const char *mount,
			 const struct hf_algorithm *integrity,
			 struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf name = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	int error;

	hf_buf_puts(&name, "map");
	if (integrity)
		hf_buf_printf(&name, ".%s", hf_algorithm_name(integrity));
	error = hf_buf_status(&name);
	if (error == 0)
		error = hf_rows_read(mount, name.data, &text, why);
	if (error < 0)
		return error;
	return hf_manifest_parse_map(text.data, text.len, mount, integrity, ret,
				     why);
}

/* --- the URL ------------------------------------------------------------- */

#define URL_KEY "static_url: "

int hf_manifest_read_url(const char *mount, struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf url = {0};
	struct hf_span value = {0};
	const char *line;
	int error = hf_rows_read(mount, "status", &text, why);

	if (error < 0)
		return error;
	line = strstr(text.data, "\n" URL_KEY);
	if (!line)
		return hf_why(-ENODATA, why,
			      "the mount does not tell its static URL; "
			      "--url-prefix does");
	value.text = line + strlen("\n" URL_KEY);
	value.len = strcspn(value.text, "\n");
	error = hf_span_unescape(value, &url);
	if (error < 0)
		return error;
	free(ret->static_url);
	return hf_buf_steal(&url, &ret->static_url);
}
