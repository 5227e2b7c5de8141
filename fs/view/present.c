/*
 * present: what becomes of one source file. Listing, lookup and snapshot all
 * ask here, so that they cannot disagree.
 */
#include "fs/view/graph.h"

#include <errno.h>
#include <string.h>

const char *hf_kind_name(enum hf_kind kind)
{
	static const char *const names[] = {
		[HF_KIND_DIR] = "dir",
		[HF_KIND_HASHED] = "hashed",
		[HF_KIND_PREHASHED] = "prehashed",
		[HF_KIND_KEPT] = "kept",
		[HF_KIND_PLAIN] = "plain",
	};

	return names[kind];
}

void hf_view_join(struct hf_buf *buf, const char *dir, const char *name)
{
	if (*dir) {
		hf_buf_puts(buf, dir);
		hf_buf_putc(buf, '/');
	}
	hf_buf_puts(buf, name);
}

void hf_view_join_next(struct hf_buf *buf, const char *dir, const char *name)
{
	size_t dir_len = strlen(dir);

	if (buf->len <= dir_len) {
		hf_view_join(buf, dir, name);
		return;
	}
	hf_buf_cut(buf, dir_len + (dir_len > 0));
	hf_buf_puts(buf, name);
}

static bool matches(const struct hf_strings *globs, const char *path,
		    const char *name)
{
	return hf_globs_match(globs, name) || hf_globs_match(globs, path);
}

struct hf_rule hf_rule_of(const struct hf_view *view, const char *path,
			  const char *name)
{
	const struct hf_config *config = view->config;
	struct hf_rule rule = {HF_KIND_HASHED, HF_PROBLEM_NONE};
	int error;

	if (matches(&config->keep, path, name)) {
		rule.kind = HF_KIND_KEPT;
		return rule;
	}
	if (matches(&config->prehashed, path, name)) {
		rule.kind = HF_KIND_PREHASHED;
		return rule;
	}
	if (!(config->show & HF_SHOW_HASHED)) {
		rule.kind = HF_KIND_PLAIN;
		return rule;
	}
	error = hf_name_check(&view->name_template, path);
	if (error < 0) {
		rule.kind = HF_KIND_PLAIN;
		rule.problem = error == -ENAMETOOLONG ? HF_PROBLEM_TOO_LONG
						      : HF_PROBLEM_NAME;
	}
	return rule;
}

bool hf_rule_needs_digest(struct hf_rule rule)
{
	return rule.kind == HF_KIND_HASHED || rule.kind == HF_KIND_PREHASHED;
}

bool hf_rule_mutable(struct hf_rule rule)
{
	return !hf_rule_needs_digest(rule);
}

bool hf_view_is_text(const struct hf_view *view, const char *path)
{
	return hf_refs_applies(&view->config->refs, path);
}

struct hf_named hf_named_of(const struct hf_fact *fact)
{
	return (struct hf_named){.name = fact->digest,
				 .content = fact->digest,
				 .size = fact->size,
				 .reported = true};
}

bool hf_error_passing(int error)
{
	return error == -EINTR || error == -ENOMEM || error == -EMFILE ||
	       error == -ENFILE;
}

/* A name that stands for the source's own and fails at open. */
static void fail_plain(struct hf_entry *entry, enum hf_problem problem,
		       int error)
{
	entry->kind = HF_KIND_PLAIN;
	entry->problem = problem;
	entry->error = -error;
	entry->digest.len = 0;
	entry->name_digest.len = 0;
}

/* The name that a file carries by its digest. */
static int hashed_name(const struct hf_view *view, const char *path,
		       const struct hf_named *named, struct hf_buf *name,
		       struct hf_entry *ret)
{
	char hex[HF_DIGEST_HEX_MAX + 1];
	int error = 0;

	ret->digest = named->content;
	ret->size = named->size;
	if (ret->kind == HF_KIND_PREHASHED)
		return 0;
	ret->name_digest = named->name;
	hf_digest_hex(&named->name, hex);
	error = hf_name_forward(&view->name_template, path, hex, name);
	if (error == 0)
		error = hf_buf_status(name);
	if (error == 0)
		ret->name = name->data;
	return error;
}

