#include "tools/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Ancillary data of one descriptor, aligned as cmsg(3) wants it. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static int send_message(int channel, const struct hf_message *message, int fd)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)message,
			    .iov_len = sizeof(*message)};
	union control control = {0};
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
	}
	return sendmsg(channel, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int hf_message_receive(int channel, struct hf_message *ret, int *ret_fd)
{
	struct iovec iov = {.iov_base = ret, .iov_len = sizeof(*ret)};
	union control control = {0};
	struct msghdr header = {.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof(control)};
	const struct cmsghdr *first;
	ssize_t n;

	do
		n = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	first = CMSG_FIRSTHDR(&header);
	*ret_fd = -1;
	if (n > 0 && first && first->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(first), sizeof(*ret_fd));
	if (n != sizeof(*ret))
		return n < 0 ? -errno : -EPIPE;
	ret->path[sizeof(ret->path) - 1] = '\0';
	return 0;
}

void hf_message_ready(int channel)
{
	const struct hf_message message = {.news = HF_NEWS_READY};

	/* If nobody hears it there is a signal on its way. */
	if (send_message(channel, &message, -1) < 0)
		hf_log(HF_LOG_ERROR, "the guard is gone");
}

int hf_message_device(int channel, int device_fd)
{
	const struct hf_message message = {.news = HF_NEWS_DEVICE};

	return send_message(channel, &message, device_fd);
}

void hf_message_error(int channel, const char *path, int error)
{
	struct hf_message message = {.news = HF_NEWS_ERROR, .error = error};

	strncpy(message.path, path, sizeof(message.path) - 1);
	/* If nobody hears it there is a signal on its way. */
	(void)!send_message(channel, &message, -1);
}
