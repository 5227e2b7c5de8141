/*
 * Rewriting of any text in any profile. The first byte of the input chooses
 * the kind of file ("b" a style sheet, "a" a script), the second one
 * STATIC_URL ("0" to "3"), the rest is the text.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "fs/refs/internal.h"

/* How the caller answers. */
enum mood {
	MOOD_STAY,  /* nothing is known yet */
	MOOD_GONE,  /* nothing is there */
	MOOD_NAME,  /* everything has one short name */
	MOOD_ECHO,  /* everything is called as it was asked for */
	MOOD_MIXED, /* by the length of the path */
	MOOD_ERROR, /* the third question is one too many */
	N_MOODS,
};

struct caller {
	enum mood mood;
	const char *text;
	size_t len;
	size_t n_lines;
	size_t n_questions;
	const char *unshown; /* added to names that the text must not show */
};

/* A path is normalised, and text but for U+0000. */
static void check_path(const char *path)
{
	struct hf_buf normal = {0};

	hf_path_normalise(path, &normal);
	PROMISE(strcmp(normal.data, path) == 0);
	PROMISE(hf_nul_is_utf8(path));
	hf_buf_fini(&normal);
}

static enum hf_target answer(enum mood mood, const char *path)
{
	switch (mood) {
	case MOOD_GONE:
		return *path == '.' ? HF_TARGET_OUTSIDE : HF_TARGET_MISSING;
	case MOOD_NAME:
	case MOOD_ECHO:
		return HF_TARGET_NAME;
	case MOOD_MIXED:
		return (enum hf_target)(strlen(path) % (HF_TARGET_STAY + 1));
	default:
		return HF_TARGET_STAY;
	}
}

static int resolve(void *arg, const char *path, bool shown,
		   enum hf_target *target, struct hf_buf *ret)
{
	struct caller *caller = arg;

	check_path(path);
	if (++caller->n_questions == 3 && caller->mood == MOOD_ERROR)
		return -EIO;
	*target = answer(caller->mood, path);
	if (*target == HF_TARGET_NAME)
		hf_buf_puts(ret, caller->mood == MOOD_ECHO ? path : "d/n.H.x");
	if (*target == HF_TARGET_NAME && !shown)
		hf_buf_puts(ret, caller->unshown);
	return 0;
}

static void report(void *arg, enum hf_target target, const struct hf_ref *ref)
{
	struct caller *caller = arg;

	PROMISE(target == HF_TARGET_MISSING || target == HF_TARGET_OUTSIDE);
	PROMISE(ref->line >= 1 && ref->line <= caller->n_lines);
	PROMISE(ref->column >= 1 && ref->column <= caller->len + 1);
	PROMISE(is_utf8(ref->url, ref->url_len));
	PROMISE(ref->path);
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

/* --- what must come out -------------------------------------------------- */

static bool begins(const char *text, size_t len, const char *start)
{
	return len >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

/*
 * Whether a reference may lead to a directory, which is written anew without a
 * question: there is a slash that does not belong to a comment, or something
 * else that may leave nothing but the file's own directory.
 */
static bool may_name_directory(const char *text, size_t len, bool is_js)
{
	for (size_t i = 0; i < len; i++) {
		const char *at = text + i;
		size_t rest = len - i;
		bool starts_line = i == 0 || at[-1] == '\n';

		if (memchr("%?\t\r", *at, 4))
			return true;
		if (is_js && starts_line && begins(at, rest, "//#"))
			i++;
		else if (!is_js && begins(at, rest, "*/") &&
			 (rest == 2 || at[2] == '\n'))
			i++;
		else if (*at == '/' && (is_js || !begins(at, rest, "/*")))
			return true;
	}
	return false;
}

static void check_result(const struct hf_refs_config *config,
			 const struct caller *caller, bool is_js,
			 const struct hf_buf *ret)
{
	bool nothing = caller->mood == MOOD_STAY || caller->mood == MOOD_GONE;

	PROMISE(is_utf8(ret->data, ret->len));
	if (!nothing || may_name_directory(caller->text, caller->len, is_js))
		return;
	/* 4.2 deletes comments. */
	if (config->profile == HF_REFS_DJANGO_4_2)
		PROMISE(ret->len <= caller->len);
	else
		PROMISE(ret->len == caller->len &&
			memcmp(ret->data, caller->text, ret->len) == 0);
}

static bool same_again(const struct hf_refs_config *config, bool is_js,
		       struct caller caller, const struct hf_buf *wanted)
{
	struct hf_refs_caller door = {.arg = &caller, .resolve = resolve};
	struct hf_buf ret = {0};
	int r;
	bool same;

	caller.n_questions = 0;
	r = hf_refs_rewrite(config, is_js ? "d e/a.js" : "d e/a.css",
			    caller.text, caller.len, &door, &ret);
	same = r == 0 && ret.len == wanted->len &&
	       (ret.len == 0 || memcmp(ret.data, wanted->data, ret.len) == 0);
	hf_buf_fini(&ret);
	return same;
}

/* Who only asks hears the same. */
static void search(const struct hf_refs_config *config, bool is_js,
		   struct caller caller, int expected,
		   const struct hf_buf *rewritten)
{
	struct hf_refs_caller door = {
		.arg = &caller,
		.resolve = resolve,
		.report = report,
	};
	bool same = false;
	int r = hf_refs_search(config, is_js ? "d e/a.js" : "d e/a.css",
			       caller.text, caller.len, &door, &same);

	PROMISE(r == expected);
	if (r == 0)
		PROMISE(same == (rewritten->len == caller.len &&
				 memcmp(rewritten->data, caller.text,
					caller.len) == 0));
}

static void rewrite(const struct hf_refs_config *config, bool is_js,
		    struct caller caller)
{
	struct caller again = caller;
	struct hf_refs_caller door = {
		.arg = &caller,
		.resolve = resolve,
		.report = report,
	};
	struct hf_buf ret = {0};
	int r;

	r = hf_refs_rewrite(config, is_js ? "d e/a.js" : "d e/a.css",
			    caller.text, caller.len, &door, &ret);
	hf_buf_add(&ret, NULL, 0);
	search(config, is_js, again, r, &ret);
	caller.unshown = "two";
	PROMISE(r != 0 || same_again(config, is_js, caller, &ret));
	if (!is_utf8(caller.text, caller.len)) {
		PROMISE(r == -EILSEQ);
	} else if (caller.mood == MOOD_ERROR && caller.n_questions >= 3) {
		PROMISE(r == -EIO && caller.n_questions == 3 && ret.len == 0);
	} else {
		PROMISE(r == 0);
		check_result(config, &caller, is_js, &ret);
	}
	hf_buf_fini(&ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const static_urls[] = {"/static/", "/",
						  "https://h/s/", "/s%20t/"};
	struct caller caller = {.text = (const char *)data + 2,
				.unshown = "one"};
	struct hf_refs_config config;
	bool is_js;

	if (size < 2)
		return 0;
	caller.len = size - 2;
	caller.n_lines = count_lines(caller.text, caller.len);
	is_js = data[0] & 1;
	config.static_url = static_urls[data[1] % HF_ARRAY_SIZE(static_urls)];
	for (config.profile = HF_REFS_DJANGO_4_2;
	     config.profile <= HF_REFS_DJANGO_6_1; config.profile++) {
		config.js_modules = config.profile == HF_REFS_DJANGO_6_1;
		for (caller.mood = 0; caller.mood < N_MOODS; caller.mood++)
			rewrite(&config, is_js, caller);
	}
	return 0;
}
