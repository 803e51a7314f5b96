#include "filter.h"

#include <stdlib.h>

#include "decide.h"
#include "dkim/key.h"
#include "dkim_opendkim.h"
#include "harvest_early.h"
#include "header_ask.h"
#include "log/log.h"
#include "net/asking.h"
#include "options.h"
#include "spf_ask.h"
#include "spf_name.h"

enum { KEYS = 10000 };			/* parsed ones kept */

/* What all messages share. */
struct auth_shared {
	struct dns *dns;
	struct suffixes *suffixes;	/* dmarc_mode rfc7489 */
	struct dkim_keys *keys;
	struct dkim_opendkim *opendkim;	/* that engine */
	struct harvest_file *harvest;	/* NULL: off, or no daemon */
	struct backscatter backscatter;
	bool surveyed, bounces;		/* wanted by the policy of the load */
};

/* What is set for anybody: job->view. */
static const struct auth_check_needs *
needs_of(const struct job *job)
{
	return job->view;
}

/* Why this mail is not asked about; NULL: it is. */
static const char *
skip(const struct job *job)
{
	const struct auth_check_conf *conf = job->conf;

	if (job->direction == DIRECTION_OUT)
		return "outbound";
	if (job->client->ip.family == 0)
		return "local";
	if (conf_nets_hold(&conf->trusted_networks, &job->client->ip))
		return "trusted";
	return conf->spf == AUTH_NO_SPF && !conf->dkim && !conf->dmarc &&
	    !conf->arc && !conf->iprev && !needs_of(job)->bounces ? "off" :
	    NULL;
}

/* ---- SPF and iprev, at MAIL FROM ---- */

static struct spf_query
query(const struct job *job, bool mail)
{
	const struct auth_check_conf *conf = job->conf;

	return (struct spf_query){ .ip = job->client->ip,
	    .helo = job->client->helo,
	    .sender = mail ? job->envelope->sender : SLICE(""),
	    .receiver = slice_of(job->house->hostname), .now = job->now,
	    .voids = conf->spf_void_lookups, .ahead = conf->spf_look_ahead,
	    .explain = conf->spf_explanation && (mail ?
	    needs_of(job)->explain_mail : needs_of(job)->explain_helo) };
}

static void
free_spf(void *arg)
{
	spf_ask_free(arg);
}

/* An empty MAIL FROM is judged by HELO: then that is the one question, and
 * it counts as MAIL FROM (RFC 7208, 2.4). */
static void
begin_spf(struct job *job, struct auth_answers *seen)
{
	const struct auth_check_conf *conf = job->conf;
	struct spf_query queries[SPF_ASK_MAX];
	size_t n = 0;

	if (conf->spf == AUTH_NO_SPF)
		return;
	seen->mail = conf->spf != AUTH_HELO || job->envelope->sender.len == 0;
	seen->helo = conf->spf != AUTH_MAIL_FROM &&
	    job->envelope->sender.len > 0;
	if (seen->mail)
		queries[n++] = query(job, true);
	if (seen->helo)
		queries[n++] = query(job, false);
	seen->ask = spf_ask_start(job->budget, queries, n,
	    (enum spf_engine)conf->spf_engine);
	arena_defer(job->arena, free_spf, seen->ask);
}

/* The resolver's thread may run it; job and client stay until it is freed. */
struct address_check {
	struct ip ip;
	struct slice likely;
	struct iprev_answer *answer_r;
};

static bool
run_iprev(struct arena *scratch, struct arena *keep, asking_lookup *lookup,
    void *arg, void *state)
{
	struct address_check *c = state;
	struct iprev_answer answer;

	iprev_check(scratch, &c->ip, c->likely, lookup, arg, &answer);
	if (answer.result == IPREV_PENDING)
		return false;
	answer.name = arena_copy(keep, answer.name);
	answer.reason = arena_copy(keep, answer.reason);
	*c->answer_r = answer;
	return true;
}

static void
free_asking(void *arg)
{
	asking_free(arg);
}

