/*
 * relay: many texts of a graph at once, in the pool.
 *
 *   pile.c     the bytes of many files, read there
 *   relay.c    has them looked at there
 *   leaves.c   texts that can be named in any order
 */
#ifndef HF_VIEW_RELAY_H
#define HF_VIEW_RELAY_H

#include "fs/view/graph.h"

/* --- pile.c --------------------------------------------------------------- */

/* Bytes of many files. One thread, besides those of the pool. */
struct hf_pile;
int hf_pile_new(struct hf_view *view, struct hf_wait *asker,
		struct hf_pile **ret) HF_MUST_USE;
/* The bytes of an explored file, as hf_vertex_read has them. -ENOMEM. */
int hf_pile_add(struct hf_pile *pile,
		const struct hf_vertex *vertex) HF_MUST_USE;
/* Begins to read what was added; -ENOMEM: the pile can only be freed. */
int hf_pile_read(struct hf_pile *pile) HF_MUST_USE;
/* Until all is read; -EINTR: the asker was interrupted. */
int hf_pile_wait(struct hf_pile *pile) HF_MUST_USE;
/* Then: the bytes of what was added i-th, borrowed; or why there are none. */
int hf_pile_get(const struct hf_pile *pile, size_t i,
		const struct hf_buf **ret) HF_MUST_USE;
/* NULL is allowed. */
void hf_pile_free(struct hf_pile *pile);

/* --- relay.c --------------------------------------------------------------- */

/* So many texts are a share at most. */
#define HF_RELAY_FILES 32
/* Texts of a graph that are to be read and looked at. */
struct hf_relay {
	size_t n;
	/* Text i; borrowed. */
	const struct hf_vertex *(*vertex)(void *arg, size_t i);
	/* What the pool finds out about a share of them; new, NULL: no
	 * memory. */
	void *(*begin)(void *arg);
	/* In the pool, as several shares are at once: the bytes of text i, as
	 * hf_pile_get has them. A negative errno ends it all. */
	int (*look)(void *found, size_t i, int error, const struct hf_buf *raw);
	/* There, too: the share was looked at. NULL is allowed. */
	int (*end)(void *found);
	/* In the asker again: all n texts from `first` on were looked at. */
	int (*take)(void *arg, void *found, size_t first, size_t n);
	void (*free)(void *found); /* NULL is allowed */
	void *arg;
};
/* Until all is done. -EINTR: the asker was interrupted; -ENOMEM; errors of
 * `look`, `end` and `take`. */
int hf_relay_run(struct hf_view *view, struct hf_wait *asker,
		 const struct hf_relay *relay) HF_MUST_USE;

/* --- leaves.c -------------------------------------------------------------- */

/* Names texts of the graph from vertex number `first` on, as many as can be
 * named side by side; the others are named when they are asked for. Errors as
 * hf_relay_run, and of no file. */
int hf_graph_name_leaves(struct hf_graph *graph, size_t first,
			 struct hf_wait *wait) HF_MUST_USE;

#endif
