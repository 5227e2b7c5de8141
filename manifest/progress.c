/* How far the work is, on a terminal. */
#include "manifest/manifest.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fs/control/control.h" /* HF_CONTROL_DIR */

#define INTERVAL_MS 250
#define NS_PER_S INT64_C(1000000000)
#define MB 1e6

bool hf_work_of_snapshot(void *context, struct hf_work *ret)
{
	struct hf_progress *progress = context;

	ret->files_done = atomic_load(&progress->files_done);
	ret->files = atomic_load(&progress->files);
	ret->bytes_done = atomic_load(&progress->bytes_done);
	ret->bytes = atomic_load(&progress->bytes);
	return true;
}

/* Reads "KEY: DONE/TOTAL" wherever it begins a line. */
static bool parse_pair(const char *status, const char *key, uint64_t *done,
		       uint64_t *total)
{
	size_t len = strlen(key);

	for (const char *line = status; line;) {
		if (!strncmp(line, key, len) &&
		    sscanf(line + len, ": %" SCNu64 "/%" SCNu64, done, total) ==
			    2)
			return true;
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return false;
}

bool hf_work_parse(const char *status, struct hf_work *ret)
{
	return parse_pair(status, "progress_files", &ret->files_done,
			  &ret->files) &&
	       parse_pair(status, "progress_bytes", &ret->bytes_done,
			  &ret->bytes);
}

bool hf_work_of_mount(void *context, struct hf_work *ret)
{
	const char *mount = context;
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

	hf_buf_printf(&path, "%s/" HF_CONTROL_DIR "/status", mount);
	return hf_buf_status(&path) == 0 &&
	       hf_input_read(path.data, &text) == 0 &&
	       hf_work_parse(text.data, ret);
}

/* What is left, if the rest goes as fast as what was done. */
static void describe_rest(const struct hf_work *work, double bytes_per_s,
			  struct hf_buf *ret)
{
	double seconds;

	if (work->bytes <= work->bytes_done || bytes_per_s <= 0)
		return;
	seconds = (double)(work->bytes - work->bytes_done) / bytes_per_s;
	if (seconds < 100 * 3600.0)
		hf_buf_printf(ret, ", %d:%02d left", (int)seconds / 60,
			      (int)seconds % 60);
}

void hf_work_describe(const struct hf_work *work, int64_t elapsed_ns,
		      struct hf_buf *ret)
{
	double seconds = (double)elapsed_ns / NS_PER_S;
	double rate = seconds > 0 ? (double)work->bytes_done / seconds : 0;

	hf_buf_printf(
		ret, "%" PRIu64 "/%" PRIu64 " files, %.1f/%.1f MB, %.1f MB/s",
		work->files_done, work->files, (double)work->bytes_done / MB,
		(double)work->bytes / MB, rate / MB);
	describe_rest(work, rate, ret);
}

struct hf_meter {
	struct hf_pool *pool; /* one thread */
	struct hf_wait stop;
	hf_work_sample *sample;
	void *context;
	int64_t start_ns;
	bool shown; /* by the thread; read when it has ended */
};

/* A line that the terminal breaks could not be wiped. */
static int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return INT_MAX;
	return size.ws_col - 1;
}

static void show(struct hf_meter *meter)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf line = {0};
	struct hf_work work = {0};

	if (!meter->sample(meter->context, &work))
		return;
	hf_work_describe(&work, hf_clock_monotonic() - meter->start_ns, &line);
	if (hf_buf_status(&line) < 0)
		return;
	fprintf(stderr, "\r%.*s\033[K", columns(), line.data);
	meter->shown = true;
}

static void run(void *job)
{
	struct hf_meter *meter = job;

	while (hf_wait_block_for(&meter->stop, INTERVAL_MS) < 0)
		show(meter);
}

static void meter_free(struct hf_meter *meter)
{
	hf_pool_free(meter->pool);
	hf_wait_fini(&meter->stop);
	free(meter);
}

struct hf_meter *hf_meter_start(bool quiet, hf_work_sample *sample,
				void *context)
{
	struct hf_meter *meter;

	if (quiet || !isatty(STDERR_FILENO))
		return NULL;
	meter = calloc(1, sizeof(*meter));
	if (!meter)
		return NULL;
	meter->sample = sample;
	meter->context = context;
	meter->start_ns = hf_clock_monotonic();
	hf_wait_init(&meter->stop);
	if (hf_pool_new(1, 1, &meter->pool) < 0 ||
	    hf_pool_submit(meter->pool, run, meter) < 0) {
		meter_free(meter);
		return NULL;
	}
	return meter;
}

void hf_meter_stop(struct hf_meter *meter)
{
	bool shown;

	if (!meter)
		return;
	hf_wait_wake(&meter->stop);
	/* The thread ends before its words are wiped. */
	hf_pool_free(meter->pool);
	meter->pool = NULL;
	shown = meter->shown;
	meter_free(meter);
	if (shown)
		fputs("\r\033[K", stderr);
}
