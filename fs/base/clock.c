#include "fs/base/base.h"

#include <time.h>
#include <unistd.h>

int64_t hf_clock_realtime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void hf_random_seed(uint64_t seed[2])
{
	if (getentropy(seed, 2 * sizeof(seed[0])) == 0)
		return;
	/* A guessable seed would be worse than no program. */
	hf_log(HF_LOG_ERROR, "no random numbers from the kernel");
	abort();
}
