/*
 * manifest: the mapping as a document. Rows that say which name a file is
 * presented under, where they can be read from, the bytes they are written
 * as, and the file that those bytes end up in.
 *
 * Knows nothing of FUSE: a mount is read through its .hashedfs/ like any
 * directory. Errors are negative errnos; *why is then a new sentence for the
 * user with all names escaped, or NULL when memory is out.
 */
#ifndef HF_MANIFEST_H
#define HF_MANIFEST_H

#include "fs/base/base.h"
#include "fs/view/view.h"

/* --- model.c: the rows --------------------------------------------------- */

/* One file of the sources. Strings are borrowed from the manifest. */
struct hf_manifest_row {
	const char *path;    /* in the sources */
	const char *name;    /* as presented; "" if it is left out */
	const char *problem; /* a sentence; "" if there is none */
	bool failed;         /* cannot be read: `problem` says why */
	char *text;          /* private: what the strings point into */
};

/* Start with {0}. */
struct hf_manifest {
	struct hf_manifest_row *rows;
	size_t n;
	size_t cap;
	uint64_t generation; /* of the tree; 0 if that is not known */
};

/* Appends a copy of `row`. -ENOMEM. */
int hf_manifest_add(struct hf_manifest *manifest,
		    const struct hf_manifest_row *row) HF_MUST_USE;
/* Sorts by path, as Python sorts str. */
void hf_manifest_sort(struct hf_manifest *manifest);
/* True if the row belongs into a document: presented and readable. */
bool hf_manifest_listed(const struct hf_manifest_row *row);
/* The row of that path, or NULL. Precondition: sorted. */
const struct hf_manifest_row *
hf_manifest_find(const struct hf_manifest *manifest, const char *path);
/* The first row at or behind index *cursor that is presented as `name`, or
 * NULL; *cursor is then the index behind it. */
const struct hf_manifest_row *
hf_manifest_find_name(const struct hf_manifest *manifest, const char *name,
		      size_t *cursor);
void hf_manifest_fini(struct hf_manifest *manifest);

/*
 * The next code point of a file name as Python decodes it (surrogateescape):
 * a byte b that is not UTF-8 is U+DC00 + b. Moves *text on; 0 at the end.
 */
uint32_t hf_manifest_code_point(const char **text);
/* Compares two names by code point: <0, 0, >0. */
int hf_manifest_compare(const char *a, const char *b);

/* --- django.c: staticfiles.json ------------------------------------------ */

/*
 * Appends the bytes that ManifestFilesMixin.save_manifest (Django 6,
 * django/contrib/staticfiles/storage.py) writes for the listed rows.
 * Precondition: sorted. -EIO if MD5 is not to be had, -ENOMEM.
 */
int hf_manifest_django(const struct hf_manifest *manifest,
		       struct hf_buf *ret) HF_MUST_USE;
/* Appends one name as Python's json.dumps writes it, with its quotes. */
void hf_manifest_quote(const char *name, struct hf_buf *ret);

/* --- json.c, map.c, source.c: where rows come from ----------------------- */

/* All of them append to `ret`, in no order that is promised. */

/*
 * The text of a manifest that Django or this program wrote, version 1.0 or
 * 1.1. `file` is what to call it. -EBADMSG: it is none. -ENOMEM.
 */
int hf_manifest_parse(const char *text, size_t len, const char *file,
		      struct hf_manifest *ret, char **why) HF_MUST_USE;
/* The same of a file; also errnos of reading it. */
int hf_manifest_read(const char *file, struct hf_manifest *ret,
		     char **why) HF_MUST_USE;

/*
 * The text of a mount's map. `mount` is what to call it. -ENODATA: it is not
 * complete. -ENOMEM.
 */
int hf_manifest_parse_map(const char *text, size_t len, const char *mount,
			  struct hf_manifest *ret, char **why) HF_MUST_USE;
/* The map of the mount at `mount`; also errnos of reading it, -EAGAIN: its
 * tree keeps changing. */
int hf_manifest_read_map(const char *mount, struct hf_manifest *ret,
			 char **why) HF_MUST_USE;

/* What a snapshot of a view says. -ENOMEM. */
int hf_manifest_of_snapshot(const struct hf_snapshot *snapshot,
			    struct hf_manifest *ret) HF_MUST_USE;
/*
 * What a mount of these sources would show, and unless `findings` is NULL
 * what is to be told of it at the same moment. `progress` is written
 * meanwhile. -EAGAIN: the tree keeps changing; other errnos of the sources.
 */
int hf_manifest_of_sources(const struct hf_config *config,
			   struct hf_progress *progress,
			   struct hf_findings *findings,
			   struct hf_manifest *ret, char **why) HF_MUST_USE;

/* The version of Jansson that runs, as "2.14". */
const char *hf_jansson_version(void);

/* --- rows.c: the texts of .hashedfs/ ------------------------------------- */

