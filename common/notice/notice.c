#include "notice/notice.h"

#include <string.h>

#include "conf/scope.h"
#include "notice/write.h"
#include "text/address.h"
#include "verdict/plan.h"

/* Who was told of this object already: admins look after many. */
struct told_one {
	struct told_one *next;
	struct slice address;
	enum notice_template which;
};

struct telling {
	const struct notices *n;
	struct db *state;
	const struct notice_event *event;
	int64_t now;
	struct arena *a;
	unsigned made;
	struct slice why;
	struct told_one *told;
};

/* --- whom, and with what -------------------------------------------------- */

static bool
holds(const struct conf_list *causes, struct slice cause)
{
	return conf_list_has(causes, cause);
}

static enum rc
allowed(struct telling *t, const struct notices_conf *conf,
    struct slice address, bool *allowed_r)
{
	int64_t own = 0, all = 0;
	enum rc rc = state_count(t->state, t->a, arena_printf(t->a, "to %.*s",
	    SLICE_ARG(address)), NOTICE_WINDOW, t->now, &own, &t->why);

	if (rc == RC_OK && own <= (int64_t)conf->rate)
		rc = state_count(t->state, t->a, SLICE("all"), NOTICE_WINDOW,
		    t->now, &all, &t->why);
	*allowed_r = own <= (int64_t)conf->rate &&
	    all <= (int64_t)t->n->conf.total_rate;
	return rc;
}

static struct slice
attachment_of(const struct telling *t, enum notice_template which)
{
	struct slice message = t->event->message;

	if (which != TEMPLATE_OFFICER || message.ptr == NULL ||
	    t->event->part || message.len > t->n->conf.attach_limit)
		return SLICE_NONE;
	return message;
}

static void
add_recipients(struct telling *t, struct template_data **data)
{
	struct template_data *list = template_put(t->a, data, "recipients",
	    SLICE(""));

	for (size_t i = 0; i < t->event->nrecipients && i < 100; i++)
		template_put(t->a, &template_row(t->a, list)->data, "address",
		    t->event->recipients[i]);
}

static enum rc
put_letter(struct telling *t, const struct write_to *to)
{
	const struct store_object *o = t->event->object;
	struct template_data *data = NULL;
	struct state_mail mail;
	bool put = false;
	enum rc rc;

	write_common(t->a, &data, to);
	write_cause(t->a, &data, o->cause);
	write_message(t->a, &data, to, o, !o->body);
	add_recipients(t, &data);
	if (to->attached.ptr != NULL)
		template_put(t->a, &data, "attached", SLICE("1"));
	rc = write_letter(t->a, to, data, &mail, &t->why);
	if (rc == RC_OK)
		rc = state_put(t->state, t->a, &mail, &put, &t->why);
	t->made += put;
	return rc;
}

static bool
told_before(struct telling *t, struct slice address,
    enum notice_template which)
{
	struct told_one *one = t->told;

	while (one != NULL && (one->which != which ||
	    !slice_eq_nocase(one->address, address)))
		one = one->next;
	if (one != NULL)
		return true;
	one = arena_alloc(t->a, sizeof *one);
	*one = (struct told_one){ t->told, address, which };
	t->told = one;
	return false;
}

/* An account that is held has all of its mail held: who looks after it is told
 * of the first one. */
static enum rc
account_told(struct telling *t, bool *told_r)
{
	const struct store_object *o = t->event->object;
	struct slice account = o->user.len > 0 ? o->user : o->sender;
	int64_t count = 0;
	enum rc rc = RC_OK;

	*told_r = false;
	if (!slice_eq(o->cause, slice_of(cause_name(CAUSE_ACCOUNT))))
		return RC_OK;
	rc = state_count(t->state, t->a, arena_printf(t->a, "account %.*s",
	    SLICE_ARG(account)), NOTICE_ACCOUNT, t->now, &count, &t->why);
	*told_r = count > 1;
	return rc;
}

