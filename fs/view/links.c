/*
 * links: which paths a text refers to, by its bytes and its place in the tree.
 * What was found once is remembered as long as the view lives, since equal
 * bytes in the same place refer to the same paths.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

const struct hf_links hf_links_too_large = {.verbatim = true,
					    .too_large = true};

struct record {
	uint64_t key[2];
	struct hf_links links;
};

struct hf_linkbook {
	const struct hf_view *view;
	uint64_t seed[2];
	pthread_mutex_t lock;
	struct hf_map *records; /* protected by lock; owns its values */
};

int hf_linkbook_new(const struct hf_view *view, struct hf_linkbook **ret)
{
	struct hf_linkbook *book = calloc(1, sizeof(*book));

	if (!book)
		return -ENOMEM;
	book->view = view;
	hf_random_seed(book->seed);
	if (hf_map_new(book->seed, &book->records) < 0) {
		free(book);
		return -ENOMEM;
	}
	pthread_mutex_init(&book->lock, NULL);
	*ret = book;
	return 0;
}

static void record_free(struct record *record)
{
	hf_strings_fini(&record->links.paths);
	free(record);
}

void hf_linkbook_free(struct hf_linkbook *book)
{
	struct record *record;
	size_t cursor = 0;

	if (!book)
		return;
	while ((record = hf_map_next(book->records, &cursor)))
		record_free(record);
	hf_map_free(book->records);
	pthread_mutex_destroy(&book->lock);
	free(book);
}

bool hf_text_fits(uint64_t size)
{
	return size <= HF_TEXT_MAX;
}

bool hf_linkbook_wants(void *arg, const char *path, uint64_t size)
{
	const struct hf_linkbook *book = arg;

	return hf_text_fits(size) && hf_view_is_text(book->view, path);
}

/* --- finding out ----------------------------------------------------------- */

/* While a text is searched for what it refers to. */
struct search {
	const struct hf_view *view;
	struct hf_strings *paths;
};

static bool is_listed(const struct hf_strings *paths, const char *path)
{
	/* The same file is often named several times in a row. */
	for (size_t i = paths->n; i > 0 && paths->n - i < 16; i--)
		if (strcmp(paths->items[i - 1], path) == 0)
			return true;
	return false;
}

/*
 * Every path is noted and stays as it is in the text. The text that later
 * patterns read is then the original one, which differs from what they will
 * read only inside references. If they find more in that, component.c sees to
 * it.
 */
static int note(void *arg, const char *path, enum hf_target *target,
		struct hf_buf *ret)
{
	struct search *search = arg;

	(void)ret;
	*target = HF_TARGET_STAY;
	if (is_listed(search->paths, path))
		return 0;
	return hf_strings_add(search->paths, path, strlen(path));
}

static int find_links(const struct hf_view *view, const char *path,
		      const char *data, size_t len, struct hf_links *ret)
{
	struct search search = {.view = view, .paths = &ret->paths};
	struct hf_refs_caller caller = {.arg = &search, .resolve = note};
	struct hf_buf text = {0};
	int error = hf_refs_rewrite(&view->config->refs, path, data, len,
				    &caller, &text);

	ret->verbatim = error == -EILSEQ ||
			(ret->paths.n == 0 && error == 0 && text.len == len &&
			 (len == 0 || memcmp(text.data, data, len) == 0));
	ret->not_utf8 = error == -EILSEQ;
	hf_buf_fini(&text);
	return error == -EILSEQ ? 0 : error;
}

/* --- remembering ------------------------------------------------------------- */

static void key_of(const struct hf_linkbook *book, const char *path,
		   const struct hf_digest *digest, uint64_t ret[2])
{
	uint64_t seed[2];

	hf_siphash128(book->seed, digest->bytes, digest->len, seed);
	hf_siphash128(seed, path, strlen(path), ret);
}

void hf_linkbook_inspect(void *arg, const char *path,
			 const struct hf_digest *digest, const char *data,
			 size_t len)
{
	struct hf_linkbook *book = arg;
	struct record *record = calloc(1, sizeof(*record));
	int error = record ? 0 : -ENOMEM;

	if (error == 0) {
		key_of(book, path, digest, record->key);
		error = find_links(book->view, path, data, len, &record->links);
	}
	if (error == 0) {
		pthread_mutex_lock(&book->lock);
		error = hf_map_put(book->records, record->key,
				   sizeof(record->key), record);
		pthread_mutex_unlock(&book->lock);
	}
	/* Known already, or no memory: whoever asks finds out again. */
	if (error < 0 && record)
		record_free(record);
}

const struct hf_links *hf_linkbook_find(struct hf_linkbook *book,
					const char *path,
					const struct hf_digest *digest)
{
	struct record *record;
	uint64_t key[2];

	key_of(book, path, digest, key);
	pthread_mutex_lock(&book->lock);
	record = hf_map_get(book->records, key, sizeof(key));
	pthread_mutex_unlock(&book->lock);
	return record ? &record->links : NULL;
}
