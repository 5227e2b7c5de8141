/*
 * A static root of a few files for the tests of fs/refs. Every file's hash is
 * "H": img/a.png becomes img/a.H.png. What is expected here is what Django
 * makes of the same text, but for references that lead nowhere: there Django
 * raises an exception.
 */
#ifndef TEST_REFS_SCENE_H
#define TEST_REFS_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fs/refs/refs.h"

/* The first and last profile. */
#define FIRST HF_REFS_DJANGO_4_2
#define LAST HF_REFS_DJANGO_6_1
#define ALL FIRST, LAST
#define UP_TO_5_2 FIRST, HF_REFS_DJANGO_5_2
#define UP_TO_6_0 FIRST, HF_REFS_DJANGO_6_0
#define FROM_5_2 HF_REFS_DJANGO_5_2, LAST
#define FROM_6_0 HF_REFS_DJANGO_6_0, LAST
#define ONLY_4_2 FIRST, FIRST
#define ONLY_6_1 LAST, LAST

static const char *const scene_files[] = {
	"img/a.png",    "img/x(1).png", "img/b c.png",
	"img/p%d.png",  "img/a;b.png",  "img/\xc3\xa9.png",
	"img/it's.png", "img/p+q.png",  "img/\xe2\x80\xa8.png",
	"img/m.eot",    "css/b.css",    "css/a.css.map",
	"js/a.js.map",  "js/m.js",      "a.png",
	"a b/c.png",    "b.css",
};

static const char *const scene_dirs[] = {".", "css", "img", "js", "a b"};

/* A question and what was reported. */
struct scene {
	const char *static_url;
	const char *file;
	bool js_modules;
	enum hf_target unknown; /* for what is not there */
	int error;              /* what resolve returns */
	size_t n_reports;
	enum hf_target target; /* of the last report */
	char url[100];
	char path[100];
	size_t line;
	size_t column;
};

static bool scene_lists(const char *const *list, size_t n, const char *path,
			size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && memcmp(list[i], path, len) == 0)
			return true;
	return false;
}

/* hashed_name() in short: the query stays, blanks around the path go. */
static int scene_resolve(void *arg, const char *path, bool shown,
			 enum hf_target *target, struct hf_buf *ret)
{
	struct scene *scene = arg;
	size_t whole = strcspn(path, "?");
	size_t len = whole;
	const char *name = path;
	const char *dot;

	if (scene->error)
		return scene->error;
	hf_strip(&name, &len);
	*target = scene->unknown;
	if (*name == '/' || strncmp(name, "../", 3) == 0)
		*target = HF_TARGET_OUTSIDE;
	if (scene_lists(scene_dirs, HF_ARRAY_SIZE(scene_dirs), name, len))
		*target = HF_TARGET_SAME;
	if (!scene_lists(scene_files, HF_ARRAY_SIZE(scene_files), name, len))
		return 0;
	*target = HF_TARGET_NAME;
	dot = memrchr(name, '.', len);
	hf_buf_add(ret, name, (size_t)(dot - name));
	hf_buf_puts(ret, shown ? ".H" : ".UNSHOWN");
	hf_buf_add(ret, dot, len - (size_t)(dot - name));
	hf_buf_puts(ret, path + whole);
	return 0;
}

static void scene_report(void *arg, enum hf_target target,
			 const struct hf_ref *ref)
{
	struct scene *scene = arg;

	scene->n_reports++;
	scene->target = target;
	assert_true(ref->url_len < sizeof(scene->url));
	memcpy(scene->url, ref->url, ref->url_len);
	scene->url[ref->url_len] = '\0';
	assert_true(strlen(ref->path) < sizeof(scene->path));
	memcpy(scene->path, ref->path, strlen(ref->path) + 1);
	scene->line = ref->line;
	scene->column = ref->column;
}

static int scene_rewrite(struct scene *scene, enum hf_refs_profile profile,
			 const char *text, size_t len, struct hf_buf *ret)
{
	struct hf_refs_config config = {
		.profile = profile,
		.static_url = scene->static_url,
		.js_modules = scene->js_modules,
	};
	struct hf_refs_caller caller = {
		.arg = scene,
		.resolve = scene_resolve,
		.report = scene_report,
	};

	return hf_refs_rewrite(&config, scene->file, text, len, &caller, ret);
}

/* `file` with `text` becomes `expected` in every profile from first to last. */
static void expect_in(const char *file, const char *static_url,
		      enum hf_refs_profile first, enum hf_refs_profile last,
		      const char *text, const char *expected)
{
	for (enum hf_refs_profile p = first; p <= last; p++) {
		struct scene scene = {
			.static_url = static_url,
			.file = file,
			.js_modules = p == HF_REFS_DJANGO_6_1,
			.unknown = HF_TARGET_MISSING,
		};
		struct hf_buf ret = {0};

		assert_int_equal(
			scene_rewrite(&scene, p, text, strlen(text), &ret), 0);
		hf_buf_putc(&ret, '\0');
		assert_string_equal(ret.data, expected);
		assert_int_equal(scene.n_reports, 0);
		hf_buf_fini(&ret);
	}
}

/* `text` stays, and the reference to `path` is reported once. */
static void expect_report(const char *file, const char *static_url,
			  enum hf_refs_profile first, enum hf_refs_profile last,
			  const char *text, enum hf_target target,
			  const char *path)
{
	for (enum hf_refs_profile p = first; p <= last; p++) {
		struct scene scene = {
			.static_url = static_url,
			.file = file,
			.unknown = HF_TARGET_MISSING,
		};
		struct hf_buf ret = {0};

		assert_int_equal(
			scene_rewrite(&scene, p, text, strlen(text), &ret), 0);
		hf_buf_putc(&ret, '\0');
		assert_string_equal(ret.data, text);
		assert_int_equal(scene.n_reports, 1);
		assert_int_equal(scene.target, target);
		assert_string_equal(scene.path, path);
		hf_buf_fini(&ret);
	}
}

/* The two for css/a.css and for js/a.js, under /static/. */
static inline void css(enum hf_refs_profile first, enum hf_refs_profile last,
		       const char *text, const char *expected)
{
	expect_in("css/a.css", "/static/", first, last, text, expected);
}

static inline void js(enum hf_refs_profile first, enum hf_refs_profile last,
		      const char *text, const char *expected)
{
	expect_in("js/a.js", "/static/", first, last, text, expected);
}

static inline void css_missing(enum hf_refs_profile first,
			       enum hf_refs_profile last, const char *text,
			       const char *path)
{
	expect_report("css/a.css", "/static/", first, last, text,
		      HF_TARGET_MISSING, path);
}

static inline void js_missing(enum hf_refs_profile first,
			      enum hf_refs_profile last, const char *text,
			      const char *path)
{
	expect_report("js/a.js", "/static/", first, last, text,
		      HF_TARGET_MISSING, path);
}

/* The same in 6.1 with up to 40 bytes in front of it, which changes nothing:
 * texts are read many bytes at once. */
static inline void anywhere(const char *file, const char *text,
			    const char *expected)
{
	char before[200];
	char after[200];

	for (int n = 0; n <= 40; n++) {
		snprintf(before, sizeof(before), "%*s%s", n, "", text);
		snprintf(after, sizeof(after), "%*s%s", n, "", expected);
		expect_in(file, "/static/", ONLY_6_1, before, after);
	}
}

#endif
