/* The stamp of a file state. */
#include "fs/source/source.h"

/* A stamp of the year 2263 or later is as good as the last one that fits: it
 * can be set by hand only, and then the ctime decides. */
static int64_t nanoseconds(const struct timespec *time)
{
	int64_t ns;

	if (__builtin_mul_overflow(time->tv_sec, INT64_C(1000000000), &ns) ||
	    __builtin_add_overflow(ns, time->tv_nsec, &ns))
		return time->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

struct hf_sig hf_sig_of(const struct stat *st)
{
	return (struct hf_sig){
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime_ns = nanoseconds(&st->st_mtim),
		.ctime_ns = nanoseconds(&st->st_ctim),
	};
}

bool hf_sig_equal(const struct hf_sig *a, const struct hf_sig *b)
{
	return a->ino == b->ino && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

bool hf_sig_quiet(const struct hf_sig *sig, int64_t now_ns)
{
	int64_t before = now_ns - HF_QUIET_NS;

	if (sig->ctime_ns >= before)
		return false;
	return sig->mtime_ns < before || sig->mtime_ns > now_ns;
}
