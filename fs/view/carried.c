/*
 * carried: the hash that a name carries, read back out of it.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

#define HEX "0123456789abcdef"

static int template_of(const struct hf_config *config,
		       struct hf_name_template *ret)
{
	const char *flaw;

	return hf_name_template_init(ret, config->name_template,
				     config->hash_len, &flaw);
}

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static bool is_hash(const char *text, size_t len)
{
	return strnlen(text, len) == len && strspn(text, HEX) >= len;
}

int hf_config_hash_in(const struct hf_config *config, const char *path,
		      const char *name, struct hf_buf *ret)
{
	HF_CLEANUP(hf_name_template_fini)
	struct hf_name_template template = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf before = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf after = {0};
	const char *base = base_of(name);
	int error = template_of(config, &template);

	hf_buf_puts(&before, "");
	hf_buf_puts(&after, "");
	if (error == 0)
		error = hf_name_shape(&template, path, &before, &after);
	if (error == -ENOMEM || hf_buf_status(&before) < 0 ||
	    hf_buf_status(&after) < 0)
		return -ENOMEM;
	if (error < 0 || strncmp(base, before.data, before.len) != 0 ||
	    !is_hash(base + before.len, config->hash_len) ||
	    strcmp(base + before.len + config->hash_len, after.data) != 0)
		return -ENOENT;
	hf_buf_add(ret, base + before.len, config->hash_len);
	return hf_buf_status(ret);
}

/* --- without the path ------------------------------------------------------- */

/* The template's own text between its conversions: LEAD first MIDDLE second
 * TAIL %e, with %n and %h for first and second. */
struct frame {
	struct hf_buf lead;
	struct hf_buf middle;
	struct hf_buf tail;
	bool hash_first;
};

static void frame_fini(struct frame *frame)
{
	hf_buf_fini(&frame->lead);
	hf_buf_fini(&frame->middle);
	hf_buf_fini(&frame->tail);
}

static int frame_of(const char *template, struct frame *ret)
{
	struct hf_buf *parts[] = {&ret->lead, &ret->middle, &ret->tail};
	size_t n = 0;

	for (size_t i = 0; i < HF_ARRAY_SIZE(parts); i++)
		hf_buf_puts(parts[i], "");
	for (const char *c = template; *c; c++) {
		if (*c != '%' || *++c == '%') {
			hf_buf_putc(parts[n], *c);
			continue;
		}
		if (*c == 'h' && n == 0)
			ret->hash_first = true;
		n += n < 2;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(parts); i++)
		if (hf_buf_status(parts[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* True for what os.path.splitext takes for an extension, and for none. */
static bool is_extension(const char *text)
{
	return !*text || (*text == '.' && !strchr(text + 1, '.'));
}

/* True if `text` begins with what stands behind the hash, up to its end. */
static bool ends_well(const struct frame *frame, const char *text)
{
	const struct hf_buf *next =
		frame->hash_first ? &frame->middle : &frame->tail;
	const char *dot;

	if (strncmp(text, next->data, next->len) != 0)
		return false;
	text += next->len;
	if (!frame->hash_first)
		return is_extension(text);
	/* A name, the tail, and an extension or none. */
	dot = strrchr(text, '.');
	if (!dot || dot == text)
		dot = text + strlen(text);
	return dot > text + frame->tail.len &&
	       memcmp(dot - frame->tail.len, frame->tail.data,
		      frame->tail.len) == 0;
}

/* True if a hash stands at `hash` of the base name. */
static bool fits(const struct frame *frame, size_t hash_len, const char *base,
		 const char *hash)
{
	size_t ahead = (size_t)(hash - base);
	size_t middle = frame->hash_first ? 0 : frame->middle.len;

	if (!is_hash(hash, hash_len) || ahead < frame->lead.len + middle ||
	    strncmp(base, frame->lead.data, frame->lead.len) != 0 ||
	    memcmp(hash - middle, frame->middle.data, middle) != 0)
		return false;
	/* A name stands before a hash that is not the first. */
	if (frame->hash_first ? ahead != frame->lead.len
			      : ahead == frame->lead.len + middle)
		return false;
	return ends_well(frame, hash + hash_len);
}

int hf_config_carries(const struct hf_config *config, const char *name,
		      bool *ret)
{
	HF_CLEANUP(frame_fini) struct frame frame = {0};
	const char *base = base_of(name);
	int error = frame_of(config->name_template, &frame);
	bool carries = false;

	for (const char *c = base; error == 0 && *c && !carries; c++)
		carries = fits(&frame, config->hash_len, base, c);
	if (error == 0)
		*ret = carries;
	return error;
}
