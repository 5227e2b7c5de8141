/*
 * digest: bytes -> digest, once, in parallel, remembered.
 *
 * A digest is remembered with the stamp of the file state that it was taken
 * from, and only names are ever answered from memory. Bytes are handed out as
 * a `struct hf_verified`: read in this process and matched against the whole
 * digest.
 */
#ifndef HF_DIGEST_H
#define HF_DIGEST_H

#include "fs/base/base.h"
#include "fs/source/source.h"

/* --- hash.c, elsewhere.c: the algorithms -------------------------------- */

#define HF_DIGEST_MAX 64 /* bytes; SHA-512 */
#define HF_DIGEST_HEX_MAX (2 * HF_DIGEST_MAX)

struct hf_digest {
	uint8_t len;
	uint8_t bytes[HF_DIGEST_MAX];
};

struct hf_algorithm;
/* md5, sha1, sha256, sha384, sha512, or NULL. Constant. */
const struct hf_algorithm *hf_algorithm_find(const char *name);
const char *hf_algorithm_name(const struct hf_algorithm *algorithm);
/* Bytes of its digests. */
unsigned hf_algorithm_len(const struct hf_algorithm *algorithm);

/* The digest of `data`. -ENOTSUP if the library's policy forbids the algorithm
 * (FIPS and MD5), -EIO if it fails, -ENOMEM. */
int hf_hash(const struct hf_algorithm *algorithm, const void *data, size_t len,
	    struct hf_digest *ret) HF_MUST_USE;
/*
 * The same of all that `fd` holds, read from the beginning; `scratch` is used
 * on the way and may be used again. *ret_size is how much that was. Also errnos
 * of read(2).
 */
int hf_hash_fd(const struct hf_algorithm *algorithm, int fd,
	       struct hf_buf *scratch, struct hf_digest *ret,
	       uint64_t *ret_size) HF_MUST_USE;
/* One of many pieces of bytes. */
struct hf_hashing {
	const void *data; /* borrowed */
	size_t len;
	struct hf_digest *ret; /* the answer */
};
/* hf_hash of all of them, side by side where that is faster; leaves them in
 * another order. */
int hf_hash_many(const struct hf_algorithm *algorithm,
		 struct hf_hashing *hashings, size_t n) HF_MUST_USE;
bool hf_digest_equal(const struct hf_digest *a, const struct hf_digest *b);
/* Lower-case hex with a NUL. */
void hf_digest_hex(const struct hf_digest *digest,
		   char ret[HF_DIGEST_HEX_MAX + 1]);
/* A digest in the making; one thread. */
struct hf_hasher;
int hf_hasher_new(const struct hf_algorithm *algorithm,
		  struct hf_hasher **ret) HF_MUST_USE;
int hf_hasher_add(struct hf_hasher *hasher, const void *data,
		  size_t len) HF_MUST_USE;
int hf_hasher_end(struct hf_hasher *hasher, struct hf_digest *ret) HF_MUST_USE;
/* NULL is allowed. */
void hf_hasher_free(struct hf_hasher *hasher);
/* Appends the digest as a value of HTML's integrity attribute: the algorithm's
 * name, a dash, base64. */
void hf_digest_integrity(const struct hf_algorithm *algorithm,
			 const struct hf_digest *digest, struct hf_buf *ret);

/* The version of OpenSSL that runs, as "3.0.16". */
const char *hf_openssl_version(void);

/* --- store.c: the database -------------------------------------------------- */

/* The version of SQLite that runs, as "3.40.1". */
const char *hf_sqlite_version(void);

/* --- cachedir.c: where the cache is -------------------------------------- */

/* What stands for a directory where there shall be none. */
#define HF_CACHE_NONE "none"

