/*
 * A view over a tree of files, for tests. Time is turned by hand: this header
 * stands in for fs/base/clock.c in the program that includes it.
 */
#ifndef HF_TESTS_SCENE_H
#define HF_TESTS_SCENE_H

#include "tests/unit/tree.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "fs/view/view.h"

#define HOUR_NS (INT64_C(3600) * 1000000000)
/* Of hashed files, where no other is chosen. */
#define DEFAULT_MTIME 946684800

typedef char name_buf[NAME_MAX + 1];

/* An hour ahead of the files, all of them are quiet; 0: they are racy. */
static atomic_int_least64_t scene_ahead_ns;

int64_t hf_clock_realtime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec +
	       atomic_load(&scene_ahead_ns);
}

void hf_random_seed(uint64_t seed[2])
{
	if (getentropy(seed, 2 * sizeof(seed[0])) < 0)
		abort();
}

struct scene {
	struct tree tree;
	struct hf_config config;
	struct hf_view *view; /* NULL before scene_open */
	struct hf_node *top;
	struct hf_wait wait;
};

static inline int scene_set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	tree_make(&scene->tree);
	hf_wait_init(&scene->wait);
	atomic_store(&scene_ahead_ns, HOUR_NS);
	*state = scene;
	return 0;
}

static inline void scene_close(struct scene *scene)
{
	if (!scene->view)
		return;
	hf_node_unref(scene->top);
	hf_view_free(scene->view);
	hf_config_fini(&scene->config);
	scene->view = NULL;
}

static inline int scene_tear_down(void **state)
{
	struct scene *scene = *state;

	tree_regain_root();
	scene_close(scene);
	hf_wait_fini(&scene->wait);
	tree_free(&scene->tree);
	free(scene);
	return 0;
}

/*
 * Opens a view of SOURCES in which every "@" is the tree, with -o OPTIONS
 * ("" for none); a view that was open before is closed.
 */
static inline void scene_open(struct scene *scene, const char *sources,
			      const char *options)
{
	struct hf_option_set set;
	struct hf_buf text = {0};
	char *why = NULL;

	scene_close(scene);
	for (; *sources; sources++) {
		if (*sources == '@')
			hf_buf_puts(&text, scene->tree.top);
		else
			hf_buf_putc(&text, *sources);
	}
	assert_int_equal(hf_config_init(&scene->config), 0);
	scene->config.cache = strdup(HF_CACHE_NONE);
	assert_int_equal(hf_root_specs_parse(&scene->config.source.roots,
					     text.data, &why),
			 0);
	set = hf_config_options(&scene->config);
	assert_int_equal(hf_options_parse(&set, 1, options, &why), 0);
	assert_int_equal(hf_config_check(&scene->config, &why), 0);
	assert_int_equal(hf_view_new(&scene->config, 0, &scene->view, &why), 0);
	assert_int_equal(hf_view_root(scene->view, &scene->top), 0);
	hf_buf_fini(&text);
}

/* The base name that a file of these bytes gets: before.HASHafter. */
static inline const char *scene_name(const char *before, const char *after,
				     const char *text, char ret[NAME_MAX + 1])
{
	char hex[HF_DIGEST_HEX_MAX + 1];
	struct hf_digest digest;

	assert_int_equal(
		hf_hash(hf_algorithm_find("md5"), text, strlen(text), &digest),
		0);
	hf_digest_hex(&digest, hex);
	snprintf(ret, NAME_MAX + 1, "%s.%.12s%s", before, hex, after);
	return ret;
}

/* Looks a presented path up, name by name. */
static inline int scene_find(struct scene *scene, const char *path,
			     struct hf_node **ret)
{
	struct hf_node *node = hf_node_ref(scene->top);
	int error = 0;

	while (*path && error == 0) {
		size_t len = strcspn(path, "/");
		char name[NAME_MAX + 1];
		struct hf_node *next = NULL;

		assert_true(len <= NAME_MAX);
		memcpy(name, path, len);
		name[len] = '\0';
		path += len + (path[len] == '/');
		error = hf_view_lookup(scene->view, node, name, &scene->wait,
				       &next);
		hf_node_unref(node);
		node = next;
	}
	if (error == 0)
		*ret = node;
	return error;
}

/* The node of a path that is there; new. */
static inline struct hf_node *scene_node(struct scene *scene, const char *path)
{
	struct hf_node *node = NULL;

	assert_int_equal(scene_find(scene, path, &node), 0);
	return node;
}

static inline bool scene_has(struct scene *scene, const char *path)
{
	struct hf_node *node = NULL;
	int error = scene_find(scene, path, &node);

	if (error == 0)
		hf_node_unref(node);
	else
		assert_int_equal(error, -ENOENT);
	return error == 0;
}

static inline struct stat scene_stat(struct scene *scene, const char *path)
{
	struct hf_node *node = scene_node(scene, path);
	struct stat st;

	assert_int_equal(hf_view_stat(scene->view, node, &st), 0);
	hf_node_unref(node);
	return st;
}

/* What open(2) of a node would say. */
static inline int scene_try_open(struct scene *scene, struct hf_node *node)
{
	struct hf_content *content;
	int error = hf_view_open(scene->view, node, &scene->wait, &content);

	if (error == 0)
		hf_content_close(content);
	return error;
}

static inline int scene_open_error(struct scene *scene, const char *path)
{
	struct hf_node *node = scene_node(scene, path);
	int error = scene_try_open(scene, node);

	hf_node_unref(node);
	return error;
}

static inline void scene_assert_reads(struct scene *scene, const char *path,
				      const char *text)
{
	struct hf_node *node = scene_node(scene, path);
	struct hf_content *content;
	struct hf_buf scratch = {0};
	const char *data;
	size_t len;

	assert_int_equal(
		hf_view_open(scene->view, node, &scene->wait, &content), 0);
	assert_int_equal(
		hf_content_read(content, 0, 65536, &scratch, &data, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(data, text, len);
	hf_buf_fini(&scratch);
	hf_content_close(content);
	hf_node_unref(node);
}

/* The listing of a presented directory; new. */
static inline struct hf_listing *scene_list(struct scene *scene,
					    const char *path)
{
	struct hf_node *node = scene_node(scene, path);
	struct hf_listing *listing;

	assert_int_equal(
		hf_view_list(scene->view, node, &scene->wait, &listing), 0);
	hf_node_unref(node);
	return listing;
}

/* The first entry of a source name, which must have one. */
static inline const struct hf_entry *
scene_entry(const struct hf_listing *listing, const char *source)
{
	static const struct hf_entry none;

	for (size_t i = 0; i < hf_listing_len(listing); i++)
		if (strcmp(hf_listing_entry(listing, i)->source, source) == 0)
			return hf_listing_entry(listing, i);
	fail_msg("no entry of %s", source);
	return &none;
}

#endif
