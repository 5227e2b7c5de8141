/*
 * lanes: MD5 of many messages at once, one in each lane of a vector. A lane
 * whose message ends takes the next one, so lengths need not be equal; where
 * they are alike all lanes stay full to the end. What is left over in the end
 * goes on one by one.
 */
#include "fs/digest/lanes.h"

#include <endian.h>
#include <errno.h>
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

#define LANES 1
#define KERNEL run_1
#define TARGET
#include "fs/digest/md5lanes.h"

#define LANES 4
#define KERNEL run_4
#define TARGET
#include "fs/digest/md5lanes.h"

#ifdef __x86_64__
#define LANES 8
#define KERNEL run_8
#define TARGET __attribute__((target("avx2")))
#include "fs/digest/md5lanes.h"

/* Rotations, and functions of three words, are one instruction each. */
#define AVX512 "avx512f,avx512vl"

#define LANES 4
#define KERNEL run_4_avx512
#define TARGET __attribute__((target(AVX512)))
#include "fs/digest/md5lanes.h"

#define LANES 8
#define KERNEL run_8_avx512
#define TARGET __attribute__((target(AVX512)))
#include "fs/digest/md5lanes.h"

#define LANES 16
#define KERNEL run_16_avx512
#define TARGET __attribute__((target(AVX512 ",prefer-vector-width=512")))
#include "fs/digest/md5lanes.h"
#endif

/* --- widths --------------------------------------------------------------- */

struct width {
	unsigned lanes;
	enum hf_vectors vectors;
	void (*run)(uint32_t states[4][LANES_MAX],
		    const uint8_t *const data[LANES_MAX], size_t n);
};

/* The narrowest first: the fewer lanes there are, the faster is each. Of the
 * same width the faster one. */
static const struct width widths[] = {
	{1, HF_VECTORS_PLAIN, run_1},
#ifdef __x86_64__
	{4, HF_VECTORS_AVX512, run_4_avx512},
#endif
	{4, HF_VECTORS_PLAIN, run_4},
#ifdef __x86_64__
	{8, HF_VECTORS_AVX512, run_8_avx512},   {8, HF_VECTORS_AVX2, run_8},
	{16, HF_VECTORS_AVX512, run_16_avx512},
#endif
};

bool hf_vectors_have(enum hf_vectors vectors)
{
#ifdef __x86_64__
	if (vectors == HF_VECTORS_AVX512)
		return __builtin_cpu_supports("avx512f") &&
		       __builtin_cpu_supports("avx512vl");
	if (vectors == HF_VECTORS_AVX2)
		return __builtin_cpu_supports("avx2");
#endif
	return vectors == HF_VECTORS_PLAIN;
}

/* What there is of `most`. */
static enum hf_vectors vectors_of(enum hf_vectors most)
{
	while (!hf_vectors_have(most))
		most--;
	return most;
}

/* The first one for so many, or the widest one. */
static const struct width *width_of(enum hf_vectors vectors, unsigned busy)
{
	const struct width *found = widths;

	for (size_t i = 0; i < HF_ARRAY_SIZE(widths) && found->lanes < busy;
	     i++)
		if (widths[i].vectors <= vectors &&
		    widths[i].lanes > found->lanes)
			found = &widths[i];
	return found;
}

/* --- messages ------------------------------------------------------------- */

/* What a lane is at. The end of a message is padded in `tail`. */
struct lane {
	struct hf_message *message;
	const uint8_t *data;
	size_t blocks; /* until the end of `data` */
	uint64_t len;  /* of the message, up to there */
	bool in_tail;
	uint8_t tail[2 * BLOCK];
};

struct hf_lanes {
	enum hf_vectors vectors;
	unsigned n;
	struct hf_messages messages;
	unsigned busy; /* the first ones are */
	uint32_t states[4][LANES_MAX];
	struct lane at[LANES_MAX];
};

