#include "milter/hold.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/map.h"
#include "log/log.h"
#include "milter/files.h"
#include "milter/split.h"
#include "store/mark.h"

bool
hold_in_store(const struct session *s)
{
	return s->set->store && (s->needs & HOLDS) != 0;
}

static bool
counts(const struct recipient *r)
{
	return !slice_eq(r->mailer, SLICE("error"));
}

static bool
kept_back(const struct verdict *v)
{
	return v->action == QUARANTINE || v->action == DISCARD;
}

/* How many recipients have which action, and the first verdict of each. */
struct tally {
	size_t all, count[QUARANTINE + 1];
	const struct verdict *first[QUARANTINE + 1], *any;
};

static void
tally(const struct envelope *e, const struct verdict *each, struct tally *t)
{
	*t = (struct tally){ .all = 0 };
	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct verdict *v = &each[i];

		if (!counts(&e->recipients[i]))
			continue;
		t->all++;
		if (t->any == NULL)
			t->any = v;
		if (t->count[v->action]++ == 0)
			t->first[v->action] = v;
	}
}

/* Of one that somebody has; a zeroed verdict is tempfail, the safe one. */
static struct verdict
first_of(const struct tally *t, enum action action)
{
	struct verdict none = { .action = TEMPFAIL, .rule = "trouble" };

	return t->first[action] != NULL ? *t->first[action] : none;
}

/* The verdict of each recipient, in an array of their number. */
static struct verdict *
spread(struct session *s, const struct plan *plan, size_t n)
{
	struct verdict *each = arena_array(s->arena, n + 1, sizeof *each);

	for (size_t i = 0; i < n; i++)
		each[i] = plan->all;
	for (const struct plan_recipient *r = plan->recipients; r != NULL;
	    r = r->next)
		if (r->index < n)
			each[r->index] = r->verdict;
	for (size_t i = 0; i < n; i++)
		if (kept_back(&each[i]) && each[i].cause == CAUSE_NONE)
			each[i].cause = CAUSE_POLICY;
	return each;
}

/* What was released from this cause is not held for it again. */
static bool
let_through(struct session *s, const struct envelope *e, struct verdict *each)
{
	const struct mark *mark = s->seal.release;
	bool any = false;

	for (size_t i = 0; mark != NULL && i < e->nrecipients; i++) {
		struct verdict *v = &each[i];

		if (v->action != QUARANTINE || v->cause != mark->cause ||
		    !mark_has(mark, e->recipients[i].address))
			continue;
		v->reason = arena_printf(s->arena, "released from %s; else "
		    "%s: %.*s", cause_name(v->cause), v->rule,
		    SLICE_ARG(v->reason));
		v->action = ACCEPT;
		v->rule = "released";
		v->cause = CAUSE_NONE;
		any = true;
	}
	return any;
}

/* Did an earlier filter keep it back for somebody? */
static bool
dropped_before(const struct session *s)
{
	for (const struct plan_address *p = s->seal.addresses; p != NULL;
	    p = p->next)
		if (p->added.ptr == NULL)
			return true;
	return false;
}

/* To be refused for some: SMTP cannot say so after the message is there. A
 * cause stays what it is: a virus is one however it is dealt with. */
static void
hold_the_refused(struct verdict *each, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (each[i].action != REJECT)
			continue;
		each[i].action = QUARANTINE;
		if (each[i].cause == CAUSE_NONE)
			each[i].cause = CAUSE_POLICY;
	}
}

/* Postfix removes every recipient of an address: where one of them is kept
 * back, all are. */
static void
same_for_same(const struct envelope *e, struct verdict *each)
{
	struct map *held = map_new();

	for (size_t i = 0; i < e->nrecipients; i++)
		if (counts(&e->recipients[i]) && kept_back(&each[i]))
			map_put(held, e->recipients[i].address, &each[i]);
	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct verdict *v = map_get(held,
		    e->recipients[i].address);

		if (v != NULL && counts(&e->recipients[i]))
			each[i] = *v;
	}
	map_free(held);
}

