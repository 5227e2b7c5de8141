/*
 * mounting: what the command lines of the programs that mount have in common,
 * beyond those of all programs. Functions that return an exit status have said
 * why if it is not 0.
 */
#ifndef HF_MOUNTING_H
#define HF_MOUNTING_H

#include "fs/fuse/fuse.h"
#include "tools/mountpoint.h"
#include "tools/program.h"

/* What is to be mounted, and where. Not to be moved: the program's options are
 * bound to it. */
struct hf_mounting {
	struct hf_program program;
	struct hf_mount_config config;
	struct hf_mountpoint mountpoint;  /* once it was checked */
	struct hf_unanswered *unanswered; /* owned */
};

/* As hf_program_init. */
int hf_mounting_init(struct hf_mounting *mounting) HF_MUST_USE;
void hf_mounting_fini(struct hf_mounting *mounting);
/* Both steal `given`, the mountpoint, and check sources and place; the second
 * one also whether this user can mount on this machine. */
int hf_mounting_place(struct hf_mounting *mounting, char *given);
int hf_mounting_check(struct hf_mounting *mounting, char *given);

#endif
