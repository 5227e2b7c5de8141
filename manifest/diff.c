/* diff: what one manifest has that another has not. */
#include "manifest/verb.h"

#include <string.h>

#include "manifest/format.h"

enum change {
	ADDED,
	REMOVED,
	RENAMED, /* the same source under another hashed name */
};

static const char *const words[] = {"added", "removed", "renamed"};

/* Names are "" where there is none. */
struct difference {
	enum change change;
	const char *path;
	const char *old;
	const char *new;
};

/* Who hears of the differences, in the order of their paths. */
struct listener {
	void (*hear)(struct listener *listener,
		     const struct difference *difference);
	struct hf_buf *ret;
	enum change wanted; /* of JSON, which has one change after the other */
	struct hf_object object;
	size_t n;
};

static void tell(struct listener *listener, const char *path,
		 const struct hf_manifest_row *old,
		 const struct hf_manifest_row *new)
{
	const struct difference difference = {
		.change = !old   ? ADDED
			  : !new ? REMOVED
				 : RENAMED,
		.path = path,
		.old = old ? old->name : "",
		.new = new ? new->name : "",
	};

	listener->n++;
	listener->hear(listener, &difference);
}

/* Both are sorted. */
static void compare(const struct hf_manifest *old,
		    const struct hf_manifest *new, struct listener *listener)
{
	size_t at_old = 0, at_new = 0;
	const struct hf_manifest_row *a = hf_manifest_next(old, &at_old);
	const struct hf_manifest_row *b = hf_manifest_next(new, &at_new);

	while (a || b) {
		int order = !a   ? 1
			    : !b ? -1
				 : hf_manifest_compare(a->path, b->path);

		if (order != 0 || strcmp(a->name, b->name) != 0)
			tell(listener, order <= 0 ? a->path : b->path,
			     order <= 0 ? a : NULL, order >= 0 ? b : NULL);
		if (order <= 0)
			a = hf_manifest_next(old, &at_old);
		if (order >= 0)
			b = hf_manifest_next(new, &at_new);
	}
}

/* --- how it is told ------------------------------------------------------ */

static void add_field(struct hf_buf *ret, const char *text)
{
	hf_buf_putc(ret, '\t');
	hf_escape(ret, text, strlen(text));
}

static void print_line(struct listener *listener,
		       const struct difference *difference)
{
	struct hf_buf *ret = listener->ret;

	hf_buf_puts(ret, words[difference->change]);
	add_field(ret, difference->path);
	if (*difference->old)
		add_field(ret, difference->old);
	if (*difference->new)
		add_field(ret, difference->new);
	hf_buf_putc(ret, '\n');
}

static void print_nuls(struct listener *listener,
		       const struct difference *difference)
{
	const char *const fields[] = {words[difference->change],
				      difference->path, difference->old,
				      difference->new};

	for (size_t i = 0; i < HF_ARRAY_SIZE(fields); i++)
		hf_buf_add(listener->ret, fields[i], strlen(fields[i]) + 1);
}

static void print_member(struct listener *listener,
			 const struct difference *difference)
{
	struct hf_buf *ret = listener->ret;

	if (difference->change != listener->wanted)
		return;
	hf_object_key(&listener->object, "", difference->path);
	if (difference->change != RENAMED) {
		hf_quote_both(difference->old, difference->new, ret);
		return;
	}
	hf_buf_putc(ret, '[');
	hf_quote(difference->old, ret);
	hf_buf_puts(ret, ", ");
	hf_quote(difference->new, ret);
	hf_buf_putc(ret, ']');
}

static void print_json(const struct hf_manifest *old,
		       const struct hf_manifest *new, struct listener *listener)
{
	struct hf_object all = hf_object_open(listener->ret, 1);
	size_t n = 0;

	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++) {
		hf_object_key(&all, "", words[i]);
		listener->object = hf_object_open(listener->ret, 2);
		listener->wanted = (enum change)i;
		listener->n = 0;
		compare(old, new, listener);
		n = listener->n;
		hf_object_close(&listener->object);
	}
	hf_object_close(&all);
	listener->n = n;
}

/* --- the verb ------------------------------------------------------------ */

static int print(const struct hf_arguments *arguments,
		 const struct hf_manifest *old, const struct hf_manifest *new)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	struct listener listener = {.ret = &text};
	int code;

	hf_buf_puts(&text, "");
	if (arguments->given & HF_GIVEN_JSON) {
		listener.hear = print_member;
		print_json(old, new, &listener);
	} else {
		listener.hear = arguments->given & HF_GIVEN_NUL ? print_nuls
								: print_line;
		compare(old, new, &listener);
	}
	code = hf_verb_print(&text);
	return code == HF_EXIT_GOOD && listener.n ? HF_EXIT_FINDINGS : code;
}

int hf_verb_diff(const struct hf_arguments *arguments)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest old = {0};
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest new = {0};
	int code = hf_verb_read(arguments, arguments->words[1], &old);

	if (code == HF_EXIT_GOOD)
		code = hf_verb_read(arguments, arguments->words[2], &new);
	return code == HF_EXIT_GOOD ? print(arguments, &old, &new) : code;
}