static enum object_kind
kind_of(const struct verdict *v)
{
	return v->action == DISCARD ? OBJECT_DELETED : OBJECT_HELD;
}

static void
describe_client(struct object_meta *m, const struct client *c)
{
	m->client_ip = c->ip;
	m->client_name = c->name;
	m->helo = c->helo;
	m->user = c->user;
	m->tls = c->tls;
}

static void
describe_findings(struct session *s, struct object_meta *m)
{
	m->nfindings = s->seal.nfindings;
	m->findings = arena_array(s->arena, m->nfindings + 1,
	    sizeof *m->findings);
	for (size_t i = 0; i < m->nfindings; i++)
		m->findings[i] = (struct object_finding){
			s->seal.findings[i].filter, s->seal.findings[i].key,
			s->seal.findings[i].value };
}

struct held *
hold_new(struct session *s, const struct envelope *e, const char *filter,
    const struct verdict *v)
{
	struct held *h = arena_alloc(s->arena, sizeof *h);
	struct object_meta *m = &h->meta;

	m->kind = kind_of(v);
	m->cause = v->cause;
	m->filter = slice_of(filter);
	m->rule = slice_of(v->rule);
	m->reason = v->reason;
	m->coverage = SLICE("");
	m->sender = e->sender;
	m->recipients = arena_array(s->arena, e->nrecipients + 1,
	    sizeof *m->recipients);
	m->smtputf8 = e->smtputf8;
	m->body8 = e->body8;
	m->queue_id = e->queue_id;
	m->time = s->seal.time;
	m->outbound = s->seal.direction == DIRECTION_OUT;
	memcpy(m->identity, s->seal.identity, sizeof m->identity);
	describe_client(m, &s->origin);
	describe_findings(s, m);
	m->subject = m->from = m->to = m->date = m->message_id = SLICE("");
	return h;
}

/* The object of that kind, cause and rule; rules are few, so are objects. */
static struct held *
held_for(struct session *s, const struct job *job, struct outcome *out,
    const struct verdict *v)
{
	struct held **h = &out->held;

	for (; *h != NULL; h = &(*h)->next)
		if ((*h)->meta.kind == kind_of(v) &&
		    (*h)->meta.cause == v->cause &&
		    slice_eq((*h)->meta.rule, slice_of(v->rule)))
			return *h;
	*h = hold_new(s, &out->envelope, job->filter, v);
	(*h)->msg = job->msg;
	(*h)->meta.coverage = out->plan->coverage;
	return *h;
}

static void
collect(struct session *s, const struct job *job, struct outcome *out,
    const struct verdict *each)
{
	const struct envelope *e = &out->envelope;

	for (size_t i = 0; i < e->nrecipients; i++) {
		struct held *h;

		if (!counts(&e->recipients[i]) || !kept_back(&each[i]))
			continue;
		h = held_for(s, job, out, &each[i]);
		h->meta.recipients[h->meta.nrecipients++] =
		    e->recipients[i].address;
	}
}

static struct plan_address **
add_address(struct session *s, struct plan_address **last,
    struct slice removed, struct slice added, bool quiet)
{
	*last = arena_alloc(s->arena, sizeof **last);
	(*last)->removed = removed;
	(*last)->added = added;
	(*last)->quiet = quiet;
	return &(*last)->next;
}

/* The envelope's changes: who is kept back goes; what the filter wanted for
 * him does not happen. */
static void
drop(struct session *s, struct outcome *out, const struct verdict *each)
{
	const struct envelope *e = &out->envelope;
	struct plan_address *first = NULL, **last = &first;
	struct map *gone = map_new();

	for (size_t i = 0; i < e->nrecipients; i++) {
		struct slice address = e->recipients[i].address;

		if (counts(&e->recipients[i]) && kept_back(&each[i]) &&
		    map_put(gone, address, out) == NULL)
			last = add_address(s, last, address, SLICE_NONE,
			    false);
	}
	for (const struct plan_address *p = out->plan->addresses; p != NULL;
	    p = p->next)
		if (p->removed.ptr == NULL || map_get(gone, p->removed) == NULL)
			last = add_address(s, last, p->removed, p->added,
			    p->quiet);
	map_free(gone);
	out->addresses = first;
}

