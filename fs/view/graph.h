/*
 * graph: texts, what they refer to, and how they are named.
 *
 *   links.c      what a text refers to
 *   texts.c      what is remembered of it
 *   graph.c      files and the files that they refer to
 *   component.c  texts in the order of naming: leaves first
 *   members.c    what a text is named, or a circle of texts together
 *   edge.c       which file a link leads to
 *   collected.c  which directories count
 *   writing.c    one text, rewritten
 *   rewritten.c  what was written, for who opens it next
 *   integrity.c  what browsers check the bytes of a name by
 */
#ifndef HF_VIEW_GRAPH_H
#define HF_VIEW_GRAPH_H

#include "fs/view/internal.h"

/* --- texts.c ------------------------------------------------------------- */

/* What one text refers to. Start with {0}. */
struct hf_links {
	/* hf_link_of what hf_refs_rewrite asks for; what it asked for when the
	 * targets had other names may be among them. */
	struct hf_strings paths;
	bool verbatim; /* rewriting changes nothing */
	bool not_utf8;
	bool too_large;
};
void hf_links_fini(struct hf_links *links);

/* What is remembered of texts, each under its path. Any thread. */
struct hf_texts;
/* The view's config, source and cache are borrowed. */
int hf_texts_new(const struct hf_view *view, struct hf_texts **ret) HF_MUST_USE;
void hf_texts_free(struct hf_texts *texts);
/* The key of the texts in `dir`, as hf_digests_dir has that of files. */
void hf_texts_dir(const struct hf_texts *texts, const char *dir,
		  uint64_t ret[2]);
/* True if the links of the bytes with that digest are known: *ret is new. */
bool hf_texts_links(struct hf_texts *texts, const char *path,
		    const struct hf_digest *digest, struct hf_links *ret);
/* True if those bytes are known to refer to nothing: they are shown as they
 * are. So it is with most texts. */
bool hf_texts_verbatim(struct hf_texts *texts, const char *path,
		       const struct hf_digest *digest);
void hf_texts_put_links(struct hf_texts *texts, const char *path,
			const struct hf_digest *digest,
			const struct hf_links *links);
/* 128 bits for all that a name depends on. */
void hf_texts_key(const struct hf_texts *texts, const struct hf_buf *text,
		  uint64_t ret[2]);
/* What the text was named last, if that depended on the same; key NULL: in
 * any case. */
bool hf_texts_name(struct hf_texts *texts, const char *path,
		   const uint64_t key[2], struct hf_named *ret);
void hf_texts_put_name(struct hf_texts *texts, const char *path,
		       const uint64_t key[2], const struct hf_named *named);

/* --- links.c ------------------------------------------------------------- */

/* Before the path of a link whose target's name does not go into the text; a
 * normalised path never begins so. */
#define HF_LINK_UNSHOWN "./"
/* Appends the link that such a question of hf_refs_rewrite is. */
void hf_link_of(const char *path, bool shown, struct hf_buf *ret);
/* Texts above this size are shown as they are: rewriting one takes several
 * times its size in memory. */
#define HF_TEXT_MAX (UINT64_C(32) * 1024 * 1024)
/* True if a text of that size is read for what it refers to. */
bool hf_text_fits(uint64_t size);
/* -ENOMEM. */
int hf_links_find(const struct hf_view *view, const char *path,
		  const char *data, size_t len,
		  struct hf_links *ret) HF_MUST_USE;
/* A hf_inspector's functions, which remember what they find; arg is the
 * view. */
bool hf_links_wanted(void *arg, const char *path, uint64_t size);
bool hf_links_inspect(void *arg, const char *path,
		      const struct hf_digest *digest, const char *data,
		      size_t len);

/* --- graph.c, component.c ------------------------------------------------ */

enum hf_vertex_type {
	HF_VERTEX_ABSENT,
	HF_VERTEX_DIR,
	HF_VERTEX_STAY, /* keeps its name: references to it stay as written */
	HF_VERTEX_FILE, /* named by its bytes */
	HF_VERTEX_TEXT, /* named by its rewritten bytes */
};

