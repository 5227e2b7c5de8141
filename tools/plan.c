#include "tools/plan.h"

#include <errno.h>

static int make_room(struct hf_plan *plan)
{
	size_t cap = plan->cap ? 2 * plan->cap : 256;
	struct hf_plan_dir *dirs;

	if (plan->n < plan->cap)
		return 0;
	dirs = realloc(plan->dirs, cap * sizeof(*dirs));
	if (!dirs)
		return -ENOMEM;
	plan->dirs = dirs;
	plan->cap = cap;
	return 0;
}

/* Steals `node`. */
static int add_dir(struct hf_view *view, struct hf_plan *plan,
		   struct hf_node *node)
{
	struct hf_buf path = {0};
	struct hf_plan_dir dir = {.node = node};
	int r = hf_view_stat(view, node, &dir.st);

	if (r == 0)
		r = make_room(plan);
	if (r == 0)
		r = hf_view_list(view, node, NULL, &dir.listing);
	hf_node_path(node, &path);
	if (r == 0)
		r = hf_buf_steal(&path, &dir.path);
	hf_buf_fini(&path);
	if (r == 0) {
		plan->dirs[plan->n++] = dir;
		return 0;
	}
	if (dir.listing)
		hf_listing_unref(dir.listing);
	hf_node_unref(node);
	return r;
}

static int add_children(struct hf_view *view, struct hf_plan *plan, size_t at)
{
	struct hf_listing *listing = plan->dirs[at].listing;
	struct hf_node *parent = plan->dirs[at].node;
	int r = 0;

	for (size_t i = 0; i < hf_listing_len(listing) && r == 0; i++) {
		const struct hf_entry *entry = hf_listing_entry(listing, i);
		struct hf_node *node;

		if (entry->hidden || entry->kind != HF_KIND_DIR)
			continue;
		r = hf_view_node(view, parent, listing, i, &node);
		if (r == 0)
			r = add_dir(view, plan, node);
	}
	return r;
}

bool hf_plan_is_file(const struct hf_entry *entry)
{
	return !entry->hidden && entry->kind != HF_KIND_DIR;
}

int hf_plan_make(struct hf_view *view, struct hf_plan *ret)
{
	struct hf_plan plan = {0};
	struct hf_node *root;
	int r = hf_view_root(view, &root);

	if (r == 0)
		r = add_dir(view, &plan, root);
	for (size_t i = 0; i < plan.n && r == 0; i++)
		r = add_children(view, &plan, i);
	if (r < 0)
		hf_plan_fini(&plan);
	else
		*ret = plan;
	return r;
}

void hf_plan_leave_view(struct hf_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct hf_plan_dir *dir = &plan->dirs[i];

		if (!dir->node)
			continue;
		hf_listing_unref(dir->listing);
		hf_node_unref(dir->node);
		dir->listing = NULL;
		dir->node = NULL;
	}
}

void hf_plan_fini(struct hf_plan *plan)
{
	hf_plan_leave_view(plan);
	for (size_t i = 0; i < plan->n; i++)
		free(plan->dirs[i].path);
	free(plan->dirs);
	*plan = (struct hf_plan){0};
}
