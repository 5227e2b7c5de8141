/*
 * previous: a hashed name must not stand for other bytes than it did. A name of
 * 12 digits can be made to collide on purpose; integrity values cannot, so they
 * tell, where both manifests have them by the same algorithm.
 */
#include "manifest/verb.h"

#include <errno.h>
#include <string.h>

/* True if both values are of one algorithm. */
static bool comparable(const char *a, const char *b)
{
	size_t len = strcspn(a, "-") + 1;

	return *a && *b && strncmp(a, b, len) == 0;
}

static int refuse(const struct hf_manifest_row *row)
{
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(row->name);

	hf_log(HF_LOG_ERROR,
	       "the name %s stood for other bytes in the previous manifest; no "
	       "manifest was written. Browsers would go on with the old ones: "
	       "change the file, or use longer names (-o length=)",
	       shown ? shown : "?");
	return HF_EXIT_FINDINGS;
}

/* Names that are no hashed ones may change what they stand for. */
static bool may_change(const struct hf_manifest_row *row)
{
	return strcmp(row->path, row->name) == 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct hf_manifest_row *const *x = a;
	const struct hf_manifest_row *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* The listed rows in the order of their names; *ret is new. */
static int sort_names(const struct hf_manifest *manifest,
		      const struct hf_manifest_row ***ret, size_t *ret_n)
{
	const struct hf_manifest_row **rows =
		calloc(manifest->n + 1, sizeof(*rows));
	const struct hf_manifest_row *row;
	size_t cursor = 0, n = 0;

	if (!rows)
		return -ENOMEM;
	while ((row = hf_manifest_next(manifest, &cursor)))
		if (!may_change(row))
			rows[n++] = row;
	qsort(rows, n, sizeof(*rows), compare_names);
	*ret = rows;
	*ret_n = n;
	return 0;
}

static int compare(const struct hf_manifest_row **old, size_t n_old,
		   const struct hf_manifest_row **new, size_t n_new)
{
	size_t same = 0, blind = 0;

	for (size_t i = 0, k = 0; i < n_old && k < n_new;) {
		int order = strcmp(old[i]->name, new[k]->name);

		if (order == 0) {
			same++;
			if (!comparable(old[i]->integrity, new[k]->integrity))
				blind++;
			else if (strcmp(old[i]->integrity, new[k]->integrity))
				return refuse(new[k]);
		}
		i += order <= 0;
		k += order >= 0;
	}
	if (blind)
		hf_log(HF_LOG_WARNING,
		       "of %zu names that stay, %zu could not be compared: the "
		       "previous manifest has no integrity value of the same "
		       "algorithm for them",
		       same, blind);
	return HF_EXIT_GOOD;
}

int hf_verb_compare_previous(const struct hf_arguments *arguments,
			     const struct hf_manifest *manifest)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest previous = {0};
	const struct hf_manifest_row **old = NULL, **new = NULL;
	size_t n_old = 0, n_new = 0;
	int code = hf_verb_read(arguments, arguments->previous, &previous);
	int error = 0;

	if (code != HF_EXIT_GOOD)
		return code;
	error = sort_names(&previous, &old, &n_old);
	if (error == 0)
		error = sort_names(manifest, &new, &n_new);
	code = error < 0 ? hf_verb_fail(error, NULL)
			 : compare(old, n_old, new, n_new);
	free(old);
	free(new);
	return code;
}