struct hf_edge {
	const char *link;     /* borrowed from the links */
	const char *path;     /* that it leads to, in the link */
	struct hf_vertex *to; /* NULL: no file can have that path */
	bool decoded;         /* found only when taken for a URL */
	bool shown; /* the target's name goes into the text: it comes first */
	bool asked; /* for, by the writing at hand */
	bool reported; /* all that was looked at for it is */
};

/* One file of a graph. */
struct hf_vertex {
	char *path;
	enum hf_vertex_type type;
	unsigned root;
	struct hf_sig sig;
	int error;     /* of reading it */
	bool known;    /* raw was told, not asked for */
	bool settled;  /* asked for: that of sig, and sig was quiet */
	bool reported; /* changes are; once named, also those of all that it
			  refers to */
	struct hf_fact raw;
	struct hf_verified *bytes; /* of raw, until it is named; or NULL */
	struct hf_links links;
	struct hf_edge *edges; /* sorted by link */
	size_t n_edges;
	bool done; /* named */
	struct hf_named named;
	/* component.c's: */
	size_t number; /* from 1, in the order of visiting; 0: not visited */
	size_t low;
	size_t next_edge;
	size_t component;
	bool open;
};

/* The files that one question reaches. One thread. */
struct hf_graph {
	struct hf_view *view;
	bool watching; /* set by who wants to know what is reported */
	uint32_t mark; /* set by who expects that texts are opened soon: that
			  of before the first look; else 0 */
	struct hf_map *by_path;
	struct hf_vertex **vertices; /* owned, in the order of finding */
	size_t n;
	size_t cap;
	size_t explored;
	size_t numbered;
	struct hf_vertex **stack;
	size_t stack_n;
	bool changed; /* edges, since it was explored */
	bool failed;  /* in the middle: the next question starts anew */
};

int hf_graph_new(struct hf_view *view, struct hf_graph **ret) HF_MUST_USE;
void hf_graph_free(struct hf_graph *graph);
/* Tells the graph of a text whose digest the asker has: it is not asked for
 * again. `bytes` (stolen, also on error) are those of that digest, or NULL. */
int hf_graph_know(struct hf_graph *graph, const char *path,
		  const struct hf_source_entry *entry,
		  const struct hf_fact *fact,
		  struct hf_verified *bytes) HF_MUST_USE;
/* What the view makes of a source entry, as far as references are concerned. */
enum hf_vertex_type hf_vertex_type_of(const struct hf_view *view,
				      const char *path,
				      const struct hf_source_entry *entry);
/* Finds a file and everything that it refers to. */
int hf_graph_explore(struct hf_graph *graph, const char *path,
		     struct hf_wait *wait, struct hf_vertex **ret) HF_MUST_USE;
/* The same for all that the graph was told of. */
int hf_graph_explore_all(struct hf_graph *graph,
			 struct hf_wait *wait) HF_MUST_USE;
/* The vertex of a path, made and looked at if it is new, but not explored;
 * borrowed. */
int hf_graph_enter(struct hf_graph *graph, const char *path,
		   struct hf_vertex **ret) HF_MUST_USE;
/* All of them; `ret` is empty before. */
int hf_bytes_read(struct hf_verified *bytes, struct hf_buf *ret) HF_MUST_USE;
/* Appends the bytes of a file that have that digest, verified. `wait` NULL as
 * hf_digests_open. */
int hf_view_read(struct hf_view *view, unsigned root, const char *path,
		 const struct hf_digest *digest, struct hf_wait *wait,
		 struct hf_buf *ret) HF_MUST_USE;
/* The same of an explored text. */
int hf_vertex_read(struct hf_graph *graph, const struct hf_vertex *vertex,
		   struct hf_wait *wait, struct hf_buf *ret) HF_MUST_USE;

/*
 * What the text `path` is named. Errors are those of reading it, or of our
 * own (hf_error_passing); what it refers to is never an error.
 */
int hf_graph_name(struct hf_graph *graph, const char *path,
		  struct hf_wait *wait, struct hf_named *ret) HF_MUST_USE;

