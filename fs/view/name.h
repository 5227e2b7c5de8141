/*
 * name: the hashed name of a path. Pure text.
 *
 * hf_name_forward is the only truth about names. With the template "%n.%h%e"
 * it is Django's HashedFilesMixin.hashed_name (django/contrib/staticfiles/
 * storage.py): unquote, urlsplit, strip, splitext, insert the hash, unsplit.
 */
#ifndef HF_VIEW_NAME_H
#define HF_VIEW_NAME_H

#include "fs/base/base.h"

/*
 * A template: literal text with one %n (the base name without its extension),
 * one %h (the hash) and %e (the extension with its dot, or nothing) at the
 * end; %% is a percent sign. No "/", no "\", no NUL, no control characters.
 */
struct hf_name_template {
	char *text;
	unsigned hash_len; /* hex digits of %h */
};

/*
 * Checks `text` and the hash length (1 to 128) and copies. -EINVAL with
 * *why = a borrowed constant sentence part ("needs one %h", ...), -ENOMEM.
 */
int hf_name_template_init(struct hf_name_template *template, const char *text,
			  unsigned hash_len, const char **why) HF_MUST_USE;
void hf_name_template_fini(struct hf_name_template *template);

/* A base name as os.path.splitext cuts it. Borrowed. */
struct hf_stem {
	const char *root;
	size_t root_len;
	const char *ext;
	size_t ext_len;
};
struct hf_stem hf_stem_of(const char *base, size_t len);
/* Appends what the template makes of it: all to `before`, with the hash of
 * `hex`, or, where that is NULL, what stands behind the hash to `after`. */
void hf_name_template_join(const struct hf_name_template *template,
			   const struct hf_stem *stem, const char *hex,
			   struct hf_buf *before, struct hf_buf *after);
/* How much longer than the base name itself that is. */
size_t hf_name_template_added(const struct hf_name_template *template);

/*
 * The presented *base name* of the file at `path` (no leading slash), whose
 * hash is the first hash_len characters of `hex`. Appends to `ret`.
 *
 * The directory part of a path is never changed by a name: where Django's
 * result would lie in another directory, or its manifest would point to a
 * name that it did not write (a backslash, TAB, CR or
 * LF, an escaped slash, a URL scheme with a host), or the base
 * name would be empty or longer than NAME_MAX, or the presented path would
 * reach PATH_MAX, there is no hashed name:
 *   -EINVAL        the name would be mangled into another place
 *   -ENAMETOOLONG  too long
 *   -ENOMEM
 */
int hf_name_forward(const struct hf_name_template *template, const char *path,
		    const char *hex, struct hf_buf *ret) HF_MUST_USE;

/* Whether there is such a name: 0, or why not. */
int hf_name_check(const struct hf_name_template *template,
		  const char *path) HF_MUST_USE;

/*
 * The same with a hole: appends the text before the hash to `before` and the
 * text after it to `after`. A presented name is before + hash + after.
 */
int hf_name_shape(const struct hf_name_template *template, const char *path,
		  struct hf_buf *before, struct hf_buf *after) HF_MUST_USE;

/*
 * hashed_name() of a path that a reference led to and that is no file's name
 * as it stands: `link` is taken for a URL, and the hash goes into its path,
 * with query and fragment behind. -EINVAL: it is no URL. -ENOMEM.
 */
int hf_name_insert(const struct hf_name_template *template, const char *link,
		   const char *hex, struct hf_buf *ret) HF_MUST_USE;
/*
 * Whether the hash stands in the last component of that. Only this component
 * goes into a text (HashedFilesMixin.url_converter), where a backslash is a
 * slash (FileSystemStorage.url). Errors as hf_name_insert.
 */
int hf_name_shows_hash(const struct hf_name_template *template,
		       const char *link, bool *ret) HF_MUST_USE;

#endif
