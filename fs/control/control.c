/*
 * control: the files of .hashedfs. Each is a row of one table: its name and
 * the function that renders it.
 */
#include "fs/control/control.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Each holds the mapping of the whole tree while it is made. */
#define MAX_SURVEYS 8

struct hf_control {
	struct hf_view *view;
	const struct hf_config *config;
	const char *landlock;
	struct hf_progress progress; /* of the newest snapshot */
	atomic_uint surveys;         /* under way */
};

int hf_control_new(struct hf_view *view, const struct hf_config *config,
		   const char *landlock, struct hf_control **ret)
{
	struct hf_control *control = calloc(1, sizeof(*control));

	if (!control)
		return -ENOMEM;
	control->view = view;
	control->config = config;
	control->landlock = landlock;
	*ret = control;
	return 0;
}

void hf_control_free(struct hf_control *control)
{
	free(control);
}

/* --- status -------------------------------------------------------------- */

static void add_word(struct hf_buf *ret, const char *key, const char *value)
{
	hf_buf_printf(ret, "%s: ", key);
	hf_escape(ret, value, strlen(value));
	hf_buf_putc(ret, '\n');
}

static void add_number(struct hf_buf *ret, const char *key, uint64_t value)
{
	hf_buf_printf(ret, "%s: %" PRIu64 "\n", key, value);
}

static void add_sources(struct hf_buf *ret, const struct hf_root_specs *roots)
{
	for (size_t i = 0; i < roots->n; i++) {
		hf_buf_puts(ret, "source: ");
		if (*roots->items[i].prefix) {
			hf_escape(ret, roots->items[i].prefix,
				  strlen(roots->items[i].prefix));
			hf_buf_putc(ret, '=');
		}
		hf_escape(ret, roots->items[i].dir,
			  strlen(roots->items[i].dir));
		hf_buf_putc(ret, '\n');
	}
}

static void add_watching(struct hf_buf *ret, const struct hf_view_stats *stats)
{
	hf_buf_printf(ret, "watching: %zu directories", stats->watched);
	if (stats->unwatched == ENOSPC)
		hf_buf_puts(ret, " (not all: the limit is reached, see "
				 "fs.inotify.max_user_watches)");
	else if (stats->unwatched == EOPNOTSUPP)
		hf_buf_puts(ret, " (not all: a file system does not report "
				 "all changes)");
	else if (stats->unwatched)
		hf_buf_printf(ret, " (not all: %s)",
			      strerror(stats->unwatched));
	hf_buf_putc(ret, '\n');
}

static int render_status(struct hf_control *control, struct hf_wait *wait,
			 struct hf_buf *ret)
{
	const struct hf_config *config = control->config;
	struct hf_progress *progress = &control->progress;
	struct hf_view_stats stats;

	(void)wait;
	hf_view_stats(control->view, &stats);
	add_word(ret, "version", HF_VERSION);
	add_word(ret, "state",
		 hf_view_is_frozen(control->view) ? "frozen" : "live");
	add_sources(ret, &config->source.roots);
	add_word(ret, "name", config->name_template);
	add_word(ret, "digest", hf_algorithm_name(config->algorithm));
	add_number(ret, "length", config->hash_len);
	add_word(ret, "static_url", config->static_url);
	add_word(ret, "landlock", control->landlock);
	add_number(ret, "threads", stats.threads);
	add_number(ret, "generation", stats.generation);
	add_number(ret, "changes", stats.reports);
	add_watching(ret, &stats);
	add_number(ret, "files_hashed", stats.digests.files_hashed);
	add_number(ret, "bytes_hashed", stats.digests.bytes_hashed);
	add_word(ret, "cache", stats.cache_dir);
	add_number(ret, "cache_rows_read", stats.cache.rows_read);
	add_number(ret, "cache_rows_written", stats.cache.rows_written);
	add_number(ret, "remembered", stats.cache.entries);
	add_number(ret, "remembered_bytes", stats.cache.bytes);
	add_number(ret, "hashing_now", stats.digests.flights);
	add_number(ret, "bytes_pinned", stats.bytes_pinned);
	add_number(ret, "bytes_rewritten", stats.bytes_rewritten);
	hf_buf_printf(ret, "progress_files: %" PRIu64 "/%" PRIu64 "\n",
		      (uint64_t)atomic_load(&progress->files_done),
		      (uint64_t)atomic_load(&progress->files));
	hf_buf_printf(ret, "progress_bytes: %" PRIu64 "/%" PRIu64 "\n",
		      (uint64_t)atomic_load(&progress->bytes_done),
		      (uint64_t)atomic_load(&progress->bytes));
	return 0;
}