/*
 * Appends the rewritten text, and gives its digest. *verbatim: it is shown as
 * it is, and nothing was appended.
 */
int hf_graph_text(struct hf_graph *graph, const char *path,
		  struct hf_wait *wait, bool *verbatim, struct hf_buf *ret,
		  struct hf_digest *digest) HF_MUST_USE;

/* The text `path`, named; *ret is borrowed from the graph. Errors as
 * hf_graph_name, but one of reading it is in the vertex. */
int hf_graph_vertex(struct hf_graph *graph, const char *path,
		    struct hf_wait *wait, struct hf_vertex **ret) HF_MUST_USE;
/* The text `path` if it was named already, or NULL. Reads the graph only. */
const struct hf_vertex *hf_graph_find(const struct hf_graph *graph,
				      const char *path);

/* A text that is named outside of all that, as a component of its own: what it
 * refers to is. */
void hf_vertex_finish(struct hf_graph *graph, struct hf_vertex *vertex);

/* --- collected.c ----------------------------------------------------------- */

/* Whether collectstatic makes the directory `dir`, which is there: it has a
 * file below it. `reported` is cleared if a change of that may not be told. */
int hf_view_is_collected(struct hf_graph *graph, const char *dir,
			 bool *reported, bool *ret) HF_MUST_USE;

/* --- edge.c --------------------------------------------------------------- */

/* Adds an edge for each of links[0, n), which the vertex borrows. What they
 * lead to is not explored. */
int hf_vertex_add_links(struct hf_graph *graph, struct hf_vertex *vertex,
			char *const *links, size_t n) HF_MUST_USE;
/* The same for links that a text turned out to have; they are copied. */
int hf_graph_grow(struct hf_graph *graph, struct hf_vertex *vertex,
		  const struct hf_strings *late) HF_MUST_USE;
/* The edge of a link, or NULL. */
struct hf_edge *hf_vertex_edge(const struct hf_vertex *vertex,
			       const char *link);

/* --- members.c ------------------------------------------------------------ */

/*
 * Names the n members of a component; all that they refer to outside of it is
 * named. -EAGAIN: graph->changed, and what is not named is to be visited
 * again. Else errors as hf_graph_name.
 */
int hf_members_name(struct hf_graph *graph, struct hf_vertex **members,
		    size_t n, struct hf_wait *wait) HF_MUST_USE;
/* What the name of a text depends on whose targets are all named, as
 * hf_texts_key has it. */
int hf_vertex_key(struct hf_graph *graph, struct hf_vertex *vertex,
		  uint64_t ret[2]) HF_MUST_USE;
/* A file that is shown as it is. */
void hf_vertex_name_verbatim(struct hf_vertex *vertex);

/* --- writing.c ------------------------------------------------------------ */

/* References that lead nowhere are told to `missing`, in the order of the
 * patterns that find them. */
struct hf_report {
	void *arg;
	void (*missing)(void *arg, enum hf_target target,
			const struct hf_ref *ref);
};

/* One rewriting of a text whose targets are named. */
struct hf_writing {
	struct hf_graph *graph;
	struct hf_vertex *vertex;
	bool inside_stays; /* references inside the component stay */
	const struct hf_report *report; /* or NULL */
	struct hf_strings *late;        /* links without an edge; or NULL */
};

/* Where a reference leads: the question that hf_refs_rewrite asks; arg is the
 * writing. */
int hf_writing_resolve(void *arg, const char *path, bool shown,
		       enum hf_target *target, struct hf_buf *ret) HF_MUST_USE;
/*
 * Rewrites the bytes `raw` of a text whose targets are named, and appends what
 * comes of them. Links without an edge stay as they are written, and are added
 * to `late` unless that is NULL. Reads the graph only, so any thread may.
 */
int hf_writing_aside(struct hf_graph *graph, const struct hf_vertex *vertex,
		     const struct hf_buf *raw, struct hf_strings *late,
		     struct hf_buf *ret) HF_MUST_USE;
/*
 * A text written again whose links are all known: appends it, and gives its
 * digest. *verbatim: it is shown as it is, and nothing was appended. Reads the
 * graph only, so any thread may.
 */