/* The first verdict, and one that is another. */
static struct verdict
mixed(struct session *s, const struct tally *t)
{
	const struct verdict *a = t->any, *b = t->any;

	for (int action = 0; action <= QUARANTINE; action++)
		if (t->count[action] > 0 && action != (int)a->action)
			b = t->first[action];
	return (struct verdict){ .action = QUARANTINE, .rule = "mixed",
	    .reason = arena_printf(s->arena, "recipients differ: %s (%.*s), "
	    "%s (%.*s)", a->rule, SLICE_ARG(a->reason), b->rule,
	    SLICE_ARG(b->reason)), .cause = CAUSE_POLICY };
}

/* With a store: who is left, and what is written for the others. */
static struct verdict
divide(struct session *s, const struct job *job, struct outcome *out,
    struct verdict *each)
{
	const struct envelope *e = &out->envelope;
	struct tally t;

	tally(e, each, &t);
	if (t.count[REJECT] > 0 && ((t.count[REJECT] == t.all &&
	    !dropped_before(s)) ||
	    s->set->house.mixed_reject == MIXED_REJECT_ALL))
		return first_of(&t, REJECT);
	if (t.count[REJECT] > 0)
		hold_the_refused(each, e->nrecipients);
	if (t.count[ACCEPT] < t.all)
		same_for_same(e, each);
	collect(s, job, out, each);
	tally(e, each, &t);
	if (t.count[ACCEPT] == 0)
		return first_of(&t, t.count[QUARANTINE] > 0 ? QUARANTINE :
		    DISCARD);
	if (out->held != NULL)
		drop(s, out, each);
	return first_of(&t, ACCEPT);
}

void
hold_settle(struct session *s, const struct job *job, struct outcome *out)
{
	const struct envelope *e = &out->envelope;
	struct verdict *each = spread(s, out->plan, e->nrecipients);
	bool released = let_through(s, e, each);
	struct tally t;

	out->addresses = out->plan->addresses;
	if (out->plan->recipients != NULL || released)
		out->each = each;
	tally(e, each, &t);
	if (t.all == 0)
		out->verdict = out->plan->all;
	else if (t.count[TEMPFAIL] > 0)
		out->verdict = first_of(&t, TEMPFAIL);
	else if (hold_in_store(s))
		out->verdict = divide(s, job, out, each);
	else if (t.count[t.any->action] == t.all)
		out->verdict = *t.any;
	else
		out->verdict = mixed(s, &t);
	files_settle(s, job, out, each);
}

/* --- effects ------------------------------------------------------------- */

static bool
hash_message(const struct message *msg, unsigned char sum_r[EVP_MAX_MD_SIZE])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool good = hash != NULL &&
	    EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(hash, msg->head.ptr, msg->head.len) == 1 &&
	    EVP_DigestUpdate(hash, "\r\n", 2) == 1 &&
	    (msg->body.len == 0 ||
	    EVP_DigestUpdate(hash, msg->body.ptr, msg->body.len) == 1) &&
	    EVP_DigestFinal_ex(hash, sum_r, NULL) == 1;

	EVP_MD_CTX_free(hash);
	return good;
}

bool
hold_content(struct session *s)
{
	unsigned char sum[EVP_MAX_MD_SIZE];

	if (s->seal.content[0] != '\0')
		return true;
	if (!hash_message(s->first, sum))
		return false;
	seal_content(&s->seal, sum);
	return true;
}

