/*
 * order: what is asked of hashedfs-run and of hashedfs-export alike: the frozen
 * view of some sources, and a manifest of it in the end.
 */
#ifndef HF_ORDER_H
#define HF_ORDER_H

#include "manifest/manifest.h"
#include "tools/freeze.h"
#include "tools/program.h"

/* Strings are borrowed. */
struct hf_order {
	const char *name; /* of the program that is asked */
	struct hf_program *program;
	struct hf_hint hint;
	struct hf_freezing freezing;
	const char *manifest;        /* the file for it; NULL: none */
	struct hf_document document; /* how it is written */
};

/* `undone` as in struct hf_freezing. `program` is borrowed; nothing moves. */
void hf_order_init(struct hf_order *order, const char *name,
		   struct hf_program *program, const char *undone);
void hf_order_fini(struct hf_order *order);

/* For getopt_long: options and letters whose codes are those of
 * hf_order_take. */
#define HF_ORDER_LETTERS "o:qv"
#define HF_ORDER_OPTIONS                                                       \
	{"sources-from", required_argument, NULL, 'S'},                        \
		{"manifest", required_argument, NULL, 'm'},                    \
		{"format", required_argument, NULL, 'F'},                      \
		{"url-prefix", required_argument, NULL, 'U'},                  \
		{"key-prefix", required_argument, NULL, 'K'},                  \
		{"integrity", required_argument, NULL, 'I'},                   \
		{"partial", no_argument, NULL, 'p'},                           \
		{"quiet", no_argument, NULL, 'q'},                             \
	{                                                                      \
		"verbose", no_argument, NULL, 'v'                              \
	}
/* Help on the document, behind that on --manifest. */
#define HF_ORDER_DOCUMENT_HELP                                                 \
	"    --format NAME         of the manifest, see below\n"               \
	"    --url-prefix URL      what stands before each hashed name in "    \
	"it\n"                                                                 \
	"    --key-prefix TEXT     what stands before each name in it\n"       \
	"    --integrity NAME      add integrity values: sha256, sha384, "     \
	"sha512\n"
#define HF_ORDER_QUIET_HELP                                                    \
	"    -q, --quiet           show no progress\n"                         \
	"    -v, --verbose         tell more\n"                                \
	"    -h, --help            print this\n"                               \
	"    -V, --version         print versions\n"

/* Takes an option if it is one of these. -1: go on; 0: it is none of these;
 * else an exit status: its value is wrong, which it has said. */
int hf_order_take(struct hf_order *order, int code,
		  const char *value) HF_MUST_USE;
/* SOURCES, which may be NULL where a file gave some. -1: go on; else an exit
 * status, and it has said why. */
int hf_order_take_sources(struct hf_order *order,
			  const char *sources) HF_MUST_USE;
/* Whether there are any yet. */
bool hf_order_has_sources(const struct hf_order *order);

#endif