int hf_writing_again(struct hf_graph *graph, const struct hf_vertex *vertex,
		     struct hf_wait *wait, bool *verbatim, struct hf_buf *ret,
		     struct hf_digest *digest) HF_MUST_USE;
/*
 * Reads and rewrites: appends the text and gives its digest. -EAGAIN: the text
 * has links that were not explored, and the graph has grown by them.
 */
int hf_writing_write(const struct hf_writing *writing, struct hf_wait *wait,
		     struct hf_buf *ret, struct hf_digest *digest) HF_MUST_USE;
/* What was written for a name, and has that digest, may be asked for again:
 * perhaps steals it. */
void hf_writing_keep(const struct hf_graph *graph, const char *path,
		     const struct hf_digest *digest, struct hf_buf *text);
/* `raw` is what hf_vertex_read says of the text. */
int hf_writing_report(struct hf_graph *graph, struct hf_vertex *vertex,
		      const struct hf_buf *raw,
		      const struct hf_report *report) HF_MUST_USE;

/* --- rewritten.c ---------------------------------------------------------- */

/* Rewritten texts, as many as there is room for, until nobody has opened them
 * for HF_REPORTS_MS. Any thread. NULL, here and below: none are held. */
struct hf_rewritten;
/* `seed` as hf_map_new; of `max` bytes. */
int hf_rewritten_new(const uint64_t seed[2], uint64_t max,
		     struct hf_rewritten **ret) HF_MUST_USE;
void hf_rewritten_free(struct hf_rewritten *rewritten);
/*
 * The text at `path` was put together, and has that digest. `mark` is
 * hf_view_mark before anything was looked at for it; 0: it is not held.
 * Returns a new reference to its bytes, and steals them; NULL: it is not held,
 * be it for want of room.
 */
struct hf_verified *hf_rewritten_put(struct hf_rewritten *rewritten,
				     const char *path,
				     const struct hf_digest *digest,
				     uint32_t mark, struct hf_buf *text);
/*
 * A new reference to the bytes of the text at `path` if they have that digest
 * and were put there under that mark, or NULL. For who knows that changes of
 * all that the text depends on are reported: it is the same now.
 */
struct hf_verified *hf_rewritten_get(struct hf_rewritten *rewritten,
				     const char *path,
				     const struct hf_digest *digest,
				     uint32_t mark);
/* Lets go of what nobody opened in time; *gone is set if there was any. To be
 * called every second as long as it says that there is something left. now_ns:
 * by hf_clock_monotonic. */
bool hf_rewritten_rest(struct hf_rewritten *rewritten, int64_t now_ns,
		       bool *gone);
/* That are held, or open. */
uint64_t hf_rewritten_bytes(const struct hf_rewritten *rewritten);

/* --- integrity.c ---------------------------------------------------------- */

/* Digests of what is read under a name by the algorithms that browsers know,
 * each remembered under its path with the content digest of the same bytes.
 * Any thread. */
struct hf_integrities;
/* The view's config, source and cache are borrowed. */
int hf_integrities_new(const struct hf_view *view,
		       struct hf_integrities **ret) HF_MUST_USE;
void hf_integrities_free(struct hf_integrities *integrities);
/* A hf_inspector's function; arg is the view. */
void hf_integrity_second(void *arg, const char *path,
			 const struct hf_digest *digest,
			 const struct hf_digest *second);
/* A text was written that has this digest: its integrity is worked out while
 * it is at hand, if the config wants any. */
void hf_integrity_written(struct hf_view *view, const char *path,
			  const struct hf_digest *digest,
			  const struct hf_buf *text);
struct hf_walk;
struct hf_stop;
/*
 * The integrity of what is read under entry i of a stop, which has no error
 * and stands at `path` in the sources. Known, or read for it. -ESTALE: it is
 * no longer what was named; errors of opening and reading.
 */
int hf_integrity_find(struct hf_walk *walk, const struct hf_stop *stop,
		      size_t i, const char *path,
		      const struct hf_algorithm *algorithm,
		      struct hf_wait *wait, struct hf_digest *ret) HF_MUST_USE;

#endif