struct hf_span {
	const char *text;
	size_t len;
};

bool hf_span_is(struct hf_span span, const char *text);
/* Splits a line at its TABs. True if there are `n` fields. */
bool hf_span_split(struct hf_span line, struct hf_span *fields, size_t n);
/* Decimal, and nothing else. */
bool hf_span_number(struct hf_span span, uint64_t *ret);
/* The bytes that a field stands for, instead of what `buf` held. -ENODATA: it
 * is not escaped as it should be. */
int hf_span_unescape(struct hf_span field, struct hf_buf *buf) HF_MUST_USE;

/*
 * Hands every line of such a text to `add`, and checks the last one, which
 * says how many they are and the generation. -ENODATA: it is incomplete;
 * errors of `add`.
 */
int hf_rows_parse(const char *text, size_t len,
		  int (*add)(void *context, struct hf_span line), void *context,
		  uint64_t *generation) HF_MUST_USE;
/*
 * Appends the file `name` of the .hashedfs/ of the mount at `mount`. Errnos of
 * reading it, -EAGAIN: the tree under it keeps changing.
 */
int hf_rows_read(const char *mount, const char *name, struct hf_buf *ret,
		 char **why) HF_MUST_USE;

/* --- findings.c --------------------------------------------------------- */

/* The text of a mount's findings, which are appended. As
 * hf_manifest_parse_map. */
int hf_findings_parse(const char *text, size_t len, const char *mount,
		      struct hf_findings *ret, char **why) HF_MUST_USE;
/* The findings of the mount at `mount`. As hf_manifest_read_map. */
int hf_findings_read(const char *mount, struct hf_findings *ret,
		     char **why) HF_MUST_USE;
/*
 * Appends an array of objects with the members file, line, column, kind, url
 * and message; line and column are null where there are none. Bytes that are
 * not UTF-8 are lone surrogates, as in a manifest. -ENOMEM.
 */
int hf_findings_json(const struct hf_findings *findings,
		     struct hf_buf *ret) HF_MUST_USE;

/* --- input.c, output.c: files -------------------------------------------- */

/* Appends the whole file. Errnos of open(2) and read(2), -ENOMEM. */
int hf_input_read(const char *path, struct hf_buf *ret) HF_MUST_USE;

/*
 * Where a result goes: a file that appears whole or not at all, or standard
 * output, or something that is no regular file and is written straight to.
 */
struct hf_output {
	char *path; /* what to call it, escaped */
	int fd;     /* written straight to; -1: a file in dir_fd */
	int dir_fd;
	char *name; /* of the file in dir_fd */
};

/*
 * Finds out whether `path` can be written, before any work is done for it.
 * NULL and "-" are standard output. A link to a file is followed, so that the
 * link stays. Errnos of open(2).
 */
int hf_output_open(const char *path, struct hf_output *ret,
		   char **why) HF_MUST_USE;
/*
 * Writes all of it. A file gets mode 0644 less the umask, is on the disk when
 * this returns, and replaces the old one in one step; after an error the old
 * one is as it was and nothing else is left. Signals are held back for that
 * moment, so that they leave nothing either: no other thread may be running.
 */
int hf_output_write(struct hf_output *output, const void *data, size_t len,
		    char **why) HF_MUST_USE;
void hf_output_close(struct hf_output *output);
/* Writes a sorted manifest as staticfiles.json. Errors of hf_manifest_django
 * and hf_output_write. */
int hf_manifest_write(const struct hf_manifest *manifest,
		      struct hf_output *output, char **why) HF_MUST_USE;

/* --- progress.c: a line on the terminal ---------------------------------- */

struct hf_work {
	uint64_t files_done;
	uint64_t files;
	uint64_t bytes_done;
	uint64_t bytes;
};

/* Says how far the work is; false if that is not known. Any thread. */
typedef bool hf_work_sample(void *context, struct hf_work *ret);

/* hf_work_sample: `context` is the struct hf_progress of a snapshot. */
bool hf_work_of_snapshot(void *context, struct hf_work *ret);
/* hf_work_sample: `context` is the path of a mount (const char *). */
bool hf_work_of_mount(void *context, struct hf_work *ret);
/* The same from the text of its status. */
bool hf_work_parse(const char *status, struct hf_work *ret);
/* Appends the line, shorter than 80 columns: files, bytes, rate, time left. */
void hf_work_describe(const struct hf_work *work, int64_t elapsed_ns,
		      struct hf_buf *ret);

/*
 * Shows the line on standard error, if that is a terminal and not `quiet`,
 * until hf_meter_stop, which wipes it. A meter that could not be started is
 * none, never an error. `context` is borrowed until then.
 */
struct hf_meter;
struct hf_meter *hf_meter_start(bool quiet, hf_work_sample *sample,
				void *context);
void hf_meter_stop(struct hf_meter *meter);

#endif
