/*
 * program: what the command lines of all programs over a view have in common.
 * Functions that return an exit status have said why if it is not 0.
 */
#ifndef HF_PROGRAM_H
#define HF_PROGRAM_H

#include "fs/view/view.h"

#define HF_EXIT_USAGE 2
#define HF_EXIT_ENVIRONMENT 3 /* it cannot work here */
#define HF_EXIT_INCOMPLETE 4

struct hf_program {
	struct hf_config view;
	/* The further words of -o where something is mounted; else {0}. What
	 * they are stored in is borrowed. */
	struct hf_option_set mount;
};

/* Also opens descriptors 0 to 2 where they are closed: else /dev/fuse could
 * become descriptor 1, and somebody's output requests. Negative errno. */
int hf_program_init(struct hf_program *program) HF_MUST_USE;
void hf_program_fini(struct hf_program *program);

/* Says `why` (stolen; NULL: what strerror(3) says) and returns `status`. */
int hf_program_refuse(int status, int error, char *why);
/* `code` is what getopt_long returned, ':' or '?', `word` where it was. */
int hf_program_refuse_option(int code, const char *word);
/* Prints to standard output; and sees that what was printed is there. */
int hf_program_print(struct hf_buf *text);
int hf_program_flush(void);
/* The help of all -o words. */
void hf_program_help(struct hf_program *program, struct hf_buf *ret);
/* Prints the versions of the program and of its libraries; NULL for one that
 * it is not linked with. */
int hf_program_version(const char *name, const char *fuse, const char *jansson);

/* hf_view_freeze, not to be interrupted; `progress` may be NULL. */
int hf_program_freeze(struct hf_view *view, bool partial,
		      struct hf_progress *progress);

/* One argument of -o, of --sources-from; SOURCES (NULL: not given, which is
 * right where a file gave some) with all that depends on the whole. */
int hf_program_add_option(struct hf_program *program, const char *text);
int hf_program_add_sources_from(struct hf_program *program, const char *file);
int hf_program_set_sources(struct hf_program *program, const char *sources);
/* Whether there are such sources, and such digests. The sources' directories
 * are absolute then. */
int hf_program_check(struct hf_program *program);

#endif
