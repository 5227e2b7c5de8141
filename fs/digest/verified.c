/*
 * verified: bytes that were hashed, open for reading. Small files are pinned
 * whole; a large file is read again from its descriptor, block by block, and
 * every block is held against the sum it had when the whole was hashed. The
 * two ways look the same from outside.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct hf_verified {
	atomic_uint refs;
	uint64_t size;
	char *data;           /* pinned bytes, or NULL */
	struct hf_pins *pins; /* where they are counted */
	int fd;               /* else: where the blocks are read from */
	struct hf_sums *sums;
};

int hf_verified_pin(char *data, uint64_t size, struct hf_pins *pins,
		    struct hf_verified **ret)
{
	struct hf_verified *verified;

	if (hf_pins_take(pins, size) < 0)
		return -ENOMEM;
	verified = calloc(1, sizeof(*verified));
	if (!verified) {
		hf_pins_give(pins, size);
		return -ENOMEM;
	}
	verified->refs = 1;
	verified->size = size;
	verified->data = data;
	verified->pins = pins;
	verified->fd = -1;
	*ret = verified;
	return 0;
}

int hf_verified_take(struct hf_buf *bytes, struct hf_pins *pins,
		     struct hf_verified **ret)
{
	uint64_t size = bytes->len;
	char *data;
	int error = hf_buf_steal(bytes, &data);

	if (error < 0)
		return error;
	error = hf_verified_pin(data, size, pins, ret);
	if (error < 0)
		*bytes = (struct hf_buf){
			.data = data,
			.len = (size_t)size,
			.cap = (size_t)size + 1,
		};
	return error;
}

int hf_verified_guard(int fd, struct hf_sums *sums, struct hf_verified **ret)
{
	struct hf_verified *verified = calloc(1, sizeof(*verified));

	if (!verified) {
		close(fd);
		hf_sums_unref(sums);
		return -ENOMEM;
	}
	verified->refs = 1;
	verified->size = sums->size;
	verified->fd = fd;
	verified->sums = sums;
	*ret = verified;
	return 0;
}

struct hf_verified *hf_verified_ref(struct hf_verified *verified)
{
	atomic_fetch_add(&verified->refs, 1);
	return verified;
}

void hf_verified_unref(struct hf_verified *verified)
{
	if (!verified || atomic_fetch_sub(&verified->refs, 1) != 1)
		return;
	if (verified->fd >= 0)
		close(verified->fd);
	hf_sums_unref(verified->sums);
	if (verified->data)
		hf_pins_give(verified->pins, verified->size);
	free(verified->data);
	free(verified);
}

const char *hf_verified_whole(const struct hf_verified *verified, size_t *ret)
{
	if (verified->data)
		*ret = (size_t)verified->size;
	return verified->data;
}

/* Reads exactly `len` bytes; a file that ends earlier was changed. */
static int pread_all(int fd, char *data, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, data + done, len - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* Reads block `i` into `data` and checks it; *ret is its length. */
static int read_block(const struct hf_verified *verified, uint64_t i,
		      char *data, size_t *ret)
{
	uint64_t start = i * HF_BLOCK_LEN;
	size_t len = verified->size - start < HF_BLOCK_LEN
			     ? (size_t)(verified->size - start)
			     : HF_BLOCK_LEN;
	uint8_t sum[HF_SUM_LEN];
	int error = pread_all(verified->fd, data, len, start);

	if (error == 0)
		error = hf_block_sum(data, len, sum);
	if (error == 0 &&
	    memcmp(sum, verified->sums->blocks[i], HF_SUM_LEN) != 0)
		error = -EIO;
	/* A store through a mapping may move no stamp: whoever opens the file
	 * by these sums again would fail again, and for ever. */
	if (error == -EIO)
		atomic_store(&verified->sums->quiet, false);
	if (error == 0)
		*ret = len;
	return error;
}

/* Grows `scratch` to hold `len` bytes; its content is overwritten. */
static int reserve(struct hf_buf *scratch, size_t len)
{
	hf_buf_reset(scratch);
	if (scratch->cap <= len) {
		char *data = realloc(scratch->data, len + 1);

		if (!data)
			return -ENOMEM;
		scratch->data = data;
		scratch->cap = len + 1;
	}
	return 0;
}

static int read_blocks(const struct hf_verified *verified, uint64_t offset,
		       size_t len, struct hf_buf *scratch, const char **ret)
{
	uint64_t first = offset / HF_BLOCK_LEN;
	uint64_t last = (offset + len - 1) / HF_BLOCK_LEN;
	size_t filled = 0;
	int error = reserve(scratch, (size_t)(last - first + 1) * HF_BLOCK_LEN);

	for (uint64_t i = first; i <= last && error == 0; i++) {
		size_t n = 0;

		error = read_block(verified, i, scratch->data + filled, &n);
		filled += n;
	}
	if (error < 0)
		return error;
	scratch->len = filled;
	*ret = scratch->data + (offset - first * HF_BLOCK_LEN);
	return 0;
}

int hf_verified_read(struct hf_verified *verified, uint64_t offset, size_t len,
		     struct hf_buf *scratch, const char **ret, size_t *ret_len)
{
	if (offset >= verified->size || len == 0) {
		*ret = "";
		*ret_len = 0;
		return 0;
	}
	if (len > verified->size - offset)
		len = (size_t)(verified->size - offset);
	if (verified->data) {
		*ret = verified->data + offset;
	} else {
		int error = read_blocks(verified, offset, len, scratch, ret);

		if (error < 0)
			return error;
	}
	*ret_len = len;
	return 0;
}
