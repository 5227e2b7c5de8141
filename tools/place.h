/*
 * place: a directory for a view to be in for a while, as a mount or as copies
 * of its files, for nobody else to use.
 */
#ifndef HF_PLACE_H
#define HF_PLACE_H

#include <sys/stat.h>

#include "fs/base/base.h"

struct hf_place {
	char *path; /* where the view goes; read by all */
	char *made; /* what is removed at the end; NULL: `path` stays */
	bool copies;
	bool claimed;       /* what is in it is ours, to be removed */
	struct stat before; /* of `path` if it stays */
};

/*
 * `at`: the directory that the user chose, or NULL. Else it is made: for a
 * mount in XDG_RUNTIME_DIR, which only its user can reach (not if `shared`),
 * TMPDIR or /tmp; for copies, which can be large, in TMPDIR or /var/tmp, and
 * nobody else can look into it (but if `shared`). Negative errno with *why = a
 * new sentence.
 */
int hf_place_make(const char *at, bool copies, bool shared,
		  struct hf_place *ret, char **why) HF_MUST_USE;
/* Whether the place is empty: only what comes there after this is removed at
 * the end. Negative errno with *why = a new sentence. */
int hf_place_claim(struct hf_place *place, char **why) HF_MUST_USE;
/* Makes everything as it was before, and says so if it cannot. The view is not
 * in use any more, and not mounted. May be called again. */
void hf_place_clear(const struct hf_place *place);
void hf_place_fini(struct hf_place *place);

#endif
