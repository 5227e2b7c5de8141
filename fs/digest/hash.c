/*
 * hash: digests and block sums by OpenSSL, the only file that knows it.
 * Algorithms are fetched once: an implicit fetch costs more than hashing a
 * small file does.
 */
#include "fs/digest/internal.h"
#include "fs/digest/lanes.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

struct hf_algorithm {
	const char *name;
	const char *openssl_name;
	unsigned len;
};

static const struct hf_algorithm algorithms[] = {
	{"md5", "MD5", 16},         {"sha1", "SHA1", 20},
	{"sha256", "SHA2-256", 32}, {"sha384", "SHA2-384", 48},
	{"sha512", "SHA2-512", 64},
};

#define SUM_KEY_LEN 32

/* Written once by fetch(), read-only ever after. */
static struct {
	pthread_once_t once;
	EVP_MD *digests[HF_ARRAY_SIZE(algorithms)];
	EVP_MAC *mac;
	unsigned char sum_key[SUM_KEY_LEN];
	bool have_key;
} openssl = {.once = PTHREAD_ONCE_INIT};

static void fetch(void)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(algorithms); i++)
		openssl.digests[i] =
			EVP_MD_fetch(NULL, algorithms[i].openssl_name, NULL);
	openssl.mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
	openssl.have_key = RAND_priv_bytes(openssl.sum_key, SUM_KEY_LEN) == 1;
}

/* NULL if the library's policy forbids it. */
static const EVP_MD *evp_md(const struct hf_algorithm *algorithm)
{
	pthread_once(&openssl.once, fetch);
	return openssl.digests[algorithm - algorithms];
}

const struct hf_algorithm *hf_algorithm_find(const char *name)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(algorithms); i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

const char *hf_algorithm_name(const struct hf_algorithm *algorithm)
{
	return algorithm->name;
}

unsigned hf_algorithm_len(const struct hf_algorithm *algorithm)
{
	return algorithm->len;
}

struct hf_hasher {
	EVP_MD_CTX *ctx;
};

int hf_hasher_new(const struct hf_algorithm *algorithm, struct hf_hasher **ret)
{
	const EVP_MD *md = evp_md(algorithm);
	struct hf_hasher *hasher;

	if (!md)
		return -ENOTSUP;
	hasher = calloc(1, sizeof(*hasher));
	if (!hasher)
		return -ENOMEM;
	hasher->ctx = EVP_MD_CTX_new();
	if (!hasher->ctx || EVP_DigestInit_ex(hasher->ctx, md, NULL) != 1) {
		hf_hasher_free(hasher);
		return -ENOMEM;
	}
	*ret = hasher;
	return 0;
}

int hf_hasher_add(struct hf_hasher *hasher, const void *data, size_t len)
{
	return EVP_DigestUpdate(hasher->ctx, data, len) == 1 ? 0 : -EIO;
}

int hf_hasher_end(struct hf_hasher *hasher, struct hf_digest *ret)
{
	struct hf_digest digest = {0};
	unsigned len = 0;

	if (EVP_DigestFinal_ex(hasher->ctx, digest.bytes, &len) != 1)
		return -EIO;
	digest.len = (uint8_t)len;
	*ret = digest;
	return 0;
}

void hf_hasher_free(struct hf_hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->ctx);
	free(hasher);
}

int hf_hash(const struct hf_algorithm *algorithm, const void *data, size_t len,
	    struct hf_digest *ret)
{
	const EVP_MD *md = evp_md(algorithm);
	struct hf_digest digest = {0};
	unsigned n = 0;

	if (!md)
		return -ENOTSUP;
	if (EVP_Digest(data, len, digest.bytes, &n, md, NULL) != 1)
		return -EIO;
	digest.len = (uint8_t)n;
	*ret = digest;
	return 0;
}

/* --- many at once --------------------------------------------------------- */

static int longest_first(const void *a, const void *b)
{
	const struct hf_hashing *x = a;
	const struct hf_hashing *y = b;

	return (x->len < y->len) - (x->len > y->len);
}

bool hf_hash_in_lanes(const struct hf_algorithm *algorithm)
{
	return strcmp(algorithm->name, "md5") == 0 && evp_md(algorithm);
}

