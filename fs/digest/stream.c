/*
 * stream: files too large to be held, read piece by piece into a little memory
 * and hashed side by side. One that hangs would hold up all others: so only
 * what the kernel has at hand is read here, and nothing is waited for.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/digest/crowd.h"
#include "fs/digest/lanes.h"

/* All lanes' together fit into a processor's own memory. */
#define PIECE (32 * 1024)

struct hf_streams {
	const struct hf_digests_config *config;
	struct hf_streams_feed feed;
	struct hf_lanes *lanes;
};

struct stream {
	struct hf_message message; /* first: see stream_of */
	const struct hf_digests_config *config;
	struct hf_small *small;
	char *data; /* a piece, or all */
	bool whole;
	struct hf_sums *sums; /* of a large one that is not held whole */
	struct hf_summer *summer;
	bool failed;
	uint64_t done;
};

static struct stream *stream_of(struct hf_message *message)
{
	return (struct stream *)(void *)message;
}

/* Does anybody want all bytes at once? */
static bool is_wanted(const struct hf_digests_config *config,
		      const struct hf_small *small)
{
	const struct hf_inspector *inspector = &config->inspector;

	return small->retain || inspector->algorithm ||
	       (inspector->wants &&
		inspector->wants(inspector->arg, small->path,
				 small->reading.fact.size));
}

static void sum_end(struct stream *stream)
{
	hf_summer_free(stream->summer);
	hf_sums_unref(stream->sums);
	stream->summer = NULL;
	stream->sums = NULL;
}

/* Without sums it is read once more when it is opened. */
static void sum_begin(struct stream *stream)
{
	uint64_t size = stream->small->reading.fact.size;

	if (stream->whole || size <= HF_PINNED_MAX)
		return;
	if (hf_sums_new(size, &stream->sums) < 0 ||
	    hf_summer_new(&stream->summer) < 0)
		sum_end(stream);
}

/* The piece that was read up to stream->done; blocks end where pieces do. */
static void sum(struct stream *stream, const struct iovec *piece)
{
	size_t i = (size_t)((stream->done - 1) / HF_BLOCK_LEN);
	bool last = stream->done % HF_BLOCK_LEN == 0 ||
		    stream->done == stream->small->reading.fact.size;

	if (!stream->summer)
		return;
	if (hf_summer_add(stream->summer, piece->iov_base, piece->iov_len) <
		    0 ||
	    (last &&
	     hf_summer_end(stream->summer, stream->sums->blocks[i]) < 0))
		sum_end(stream);
}

/* Reads the next piece, whole blocks unless it is the last one. Whatever goes
 * wrong is found out again, and told, where the file is read alone. */
static bool read_piece(struct hf_message *message)
{
	struct stream *stream = stream_of(message);
	uint64_t left = stream->small->reading.fact.size - stream->done;
	struct iovec piece = {
		.iov_base = stream->data + (stream->whole ? stream->done : 0),
		.iov_len = left < PIECE ? (size_t)left : PIECE,
	};

	if (left == 0)
		return false;
	if (preadv2(stream->small->fd, &piece, 1, (off_t)stream->done,
		    RWF_NOWAIT) != (ssize_t)piece.iov_len) {
		stream->failed = true;
		return false;
	}
	hf_pool_tick(stream->config->pool);
	message->data = piece.iov_base;
	message->len = piece.iov_len;
	stream->done += piece.iov_len;
	sum(stream, &piece);
	return true;
}

static struct stream *stream_new(const struct hf_digests_config *config,
				 struct hf_small *small)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	bool whole = is_wanted(config, small);

	if (!stream)
		return NULL;
	stream->data =
		malloc(whole ? (size_t)small->reading.fact.size + 1 : PIECE);
	if (!stream->data) {
		free(stream);
		return NULL;
	}
	stream->message.more = read_piece;
	stream->config = config;
	stream->small = small;
	stream->whole = whole;
	sum_begin(stream);
	return stream;
}

/* One that there is no memory for is to be read in another way, too. */
static struct hf_message *next_stream(void *arg)
{
	struct hf_streams *streams = arg;
	struct hf_small *small;

	while ((small = streams->feed.next(streams->feed.arg))) {
		struct stream *stream = stream_new(streams->config, small);

		if (stream)
			return &stream->message;
		close(hf_steal_fd(&small->fd));
		streams->feed.ended(streams->feed.arg, small, -EAGAIN);
	}
	return NULL;
}

static void end_stream(void *arg, struct hf_message *message)
{
	struct hf_streams *streams = arg;
	struct stream *stream = stream_of(message);
	struct hf_small *small = stream->small;
	struct hf_digest digest = {.len = sizeof(message->md5)};
	bool good = !stream->failed &&
		    hf_read_end(small->fd, &small->reading.sig) == 0;

	close(hf_steal_fd(&small->fd));
	memcpy(digest.bytes, message->md5, digest.len);
	small->reading.fact.digest = digest;
	if (good && stream->whole) {
		small->data = stream->data;
		stream->data = NULL;
	}
	if (good && stream->sums)
		hf_reading_sum(&small->reading, hf_sums_ref(stream->sums));
	sum_end(stream);
	free(stream->data);
	free(stream);
	streams->feed.ended(streams->feed.arg, small, good ? 0 : -EAGAIN);
}

int hf_streams_new(const struct hf_digests_config *config,
		   const struct hf_streams_feed *feed, struct hf_streams **ret)
{
	struct hf_streams *streams = calloc(1, sizeof(*streams));
	struct hf_messages messages = {
		.next = next_stream, .ended = end_stream, .arg = streams};
	int error;

	if (!streams)
		return -ENOMEM;
	streams->config = config;
	streams->feed = *feed;
	error = hf_lanes_new(HF_VECTORS_BEST, &messages, &streams->lanes);
	if (error < 0)
		free(streams);
	else
		*ret = streams;
	return error;
}

size_t hf_streams_run(struct hf_streams *streams, size_t rest)
{
	return hf_lanes_run(streams->lanes, rest);
}

void hf_streams_free(struct hf_streams *streams)
{
	if (!streams)
		return;
	hf_lanes_free(streams->lanes);
	free(streams);
}