static void
begin_iprev(struct job *job, struct auth_answers *seen)
{
	const struct auth_check_conf *conf = job->conf;
	struct address_check *c;

	seen->iprev = conf->iprev;
	if (!conf->iprev)
		return;
	c = arena_alloc(job->arena, sizeof *c);
	c->ip = job->client->ip;
	c->likely = job->client->name;
	c->answer_r = &seen->name;
	seen->address = asking_new(job->budget, IPREV_QUESTIONS);
	arena_defer(job->arena, free_asking, seen->address);
	asking_add(seen->address, run_iprev, c);
}

static void
begin(struct job *job)
{
	const struct auth_check_conf *conf = job->conf;
	struct auth_answers *seen = arena_alloc(job->arena, sizeof *seen);

	job->answers = seen;
	seen->skipped = skip(job);
	if (seen->skipped != NULL)
		return;
	seen->dkim = conf->dkim;
	seen->dmarc = conf->dmarc;
	seen->arc = conf->arc;
	seen->until = deadline_in(conf->spf_timeout);
	begin_spf(job, seen);
	begin_iprev(job, seen);
}

/* ---- the header block ---- */

static void
free_header(void *arg)
{
	header_ask_free(arg);
}

/* The domain that SPF may vouch for: of MAIL FROM, or HELO's without one. */
static struct slice
spf_scope(const struct job *job)
{
	const struct auth_answers *seen = job->answers;
	struct spf_query q = query(job, true);
	struct slice local, domain;

	if (!seen->mail || !spf_identity(job->arena, &q, &local, &domain))
		return SLICE_NONE;
	return domain;
}

static struct header_ask *
header_of(struct job *job)
{
	struct auth_answers *seen = job->answers;
	const struct auth_shared *shared = job->shared;

	if (seen->header == NULL) {
		seen->header = header_ask_new(job, shared->dns,
		    shared->suffixes, spf_scope(job));
		arena_defer(job->arena, free_header, seen->header);
	}
	return seen->header;
}

static bool
asks_header(const struct auth_answers *seen)
{
	return seen->skipped == NULL &&
	    (seen->dkim || seen->dmarc || seen->arc);
}

/* Does a hash of the body belong to this field? */
static bool
hashes_body(const struct auth_answers *seen, struct slice name)
{
	return (seen->dkim && slice_eq_nocase(name, SLICE("DKIM-Signature"))) ||
	    (seen->arc && slice_starts_nocase(name, SLICE("ARC-")));
}

static void
field(struct job *job, struct slice name, struct slice body)
{
	struct auth_answers *seen = job->answers;

	if (!asks_header(seen))
		return;
	seen->hashes = seen->hashes || hashes_body(seen, name);
	header_ask_field(header_of(job), name, body);
}

/* No signature, no chain, no bounce: no body. */
static bool
wants_body(const struct job *job)
{
	const struct auth_answers *seen = job->answers;

	return seen->hashes || (seen->skipped == NULL &&
	    needs_of(job)->bounces &&
	    bounce_possible(job->envelope->sender));
}

/* ---- the whole message ---- */

static void
wait_spf(const struct job *job, struct auth_answers *seen)
{
	struct spf_answer answers[SPF_ASK_MAX];
	size_t n = 0;

	if (seen->ask == NULL)
		return;
	seen->waited_spf = spf_ask_wait(seen->ask,
	    deadline_earlier(seen->until, job->deadline), job->arena, answers);
	seen->waited += seen->waited_spf;
	if (seen->mail)
		seen->mail_answer = answers[n++];
	if (seen->helo)
		seen->helo_answer = answers[n++];
}