#define AT_ONCE 64

static void hash_in_lanes(struct hf_hashing *hashings, size_t n)
{
	struct hf_message messages[AT_ONCE];

	for (size_t i = 0; i < n; i++)
		messages[i] = (struct hf_message){.data = hashings[i].data,
						  .len = hashings[i].len};
	hf_md5_many(HF_VECTORS_BEST, messages, n);
	for (size_t i = 0; i < n; i++) {
		struct hf_digest digest = {.len = sizeof(messages[i].md5)};

		memcpy(digest.bytes, messages[i].md5, digest.len);
		*hashings[i].ret = digest;
	}
}

int hf_hash_many(const struct hf_algorithm *algorithm,
		 struct hf_hashing *hashings, size_t n)
{
	int error = 0;

	if (!hf_hash_in_lanes(algorithm)) {
		for (size_t i = 0; i < n && error == 0; i++)
			error = hf_hash(algorithm, hashings[i].data,
					hashings[i].len, hashings[i].ret);
		return error;
	}
	qsort(hashings, n, sizeof(*hashings), longest_first);
	for (size_t at = 0; at < n; at += AT_ONCE)
		hash_in_lanes(hashings + at,
			      n - at < AT_ONCE ? n - at : AT_ONCE);
	return 0;
}

bool hf_digest_equal(const struct hf_digest *a, const struct hf_digest *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

void hf_digest_hex(const struct hf_digest *digest,
		   char ret[HF_DIGEST_HEX_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < digest->len; i++) {
		ret[2 * i] = digits[digest->bytes[i] >> 4];
		ret[2 * i + 1] = digits[digest->bytes[i] & 15];
	}
	ret[2 * digest->len] = '\0';
}

const char *hf_openssl_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

void hf_digest_integrity(const struct hf_algorithm *algorithm,
			 const struct hf_digest *digest, struct hf_buf *ret)
{
	unsigned char text[HF_DIGEST_MAX / 3 * 4 + 5];

	EVP_EncodeBlock(text, digest->bytes, digest->len);
	hf_buf_printf(ret, "%s-%s", algorithm->name, (const char *)text);
}

/* --- sums of blocks --------------------------------------------------------- */

struct hf_summer {
	EVP_MAC_CTX *ctx;
};

static bool start(struct hf_summer *summer)
{
	return EVP_MAC_init(summer->ctx, openssl.sum_key, SUM_KEY_LEN, NULL) ==
	       1;
}

int hf_summer_new(struct hf_summer **ret)
{
	struct hf_summer *summer;

	pthread_once(&openssl.once, fetch);
	if (!openssl.mac || !openssl.have_key)
		return -ENOTSUP;
	summer = calloc(1, sizeof(*summer));
	if (!summer)
		return -ENOMEM;
	summer->ctx = EVP_MAC_CTX_new(openssl.mac);
	if (!summer->ctx || !start(summer)) {
		hf_summer_free(summer);
		return -ENOMEM;
	}
	*ret = summer;
	return 0;
}

int hf_summer_add(struct hf_summer *summer, const void *data, size_t len)
{
	return EVP_MAC_update(summer->ctx, data, len) == 1 ? 0 : -EIO;
}

int hf_summer_end(struct hf_summer *summer, uint8_t ret[HF_SUM_LEN])
{
	size_t n = 0;
	bool good = EVP_MAC_final(summer->ctx, ret, &n, HF_SUM_LEN) == 1 &&
		    n == HF_SUM_LEN && start(summer);

	return good ? 0 : -EIO;
}

void hf_summer_free(struct hf_summer *summer)
{
	if (!summer)
		return;
	EVP_MAC_CTX_free(summer->ctx);
	free(summer);
}

int hf_block_sum(const void *data, size_t len, uint8_t ret[HF_SUM_LEN])
{
	struct hf_summer *summer;
	int error = hf_summer_new(&summer);

	if (error < 0)
		return error;
	error = hf_summer_add(summer, data, len);
	if (error == 0)
		error = hf_summer_end(summer, ret);
	hf_summer_free(summer);
	return error;
}
