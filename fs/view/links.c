/*
 * links: which paths a text refers to, by its bytes and its place in the tree.
 */
#include "fs/view/graph.h"

#include <errno.h>
#include <string.h>

void hf_link_of(const char *path, bool shown, struct hf_buf *ret)
{
	hf_buf_puts(ret, shown ? "" : HF_LINK_UNSHOWN);
	hf_buf_puts(ret, path);
}

bool hf_text_fits(uint64_t size)
{
	return size <= HF_TEXT_MAX;
}

bool hf_links_wanted(void *arg, const char *path, uint64_t size)
{
	return hf_text_fits(size) && hf_view_is_text(arg, path);
}

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
static int note(void *arg, const char *path, bool shown, enum hf_target *target,
		struct hf_buf *ret)
{
	struct search *search = arg;
	struct hf_buf link = {0};
	int error;

	(void)ret;
	*target = HF_TARGET_STAY;
	hf_link_of(path, shown, &link);
	error = hf_buf_status(&link);
	if (error == 0 && !is_listed(search->paths, link.data))
		error = hf_strings_add(search->paths, link.data, link.len);
	hf_buf_fini(&link);
	return error;
}

int hf_links_find(const struct hf_view *view, const char *path,
		  const char *data, size_t len, struct hf_links *ret)
{
	struct hf_links links = {0};
	struct search search = {.view = view, .paths = &links.paths};
	struct hf_refs_caller caller = {.arg = &search, .resolve = note};
	bool same = false;
	int error = hf_refs_search(&view->config->refs, path, data, len,
				   &caller, &same);

	links.verbatim =
		error == -EILSEQ || (error == 0 && links.paths.n == 0 && same);
	links.not_utf8 = error == -EILSEQ;
	if (error < 0 && error != -EILSEQ) {
		hf_links_fini(&links);
		return error;
	}
	*ret = links;
	return 0;
}

bool hf_links_inspect(void *arg, const char *path,
		      const struct hf_digest *digest, const char *data,
		      size_t len)
{
	const struct hf_view *view = arg;
	struct hf_links links = {0};
	bool written;

	if (!hf_texts_links(view->texts, path, digest, &links)) {
		/* Without memory, whoever asks finds out again. */
		if (hf_links_find(view, path, data, len, &links) < 0)
			return false;
		hf_texts_put_links(view->texts, path, digest, &links);
	}
	written = !links.verbatim;
	hf_links_fini(&links);
	return written;
}
