/*
 * internal: what the files of this room share.
 *
 *   rewrite   pattern after pattern over one text
 *   css, js, modules   where a pattern matches
 *   ignored   comments and strings, where 6.1 rewrites nothing
 *   convert   one reference: captured text -> new text
 *   fragment, path, url   Python's functions on URLs and paths
 *   origin    from rewritten text back to the original
 *
 * Offsets count bytes. All text here is valid UTF-8 and every delimiter is
 * ASCII, so bytes and Python's characters are cut at the same places.
 */
#ifndef HF_REFS_INTERNAL_H
#define HF_REFS_INTERNAL_H

#include "fs/refs/refs.h"

/* --- scan.c: looking ahead without looking twice ------------------------ */

/* The first place at or after `from`, as far as it is known. */
struct hf_sight {
	size_t from;
	size_t at;
	bool known;
};

enum hf_mark {
	HF_MARK_NEWLINE,
	HF_MARK_CLOSE,        /* )  */
	HF_MARK_DOUBLE_CLOSE, /* ") */
	HF_MARK_SINGLE_CLOSE, /* ') */
	HF_MARK_SEMICOLON,
	HF_N_MARKS,
};

/*
 * One text under one pattern. What was once found ahead is remembered, so
 * that a pattern that fails at every byte still reads each byte a bounded
 * number of times.
 */
struct hf_scan {
	const char *text; /* borrowed */
	size_t len;
	struct hf_sight marks[HF_N_MARKS];
	struct hf_sight from_clause; /* modules.c */
};

/* The first `mark` at or after `from`; len if there is none. */
size_t hf_scan_next(struct hf_scan *scan, enum hf_mark mark, size_t from);
/* True if `sight` answers for `from` too. */
bool hf_sight_holds(const struct hf_sight *sight, size_t from);
/* The first byte at or after `from` that no white space (\s) begins at. */
size_t hf_scan_skip_space(const struct hf_scan *scan, size_t from);
/* True if the line from `from` on is not over before `end`. */
bool hf_scan_same_line(struct hf_scan *scan, size_t from, size_t end);
/* The length of the ASCII `word` (lower case) at `at` in any case, or 0. */
size_t hf_scan_word(const struct hf_scan *scan, size_t at, const char *word);

/* --- patterns ------------------------------------------------------------ */

/* text[start, end) is the match, [url, url + url_len) the group "url". */
struct hf_match {
	size_t start;
	size_t end;
	size_t url;
	size_t url_len;
	/* the group "import" or "exports" of the module patterns */
	size_t clause;
	size_t clause_len;
};

/*
 * A pattern of HashedFilesMixin.patterns and its template: `head`, the clause,
 * `middle`, the new URL, `tail`.
 */
struct hf_pattern {
	/* The first match that begins at or after `from`. */
	bool (*find)(struct hf_scan *scan, size_t from, struct hf_match *ret);
	const char *head;
	const char *middle;
	const char *tail;
	bool is_map; /* a source map comment */
};

extern const struct hf_pattern hf_css_url;     /* from 6.0 */
extern const struct hf_pattern hf_css_url_5_2; /* up to 5.2 */
extern const struct hf_pattern hf_css_import;
extern const struct hf_pattern hf_css_map;
extern const struct hf_pattern hf_js_map;

#define HF_N_MODULE_PATTERNS 4
extern const struct hf_pattern hf_js_module_patterns[HF_N_MODULE_PATTERNS];

/*
 * The first source map comment after `from` whose line begins with `open`,
 * four bytes long, or with `other`.
 */
bool hf_map_find(const struct hf_scan *scan, size_t from, const char *open,
		 const char *other, struct hf_match *ret);

/* words.c: what \w matches, outside ASCII too. */
bool hf_is_word(uint32_t code_point);

/* --- ignored.c ----------------------------------------------------------- */

/* The regions of one text, made as they are asked for. */
struct hf_ignored {
	const char *text; /* borrowed */
	size_t len;
	bool is_js;
	size_t start; /* the last region made is [start, end) */
	size_t end;
	bool no_comment_ends; /* no comment ends behind `end` */
};

/* Whether `at` is inside a region; never less than in the call before. */
bool hf_ignored_at(struct hf_ignored *ignored, size_t at);

/* --- convert.c ----------------------------------------------------------- */

enum hf_outcome {
	HF_OUTCOME_KEPT,       /* Django leaves it alone */
	HF_OUTCOME_AS_WRITTEN, /* it leads nowhere, or is not known yet */
	HF_OUTCOME_NEW,        /* the new text is in `text` */
};

/* The conversion of references in one file; memory is used again. */
struct hf_convert {
	const struct hf_refs_config *config;
	const char *path;
	const struct hf_refs_caller *caller;
	struct hf_buf url;      /* as captured */
	struct hf_buf url_path; /* url without its fragment */
	struct hf_buf fragment;
	struct hf_buf target; /* joined and unquoted */
	struct hf_buf file;   /* target without its fragment */
	struct hf_buf inner;  /* the fragment of the target */
	struct hf_buf name;   /* file, normalised */
	struct hf_buf asked;  /* as resolve was asked */
	struct hf_buf hashed; /* what resolve answered */
	struct hf_buf spare;
	struct hf_buf text; /* the result */
	enum hf_target answer;
};

/* A negative errno: of resolve, or -ENOMEM. */
int hf_convert_url(struct hf_convert *convert, const char *url, size_t len,
		   enum hf_outcome *ret) HF_MUST_USE;
void hf_convert_fini(struct hf_convert *convert);

/* --- fragment.c, path.c -------------------------------------------------- */

/*
 * U+0000 inside a C string: two bytes that no UTF-8 has. Whoever is asked for
 * such a name finds nothing, as Python does.
 */
#define HF_NUL "\xc0\x80"

/*
 * urllib.parse.urldefrag: appends `text` without its fragment to `url` and the
 * fragment to `fragment`. -EINVAL where Python raises ValueError, -ENOMEM.
 */
int hf_url_defrag(const char *text, struct hf_buf *url,
		  struct hf_buf *fragment) HF_MUST_USE;
/* urlsplit(text).path.endswith("/"); -EINVAL, -ENOMEM. */
int hf_url_is_directory(const char *text, bool *ret) HF_MUST_USE;
/* `text` behind the characters that urlsplit strips from the left. */
const char *hf_url_lstrip(const char *text);
/* posixpath.normpath: appends. */
void hf_path_normalise(const char *path, struct hf_buf *ret);

/* --- origin.c ------------------------------------------------------------ */

/* What one pattern replaced: by where it read, and by where it wrote. */
struct hf_edit {
	size_t before;
	size_t before_len;
	size_t after;
	size_t after_len;
};

struct hf_edits {
	struct hf_edit *items;
	size_t n;
	size_t cap;
};

int hf_edits_add(struct hf_edits *edits,
		 const struct hf_edit *edit) HF_MUST_USE;
void hf_edits_fini(struct hf_edits *edits);
/*
 * Where `at`, in the text after these edits, was before them; the start of
 * what was replaced if `at` is in its replacement.
 */
size_t hf_edits_origin(const struct hf_edits *edits, size_t at);

/* A place in a text that only moves forward. Start with {0, 1, 1}. */
struct hf_place {
	size_t at;
	size_t line;
	size_t column;
};
void hf_place_advance(struct hf_place *place, const char *text, size_t at);

#endif
