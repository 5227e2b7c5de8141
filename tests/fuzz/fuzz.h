/*
 * What libFuzzer calls, and replay.c without it. An input that breaks a
 * promise ends the program.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert(), whatever NDEBUG says. */
#define PROMISE(condition)                                                     \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__,       \
				__LINE__, #condition);                         \
			abort();                                               \
		}                                                              \
	} while (0)

static inline bool is_utf8(const char *text, size_t len)
{
	uint32_t code_point;
	size_t n;

	for (; len > 0; text += n, len -= n)
		if ((n = hf_utf8_decode(text, len, &code_point)) == 0)
			return false;
	return true;
}

#endif
