#include "milter/session.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "milter/apply.h"
#include "milter/report.h"
#include "milter/seal.h"

enum {
	RECIPIENTS = 100000,		/* of one message; Postfix stops at 1000 */
	OVERHEAD = 16 * 1024,		/* that Postfix adds in the queue file */
};

struct session {
	struct host *host;
	const struct engine_ops *ops;
	void *ctx;
	unsigned needs;			/* that the engine negotiated */
	struct arena *connection;	/* lives as long as the session */
	struct arena *arena;		/* lives as long as the message */
	struct client client;

	/* The message under way; all zero when there is none. */
	struct settings *set;
	struct client origin;		/* client, or who the seal says */
	struct envelope envelope;
	size_t room;			/* for recipients */
	struct gather gather;
	struct job *jobs;		/* one for each instance */
	struct message *msg;		/* as the next filter finds it */
	struct seal seal;
	struct step *steps, **last_step;
	deadline_t deadline;
	const char *trouble;		/* static text, or NULL */
	bool body_changed;
	bool body_begun;		/* a piece of it came ... */
	bool body_left;			/* ... and no filter wanted it */
};

static void
take_limits(struct host *host, const struct settings *set)
{
	host->budget.heap_max = set->milter.memory;
	host->budget.file_max = set->milter.spool;
}

void
host_init(struct host *host, struct settings *first)
{
	pthread_mutex_init(&host->lock, NULL);
	early_init(&host->gate);
	host->current = first;
	take_limits(host, first);
}

struct settings *
host_settings(struct host *host)
{
	struct settings *set;

	pthread_mutex_lock(&host->lock);
	set = settings_hold(host->current);
	pthread_mutex_unlock(&host->lock);
	return set;
}

void
host_swap(struct host *host, struct settings *next)
{
	struct settings *old;

	pthread_mutex_lock(&host->lock);
	old = host->current;
	host->current = next;
	take_limits(host, next);
	pthread_mutex_unlock(&host->lock);
	settings_drop(old);
}

void
host_end(struct host *host)
{
	settings_drop(host->current);
	early_end(&host->gate);
	pthread_mutex_destroy(&host->lock);
}

struct session *
session_new(struct host *host, const struct engine_ops *ops, void *ctx,
    unsigned needs)
{
	struct session *s = mem_alloc(sizeof *s);

	s->host = host;
	s->ops = ops;
	s->ctx = ctx;
	s->needs = needs;
	s->connection = arena_new();
	s->arena = arena_new();
	gather_init(&s->gather, &host->budget);
	return s;
}

bool
session_busy(const struct session *s)
{
	return s->set != NULL;
}

unsigned
session_needs(const struct session *s)
{
	return s->needs;
}

void
session_reset(struct session *s)
{
	/* No answer may come into memory that is about to go. */
	for (size_t i = 0; s->jobs != NULL && i < s->set->ninstances; i++)
		if (s->jobs[i].budget != NULL)
			dns_budget_cancel(s->jobs[i].budget);
	gather_reset(&s->gather);
	arena_reset(s->arena);
	settings_drop(s->set);
	s->set = NULL;
	s->jobs = NULL;
	s->msg = NULL;
	s->steps = NULL;
	s->trouble = NULL;
	s->room = 0;
	s->body_changed = false;
	s->body_begun = s->body_left = false;
	memset(&s->envelope, 0, sizeof s->envelope);
	memset(&s->seal, 0, sizeof s->seal);
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	session_reset(s);
	gather_free(&s->gather);
	arena_free(s->arena);
	arena_free(s->connection);
	free(s);
}

static struct slice
macro(struct session *s, struct arena *a, const char *name)
{
	return arena_copy(a, slice_of(s->ops->macro(s->ctx, name)));
}

static struct slice
macro_or_empty(struct session *s, struct arena *a, const char *name)
{
	struct slice value = macro(s, a, name);

	return value.ptr != NULL ? value : SLICE("");
}