/* --- map ----------------------------------------------------------------- */

/* `algorithm`: NULL for the map alone. */
static int render_map_by(const char *algorithm, struct hf_control *control,
			 struct hf_wait *wait, struct hf_buf *ret)
{
	const struct hf_algorithm *integrity =
		algorithm ? hf_algorithm_find(algorithm) : NULL;
	struct hf_snapshot snapshot;
	int error = hf_view_integrity(control->view, integrity, wait,
				      &control->progress, &snapshot);

	if (error < 0)
		return error;
	hf_control_map(&snapshot, integrity, ret);
	hf_snapshot_fini(&snapshot);
	return 0;
}

static int render_map(struct hf_control *control, struct hf_wait *wait,
		      struct hf_buf *ret)
{
	return render_map_by(NULL, control, wait, ret);
}

static int render_map_sha256(struct hf_control *control, struct hf_wait *wait,
			     struct hf_buf *ret)
{
	return render_map_by("sha256", control, wait, ret);
}

static int render_map_sha384(struct hf_control *control, struct hf_wait *wait,
			     struct hf_buf *ret)
{
	return render_map_by("sha384", control, wait, ret);
}

static int render_map_sha512(struct hf_control *control, struct hf_wait *wait,
			     struct hf_buf *ret)
{
	return render_map_by("sha512", control, wait, ret);
}

/* --- findings, problems -------------------------------------------------- */

static void print_findings(const struct hf_findings *findings,
			   struct hf_buf *ret)
{
	for (size_t i = 0; i < findings->n; i++)
		hf_finding_print(&findings->rows[i], ret);
}

/* Findings are what a look at the whole tree finds, not what happened to be
 * met so far. */
static int render_with(struct hf_control *control, struct hf_wait *wait,
		       void (*print)(const struct hf_findings *findings,
				     struct hf_buf *ret),
		       struct hf_buf *ret)
{
	struct hf_findings findings;
	int error = hf_view_findings(control->view, wait, &control->progress,
				     NULL, &findings);

	if (error < 0)
		return error;
	print(&findings, ret);
	hf_findings_fini(&findings);
	return 0;
}

static int render_findings(struct hf_control *control, struct hf_wait *wait,
			   struct hf_buf *ret)
{
	return render_with(control, wait, hf_control_findings, ret);
}

static int render_problems(struct hf_control *control, struct hf_wait *wait,
			   struct hf_buf *ret)
{
	return render_with(control, wait, print_findings, ret);
}

/* --- references ---------------------------------------------------------- */

static int render_references(struct hf_control *control, struct hf_wait *wait,
			     struct hf_buf *ret)
{
	struct hf_references references;
	int error = hf_view_references(control->view, wait, &control->progress,
				       NULL, &references);

	if (error < 0)
		return error;
	hf_control_references(&references, ret);
	hf_references_fini(&references);
	return 0;
}

/* --- sync ---------------------------------------------------------------- */

static int render_sync(struct hf_control *control, struct hf_wait *wait,
		       struct hf_buf *ret)
{
	struct hf_view_stats stats;

	(void)wait;
	hf_view_stats(control->view, &stats);
	hf_buf_printf(ret, "%" PRIu64 "\n", stats.generation);
	return 0;
}

/* --- the table ----------------------------------------------------------- */

static const struct {
	const char *name;
	int (*render)(struct hf_control *control, struct hf_wait *wait,
		      struct hf_buf *ret);
	bool surveys; /* looks at the whole tree */
} files[] = {
	{"findings", render_findings, true},
	{"map", render_map, true},
	{"map.sha256", render_map_sha256, true},
	{"map.sha384", render_map_sha384, true},
	{"map.sha512", render_map_sha512, true},
	{"problems", render_problems, true},
	{"references", render_references, true},
	{"status", render_status, false},
	{"sync", render_sync, false},
};

const char *hf_control_name(size_t i)
{
	return i < HF_ARRAY_SIZE(files) ? files[i].name : NULL;
}

int hf_control_render(struct hf_control *control, size_t i,
		      struct hf_wait *wait, struct hf_buf *ret)
{
	unsigned n = i < HF_ARRAY_SIZE(files) && files[i].surveys;
	int error = -EAGAIN;

	if (i >= HF_ARRAY_SIZE(files))
		return -ENOENT;
	if (atomic_fetch_add(&control->surveys, n) < MAX_SURVEYS || n == 0)
		error = files[i].render(control, wait, ret);
	atomic_fetch_sub(&control->surveys, n);
	return error < 0 ? error : hf_buf_status(ret);
}
