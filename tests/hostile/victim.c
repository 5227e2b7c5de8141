/*
 * victim: files of the sizes where something changes: nothing and one byte, a
 * page, a block, what is pinned in memory and what is not; and texts with
 * references to files that change too.
 */
#include "tests/hostile/hostile.h"

#include <stdio.h>
#include <string.h>

static const size_t sizes[] = {
	0,       1,      4095,   4096,        4097,
	131071,  131072, 131073, 1024 * 1024, 1024 * 1024 + 1,
	LARGEST,
};
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* A size has a directory with two files of any bytes, and a text without
 * references. */
static const struct {
	const char *name;
	const char *head;
} trio[] = {{"a.bin", NULL}, {"b.bin", NULL}, {"c.css", "/* "}};
#define N_TRIO (sizeof(trio) / sizeof(trio[0]))

static const struct victim texts[] = {
	{"text/top.css", 5000,
	 "@import \"mid.css\";a{background:url(a.png)}/*"},
	{"text/mid.css", 150000, "a{background:url(a.png)}/*"},
	{"text/end.css", 900000, "a{background:url(b.png)} b{c:url(a.png)}/*"},
	{"text/a.png", 3000, NULL},
	{"text/b.png", 140000, NULL},
	/* In a circle, and under names of their own: see digest_of(). */
	{"circle/one.css", 5000, "@import \"two.css\";/*"},
	{"circle/two.css", 6000,
	 "@import 'one.css';a{background:url(a.png)}/*"},
	{"circle/a.png", 100, NULL},
	{"own/a-own.bin", 4097, NULL},
	{"own/b-own.bin", 200000, NULL},
	{"own/c-own.bin", 1024 * 1024 + 77, NULL},
};
#define N_TEXTS (sizeof(texts) / sizeof(texts[0]))

size_t victims_len(void)
{
	return N_SIZES * N_TRIO + N_TEXTS;
}

const struct victim *victim_at(size_t i)
{
	static struct victim made[N_SIZES * N_TRIO];
	struct victim *victim;

	if (i >= N_SIZES * N_TRIO)
		return &texts[i - N_SIZES * N_TRIO];
	victim = &made[i];
	if (!victim->path[0]) {
		victim->size = sizes[i / N_TRIO];
		victim->head = trio[i % N_TRIO].head;
		snprintf(victim->path, sizeof(victim->path), "%zu/%s",
			 victim->size, trio[i % N_TRIO].name);
	}
	return victim;
}

void victim_fill(const struct victim *victim, char *data, size_t offset,
		 size_t len)
{
	size_t head = victim->head ? strlen(victim->head) : 0;

	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		uint64_t word = chance();

		if (victim->head) /* letters from '@' to 'O' */
			word = (word & 0x0f0f0f0f0f0f0f0f) | 0x4040404040404040;
		memcpy(data + i, &word,
		       len - i < sizeof(word) ? len - i : sizeof(word));
	}
	if (offset < head)
		memcpy(data, victim->head + offset,
		       head - offset < len ? head - offset : len);
}

size_t victim_whole(const struct victim *victim, char *data)
{
	uint64_t restart = chance();
	bool known = chance_one_in(2);
	size_t size = victim->size;

	if (known)
		chance_seed(size + restart % 2);
	else if (chance_one_in(4))
		size += chance_below(SLACK);
	else if (chance_one_in(16))
		size = chance_below(size);
	victim_fill(victim, data, 0, size);
	if (known)
		chance_seed(restart);
	return size;
}