static void
verify(struct job *job, struct auth_answers *seen,
    const struct dkim_limits *limits)
{
	const struct auth_shared *shared = job->shared;
	struct dkim_bodies *bodies = dkim_bodies_new(job->arena, job->msg);

	if (shared->opendkim != NULL) {
		dkim_opendkim_verify(job->arena, shared->opendkim, job->msg,
		    seen->signatures, seen->nsignatures, header_ask_key,
		    seen->header, limits);
	} else {
		for (size_t i = 0; i < seen->nsignatures; i++) {
			struct dkim_signature *sig = &seen->signatures[i];
			struct slice name = SLICE_NONE;

			if (sig->result == DKIM_NONE &&
			    dkim_key_name(job->arena, sig, &name))
				dkim_verify(job->arena, sig, job->msg, bodies,
				    header_ask_key(seen->header, name),
				    shared->keys, limits);
		}
	}
	if (seen->arc)
		arc_validate(job->arena, &seen->chain, job->msg, bodies,
		    header_ask_key, seen->header, shared->keys, limits);
}

/* What vouches for the mail, or would if DNS had answered. */
static void
identifiers(const struct job *job, const struct auth_answers *seen,
    struct dmarc_query *q)
{
	struct dmarc_identifier *dkim = arena_array(job->arena,
	    seen->nsignatures + 1, sizeof *dkim);
	enum spf_result spf = seen->mail_answer.result;

	if (seen->mail && (spf == SPF_PASS || spf == SPF_TEMPERROR))
		q->spf = (struct dmarc_identifier){ seen->mail_answer.domain,
		    spf == SPF_TEMPERROR };
	q->dkim = dkim;
	for (size_t i = 0; i < seen->nsignatures; i++) {
		const struct dkim_signature *sig = &seen->signatures[i];

		if (sig->result == DKIM_PASS || sig->result == DKIM_TEMPERROR)
			dkim[q->ndkim++] = (struct dmarc_identifier){
			    sig->domain, sig->result == DKIM_TEMPERROR };
	}
}

/* 0 to 99, the same for one message (RFC 7489, pct). */
static unsigned
sample(const struct job *job)
{
	unsigned n = 0;

	for (size_t i = 0; i < 6; i++)
		n = n * 16 + (unsigned)ascii_hex(job->identity[i]);
	return n % 100;
}

static void
ask_policy(struct job *job, struct auth_answers *seen)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_shared *shared = job->shared;
	struct dmarc_query q = {
	    .mode = (enum dmarc_mode)conf->dmarc_mode,
	    .suffixes = shared->suffixes, .sample = sample(job) };

	identifiers(job, seen, &q);
	from_read(job->arena, job->msg->head, &seen->from);
	seen->waited += header_ask_policy(seen->header, &q, &seen->from,
	    job->deadline, &seen->policy);
}

static enum rc
ask(struct job *job, struct slice *why_r)
{
	const struct auth_check_conf *conf = job->conf;
	struct auth_answers *seen = job->answers;
	struct dkim_limits limits = auth_check_limits(conf, job->now);
	const struct auth_shared *shared = job->shared;
	struct header_ask *h;

	if (job->direction == DIRECTION_OUT)
		seen->sent_proof = backscatter_out(job, &shared->backscatter);
	if (seen->skipped != NULL)
		return RC_OK;
	if (asks_header(seen)) {
		h = header_of(job);
		if (seen->dkim && seen->hashes)
			seen->nsignatures = dkim_signatures(job->arena,
			    job->msg, &limits, &seen->signatures);
		if (seen->arc && seen->hashes)
			arc_read(job->arena, job->msg, &limits, &seen->chain);
		header_ask_message(h, job->msg, seen->signatures,
		    seen->nsignatures, &seen->chain);
	}
	/* All of it is under way: these wait for the slowest, not in turn. */
	wait_spf(job, seen);
	if (seen->header != NULL) {
		seen->waited += header_ask_wait(seen->header, job->deadline);
		if (seen->hashes)
			verify(job, seen, &limits);
	}
	if (seen->dmarc)
		ask_policy(job, seen);
	if (seen->address != NULL)
		seen->waited += asking_wait(seen->address, job->deadline);
	seen->bounce = backscatter_in(job, &shared->backscatter, &seen->proof);
	seen->backscatter = seen->bounce != NULL &&
	    seen->bounce->kind == BOUNCE_DSN;
	return decide_resolve(job, why_r);
}

/* ---- the process ---- */

