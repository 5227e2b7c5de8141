/* fs/digest/hash.c: digests as the standards print them, and block sums. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fs/digest/internal.h"

#define MILLION 1000000

static void assert_digest(const char *algorithm, const void *data, size_t len,
			  const char *expected)
{
	const struct hf_algorithm *found = hf_algorithm_find(algorithm);
	struct hf_digest digest;
	char hex[HF_DIGEST_HEX_MAX + 1];

	assert_non_null(found);
	assert_int_equal(hf_hash(found, data, len, &digest), 0);
	assert_int_equal(digest.len, hf_algorithm_len(found));
	hf_digest_hex(&digest, hex);
	assert_string_equal(hex, expected);
}

static void assert_text(const char *algorithm, const char *text,
			const char *expected)
{
	assert_digest(algorithm, text, strlen(text), expected);
}

/* "abc" and the 56 letters of FIPS 180. */
#define LETTERS "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"

/* --- vectors ------------------------------------------------------------- */

/* RFC 1321, appendix A.5. */
static void md5_of_rfc_1321(void **state)
{
	(void)state;
	assert_text("md5", "", "d41d8cd98f00b204e9800998ecf8427e");
	assert_text("md5", "a", "0cc175b9c0f1b6a831c399e269772661");
	assert_text("md5", "abc", "900150983cd24fb0d6963f7d28e17f72");
	assert_text("md5", "message digest",
		    "f96b697d7cb7938d525a2f31aaf161d0");
	assert_text("md5", "abcdefghijklmnopqrstuvwxyz",
		    "c3fcd3d76192e4007dfb496cca67e13b");
	assert_text("md5",
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789",
		    "d174ab98d277d9f5a5611c2c9f419d9f");
	assert_text("md5",
		    "1234567890123456789012345678901234567890"
		    "1234567890123456789012345678901234567890",
		    "57edf4a22be3c955ac49da2e2107b67a");
}

