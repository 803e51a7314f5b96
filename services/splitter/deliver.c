/* One letter: who gets which copy, and what Postfix is told of each. */
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "milter/report.h"
#include "services/splitter/splitter.h"
#include "text/json.h"

struct answers {
	struct lmtpd_due due;		/* first: they are one */
	struct service_set *set;
	struct delivery delivery;
	struct splitter *splitter;
	int64_t began;			/* clock_mono */
};

/* --- replies ----------------------------------------------------------- */

/* 421 would have Postfix hang up on the others. */
static bool
passes_on(struct slice reply)
{
	return slice_starts(reply, SLICE("4")) &&
	    !slice_starts(reply, SLICE("421")) && reply.len > 4;
}

/*
 * Never 5xx: the mail has been accepted, and Postfix would bounce it to a
 * sender who may be forged. What the second pass refuses is trouble of ours.
 */
static struct slice
reply_to(struct arena *a, const struct smtp_outcome *o)
{
	switch (o->kind) {
	case SMTP_TAKEN:
		return o->reply;
	case SMTP_REFUSED:
		return arena_printf(a, "451 4.3.0 the second pass refused it: "
		    "%.*s", SLICE_ARG(o->reply));
	case SMTP_UNSURE:
		return arena_printf(a, "451 4.4.2 the end of the message had "
		    "no answer, it may come twice: %.*s", SLICE_ARG(o->reply));
	case SMTP_NOT_NOW:
		break;
	}
	return passes_on(o->reply) ? o->reply : arena_printf(a,
	    "451 4.4.1 the second pass cannot be reached: %.*s",
	    SLICE_ARG(o->reply));
}

static void
defer_all(struct answers *a, struct slice why)
{
	struct lmtp_mail *l = a->delivery.letter;

	log_warning("%.*s: cannot be split now: %.*s", SLICE_ARG(l->queue_id),
	    SLICE_ARG(log_safe(l->arena, why, 1000)));
	for (size_t i = 0; i < l->nrecipients; i++)
		if (a->due.replies[i].ptr == NULL)
			a->due.replies[i] = arena_printf(l->arena,
			    "451 4.3.0 %.*s", SLICE_ARG(why));
}

/* --- what is written of it --------------------------------------------- */

static void
count(const struct answers *a, size_t *taken_r, size_t *again_r,
    size_t *deferred_r)
{
	const struct lmtp_mail *l = a->delivery.letter;

	*taken_r = *again_r = *deferred_r = 0;
	for (size_t i = 0; i < l->nrecipients; i++) {
		bool good = slice_starts(a->due.replies[i], SLICE("2"));
		bool sent = a->delivery.outcomes[i].kind == SMTP_TAKEN;

		*taken_r += good && sent;
		*again_r += good && !sent;
		*deferred_r += !good;
	}
}

static void
write_line(const struct answers *a)
{
	const struct delivery *d = &a->delivery;
	struct lmtp_mail *l = d->letter;
	struct slice why = SLICE("");
	struct log_line line;
	size_t taken, again, deferred;

	count(a, &taken, &again, &deferred);
	for (size_t i = 0; i < l->nrecipients && why.len == 0; i++)
		if (!slice_starts(a->due.replies[i], SLICE("2")))
			why = a->due.replies[i];
	log_begin(&line, l->arena, l->queue_id);
	log_pairf(&line, "classes", "%zu", d->parcels.count);
	log_pairf(&line, "nrcpt", "%zu", l->nrecipients);
	log_pairf(&line, "taken", "%zu", taken);
	if (again > 0)
		log_pairf(&line, "before", "%zu", again);
	if (deferred > 0)
		log_pairf(&line, "deferred", "%zu", deferred);
	log_pair(&line, "from", arena_printf(l->arena, "<%.*s>",
	    SLICE_ARG(l->sender)));
	log_pairf(&line, "ms", "%lld", (long long)(clock_mono() - a->began));
	if (d->parcels.identity[0] != '\0')
		log_pairf(&line, "id", "%s", d->parcels.identity);
	log_end(&line, why);
}

