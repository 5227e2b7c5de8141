/*
 * trusting: what a mount would be that trusts stat. Linked into a build of
 * hashedfs of its own in place of hf_digests_open (ld --wrap): if the stamp
 * is the one that the digest was taken at, before and after reading, the
 * bytes are believed to be those of the digest. The harness must find it out.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The linker does not look at types. */
__typeof__(hf_digests_new) __real_hf_digests_new;
__typeof__(hf_digests_new) __wrap_hf_digests_new;
__typeof__(hf_digests_open) __wrap_hf_digests_open;

/* Set before threads start. */
static const struct hf_source *source;
static struct hf_pins *pins;

int __wrap_hf_digests_new(const struct hf_digests_config *config,
			  struct hf_digests **ret)
{
	source = config->source;
	pins = config->pins;
	return __real_hf_digests_new(config, ret);
}

/* The file as it is, and stamps that must be equal. *ret is new. */
static int read_believing(int fd, const struct hf_sig *sig, struct hf_buf *ret)
{
	size_t size = (size_t)sig->size;
	char *data = malloc(size + 1);
	struct stat st;
	struct hf_sig now;
	ssize_t n = data ? pread(fd, data, size, 0) : -1;

	if (n == (ssize_t)size && fstat(fd, &st) == 0) {
		now = hf_sig_of(&st);
		if (hf_sig_equal(&now, sig))
			hf_buf_add(ret, data, size);
		else
			n = -1;
	}
	free(data);
	return n == (ssize_t)size ? hf_buf_status(ret) : -EBUSY;
}

int __wrap_hf_digests_open(struct hf_digests *digests, unsigned root,
			   const char *path, const struct hf_expected *expected,
			   struct hf_wait *wait, struct hf_verified **ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	HF_CLEANUP(hf_buf_fini) struct hf_buf bytes = {0};
	struct hf_fact fact;
	struct hf_sig sig;
	struct stat st;
	int error = hf_source_open_file(source, root, path, &fd, &st);

	if (error < 0)
		return error;
	sig = hf_sig_of(&st);
	error = hf_digests_get(digests, root, path, &sig, wait, &fact);
	if (error == 0 && !hf_digest_equal(&fact.digest, &expected->digest))
		error = -ESTALE;
	if (error == 0)
		error = read_believing(fd, &sig, &bytes);
	if (error == 0)
		error = hf_verified_take(&bytes, pins, ret);
	return error;
}
