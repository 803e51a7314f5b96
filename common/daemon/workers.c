#include "daemon/workers.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"

struct queue {
	struct worker_task *first, **last;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t wake, ended;
	struct queue waiting, finished;
	bool stopping;
	unsigned threads, running;	/* threads that have not ended */
	int event;
};

static void
put(struct queue *q, struct worker_task *t)
{
	t->next = NULL;
	*q->last = t;
	q->last = &t->next;
}

static struct worker_task *
get(struct queue *q)
{
	struct worker_task *t = q->first;

	if (t == NULL)
		return NULL;
	q->first = t->next;
	if (q->first == NULL)
		q->last = &q->first;
	return t;
}

static void
wake_loop(struct workers *w)
{
	static const uint64_t one = 1;
	ssize_t n = write(w->event, &one, sizeof one);

	(void)n;			/* full: it is awake */
}

static void *
run(void *arg)
{
	struct workers *w = arg;
	struct worker_task *t;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->stopping && w->waiting.first == NULL)
			pthread_cond_wait(&w->wake, &w->lock);
		t = w->stopping ? NULL : get(&w->waiting);
		if (t == NULL)
			break;
		pthread_mutex_unlock(&w->lock);
		t->work(t);
		pthread_mutex_lock(&w->lock);
		put(&w->finished, t);
		wake_loop(w);
	}
	w->running--;
	pthread_cond_signal(&w->ended);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static bool
start_threads(struct workers *w, unsigned n)
{
	for (; w->threads < n; w->threads++) {
		pthread_t thread;

		pthread_mutex_lock(&w->lock);
		w->running++;
		pthread_mutex_unlock(&w->lock);
		if (!thread_start(&thread, run, w)) {
			pthread_mutex_lock(&w->lock);
			w->running--;
			pthread_mutex_unlock(&w->lock);
			return false;
		}
		pthread_detach(thread);
	}
	return true;
}

struct workers *
workers_start(unsigned threads, struct arena *a, struct slice *why_r)
{
	struct workers *w = mem_alloc(sizeof *w);
	pthread_condattr_t attr;

	*w = (struct workers){ .event = eventfd(0, EFD_CLOEXEC |
	    EFD_NONBLOCK) };
	w->waiting.last = &w->waiting.first;
	w->finished.last = &w->finished.first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->ended, &attr);
	pthread_condattr_destroy(&attr);
	if (w->event >= 0 && start_threads(w, threads))
		return w;
	*why_r = arena_printf(a, "cannot start a thread: %s", strerror(errno));
	return NULL;
}

int
workers_fd(const struct workers *w)
{
	return w->event;
}

void
workers_put(struct workers *w, struct worker_task *t)
{
	pthread_mutex_lock(&w->lock);
	put(&w->waiting, t);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void
workers_finished(struct workers *w)
{
	uint64_t n;
	struct worker_task *t;

	if (read(w->event, &n, sizeof n) < 0 && errno != EAGAIN)
		return;
	for (;;) {
		pthread_mutex_lock(&w->lock);
		t = get(&w->finished);
		pthread_mutex_unlock(&w->lock);
		if (t == NULL)
			return;
		t->done(t);
	}
}

bool
workers_stop(struct workers *w, deadline_t until)
{
	struct timespec ts = deadline_timespec(until);
	bool all;

	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->wake);
	while (w->running > 0 && deadline_left(until) > 0)
		pthread_cond_timedwait(&w->ended, &w->lock, &ts);
	all = w->running == 0;
	pthread_mutex_unlock(&w->lock);
	workers_finished(w);
	return all;
}

bool
workers_busy(struct workers *w)
{
	bool busy;

	pthread_mutex_lock(&w->lock);
	busy = w->running > 0;
	pthread_mutex_unlock(&w->lock);
	return busy;
}