static void
put_parcel(struct json *w, const struct answers *a, const struct parcel *p)
{
	const struct delivery *d = &a->delivery;

	json_begin_object(w);
	json_put(w, "form", arena_printf(d->letter->arena, "%016llx",
	    (unsigned long long)p->form));
	json_put(w, "reply", a->due.replies[p->which[0]]);
	json_key(w, "recipients");
	json_begin_array(w);
	for (size_t i = 0; i < p->n; i++)
		json_text(w, d->letter->recipients[p->which[i]].address);
	json_end(w);
	json_end(w);
}

static void
write_event(const struct answers *a)
{
	const struct delivery *d = &a->delivery;
	struct lmtp_mail *l = d->letter;
	struct buf out = buf_in(l->arena);
	struct json w;

	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "@timestamp", report_timestamp(l->arena));
	json_put(&w, "event.action", SLICE("split"));
	json_put(&w, "event.module", SLICE("splitter"));
	json_put(&w, "gatehouse.id", slice_of(d->parcels.identity));
	json_put(&w, "gatehouse.queue_id", l->queue_id);
	json_put(&w, "email.sender.address", l->sender);
	json_key(&w, "gatehouse.copies");
	json_begin_array(&w);
	for (size_t i = 0; i < d->parcels.count; i++)
		put_parcel(&w, a, &d->parcels.items[i]);
	json_end(&w);
	json_end(&w);
	/* The journal counts what it could not write and says so itself. */
	journal_write(a->splitter->journal, buf_slice(&out));
}

static void
written(const struct answers *a)
{
	write_line(a);
	if (a->delivery.parcels.count > 0)
		write_event(a);
}

/* --- one letter -------------------------------------------------------- */

static void
parcel_done(struct delivery *d, struct parcel *p)
{
	struct answers *a = d->arg;

	for (size_t i = 0; i < p->n; i++) {
		const struct smtp_outcome *o = &d->outcomes[p->which[i]];

		a->due.replies[p->which[i]] = reply_to(d->letter->arena, o);
		if (o->kind == SMTP_REFUSED && i == 0)
			log_error("%.*s: the second pass refused mail that was "
			    "accepted: %.*s", SLICE_ARG(d->letter->queue_id),
			    SLICE_ARG(log_safe(d->letter->arena, o->reply,
			    1000)));
	}
	a->due.working = d->left > 0;
	if (!a->due.working)
		written(a);
	lmtpd_told(&a->splitter->lmtp, &a->due);
}

static bool
done_before(void *arg, const char *identity, const struct lmtp_recipient *r)
{
	struct answers *a = arg;
	struct served_key key;

	if (!served_key(identity, r->address, r->dsn, &key) ||
	    !served_has(a->splitter->served, &key))
		return false;
	a->due.replies[r - a->delivery.letter->recipients] =
	    SLICE("250 2.0.0 Ok: given back before");
	return true;
}

static struct answers *
answers_new(struct splitter *s, struct lmtp_mail *l)
{
	struct answers *a = arena_alloc(l->arena, sizeof *a);
	const struct splitter_conf *conf;

	a->splitter = s;
	a->due.mail = l;
	a->set = service_set(s->run);
	a->began = clock_mono();
	a->due.replies = arena_array(l->arena, l->nrecipients,
	    sizeof *a->due.replies);
	conf = a->set->conf;
	a->delivery = (struct delivery){ .letter = l,
	    .server = conf->reinject_server, .helo = a->set->house.hostname,
	    .deadline = deadline_in(conf->deadline),
	    .outcomes = arena_array(l->arena, l->nrecipients,
	    sizeof *a->delivery.outcomes), .done = parcel_done, .arg = a };
	return a;
}

struct lmtpd_due *
deliver(void *splitter, struct lmtp_mail *l)
{
	struct splitter *s = splitter;
	struct answers *a = answers_new(s, l);
	const struct splitter_conf *conf = a->set->conf;
	const struct forms forms = forms_of(s->policy);
	struct slice why;

	if (parcels_make(l, &conf->seal, &forms, done_before, a,
	    &a->delivery.parcels, &why) != RC_OK) {
		a->delivery.parcels.count = 0;
		defer_all(a, why);
	}
	a->due.working = a->delivery.parcels.count > 0;
	if (a->due.working)
		inject(s->injector, &a->delivery);
	else
		written(a);
	return &a->due;
}

void
deliver_release(void *splitter, struct lmtpd_due *due)
{
	struct answers *a = (struct answers *)(void *)due;

	(void)splitter;
	service_set_drop(a->set);
	lmtp_mail_free(due->mail);
}