/* The settings of the one who reads it: language, zone and rate are his. */
static enum rc
tell(struct telling *t, struct slice address, enum notice_template which)
{
	struct slice key = arena_printf(t->a, "%s %.*s %.*s",
	    notice_template_name(which), SLICE_ARG(t->event->object->id),
	    SLICE_ARG(address));
	struct notices_conf conf;
	const struct write_to to = { .n = t->n, .conf = &conf, .which = which,
	    .key = key, .recipient = address,
	    .attached = attachment_of(t, which), .now = t->now };
	bool may = false;
	enum rc rc;

	if (!address_plain(address) || told_before(t, address, which))
		return RC_OK;
	notices_for(t->n, t->a, address, &conf);
	rc = allowed(t, &conf, address, &may);
	if (rc != RC_OK)
		return rc;
	if (!may)
		return state_lapse(t->state, t->a, address,
		    t->event->object->cause, t->now, &t->why);
	return put_letter(t, &to);
}

static enum rc
tell_all(struct telling *t, const struct conf_list *addresses,
    enum notice_template which)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < addresses->count && rc == RC_OK; i++)
		rc = tell(t, addresses->items[i], which);
	return rc;
}

/* Those who look after the subject of policy: each recipient coming in, the
 * sender going out. */
static enum rc
tell_keepers(struct telling *t, struct slice subject)
{
	struct slice cause = t->event->object->cause;
	struct notices_conf conf;
	bool told;
	enum rc rc = account_told(t, &told);

	if (rc != RC_OK || told)
		return rc;
	notices_for(t->n, t->a, subject, &conf);
	if (holds(&conf.notify_admins, cause))
		rc = tell_all(t, &conf.admins, TEMPLATE_ADMIN);
	if (rc == RC_OK && holds(&conf.notify_officers, cause))
		rc = tell_all(t, &conf.officers, TEMPLATE_OFFICER);
	return rc;
}

static enum rc
tell_recipient(struct telling *t, struct slice recipient)
{
	struct notices_conf conf;

	notices_for(t->n, t->a, recipient, &conf);
	if (!holds(&conf.notify_recipients, t->event->object->cause) ||
	    !notices_ours(t->n, t->a, recipient))
		return RC_OK;
	return tell(t, recipient, TEMPLATE_RECIPIENT);
}

static enum rc
tell_sender(struct telling *t)
{
	struct slice sender = t->event->object->sender;
	struct notices_conf conf;

	notices_for(t->n, t->a, sender, &conf);
	if (!holds(&conf.notify_senders, t->event->object->cause) ||
	    !notices_ours(t->n, t->a, sender))
		return RC_OK;
	return tell(t, sender, TEMPLATE_SENDER);
}

static enum rc
tell_everybody(struct telling *t)
{
	const struct notice_event *e = t->event;
	bool out = slice_eq(e->object->direction, SLICE("out")) ||
	    slice_eq(e->object->direction, SLICE("outbound"));
	bool stop = notice_stop_reason(t->a, e->object->sender, e->message) !=
	    NULL, known = false, done = false;
	enum rc rc = state_known(t->state, t->a, e->object->message_id, &known,
	    &t->why);

	/* Told for this object: the row without a recipient says so. */
	if (rc == RC_OK)
		rc = state_listed(t->state, t->a, e->object->id, SLICE(""),
		    &done, &t->why);
	if (rc == RC_OK && !done)
		rc = state_list(t->state, t->a, e->object->id, SLICE(""),
		    t->now, &t->why);
	if (rc != RC_OK || known || done)
		return rc;
	if (out) {
		rc = tell_keepers(t, e->object->sender);
		return rc != RC_OK || stop ? rc : tell_sender(t);
	}
	for (size_t i = 0; i < e->nrecipients && rc == RC_OK; i++) {
		rc = tell_keepers(t, e->recipients[i]);
		if (rc == RC_OK && !stop)
			rc = tell_recipient(t, e->recipients[i]);
	}
	return rc;
}

