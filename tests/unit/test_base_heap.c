/* fs/base/heap.c: memory that nobody uses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "fs/base/base.h"
#include "tests/unit/resident.h"

#define N_PIECES 400
#define PIECE_LEN 65536
#define MIB 1024 /* KiB */

/* All of them at a time; what they leave is the free end of a heap. */
static void *use_pieces(void *arg)
{
	static void *pieces[N_PIECES];

	for (size_t i = 0; i < N_PIECES; i++) {
		pieces[i] = malloc(PIECE_LEN);
		memset(pieces[i], 1, PIECE_LEN);
	}
	for (size_t i = 0; i < N_PIECES; i++)
		free(pieces[i]);
	return arg;
}

/* Memory that a thread has used is given back although there was a long block,
 * once. */
static void a_heap_has_no_long_free_end(void **state)
{
	char *block = malloc(24 << 20);
	pthread_t thread;
	long before;

	(void)state;
	assert_non_null(block);
	hf_heap_keep_short();
	memset(block, 1, 24 << 20);
	free(block);
	before = own_memory();
	assert_int_equal(pthread_create(&thread, NULL, use_pieces, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (KEEPS_MEMORY)
		assert_true(own_memory() < before + 5 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_heap_has_no_long_free_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
