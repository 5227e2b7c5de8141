/*
 * MD5 of many messages side by side, beside OpenSSL. The input is cut into
 * messages: two bytes of length, then as many bytes as are left of those.
 */
#include "fuzz.h"

#include <string.h>

#include "fs/digest/digest.h"
#include "fs/digest/lanes.h"

#define MOST 64

static size_t cut(const uint8_t *data, size_t size, struct hf_message *ret)
{
	size_t n = 0;

	for (; size >= 2 && n < MOST; n++) {
		size_t len = (size_t)(data[0] | data[1] << 8) % 700;

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		ret[n] = (struct hf_message){.data = data, .len = len};
		data += len;
		size -= len;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_message messages[MOST];
	size_t n = cut(data, size, messages);

	for (int vectors = HF_VECTORS_PLAIN; vectors <= HF_VECTORS_BEST;
	     vectors++) {
		hf_md5_many((enum hf_vectors)vectors, messages, n);
		for (size_t i = 0; i < n; i++) {
			struct hf_digest expected;

			PROMISE(hf_hash(hf_algorithm_find("md5"),
					messages[i].data, messages[i].len,
					&expected) == 0);
			PROMISE(memcmp(expected.bytes, messages[i].md5, 16) ==
				0);
		}
	}
	return 0;
}
