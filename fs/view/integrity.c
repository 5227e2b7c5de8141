/*
 * integrity: what browsers check the bytes of a name by. It is known by
 * (path, content digest), since whoever hashed the bytes for the one had them
 * at hand for the other. A path has two places, for its bytes as they are and
 * for its rewritten text, or a text would be read anew each time.
 */
#include "fs/view/walk.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {"sha256", "sha384", "sha512"};

/* Of what is remembered: bytes as they are, and rewritten ones. */
enum place {
	VERBATIM,
	WRITTEN,
};

struct hf_integrities {
	struct hf_cache *cache;
	uint64_t realms[HF_ARRAY_SIZE(names)][2];
};

/* All that the digests depend on besides their paths. */
static int describe(const struct hf_view *view, const char *name,
		    struct hf_buf *ret)
{
	int error = 0;
	bool lasting;

	hf_buf_printf(ret, "integrity %s %s\n", name,
		      hf_algorithm_name(view->config->algorithm));
	for (unsigned i = 0; i < hf_source_len(view->source) && error == 0; i++)
		error = hf_source_identity(view->source, i, ret, &lasting);
	return error < 0 ? error : hf_buf_status(ret);
}

int hf_integrities_new(const struct hf_view *view, struct hf_integrities **ret)
{
	struct hf_integrities *integrities = calloc(1, sizeof(*integrities));
	int error = integrities ? 0 : -ENOMEM;

	for (size_t i = 0; i < HF_ARRAY_SIZE(names) && error == 0; i++) {
		HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

		error = describe(view, names[i], &text);
		if (error == 0)
			hf_cache_realm(view->cache, text.data, text.len,
				       integrities->realms[i]);
	}
	if (error < 0) {
		free(integrities);
		return error;
	}
	integrities->cache = view->cache;
	*ret = integrities;
	return 0;
}

void hf_integrities_free(struct hf_integrities *integrities)
{
	free(integrities);
}

static struct hf_key key_of(const struct hf_integrities *integrities,
			    const struct hf_algorithm *algorithm,
			    const char *path, enum place place)
{
	struct hf_key key;
	size_t i = 0;

	while (i + 1 < HF_ARRAY_SIZE(names) &&
	       strcmp(names[i], hf_algorithm_name(algorithm)) != 0)
		i++;
	hf_key_of(integrities->realms[i], path, &key);
	key.file[0] ^= place;
	return key;
}

/* --- what is remembered ------------------------------------------------------ */

static void put(struct hf_integrities *integrities,
		const struct hf_algorithm *algorithm, const char *path,
		enum place place, const struct hf_digest *content,
		const struct hf_digest *integrity)
{
	struct hf_key key = key_of(integrities, algorithm, path, place);
	char data[2 * HF_DIGEST_MAX];

	memcpy(data, content->bytes, content->len);
	memcpy(data + content->len, integrity->bytes, integrity->len);
	hf_cache_put(integrities->cache, &key, true, data,
		     content->len + integrity->len);
}

static bool get(struct hf_integrities *integrities,
		const struct hf_algorithm *algorithm, const char *path,
		enum place place, const struct hf_digest *content,
		struct hf_digest *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf data = {0};
	struct hf_key key = key_of(integrities, algorithm, path, place);
	unsigned len = hf_algorithm_len(algorithm);

	if (!hf_cache_get(integrities->cache, &key, &data) ||
	    data.len != content->len + len ||
	    memcmp(data.data, content->bytes, content->len) != 0)
		return false;
	*ret = (struct hf_digest){.len = (uint8_t)len};
	memcpy(ret->bytes, data.data + content->len, len);
	return true;
}

void hf_integrity_second(void *arg, const char *path,
			 const struct hf_digest *digest,
			 const struct hf_digest *second)
{
	struct hf_view *view = arg;

	put(view->integrities, view->config->integrity, path, VERBATIM, digest,
	    second);
}

void hf_integrity_written(struct hf_view *view, const char *path,
			  const struct hf_digest *digest,
			  const struct hf_buf *text)
{
	const struct hf_algorithm *algorithm = view->config->integrity;
	struct hf_digest integrity;

	/* What fails here is worked out, or fails, when it is asked for. */
	if (algorithm && hf_hash(algorithm, text->len ? text->data : "",
				 text->len, &integrity) == 0)
		put(view->integrities, algorithm, path, WRITTEN, digest,
		    &integrity);
}

/* --- what is read for it ------------------------------------------------------ */