void
session_helo(struct session *s, struct slice name)
{
	s->client.helo = arena_copy(s->connection, name);
}

/* <a@b> is how SMTP gives it; pickup gives it bare. */
static struct slice
bare_path(struct arena *a, const char *path)
{
	struct slice s = slice_of(path != NULL ? path : "");

	if (s.len >= 2 && s.ptr[0] == '<' && s.ptr[s.len - 1] == '>')
		s = slice_sub(s, 1, s.len - 2);
	return arena_copy(a, s);
}

static enum direction
direction_of(const struct session *s, const struct house_conf *house)
{
	if (s->host->direction != NULL)
		return *s->host->direction;
	if (s->client.user.len > 0 ||
	    conf_list_has(&house->outbound_daemons, s->client.daemon_name) ||
	    conf_nets_hold(&house->networks, &s->client.ip))
		return DIRECTION_OUT;
	return DIRECTION_IN;
}

/* What the filters of that set answer before there is a message. */
static enum answer
early(struct session *s, const struct settings *set, unsigned when,
    const struct recipient *recipient)
{
	struct early_step step = { .when = when, .client = &s->client,
	    .direction = direction_of(s, &set->house),
	    .sender = when == EARLY_CONNECT ? SLICE_NONE : s->envelope.sender,
	    .recipient = recipient };

	if ((set->needs & s->needs & when) == 0)
		return ANSWER_CONTINUE;
	return early_answer(&s->host->gate, set, &step, s->host->journal,
	    s->ops, s->ctx);
}

enum answer
session_connect(struct session *s, struct slice name, const struct ip *ip)
{
	struct settings *set;
	enum answer answer;

	/* Postfix writes a client without a verified name as [address]. */
	s->client.name = slice_starts(name, SLICE("[")) ? SLICE("unknown") :
	    arena_copy(s->connection, name);
	s->client.ip = *ip;
	s->client.helo = SLICE("");
	s->client.user = SLICE("");
	s->client.tls = SLICE("");
	s->client.daemon_name = macro_or_empty(s, s->connection,
	    "{daemon_name}");
	set = host_settings(s->host);
	answer = early(s, set, EARLY_CONNECT, NULL);
	settings_drop(set);
	return answer;
}

