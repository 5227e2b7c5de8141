/* statstext: stats for people. */
#include "manifest/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of each list so many; --json has all. */
#define MOST 10
#define MOST_IN_LINE 3
#define BYTES_LEN 32

static const char *bytes_of(uint64_t bytes, char ret[BYTES_LEN])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double number = (double)bytes;
	size_t unit = 0;

	/* From 999.95 on it would be shown as a thousand. */
	while (number >= 999.95 && unit + 1 < HF_ARRAY_SIZE(units)) {
		number /= 1000;
		unit++;
	}
	snprintf(ret, BYTES_LEN, unit ? "%.1f %s" : "%.0f %s", number,
		 units[unit]);
	return ret;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* "12 files, 3.4 MB" */
static void add_sum(struct hf_buf *ret, const struct hf_sum *sum)
{
	char bytes[BYTES_LEN];

	hf_buf_printf(ret, "%zu file%s, %s", sum->files, plural(sum->files),
		      bytes_of(sum->bytes, bytes));
}

static void add_path(struct hf_buf *ret, const struct hf_manifest_row *row)
{
	hf_escape(ret, row->path, strlen(row->path));
}

static void add_paths(struct hf_buf *ret, const struct hf_group *group)
{
	for (size_t i = 0; i < group->n && i < MOST_IN_LINE; i++) {
		hf_buf_puts(ret, i ? ", " : "");
		add_path(ret, group->rows[i]);
	}
	if (group->n > MOST_IN_LINE)
		hf_buf_printf(ret, " and %zu more", group->n - MOST_IN_LINE);
}

static void add_rest(struct hf_buf *ret, size_t n)
{
	if (n > MOST)
		hf_buf_printf(ret, "  %10s  and %zu more\n", "", n - MOST);
}

/* A line for each of the first files of a group. */
static void add_files(struct hf_buf *ret, const struct hf_group *group)
{
	char bytes[BYTES_LEN];

	for (size_t i = 0; i < group->n && i < MOST; i++) {
		hf_buf_printf(ret, "  %10s  ",
			      bytes_of(group->rows[i]->size, bytes));
		add_path(ret, group->rows[i]);
		hf_buf_putc(ret, '\n');
	}
}

/* --- sizes --------------------------------------------------------------- */

static void add_type(struct hf_buf *ret, const char *name,
		     const struct hf_sum *sum, uint64_t all)
{
	char bytes[BYTES_LEN];

	hf_buf_printf(ret, "  %-24.24s %9zu %12s %5.1f %%\n", name, sum->files,
		      bytes_of(sum->bytes, bytes),
		      all ? 100 * (double)sum->bytes / (double)all : 0);
}

static void add_types(struct hf_buf *ret, const struct hf_sizes *sizes)
{
	struct hf_sum rest = {0};

	if (!sizes->n_types)
		return;
	hf_buf_printf(ret, "\n%-26s %9s %12s %7s\n", "By type", "files",
		      "bytes", "share");
	for (size_t i = 0; i < sizes->n_types; i++) {
		const struct hf_extension *type = &sizes->types[i];
		HF_CLEANUP(hf_freep)
		char *name =
			hf_escaped(*type->name ? type->name : "without one");

		if (i < MOST) {
			add_type(ret, name ? name : "?", &type->sum,
				 sizes->all.bytes);
			continue;
		}
		rest.files += type->sum.files;
		rest.bytes += type->sum.bytes;
	}
	if (rest.files)
		add_type(ret, "others", &rest, sizes->all.bytes);
}

static void add_equal(struct hf_buf *ret, const struct hf_sizes *sizes)
{
	const struct hf_groups *equal = &sizes->equal;
	char bytes[BYTES_LEN];

	hf_buf_puts(ret, "\nEqual bytes: ");
	if (equal->n)
		add_sum(ret, &sizes->surplus);
	hf_buf_puts(ret, equal->n ? " more than if each were there once\n"
				  : "none\n");
	for (size_t i = 0; i < equal->n && i < MOST; i++) {
		const struct hf_group *group = &equal->items[i];

		hf_buf_printf(ret, "  %10s  %zu times: ",
			      bytes_of(group->rows[0]->size, bytes), group->n);
		add_paths(ret, group);
		hf_buf_putc(ret, '\n');
	}
	add_rest(ret, equal->n);
	if (sizes->unknown)
		hf_buf_printf(ret,
			      "  not compared: %zu file%s under own names\n",
			      sizes->unknown, plural(sizes->unknown));
}

