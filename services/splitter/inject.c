#include "services/splitter/inject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"

struct task {
	struct task *next;
	struct delivery *delivery;
	struct parcel *parcel;
	struct arena *arena;		/* of its replies */
	struct smtp_outcome *outcomes;
};

struct queue {
	struct task *first, **last;
};

struct injector {
	pthread_mutex_t lock;
	pthread_cond_t wake, ended;
	struct queue waiting, finished;
	bool stopping;
	unsigned threads, running;	/* threads that have not ended */
	int event;
	struct served *served;
};

static void
put(struct queue *q, struct task *t)
{
	t->next = NULL;
	*q->last = t;
	q->last = &t->next;
}

static struct task *
get(struct queue *q)
{
	struct task *t = q->first;

	if (t == NULL)
		return NULL;
	q->first = t->next;
	if (q->first == NULL)
		q->last = &q->first;
	return t;
}

/* --- one parcel -------------------------------------------------------- */

struct pieces {
	struct slice head, body;
	unsigned given;
};

static enum rc
next_piece(void *arg, struct slice *piece_r, struct slice *why_r)
{
	struct pieces *p = arg;

	(void)why_r;
	*piece_r = SLICE("");
	while (p->given < 2 && piece_r->len == 0)
		*piece_r = p->given++ == 0 ? p->head : p->body;
	return RC_OK;
}

static void
remember(struct injector *in, struct task *t)
{
	const struct delivery *d = t->delivery;

	for (size_t i = 0; i < t->parcel->n; i++) {
		const struct letter_recipient *r =
		    &d->letter->recipients[t->parcel->which[i]];
		struct served_key key;

		if (t->outcomes[i].kind == SMTP_TAKEN &&
		    served_key(d->parcels.identity, r->address, r->dsn, &key))
			served_add(in->served, &key);
	}
}

static void
send_parcel(struct injector *in, struct task *t)
{
	const struct delivery *d = t->delivery;
	const struct letter *l = d->letter;
	const struct parcel *p = t->parcel;
	struct slice *to = arena_array(t->arena, p->n, sizeof *to);
	struct slice *dsn = arena_array(t->arena, p->n, sizeof *dsn), why;
	struct pieces pieces = { d->parcels.head, d->parcels.body, 0 };
	const struct smtp_mail mail = { .server = d->server, .helo = d->helo,
	    .sender = l->sender, .recipients = to, .nrecipients = p->n,
	    .smtputf8 = l->smtputf8, .body8 = l->body8, .dsn = l->dsn,
	    .recipient_dsn = dsn, .xforward = l->xforward, .head = p->mark,
	    .next = next_piece, .arg = &pieces, .deadline = d->deadline };

	for (size_t i = 0; i < p->n; i++) {
		to[i] = l->recipients[p->which[i]].address;
		dsn[i] = l->recipients[p->which[i]].dsn;
	}
	t->outcomes = arena_array(t->arena, p->n, sizeof *t->outcomes);
	if (smtp_send(&mail, t->outcomes, t->arena, &why) == RC_OK)
		return remember(in, t);
	/* Who has no reply of the server's gets the reason. */
	for (size_t i = 0; i < p->n; i++)
		if (t->outcomes[i].reply.len == 0)
			t->outcomes[i].reply = why;
	remember(in, t);
}

/* --- threads ----------------------------------------------------------- */

static void
wake_loop(struct injector *in)
{
	static const uint64_t one = 1;
	ssize_t n = write(in->event, &one, sizeof one);

	(void)n;			/* full: it is awake */
}

static void *
work(void *arg)
{
	struct injector *in = arg;
	struct task *t;

	pthread_mutex_lock(&in->lock);
	for (;;) {
		while (!in->stopping && in->waiting.first == NULL)
			pthread_cond_wait(&in->wake, &in->lock);
		t = in->stopping ? NULL : get(&in->waiting);
		if (t == NULL)
			break;
		pthread_mutex_unlock(&in->lock);
		send_parcel(in, t);
		pthread_mutex_lock(&in->lock);
		put(&in->finished, t);
		wake_loop(in);
	}
	in->running--;
	pthread_cond_signal(&in->ended);
	pthread_mutex_unlock(&in->lock);
	return NULL;
}

static bool
start_threads(struct injector *in, unsigned n)
{
	for (; in->threads < n; in->threads++) {
		pthread_t thread;

		pthread_mutex_lock(&in->lock);
		in->running++;
		pthread_mutex_unlock(&in->lock);
		if (!thread_start(&thread, work, in)) {
			pthread_mutex_lock(&in->lock);
			in->running--;
			pthread_mutex_unlock(&in->lock);
			return false;
		}
		pthread_detach(thread);
	}
	return true;
}

struct injector *
inject_start(unsigned threads, struct served *served, struct arena *a,
    struct slice *why_r)
{
	struct injector *in = mem_alloc(sizeof *in);
	pthread_condattr_t attr;

	*in = (struct injector){ .served = served,
	    .event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	in->waiting.last = &in->waiting.first;
	in->finished.last = &in->finished.first;
	pthread_mutex_init(&in->lock, NULL);
	pthread_cond_init(&in->wake, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&in->ended, &attr);
	pthread_condattr_destroy(&attr);
	/* The process ends when this fails; nothing is given back. */
	if (in->event >= 0 && start_threads(in, threads))
		return in;
	*why_r = arena_printf(a, "cannot start a thread: %s", strerror(errno));
	return NULL;
}

int
inject_fd(const struct injector *in)
{
	return in->event;
}

void
inject(struct injector *in, struct delivery *d)
{
	d->left = d->parcels.count;
	pthread_mutex_lock(&in->lock);
	for (size_t i = 0; i < d->parcels.count; i++) {
		struct task *t = mem_alloc(sizeof *t);

		*t = (struct task){ .delivery = d,
		    .parcel = &d->parcels.items[i], .arena = arena_new() };
		put(&in->waiting, t);
	}
	pthread_cond_broadcast(&in->wake);
	pthread_mutex_unlock(&in->lock);
}

/* Replies move into the letter's arena, which is the loop's. */
static void
hand_over(struct task *t)
{
	struct delivery *d = t->delivery;

	for (size_t i = 0; i < t->parcel->n; i++) {
		struct smtp_outcome *o = &d->outcomes[t->parcel->which[i]];

		*o = t->outcomes[i];
		o->reply = arena_copy(d->letter->arena, o->reply);
	}
	d->left--;
	d->done(d, t->parcel);
	arena_free(t->arena);
	free(t);
}

void
inject_finished(struct injector *in)
{
	uint64_t n;
	struct task *t;

	if (read(in->event, &n, sizeof n) < 0 && errno != EAGAIN)
		return;
	for (;;) {
		pthread_mutex_lock(&in->lock);
		t = get(&in->finished);
		pthread_mutex_unlock(&in->lock);
		if (t == NULL)
			return;
		hand_over(t);
	}
}

bool
inject_stop(struct injector *in, deadline_t until)
{
	struct timespec ts = deadline_timespec(until);
	bool all;

	pthread_mutex_lock(&in->lock);
	in->stopping = true;
	pthread_cond_broadcast(&in->wake);
	while (in->running > 0 && deadline_left(until) > 0)
		pthread_cond_timedwait(&in->ended, &in->lock, &ts);
	all = in->running == 0;
	pthread_mutex_unlock(&in->lock);
	inject_finished(in);
	return all;
}

bool
inject_busy(struct injector *in)
{
	bool busy;

	pthread_mutex_lock(&in->lock);
	busy = in->running > 0;
	pthread_mutex_unlock(&in->lock);
	return busy;
}