static void to_tail(struct lane *lane)
{
	const struct hf_message *message = lane->message;
	size_t rest = message->len % BLOCK;
	size_t len = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
	uint64_t bits = htole64(lane->len * 8);

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

static void take_data(struct lane *lane)
{
	lane->data = lane->message->data;
	lane->blocks = lane->message->len / BLOCK;
	lane->len += lane->message->len;
}

/* Behind the last whole block that is at hand: to the next one. */
static void go_on(struct lane *lane)
{
	struct hf_message *message = lane->message;

	while (lane->blocks == 0 && message->more &&
	       message->len % BLOCK == 0 && message->more(message))
		take_data(lane);
	if (lane->blocks == 0)
		to_tail(lane);
}

static void begin(struct hf_lanes *lanes, unsigned i,
		  struct hf_message *message)
{
	struct lane *lane = &lanes->at[i];

	lane->message = message;
	lanes->busy++;
	for (int k = 0; k < 4; k++)
		lanes->states[k][i] = start[k];
	lane->len = 0;
	lane->in_tail = false;
	take_data(lane);
	go_on(lane);
}

/* Gives lanes that have nothing to do a message, as far as there are. */
static void fill(struct hf_lanes *lanes)
{
	const struct hf_messages *messages = &lanes->messages;

	while (lanes->busy < lanes->n) {
		struct hf_message *message = messages->next(messages->arg);

		if (!message)
			return;
		begin(lanes, lanes->busy, message);
	}
}

/* The last lane takes the place of another one. */
static void move_last(struct hf_lanes *lanes, unsigned to)
{
	unsigned from = --lanes->busy;
	struct lane *lane = &lanes->at[to];

	if (from == to)
		return;
	*lane = lanes->at[from];
	if (lane->in_tail)
		lane->data = lane->tail +
			     (lanes->at[from].data - lanes->at[from].tail);
	for (int k = 0; k < 4; k++)
		lanes->states[k][to] = lanes->states[k][from];
}

static void end(struct hf_lanes *lanes, unsigned i)
{
	const struct hf_messages *messages = &lanes->messages;
	struct hf_message *message = lanes->at[i].message;

	for (int k = 0; k < 4; k++) {
		uint32_t value = htole32(lanes->states[k][i]);

		memcpy(message->md5 + 4 * k, &value, sizeof(value));
	}
	move_last(lanes, i);
	if (messages->ended)
		messages->ended(messages->arg, message);
}

/* Until the first of them comes to the end of its data. */
static size_t shortest(const struct hf_lanes *lanes)
{
	size_t n = lanes->at[0].blocks;

	for (unsigned i = 1; i < lanes->busy; i++)
		if (lanes->at[i].blocks < n)
			n = lanes->at[i].blocks;
	return n;
}

/* True if a message has ended. */
static bool advance(struct hf_lanes *lanes, unsigned i, size_t n)
{
	struct lane *lane = &lanes->at[i];
	bool in_tail = lane->in_tail;

	lane->data += n * BLOCK;
	lane->blocks -= n;
	if (lane->blocks > 0)
		return false;
	if (in_tail)
		end(lanes, i);
	else
		go_on(lane);
	return in_tail;
}

/* A lane that is not busy goes along with another one's data, and what it makes
 * of them is nobody's. */
static bool step(struct hf_lanes *lanes)
{
	const struct width *width = width_of(lanes->vectors, lanes->busy);
	const uint8_t *data[LANES_MAX] = {NULL};
	size_t n = shortest(lanes);
	bool ended = false;

	for (unsigned i = 0; i < width->lanes; i++)
		data[i] = lanes->at[i < lanes->busy ? i : 0].data;
	width->run(lanes->states, data, n);
	/* From the last one on: one that ends is replaced by a later one. */
	for (unsigned i = lanes->busy; i > 0; i--)
		ended |= advance(lanes, i - 1, n);
	return ended;
}

size_t hf_lanes_run(struct hf_lanes *lanes, size_t rest)
{
	fill(lanes);
	while (lanes->busy > rest)
		if (step(lanes))
			fill(lanes);
	return lanes->busy;
}

static void init(enum hf_vectors most, const struct hf_messages *messages,
		 struct hf_lanes *ret)
{
	enum hf_vectors vectors = vectors_of(most);

	*ret = (struct hf_lanes){
		.vectors = vectors,
		.n = width_of(vectors, LANES_MAX)->lanes,
		.messages = *messages,
	};
}

int hf_lanes_new(enum hf_vectors most, const struct hf_messages *messages,
		 struct hf_lanes **ret)
{
	struct hf_lanes *lanes = malloc(sizeof(*lanes));

	if (!lanes)
		return -ENOMEM;
	init(most, messages, lanes);
	*ret = lanes;
	return 0;
}

void hf_lanes_free(struct hf_lanes *lanes)
{
	free(lanes);
}

/* --- an array of them ------------------------------------------------------ */

struct array {
	struct hf_message *next;
	struct hf_message *end;
};

static struct hf_message *next_of(void *arg)
{
	struct array *array = arg;

	return array->next < array->end ? array->next++ : NULL;
}

void hf_md5_many(enum hf_vectors most, struct hf_message *messages, size_t n)
{
	struct array array = {.next = messages, .end = messages + n};
	struct hf_lanes lanes;

	init(most, &(struct hf_messages){.next = next_of, .arg = &array},
	     &lanes);
	hf_lanes_run(&lanes, 0);
}
