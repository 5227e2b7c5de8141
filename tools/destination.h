/*
 * destination: the directory that an export goes to. It may hold anything, and
 * anybody's links: nothing outside of it is ever reached, for every path is
 * opened beneath it (openat2(2)) and no link in it is followed.
 */
#ifndef HF_DESTINATION_H
#define HF_DESTINATION_H

#include <sys/stat.h>

#include "fs/base/base.h"
#include "fs/source/source.h"

/* Start with hf_destination_find. A *path* in it is relative, "" for the
 * top. */
struct hf_destination {
	char *path;  /* absolute, without links */
	char *shown; /* what to call it, escaped */
	int fd;      /* -1: it was not opened */
};

/*
 * Looks whether the directory `given` can be exported to; it need not be
 * there, but where it is to be made. `roots` are resolved. Negative errno with
 * *why = a new sentence (NULL if memory is out).
 */
int hf_destination_find(const char *given, const struct hf_root_specs *roots,
			struct hf_destination *ret, char **why) HF_MUST_USE;
/*
 * Opens it for reading: -ENOENT, without a sentence, if it is not there.
 * `to_write`: makes it, and nobody else can open it so at the same time.
 * Errors as hf_destination_find.
 */
int hf_destination_open(struct hf_destination *dest, bool to_write,
			char **why) HF_MUST_USE;
void hf_destination_close(struct hf_destination *dest);

/* Opens the directory `path`; *ret_fd is new. -ENOTDIR, or -ELOOP for a link:
 * something else is in its place; other errnos of openat2(2). */
int hf_destination_enter(const struct hf_destination *dest, const char *path,
			 int *ret_fd) HF_MUST_USE;
/* Makes the directory `path`, for nobody else to look at. Errnos of
 * mkdirat(2). */
int hf_destination_make_dir(const struct hf_destination *dest,
			    const char *path) HF_MUST_USE;

/* --- attributes ---------------------------------------------------------- */

/* Whether mode, time of change, or owner, where we may give that away, are not
 * as wanted. */
bool hf_attributes_differ(const struct stat *have, const struct stat *want);
/* Makes them so; owners as far as that is permitted. 1: something changed, 0:
 * nothing had to be; negative errno. */
int hf_attributes_mend(int fd, const struct stat *have,
		       const struct stat *want) HF_MUST_USE;

#endif
