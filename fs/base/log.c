#include "fs/base/base.h"

#include <errno.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* Written before threads start, but for to_syslog: a program may leave its
 * terminal when it already runs. */
static const char *log_program;
static enum hf_log_level log_threshold = HF_LOG_WARNING;
static atomic_bool log_to_syslog;

void hf_log_init(const char *program, enum hf_log_level threshold)
{
	log_program = program;
	log_threshold = threshold;
	/* syslog(3) writes local time, when its file may be out of reach. */
	tzset();
}

void hf_log_to_syslog(void)
{
	openlog(log_program, LOG_PID, LOG_DAEMON);
	atomic_store(&log_to_syslog, true);
}

static int syslog_priority(enum hf_log_level level)
{
	static const int priorities[] = {
		[HF_LOG_ERROR] = LOG_ERR,
		[HF_LOG_WARNING] = LOG_WARNING,
		[HF_LOG_INFO] = LOG_INFO,
		[HF_LOG_DEBUG] = LOG_DEBUG,
	};

	return priorities[level];
}

/* One write, so that lines of several threads and processes stay whole. */
static void write_line(const struct hf_buf *line)
{
	ssize_t n;

	do
		n = write(STDERR_FILENO, line->data, line->len);
	while (n < 0 && errno == EINTR);
}

static HF_PRINTF(1, 0) void log_to_stderr(const char *format, va_list args)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf line = {0};
	const char *program =
		log_program ? log_program : program_invocation_short_name;

	hf_buf_printf(&line, "%s: ", program);
	hf_buf_vprintf(&line, format, args);
	hf_buf_putc(&line, '\n');
	/* Out of memory: what there is of the line is better than nothing. */
	if (line.len > 0)
		write_line(&line);
}

void hf_log(enum hf_log_level level, const char *format, ...)
{
	int saved = errno;
	va_list args;

	if (level > log_threshold)
		return;
	va_start(args, format);
	if (atomic_load(&log_to_syslog))
		vsyslog(syslog_priority(level), format, args);
	else
		log_to_stderr(format, args);
	va_end(args);
	errno = saved;
}
