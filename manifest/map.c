/*
 * Reads MOUNT/.hashedfs/map. The door of the control room is included for the
 * format that it promises, HF_MAP_END and HF_CONTROL_DIR, and for nothing
 * that it does: a map comes from another process, perhaps of another version.
 */
#include "manifest/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/control/control.h"

/* path name kind name-digest content-digest size problem */
#define N_FIELDS 7
#define N_END_FIELDS 3

struct span {
	const char *text;
	size_t len;
};

static bool span_is(struct span span, const char *text)
{
	return span.len == strlen(text) && !memcmp(span.text, text, span.len);
}

/* Splits a line at its TABs into at most N_FIELDS; returns how many there
 * are, N_FIELDS + 1 for too many. */
static size_t split_line(struct span line, struct span fields[N_FIELDS])
{
	for (size_t n = 0; n < N_FIELDS; n++) {
		const char *tab = memchr(line.text, '\t', line.len);

		fields[n] = line;
		if (!tab)
			return n + 1;
		fields[n].len = (size_t)(tab - line.text);
		line.text = tab + 1;
		line.len -= fields[n].len + 1;
	}
	return N_FIELDS + 1;
}

/* Buffers that are used again for each line. */
struct scratch {
	struct hf_buf path;
	struct hf_buf name;
	struct hf_buf problem;
};

static void scratch_fini(struct scratch *scratch)
{
	hf_buf_fini(&scratch->path);
	hf_buf_fini(&scratch->name);
	hf_buf_fini(&scratch->problem);
}

static int unescape(struct hf_buf *buf, struct span field)
{
	hf_buf_reset(buf);
	hf_buf_puts(buf, "");
	if (hf_unescape(buf, field.text, field.len) < 0)
		return -ENODATA;
	return hf_buf_status(buf);
}

static int add_line(struct span line, struct scratch *scratch,
		    struct hf_manifest *ret)
{
	struct span fields[N_FIELDS];
	struct hf_manifest_row row = {0};
	struct span problem;
	int error;

	if (split_line(line, fields) != N_FIELDS)
		return -ENODATA;
	problem = fields[6];
	row.failed = problem.len && *problem.text == '!';
	if (row.failed || span_is(problem, "-")) {
		problem.text++;
		problem.len--;
	}
	error = unescape(&scratch->path, fields[0]);
	if (error == 0)
		error = unescape(&scratch->name, fields[1]);
	if (error == 0)
		error = unescape(&scratch->problem, problem);
	if (error < 0)
		return error;
	row.path = scratch->path.data;
	row.name = scratch->name.data;
	row.problem = scratch->problem.data;
	return hf_manifest_add(ret, &row);
}

/* Checks the end row against the number of rows before it. */
static int check_end(struct span line, size_t n)
{
	struct span fields[N_FIELDS];
	char count[24];

	snprintf(count, sizeof(count), "%zu", n);
	if (split_line(line, fields) != N_END_FIELDS ||
	    !span_is(fields[0], HF_MAP_END) || !span_is(fields[1], count))
		return -ENODATA;
	return 0;
}

static int add_lines(struct span text, struct hf_manifest *ret)
{
	HF_CLEANUP(scratch_fini) struct scratch scratch = {0};
	size_t before = ret->n;

	for (;;) {
		const char *end = memchr(text.text, '\n', text.len);
		struct span line = text;
		int error;

		if (!end)
			return -ENODATA;
		line.len = (size_t)(end - text.text);
		text.text = end + 1;
		text.len -= line.len + 1;
		if (!text.len)
			return check_end(line, ret->n - before);
		error = add_line(line, &scratch, ret);
		if (error < 0)
			return error;
	}
}

int hf_manifest_parse_map(const char *text, size_t len, const char *mount,
			  struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(mount);
	int error = add_lines((struct span){text, len}, ret);

	if (!shown || error == -ENOMEM)
		return -ENOMEM;
	if (error < 0)
		return hf_why(error, why,
			      "the map of %s is incomplete; try again", shown);
	return 0;
}

/* A sentence for an error of opening or reading the map of a mount. */
static int explain(int error, const char *mount, const char *shown, char **why)
{
	struct stat st;

	if (error == -ENOMEM)
		return error;
	if (stat(mount, &st) < 0 && errno != ENOTCONN)
		return hf_why(-errno, why, "cannot read %s: %s", shown,
			      strerror(errno));
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		return hf_why(error, why,
			      "%s is not a hashedfs mount that shows its map; "
			      "snapshot --source reads directories without one",
			      shown);
	case -ENOTCONN:
		return hf_why(error, why,
			      "the hashedfs at %s has died; unmount it with "
			      "fusermount3 -u and mount it again",
			      shown);
	case -EAGAIN:
		return hf_why(
			error, why,
			"the tree under %s keeps changing; try again when "
			"it is quiet",
			shown);
	case -EACCES:
		return hf_why(error, why,
			      "cannot read the map of %s: only who mounted it "
			      "may, unless with -o control=all",
			      shown);
	}
	return hf_why(error, why, "cannot read the map of %s: %s", shown,
		      strerror(-error));
}

int hf_manifest_read_map(const char *mount, struct hf_manifest *ret, char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(mount);
	int error;

	hf_buf_printf(&path, "%s/" HF_CONTROL_DIR "/map", mount);
	if (!shown || hf_buf_status(&path) < 0)
		return -ENOMEM;
	error = hf_input_read(path.data, &text);
	if (error < 0)
		return explain(error, mount, shown, why);
	return hf_manifest_parse_map(text.data, text.len, mount, ret, why);
}