static void
close_shared(void *arg)
{
	struct auth_shared *shared = arg;

	suffixes_close(shared->suffixes);
	dkim_keys_free(shared->keys);
	dkim_opendkim_close(shared->opendkim);
	harvest_drop(shared->harvest);
	ndr_sent_drop(shared->backscatter.sent);
	free(shared);
}

static enum rc
open_shared(const void *arg, const struct house_conf *house, struct dns *dns,
    void **shared_r, struct arena *a, struct slice *why_r)
{
	const struct auth_check_conf *conf = arg;
	struct auth_shared *shared = mem_alloc(sizeof *shared);

	(void)house;
	*shared = (struct auth_shared){ .dns = dns,
	    .keys = dkim_keys_new(KEYS) };
	*shared_r = shared;		/* given back by close in any case */
	if (conf->dmarc && conf->dmarc_mode == DMARC_RFC7489) {
		shared->suffixes = suffixes_open(conf->psl_file, a, why_r);
		if (shared->suffixes == NULL)
			return RC_BAD;
	}
	if (conf->dkim && conf->dkim_engine == AUTH_ENGINE_OPENDKIM) {
		shared->opendkim = dkim_opendkim_open();
		*why_r = SLICE("libopendkim does not start");
		if (shared->opendkim == NULL)
			return RC_RETRY;
	}
	return RC_OK;
}

static enum rc
open_state(const void *conf, void *arg, void *arg_before, const char *dir,
    struct arena *a, struct slice *why_r)
{
	struct auth_shared *shared = arg, *before = arg_before;
	enum rc rc = harvest_start(conf,
	    before != NULL ? before->harvest : NULL, dir, &shared->harvest, a,
	    why_r);

	if (rc == RC_OK)
		rc = backscatter_start(conf, shared->bounces,
		    before != NULL ? &before->backscatter : NULL, dir,
		    &shared->backscatter, a, why_r);
	return rc;
}

static unsigned
wants(const void *arg)
{
	const struct auth_check_conf *conf = arg;

	return (conf->dkim || conf->arc ? NEED_BODY : 0) |
	    (conf->harvest ? EARLY : 0);
}

/* The state folder is opened once a load, so bounces that only a later map
 * wants judged have nothing to be judged by until the next. */
static enum rc
survey(const void *conf, void *arg, const struct policy *policy,
    struct survey *s)
{
	struct auth_check_needs *needs = arena_alloc(s->arena, sizeof *needs);
	struct auth_shared *shared = arg;
	enum rc rc = auth_check_needs(conf, policy, needs, &s->why);

	s->view = needs;
	s->needs = needs->bounces ? NEED_BODY : 0;
	if (shared != NULL && !shared->surveyed) {
		shared->bounces = needs->bounces;
		shared->surveyed = true;
	} else if (shared != NULL && needs->bounces && !shared->bounces) {
		log_warning("the policy map wants bounces judged that nobody "
		    "did before: they are, after a reload");
	}
	return rc;
}

/* ---- before there is a message ---- */

static void
on_connect(struct early *e)
{
	harvest_connect(e, ((struct auth_shared *)e->shared)->harvest);
}

static void
on_mail(struct early *e)
{
	harvest_mail(e, ((struct auth_shared *)e->shared)->harvest);
}

static void
on_rcpt(struct early *e)
{
	harvest_rcpt(e, ((struct auth_shared *)e->shared)->harvest);
}

static enum rc
check(const void *conf, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	(void)house;
	return auth_check_finish(conf, a, why_r);
}

const struct filter auth_check_filter = {
	.name = "auth-check",
	.options = auth_check_options,
	.conf_size = sizeof (struct auth_check_conf),
	.needs = NEED_DNS | EDITS_HEADERS | HOLDS,
	.wants = wants,
	.check = check,
	.open = open_shared,
	.survey = survey,
	.close = close_shared,
	.state = open_state,
	.begin = begin,
	.field = field,
	.wants_body = wants_body,
	.ask = ask,
	.decide = auth_check_decide,
	.connect = on_connect,
	.mail = on_mail,
	.rcpt = on_rcpt,
};
