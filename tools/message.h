/*
 * message: what a worker tells whoever watches over it, one sentence at a time
 * over a socket.
 */
#ifndef HF_MESSAGE_H
#define HF_MESSAGE_H

#include <limits.h>

#include "fs/base/base.h"

enum hf_news {
	HF_NEWS_NONE,
	HF_NEWS_READY,  /* the mount can answer */
	HF_NEWS_DEVICE, /* a copy of its /dev/fuse comes along; without one:
			   whoever has one shall close it */
	HF_NEWS_ERROR,  /* a client would have met an error */
};

/* `error` is a negative errno, `path` that of a file in the sources, or "". One
 * that is too long to be told is cut: what matters is that a message arrives
 * whole and at once. */
struct hf_message {
	enum hf_news news;
	int error;
	char path[PATH_MAX];
};
/* *ret_fd is new; -1: none came. -EPIPE: the other side is gone. */
int hf_message_receive(int channel, struct hf_message *ret,
		       int *ret_fd) HF_MUST_USE;

/* The mount can answer. */
void hf_message_ready(int channel);
/* Gives a copy of the worker's /dev/fuse away: the kernel then keeps the mount
 * when the worker dies. -1: whoever has one shall let go. Negative errno. */
int hf_message_device(int channel, int device_fd) HF_MUST_USE;
/* Tells of an error that no client may meet; `error` is a negative errno. Any
 * thread. */
void hf_message_error(int channel, const char *path, int error);

#endif
