#include "daemon/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"

enum { EVENTS = 64 };

struct watch {
	int fd;				/* -1: free */
	void (*ready)(void *arg, uint32_t events);
	void *arg;
};

struct timer {
	int64_t every;
	deadline_t next;
	void (*tick)(void *arg);
	void *arg;
};

struct loop {
	int epoll, wake;
	bool stopped;
	struct watch *watches;		/* by descriptor */
	size_t nwatches;		/* that there is room for */
	size_t watched;
	struct timer timers[LOOP_TIMERS];
	unsigned ntimers;
};

static void
woken(void *arg, uint32_t events)
{
	struct loop *l = arg;

	(void)events;
	l->stopped = true;
}

struct loop *
loop_new(void)
{
	struct loop *l = mem_alloc(sizeof *l);

	*l = (struct loop){ .epoll = epoll_create1(EPOLL_CLOEXEC),
	    .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	if (l->epoll >= 0 && l->wake >= 0 &&
	    loop_watch(l, l->wake, EPOLLIN, woken, l))
		return l;
	loop_free(l);
	return NULL;
}

static void
make_room(struct loop *l, size_t fd)
{
	size_t n = l->nwatches;

	if (fd < n)
		return;
	while (n <= fd)
		n = n == 0 ? 64 : n * 2;
	l->watches = mem_grow(l->watches, n * sizeof *l->watches);
	for (size_t i = l->nwatches; i < n; i++)
		l->watches[i].fd = -1;
	l->nwatches = n;
}

bool
loop_watch(struct loop *l, int fd, uint32_t events,
    void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	if (fd < 0 || l->watched >= LOOP_WATCHES) {
		errno = fd < 0 ? EBADF : EMFILE;
		return false;
	}
	make_room(l, (size_t)fd);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		return false;
	l->watches[fd] = (struct watch){ fd, ready, arg };
	l->watched++;
	return true;
}

void
loop_unwatch(struct loop *l, int fd)
{
	if (fd < 0 || (size_t)fd >= l->nwatches || l->watches[fd].fd < 0)
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
	l->watches[fd].fd = -1;
	l->watched--;
}

unsigned
loop_every(struct loop *l, int64_t ms, void (*tick)(void *arg), void *arg)
{
	if (l->ntimers >= LOOP_TIMERS)
		abort();		/* a table of ours that is too small */
	l->timers[l->ntimers] = (struct timer){ .tick = tick, .arg = arg };
	loop_again(l, l->ntimers, ms);
	return l->ntimers++;
}

void
loop_again(struct loop *l, unsigned timer, int64_t ms)
{
	struct timer *t = &l->timers[timer];

	t->every = ms > 0 ? ms : 1;
	t->next = deadline_in(t->every);
}

/* For epoll_wait: how long until the next timer is due. */
static int
patience(const struct loop *l)
{
	int64_t left = 3600000;

	for (unsigned i = 0; i < l->ntimers; i++) {
		int64_t n = deadline_left(l->timers[i].next);

		if (n < left)
			left = n;
	}
	return (int)left;
}

static void
tick_all(struct loop *l)
{
	for (unsigned i = 0; !l->stopped && i < l->ntimers; i++) {
		struct timer *t = &l->timers[i];

		if (deadline_left(t->next) > 0)
			continue;
		t->next = deadline_in(t->every);
		t->tick(t->arg);
	}
}

bool
loop_run(struct loop *l)
{
	struct epoll_event events[EVENTS];

	while (!l->stopped) {
		int n = epoll_wait(l->epoll, events, EVENTS, patience(l));

		if (n < 0 && errno != EINTR)
			return false;
		for (int i = 0; i < n && !l->stopped; i++) {
			struct watch *w = &l->watches[events[i].data.fd];

			/* An earlier callback may have taken it away. */
			if (w->fd >= 0)
				w->ready(w->arg, events[i].events);
		}
		tick_all(l);
	}
	return true;
}

void
loop_stop(struct loop *l)
{
	static const uint64_t one = 1;
	ssize_t n = write(l->wake, &one, sizeof one);

	(void)n;			/* full: it is woken already */
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->epoll >= 0)
		close(l->epoll);
	if (l->wake >= 0)
		close(l->wake);
	free(l->watches);
	free(l);
}
