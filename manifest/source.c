/* The manifest of sources, without a mount: the same engine, asked directly. */
#include "manifest/manifest.h"

#include <errno.h>
#include <string.h>

static int add_row(const struct hf_row *row,
		   const struct hf_algorithm *algorithm,
		   struct hf_manifest *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf integrity = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf problem = {0};
	char digest[HF_DIGEST_HEX_MAX + 1];
	char content[HF_DIGEST_HEX_MAX + 1];
	struct hf_manifest_row copy = {
		.path = row->path,
		.name = row->name,
		.digest = digest,
		.content = content,
		.size = row->size,
		.failed = row->error != 0,
	};

	hf_digest_hex(&row->name_digest, digest);
	if (hf_digest_equal(&row->name_digest, &row->content_digest))
		copy.content = digest;
	else
		hf_digest_hex(&row->content_digest, content);
	if (row->problem != HF_PROBLEM_NONE || row->error)
		hf_problem_describe(row->problem, row->error, &problem);
	if (row->integrity.len)
		hf_digest_integrity(algorithm, &row->integrity, &integrity);
	if (hf_buf_status(&problem) < 0 || hf_buf_status(&integrity) < 0)
		return -ENOMEM;
	copy.problem = problem.data;
	copy.integrity = integrity.data;
	return hf_manifest_add_named(ret, &copy);
}

/* The manifest takes the texts over that paths and names are in. */
static int add_rows(struct hf_snapshot *snapshot,
		    const struct hf_algorithm *algorithm,
		    struct hf_manifest *ret)
{
	int error = 0;

	while (snapshot->n_texts > 0 && error == 0) {
		error = hf_manifest_keep(
			ret, snapshot->texts[snapshot->n_texts - 1]);
		snapshot->n_texts -= error == 0;
	}
	for (size_t i = 0; i < snapshot->n && error == 0; i++)
		error = add_row(&snapshot->rows[i], algorithm, ret);
	return error;
}

static int explain(int error, char **why)
{
	if (error == -ENOMEM)
		return error;
	if (error == -EAGAIN)
		return hf_why(error, why,
			      "the sources keep changing; try again when they "
			      "are quiet");
	if (error == -ESTALE)
		return hf_why(error, why,
			      "a file is not what it was when it was named; "
			      "try again when the sources are quiet");
	return hf_why(error, why, "cannot read the sources: %s",
		      strerror(-error));
}

/* The snapshot of the moment that findings or references are of. */
static int look(struct hf_view *view, struct hf_progress *progress,
		const struct hf_tree *tree, struct hf_snapshot *ret)
{
	struct hf_wait wait; /* never interrupted: a signal ends the program */
	int error;

	hf_wait_init(&wait);
	if (tree->findings)
		error = hf_view_findings(view, &wait, progress, ret,
					 tree->findings);
	else if (tree->references)
		error = hf_view_references(view, &wait, progress, ret,
					   tree->references);
	else
		error = hf_view_snapshot(view, &wait, progress, ret);
	hf_wait_fini(&wait);
	return error;
}

static int tree_of_view(struct hf_view *view, const struct hf_config *config,
			struct hf_progress *progress,
			const struct hf_tree *tree, char **why)
{
	struct hf_manifest *manifest = tree->manifest;
	struct hf_snapshot snapshot = {0};
	int error = look(view, progress, tree, &snapshot);

	if (error < 0)
		return explain(error, why);
	if (manifest)
		error = add_rows(&snapshot, config->integrity, manifest);
	hf_snapshot_fini(&snapshot);
	if (error == 0 && manifest && !manifest->static_url) {
		manifest->static_url = strdup(config->static_url);
		error = manifest->static_url ? 0 : -ENOMEM;
	}
	return error;
}

int hf_manifest_of_view(struct hf_view *view, const struct hf_config *config,
			struct hf_manifest *ret, char **why)
{
	const struct hf_tree tree = {.manifest = ret};

	return tree_of_view(view, config, NULL, &tree, why);
}

int hf_tree_of_sources(const struct hf_config *config,
		       struct hf_progress *progress, const struct hf_tree *ret,
		       char **why)
{
	struct hf_view *view;
	int error = hf_view_new(config, 0, &view, why);

	if (error < 0)
		return error;
	error = tree_of_view(view, config, progress, ret, why);
	hf_view_free(view);
	return error;
}
