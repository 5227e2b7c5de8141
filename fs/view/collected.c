/*
 * collected: which directories collectstatic makes: those that have a file
 * somewhere below them.
 */
#include "fs/view/graph.h"

#include <errno.h>
#include <string.h>

/* Finds a file among the entries of `dir`, or adds its directories to
 * `open`. */
static int look(const struct hf_source_list *list, const char *dir,
		struct hf_strings *open, bool *ret)
{
	struct hf_buf path = {0};
	int error = 0;

	for (size_t i = 0; i < hf_source_list_len(list) && error == 0; i++) {
		const struct hf_source_entry *entry =
			hf_source_list_entry(list, i);

		if (entry->shadowed || entry->type == HF_TYPE_SPECIAL)
			continue;
		if (entry->type != HF_TYPE_DIR) {
			*ret = true;
			break;
		}
		hf_buf_reset(&path);
		hf_view_join(&path, dir, entry->name);
		error = hf_buf_status(&path);
		if (error == 0)
			error = hf_strings_add(open, path.data, path.len);
	}
	hf_buf_fini(&path);
	return error;
}

int hf_view_is_collected(struct hf_graph *graph, const char *dir,
			 bool *reported, bool *ret)
{
	struct hf_strings open = {0};
	bool found = false;
	int error = hf_strings_add(&open, dir, strlen(dir));

	for (size_t i = 0; i < open.n && !found && error == 0; i++) {
		struct hf_source_list *list;

		*reported &= graph->watching &&
			     hf_view_watch_at(graph->view, open.items[i]);
		error = hf_source_list(graph->view->source, open.items[i],
				       &list);
		if (error == 0) {
			error = look(list, open.items[i], &open, &found);
			hf_source_list_unref(list);
		} else if (!hf_error_passing(error)) {
			/* What cannot be listed may have one. */
			found = true;
			*reported = false;
			error = 0;
		}
	}
	hf_strings_fini(&open);
	if (error == 0)
		*ret = found;
	return error;
}