static void sha_of_fips_180(void **state)
{
	(void)state;
	assert_text("sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_text("sha1", LETTERS,
		    "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	assert_text("sha256", "abc",
		    "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad");
	assert_text("sha256", LETTERS,
		    "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1");
	assert_text("sha384", "abc",
		    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
		    "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
	assert_text("sha384", LETTERS,
		    "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05ab"
		    "fe8f450de5f36bc6b0455a8520bc4e6f5fe95b1fe3c8452b");
	assert_text("sha512", "abc",
		    "ddaf35a193617abacc417349ae204131"
		    "12e6fa4e89a97ea20a9eeee64b55d39a"
		    "2192992a274fc1a836ba3c23a3feebbd"
		    "454d4423643ce80e2a9ac94fa54ca49f");
	assert_text("sha512", LETTERS,
		    "204a8fc6dda82f0a0ced7beb8e08a416"
		    "57c16ef468b228a8279be331a703c335"
		    "96fd15c13b1b07f9aa1d3bea57789ca0"
		    "31ad85c7a71dd70354ec631238ca3445");
}

static void nothing_has_a_digest(void **state)
{
	(void)state;
	assert_text("sha1", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_text("sha256", "",
		    "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855");
	assert_text("sha384", "",
		    "38b060a751ac96384cd9327eb1b1e36a21fdb71114be0743"
		    "4c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b");
	assert_text("sha512", "",
		    "cf83e1357eefb8bdf1542850d66d8007"
		    "d620e4050b5715dc83f4a921d36ce9ce"
		    "47d0d13c5d85f2b0ff8318d2877eec2f"
		    "63b931bd47417a81a538327af927da3e");
}

static void a_million_letters(void **state)
{
	char *text = malloc(MILLION);

	(void)state;
	memset(text, 'a', MILLION);
	assert_digest("md5", text, MILLION, "7707d6ae4e027c70eea2a935c2296f21");
	assert_digest("sha1", text, MILLION,
		      "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	assert_digest("sha256", text, MILLION,
		      "cdc76e5c9914fb9281a1c7e284d73e67"
		      "f1809a48a497200e046d39ccc7112cd0");
	free(text);
}

/* --- names, hex, equality ------------------------------------------------ */

static void algorithms_have_names(void **state)
{
	static const char *const names[] = {"md5", "sha1", "sha256", "sha384",
					    "sha512"};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		assert_string_equal(
			hf_algorithm_name(hf_algorithm_find(names[i])),
			names[i]);
	assert_null(hf_algorithm_find("MD5"));
	assert_null(hf_algorithm_find("md4"));
	assert_null(hf_algorithm_find(""));
}

static void hex_is_lower_case(void **state)
{
	struct hf_digest digest = {.len = 4, .bytes = {0x00, 0x9a, 0xBC, 0xff}};
	struct hf_digest none = {0};
	char hex[HF_DIGEST_HEX_MAX + 1];

	(void)state;
	hf_digest_hex(&digest, hex);
	assert_string_equal(hex, "009abcff");
	hf_digest_hex(&none, hex);
	assert_string_equal(hex, "");
}

static void equal_in_length_and_bytes(void **state)
{
	struct hf_digest a = {.len = 2, .bytes = {1, 2, 3}};
	struct hf_digest b = {.len = 2, .bytes = {1, 2, 4}};

	(void)state;
	assert_true(hf_digest_equal(&a, &b));
	b.bytes[1] = 9;
	assert_false(hf_digest_equal(&a, &b));
	b = a;
	b.len = 3;
	assert_false(hf_digest_equal(&a, &b));
}

static void pieces_make_the_same_digest(void **state)
{
	const struct hf_algorithm *md5 = hf_algorithm_find("md5");
	struct hf_digest whole;

	(void)state;
	assert_int_equal(hf_hash(md5, LETTERS, strlen(LETTERS), &whole), 0);
	for (size_t cut = 0; cut <= strlen(LETTERS); cut++) {
		struct hf_hasher *hasher;
		struct hf_digest digest;

		assert_int_equal(hf_hasher_new(md5, &hasher), 0);
		assert_int_equal(hf_hasher_add(hasher, LETTERS, cut), 0);
		assert_int_equal(hf_hasher_add(hasher, LETTERS + cut,
					       strlen(LETTERS) - cut),
				 0);
		assert_int_equal(hf_hasher_end(hasher, &digest), 0);
		assert_true(hf_digest_equal(&digest, &whole));
		hf_hasher_free(hasher);
	}
	hf_hasher_free(NULL);
}

/* --- block sums ---------------------------------------------------------- */

static char block[HF_BLOCK_LEN];

static void assert_sum_changes(const uint8_t sum[HF_SUM_LEN], size_t len)
{
	uint8_t other[HF_SUM_LEN];

	assert_int_equal(hf_block_sum(block, len, other), 0);
	assert_memory_not_equal(other, sum, HF_SUM_LEN);
}

static void equal_blocks_have_equal_sums(void **state)
{
	uint8_t a[HF_SUM_LEN];
	uint8_t b[HF_SUM_LEN];
	char *copy = malloc(HF_BLOCK_LEN);

	(void)state;
	memcpy(copy, block, HF_BLOCK_LEN);
	assert_int_equal(hf_block_sum(block, HF_BLOCK_LEN, a), 0);
	assert_int_equal(hf_block_sum(copy, HF_BLOCK_LEN, b), 0);
	assert_memory_equal(a, b, HF_SUM_LEN);
	free(copy);
}

static void any_change_shows_in_the_sum(void **state)
{
	uint8_t sum[HF_SUM_LEN];

	(void)state;
	assert_int_equal(hf_block_sum(block, HF_BLOCK_LEN, sum), 0);
	for (size_t i = 0; i < HF_BLOCK_LEN; i += 4099) {
		block[i] ^= 1;
		assert_sum_changes(sum, HF_BLOCK_LEN);
		block[i] ^= 1;
	}
	block[HF_BLOCK_LEN - 1] ^= (char)0x80;
	assert_sum_changes(sum, HF_BLOCK_LEN);
	block[HF_BLOCK_LEN - 1] ^= (char)0x80;
	/* Zeros at the end are bytes, too. */
	assert_sum_changes(sum, HF_BLOCK_LEN - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_of_rfc_1321),
		cmocka_unit_test(sha_of_fips_180),
		cmocka_unit_test(nothing_has_a_digest),
		cmocka_unit_test(a_million_letters),
		cmocka_unit_test(algorithms_have_names),
		cmocka_unit_test(hex_is_lower_case),
		cmocka_unit_test(equal_in_length_and_bytes),
		cmocka_unit_test(pieces_make_the_same_digest),
		cmocka_unit_test(equal_blocks_have_equal_sums),
		cmocka_unit_test(any_change_shows_in_the_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
