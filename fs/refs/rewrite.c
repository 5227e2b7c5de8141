/*
 * rewrite: HashedFilesMixin._post_process for the text of one file: pattern
 * after pattern, each over what the one before wrote.
 */
#include "fs/refs/internal.h"

#include <errno.h>
#include <string.h>

#define MAX_PATTERNS (1 + HF_N_MODULE_PATTERNS)

struct rewriting {
	const struct hf_refs_config *config;
	const struct hf_refs_caller *caller;
	bool is_js;
	const char *original;
	const struct hf_pattern *patterns[MAX_PATTERNS];
	size_t n_patterns;
	struct hf_edits edits[MAX_PATTERNS]; /* of each pattern that ran */
	size_t n_edits;
	struct hf_convert convert;
	/* Under the pattern that runs: */
	struct hf_scan scan;
	struct hf_ignored ignored;
	struct hf_place place; /* of the last report */
	struct hf_buf *out;
	size_t copied; /* scan.text[0, copied) went into `out` */
};

/* Those of eight bytes that are not ASCII. */
static inline uint64_t not_ascii(const char *text)
{
	uint64_t eight;

	memcpy(&eight, text, sizeof(eight));
	return eight & 0x8080808080808080U;
}

static inline bool is_ascii_64(const char *text)
{
	return (not_ascii(text) | not_ascii(text + 8) | not_ascii(text + 16) |
		not_ascii(text + 24) | not_ascii(text + 32) |
		not_ascii(text + 40) | not_ascii(text + 48) |
		not_ascii(text + 56)) == 0;
}

/* bytes.decode("utf-8") does not raise. */
static bool is_utf8(const char *text, size_t len)
{
	uint32_t code_point;
	size_t n;

	for (; len > 0; text += n, len -= n) {
		if (len >= 64 && is_ascii_64(text))
			n = 64;
		else if (len >= 8 && !not_ascii(text))
			n = 8;
		else
			n = hf_utf8_decode(text, len, &code_point);
		if (n == 0)
			return false;
	}
	return true;
}

/* --- which patterns ------------------------------------------------------ */

static void add_pattern(struct rewriting *w, const struct hf_pattern *pattern)
{
	w->patterns[w->n_patterns++] = pattern;
}

static void choose_patterns(struct rewriting *w)
{
	bool is_6_1 = w->config->profile >= HF_REFS_DJANGO_6_1;

	if (!w->is_js) {
		add_pattern(w, w->config->profile >= HF_REFS_DJANGO_6_0
				       ? &hf_css_url
				       : &hf_css_url_5_2);
		add_pattern(w, &hf_css_import);
		add_pattern(w, &hf_css_map);
		return;
	}
	add_pattern(w, &hf_js_map);
	for (size_t i = 0; i < HF_N_MODULE_PATTERNS; i++)
		if (is_6_1 && w->config->js_modules)
			add_pattern(w, &hf_js_module_patterns[i]);
}

/* --- one match ----------------------------------------------------------- */

static void report(struct rewriting *w, const struct hf_match *match)
{
	const char *path = w->convert.asked.data;
	size_t at = match->url;
	struct hf_ref ref;

	if (!w->caller->report)
		return;
	for (size_t i = w->n_edits; i > 0; i--)
		at = hf_edits_origin(&w->edits[i - 1], at);
	hf_place_advance(&w->place, w->original, at);
	ref = (struct hf_ref){
		.url = w->scan.text + match->url,
		.url_len = match->url_len,
		.line = w->place.line,
		.column = w->place.column,
		.path = path,
	};
	w->caller->report(w->caller->arg, w->convert.answer, &ref);
}

/* Replaces the match by the pattern's template; by nothing if !url. */
static int replace(struct rewriting *w, const struct hf_pattern *pattern,
		   const struct hf_match *match, const struct hf_buf *url)
{
	const char *text = w->scan.text;
	struct hf_edit edit = {
		.before = match->start,
		.before_len = match->end - match->start,
	};

	hf_buf_add(w->out, text + w->copied, match->start - w->copied);
	w->copied = match->end;
	edit.after = w->out->len;
	if (url) {
		hf_buf_puts(w->out, pattern->head);
		hf_buf_add(w->out, text + match->clause, match->clause_len);
		hf_buf_puts(w->out, pattern->middle);
		hf_buf_add(w->out, url->data, url->len);
		hf_buf_puts(w->out, pattern->tail);
	}
	edit.after_len = w->out->len - edit.after;
	return hf_edits_add(&w->edits[w->n_edits], &edit);
}