/* All of it in one transaction, so that rates and mails agree. */
static enum rc
in_transaction(struct telling *t, enum rc (*work)(struct telling *t))
{
	enum rc rc = db_begin(t->state) == RC_OK ? work(t) :
	    db_trouble(t->state, t->a, &t->why);

	if (rc == RC_OK && db_commit(t->state) != RC_OK)
		rc = db_trouble(t->state, t->a, &t->why);
	if (rc != RC_OK) {
		db_rollback(t->state);
		t->made = 0;
	}
	return rc;
}

enum rc
notice_for_object(const struct notices *n, struct db *state,
    const struct notice_event *event, int64_t now, struct arena *a,
    unsigned *made_r, struct slice *why_r)
{
	struct telling t = { n, state, event, now, a, 0, SLICE(""), NULL };
	enum rc rc = in_transaction(&t, tell_everybody);

	if (made_r != NULL)
		*made_r = t.made;
	*why_r = t.why;
	return rc;
}

/* --- summaries ------------------------------------------------------------ */

struct summary {
	struct summary *next;
	struct slice address;
	int64_t since, count, upto;
	struct template_data *causes;	/* the list */
	struct template_data *data;
};

struct summaries {
	struct arena *a;
	struct summary *first;
};

static void
take_lapse(const struct state_lapse *lapse, void *arg)
{
	struct summaries *all = arg;
	struct summary *s = all->first;
	struct template_row *row;

	if (s == NULL || !slice_eq(s->address, lapse->address)) {
		s = arena_alloc(all->a, sizeof *s);
		s->address = lapse->address;
		s->since = lapse->since;
		s->causes = template_put(all->a, &s->data, "causes",
		    SLICE(""));
		s->next = all->first;
		all->first = s;
	}
	row = template_row(all->a, s->causes);
	write_cause(all->a, &row->data, lapse->cause);
	template_put(all->a, &row->data, "count", arena_printf(all->a, "%lld",
	    (long long)lapse->count));
	s->count += lapse->count;
	if (lapse->since < s->since)
		s->since = lapse->since;
	if (lapse->upto > s->upto)
		s->upto = lapse->upto;
}

static enum rc
put_summary(struct telling *t, struct summary *s)
{
	struct notices_conf conf;
	const struct write_to to = { .n = t->n, .conf = &conf,
	    .which = TEMPLATE_SUMMARY, .key = arena_printf(t->a,
	    "summary %.*s %lld", SLICE_ARG(s->address), (long long)s->upto),
	    .recipient = s->address, .now = t->now };
	struct state_mail mail;
	bool put = false;
	enum rc rc;

	notices_for(t->n, t->a, s->address, &conf);
	write_common(t->a, &s->data, &to);
	template_put(t->a, &s->data, "count", arena_printf(t->a, "%lld",
	    (long long)s->count));
	template_put(t->a, &s->data, "since", zone_short(t->a,
	    notices_zone(t->n, &conf), s->since));
	rc = write_letter(t->a, &to, s->data, &mail, &t->why);
	if (rc == RC_OK)
		rc = state_put(t->state, t->a, &mail, &put, &t->why);
	t->made += put;
	return rc != RC_OK ? rc : state_told(t->state, t->a, s->address,
	    s->upto, &t->why);
}

static enum rc
summarise(struct telling *t)
{
	struct summaries all = { .a = t->a };
	enum rc rc = state_lapsed(t->state, t->a, t->now - NOTICE_WINDOW,
	    take_lapse, &all, &t->why);

	for (struct summary *s = all.first; s != NULL && rc == RC_OK;
	    s = s->next)
		rc = put_summary(t, s);
	return rc;
}

enum rc
notice_summaries(const struct notices *n, struct db *state, int64_t now,
    struct arena *a, unsigned *made_r, struct slice *why_r)
{
	struct telling t = { n, state, NULL, now, a, 0, SLICE(""), NULL };
	enum rc rc = in_transaction(&t, summarise);

	if (made_r != NULL)
		*made_r = t.made;
	*why_r = t.why;
	return rc;
}
