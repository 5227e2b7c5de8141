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
	uint64_t len;  /* of the message, up to there */
	bool in_tail;
	uint8_t tail[2 * BLOCK];
};

struct hf_lanes {
	struct width width;
	struct hf_messages messages;
	size_t busy;
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

/* Gives all lanes that have nothing to do a message, as far as there are. */
static void fill(struct hf_lanes *lanes)
{
	const struct hf_messages *messages = &lanes->messages;

	for (unsigned i = 0; i < lanes->width.lanes; i++) {
		struct hf_message *message;

		if (lanes->at[i].message)
			continue;
		message = messages->next(messages->arg);
		if (!message)
			return;
		begin(lanes, i, message);
	}
}

static void end(struct hf_lanes *lanes, unsigned i)
{
	const struct hf_messages *messages = &lanes->messages;
	struct lane *lane = &lanes->at[i];
	struct hf_message *message = lane->message;

	for (int k = 0; k < 4; k++) {
		uint32_t value = htole32(lanes->states[k][i]);

		memcpy(message->md5 + 4 * k, &value, sizeof(value));
	}
	lanes->busy--;
	lane->message = NULL;
	if (messages->ended)
		messages->ended(messages->arg, message);
}

/* The lane that comes to the end of its data first. */
static const struct lane *shortest(const struct hf_lanes *lanes)
{
	const struct lane *found = lanes->at;

	for (const struct lane *lane = lanes->at + 1;
	     lane < lanes->at + lanes->width.lanes; lane++)
		if (lane->message &&
		    (!found->message || lane->blocks < found->blocks))
			found = lane;
	return found;
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

/* A lane without a message goes along with another one's data, and what it
 * makes of them is nobody's. */
static bool step(struct hf_lanes *lanes)
{
	const struct lane *first = shortest(lanes);
	const uint8_t *data[LANES_MAX] = {NULL};
	size_t n = first->blocks;
	bool ended = false;

	for (unsigned i = 0; i < lanes->width.lanes; i++)
		data[i] =
			lanes->at[i].message ? lanes->at[i].data : first->data;
	lanes->width.run(lanes->states, data, n);
	for (unsigned i = 0; i < lanes->width.lanes; i++)
		if (lanes->at[i].message)
			ended |= advance(lanes, i, n);
	return ended;
}

/* The same of one lane, whose piece is taken to its end. */
static bool step_one(struct hf_lanes *lanes, unsigned i)
{
	struct lane *lane = &lanes->at[i];
	const uint8_t *data[LANES_MAX] = {lane->data};
	uint32_t states[4][LANES_MAX] = {{0}};

	for (int k = 0; k < 4; k++)
		states[k][0] = lanes->states[k][i];
	run_1(states, data, lane->blocks);
	for (int k = 0; k < 4; k++)
		lanes->states[k][i] = states[k][0];
	return advance(lanes, i, lane->blocks);
}

static bool step_each(struct hf_lanes *lanes)
{
	bool ended = false;

	for (unsigned i = 0; i < lanes->width.lanes; i++)
		if (lanes->at[i].message)
			ended |= step_one(lanes, i);
	return ended;
}

/* A step of all lanes takes longer than that of so many one by one. */
#define FEW 2

size_t hf_lanes_run(struct hf_lanes *lanes, size_t rest)
{
	fill(lanes);
	while (lanes->busy > rest)
		if (lanes->busy > FEW ? step(lanes) : step_each(lanes))
			fill(lanes);
	return lanes->busy;
}

static void init(unsigned most, const struct hf_messages *messages,
		 struct hf_lanes *ret)
{
	*ret = (struct hf_lanes){.width = width_of(most),
				 .messages = *messages};
}

int hf_lanes_new(unsigned most, const struct hf_messages *messages,
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

void hf_md5_many(unsigned most, struct hf_message *messages, size_t n)
{
	struct array array = {.next = messages, .end = messages + n};
	struct hf_lanes lanes;

	init(most, &(struct hf_messages){.next = next_of, .arg = &array},
	     &lanes);
	hf_lanes_run(&lanes, 0);
}