static int convert(struct rewriting *w, const struct hf_pattern *pattern,
		   const struct hf_match *match)
{
	enum hf_outcome outcome;
	int r;

	r = hf_convert_url(&w->convert, w->scan.text + match->url,
			   match->url_len, &outcome);
	if (r < 0)
		return r;
	if (outcome == HF_OUTCOME_NEW)
		return replace(w, pattern, match, &w->convert.text);
	/* Up to 4.2 the group "matched" of the map patterns is empty. */
	if (outcome == HF_OUTCOME_KEPT && pattern->is_map &&
	    w->config->profile == HF_REFS_DJANGO_4_2)
		return replace(w, pattern, match, NULL);
	if (outcome == HF_OUTCOME_AS_WRITTEN &&
	    w->convert.answer != HF_TARGET_STAY)
		report(w, match);
	return 0;
}

/* --- one pattern --------------------------------------------------------- */

/* pattern.sub(converter, content): *text becomes what is in *out, or stays. */
static int substitute(struct rewriting *w, const struct hf_pattern *pattern,
		      const char **text, size_t *len, struct hf_buf *out)
{
	bool ignores = w->config->profile >= HF_REFS_DJANGO_6_1;
	struct hf_match match;

	w->scan = (struct hf_scan){.text = *text, .len = *len};
	w->ignored = (struct hf_ignored){
		.text = *text,
		.len = *len,
		.is_js = w->is_js,
	};
	w->place = (struct hf_place){.line = 1, .column = 1};
	w->out = out;
	w->copied = 0;
	for (size_t from = 0; pattern->find(&w->scan, from, &match);
	     from = match.end) {
		int r = 0;

		if (!ignores || !hf_ignored_at(&w->ignored, match.start))
			r = convert(w, pattern, &match);
		if (r < 0)
			return r;
	}
	if (w->edits[w->n_edits].n == 0)
		return 0;
	hf_buf_add(out, *text + w->copied, *len - w->copied);
	*text = out->data;
	*len = out->len;
	w->n_edits++;
	return hf_buf_status(out);
}

/* Either of ret and same may be NULL. */
static int run_patterns(struct rewriting *w, const char *text, size_t len,
			struct hf_buf *ret, bool *same)
{
	size_t original_len = len;
	/* One is read while the other is written. */
	struct hf_buf bufs[2] = {{0}, {0}};
	int r = 0;

	for (size_t i = 0; i < w->n_patterns && r == 0; i++) {
		struct hf_buf *out = &bufs[w->n_edits % 2];

		hf_buf_reset(out);
		r = substitute(w, w->patterns[i], &text, &len, out);
	}
	if (r == 0 && same)
		*same = text == w->original ||
			(len == original_len &&
			 memcmp(text, w->original, len) == 0);
	if (r == 0 && ret) {
		hf_buf_add(ret, text, len);
		r = hf_buf_status(ret);
	}
	hf_buf_fini(&bufs[0]);
	hf_buf_fini(&bufs[1]);
	return r;
}

static int run(const struct hf_refs_config *config, const char *path,
	       const char *text, size_t len,
	       const struct hf_refs_caller *caller, struct hf_buf *ret,
	       bool *same)
{
	struct rewriting w = {
		.config = config,
		.caller = caller,
		.is_js = hf_glob_match("*.js", path),
		.original = text,
		.convert = {.config = config, .path = path, .caller = caller},
	};
	int r;

	if (!is_utf8(text, len))
		return -EILSEQ;
	choose_patterns(&w);
	r = run_patterns(&w, text, len, ret, same);
	hf_convert_fini(&w.convert);
	for (size_t i = 0; i < MAX_PATTERNS; i++)
		hf_edits_fini(&w.edits[i]);
	return r;
}

int hf_refs_rewrite(const struct hf_refs_config *config, const char *path,
		    const char *text, size_t len,
		    const struct hf_refs_caller *caller, struct hf_buf *ret)
{
	if (hf_refs_applies(config, path))
		return run(config, path, text, len, caller, ret, NULL);
	hf_buf_add(ret, text, len);
	return hf_buf_status(ret);
}

int hf_refs_search(const struct hf_refs_config *config, const char *path,
		   const char *text, size_t len,
		   const struct hf_refs_caller *caller, bool *same)
{
	if (hf_refs_applies(config, path))
		return run(config, path, text, len, caller, NULL, same);
	*same = true;
	return 0;
}
