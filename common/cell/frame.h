/*
 * frame - the packets between who asks, a zygote and a worker
 *
 * One packet of a SOCK_SEQPACKET socket is one frame: a byte that says what it
 * is, then bytes, and at most one descriptor beside them. Descriptors come
 * close-on-exec.
 *
 * frame_send	false: the peer is gone (or the packet is over FRAME_MAX)
 * frame_receive	1 a frame, 0 the peer is gone, -1 not by the deadline. The
 *		bytes stand in buf; *fd_r is -1 when none came. A packet that
 *		is cut, empty or brings several descriptors counts as gone
 */
#ifndef CELL_FRAME_H
#define CELL_FRAME_H

#include "base/clock.h"
#include "base/slice.h"

enum { FRAME_MAX = 60 * 1024 };

enum frame_kind {
	/* who asks -> zygote */
	FRAME_WANT = 'w',		/* a worker */
	FRAME_KILL = 'k',		/* that worker (pid) */
	/* zygote -> who asks */
	FRAME_HELLO = 'h',		/* loaded; what it tells of itself */
	FRAME_WORKER = 'n',		/* a new one: pid, descriptor */
	FRAME_GONE = 'x',		/* one ended: pid, status */
	FRAME_CANNOT = 'e',		/* no worker; why */
	/* who asks -> worker */
	FRAME_REQUEST = 'r',
	/* worker -> who asks */
	FRAME_PIECE = 'p',
	FRAME_DONE = 'd',
	FRAME_LAST = 'l',		/* done, and it will take no other */
	FRAME_REFUSE = 'f',		/* done, but it cannot read that */
};

struct frame {
	enum frame_kind kind;
	struct slice bytes;		/* into buf */
	int fd;
	char buf[FRAME_MAX];
};

/* Of a worker, in WORKER, GONE and KILL. */
struct frame_worker {
	int32_t pid, status;
};

bool frame_send(int to, enum frame_kind kind, struct slice bytes, int fd);
int frame_receive(int from, struct frame *f, deadline_t until);
bool frame_send_worker(int to, enum frame_kind kind, int32_t pid,
    int32_t status, int fd);
bool frame_worker(const struct frame *f, struct frame_worker *w_r);

#endif
