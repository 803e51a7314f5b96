#include "services/splitter/inject.h"

#include <stdlib.h>

#include "daemon/workers.h"

struct task {
	struct worker_task worker;	/* first: they are one */
	struct injector *injector;
	struct delivery *delivery;
	struct parcel *parcel;
	struct arena *arena;		/* of its replies */
	struct smtp_outcome *outcomes;
};

struct injector {
	struct workers *workers;
	struct served *served;
};

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
		const struct lmtp_recipient *r =
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
	const struct lmtp_mail *l = d->letter;
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
work(struct worker_task *worker)
{
	struct task *t = (struct task *)(void *)worker;

	send_parcel(t->injector, t);
}

/* Replies move into the letter's arena, which is the loop's. */
static void
hand_over(struct worker_task *worker)
{
	struct task *t = (struct task *)(void *)worker;
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

struct injector *
inject_start(unsigned threads, struct served *served, struct arena *a,
    struct slice *why_r)
{
	struct injector *in = arena_alloc(a, sizeof *in);

	in->served = served;
	in->workers = workers_start(threads, a, why_r);
	return in->workers != NULL ? in : NULL;
}

int
inject_fd(const struct injector *in)
{
	return workers_fd(in->workers);
}

void
inject(struct injector *in, struct delivery *d)
{
	d->left = d->parcels.count;
	for (size_t i = 0; i < d->parcels.count; i++) {
		struct task *t = mem_alloc(sizeof *t);

		*t = (struct task){ .worker = { NULL, work, hand_over },
		    .injector = in, .delivery = d,
		    .parcel = &d->parcels.items[i], .arena = arena_new() };
		workers_put(in->workers, &t->worker);
	}
}

void
inject_finished(struct injector *in)
{
	workers_finished(in->workers);
}

bool
inject_stop(struct injector *in, deadline_t until)
{
	return workers_stop(in->workers, until);
}

bool
inject_busy(struct injector *in)
{
	return workers_busy(in->workers);
}
