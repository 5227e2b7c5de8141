/*
 * The rows. Python compares str by code point, which differs from comparing
 * the bytes only where a byte is not UTF-8: its surrogate U+DC80..U+DCFF
 * sorts before U+E000, the byte itself would sort behind everything.
 */
#include "manifest/manifest.h"

#include <errno.h>
#include <string.h>

uint32_t hf_manifest_code_point(const char **text)
{
	unsigned char first = (unsigned char)**text;
	uint32_t code_point;
	size_t len;

	if (!first)
		return 0;
	if (first < 0x80) {
		++*text;
		return first;
	}
	len = hf_utf8_decode(*text, strnlen(*text, 4), &code_point);
	if (!len) {
		++*text;
		return 0xdc00u + first;
	}
	*text += len;
	return code_point;
}

int hf_manifest_compare(const char *a, const char *b)
{
	uint32_t point_a, point_b;

	/* Most names have much in common, and that is ASCII. */
	while (*a && *a == *b && (unsigned char)*a < 0x80)
		a++, b++;
	do {
		point_a = hf_manifest_code_point(&a);
		point_b = hf_manifest_code_point(&b);
	} while (point_a == point_b && point_a);
	return (point_a > point_b) - (point_a < point_b);
}

static int grow(struct hf_manifest *manifest)
{
	size_t cap = manifest->cap ? 2 * manifest->cap : 256;
	struct hf_manifest_row *rows;

	if (manifest->n < manifest->cap)
		return 0;
	rows = reallocarray(manifest->rows, cap, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	hf_heap_expect(rows, cap * sizeof(*rows));
	manifest->rows = rows;
	manifest->cap = cap;
	return 0;
}

/* Many strings together: they go with the manifest. */
#define BLOCK_LEN (64 * 1024)

struct hf_manifest_block {
	struct hf_manifest_block *next;
	size_t len;
	size_t cap;
	char *kept; /* instead, a text that came from elsewhere; or NULL */
	char text[];
};

/* Room for `len` bytes, or NULL. */
static char *reserve(struct hf_manifest *manifest, size_t len)
{
	struct hf_manifest_block *block = manifest->blocks;
	size_t cap = len > BLOCK_LEN ? len : BLOCK_LEN;
	char *at;

	if (!block || block->cap - block->len < len) {
		block = malloc(sizeof(*block) + cap);
		if (!block)
			return NULL;
		*block = (struct hf_manifest_block){.next = manifest->blocks,
						    .cap = cap};
		manifest->blocks = block;
	}
	at = block->text + block->len;
	block->len += len;
	return at;
}

/* Makes *text a copy of itself. */
static int copy_text(struct hf_manifest *manifest, const char **text)
{
	size_t len = *text ? strlen(*text) : 0;
	char *copy;

	if (len == 0) {
		*text = "";
		return 0;
	}
	copy = reserve(manifest, len + 1);
	if (!copy)
		return -ENOMEM;
	*text = memcpy(copy, *text, len + 1);
	return 0;
}

int hf_manifest_add(struct hf_manifest *manifest,
		    const struct hf_manifest_row *row)
{
	struct hf_manifest_row copy = *row;
	int error = copy_text(manifest, &copy.path);

	if (error == 0)
		error = copy_text(manifest, &copy.name);
	return error < 0 ? error : hf_manifest_add_named(manifest, &copy);
}

int hf_manifest_keep(struct hf_manifest *manifest, char *text)
{
	struct hf_manifest_block *block = malloc(sizeof(*block));

	if (!block)
		return -ENOMEM;
	*block = (struct hf_manifest_block){.next = manifest->blocks,
					    .kept = text};
	manifest->blocks = block;
	return 0;
}

int hf_manifest_add_named(struct hf_manifest *manifest,
			  const struct hf_manifest_row *row)
{
	struct hf_manifest_row copy = *row;
	const char **const texts[] = {&copy.problem, &copy.digest,
				      &copy.integrity};
	int error = grow(manifest);

	for (size_t i = 0; i < HF_ARRAY_SIZE(texts) && error == 0; i++)
		error = copy_text(manifest, texts[i]);
	/* It is the same, as a rule. */
	if (row->content == row->digest)
		copy.content = copy.digest;
	else if (error == 0)
		error = copy_text(manifest, &copy.content);
	if (error == 0)
		manifest->rows[manifest->n++] = copy;
	return error;
}

static int compare_rows(const void *a, const void *b)
{
	const struct hf_manifest_row *row_a = a, *row_b = b;

	return hf_manifest_compare(row_a->path, row_b->path);
}

static bool is_ascii(const char *text)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	size_t len = strlen(text);
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), text += sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		if (word & high)
			return false;
	}
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* Rows come sorted by their bytes, as a rule, and of ASCII. */
static bool is_sorted(const struct hf_manifest *manifest)
{
	const struct hf_manifest_row *rows = manifest->rows;

	for (size_t i = 1; i < manifest->n; i++)
		if ((strcmp(rows[i - 1].path, rows[i].path) > 0 ||
		     !is_ascii(rows[i].path)) &&
		    compare_rows(&rows[i - 1], &rows[i]) > 0)
			return false;
	return true;
}

