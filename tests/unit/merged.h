/*
 * A merged tree over real directories. Every test stands in a fresh directory
 * of its own, in which SOURCES are written as a user would.
 *
 * A listing is shown as "name" for a file, "name/" for a directory, "name?"
 * for what is special, "name!ERROR" for what is broken, "@" before these for
 * a link, and in parentheses if another root's entry hides it.
 */
#ifndef HF_TESTS_MERGED_H
#define HF_TESTS_MERGED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/source/internal.h"

#define LISTS_MAX 8

struct place {
	char *base;
	struct hf_source_config config;
	struct hf_source *source;
	struct hf_source_list *lists[LISTS_MAX]; /* that were looked at */
	size_t n_lists;
};

/* --- the stage ------------------------------------------------------------ */

static inline int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	const char *dir = getenv("TMPDIR");

	assert_non_null(place);
	assert_true(asprintf(&place->base, "%s/hf-tree-XXXXXX",
			     dir ? dir : "/tmp") > 0);
	assert_non_null(mkdtemp(place->base));
	assert_int_equal(chdir(place->base), 0);
	*state = place;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int flag,
			     struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int teardown(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < place->n_lists; i++)
		hf_source_list_unref(place->lists[i]);
	hf_source_close(place->source);
	hf_root_specs_fini(&place->config.roots);
	hf_strings_fini(&place->config.ignore);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(
		nftw(place->base, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(place->base);
	free(place);
	return 0;
}

static inline void make_parents(const char *path)
{
	char *copy = strdup(path);

	for (char *slash = strchr(copy, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(copy, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	free(copy);
}

static inline void put_file(const char *path, const char *text)
{
	FILE *file;

	make_parents(path);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline void put_dir(const char *path)
{
	make_parents(path);
	assert_int_equal(mkdir(path, 0755), 0);
}

static inline void put_link(const char *path, const char *target)
{
	make_parents(path);
	assert_int_equal(symlink(target, path), 0);
}

static inline void take_away(const char *path)
{
	assert_int_equal(remove(path), 0);
}

static inline void ignoring(void **state, const char *glob)
{
	struct place *place = *state;

	assert_int_equal(
		hf_strings_add(&place->config.ignore, glob, strlen(glob)), 0);
}

static inline void following(void **state)
{
	struct place *place = *state;

	place->config.follow = true;
}

/* What the test is about from here on. */
static inline void sources(void **state, const char *text)
{
	struct place *place = *state;
	char *why = NULL;

	assert_int_equal(hf_root_specs_parse(&place->config.roots, text, &why),
			 0);
	assert_int_equal(
		hf_source_open(&place->config, 0, &place->source, &why), 0);
}

static inline const struct hf_source *source_of(void **state)
{
	return ((const struct place *)*state)->source;
}

/* --- what is seen --------------------------------------------------------- */

static inline void show_entry(struct hf_buf *out,
			      const struct hf_source_entry *entry)
{
	hf_buf_printf(out, "%s%s%s%s", out->len ? " " : "",
		      entry->shadowed ? "(" : "", entry->name,
		      entry->link ? "@" : "");
	switch (entry->type) {
	case HF_TYPE_FILE:
		break;
	case HF_TYPE_DIR:
		hf_buf_putc(out, '/');
		break;
	case HF_TYPE_SPECIAL:
		hf_buf_putc(out, '?');
		break;
	case HF_TYPE_BROKEN:
		hf_buf_printf(out, "!%s", strerrorname_np(entry->error));
		assert_int_equal(entry->st.st_mode, S_IFREG | 0444);
		break;
	}
	hf_buf_puts(out, entry->shadowed ? ")" : "");
}

static inline void assert_shown(const struct hf_source_list *list,
				const char *expected)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf shown = {0};

	hf_buf_puts(&shown, "");
	for (size_t i = 0; i < hf_source_list_len(list); i++)
		show_entry(&shown, hf_source_list_entry(list, i));
	assert_string_equal(shown.data, expected);
}

/* Steals the list, until the test is over. */
static inline struct hf_source_list *keep(void **state,
					  struct hf_source_list *list)
{
	struct place *place = *state;

	assert_true(place->n_lists < LISTS_MAX);
	place->lists[place->n_lists++] = list;
	return list;
}

static inline struct hf_source_list *list_of(void **state, const char *path)
{
	struct hf_source_list *list = NULL;

	assert_int_equal(hf_source_list(source_of(state), path, &list), 0);
	return keep(state, list);
}

static inline void assert_listed(void **state, const char *path,
				 const char *expected)
{
	assert_shown(list_of(state, path), expected);
}

static inline void assert_not_listed(void **state, const char *path, int error)
{
	struct hf_source_list *list = NULL;

	assert_int_equal(hf_source_list(source_of(state), path, &list), -error);
	assert_null(list);
}

static inline void assert_reads(void **state, unsigned root, const char *path,
				const char *expected)
{
	char text[64] = "";
	struct stat st;
	int fd = -1;

	assert_int_equal(
		hf_source_open_file(source_of(state), root, path, &fd, &st), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, expected);
	assert_int_equal(st.st_size, strlen(expected));
	close(fd);
}

static inline void assert_does_not_open(void **state, const char *path,
					int error)
{
	struct stat st;
	int fd = -1;

	assert_int_equal(
		hf_source_open_file(source_of(state), 0, path, &fd, &st),
		-error);
	assert_int_equal(fd, -1);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
