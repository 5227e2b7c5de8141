/*
 * document: the options about the manifest, of programs that write one when
 * they are done.
 */
#ifndef HF_TOOLS_DOCUMENT_H
#define HF_TOOLS_DOCUMENT_H

#include "manifest/manifest.h"

/* For getopt_long; the codes are those of hf_document_take. */
#define HF_DOCUMENT_OPTIONS                                                    \
	{"format", required_argument, NULL, 'F'},                              \
		{"url-prefix", required_argument, NULL, 'U'},                  \
		{"key-prefix", required_argument, NULL, 'K'},                  \
	{                                                                      \
		"integrity", required_argument, NULL, 'I'                      \
	}
#define HF_DOCUMENT_HELP                                                       \
	"    --format NAME         of the manifest, see below\n"               \
	"    --url-prefix URL      what stands before each hashed name in "    \
	"it\n"                                                                 \
	"    --key-prefix TEXT     what stands before each name in it\n"       \
	"    --integrity NAME      add integrity values: sha256, sha384, "     \
	"sha512\n"

/* Takes an option if it is one of these. -1: go on; `status`: its value is
 * wrong, which it has said; 0: it is none of these. */
int hf_document_take(struct hf_document *document, int code, const char *value,
		     int status) HF_MUST_USE;

#endif
