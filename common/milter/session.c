#include "milter/session.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "log/log.h"
#include "milter/hold.h"
#include "milter/report.h"
#include "milter/split.h"

enum {
	RECIPIENTS = 100000,		/* of one message; Postfix stops at 1000 */
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
	s->msg = s->first = NULL;
	s->steps = NULL;
	s->trouble = NULL;
	s->room = 0;
	s->body_changed = s->overran = false;
	s->body_begun = s->body_left = false;
	s->slot = -1;
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
	    .size = s->envelope.size, .recipient = recipient };

	/* The second pass has been let in by the first. */
	if ((set->needs & s->needs & when) == 0 || slice_eq(
	    s->client.daemon_name, SLICE(SPLIT_DAEMON)))
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

void
session_new_identity(char identity[33])
{
	unsigned char bytes[16];

	/* Random bytes are there once the system has started; without them
	 * two messages could share a name, so say it rather than guess. */
	if (RAND_bytes(bytes, sizeof bytes) != 1) {
		log_panic("no random bytes for a message's identity");
		abort();
	}
	hex_write(identity, bytes, sizeof bytes);
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
	job->store = s->set->store;
	job->conf = in->conf;
	job->shared = in->shared;
	job->policy = s->set->policy;
	job->view = in->view;
	job->client = &s->origin;
	job->envelope = &s->envelope;
	job->direction = s->seal.direction;
	job->pass = s->seal.pass;
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

void
session_begin_again(struct session *s)
{
	for (size_t i = 0; i < s->set->ninstances; i++) {
		const struct filter *filter = s->set->instances[i].filter;
		struct job *job = &s->jobs[i];

		if (job->budget != NULL)
			dns_budget_cancel(job->budget);
		memset(job, 0, sizeof *job);
		begin_job(s, &s->set->instances[i], job);
		for (size_t f = 0; filter->field != NULL &&
		    f < s->msg->nfields; f++)
			filter->field(job, s->msg->fields[f].name,
			    s->msg->fields[f].body);
	}
}

static bool
has_parameter(const char *const *argv, struct slice want)
{
	for (argv++; *argv != NULL; argv++)
		if (slice_eq_nocase(slice_of(*argv), want))
			return true;
	return false;
}

/* The number of SIZE= (RFC 1870); what is none, or too long, says nothing. */
static uint64_t
size_parameter(const char *const *argv)
{
	uint64_t size = 0;

	for (argv++; *argv != NULL; argv++) {
		struct slice word = slice_of(*argv);

		if (slice_starts_nocase(word, SLICE("SIZE=")) &&
		    !slice_number(slice_after(word, 5), INT64_MAX, &size))
			size = 0;
	}
	return size;
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
	s->envelope.body8 = argv[0] != NULL &&
	    has_parameter(argv, SLICE("BODY=8BITMIME"));
	s->envelope.size = argv[0] != NULL ? size_parameter(argv) : 0;
	s->envelope.queue_id = macro_or_empty(s, s->arena, "i");
	s->seal.time = clock_wall();
	s->seal.pass = split_listener(s) ? 2 : 1;
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

void
session_add_recipient(struct session *s, const struct recipient *recipient)
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
		session_add_recipient(s, &r);
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
	/* What may be held must be there. */
	if (hold_in_store(s))
		return true;
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

struct verdict
session_trouble(struct session *s, const char *why)
{
	return plan_for_trouble(s->arena, s->msg, slice_of(why))->all;
}

bool
session_has_body(const struct session *s)
{
	return (s->set->needs & NEED_BODY) != 0 && !s->body_left;
}

uint64_t
session_size(const struct session *s)
{
	return session_has_body(s) ?
	    s->gather.head.len + s->gather.body_len : 0;
}

void
session_tell(struct session *s, const struct report *r)
{
	if (s->host->witness != NULL)
		s->host->witness(s->host->witness_arg, r);
	else
		report_message(r, s->host->journal);
}

/* There was no decision: the line still says what became of the message. */
static enum answer
answer_without_filters(struct session *s, const struct verdict *verdict,
    const struct held *held)
{
	struct report r = {
		.job = &s->jobs[0], .applied = verdict,
		.plan = plan_new(s->arena, s->msg), .chain = s->host->chain,
		.size = session_size(s), .held = held,
	};

	if (s->seal.identity[0] == '\0')
		session_new_identity(s->seal.identity);
	memcpy(s->jobs[0].identity, s->seal.identity,
	    sizeof s->jobs[0].identity);
	session_tell(s, &r);
	if (held != NULL)
		return ANSWER_HELD;
	return apply_answer(verdict, s->arena, s->ops, s->ctx);
}

/* What is wrong with the message is for its sender to mend. */
static enum answer
refuse(struct session *s, const char *why)
{
	struct verdict verdict = { .action = REJECT, .rule = "header-limits",
	    .reason = slice_of(why),
	    .reply = arena_printf(s->arena, "5.6.0 refused: %s", why) };

	return answer_without_filters(s, &verdict, NULL);
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
	return course_run(s);
}

static enum answer
defer(struct session *s, const char *why)
{
	struct verdict verdict = session_trouble(s, why);

	return answer_without_filters(s, &verdict, NULL);
}

/* Where nobody looks, its origin is who brings it. */
static enum answer
answer_poison(struct session *s, struct slice head, struct slice body)
{
	struct verdict poison = { .action = QUARANTINE, .rule = "poison",
	    .reason = SLICE("this message has crashed the filter, or kept it "
	    "past its deadline, three times; it is held unread"),
	    .cause = CAUSE_POISON };
	struct held *held = NULL;
	const char *why;

	log_error("%.*s: poison: held without being read; it has crashed or "
	    "stopped this filter three times",
	    SLICE_ARG(s->envelope.queue_id));
	session_new_identity(s->seal.identity);
	if (!hold_in_store(s))
		return answer_without_filters(s, &poison, NULL);
	why = hold_unread(s, &poison, head, body, &held);
	if (why == NULL)
		return answer_without_filters(s, &poison, held);
	log_warning("%.*s: %s", SLICE_ARG(s->envelope.queue_id), why);
	return defer(s, why);
}

static enum answer
read_and_answer(struct session *s, struct slice head, struct slice body)
{
	struct inflight *table = s->host->inflight;
	enum inflight_state state;
	enum answer answer;

	state = inflight_enter(table, s->hash, s->envelope.queue_id,
	    s->deadline, &s->slot);
	if (state == INFLIGHT_BUSY)
		return defer(s, "no turn for a message that is suspected of "
		    "a crash");
	if (state == INFLIGHT_IS_POISON)
		return answer_poison(s, head, body);
	s->msg = arena_alloc(s->arena, sizeof *s->msg);
	message_read(s->msg, s->arena, head, body, split_listener(s) ?
	    &course_limits : NULL);
	answer = answer_whole(s);
	inflight_leave(table, s->hash, state, s->slot, s->overran);
	return answer;
}

enum answer
session_eom(struct session *s)
{
	struct slice head, body;
	enum answer answer;
	enum rc rc;

	/* End of message without MAIL: nothing is known about it. */
	if (s->set == NULL)
		return ANSWER_TEMPFAIL;
	s->deadline = deadline_in(s->set->milter.deadline);
	s->envelope.queue_id = macro_or_empty(s, s->arena, "i");
	rc = gather_end(&s->gather, &head, &body, s->hash);
	if (rc == RC_RETRY && s->trouble == NULL)
		s->trouble = gather_trouble(&s->gather);
	if (s->trouble != NULL) {
		log_warning("%.*s: %s", SLICE_ARG(s->envelope.queue_id),
		    s->trouble);
		answer = defer(s, s->trouble);
	} else if (rc == RC_BAD) {
		answer = refuse(s, gather_trouble(&s->gather));
	} else {
		answer = read_and_answer(s, head, body);
	}
	session_reset(s);
	return answer;
}