/* What one answer is made of. */
struct question {
	struct hf_walk *walk;
	const struct hf_entry *entry;
	const char *path;
	const struct hf_algorithm *algorithm;
	struct hf_wait *wait;
	struct hf_digest content;
};

static int hash_bytes(const struct question *question,
		      struct hf_verified *verified, struct hf_digest *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf scratch = {0};
	struct hf_hasher *hasher = NULL;
	uint64_t offset = 0;
	size_t len = 1;
	int error = hf_hasher_new(question->algorithm, &hasher);

	while (error == 0 && len > 0) {
		const char *data;

		if (hf_wait_interrupted(question->wait))
			error = -EINTR;
		if (error == 0)
			error = hf_verified_read(verified, offset, HF_BLOCK_LEN,
						 &scratch, &data, &len);
		if (error == 0)
			error = hf_hasher_add(hasher, data, len);
		offset += len;
	}
	if (error == 0)
		error = hf_hasher_end(hasher, ret);
	hf_hasher_free(hasher);
	return error;
}

static int read_verbatim(const struct question *question, struct hf_digest *ret)
{
	struct hf_view *view = question->walk->view;
	const struct hf_expected expected = {.digest = question->content,
					     .size = question->entry->size};
	struct hf_verified *verified;
	int error = hf_digests_open(view->digests, question->entry->root,
				    question->path, &expected, question->wait,
				    &verified);

	if (error < 0)
		return error;
	error = hash_bytes(question, verified, ret);
	hf_verified_unref(verified);
	if (error == 0)
		put(view->integrities, question->algorithm, question->path,
		    VERBATIM, &question->content, ret);
	return error;
}

/* As hf_graph_text. A frozen graph holds every text, and is only read. */
static int write_text(const struct question *question, bool *verbatim,
		      struct hf_buf *ret, struct hf_digest *digest)
{
	struct hf_graph *graph = question->walk->graph;
	const struct hf_vertex *vertex;

	if (!question->walk->view->frozen)
		return hf_graph_text(graph, question->path, question->wait,
				     verbatim, ret, digest);
	vertex = hf_graph_find(graph, question->path);
	return vertex ? hf_writing_again(graph, vertex, question->wait,
					 verbatim, ret, digest)
		      : -ESTALE;
}

static int read_text(const struct question *question, struct hf_digest *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	struct hf_digest digest;
	bool verbatim;
	int error = write_text(question, &verbatim, &text, &digest);

	if (error < 0)
		return error;
	if (verbatim)
		return read_verbatim(question, ret);
	if (!hf_digest_equal(&digest, &question->content))
		return -ESTALE;
	error = hf_hash(question->algorithm, text.len ? text.data : "",
			text.len, ret);
	if (error == 0)
		put(question->walk->view->integrities, question->algorithm,
		    question->path, WRITTEN, &question->content, ret);
	return error;
}

/* --- the question ------------------------------------------------------------- */

/* A kept or plain file of a live view has no digest yet. */
static int find_content(struct question *question, const struct hf_stop *stop)
{
	const struct hf_entry *entry = question->entry;
	const struct hf_source_entry *source;
	struct hf_fact fact;
	struct hf_sig sig;
	int error;

	question->content = entry->digest;
	if (entry->digest.len)
		return 0;
	source = hf_source_list_find(stop->listing->list, entry->source);
	if (!source)
		return -ESTALE;
	sig = hf_sig_of(&source->st);
	error = hf_digests_get(question->walk->view->digests, entry->root,
			       question->path, &sig, question->wait, &fact);
	if (error == 0)
		question->content = fact.digest;
	return error;
}

int hf_integrity_find(struct hf_walk *walk, const struct hf_stop *stop,
		      size_t i, const char *path,
		      const struct hf_algorithm *algorithm,
		      struct hf_wait *wait, struct hf_digest *ret)
{
	struct question question = {
		.walk = walk,
		.entry = hf_listing_entry(stop->listing, i),
		.path = path,
		.algorithm = algorithm,
		.wait = wait,
	};
	struct hf_integrities *integrities = walk->view->integrities;
	int error = find_content(&question, stop);

	if (error < 0 ||
	    get(integrities, algorithm, path, VERBATIM, &question.content,
		ret) ||
	    get(integrities, algorithm, path, WRITTEN, &question.content, ret))
		return error;
	if (question.entry->kind == HF_KIND_HASHED &&
	    hf_view_is_text(walk->view, path))
		return read_text(&question, ret);
	return read_verbatim(&question, ret);
}
