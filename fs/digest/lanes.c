/*
 * lanes: MD5 of many messages at once, one in each lane of a vector. A lane
 * whose message ends takes the next one, so lengths need not be equal; where
 * they are alike all lanes stay full to the end.
 */
#include "fs/digest/lanes.h"

#include <endian.h>
#include <string.h>

#define BLOCK 64
#define LANES_MAX 16

/* floor(abs(sin(i + 1)) * 2^32) */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
	0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
	0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
	0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
	0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
	0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
	0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe,
				  0x10325476};

static inline uint32_t word(const uint8_t *block, int k)
{
	uint32_t value;

	memcpy(&value, block + 4 * k, sizeof(value));
	return le32toh(value);
}

#define LANES 4
#define KERNEL run_4
#define TARGET
#include "fs/digest/md5lanes.h"

#ifdef __x86_64__
#define LANES 8
#define KERNEL run_8
#define TARGET __attribute__((target("avx2")))
#include "fs/digest/md5lanes.h"

#define LANES 16
#define KERNEL run_16
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#include "fs/digest/md5lanes.h"
#endif

/* --- widths --------------------------------------------------------------- */

struct width {
	unsigned lanes;
	void (*run)(uint32_t states[4][LANES_MAX],
		    const uint8_t *const data[LANES_MAX], size_t n);
};

static bool have(unsigned lanes)
{
#ifdef __x86_64__
	if (lanes == 16)
		return __builtin_cpu_supports("avx512f");
	if (lanes == 8)
		return __builtin_cpu_supports("avx2");
#endif
	return lanes == 4;
}

/* The widest one of at most `most` lanes. */
static struct width width_of(unsigned most)
{
#ifdef __x86_64__
	if (most >= 16 && have(16))
		return (struct width){16, run_16};
	if (most >= 8 && have(8))
		return (struct width){8, run_8};
#endif
	(void)most;
	return (struct width){4, run_4};
}

bool hf_lanes_have(unsigned lanes)
{
	return have(lanes);
}

/* --- messages ------------------------------------------------------------- */

/* What a lane is at. The end of a message is padded in `tail`. */
struct lane {
	struct hf_message *message; /* NULL: none is left */
	const uint8_t *data;
	size_t blocks; /* until the end of `data` */
	bool in_tail;
	uint8_t tail[2 * BLOCK];
};

struct lanes {
	struct width width;
	struct hf_message *next;
	struct hf_message *end;
	size_t busy;
	uint32_t states[4][LANES_MAX];
	struct lane at[LANES_MAX];
};

static void to_tail(struct lane *lane)
{
	const struct hf_message *message = lane->message;
	size_t rest = message->len % BLOCK;
	size_t len = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
	uint64_t bits = htole64((uint64_t)message->len * 8);

	memset(lane->tail, 0, sizeof(lane->tail));
	if (rest)
		memcpy(lane->tail,
		       (const uint8_t *)message->data + message->len - rest,
		       rest);
	lane->tail[rest] = 0x80;
	memcpy(lane->tail + len - 8, &bits, sizeof(bits));
	lane->data = lane->tail;
	lane->blocks = len / BLOCK;
	lane->in_tail = true;
}

static void begin(struct lanes *lanes, unsigned i)
{
	struct lane *lane = &lanes->at[i];

	lane->message = lanes->next < lanes->end ? lanes->next++ : NULL;
	if (!lane->message)
		return;
	lanes->busy++;
	for (int k = 0; k < 4; k++)
		lanes->states[k][i] = start[k];
	lane->data = lane->message->data;
	lane->blocks = lane->message->len / BLOCK;
	lane->in_tail = false;
	if (lane->blocks == 0)
		to_tail(lane);
}

static void end(struct lanes *lanes, unsigned i)
{
	struct lane *lane = &lanes->at[i];

	for (int k = 0; k < 4; k++) {
		uint32_t value = htole32(lanes->states[k][i]);

		memcpy(lane->message->md5 + 4 * k, &value, sizeof(value));
	}
	lanes->busy--;
	begin(lanes, i);
}

/* The lane that comes to the end of its data first. */
static const struct lane *shortest(const struct lanes *lanes)
{
	const struct lane *found = lanes->at;

	for (const struct lane *lane = lanes->at + 1;
	     lane < lanes->at + lanes->width.lanes; lane++)
		if (lane->message &&
		    (!found->message || lane->blocks < found->blocks))
			found = lane;
	return found;
}

static void advance(struct lanes *lanes, unsigned i, size_t n)
{
	struct lane *lane = &lanes->at[i];

	lane->data += n * BLOCK;
	lane->blocks -= n;
	if (lane->blocks > 0)
		return;
	if (lane->in_tail)
		end(lanes, i);
	else
		to_tail(lane);
}

/* A lane without a message goes along with another one's data, and what it
 * makes of them is nobody's. */
static void step(struct lanes *lanes)
{
	const struct lane *first = shortest(lanes);
	const uint8_t *data[LANES_MAX] = {NULL};
	size_t n = first->blocks;

	for (unsigned i = 0; i < lanes->width.lanes; i++)
		data[i] =
			lanes->at[i].message ? lanes->at[i].data : first->data;
	lanes->width.run(lanes->states, data, n);
	for (unsigned i = 0; i < lanes->width.lanes; i++)
		if (lanes->at[i].message)
			advance(lanes, i, n);
}

void hf_md5_many(unsigned most, struct hf_message *messages, size_t n)
{
	struct lanes lanes = {
		.width = width_of(most), .next = messages, .end = messages + n};

	for (unsigned i = 0; i < lanes.width.lanes; i++)
		begin(&lanes, i);
	while (lanes.busy > 0)
		step(&lanes);
}
