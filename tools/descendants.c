#include "tools/descendants.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct process {
	pid_t pid;
	pid_t parent;
	char state;
	long threads;
	unsigned long long start; /* tells it from a later one of that number */
};

struct table {
	struct process *rows; /* sorted by pid */
	size_t n;
	size_t cap;
};

static void table_fini(struct table *table)
{
	free(table->rows);
}

static int add(struct table *table, const struct process *process)
{
	if (table->n == table->cap) {
		size_t cap = table->cap ? 2 * table->cap : 512;
		struct process *rows =
			reallocarray(table->rows, cap, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		table->rows = rows;
		table->cap = cap;
	}
	table->rows[table->n++] = *process;
	return 0;
}

/* Fields 1, 3, 4, 20 and 22 of proc_pid_stat(5). The second one, a name in
 * brackets, may hold anything. */
static bool read_process(const char *pid, struct process *ret)
{
	char path[64], line[1024];
	const char *rest;
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	good = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	rest = good ? strrchr(line, ')') : NULL;
	return rest && sscanf(line, "%d", &ret->pid) == 1 &&
	       sscanf(rest,
		      ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
		      "%*d %*d %*d %*d %ld %*d %llu",
		      &ret->state, &ret->parent, &ret->threads,
		      &ret->start) == 4;
}

static int compare(const void *a, const void *b)
{
	const struct process *x = a;
	const struct process *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int read_table(struct table *ret)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	struct process process;
	int error = 0;

	if (!proc)
		return -errno;
	while (error == 0 && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    read_process(entry->d_name, &process))
			error = add(ret, &process);
	closedir(proc);
	if (error == 0)
		qsort(ret->rows, ret->n, sizeof(*ret->rows), compare);
	return error;
}

static const struct process *find(const struct table *table, pid_t pid)
{
	const struct process key = {.pid = pid};

	return bsearch(&key, table->rows, table->n, sizeof(key), compare);
}

/* Climbs from a process to its ancestors. Where one ended while the table was
 * read, only the next table can tell. */
static bool is_descendant(const struct table *table,
			  const struct process *process, pid_t except)
{
	pid_t self = getpid();

	for (size_t i = 0; process && i < table->n; i++) {
		if (process->pid == except || process->pid == self)
			return false;
		if (process->parent == self)
			return true;
		process = find(table, process->parent);
	}
	return false;
}

/* A process whose first thread has ended looks like a zombie, and lives. */
static bool is_alive(const struct process *process)
{
	return process->state != 'Z' || process->threads > 1;
}

int hf_descendants_check(char **why)
{
	char self[32] = "", link[32] = "";

	snprintf(self, sizeof(self), "%d", (int)getpid());
	if (readlink("/proc/self", link, sizeof(link) - 1) > 0 &&
	    strcmp(self, link) == 0)
		return 0;
	return hf_why(-ENOSYS, why,
		      "/proc does not show the processes of this PID "
		      "namespace, and without it those of the command could "
		      "not be ended; mount it, as unshare --mount-proc does");
}

int hf_descendants_signal(int number, pid_t except)
{
	HF_CLEANUP(table_fini) struct table table = {0};
	int alive = 0;

	if (read_table(&table) < 0)
		return -1;
	for (size_t i = 0; i < table.n; i++) {
		const struct process *process = &table.rows[i];

		if (!is_alive(process) ||
		    !is_descendant(&table, process, except))
			continue;
		alive++;
		kill(process->pid, number);
	}
	return alive;
}

static bool was_told(const struct table *told, const struct process *process)
{
	for (size_t i = 0; i < told->n; i++)
		if (told->rows[i].pid == process->pid &&
		    told->rows[i].start == process->start)
			return true;
	return false;
}

/* One look at all. True: there was nothing new. */
static bool sweep(int number, pid_t except, struct table *told)
{
	HF_CLEANUP(table_fini) struct table table = {0};
	bool quiet = read_table(&table) == 0;

	for (size_t i = 0; i < table.n; i++) {
		const struct process *process = &table.rows[i];

		if (!is_descendant(&table, process, except) ||
		    was_told(told, process))
			continue;
		quiet = false;
		kill(process->pid, number);
		/* Out of memory it is told once more. */
		(void)!add(told, process);
	}
	return quiet;
}

/* What a table could not tell because somebody ended meanwhile, the next one
 * does. */
#define QUIET_SWEEPS 2
/* A full memory is no reason to go on for ever. */
#define MAX_SWEEPS 1000

static void tell_all(int number, pid_t except)
{
	HF_CLEANUP(table_fini) struct table told = {0};
	int quiet = 0;

	for (int i = 0; i < MAX_SWEEPS && quiet < QUIET_SWEEPS; i++)
		quiet = sweep(number, except, &told) ? quiet + 1 : 0;
}

/* All of them stand still before the first one dies. */
void hf_descendants_kill(pid_t except)
{
	tell_all(SIGSTOP, except);
	tell_all(SIGKILL, except);
}
