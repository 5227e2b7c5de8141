/*
 * read: one pass over a source file, from open to digest. The stamp is taken
 * from the open descriptor before and after, or after only where the file was
 * seen before it was opened; a pass during which it changed, or whose length is
 * not what the stamp says, is thrown away.
 */
#include "fs/digest/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A file that is written to at this many passes in a row has no digest. */
#define TRIES 3

int hf_read_until(int fd, char *data, size_t enough, size_t len, size_t *ret)
{
	size_t done = 0;

	do {
		ssize_t n = read(fd, data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	} while (done < enough);
	*ret = done;
	return 0;
}

/*
 * A small file, whole. One byte more than the stamp says is asked for, so
 * that a longer file shows; if it is not to be had at once, the stamp of
 * afterwards tells. *ret is new, *ret_len what was read.
 */
static int slurp(int fd, size_t size, char **ret, size_t *ret_len)
{
	char *data = malloc(size + 1);
	int error;

	if (!data)
		return -ENOMEM;
	error = hf_read_until(fd, data, size, size + 1, ret_len);
	if (error < 0) {
		free(data);
		return error;
	}
	*ret = data;
	return 0;
}

/* Hashes the file block by block, by a second hasher, too, unless it is NULL;
 * with `sums` every block gets its sum. */
static int hash_blocks(const struct hf_digests_config *config, int fd,
		       uint64_t size, struct hf_hasher *hasher,
		       struct hf_hasher *second, struct hf_sums *sums,
		       char *block)
{
	uint64_t done = 0;

	for (size_t i = 0;; i++) {
		size_t len = 0;
		int error = hf_read_until(fd, block, HF_BLOCK_LEN, HF_BLOCK_LEN,
					  &len);

		if (error < 0)
			return error;
		if (len == 0)
			return done == size ? 0 : -EBUSY;
		if (len > size - done)
			return -EBUSY;
		error = hf_hasher_add(hasher, block, len);
		if (error == 0 && second)
			error = hf_hasher_add(second, block, len);
		if (error == 0 && sums)
			error = hf_block_sum(block, len, sums->blocks[i]);
		if (error < 0)
			return error;
		done += len;
		hf_pool_tick(config->pool);
	}
}

static int hash_large(const struct hf_digests_config *config, int fd,
		      struct hf_sums *sums,
		      const struct hf_algorithm *algorithm,
		      struct hf_reading *ret)
{
	struct hf_hasher *hasher = NULL;
	struct hf_hasher *second = NULL;
	char *block = malloc(HF_BLOCK_LEN);
	int error = block ? hf_hasher_new(config->algorithm, &hasher) : -ENOMEM;

	/* Advice only: a longer read-ahead for a pass from end to end. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (error == 0 && algorithm)
		error = hf_hasher_new(algorithm, &second);
	if (error == 0)
		error = hash_blocks(config, fd, ret->fact.size, hasher, second,
				    sums, block);
	if (error == 0)
		error = hf_hasher_end(hasher, &ret->fact.digest);
	if (error == 0 && second)
		error = hf_hasher_end(second, &ret->second);
	hf_hasher_free(hasher);
	hf_hasher_free(second);
	free(block);
	return error;
}

/* What a pass holds on to until it is known to be good. */
struct hold {
	int fd;
	char *data;           /* of a small file */
	struct hf_sums *sums; /* of a large one */
};

static void hold_fini(struct hold *hold)
{
	hf_closep(&hold->fd);
	free(hold->data);
	hf_sums_unref(hold->sums);
}

static int read_whole(struct hold *hold, size_t size)
{
	size_t len = 0;
	int error = slurp(hold->fd, size, &hold->data, &len);

	if (error < 0)
		return error;
	return len == size ? 0 : -EBUSY;
}

static int hash_whole(const struct hf_digests_config *config, struct hold *hold,
		      const struct hf_algorithm *algorithm,
		      struct hf_reading *ret)
{
	size_t size = (size_t)ret->fact.size;
	int error = read_whole(hold, size);

	if (error == 0)
		error = hf_hash(config->algorithm, hold->data, size,
				&ret->fact.digest);
	if (error == 0 && algorithm)
		error = hf_hash(algorithm, hold->data, size, &ret->second);
	if (error == 0 && size > HF_PINNED_MAX)
		error = hf_sums_of(hold->data, size, &hold->sums);
	return error;
}

int hf_read_end(int fd, const struct hf_sig *sig)
{
	struct stat st;
	struct hf_sig now;

	if (fstat(fd, &st) < 0)
		return -errno;
	now = hf_sig_of(&st);
	return hf_sig_equal(sig, &now) ? 0 : -EBUSY;
}

void hf_reading_fini(struct hf_reading *reading)
{
	hf_verified_unref(reading->verified);
	hf_sums_unref(reading->sums);
}

void hf_reading_sum(struct hf_reading *reading, struct hf_sums *sums)
{
	sums->sig = reading->sig;
	atomic_store(&sums->quiet, reading->quiet);
	sums->digest = reading->fact.digest;
	reading->sums = sums;
}

/* Hands the bytes of a good pass on, verified. */
static int keep_bytes(const struct hf_digests_config *config, struct hold *hold,
		      struct hf_reading *reading)
{
	int error;

	if (reading->sums)
		return hf_verified_guard(hf_steal_fd(&hold->fd),
					 hf_sums_ref(reading->sums),
					 &reading->verified);
	error = hf_verified_pin(hold->data, reading->fact.size, config->pins,
				&reading->verified);
	if (error == 0)
		hold->data = NULL;
	return error;
}

static bool wants(const struct hf_digests_config *config, const char *path,
		  uint64_t size)
{
	const struct hf_inspector *inspector = &config->inspector;

	return inspector->wants && inspector->wants(inspector->arg, path, size);
}

/* From the open file to its digest, in the way that suits its size. */
static int hash(const struct hf_digests_config *config, struct hold *hold,
		bool whole, bool keep, struct hf_reading *reading)
{
	const struct hf_algorithm *second =
		keep ? NULL : config->inspector.algorithm;
	int error = 0;

	if (whole)
		return hash_whole(config, hold, second, reading);
	if (reading->fact.size > HF_PINNED_MAX)
		error = hf_sums_new(reading->fact.size, &hold->sums);
	if (error == 0)
		error = hash_large(config, hold->fd, hold->sums, second,
				   reading);
	return error;
}

int hf_read_begin(const struct hf_digests_config *config, unsigned root,
		  const char *path, int *ret_fd, struct hf_reading *ret)
{
	struct stat st;
	int64_t begun = config->clock();
	int error =
		hf_source_open_file(config->source, root, path, ret_fd, &st);

	if (error < 0)
		return error;
	*ret = (struct hf_reading){.sig = hf_sig_of(&st)};
	ret->quiet = hf_sig_quiet(&ret->sig, begun);
	ret->fact.size = (uint64_t)st.st_size;
	return 0;
}

static int pass(const struct hf_digests_config *config, unsigned root,
		const char *path, bool keep, struct hf_reading *ret)
{
	HF_CLEANUP(hold_fini) struct hold hold = {.fd = -1};
	struct hf_reading reading = {0};
	bool small;
	bool inspect;
	int error = hf_read_begin(config, root, path, &hold.fd, &reading);

	if (error < 0)
		return error;
	small = reading.fact.size <= HF_PINNED_MAX;
	inspect = (small || !keep) && wants(config, path, reading.fact.size);
	error = hash(config, &hold, small || inspect, keep, &reading);
	if (error == 0)
		error = hf_read_end(hold.fd, &reading.sig);
	if (error == 0 && inspect)
		(void)config->inspector.inspect(config->inspector.arg, path,
						&reading.fact.digest, hold.data,
						(size_t)reading.fact.size);
	if (error == 0 && reading.second.len)
		config->inspector.second(config->inspector.arg, path,
					 &reading.fact.digest, &reading.second);
	if (error == 0 && hold.sums)
		hf_reading_sum(&reading, hf_sums_ref(hold.sums));
	if (error == 0 && keep)
		error = keep_bytes(config, &hold, &reading);
	if (error == 0)
		*ret = reading;
	else
		hf_reading_fini(&reading);
	return error;
}

int hf_read_file(const struct hf_digests_config *config, unsigned root,
		 const char *path, bool keep, struct hf_reading *ret)
{
	int error = -EBUSY;

	for (int i = 0; i < TRIES && error == -EBUSY; i++)
		error = pass(config, root, path, keep, ret);
	return error;
}

int hf_read_seen(const struct hf_digests_config *config, unsigned root,
		 const char *path, const struct hf_sig *seen,
		 struct hf_reading *ret, char **data)
{
	HF_CLEANUP(hold_fini) struct hold hold = {.fd = -1};
	struct hf_reading reading = {.sig = *seen};
	int64_t begun = config->clock();
	int error = hf_source_open_seen(config->source, root, path, &hold.fd);

	if (error == 0)
		error = read_whole(&hold, (size_t)seen->size);
	if (error == 0)
		error = hf_read_end(hold.fd, seen);
	if (error < 0)
		return error;
	reading.quiet = hf_sig_quiet(seen, begun);
	reading.fact.size = (uint64_t)seen->size;
	*ret = reading;
	*data = hold.data;
	hold.data = NULL;
	return 0;
}

static int pass_bytes(const struct hf_digests_config *config, unsigned root,
		      const char *path, uint64_t max, struct hf_reading *ret,
		      char **data)
{
	HF_CLEANUP(hold_fini) struct hold hold = {.fd = -1};
	struct hf_reading reading = {0};
	int error = hf_read_begin(config, root, path, &hold.fd, &reading);

	if (error == 0 && reading.fact.size > max)
		error = -EFBIG;
	if (error == 0)
		error = read_whole(&hold, (size_t)reading.fact.size);
	if (error == 0)
		error = hf_read_end(hold.fd, &reading.sig);
	if (error < 0)
		return error;
	*ret = reading;
	*data = hold.data;
	hold.data = NULL;
	return 0;
}

int hf_read_bytes(const struct hf_digests_config *config, unsigned root,
		  const char *path, uint64_t max, struct hf_reading *ret,
		  char **data)
{
	int error = -EBUSY;

	for (int i = 0; i < TRIES && error == -EBUSY; i++)
		error = pass_bytes(config, root, path, max, ret, data);
	return error;
}
