/*
 * A tree that never holds still: of two files that texts refer to one is there
 * at a time, in turn. For tests of what is told of one state.
 */
#ifndef HF_TESTS_FLIPPER_H
#define HF_TESTS_FLIPPER_H

#include "tests/unit/scene.h"

#include <pthread.h>

struct flipper {
	struct scene *scene;
	atomic_uint pause_us;
	atomic_bool end;
};

/* Moves the target of a.css to where b.css looks for it, and back. */
static inline void *flip(void *arg)
{
	struct flipper *flipper = arg;
	const struct tree *tree = &flipper->scene->tree;
	char one[PATH_MAX];
	char two[PATH_MAX];

	tree_path(tree, "one.png", one);
	tree_path(tree, "two.png", two);
	while (!atomic_load(&flipper->end)) {
		rename(one, two);
		usleep(atomic_load(&flipper->pause_us));
		rename(two, one);
		usleep(atomic_load(&flipper->pause_us));
	}
	return NULL;
}

static inline void flipper_put_tree(const struct scene *scene)
{
	tree_write(&scene->tree, "a/a.css", "url(../one.png)");
	tree_write(&scene->tree, "z/z.css", "url(../two.png)");
	tree_write(&scene->tree, "one.png", "PNG");
	/* So that both are not looked at in the same moment. */
	for (int i = 0; i < 300; i++) {
		char path[32];

		snprintf(path, sizeof(path), "m%d/x.css", i);
		tree_write(&scene->tree, path, "");
	}
}

/*
 * Asks `rounds` times while the tree flips: `ask` tells how many rows of it
 * there are, which has to be one, or a negative errno.
 */
static inline void flipper_ask(struct scene *scene, int rounds,
			       int (*ask)(struct scene *scene))
{
	struct flipper flipper = {.scene = scene, .pause_us = 40000};
	pthread_t thread;
	int told = 0, overtaken = 0;

	/* How old a stamp is has to be what it is. */
	atomic_store(&scene_ahead_ns, 0);
	flipper_put_tree(scene);
	scene_open(scene, "@", "");
	pthread_create(&thread, NULL, flip, &flipper);
	for (int i = 0; i < rounds; i++) {
		int n = ask(scene);

		if (n < 0) {
			assert_int_equal(n, -EAGAIN);
			/* A slow machine needs a slower change. */
			if (++overtaken % 10 == 0)
				flipper.pause_us *= 2;
			continue;
		}
		assert_int_equal(n, 1);
		told++;
	}
	atomic_store(&flipper.end, true);
	pthread_join(thread, NULL);
	assert_true(told > 0);
}

#endif
