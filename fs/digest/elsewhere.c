/*
 * elsewhere: the digest of what lies in no source, as in a directory that a
 * view is written to.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <unistd.h>

static int reserve_block(struct hf_buf *scratch)
{
	char *data;

	if (scratch->cap >= HF_BLOCK_LEN)
		return 0;
	data = realloc(scratch->data, HF_BLOCK_LEN);
	if (!data)
		return -ENOMEM;
	scratch->data = data;
	scratch->cap = HF_BLOCK_LEN;
	return 0;
}

static int hash_rest(struct hf_hasher *hasher, int fd, char *block, size_t len,
		     uint64_t *ret_size)
{
	uint64_t size = 0;
	int error = 0;

	while (error == 0 && len > 0) {
		size += len;
		error = hf_hasher_add(hasher, block, len);
		if (error == 0)
			error = hf_read_until(fd, block, HF_BLOCK_LEN,
					      HF_BLOCK_LEN, &len);
	}
	*ret_size = size;
	return error;
}

int hf_hash_fd(const struct hf_algorithm *algorithm, int fd,
	       struct hf_buf *scratch, struct hf_digest *ret,
	       uint64_t *ret_size)
{
	struct hf_hasher *hasher = NULL;
	size_t len = 0;
	int error =
		lseek(fd, 0, SEEK_SET) < 0 ? -errno : reserve_block(scratch);

	if (error == 0)
		error = hf_read_until(fd, scratch->data, HF_BLOCK_LEN,
				      HF_BLOCK_LEN, &len);
	if (error < 0)
		return error;
	if (len < HF_BLOCK_LEN) { /* most files */
		*ret_size = len;
		return hf_hash(algorithm, scratch->data, len, ret);
	}
	error = hf_hasher_new(algorithm, &hasher);
	if (error == 0)
		error = hash_rest(hasher, fd, scratch->data, len, ret_size);
	if (error == 0)
		error = hf_hasher_end(hasher, ret);
	hf_hasher_free(hasher);
	return error;
}