static const char *
write_one(struct session *s, struct held *h)
{
	struct slice why = SLICE(""), head = h->msg->head;
	enum rc rc;

	if (!hold_content(s))
		return "the message cannot be hashed";
	memcpy(h->meta.content, s->seal.content, sizeof h->meta.content);
	if (object_digests(&h->meta, head, h->msg->body) != RC_OK ||
	    object_id(&h->meta) != RC_OK)
		return "the message cannot be hashed";
	/* gatehouse test tells what would be held, and holds nothing. */
	h->durable = s->host->dry;
	if (h->durable)
		return NULL;
	rc = object_write(s->set->store_folder, &s->set->store_key, &h->meta,
	    head, h->msg->body, &h->merged, s->arena, &why);
	h->durable = rc == RC_OK;
	return rc == RC_OK ? NULL : arena_printf(s->arena,
	    "cannot be held: %.*s", SLICE_ARG(why)).ptr;
}

const char *
hold_write(struct session *s, struct outcome *outs, size_t n)
{
	const char *why = NULL;

	for (size_t i = 0; i < n && why == NULL; i++) {
		for (struct held *h = outs[i].held; h != NULL && why == NULL;
		    h = h->next) {
			object_describe(&h->meta, h->msg, s->arena);
			why = write_one(s, h);
		}
	}
	return why;
}

bool
hold_durable(const struct outcome *outs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (const struct held *h = outs[i].held; h != NULL;
		    h = h->next)
			if (!h->durable)
				return false;
	return true;
}

/* Our own field that begins here, or nothing; lines alone are looked at. */
static struct slice
our_field(struct slice head)
{
	struct slice rest = head, line;

	if (!slice_starts_nocase(head, SLICE(SEAL_FIELD ":")) &&
	    !slice_starts_nocase(head, SLICE(SPLIT_FIELD ":")) &&
	    !slice_starts_nocase(head, SLICE(MARK_FIELD ":")))
		return SLICE("");
	do
		slice_line(&rest, &line);
	while (rest.len > 0 && ascii_blank(rest.ptr[0]));
	return slice_sub(head, 0, head.len - rest.len);
}

static bool
valid_seal(struct session *s, struct slice field, struct seal *seal)
{
	struct slice body = slice_trim(slice_after(field, slice_find(field,
	    ':') + 1));

	return seal_read(body, s->envelope.queue_id, &s->set->key, s->arena,
	    seal) == RC_OK || (split_listener(s) && split_read(body, 2,
	    SLICE_NONE, &s->set->key, s->arena, seal) == RC_OK);
}

/*
 * The header block without fields of our names. A seal of ours is taken over:
 * it says for whom the message still is. Whoever holds a message unread has
 * not looked at the rest, and will not.
 */
static struct slice
without_ours(struct session *s, struct slice head)
{
	struct buf out = buf_in(s->arena);

	while (head.len > 0) {
		struct slice ours = our_field(head);
		size_t n = ours.len > 0 ? ours.len :
		    slice_find(head, '\n') + 1;
		struct seal seal;

		if (ours.len == 0)
			buf_add(&out, slice_sub(head, 0, n));
		else if (valid_seal(s, ours, &seal))
			course_adopt(s, &seal);
		head = slice_after(head, n);
	}
	return buf_slice(&out);
}

const char *
hold_unread(struct session *s, const struct verdict *verdict,
    struct slice head, struct slice body, struct held **held_r)
{
	struct message *raw = arena_alloc(s->arena, sizeof *raw);
	const struct envelope *e = &s->envelope;
	struct held *h;

	raw->head = without_ours(s, head);
	raw->body = body;
	h = hold_new(s, e, s->jobs[0].filter, verdict);
	h->msg = raw;
	for (size_t i = 0; i < e->nrecipients; i++)
		if (counts(&e->recipients[i]))
			h->meta.recipients[h->meta.nrecipients++] =
			    e->recipients[i].address;
	s->first = raw;
	*held_r = h;
	return h->meta.nrecipients > 0 ? write_one(s, h) :
	    "there is nobody whom it is for";
}