void hf_manifest_sort(struct hf_manifest *manifest)
{
	if (!is_sorted(manifest))
		qsort(manifest->rows, manifest->n, sizeof(*manifest->rows),
		      compare_rows);
}

bool hf_manifest_listed(const struct hf_manifest_row *row)
{
	return *row->name && !row->failed;
}

bool hf_manifest_is_code(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (!strcmp(dot, ".css") || !strcmp(dot, ".js") ||
		       !strcmp(dot, ".mjs"));
}

const struct hf_manifest_row *
hf_manifest_next(const struct hf_manifest *manifest, size_t *cursor)
{
	while (*cursor < manifest->n) {
		const struct hf_manifest_row *row =
			&manifest->rows[(*cursor)++];

		if (hf_manifest_listed(row))
			return row;
	}
	return NULL;
}

const struct hf_manifest_row *
hf_manifest_find(const struct hf_manifest *manifest, const char *path)
{
	struct hf_manifest_row key = {.path = path};

	if (!manifest->n)
		return NULL;
	return bsearch(&key, manifest->rows, manifest->n,
		       sizeof(*manifest->rows), compare_rows);
}

const struct hf_manifest_row *
hf_manifest_find_name(const struct hf_manifest *manifest, const char *name,
		      size_t *cursor)
{
	while (*cursor < manifest->n) {
		const struct hf_manifest_row *row =
			&manifest->rows[(*cursor)++];

		if (*row->name && !strcmp(row->name, name))
			return row;
	}
	return NULL;
}

int hf_manifest_index(const struct hf_manifest *manifest, struct hf_map **ret)
{
	const struct hf_manifest_row *row;
	struct hf_map *map;
	uint64_t seed[2];
	size_t cursor = 0;
	int error;

	hf_random_seed(seed);
	error = hf_map_new(seed, &map);
	while (error == 0 && (row = hf_manifest_next(manifest, &cursor))) {
		error = hf_map_put(map, row->name, strlen(row->name),
				   &manifest->rows[cursor - 1]);
		if (error == -EEXIST)
			error = 0;
	}
	if (error < 0)
		hf_map_free(map);
	else
		*ret = map;
	return error;
}

const struct hf_algorithm *
hf_manifest_algorithm(const struct hf_manifest_row *row)
{
	char name[] = "sha384";

	if (strlen(row->integrity) < sizeof(name) - 1)
		return NULL;
	memcpy(name, row->integrity, sizeof(name) - 1);
	return hf_algorithm_find(name);
}

void hf_manifest_fini(struct hf_manifest *manifest)
{
	while (manifest->blocks) {
		struct hf_manifest_block *block = manifest->blocks;

		manifest->blocks = block->next;
		free(block->kept);
		free(block);
	}
	free(manifest->rows);
	free(manifest->static_url);
	*manifest = (struct hf_manifest){0};
}
