/*
 * Reads files of MOUNT/.hashedfs/: rows of fields between TABs, and a
 * last row that says that they are all there. The door of the control room is
 * included for the format that it promises, HF_MAP_END and HF_CONTROL_DIR, and
 * for nothing that it does: such a text comes from another process, perhaps of
 * another version.
 */
#include "manifest/manifest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/control/control.h"

#define N_END_FIELDS 3

bool hf_span_is(struct hf_span span, const char *text)
{
	return span.len == strlen(text) && !memcmp(span.text, text, span.len);
}

bool hf_span_split(struct hf_span line, struct hf_span *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *tab = memchr(line.text, '\t', line.len);

		fields[i] = line;
		if (!tab)
			return i + 1 == n;
		fields[i].len = (size_t)(tab - line.text);
		line.text = tab + 1;
		line.len -= fields[i].len + 1;
	}
	return false;
}

bool hf_span_number(struct hf_span span, uint64_t *ret)
{
	uint64_t number = 0;

	if (!span.len || (*span.text == '0' && span.len > 1))
		return false;
	for (size_t i = 0; i < span.len; i++) {
		unsigned digit = (unsigned)(span.text[i] - '0');

		if (digit > 9 || number > (UINT64_MAX - digit) / 10)
			return false;
		number = 10 * number + digit;
	}
	*ret = number;
	return true;
}

int hf_span_unescape(struct hf_span field, struct hf_buf *buf)
{
	hf_buf_reset(buf);
	hf_buf_puts(buf, "");
	if (hf_unescape(buf, field.text, field.len) < 0)
		return -ENODATA;
	return hf_buf_status(buf);
}

/* Checks the end row against the number of rows before it. */
static int check_end(struct hf_span line, size_t n, uint64_t *generation)
{
	struct hf_span fields[N_END_FIELDS];
	uint64_t count;

	if (!hf_span_split(line, fields, N_END_FIELDS) ||
	    !hf_span_is(fields[0], HF_MAP_END) ||
	    !hf_span_number(fields[1], &count) || count != n ||
	    !hf_span_number(fields[2], generation))
		return -ENODATA;
	return 0;
}

static int parse(const struct hf_rows *rows, struct hf_span rest,
		 uint64_t *generation)
{
	for (size_t n = 0;; n++) {
		const char *end = memchr(rest.text, '\n', rest.len);
		struct hf_span line = rest;
		int error;

		if (!end)
			return -ENODATA;
		line.len = (size_t)(end - rest.text);
		rest.text = end + 1;
		rest.len -= line.len + 1;
		if (!rest.len)
			return check_end(line, n, generation);
		error = rows->add(rows->context, line);
		if (error < 0)
			return error;
	}
}

int hf_rows_parse(const struct hf_rows *rows, const char *text, size_t len,
		  uint64_t *generation, char **why)
{
	int error = parse(rows, (struct hf_span){text, len}, generation);
	HF_CLEANUP(hf_freep)
	char *shown = error < 0 ? hf_escaped(rows->mount) : NULL;

	if (error < 0 && !shown)
		return -ENOMEM;
	if (error == -ENODATA)
		return hf_why(error, why,
			      "%s/" HF_CONTROL_DIR
			      "/%s is incomplete; try again",
			      shown, rows->name);
	return error;
}

/* A sentence for an error of opening or reading such a file of a mount. */
static int explain(int error, const char *mount, const char *shown,
		   const char *name, char **why)
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
		return hf_why(
			error, why,
			"%s is not a hashedfs mount, or not yours to ask "
			"(mount it with -o control=all); snapshot, check and "
			"stats read a directory with --source",
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
	case -ESTALE:
		return hf_why(
			error, why,
			"a file under %s was changed since it was frozen; "
			"mount it again",
			shown);
	case -EACCES:
		return hf_why(error, why,
			      "cannot read the %s of %s: only who mounted it "
			      "may, unless with -o control=all",
			      name, shown);
	}
	return hf_why(error, why, "cannot read the %s of %s: %s", name, shown,
		      strerror(-error));
}

int hf_rows_read(const char *mount, const char *name, struct hf_buf *ret,
		 char **why)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(mount);
	int error;

	hf_buf_printf(&path, "%s/" HF_CONTROL_DIR "/%s", mount, name);
	if (!shown || hf_buf_status(&path) < 0)
		return -ENOMEM;
	error = hf_input_read(path.data, ret);
	return error < 0 ? explain(error, mount, shown, name, why) : 0;
}
