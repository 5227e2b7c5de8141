/* The bytes of a stored file. */
#include "manifest/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP (128 * 1024)

static int open_file(int dir_fd, const char *name, int *ret)
{
	struct stat st;
	int fd = openat(dir_fd, name,
			O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	*ret = fd;
	return 0;
}

static int feed(int fd, struct hf_hasher *const *hashers)
{
	HF_CLEANUP(hf_freep) char *block = malloc(STEP);
	int error = block ? 0 : -ENOMEM;

	while (error == 0) {
		ssize_t n = read(fd, block, STEP);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (size_t i = 0; i < 2 && error == 0; i++)
			if (hashers[i])
				error = hf_hasher_add(hashers[i], block,
						      (size_t)n);
	}
	return error;
}

/* Either algorithm may be NULL. */
static int hash_file(int fd, const struct hf_algorithm *name,
		     const struct hf_algorithm *integrity, struct hf_bytes *ret)
{
	struct hf_hasher *hashers[2] = {NULL, NULL};
	struct hf_digest digest;
	int error = 0;

	if (name)
		error = hf_hasher_new(name, &hashers[0]);
	if (error == 0 && integrity)
		error = hf_hasher_new(integrity, &hashers[1]);
	if (error == 0)
		error = feed(fd, hashers);
	if (error == 0 && name) {
		error = hf_hasher_end(hashers[0], &digest);
		if (error == 0)
			hf_digest_hex(&digest, ret->digest);
	}
	if (error == 0 && integrity) {
		error = hf_hasher_end(hashers[1], &digest);
		if (error == 0)
			hf_digest_integrity(integrity, &digest,
					    &ret->integrity);
	}
	hf_hasher_free(hashers[0]);
	hf_hasher_free(hashers[1]);
	return error < 0 ? error : hf_buf_status(&ret->integrity);
}

int hf_bytes_hash(int dir_fd, const char *name,
		  const struct hf_algorithm *algorithm,
		  const struct hf_algorithm *integrity, struct hf_bytes *ret)
{
	HF_CLEANUP(hf_closep) int fd = -1;
	int error = open_file(dir_fd, name, &fd);

	return error < 0 ? error : hash_file(fd, algorithm, integrity, ret);
}
