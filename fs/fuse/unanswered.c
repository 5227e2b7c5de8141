/*
 * unanswered: the requests that the worker took and did not answer yet, in
 * memory that whoever watches over it sees, too.
 *
 * The kernel gives a mount up when the last descriptor of its /dev/fuse is
 * closed. A worker that was killed while one of its threads hangs in a source
 * keeps its own until the source comes back, and so do those who wait for it,
 * beyond SIGKILL. Any process with a copy of the descriptor may answer, though,
 * if it knows the number of a request.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <unistd.h>

/* Numbers go up, so that neighbours have places of their own. A request that
 * finds none is not noted; if its client is killed it is told of. */
#define N_PLACES 4096
#define N_TRIES 16
/* libfuse lets no request be larger. */
#define MAX_PAGES 256

struct hf_unanswered {
	atomic_uint_least64_t places[N_PLACES]; /* 0: free */
};

int hf_unanswered_new(struct hf_unanswered **ret)
{
	struct hf_unanswered *unanswered =
		mmap(NULL, sizeof(*unanswered), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (unanswered == MAP_FAILED)
		return -errno;
	*ret = unanswered;
	return 0;
}

void hf_unanswered_free(struct hf_unanswered *unanswered)
{
	if (unanswered)
		munmap(unanswered, sizeof(*unanswered));
}

/* Puts `to` where `from` stands, near the place of `unique`. */
static void change(struct hf_unanswered *unanswered, uint64_t unique,
		   uint64_t from, uint64_t to)
{
	/* Odd ones are interrupts. */
	for (uint64_t i = unique / 2; i < unique / 2 + N_TRIES; i++) {
		uint64_t found = from;

		if (atomic_compare_exchange_strong(
			    &unanswered->places[i % N_PLACES], &found, to))
			return;
	}
}

/* FORGET and INTERRUPT have no answer. */
static bool has_answer(const struct fuse_in_header *in)
{
	return in->opcode != FUSE_FORGET && in->opcode != FUSE_BATCH_FORGET &&
	       in->opcode != FUSE_INTERRUPT;
}

void hf_unanswered_add(struct hf_unanswered *unanswered,
		       const struct fuse_in_header *in)
{
	if (has_answer(in))
		change(unanswered, in->unique, 0, in->unique);
}

void hf_unanswered_remove(struct hf_unanswered *unanswered, uint64_t unique)
{
	change(unanswered, unique, unique, 0);
}

/* --- in another process --------------------------------------------------- */

static void fail(int device_fd, uint64_t unique)
{
	struct fuse_out_header out = {
		.len = sizeof(out), .error = -ENOTCONN, .unique = unique};

	/* ENOENT: it was answered, or whoever asked is gone. */
	if (write(device_fd, &out, sizeof(out)) < 0)
		return;
}

/* What comes meanwhile. An interrupt names the request that waits. */
static void fail_pending(int device_fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	/* With less room than for the largest there is none to be had. */
	size_t size = (MAX_PAGES + 1) * page;
	union {
		struct fuse_in_header header;
		struct {
			struct fuse_in_header header;
			struct fuse_interrupt_in body;
		} interrupt;
	} *in = malloc(size);

	while (in && read(device_fd, in, size) > 0) {
		if (in->header.opcode == FUSE_INTERRUPT)
			fail(device_fd, in->interrupt.body.unique);
		else if (has_answer(&in->header))
			fail(device_fd, in->header.unique);
	}
	free(in);
}

void hf_unanswered_fail(struct hf_unanswered *unanswered, int device_fd)
{
	/* A read must not wait; no worker is left to mind. */
	if (fcntl(device_fd, F_SETFL, O_NONBLOCK) < 0)
		return;
	for (size_t i = 0; i < N_PLACES; i++) {
		uint64_t unique = atomic_exchange(&unanswered->places[i], 0);

		if (unique)
			fail(device_fd, unique);
	}
	fail_pending(device_fd);
}
