/*
 * internal: what the files of this room share.
 *
 *   rewrite   pattern after pattern over one text
 *   css, js, modules   where a pattern matches
 *   ignored   comments and strings, where 6.1 rewrites nothing
 *   convert, target   one reference: captured text -> new text
 *   fragment, path, url, unquote, strip   Python's functions on URLs and paths
 *   nul       U+0000 in C strings
 *   origin    from rewritten text back to the original
 *   plain     references that nothing rewrites; imports, images find them,
 *             plainurl tells of them
 *   script    tokens of JavaScript
 *
 * Offsets count bytes. All text here is valid UTF-8 and every delimiter is
 * ASCII, so bytes and Python's characters are cut at the same places.
 */
#ifndef HF_REFS_INTERNAL_H
#define HF_REFS_INTERNAL_H

#include <string.h>

#include "fs/refs/refs.h"

/* --- many bytes at once --------------------------------------------------- */

/* Bytes that are compared side by side, in one instruction where the processor
 * has one. What a comparison finds is ff, all else 0. */
typedef unsigned char hf_bytes __attribute__((vector_size(16)));

static inline hf_bytes hf_bytes_at(const char *text)
{
	hf_bytes bytes;

	memcpy(&bytes, text, sizeof(bytes));
	return bytes;
}

/* True if one of them is not 0. */
static inline bool hf_bytes_any(hf_bytes bytes)
{
	uint64_t halves[2];

	memcpy(halves, &bytes, sizeof(halves));
	return (halves[0] | halves[1]) != 0;
}

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
/* The same for "import": IGNORECASE folds U+0130 and U+0131 to "i". */
size_t hf_scan_import(const struct hf_scan *scan, size_t at);
/*
 * The first place at or after `from` of the two ASCII letters `pair` (lower
 * case) in any case, or len.
 */
size_t hf_scan_pair(const struct hf_scan *scan, size_t from, const char *pair);
/* The first place at or after `from` of what hf_scan_import finds, or len. */
size_t hf_scan_next_import(const struct hf_scan *scan, size_t from);

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
	size_t last_end; /* no region of several lines ends behind it; 0: not
			    known */
};

/* Whether `at` is inside a region; never less than in the call before. */
bool hf_ignored_at(struct hf_ignored *ignored, size_t at);

/* --- convert.c, target.c ------------------------------------------------- */

enum hf_outcome {
	HF_OUTCOME_KEPT,       /* Django leaves it alone */
	HF_OUTCOME_AS_WRITTEN, /* it leads nowhere, or is not known yet */
	HF_OUTCOME_NEW,        /* the new text is in `text` */
};

/*
 * The conversion of one reference after another in one file. All but `text`
 * are C strings in which U+0000 hides; `asked` is one from the start, the
 * others when they are made.
 */
struct hf_convert {
	const struct hf_refs_config *config;
	const char *path; /* of the file that refers */
	const struct hf_refs_caller *caller;
	struct hf_buf url;      /* as captured */
	struct hf_buf url_path; /* url without its fragment */
	struct hf_buf fragment;
	struct hf_buf target; /* url_path from the static root, unquoted */
	struct hf_buf file;   /* target without its fragment */
	struct hf_buf inner;  /* the fragment of the target */
	struct hf_buf normal; /* file, normalised */
	struct hf_buf asked;  /* as resolve was asked; "" if it was not */
	struct hf_buf hashed; /* what resolve answered */
	struct hf_buf last;   /* its last component, with the fragment */
	struct hf_buf quoted; /* the new text before the last unquote */
	struct hf_buf text;   /* the result, bytes */
	enum hf_target answer;
};

/*
 * Beside 0 and a negative errno: Django raises an exception here, so the
 * reference leads nowhere.
 */
#define HF_RAISES 1

/* A negative errno: of resolve, or -ENOMEM. */
int hf_convert_url(struct hf_convert *convert, const char *url, size_t len,
		   enum hf_outcome *ret) HF_MUST_USE;
void hf_convert_fini(struct hf_convert *convert);