/*
 * The directory of the cache: `wanted`, or if that is NULL the user's own
 * (XDG_CACHE_HOME/hashedfs, ~/.cache/hashedfs, for root /var/cache/hashedfs
 * unless /var/cache is not root's, as in a user namespace).
 * It is made if it is not there, is the caller's and writable by nobody else,
 * and does not lie in one of `roots`: nothing is written to a source.
 * *ret is a new absolute path without links, in which all files of the cache
 * lie; else a negative errno and *why = a new sentence part. -ENOENT if
 * `wanted` is HF_CACHE_NONE or there is no home.
 */
int hf_cache_dir(const char *wanted, const struct hf_root_specs *roots,
		 char **ret, char **why) HF_MUST_USE;

/* --- cache.c: what is remembered ------------------------------------------ */

/*
 * Remembers bytes about files, in memory and, if there is a directory for it,
 * on disk, where it is shared with whoever else uses that directory. What is
 * lost is only missed; nothing here fails. Any thread.
 */
struct hf_cache;

struct hf_cache_config {
	const char *dir; /* as hf_cache_dir gave it, or NULL: memory only */
	size_t max_memory;
	uint64_t max_disk; /* bytes */
	hf_clock *clock;
};

/* A file, and the directory that it is remembered with. */
struct hf_key {
	uint64_t dir[2];
	uint64_t file[2];
};

/*
 * Starts a thread that writes to disk, a second after there is something to
 * be written. Call after the last fork. If the database cannot be used *why
 * is a new sentence part, and the cache is one of memory only.
 * -ENOMEM, -EAGAIN: no thread.
 */
int hf_cache_new(const struct hf_cache_config *config, struct hf_cache **ret,
		 char **why) HF_MUST_USE;
/* Writes what is to be written, for about a second at most. */
void hf_cache_free(struct hf_cache *cache);
/* `ret` is the realm of all keys for which `text` is the same: what the bytes
 * that are remembered depend on, besides the file. */
void hf_cache_realm(const struct hf_cache *cache, const void *text, size_t len,
		    uint64_t ret[2]);
/* The key of a path. Nobody can choose paths of equal keys. */
void hf_key_of(const uint64_t realm[2], const char *path, struct hf_key *ret);
/* The part of the key that all files in `dir` have. */
void hf_key_of_dir(const uint64_t realm[2], const char *dir, uint64_t ret[2]);
/* Brings into memory what is stored of many directories, as far as it is not
 * there: quicker than as each is asked for. */
void hf_cache_recall(struct hf_cache *cache, uint64_t (*dirs)[2], size_t n);
/* True if `ret` holds what was put last. */
bool hf_cache_get(struct hf_cache *cache, const struct hf_key *key,
		  struct hf_buf *ret);
/* `keep`: on disk, too; else only in memory, and what is on disk goes. */
void hf_cache_put(struct hf_cache *cache, const struct hf_key *key, bool keep,
		  const void *data, size_t len);
/* Writes what is to be written, then empties the memory. What is on disk
 * still counts. Not for whoever answers a request. */
void hf_cache_forget(struct hf_cache *cache);

struct hf_cache_stats {
	uint64_t entries; /* in memory */
	uint64_t bytes;
	uint64_t rows_read; /* directories found on disk */
	uint64_t rows_written;
};
void hf_cache_stats(struct hf_cache *cache, struct hf_cache_stats *ret);

/* --- pins.c: memory of open files ---------------------------------------- */

/* Bytes that are pinned, or are about to be. Start with {.max = ...}, and with
 * {.told = true} where the bound is nobody's business; any thread. */
struct hf_pins {
	uint64_t max; /* constant */
	atomic_uint_least64_t bytes;
	atomic_bool told; /* that the bound was reached */
};
/* An eighth of the memory that this process may have, and no less than 256
 * MiB. Call before the process is confined: it looks into /sys. */
uint64_t hf_pins_default_max(void);
/* Sets `size` bytes aside until hf_pins_give. -ENOMEM: the bound is reached,
 * which is logged the first time. */
int hf_pins_take(struct hf_pins *pins, uint64_t size) HF_MUST_USE;
void hf_pins_give(struct hf_pins *pins, uint64_t size);

