/*
 * attr: what stat(2) says. Constant files have constant times, so that a
 * fresh checkout of the same bytes is no reason to upload anything; mutable
 * ones show the later of mtime and ctime, so that a replaced file is never
 * taken for old.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

#define NS INT64_C(1000000000)
#define BLOCK_LEN 131072

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * NS + time->tv_nsec;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Nobody may read here who may not read the source. */
static mode_t mode_of(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return S_IFDIR | (st->st_mode & 0555) | S_IWUSR;
	return S_IFREG | (st->st_mode & 0444) | S_IWUSR;
}

void hf_attr_entry(const struct hf_config *config, bool constant,
		   const struct stat *st, struct hf_entry *ret)
{
	ret->mode = mode_of(st);
	ret->uid = config->uid >= 0 ? (uid_t)config->uid : st->st_uid;
	ret->gid = config->gid >= 0 ? (gid_t)config->gid : st->st_gid;
	ret->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	if (!constant)
		ret->mtime_ns = later(ns_of(&st->st_mtim), ns_of(&st->st_ctim));
	else
		ret->mtime_ns = config->mtime_source ? ns_of(&st->st_mtim)
						     : config->mtime_ns;
}

static struct timespec timespec_of(int64_t ns)
{
	/* Times before 1970 have a positive nanosecond part, too. */
	int64_t nsec = (ns % NS + NS) % NS;

	return (struct timespec){.tv_sec = (time_t)((ns - nsec) / NS),
				 .tv_nsec = (long)nsec};
}

void hf_attr_fill(const struct hf_entry *entry, uint64_t ino, struct stat *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->st_ino = ino;
	ret->st_mode = entry->mode;
	ret->st_nlink = 1;
	ret->st_uid = entry->uid;
	ret->st_gid = entry->gid;
	ret->st_size = (off_t)entry->size;
	ret->st_blksize = BLOCK_LEN;
	ret->st_blocks = (blkcnt_t)((entry->size + 511) / 512);
	ret->st_mtim = timespec_of(entry->mtime_ns);
	ret->st_atim = ret->st_mtim;
	ret->st_ctim = ret->st_mtim;
}
