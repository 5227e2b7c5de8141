/*
 * refs: references in text. Bytes in, text out; no I/O, no locks, no state.
 *
 * A style sheet or script is rewritten as HashedFilesMixin.post_process does
 * it (django/contrib/staticfiles/storage.py): pattern after pattern, each
 * reading what the one before wrote. Where a reference leads is asked of the
 * caller, who knows the files.
 *
 * This door also holds the URL functions of Python that Django's naming rests
 * on (urllib.parse.urlsplit, urlunsplit, unquote; str.strip). They are ported
 * literally, because names must be equal byte for byte. Text is UTF-8; bytes
 * that are not UTF-8 stand for themselves, as Python's surrogateescape has it.
 */
#ifndef HF_REFS_H
#define HF_REFS_H

#include "fs/base/base.h"

/*
 * The five parts of a URL as urllib.parse.urlsplit(text) gives them (Python
 * 3.11.4 and later). All parts are NUL-terminated and point into `store`, or
 * are "". The scheme is in lower case.
 */
struct hf_url {
	const char *scheme;
	const char *netloc;
	const char *path;
	const char *query;
	const char *fragment;
	struct hf_buf store;
};

/*
 * Splits `text` (NUL-terminated). -EINVAL where Python raises ValueError (a
 * bracket without its partner in the netloc), -ENOMEM. On success the caller
 * ends it with hf_url_fini.
 */
int hf_url_split(const char *text, struct hf_url *ret) HF_MUST_USE;
void hf_url_fini(struct hf_url *url);
/* urllib.parse.urlunsplit: appends the URL put together again. */
void hf_url_unsplit(const struct hf_url *url, struct hf_buf *ret);
/*
 * urllib.parse.unquote(text): appends `text` with %XX decoded, each maximal
 * run of ASCII characters on its own, as UTF-8 with U+FFFD for every maximal
 * subpart that is not UTF-8 (WHATWG). Bad escapes stay.
 */
void hf_url_unquote(const char *text, size_t len, struct hf_buf *ret);
/* True for the 29 characters that str.strip() and \s take as white space. */
bool hf_is_space(uint32_t code_point);
/* str.strip(): narrows *text and *len to what stands between white space. */
void hf_strip(const char **text, size_t *len);
/* posixpath.normpath(path): appends. */
void hf_path_normalise(const char *path, struct hf_buf *ret);

/* --- rewriting ------------------------------------------------------------ */

/* Whose rules: the default patterns of a Django version. */
enum hf_refs_profile {
	HF_REFS_NONE,
	HF_REFS_DJANGO_4_2,
	HF_REFS_DJANGO_5_2,
	HF_REFS_DJANGO_6_0,
	HF_REFS_DJANGO_6_1,
};

struct hf_refs_config {
	enum hf_refs_profile profile;
	const char *static_url; /* STATIC_URL, begins with "/", http(s):// */
	bool js_modules;        /* 6.1's support_js_module_import_aggregation */
};

/* "django-6.1" and so on, "none"; -EINVAL. */
int hf_refs_profile_parse(const char *text,
			  enum hf_refs_profile *ret) HF_MUST_USE;

/* True for files that are rewritten: *.css, *.js, as fnmatchcase has it. */
bool hf_refs_applies(const struct hf_refs_config *config, const char *path);

/* What a reference leads to. */
enum hf_target {
	HF_TARGET_NAME,    /* a file: `ret` holds its hashed path */
	HF_TARGET_SAME,    /* a directory, or a file that keeps its name: the
			      path goes in as it is */
	HF_TARGET_MISSING, /* nothing is there: stays as written, reported */
	HF_TARGET_OUTSIDE, /* leaves the static root: stays, reported */
	HF_TARGET_STAY,    /* stays as written, unreported (not known yet, or
			      inside a cycle) */
};

/*
 * One reference, for a report; valid during the call. Line and column are
 * those of the URL in the original text. If an earlier pattern wrote the text
 * around it, they are those of the place that pattern replaced.
 */
struct hf_ref {
	const char *url; /* as captured, url_len bytes */
	size_t url_len;
	size_t line;      /* from 1 */
	size_t column;    /* from 1, in characters */
	const char *path; /* what was looked for, NUL-terminated; may be "" */
};

struct hf_refs_caller {
	void *arg;
	/*
	 * Where `path` leads: joined to the file's directory, unquoted and
	 * normalised (posixpath.normpath), with its query if it has one. It
	 * begins with "/" or "../" if it leaves the root; controls or white
	 * space at its ends, a backslash or %XX in it are as they were found,
	 * and U+0000 stands as the bytes c0 80. For HF_TARGET_NAME the hashed
	 * path (or any path with the right last component) is appended to
	 * `ret`, with the query. `shown` is false where nothing of the name
	 * goes into the text, only whether it has one: behind a fragment with
	 * a slash in it. A negative errno ends the rewriting.
	 */
	int (*resolve)(void *arg, const char *path, bool shown,
		       enum hf_target *target, struct hf_buf *ret);
	/* A reference that was MISSING or OUTSIDE; NULL: not wanted. */
	void (*report)(void *arg, enum hf_target target,
		       const struct hf_ref *ref);
};

/*
 * Appends the rewritten text of the file `path` to `ret`. Text without a
 * reference comes out as it went in. -EILSEQ: `text` is not UTF-8 (Django
 * fails on it); an errno of resolve; -ENOMEM. Time and memory are linear in
 * len plus what resolve appends, whatever the text.
 */
int hf_refs_rewrite(const struct hf_refs_config *config, const char *path,
		    const char *text, size_t len,
		    const struct hf_refs_caller *caller,
		    struct hf_buf *ret) HF_MUST_USE;

/*
 * The same for who has only to be asked, which spares the copy: *same is true
 * if the text would come out as it went in.
 */
int hf_refs_search(const struct hf_refs_config *config, const char *path,
		   const char *text, size_t len,
		   const struct hf_refs_caller *caller, bool *same) HF_MUST_USE;

/* --- plain references ----------------------------------------------------- */

/* What names a file by its plain name, rewritten or not. */
enum hf_plain_form {
	HF_PLAIN_MODULE, /* import, export from, import() */
	HF_PLAIN_URL,    /* new URL(.., import.meta.url), new Worker(), a
			    string in image-set() */
};

/* `ref` is valid during the call; its path can be that of a file. */
typedef void hf_plain_found(void *arg, enum hf_plain_form form,
			    const struct hf_ref *ref);

/* True for files that can hold such references: *.css, *.js, *.mjs. */
bool hf_plain_applies(const char *path);
/*
 * Tells every reference in the text of the file `path` that Django's default
 * patterns do not know, in their order. URLs that lead out of the tree, and
 * module names that are no URLs, are none. Time is linear in len, whatever the
 * text, which need not be UTF-8. -ENOMEM.
 */
int hf_plain_find(const struct hf_refs_config *config, const char *path,
		  const char *text, size_t len, hf_plain_found *found,
		  void *arg) HF_MUST_USE;

#endif
