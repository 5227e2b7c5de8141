#include "tools/prune.h"

#include <errno.h>
#include <string.h>

/* No path of ours: what has "..", or begins at the top of the machine. */
static bool is_wild(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return true;
		if (!path[len])
			return false;
		path += len + 1;
	}
}

/* Steals `dir`. 1: the view shows that path below it; 0: not. */
static int is_shown(struct hf_view *view, struct hf_node *dir, char *path)
{
	int r = 0;

	while (r == 0 && path) {
		char *slash = strchr(path, '/');
		struct hf_node *node;

		if (slash)
			*slash++ = '\0';
		r = hf_view_lookup(view, dir, path, NULL, &node);
		hf_node_unref(dir);
		dir = r == 0 ? node : NULL;
		path = slash;
	}
	if (dir)
		hf_node_unref(dir);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? r : 1;
}

static int add_row(struct hf_view *view, const struct hf_manifest_row *row,
		   struct hf_strings *ret)
{
	HF_CLEANUP(hf_freep) char *copy = NULL;
	struct hf_node *root;
	int r;

	if (strcmp(row->path, row->name) == 0 || is_wild(row->name) ||
	    !hf_view_could_name(view, row->path, row->name))
		return 0;
	copy = strdup(row->name);
	r = copy ? hf_view_root(view, &root) : -ENOMEM;
	if (r == 0)
		r = is_shown(view, root, copy);
	if (r != 0)
		return r < 0 ? r : 0;
	return hf_strings_add(ret, row->name, strlen(row->name));
}

int hf_prune_list(struct hf_view *view, const char *file,
		  const struct hf_document *document, struct hf_strings *ret,
		  char **why)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	int r = hf_document_read(document, file, &manifest, why);

	for (size_t i = 0; i < manifest.n && r == 0; i++)
		r = add_row(view, &manifest.rows[i], ret);
	return r;
}
