/*
 * texts: what is remembered of texts, which saves reading them again: what
 * each refers to, by the digest of its bytes, and what it was named, by all
 * that its rewritten bytes depend on. As bytes:
 *
 *   links: digest | flags 1 | paths, each with its NUL
 *   name:  key 16 | circular 1 | size 8 | name digest | content digest
 *
 * where a digest is its length, 1, and its bytes; numbers are little endian.
 */
#include "fs/view/graph.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define VERBATIM 1
#define NOT_UTF8 2

struct hf_texts {
	struct hf_cache *cache;
	uint64_t realm[2];
};

/* All that links depend on besides path and digest; and more, so that views
 * of different trees and names do not overwrite each other's. */
static int describe(const struct hf_view *view, struct hf_buf *ret)
{
	const struct hf_config *config = view->config;
	int error = 0;
	bool lasting;

	hf_buf_printf(ret, "texts %s %s %d %d %u %s\n%s\n", HF_RULES,
		      hf_algorithm_name(config->algorithm),
		      (int)config->refs.profile, config->refs.js_modules,
		      config->hash_len, config->static_url,
		      config->name_template);
	for (unsigned i = 0; i < hf_source_len(view->source) && error == 0; i++)
		error = hf_source_identity(view->source, i, ret, &lasting);
	return error < 0 ? error : hf_buf_status(ret);
}

int hf_texts_new(const struct hf_view *view, struct hf_texts **ret)
{
	struct hf_texts *texts = calloc(1, sizeof(*texts));
	struct hf_buf text = {0};
	int error = texts ? describe(view, &text) : -ENOMEM;

	if (error == 0) {
		texts->cache = view->cache;
		hf_cache_realm(view->cache, text.data, text.len, texts->realm);
		*ret = texts;
	} else {
		free(texts);
	}
	hf_buf_fini(&text);
	return error;
}

void hf_texts_free(struct hf_texts *texts)
{
	free(texts);
}

void hf_texts_dir(const struct hf_texts *texts, const char *dir,
		  uint64_t ret[2])
{
	hf_key_of_dir(texts->realm, dir, ret);
}

/* Links and names stand in one place. */
static struct hf_key links_key(const struct hf_texts *texts, const char *path)
{
	struct hf_key key;

	hf_key_of(texts->realm, path, &key);
	return key;
}

static struct hf_key name_key(const struct hf_texts *texts, const char *path)
{
	struct hf_key key = links_key(texts, path);

	key.file[0] = ~key.file[0];
	return key;
}

/* --- bytes ------------------------------------------------------------------ */

/* What is left to be read. */
struct bytes {
	const char *data;
	size_t len;
};

static bool read_bytes(struct bytes *from, void *ret, size_t len)
{
	if (from->len < len)
		return false;
	memcpy(ret, from->data, len);
	from->data += len;
	from->len -= len;
	return true;
}

static bool read_digest(struct bytes *from, struct hf_digest *ret)
{
	memset(ret, 0, sizeof(*ret));
	return read_bytes(from, &ret->len, 1) && ret->len <= HF_DIGEST_MAX &&
	       read_bytes(from, ret->bytes, ret->len);
}

static void add_digest(struct hf_buf *ret, const struct hf_digest *digest)
{
	hf_buf_putc(ret, (char)digest->len);
	hf_buf_add(ret, digest->bytes, digest->len);
}

/* --- links ------------------------------------------------------------------- */

void hf_links_fini(struct hf_links *links)
{
	hf_strings_fini(&links->paths);
	*links = (struct hf_links){0};
}

static int read_paths(struct bytes *from, struct hf_strings *ret)
{
	while (from->len > 0) {
		size_t len = strnlen(from->data, from->len);
		int error;

		if (len == from->len)
			return -EBADMSG;
		error = hf_strings_add(ret, from->data, len);
		if (error < 0)
			return error;
		from->data += len + 1;
		from->len -= len + 1;
	}
	return 0;
}

static bool read_links(struct bytes from, const struct hf_digest *wanted,
		       struct hf_links *ret)
{
	struct hf_links links = {0};
	struct hf_digest digest;
	uint8_t flags;

