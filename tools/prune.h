/*
 * prune: what an earlier manifest names and the view does not show any more.
 * A manifest may say anything; what a name is worth is decided here.
 */
#ifndef HF_PRUNE_H
#define HF_PRUNE_H

#include "fs/view/view.h"
#include "manifest/manifest.h"

/*
 * Appends the names of the manifest `file`, a document of that kind, that may
 * be removed: hashed names of the files that it gives them to, as the view's
 * template makes them, which the frozen view does not show. The name of a file
 * that keeps its own is never one. Negative errno with *why = a new sentence.
 */
int hf_prune_list(struct hf_view *view, const char *file,
		  const struct hf_document *document, struct hf_strings *ret,
		  char **why) HF_MUST_USE;

#endif