/* Makes url_path and fragment of url. HF_RAISES. */
int hf_target_split(struct hf_convert *convert) HF_MUST_USE;
/* Makes target to hashed of url_path, and `answer`. HF_RAISES. */
int hf_target_find(struct hf_convert *convert) HF_MUST_USE;

/* --- nul.c --------------------------------------------------------------- */

/*
 * U+0000 inside a C string. Whoever is asked for a file of such a name finds
 * none, as in Python: these bytes are not UTF-8.
 */
#define HF_NUL "\xc0\x80"

/* text[0, len) -> a string */
void hf_nul_hide(const char *text, size_t len, struct hf_buf *ret);
/* a string -> bytes */
void hf_nul_show(const char *text, struct hf_buf *ret);
/* hf_url_unquote from string to string */
void hf_nul_unquote(const char *text, struct hf_buf *ret);
/* `text` behind what urlsplit strips from the left: controls and blanks. */
const char *hf_nul_lstrip(const char *text);
/* True for a string made of valid text. */
bool hf_nul_is_utf8(const char *text);

/* --- fragment.c, path.c -------------------------------------------------- */

/* Empties `buf` and makes it a string, "", if memory is there. */
void hf_buf_clear(struct hf_buf *buf);
bool hf_starts_with(const char *text, const char *start);

/*
 * urllib.parse.urldefrag: appends `text` without its fragment to `url` and the
 * fragment to `fragment`. -EINVAL where Python raises ValueError, -ENOMEM.
 */
int hf_url_defrag(const char *text, struct hf_buf *url,
		  struct hf_buf *fragment) HF_MUST_USE;
/* urlsplit(text).path.endswith("/"); -EINVAL, -ENOMEM. */
int hf_url_is_directory(const char *text, bool *ret) HF_MUST_USE;

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

/* --- script.c: tokens of JavaScript --------------------------------------- */

enum hf_token_type {
	HF_TOKEN_WORD,
	HF_TOKEN_PROPERTY, /* a word behind a dot */
	HF_TOKEN_STRING,   /* without its quotes; or a template without holes */
	HF_TOKEN_SIGN,
	HF_TOKEN_OTHER, /* a regular expression, a template with holes */
};

/* text[at, at + len) */
struct hf_token {
	enum hf_token_type type;
	size_t at;
	size_t len;
};

/* Start with text and len set and the rest {0}; end it with hf_buf_fini of
 * `open`, which also knows if memory ran out. */
struct hf_script {
	const char *text; /* borrowed */
	size_t len;
	size_t at;
	struct hf_buf open; /* brackets */
	size_t braces;      /* how many of them "}" can close */
	bool value;         /* the last token ends one: "/" divides it */
	bool after_dot;
	bool before_condition; /* behind if, for, while, with */
	size_t seen[3];        /* up to there no such quote ends */
};

/* The next token; false at the end of the text. */
bool hf_script_next(struct hf_script *script, struct hf_token *ret);
/* True if text[0, len) is `word`. Asked of every token; most differ in the
 * first byte. */
static inline bool hf_text_is(const char *text, size_t len, const char *word)
{
	size_t i = 0;

	while (i < len && word[i] && text[i] == word[i])
		i++;
	return i == len && !word[i];
}

/* --- plain.c, imports.c, images.c, plainurl.c ----------------------------- */

/* One search for plain references. */
struct hf_plain {
	const struct hf_refs_config *config;
	const char *path;
	const char *text; /* borrowed */
	size_t len;
	hf_plain_found *found;
	void *arg;
	struct hf_place place;
	struct hf_buf url;
	struct hf_buf joined;
	struct hf_buf target;
};

/* -ENOMEM. */
int hf_plain_scan_script(struct hf_plain *plain) HF_MUST_USE;
/* The same, token by token, even where no word stands for a reference. */
int hf_plain_scan_tokens(struct hf_plain *plain) HF_MUST_USE;
int hf_plain_scan_sheet(struct hf_plain *plain) HF_MUST_USE;
/* Tells of the URL at text[at, at + len), if it can be that of a file. Never
 * before the one of the last call. -ENOMEM. */
int hf_plain_tell(struct hf_plain *plain, enum hf_plain_form form, size_t at,
		  size_t len) HF_MUST_USE;

#endif