/* --- verified.c: bytes that were hashed --------------------------------- */

/* Up to this size verified bytes are pinned in private memory. */
#define HF_PINNED_MAX (1024 * 1024)
/* Above HF_PINNED_MAX each block of this size has a sum, which every read
 * checks. */
#define HF_BLOCK_LEN (128 * 1024)

/* Bytes of one digest, open for reading. Counted, immutable, any thread. */
struct hf_verified;
struct hf_verified *hf_verified_ref(struct hf_verified *verified);
void hf_verified_unref(struct hf_verified *verified);
/* Pins the bytes in `bytes`, which the caller just hashed and matched; steals
 * them on success. They are counted in `pins` (borrowed) as long as they
 * live. *ret is new. -ENOMEM. */
int hf_verified_take(struct hf_buf *bytes, struct hf_pins *pins,
		     struct hf_verified **ret) HF_MUST_USE;
/* All the bytes, borrowed, if they are pinned; else NULL. */
const char *hf_verified_whole(const struct hf_verified *verified, size_t *ret);
/*
 * Points *ret at up to `len` verified bytes from `offset` (fewer at the end
 * of the file, 0 behind it): into pinned memory or into `scratch`, both alive
 * as long as the caller keeps them. -EIO: the file changed under the open
 * handle. -ENOMEM.
 */
int hf_verified_read(struct hf_verified *verified, uint64_t offset, size_t len,
		     struct hf_buf *scratch, const char **ret,
		     size_t *ret_len) HF_MUST_USE;

/* --- the digests of a source -------------------------------------------- */

struct hf_digests;

/*
 * Somebody who wants to see the bytes of some files while they are in memory
 * anyway, or another digest of all. Its functions are called in the pool.
 */
struct hf_inspector {
	void *arg;
	/* Is it worth to hold the whole file, of this size? */
	bool (*wants)(void *arg, const char *path, uint64_t size);
	/* The bytes that have this digest; borrowed for the call. True if they
	 * will be asked for again, soon: see hf_batch_take_bytes. */
	bool (*inspect)(void *arg, const char *path,
			const struct hf_digest *digest, const char *data,
			size_t len);
	/* Files that are read for their names are hashed by this one, too, in
	 * the same pass; NULL: no. `second` is told of each. */
	const struct hf_algorithm *algorithm;
	void (*second)(void *arg, const char *path,
		       const struct hf_digest *digest,
		       const struct hf_digest *second);
};

struct hf_digests_config {
	const struct hf_algorithm *algorithm;
	const struct hf_source *source; /* borrowed */
	struct hf_pool *pool;           /* borrowed */
	struct hf_pins *pins;           /* borrowed */
	/* Borrowed: for bytes that are held because an inspector asks for them;
	 * NULL: none are. */
	struct hf_pins *held;
	struct hf_cache *cache; /* borrowed */
	hf_clock *clock;
	struct hf_inspector inspector; /* wants NULL: there is none */
};

/* What is known of a file state. */
struct hf_fact {
	struct hf_digest digest;
	uint64_t size; /* of the bytes hashed */
};

int hf_digests_new(const struct hf_digests_config *config,
		   struct hf_digests **ret) HF_MUST_USE;
/* Precondition: the pool is free of its jobs (hf_pool_free first). */
void hf_digests_free(struct hf_digests *digests);

/*
 * The digest of the file `path` of root `root`, whose stamp the caller just
 * saw to be `sig`. From memory if that state was hashed and was quiet then;
 * else the pool reads it, once for all who ask at the same time. Errors of
 * opening and reading (not remembered); -EINTR: `wait` was interrupted, the
 * hashing goes on; -EBUSY: the file changed at every try. An asker that
 * works (struct hf_wait) reads it by itself if nobody has begun.
 */
int hf_digests_get(struct hf_digests *digests, unsigned root, const char *path,
		   const struct hf_sig *sig, struct hf_wait *wait,
		   struct hf_fact *ret) HF_MUST_USE;
