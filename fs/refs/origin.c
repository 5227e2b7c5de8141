/*
 * origin: where rewritten text came from, for reports.
 */
#include "fs/refs/internal.h"

#include <errno.h>
#include <string.h>

int hf_edits_add(struct hf_edits *edits, const struct hf_edit *edit)
{
	if (edits->n == edits->cap) {
		size_t cap = edits->cap ? edits->cap * 2 : 16;
		struct hf_edit *items =
			reallocarray(edits->items, cap, sizeof(*items));

		if (!items)
			return -ENOMEM;
		edits->items = items;
		edits->cap = cap;
	}
	edits->items[edits->n++] = *edit;
	return 0;
}

void hf_edits_fini(struct hf_edits *edits)
{
	free(edits->items);
	*edits = (struct hf_edits){0};
}

/* The number of edits that begin at or before `at`. */
static size_t n_edits_up_to(const struct hf_edits *edits, size_t at)
{
	size_t low = 0;
	size_t high = edits->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (edits->items[middle].after <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t hf_edits_origin(const struct hf_edits *edits, size_t at)
{
	size_t n = n_edits_up_to(edits, at);
	const struct hf_edit *edit;

	if (n == 0)
		return at;
	edit = &edits->items[n - 1];
	if (at < edit->after + edit->after_len)
		return edit->before;
	return edit->before + edit->before_len +
	       (at - edit->after - edit->after_len);
}

void hf_place_advance(struct hf_place *place, const char *text, size_t at)
{
	for (; place->at < at; place->at++) {
		char c = text[place->at];

		if (c == '\n') {
			place->line++;
			place->column = 1;
		} else if (((unsigned char)c & 0xc0) != 0x80) {
			place->column++;
		}
	}
}