static void
new_identity(char identity[33])
{
	unsigned char bytes[16];

	/* Random bytes are there once the system has started; without them
	 * two messages could share a name, so say it rather than guess. */
	if (RAND_bytes(bytes, sizeof bytes) != 1) {
		log_panic("no random bytes for a message's identity");
		abort();
	}
	for (int i = 0; i < 16; i++) {
		identity[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		identity[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	identity[32] = '\0';
}

static void
free_budget(void *budget)
{
	dns_budget_free(budget);
}

static void
begin_job(struct session *s, struct instance *in, struct job *job)
{
	const struct house_conf *house = &s->set->house;

	job->filter = in->filter->name;
	job->arena = s->arena;
	job->house = house;
	job->conf = in->conf;
	job->shared = in->shared;
	job->client = &s->origin;
	job->envelope = &s->envelope;
	job->direction = s->seal.direction;
	job->now = s->seal.time;
	job->deadline = deadline_in(house->dns_budget);
	if (in->filter->needs & NEED_DNS) {
		job->budget = dns_budget_new(s->set->dns, house->dns_questions,
		    job->deadline);
		arena_defer(s->arena, free_budget, job->budget);
	}
	if (in->filter->begin != NULL)
		in->filter->begin(job);
}

static bool
has_parameter(const char *const *argv, struct slice want)
{
	for (argv++; *argv != NULL; argv++)
		if (slice_eq_nocase(slice_of(*argv), want))
			return true;
	return false;
}

enum answer
session_mail(struct session *s, const char *const *argv)
{
	enum answer answer;

	session_reset(s);
	s->set = host_settings(s->host);
	s->last_step = &s->steps;
	if ((s->set->needs & ~s->needs &
	    ~(unsigned)(LEAVES_BODY | EARLY)) != 0)
		s->trouble = "reloaded; this connection is too old for it";
	s->client.user = macro_or_empty(s, s->arena, "{auth_authen}");
	s->client.tls = macro_or_empty(s, s->arena, "{tls_version}");
	s->origin = s->client;
	s->envelope.sender = bare_path(s->arena, argv[0]);
	s->envelope.smtputf8 = argv[0] != NULL &&
	    has_parameter(argv, SLICE("SMTPUTF8"));
	s->envelope.queue_id = macro_or_empty(s, s->arena, "i");
	s->seal.time = clock_wall();
	s->seal.pass = 1;
	s->seal.direction = direction_of(s, &s->set->house);
	s->seal.sender = SLICE_NONE;
	answer = early(s, s->set, EARLY_MAIL, NULL);
	if (answer != ANSWER_CONTINUE) {
		session_reset(s);
		return answer;
	}
	s->jobs = arena_array(s->arena, s->set->ninstances, sizeof *s->jobs);
	for (size_t i = 0; i < s->set->ninstances; i++)
		begin_job(s, &s->set->instances[i], &s->jobs[i]);
	return ANSWER_CONTINUE;
}

static void
add_recipient(struct session *s, const struct recipient *recipient)
{
	struct envelope *e = &s->envelope;

	if (e->nrecipients == s->room) {
		struct recipient *more;

		s->room = s->room > 0 ? s->room * 2 : 8;
		more = arena_array(s->arena, s->room, sizeof *more);
		if (e->nrecipients > 0)
			memcpy(more, e->recipients,
			    e->nrecipients * sizeof *more);
		e->recipients = more;
	}
	e->recipients[e->nrecipients++] = *recipient;
}

/* Who is refused, by Postfix or by us, is no recipient of the message. */
enum answer
session_rcpt(struct session *s, const char *const *argv)
{
	struct recipient r;
	enum answer answer;

	if (s->set == NULL)
		return ANSWER_CONTINUE;
	if (s->envelope.nrecipients >= RECIPIENTS) {
		s->trouble = "too many recipients";
		return ANSWER_CONTINUE;
	}
	r.address = bare_path(s->arena, argv[0]);
	r.mailer = macro_or_empty(s, s->arena, "{rcpt_mailer}");
	r.host = macro_or_empty(s, s->arena, "{rcpt_host}");
	answer = early(s, s->set, EARLY_RCPT, &r);
	if (answer == ANSWER_CONTINUE && !((s->needs & EARLY_RCPT) &&
	    slice_eq(r.mailer, SLICE("error"))))
		add_recipient(s, &r);
	return answer;
}

void
session_field(struct session *s, struct slice name, struct slice value)
{
	if (s->set == NULL)
		return;
	gather_field(&s->gather, name, value);
	for (size_t i = 0; i < s->set->ninstances; i++)
		if (s->set->instances[i].filter->field != NULL)
			s->set->instances[i].filter->field(&s->jobs[i], name,
			    value);
}

/* The header block is whole: does anybody want what stands behind it? */
static bool
body_wanted(const struct session *s)
{
	for (size_t i = 0; i < s->set->ninstances; i++) {
		const struct instance *in = &s->set->instances[i];

		if ((in->needs & NEED_BODY) && (in->filter->wants_body == NULL ||
		    in->filter->wants_body(&s->jobs[i])))
			return true;
	}
	return false;
}

bool
session_body(struct session *s, struct slice chunk)
{
	if (s->set == NULL)
		return false;
	if (!s->body_begun)
		s->body_left = !body_wanted(s);
	s->body_begun = true;
	if (!s->body_left)
		gather_body(&s->gather, chunk);
	return !s->body_left;
}

/* What the chain says about our place: is this process the last of it? */
static bool
last_of_chain(const struct session *s)
{
	const struct house_conf *house = &s->set->house;
	const struct conf_list *list = s->seal.direction == DIRECTION_OUT ?
	    &house->outbound : &house->inbound;
	const char *mine = s->set->instances[s->set->ninstances - 1]
	    .filter->name;

	return s->set->key.len == 0 || list->count == 0 ||
	    slice_eq(list->items[list->count - 1], slice_of(mine)) ||
	    !conf_list_has(list, slice_of(mine));
}

/* Fields of ours come on top of what a message may bring. */
static const struct message_limits edited_limits = {
	.fields = 4000, .header_bytes = 2 << 20, .depth = 50, .parts = 1000,
};

/* The message as the step's edits leave it becomes the one that counts; false
 * when there is no room for it. */
static bool
take_step(struct session *s, const struct patches *edits,
    const struct plan *plan)
{
	struct step *step = arena_alloc(s->arena, sizeof *step);
	struct message *next = arena_alloc(s->arena, sizeof *next);
	struct slice head, body;
	char *place = NULL;

	if (edits->body) {
		place = gather_room(&s->gather, patches_body_size(edits));
		if (place == NULL)
			return false;
	}
	step->edits = edits;
	step->plan = plan;
	*s->last_step = step;
	s->last_step = &step->next;
	if (edits->count == 0)
		return true;
	patches_apply_into(edits, s->arena, place, &head, &body);
	s->body_changed = s->body_changed || edits->body;
	message_read(next, s->arena, head, body, &edited_limits);
	s->msg = next;
	return true;
}

/* Filters before this one keep the list that they saw. */
static void
own_recipients(struct session *s)
{
	struct envelope *e = &s->envelope;
	struct recipient *copy = arena_array(s->arena, s->room, sizeof *copy);

	memcpy(copy, e->recipients, e->nrecipients * sizeof *copy);
	e->recipients = copy;
}

static void
replace_recipient(struct session *s, struct slice removed, struct slice added)
{
	struct envelope *e = &s->envelope;

	for (size_t i = 0; removed.ptr != NULL && i < e->nrecipients; i++) {
		if (slice_eq(e->recipients[i].address, removed)) {
			own_recipients(s);
			e->recipients[i].address = added;
			return;
		}
	}
	add_recipient(s, &(struct recipient){ added, SLICE("smtp"),
	    SLICE("") });
}

static void
change_envelope(struct session *s, struct slice sender,
    const struct plan_address *addresses)
{
	if (sender.ptr != NULL)
		s->envelope.sender = sender;
	for (; addresses != NULL; addresses = addresses->next)
		replace_recipient(s, addresses->removed, addresses->added);
}

/* Takes over what earlier filters of ours found. */
static void
adopt_seal(struct session *s, const struct seal *seal)
{
	s->seal = *seal;
	s->origin = seal->client;
	change_envelope(s, seal->sender, seal->addresses);
}

/*
 * All fields of the seal's name go, whoever wrote them; the first that is
 * valid is taken over. Our own is written anew at the end.
 */
static void
open_seal(struct session *s)
{
	struct patches *edits = arena_alloc(s->arena, sizeof *edits);
	bool found = false;

	patches_init(edits, s->arena, s->msg);
	for (size_t i = 0; i < s->msg->nfields; i++) {
		const struct field *f = &s->msg->fields[i];
		struct seal seal;

		if (!slice_eq_nocase(f->name, SLICE(SEAL_FIELD)))
			continue;
		patch_delete(edits, i);
		if (!found && seal_read(f->body, s->envelope.queue_id,
		    &s->set->key, s->arena, &seal) == RC_OK) {
			adopt_seal(s, &seal);
			found = true;
		}
	}
	if (!found)
		new_identity(s->seal.identity);
	if (edits->count > 0)
		take_step(s, edits, NULL);
	if (!found) {
		s->seal.queue_id = s->envelope.queue_id;
		s->seal.client = s->origin;
	}
}

static void
add_findings(struct session *s, const char *filter, const struct plan *plan)
{
	size_t n = s->seal.nfindings;
	struct finding *all;

	for (const struct plan_pair *f = plan->findings; f != NULL;
	    f = f->next)
		n++;
	if (n == s->seal.nfindings)
		return;
	all = arena_array(s->arena, n, sizeof *all);
	n = s->seal.nfindings;
	if (n > 0)
		memcpy(all, s->seal.findings, n * sizeof *all);
	for (const struct plan_pair *f = plan->findings; f != NULL;
	    f = f->next)
		all[n++] = (struct finding){ slice_of(filter),
		    slice_of(f->key), f->value };
	s->seal.findings = all;
	s->seal.nfindings = n;
}

static void
note_envelope(struct session *s, const struct plan *plan)
{
	struct plan_address **last = &s->seal.addresses;

	if (plan->sender.ptr != NULL)
		s->seal.sender = plan->sender;
	while (*last != NULL)
		last = &(*last)->next;
	*last = plan->addresses;
	change_envelope(s, plan->sender, plan->addresses);
}

static bool
close_seal(struct session *s)
{
	struct patches *edits;
	struct slice body;

	if (last_of_chain(s))
		return true;
	if (seal_write(&s->seal, &s->set->key, s->arena, &body) != RC_OK)
		return false;
	edits = arena_alloc(s->arena, sizeof *edits);
	patches_init(edits, s->arena, s->msg);
	return patch_insert(edits, SLICE(SEAL_FIELD), body) &&
	    take_step(s, edits, NULL);
}

/* A filter may only do what its table says. */
static const char *
breach_of(const struct session *s, const struct filter *filter,
    const struct plan *plan)
{
	if (plan->edits.head && !(filter->needs & EDITS_HEADERS))
		return "edits header fields without EDITS_HEADERS";
	if (plan->edits.body && !(filter->needs & EDITS_BODY))
		return "edits the body without EDITS_BODY";
	if (plan->edits.body && s->body_left)
		return "edits a body that it did not want";
	if ((plan->sender.ptr != NULL || plan->addresses != NULL) &&
	    !(filter->needs & EDITS_ENVELOPE))
		return "edits the envelope without EDITS_ENVELOPE";
	return NULL;
}

/*
 * A milter has one answer for all recipients. Where they differ the message
 * is held as a whole: nothing is lost, nobody gets what was held for him.
 */
static struct verdict
one_verdict(const struct session *s, const struct plan *plan)
{
	struct verdict first;

	if (plan->recipients == NULL || s->envelope.nrecipients == 0)
		return plan->all;
	first = *plan_verdict(plan, 0);
	for (size_t i = 1; i < s->envelope.nrecipients; i++) {
		const struct verdict *v = plan_verdict(plan, i);

		if (v->action == first.action)
			continue;
		if (v->action == TEMPFAIL || first.action == TEMPFAIL)
			return v->action == TEMPFAIL ? *v : first;
		return (struct verdict){ QUARANTINE, "mixed",
		    arena_printf(s->arena, "recipients differ: %s (%.*s), "
		    "%s (%.*s)", first.rule, SLICE_ARG(first.reason), v->rule,
		    SLICE_ARG(v->reason)), SLICE("") };
	}
	return first;
}

struct outcome {
	struct envelope envelope;	/* as the filter found it */
	struct plan *plan;
	struct verdict verdict;
	int64_t us;
};

static struct plan *
ask_and_decide(struct session *s, const struct filter *filter,
    struct job *job)
{
	struct slice why = SLICE("");
	struct plan *plan;
	const char *breach;

	if (filter->ask != NULL && filter->ask(job, &why) != RC_OK)
		return plan_for_trouble(s->arena, job->msg, why);
	plan = filter->decide(job);
	breach = breach_of(s, filter, plan);
	if (breach != NULL)
		return plan_for_trouble(s->arena, job->msg, slice_of(breach));
	return plan;
}

static void
run_filter(struct session *s, size_t i, struct outcome *out)
{
	const struct filter *filter = s->set->instances[i].filter;
	struct job *job = &s->jobs[i];
	int64_t began = clock_mono_us();

	out->envelope = s->envelope;
	job->envelope = &out->envelope;
	job->msg = s->msg;
	job->findings = s->seal.findings;
	job->nfindings = s->seal.nfindings;
	job->direction = s->seal.direction;
	job->deadline = s->deadline;
	memcpy(job->identity, s->seal.identity, sizeof job->identity);
	out->plan = ask_and_decide(s, filter, job);
	out->verdict = one_verdict(s, out->plan);
	out->us = clock_mono_us() - began;
	add_findings(s, filter->name, out->plan);
	note_envelope(s, out->plan);
	if (plan_edits(out->plan) &&
	    !take_step(s, &out->plan->edits, out->plan)) {
		out->plan = plan_for_trouble(s->arena, s->msg,
		    slice_of(gather_trouble(&s->gather)));
		out->verdict = out->plan->all;
	}
}

/* The message goes on, or stays where a person can let it go. */
static bool
kept(enum action action)
{
	return action == ACCEPT || action == QUARANTINE;
}

static struct verdict
trouble(struct session *s, const char *why)
{
	return plan_for_trouble(s->arena, s->msg, slice_of(why))->all;
}

/* Everything is decided: what stands against sending it? */
static const char *
obstacle(struct session *s, enum action action)
{
	uint64_t max = s->set->house.message_size_limit;

	/* Nobody behind us would take the seal off a message that is held. */
	if (action == ACCEPT && !close_seal(s))
		return "findings do not fit into the seal";
	if (s->body_changed && max > 0 &&
	    message_size(s->msg) + OVERHEAD > max)
		return "the edited message would pass message_size_limit";
	return NULL;
}

/*
 * The verdict that counts for the whole message. Only an accept has the next
 * filter look: Postfix shows a message to no further milter after any other
 * answer, a hold included, and filters hosted together are to do the same.
 */
static struct verdict
decide(struct session *s, struct outcome *outs, size_t *done_r)
{
	struct verdict verdict = { ACCEPT, "none", SLICE(""), SLICE("") };
	size_t n = s->set->ninstances;

	for (*done_r = 0; *done_r < n && verdict.action == ACCEPT; ) {
		struct outcome *out = &outs[*done_r];

		run_filter(s, *done_r, out);
		++*done_r;
		verdict = out->verdict;
	}
	return verdict;
}

/* Of the whole message; 0 when nobody wanted the body. */
static uint64_t
size_seen(const struct session *s)
{
	return (s->set->needs & NEED_BODY) && !s->body_left ?
	    s->gather.head.len + s->gather.body_len : 0;
}

static void
tell(struct session *s, const struct report *r)
{
	if (s->host->witness != NULL)
		s->host->witness(s->host->witness_arg, r);
	else
		report_message(r, s->host->journal);
}

static void
report(struct session *s, const struct outcome *outs, size_t done,
    const struct verdict *applied)
{
	for (size_t i = 0; i < done; i++) {
		struct report r = {
			.job = &s->jobs[i], .plan = outs[i].plan,
			.applied = &outs[i].verdict, .chain = s->host->chain,
			.us = outs[i].us, .size = size_seen(s),
		};

		/* What came of it, where that is not what it decided. */
		if (applied->action == TEMPFAIL)
			r.applied = applied;
		tell(s, &r);
	}
}

static enum answer
commit_and_apply(struct session *s)
{
	struct outcome *outs = arena_array(s->arena, s->set->ninstances,
	    sizeof *outs);
	const char *against = NULL;
	struct verdict verdict;
	enum answer answer;
	size_t done;

	open_seal(s);
	verdict = decide(s, outs, &done);
	if (kept(verdict.action)) {
		against = obstacle(s, verdict.action);
		if (against == NULL && deadline_left(s->deadline) == 0)
			against = "deadline passed";
		if (against == NULL && !apply_edits(s->steps, s->msg,
		    s->body_changed, s->arena, s->ops, s->ctx))
			against = "an edit did not reach Postfix";
		if (against != NULL)
			verdict = trouble(s, against);
	}
	answer = apply_answer(&verdict, s->arena, s->ops, s->ctx);
	report(s, outs, done, &verdict);
	return answer;
}

/* There was no decision: the line still says what became of the message. */
static enum answer
answer_without_filters(struct session *s, const struct verdict *verdict)
{
	struct report r = {
		.job = &s->jobs[0], .applied = verdict,
		.plan = plan_new(s->arena, s->msg), .chain = s->host->chain,
		.size = size_seen(s),
	};

	new_identity(s->jobs[0].identity);
	tell(s, &r);
	return apply_answer(verdict, s->arena, s->ops, s->ctx);
}

/* What is wrong with the message is for its sender to mend. */
static enum answer
refuse(struct session *s, const char *why)
{
	struct verdict verdict = { REJECT, "header-limits", slice_of(why),
	    arena_printf(s->arena, "5.6.0 refused: %s", why) };

	return answer_without_filters(s, &verdict);
}

/*
 * Only so many fields are read. What stands behind them no filter has seen: a
 * forged result or seal there would go out as if it had been looked at.
 */
static enum answer
answer_whole(struct session *s)
{
	if (s->msg->flags & MSG_LIMIT_FIELDS)
		return refuse(s, "too many header fields");
	if (s->msg->flags & MSG_LIMIT_HEADER)
		return refuse(s, "header block too large");
	return commit_and_apply(s);
}

static enum answer
read_and_answer(struct session *s, struct slice head, struct slice body,
    const unsigned char hash[GATHER_HASH])
{
	struct verdict poison = { QUARANTINE, "poison", SLICE("this message "
	    "has crashed the filter three times; it is held unread"),
	    SLICE("") };
	struct verdict busy;
	enum inflight_state state;
	enum answer answer;
	int slot;

	state = inflight_enter(s->host->inflight, hash, s->deadline, &slot);
	if (state == INFLIGHT_BUSY) {
		busy = trouble(s, "no turn for a message that is suspected "
		    "of a crash");
		return answer_without_filters(s, &busy);
	}
	if (state == INFLIGHT_IS_POISON) {
		log_error("%.*s: poison: held without being read; it crashed "
		    "this filter three times",
		    SLICE_ARG(s->envelope.queue_id));
		return answer_without_filters(s, &poison);
	}
	s->msg = arena_alloc(s->arena, sizeof *s->msg);
	message_read(s->msg, s->arena, head, body, NULL);
	answer = answer_whole(s);
	inflight_leave(s->host->inflight, hash, state, slot);
	return answer;
}

enum answer
session_eom(struct session *s)
{
	unsigned char hash[GATHER_HASH];
	struct slice head, body;
	enum answer answer;
	enum rc rc;

	/* End of message without MAIL: nothing is known about it. */
	if (s->set == NULL)
		return ANSWER_TEMPFAIL;
	s->deadline = deadline_in(s->set->milter.deadline);
	s->envelope.queue_id = macro_or_empty(s, s->arena, "i");
	rc = gather_end(&s->gather, &head, &body, hash);
	if (rc == RC_RETRY && s->trouble == NULL)
		s->trouble = gather_trouble(&s->gather);
	if (s->trouble != NULL) {
		struct verdict verdict = trouble(s, s->trouble);

		log_warning("%.*s: %s", SLICE_ARG(s->envelope.queue_id),
		    s->trouble);
		answer = answer_without_filters(s, &verdict);
	} else if (rc == RC_BAD) {
		answer = refuse(s, gather_trouble(&s->gather));
	} else {
		answer = read_and_answer(s, head, body, hash);
	}
	session_reset(s);
	return answer;
}