/*
 * Many files at once: hf_batch_add starts the work where something is to be
 * done and returns at once; hf_batch_get gives the i-th answer, waiting for
 * it. The same errors as hf_digests_get. A batch belongs to one thread.
 */
struct hf_batch;
int hf_batch_new(struct hf_digests *digests, struct hf_batch **ret) HF_MUST_USE;
int hf_batch_add(struct hf_batch *batch, unsigned root, const char *path,
		 const struct hf_sig *sig) HF_MUST_USE;
/* The bytes of small files that are read because of an hf_batch_add after this
 * are kept for a moment, as by hf_digests_fetch, while there is room. */
void hf_batch_retain(struct hf_batch *batch, uint32_t mark);
int hf_batch_get(struct hf_batch *batch, size_t i, struct hf_wait *wait,
		 struct hf_fact *ret) HF_MUST_USE;
/* True if no answer has to be waited for. */
bool hf_batch_ready(const struct hf_batch *batch);
/* True if answer i, which was got, may be had from memory the next time: its
 * file was quiet and still had the stamp that was asked for. */
bool hf_batch_settled(const struct hf_batch *batch, size_t i);
/* True if that is so, and its file was opened, read and found to have that
 * stamp after hf_batch_add was called for it. */
bool hf_batch_seen(const struct hf_batch *batch, size_t i);
/* The bytes of answer i, which was got; a new reference. NULL: they are not
 * held, be it for want of room. */
struct hf_verified *hf_batch_take_bytes(struct hf_batch *batch, size_t i);
/* What is still running goes on. NULL is allowed. */
void hf_batch_free(struct hf_batch *batch);

/* The key by which the cache knows the files of root number `root` in `dir`, for
 * hf_cache_recall. */
void hf_digests_dir(const struct hf_digests *digests, unsigned root,
		    const char *dir, uint64_t ret[2]);
/* The last digest that `path` is known to have had, whatever its state is
 * now. False if there is none. */
bool hf_digests_last(struct hf_digests *digests, unsigned root,
		     const char *path, struct hf_fact *ret);

/* What an opening rests on. */
struct hf_expected {
	struct hf_digest digest;
	uint64_t size; /* of those bytes */
	/* If it is not 0 and equal to that of a hf_digests_fetch or
	 * hf_batch_retain, the caller knows that nothing changed since. */
	uint32_t mark;
};

/*
 * Opens `path` for reading as the bytes that have the expected digest. The
 * pool, or an asker that works, reads and hashes them all. Not if a large file
 * was hashed before, were it for its name, and has the same quiet stamp: its
 * blocks are held to their sums then. Nor if it was read shortly before and is
 * still the same, by its mark or a quiet stamp. -ESTALE: the file has other bytes now.
 * Else as hf_digests_get. wait NULL: the calling thread reads by itself, which
 * saves two switches of threads a file.
 */
int hf_digests_open(struct hf_digests *digests, unsigned root, const char *path,
		    const struct hf_expected *expected, struct hf_wait *wait,
		    struct hf_verified **ret) HF_MUST_USE;

/*
 * Reads the file, as far as anybody knows of `size` bytes, because it may be
 * opened soon; the pool does so. An opening verifies what was read: the bytes
 * have the digest that it expects, and the file is still the same. Else, and
 * without memory, it is read when it is opened.
 */
void hf_digests_fetch(struct hf_digests *digests, unsigned root,
		      const char *path, uint64_t size, uint32_t mark);
/* Lets go of what was read for nobody; to be called every second as long as it
 * says that there is something left. */
bool hf_digests_rest(struct hf_digests *digests);

/* Counters since the start, for status. */
struct hf_digests_stats {
	uint64_t files_hashed;
	uint64_t bytes_hashed;
	uint64_t flights; /* being hashed at this moment */
};
void hf_digests_stats(struct hf_digests *digests, struct hf_digests_stats *ret);

#endif