/* --- the manifest -------------------------------------------------------- */

static void add_unfit(struct hf_buf *ret, const char *what,
		      const struct hf_group *group)
{
	if (!group->n)
		return;
	hf_buf_printf(ret, "  %s: %zu file%s: ", what, group->n,
		      plural(group->n));
	add_paths(ret, group);
	hf_buf_putc(ret, '\n');
}

/* --- references ---------------------------------------------------------- */

static void add_unreferenced(struct hf_buf *ret,
			     const struct hf_group *unreferenced)
{
	struct hf_sum sum = hf_group_sum(unreferenced);

	hf_buf_puts(ret, "\nNot referred to: ");
	add_sum(ret, &sum);
	hf_buf_puts(ret,
		    unreferenced->n
			    ? ", in no style sheet or script of the tree.\n"
			      "Pages and templates are not looked at, and "
			      "may use them all.\n"
			    : "\n");
	add_files(ret, unreferenced);
	add_rest(ret, unreferenced->n);
}

static void add_chain(struct hf_buf *ret, const struct hf_group *longest)
{
	if (!longest->n)
		return;
	hf_buf_printf(ret, "Longest chain: %zu files\n", longest->n);
	for (size_t i = 0; i < longest->n; i++) {
		hf_buf_puts(ret, i ? "  -> " : "  ");
		add_path(ret, longest->rows[i]);
		hf_buf_putc(ret, '\n');
	}
}

static void add_circles(struct hf_buf *ret, const struct hf_groups *circles)
{
	if (circles->n)
		hf_buf_printf(ret, "Circles: %zu\n", circles->n);
	for (size_t i = 0; i < circles->n && i < MOST; i++) {
		hf_buf_puts(ret, "  ");
		add_paths(ret, &circles->items[i]);
		hf_buf_putc(ret, '\n');
	}
	if (circles->n > MOST)
		hf_buf_printf(ret, "  and %zu more\n", circles->n - MOST);
}

static void add_chains(struct hf_buf *ret, const struct hf_chains *chains)
{
	if (!chains->references) {
		hf_buf_puts(ret, "\nReferences: none, or none are looked for "
				 "(-o refs=none)\n");
		return;
	}
	add_unreferenced(ret, &chains->unreferenced);
	hf_buf_printf(ret, "\nReferences: %zu\n", chains->references);
	add_chain(ret, &chains->longest);
	add_circles(ret, &chains->circles);
}

/* --- release ------------------------------------------------------------- */

static void add_release(struct hf_buf *ret, const struct hf_stats *stats)
{
	const struct hf_release *release = &stats->release;

	hf_buf_puts(ret, "\nAfter ");
	hf_escape(ret, stats->previous, strlen(stats->previous));
	hf_buf_puts(ret, "\n  uploads         ");
	add_sum(ret, &release->added);
	hf_buf_puts(ret, " under new names\n");
	if (release->plain.files) {
		hf_buf_puts(ret, "  may upload      ");
		add_sum(ret, &release->plain);
		hf_buf_puts(ret, " under names that stay, if changed\n");
	}
	hf_buf_printf(ret, "  leaves behind   %zu file%s under old names\n",
		      release->left, plural(release->left));
}

void hf_stats_text(const struct hf_stats *stats, struct hf_buf *ret)
{
	const struct hf_sizes *sizes = &stats->sizes;

	add_sum(ret, &sizes->all);
	if (sizes->failed)
		hf_buf_printf(ret, "; %zu cannot be read", sizes->failed);
	hf_buf_putc(ret, '\n');
	add_unfit(ret, "not in the tree", &stats->fit.missing);
	add_unfit(ret, "changed, under another name there",
		  &stats->fit.renamed);
	add_types(ret, sizes);
	if (sizes->files.n)
		hf_buf_puts(ret, "\nBiggest files\n");
	add_files(ret, &sizes->files);
	add_equal(ret, sizes);
	add_chains(ret, &stats->chains);
	if (stats->previous)
		add_release(ret, stats);
}
