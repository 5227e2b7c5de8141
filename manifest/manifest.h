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

/* One file of the sources. Strings are borrowed from the manifest, and "" where
 * there is nothing to say. */
struct hf_manifest_row {
	const char *path;    /* in the sources */
	const char *name;    /* as presented; "" if it is left out */
	const char *problem; /* a sentence */
	const char *digest;  /* hex, of which the name carries the beginning */
	const char *content; /* hex, of what is read */
	const char *integrity; /* of what is read, as HTML has it: sha384-... */
	uint64_t size;         /* of what is read; 0 where it is not known */
	bool failed;           /* cannot be read: `problem` says why */
};

/* Start with {0}. */
struct hf_manifest {
	struct hf_manifest_row *rows;
	size_t n;
	size_t cap;
	uint64_t generation; /* of the tree; 0 if that is not known */
	char *static_url;    /* of the tree; NULL if that is not known */
	struct hf_manifest_block *blocks; /* private: the strings of rows */
};

/* Appends a copy of `row`; its strings may be NULL for "". -ENOMEM. */
int hf_manifest_add(struct hf_manifest *manifest,
		    const struct hf_manifest_row *row) HF_MUST_USE;
/* The same, but its path and name stay where they are, which is in a text that
 * the manifest keeps. A content that is the very digest is copied once. */
int hf_manifest_add_named(struct hf_manifest *manifest,
			  const struct hf_manifest_row *row) HF_MUST_USE;
/* Steals `text` (malloc): it goes with the manifest. -ENOMEM leaves it the
 * caller's. */
int hf_manifest_keep(struct hf_manifest *manifest, char *text) HF_MUST_USE;
/* Sorts by path, as Python sorts str. */
void hf_manifest_sort(struct hf_manifest *manifest);
/* True if the row belongs into a document: presented and readable. */
bool hf_manifest_listed(const struct hf_manifest_row *row);
/* True of style sheets and scripts: .css, .js, .mjs. */
bool hf_manifest_is_code(const char *path);
/* The next listed row at or behind index *cursor, or NULL; *cursor is then the
 * index behind it. */
const struct hf_manifest_row *
hf_manifest_next(const struct hf_manifest *manifest, size_t *cursor);
/* The row of that path, or NULL. Precondition: sorted. */
const struct hf_manifest_row *
hf_manifest_find(const struct hf_manifest *manifest, const char *path);
/* The first row at or behind index *cursor that is presented as `name`, or
 * NULL; *cursor is then the index behind it. */
const struct hf_manifest_row *
hf_manifest_find_name(const struct hf_manifest *manifest, const char *name,
		      size_t *cursor);
/* The listed rows by their names, of equal ones the first; *ret is new, and its
 * values are borrowed. -ENOMEM. */
int hf_manifest_index(const struct hf_manifest *manifest,
		      struct hf_map **ret) HF_MUST_USE;
/* That the row's integrity value is by, or NULL. */
const struct hf_algorithm *
hf_manifest_algorithm(const struct hf_manifest_row *row);
void hf_manifest_fini(struct hf_manifest *manifest);

/*
 * The next code point of a file name as Python decodes it (surrogateescape):
 * a byte b that is not UTF-8 is U+DC00 + b. Moves *text on; 0 at the end.
 */
uint32_t hf_manifest_code_point(const char **text);
/* Compares two names by code point: <0, 0, >0. */
int hf_manifest_compare(const char *a, const char *b);

/* --- document.c, format.c: rows as bytes ---------------------------------- */

/* One kind of document: a row of the table in format.c. */
struct hf_format;
struct hf_output;

/*
 * How a document is written and read. Start with {0}: as Django's
 * staticfiles.json. Strings are borrowed.
 */
struct hf_document {
	const struct hf_format *format;       /* NULL: Django's */
	const char *url_prefix;               /* NULL: what the format has */
	const char *key_prefix;               /* NULL: what the format has */
	const struct hf_algorithm *integrity; /* NULL: none is asked for */
};

/*
 * Takes the value of one option of the command line: "--format",
 * "--url-prefix", "--key-prefix" or "--integrity". -EINVAL with *why.
 */
int hf_document_set(struct hf_document *document, const char *option,
		    const char *value, char **why) HF_MUST_USE;
/* Call once all options are set: whether they go together. -EINVAL. */
int hf_document_check(struct hf_document *document, char **why) HF_MUST_USE;
/* The same where --manifest names its file: if that is NULL, no option may be
 * set. */
int hf_document_check_for(struct hf_document *document, const char *file,
			  char **why) HF_MUST_USE;
/* True if the static URL of the tree has to be known to write it. */
bool hf_document_has_urls(const struct hf_document *document);
/*
 * Writes a sorted manifest. -EILSEQ: the format cannot hold a name. -EIO: no
 * MD5 is to be had. -ENOMEM; errors of hf_output_write.
 */
int hf_document_write(const struct hf_document *document,
		      const struct hf_manifest *manifest,
		      struct hf_output *output, char **why) HF_MUST_USE;
