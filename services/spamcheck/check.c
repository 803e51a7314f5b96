/* One message: may it be checked, what is it, who is told. */
#include <stdlib.h>

#include "log/log.h"
#include "net/smtp.h"
#include "services/spamcheck/spamcheck.h"
#include "services/spamcheck/tell.h"
#include "services/spamcheck/who.h"

struct check {
	struct lmtpd_due due;		/* first: they are one */
	struct worker_task task;
	struct spamcheck *service;
	struct service_set *set;
	struct arena *arena;		/* the worker's */
	struct slice message;
	struct judged judged;		/* class NULL: not yet */
	struct slice reply;		/* one, for all recipients */
	deadline_t until;
	int64_t began;			/* clock_mono */
	bool counted;			/* in the rate */
};

static const struct spamcheck_conf *
conf_of(const struct check *c)
{
	return c->set->conf;
}

static struct check *
check_of(struct worker_task *t)
{
	return (struct check *)(void *)((char *)t -
	    offsetof(struct check, task));
}

/* --- in the loop --------------------------------------------------------- */

/* Letters of any case are one sender. */
static struct slice
sender_key(const struct check *c)
{
	struct slice s = c->due.mail->sender;
	char *key = arena_alloc(c->arena, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		key[i] = ascii_lower(s.ptr[i]);
	return slice_make(key, s.len);
}

static void
write_line(const struct check *c)
{
	const struct lmtp_mail *m = c->due.mail;
	struct log_line line;

	log_begin(&line, c->arena, m->queue_id);
	log_pair(&line, "checked", slice_starts(c->reply, SLICE("250")) ?
	    SLICE("yes") : SLICE("no"));
	if (c->judged.class != NULL) {
		log_pairf(&line, "class", "%s", c->judged.class);
		log_pairf(&line, "percent", "%u", c->judged.percent);
	}
	log_pair(&line, "from", arena_printf(c->arena, "<%.*s>",
	    SLICE_ARG(m->sender)));
	log_pairf(&line, "size", "%zu", c->message.len);
	log_pairf(&line, "ms", "%lld", (long long)(clock_mono() - c->began));
	log_end(&line, c->reply);
}

/* All is known. The message is given back at once: it may be large, and who
 * asked may be slow to read the answer. */
static void
answered(struct check *c)
{
	struct lmtp_mail *m = c->due.mail;

	if (c->counted && !slice_starts(c->reply, SLICE("250")))
		rate_back(&c->service->rate, sender_key(c));
	write_line(c);
	c->reply = arena_copy(m->arena, c->reply);
	for (size_t i = 0; i < m->nrecipients; i++)
		if (c->due.replies[i].ptr == NULL)
			c->due.replies[i] = c->reply;
	spool_free(&m->spool);
	arena_free(c->arena);
	c->arena = NULL;
	c->due.working = false;
}

static void
done(struct worker_task *t)
{
	struct check *c = check_of(t);

	answered(c);
	lmtpd_told(&c->service->lmtp, &c->due);
}

/* What is for no address of the check is not ours to answer for: a transport
 * map that sends other mail here must not lose it. False: nobody is left. */
static bool
sort_recipients(struct check *c)
{
	const struct conf_list *ours = &c->set->house.spamcheck;
	struct lmtp_mail *m = c->due.mail;
	size_t n = 0;

	for (size_t i = 0; i < m->nrecipients; i++) {
		if (conf_list_has_nocase(ours, m->recipients[i].address)) {
			n++;
			continue;
		}
		log_warning("%.*s: <%.*s> is none of spamcheck_addresses, "
		    "and Postfix's transport_maps send it here",
		    SLICE_ARG(log_safe(c->arena, m->queue_id, 100)),
		    SLICE_ARG(log_safe(c->arena, m->recipients[i].address,
		    300)));
		c->due.replies[i] = SLICE("451 4.3.5 no address of the spam "
		    "check");
	}
	return n > 0;
}

/* Empty: it is checked. */
static struct slice
refuse_early(struct check *c)
{
	const struct spamcheck_conf *conf = conf_of(c);
	struct spool *spool = &c->due.mail->spool;

	if (!sort_recipients(c))
		return SLICE("451 4.3.5 no address of the spam check");
	c->message = spool_end(spool);
	if (c->message.ptr == NULL && spool->too_large)
		return arena_printf(c->arena, "552 5.3.4 messages of up to "
		    "%llu bytes are checked", (unsigned long long)conf->size);
	if (spool->failed)
		return SLICE("452 4.3.1 too many messages at this time");
	c->counted = rate_take(&c->service->rate, sender_key(c), conf->rate,
	    clock_mono());
	return c->counted ? SLICE("") : SLICE("450 4.7.1 too many messages of "
	    "this sender in this hour");
}

/* --- in a thread --------------------------------------------------------- */

static void
work(struct worker_task *t)
{
	struct check *c = check_of(t);
	const struct spamcheck_conf *conf = conf_of(c);
	struct lmtp_mail *m = c->due.mail;
	struct result r = { .mail = m, .judged = &c->judged,
	    .notices = conf->notices, .now = clock_wall() };
	const char *refused = who_refuses(m, c->message, conf->notices,
	    c->arena);
	struct slice why = SLICE("");

	if (refused != NULL) {
		c->reply = slice_of(refused);
		return;
	}
	if (deadline_left(c->until) == 0) {
		c->reply = SLICE("451 4.3.2 the deadline was over before it "
		    "was looked at");
		return;
	}
	r.id = result_id(m, c->message, c->arena);
	if (judge_message(conf->judge, who_draft(m, c->message, c->arena),
	    c->arena, &c->judged, &why) != RC_OK)
		c->reply = arena_printf(c->arena, "451 4.3.0 %.*s",
		    SLICE_ARG(why));
	else
		c->reply = tell(conf, &r, c->until, c->arena);
}

/* --- one message --------------------------------------------------------- */

struct lmtpd_due *
check_deliver(void *arg, struct lmtp_mail *mail)
{
	struct spamcheck *s = arg;
	struct check *c = arena_alloc(mail->arena, sizeof *c);

	*c = (struct check){ .due = { .mail = mail, .replies =
	    arena_array(mail->arena, mail->nrecipients,
	    sizeof *c->due.replies) }, .task = { NULL, work, done },
	    .service = s, .set = service_set(s->run), .arena = arena_new(),
	    .message = SLICE(""), .began = clock_mono() };
	c->until = deadline_in(conf_of(c)->deadline);
	c->reply = refuse_early(c);
	c->due.working = c->reply.len == 0;
	if (c->due.working)
		workers_put(s->workers, &c->task);
	else
		answered(c);
	return &c->due;
}

void
check_release(void *arg, struct lmtpd_due *due)
{
	struct check *c = (struct check *)(void *)due;

	(void)arg;
	service_set_drop(c->set);
	lmtp_mail_free(due->mail);
}