/* A text is shown as it is if it refers to nothing; else it has a name. */
static bool last_text(const struct hf_view *view, const char *path,
		      const struct hf_fact *fact, struct hf_named *ret)
{
	struct hf_links links = {0};
	bool verbatim;

	if (!hf_texts_links(view->texts, path, &fact->digest, &links))
		return hf_texts_name(view->texts, path, NULL, ret);
	verbatim = links.verbatim;
	hf_links_fini(&links);
	if (!verbatim)
		return hf_texts_name(view->texts, path, NULL, ret);
	*ret = hf_named_of(fact);
	return true;
}

static bool last_named(const struct hf_view *view, const char *path,
		       unsigned root, struct hf_named *ret)
{
	struct hf_fact fact;

	if (!hf_digests_last(view->digests, root, path, &fact))
		return false;
	if (hf_view_is_text(view, path))
		return last_text(view, path, &fact, ret);
	*ret = hf_named_of(&fact);
	return true;
}

/* The bytes cannot be had: the last known name stands, else the plain one. */
static int unreadable(const struct hf_view *view, const char *path,
		      const struct hf_source_entry *source,
		      enum hf_problem problem, int error, struct hf_buf *name,
		      struct hf_entry *ret)
{
	struct hf_named last;

	if ((ret->kind == HF_KIND_PREHASHED || ret->kind == HF_KIND_HASHED) &&
	    last_named(view, path, source->root, &last)) {
		ret->problem = problem;
		ret->error = -error;
		return hashed_name(view, path, &last, name, ret);
	}
	fail_plain(ret, problem, error);
	return 0;
}

static void start(const struct hf_config *config,
		  const struct hf_source_entry *source, struct hf_rule rule,
		  struct hf_entry *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->name = source->name;
	ret->source = source->name;
	ret->kind = rule.kind;
	ret->problem = rule.problem;
	ret->root = source->root;
	hf_attr_entry(config, hf_rule_needs_digest(rule), &source->st, ret);
}

/* A file that no name can be given to is not presented but told of. */
static void hide(struct hf_entry *entry, enum hf_problem problem)
{
	entry->hidden = true;
	entry->problem = problem;
	entry->kind = HF_KIND_PLAIN;
}

/* A file that cannot carry a hash is shown whatever was chosen. */
static bool is_shown(const struct hf_config *config, struct hf_rule rule)
{
	if (rule.kind == HF_KIND_KEPT || rule.kind == HF_KIND_PREHASHED)
		return config->show & HF_SHOW_KEPT;
	if (rule.kind == HF_KIND_PLAIN && rule.problem == HF_PROBLEM_NONE)
		return config->show & HF_SHOW_PLAIN;
	return true;
}

int hf_present(const struct hf_view *view, const char *path,
	       const struct hf_source_entry *source, struct hf_rule rule,
	       const struct hf_named *named, int error, struct hf_buf *name,
	       struct hf_entry *ret)
{
	if (source->type == HF_TYPE_DIR)
		rule = (struct hf_rule){HF_KIND_DIR, HF_PROBLEM_NONE};
	start(view->config, source, rule, ret);
	if (strcmp(path, HF_RESERVED_NAME) == 0) {
		hide(ret, HF_PROBLEM_TAKEN);
		ret->error = EEXIST;
		return 0;
	}
	if (source->shadowed) {
		hide(ret, HF_PROBLEM_SHADOWED);
		return 0;
	}
	if (source->type == HF_TYPE_SPECIAL) {
		hide(ret, HF_PROBLEM_SPECIAL);
		return 0;
	}
	if (source->type == HF_TYPE_DIR)
		return 0;
	if (source->type == HF_TYPE_BROKEN)
		return unreadable(view, path, source,
				  source->link ? HF_PROBLEM_LINK
					       : HF_PROBLEM_UNREADABLE,
				  -source->error, name, ret);
	ret->hidden = !is_shown(view->config, rule);
	if (!hf_rule_needs_digest(rule))
		return 0;
	if (error < 0)
		return unreadable(view, path, source, HF_PROBLEM_UNREADABLE,
				  error, name, ret);
	return hashed_name(view, path, named, name, ret);
}

void hf_present_plain(const struct hf_config *config,
		      const struct hf_source_entry *source,
		      struct hf_entry *ret)
{
	int error = ret->error;
	enum hf_problem problem = ret->problem;

	start(config, source, (struct hf_rule){HF_KIND_PLAIN, problem}, ret);
	ret->error = error;
}