/* The bytes alone, appended. */
int hf_document_print(const struct hf_document *document,
		      const struct hf_manifest *manifest, struct hf_buf *ret,
		      char **why) HF_MUST_USE;
/* Whether such documents are read. -EINVAL. */
int hf_document_check_reading(const struct hf_document *document,
			      char **why) HF_MUST_USE;
/*
 * Appends the rows of a document in a file, unsorted. -EINVAL: nobody reads
 * this format. -EBADMSG: the file is none of it. Errnos of reading, -ENOMEM.
 */
int hf_document_read(const struct hf_document *document, const char *file,
		     struct hf_manifest *ret, char **why) HF_MUST_USE;
/* The same of a text; `file` is what to call it. */
int hf_document_parse(const struct hf_document *document, const char *text,
		      size_t len, const char *file, struct hf_manifest *ret,
		      char **why) HF_MUST_USE;
/* Appends a line of help, at most 80 columns, for each format. */
void hf_formats_help(struct hf_buf *ret);

/* --- map.c, source.c: where rows come from ------------------------------- */

/* All of them append to `ret`, in no order that is promised. */

/*
 * The text of a mount's map, or of one that tells integrity. `mount` is what to
 * call it. -ENODATA: it is not complete. -ENOMEM.
 */
int hf_manifest_parse_map(const char *text, size_t len, const char *mount,
			  bool integrity, struct hf_manifest *ret,
			  char **why) HF_MUST_USE;
/* The map of the mount at `mount`, with integrity values unless `integrity` is
 * NULL; also errnos of reading it, -EAGAIN: its tree keeps changing. */
int hf_manifest_read_map(const char *mount,
			 const struct hf_algorithm *integrity,
			 struct hf_manifest *ret, char **why) HF_MUST_USE;
/* Adds the static URL of that mount, from its status. */
int hf_manifest_read_url(const char *mount, struct hf_manifest *ret,
			 char **why) HF_MUST_USE;

/*
 * What the view of a config shows. -EAGAIN: the tree keeps changing; -ESTALE:
 * the view is frozen, and a file has changed; other errnos of the sources.
 */
int hf_manifest_of_view(struct hf_view *view, const struct hf_config *config,
			struct hf_manifest *ret, char **why) HF_MUST_USE;

/*
 * What is asked of a tree, all of one moment; NULL where it is not asked for.
 * The pointers are borrowed, and what they lead to is appended to. Findings and
 * references are not both asked for.
 */
struct hf_tree {
	struct hf_manifest *manifest;
	struct hf_findings *findings;
	struct hf_references *references;
};

/* That of a mount of these sources. `progress`, unless it is NULL, is written
 * meanwhile. Errors as hf_manifest_of_view. */
int hf_tree_of_sources(const struct hf_config *config,
		       struct hf_progress *progress, const struct hf_tree *ret,
		       char **why) HF_MUST_USE;

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

/* What is made of such a text. All borrowed. */
struct hf_rows {
	const char *mount; /* what to call it */
	const char *name;  /* of the file, as in the table of fs/control */
	/* Takes a line. -ENODATA: it is not as it should be; -ENOMEM. */
	int (*add)(void *context, struct hf_span line);
	void *context;
};

/*
 * Hands every line to `add`, and checks the last one, which says how many they
 * are and the generation. -ENODATA: it is incomplete; -ENOMEM.
 */
int hf_rows_parse(const struct hf_rows *rows, const char *text, size_t len,
		  uint64_t *generation, char **why) HF_MUST_USE;
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

/* --- references.c ------------------------------------------------------- */

/* The text of a mount's references, which are appended. As
 * hf_manifest_parse_map. */
int hf_references_parse(const char *text, size_t len, const char *mount,
			struct hf_references *ret, char **why) HF_MUST_USE;
/* The references of the mount at `mount`. As hf_manifest_read_map. */
int hf_references_read(const char *mount, struct hf_references *ret,
		       char **why) HF_MUST_USE;

/* --- git.c --------------------------------------------------------------- */

/*
 * *ret is `path`, new, with the commit that HEAD of the working directory's
 * repository is at in place of each {git}. -ENOENT: there is no git, no
 * repository, no commit. Waits for a child of its own.
 */
int hf_git_expand(const char *path, char **ret, char **why) HF_MUST_USE;

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
 * link stays. {git} in it is expanded. Errnos of open(2) and hf_git_expand.
 */
int hf_output_open(const char *path, struct hf_output *ret,
		   char **why) HF_MUST_USE;
/*
 * Writes all of it. A file gets mode 0644 less the umask, is on the disk when
 * this returns, and replaces the old one in one step, unless that holds just
 * the same; after an error the old
 * one is as it was and nothing else is left. Signals are held back for that
 * moment, so that they leave nothing either: no other thread may be running.
 */
int hf_output_write(struct hf_output *output, const void *data, size_t len,
		    char **why) HF_MUST_USE;
void hf_output_close(struct hf_output *output);
/* Warns if the file `path`, which is to be written (NULL: none), will be one of
 * the sources'. */
void hf_output_check_apart(const char *path,
			   const struct hf_source_config *sources);

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
