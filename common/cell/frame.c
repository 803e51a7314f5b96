#include "cell/frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

bool
frame_send(int to, enum frame_kind kind, struct slice bytes, int fd)
{
	char tag = (char)kind;
	struct iovec parts[2] = { { &tag, 1 },
	    { (void *)(uintptr_t)bytes.ptr, bytes.len } };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof fd)]; } side;
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t n;

	if (bytes.len >= FRAME_MAX)
		return false;
	if (fd >= 0) {
		memset(&side, 0, sizeof side);
		m.msg_control = side.room;
		m.msg_controllen = sizeof side.room;
		side.head.cmsg_level = SOL_SOCKET;
		side.head.cmsg_type = SCM_RIGHTS;
		side.head.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&side.head), &fd, sizeof fd);
	}
	do
		n = sendmsg(to, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)(1 + bytes.len);
}

/* All descriptors that came, so that none stays open unseen. */
static int
take_descriptors(struct msghdr *m, int *fd_r)
{
	int count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
	    c = CMSG_NXTHDR(m, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (count++ == 0)
				*fd_r = fd;
			else
				close(fd);
		}
	}
	return count;
}

/* There is something to read (or to learn that nobody is there). */
static bool
wait_for(int fd, deadline_t until)
{
	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };
		int64_t left = deadline_left(until);
		int n = poll(&p, 1, until == DEADLINE_NEVER ? -1 :
		    left > 60000 ? 60000 : (int)left);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return true;
		if (deadline_left(until) == 0)
			return false;
	}
}

int
frame_receive(int from, struct frame *f, deadline_t until)
{
	struct iovec part = { f->buf, sizeof f->buf };
	union { struct cmsghdr head; char room[CMSG_SPACE(4 * sizeof(int))]; }
	    side;
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1,
	    .msg_control = side.room, .msg_controllen = sizeof side.room };
	ssize_t n;
	int count;

	f->fd = -1;
	do {
		if (!wait_for(from, until))
			return -1;
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return 0;
	count = take_descriptors(&m, &f->fd);
	if (n == 0 || count > 1 || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		if (count > 0)
			close(f->fd);
		f->fd = -1;
		return 0;
	}
	f->kind = (enum frame_kind)(unsigned char)f->buf[0];
	f->bytes = slice_make(f->buf + 1, (size_t)n - 1);
	return 1;
}

bool
frame_send_worker(int to, enum frame_kind kind, int32_t pid, int32_t status,
    int fd)
{
	struct frame_worker w = { pid, status };

	return frame_send(to, kind, slice_make(&w, sizeof w), fd);
}

bool
frame_worker(const struct frame *f, struct frame_worker *w_r)
{
	if (f->bytes.len != sizeof *w_r)
		return false;
	memcpy(w_r, f->bytes.ptr, sizeof *w_r);
	return true;
}
