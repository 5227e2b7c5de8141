/*
 * hint: the command line that tells the user more, "hashedfs-manifest check
 * --source ...", for the same sources and view.
 */
#ifndef HF_HINT_H
#define HF_HINT_H

#include "fs/base/base.h"

/* Start with {0}. */
struct hf_hint {
	struct hf_buf words;
};

/* One argument of -o; only its words about the view are taken over. */
void hf_hint_add_option(struct hf_hint *hint, const char *text);
void hf_hint_add_sources_from(struct hf_hint *hint, const char *file);
void hf_hint_add_sources(struct hf_hint *hint, const char *sources);
/* Appends the whole command, quoted for a shell, in one line. */
void hf_hint_print(const struct hf_hint *hint, struct hf_buf *ret);
void hf_hint_fini(struct hf_hint *hint);

#endif