	if (!read_digest(&from, &digest) || !read_bytes(&from, &flags, 1) ||
	    !hf_digest_equal(&digest, wanted))
		return false;
	links.verbatim = flags & VERBATIM;
	links.not_utf8 = flags & NOT_UTF8;
	if (read_paths(&from, &links.paths) < 0) {
		hf_links_fini(&links);
		return false;
	}
	*ret = links;
	return true;
}

bool hf_texts_links(struct hf_texts *texts, const char *path,
		    const struct hf_digest *digest, struct hf_links *ret)
{
	struct hf_key key = links_key(texts, path);
	struct hf_buf data = {0};
	bool found =
		hf_cache_get(texts->cache, &key, &data) &&
		read_links((struct bytes){data.data, data.len}, digest, ret);

	hf_buf_fini(&data);
	return found;
}

bool hf_texts_verbatim(struct hf_texts *texts, const char *path,
		       const struct hf_digest *digest)
{
	struct hf_links links = {0};
	bool verbatim =
		hf_texts_links(texts, path, digest, &links) && links.verbatim;

	hf_links_fini(&links);
	return verbatim;
}

void hf_texts_put_links(struct hf_texts *texts, const char *path,
			const struct hf_digest *digest,
			const struct hf_links *links)
{
	struct hf_key key = links_key(texts, path);
	struct hf_buf data = {0};

	add_digest(&data, digest);
	hf_buf_putc(&data, (char)((links->verbatim ? VERBATIM : 0) |
				  (links->not_utf8 ? NOT_UTF8 : 0)));
	for (size_t i = 0; i < links->paths.n; i++)
		hf_buf_add(&data, links->paths.items[i],
			   strlen(links->paths.items[i]) + 1);
	if (hf_buf_status(&data) == 0)
		hf_cache_put(texts->cache, &key, true, data.data, data.len);
	hf_buf_fini(&data);
}

/* --- names ------------------------------------------------------------------- */

void hf_texts_key(const struct hf_texts *texts, const struct hf_buf *text,
		  uint64_t ret[2])
{
	hf_siphash128(texts->realm, text->data, text->len, ret);
	ret[0] = htole64(ret[0]);
	ret[1] = htole64(ret[1]);
}

static bool read_name(struct bytes from, const uint64_t wanted[2],
		      struct hf_named *ret)
{
	struct hf_named named = {0};
	uint64_t key[2];
	uint64_t size;
	uint8_t circular;

	if (!read_bytes(&from, key, sizeof(key)) ||
	    !read_bytes(&from, &circular, 1) ||
	    !read_bytes(&from, &size, sizeof(size)) ||
	    !read_digest(&from, &named.name) ||
	    !read_digest(&from, &named.content))
		return false;
	if (wanted && memcmp(key, wanted, sizeof(key)) != 0)
		return false;
	named.circular = circular;
	named.size = le64toh(size);
	*ret = named;
	return true;
}

bool hf_texts_name(struct hf_texts *texts, const char *path,
		   const uint64_t key[2], struct hf_named *ret)
{
	struct hf_key own = name_key(texts, path);
	struct hf_buf data = {0};
	bool found = hf_cache_get(texts->cache, &own, &data) &&
		     read_name((struct bytes){data.data, data.len}, key, ret);

	hf_buf_fini(&data);
	return found;
}

void hf_texts_put_name(struct hf_texts *texts, const char *path,
		       const uint64_t key[2], const struct hf_named *named)
{
	struct hf_key own = name_key(texts, path);
	struct hf_buf data = {0};
	uint64_t size = htole64(named->size);

	hf_buf_add(&data, key, 2 * sizeof(key[0]));
	hf_buf_putc(&data, named->circular);
	hf_buf_add(&data, &size, sizeof(size));
	add_digest(&data, &named->name);
	add_digest(&data, &named->content);
	if (hf_buf_status(&data) == 0)
		hf_cache_put(texts->cache, &own, true, data.data, data.len);
	hf_buf_fini(&data);
}
