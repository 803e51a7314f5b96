#include "dmarc.h"

#include "text/address.h"

#include "dmarc_walk.h"
#include "spf_name.h"

/* What the parts of an evaluation say. */
enum step { NO, YES, WAIT, TEMP };

struct eval {
	struct walk_resolver resolver;
	const struct dmarc_query *query;
	struct dmarc_answer *answer;
	struct walk walk;		/* up from the author domain */
	bool walked;
	size_t walks;			/* of identifiers */
	struct slice problem;		/* the first, in plain words */
};

const char *
dmarc_result_name(enum dmarc_result result)
{
	static const char *const names[] = { "none", "pass", "fail",
	    "temperror", "permerror", "pending" };

	return names[result];
}

const char *
dmarc_source_name(enum dmarc_source source)
{
	static const char *const names[] = { "p", "sp", "np" };

	return names[source];
}

const char *
dmarc_override_name(enum dmarc_override override)
{
	static const char *const names[] = { NULL, "policy_test_mode",
	    "sampled_out", "trusted_forwarder", "mailing_list",
	    "local_policy", "other" };

	return names[override];
}

static enum step
step_of(enum walk_state state)
{
	return state == WALK_WAIT ? WAIT : state == WALK_TEMP ? TEMP : YES;
}

static void
silence(struct eval *e, const char *what, struct slice domain)
{
	if (e->problem.ptr == NULL)
		e->problem = arena_printf(e->resolver.arena,
		    "DNS did not say %s%.*s", what, SLICE_ARG(domain));
}

/* Walks up from the author domain, once. */
static enum step
author_walk(struct eval *e)
{
	if (!e->walked)
		walk_up(&e->resolver, e->query->domain, &e->walk);
	e->walked = true;
	if (e->walk.state == WALK_TEMP)
		silence(e, "the DMARC record of ", e->walk.failed);
	return step_of(e->walk.state);
}

static struct slice
list_org(const struct suffixes *list, struct slice domain)
{
	struct slice org = suffixes_org(list, domain);

	return org.ptr != NULL ? org : domain;
}

static enum step
author_org(struct eval *e, struct slice *org_r)
{
	enum step step = YES;

	if (e->query->mode == DMARC_RFC7489) {
		*org_r = list_org(e->query->suffixes, e->query->domain);
	} else {
		step = author_walk(e);
		*org_r = step == YES ? walk_organization(&e->walk) :
		    SLICE_NONE;
	}
	e->answer->organization = *org_r;
	return step;
}

/* The organizational domain of an identifier that lies below that of the
 * author. */
static enum step
identifier_org(struct eval *e, struct slice domain, struct slice *org_r)
{
	struct walk walk;

	*org_r = SLICE_NONE;
	if (e->query->mode == DMARC_RFC7489) {
		*org_r = list_org(e->query->suffixes, domain);
		return YES;
	}
	if (++e->walks > DMARC_IDENTIFIERS)
		return NO;
	walk_up(&e->resolver, domain, &walk);
	if (walk.state == WALK_TEMP)
		silence(e, "the DMARC record of ", walk.failed);
	*org_r = walk_organization(&walk);
	return step_of(walk.state);
}

/* 4.4, 4.10.2. The author's organization is known, or alignment is strict. */
static enum step
aligns(struct eval *e, struct slice domain, bool strict)
{
	struct slice mine, other;
	enum step step;

	if (slice_eq(domain, e->query->domain))
		return YES;
	if (strict || walk_common(domain, e->query->domain) == 0)
		return NO;
	step = author_org(e, &mine);
	if (step == YES && !walk_within(domain, mine))
		return NO;
	/* Two labels in common: likely, so its questions go out as well. */
	if (step == WAIT && walk_common(domain, e->query->domain) > 1)
		identifier_org(e, domain, &other);
	if (step != YES)
		return step;
	step = identifier_org(e, domain, &other);
	return step != YES ? step : slice_eq(mine, other) ? YES : NO;
}

/* An identifier as the caller gives it. */
static enum step
check_identifier(struct eval *e, const struct dmarc_identifier *id,
    bool strict, const char *method, struct slice *domain_r)
{
	enum step step;

	if (!domain_ascii(e->resolver.arena, id->domain, domain_r))
		return NO;
	step = aligns(e, *domain_r, strict);
	if (step == YES && id->temporary) {
		silence(e, method, *domain_r);
		return TEMP;
	}
	return step;
}

static enum step
check_signer(struct eval *e, size_t i, bool strict, struct slice *domain_r)
{
	return check_identifier(e, &e->query->dkim[i], strict, "the key of ",
	    domain_r);
}

/* The first one that aligns, in their order whatever comes first from DNS. */
static enum step
check_dkim(struct eval *e, bool strict)
{
	struct slice *found = &e->answer->dkim_domain;
	size_t n = e->query->ndkim;
	enum step step, all = NO;

	/* The author domain itself needs no walk. */
	for (size_t i = 0; i < n; i++)
		if (check_signer(e, i, true, found) == YES)
			return YES;
	for (size_t i = 0; i < n; i++) {
		step = check_signer(e, i, strict, found);
		if (step == YES && all != WAIT)
			return YES;
		/* To wait is more than not to know, for it ends. */
		if (step == WAIT || (step == TEMP && all == NO))
			all = step;
	}
	*found = SLICE_NONE;
	return all;
}

static bool
differs(struct eval *e)
{
	const struct dmarc_record *r = &e->answer->record;

	return e->query->mode == DMARC_RFC9989 && r->np != r->sp;
}

/* 3.2.13: NXDOMAIN for the domain itself. What stands below it, or might,
 * proves that it is there (RFC 8020). */
static enum step
author_exists(struct eval *e)
{
	const struct walk_step *first = &e->walk.steps[0];
	struct dns_answer answer;

	if (e->walked && first->state == WALK_DONE &&
	    first->status != DNS_NXDOMAIN)
		return YES;
	if (!e->resolver.lookup(e->resolver.arg, e->query->domain, DNS_A,
	    &answer))
		return WAIT;
	if (answer.status == DNS_NXDOMAIN)
		return NO;
	if (answer.status == DNS_OK || answer.status == DNS_NODATA)
		return YES;
	silence(e, "whether there is ", e->query->domain);
	return TEMP;
}

static void
take_record(struct eval *e, const struct walk_step *step)
{
	e->answer->found = true;
	e->answer->record_domain = step->domain;
	e->answer->record = step->record;
}

/* NO with a rule: DMARC does not apply. */
static enum step
no_record(struct eval *e, const struct walk_step *own)
{
	bool several = own->records > 1;

	e->answer->result = several ? DMARC_PERMERROR : DMARC_NONE;
	e->answer->rule = several ? "several-records" : "no-record";
	return NO;
}

/* 4.10.1: of the author domain, its organization, its public suffix. */
static enum step
discover_by_walk(struct eval *e, const struct walk_step *own)
{
	const struct walk_step *found;
	struct slice org;
	enum step step = author_org(e, &org);

	if (step != YES)
		return step;
	found = walk_find(&e->walk, org);
	if (found == NULL)
		found = walk_suffix(&e->walk);
	if (found == NULL)
		return no_record(e, own);
	take_record(e, found);
	return YES;
}

/* RFC 7489, 6.6.3: several records end it. */
static enum step
discover_by_list(struct eval *e, const struct walk_step *own)
{
	struct walk_step step;
	struct slice org;

	author_org(e, &org);
	e->answer->by_list = true;
	if (own->records > 1 || slice_eq(org, e->query->domain))
		return no_record(e, own);
	walk_ask(&e->resolver, org, &step);
	if (step.state == WALK_TEMP)
		silence(e, "the DMARC record of ", org);
	if (step.state != WALK_DONE)
		return step_of(step.state);
	if (step.records != 1)
		return no_record(e, &step);
	take_record(e, &step);
	return YES;
}

static enum step
discover(struct eval *e)
{
	bool walk = e->query->mode == DMARC_RFC9989;
	struct walk_step own;

	e->answer->by_list = !walk;
	walk_ask(&e->resolver, e->query->domain, &own);
	if (own.state == WALK_TEMP) {
		silence(e, "the DMARC record of ", own.domain);
		return TEMP;
	}
	if (own.records == 1) {
		take_record(e, &own);
		return YES;
	}
	if (own.state == WALK_WAIT) {
		/* Its answer may send us on: ask for all of that now. */
		if (walk)
			author_walk(e);
		else
			discover_by_list(e, &own);
		return WAIT;
	}
	return walk ? discover_by_walk(e, &own) : discover_by_list(e, &own);
}

/* What the owner wants for this author domain: p or sp. */
static void
take_policy(struct eval *e)
{
	struct dmarc_answer *r = e->answer;

	if (slice_eq(r->record_domain, r->domain)) {
		r->published = r->record.p;
		return;
	}
	r->published = r->record.sp;
	r->source = r->record.has_sp ? DMARC_FROM_SP : DMARC_FROM_P;
}

/* Or np, when the domain does not exist: for a fail only, since it may cost a
 * question. */
static enum step
take_np(struct eval *e)
{
	struct dmarc_answer *r = e->answer;
	enum step exists;

	if (slice_eq(r->record_domain, r->domain) || !differs(e))
		return YES;
	exists = author_exists(e);
	if (exists != NO)
		return exists;
	r->exists = false;
	r->published = r->record.np;
	r->source = DMARC_FROM_NP;
	return YES;
}

/* 4.7, t; RFC 7489, 6.6.4: one step less. */
static void
apply_policy(struct eval *e)
{
	struct dmarc_answer *r = e->answer;
	bool test = e->query->mode == DMARC_RFC9989 && r->record.testing;
	bool out = e->query->mode == DMARC_RFC7489 &&
	    e->query->sample >= r->record.pct;

	r->policy = r->published;
	if (r->policy == DMARC_NO_POLICY || (!test && !out))
		return;
	r->policy = r->policy == DMARC_REJECT ? DMARC_QUARANTINE :
	    DMARC_NO_POLICY;
	r->override = test ? DMARC_TEST_MODE : DMARC_SAMPLED_OUT;
}

/* RFC 9989, 5.3.5. Both methods are looked at: reports name both. */
static enum step
check_identifiers(struct eval *e)
{
	struct dmarc_answer *r = e->answer;
	struct slice domain;
	enum step spf = NO, dkim;

	if (e->query->spf.domain.len > 0)
		spf = check_identifier(e, &e->query->spf,
		    r->record.strict_spf, "the SPF record of ", &domain);
	dkim = check_dkim(e, r->record.strict_dkim);
	if (spf == WAIT || dkim == WAIT)
		return WAIT;
	r->spf_aligned = spf == YES;
	r->dkim_aligned = dkim == YES;
	if (spf == YES || dkim == YES)
		return YES;
	return spf == TEMP || dkim == TEMP ? TEMP : NO;
}

static enum dmarc_result
undecided(struct eval *e, enum step step)
{
	e->answer->rule = step == WAIT ? "pending" : "dns";
	return step == WAIT ? DMARC_PENDING : DMARC_TEMPERROR;
}

/* There is a record, and it can be used. */
static enum dmarc_result
apply_record(struct eval *e)
{
	struct dmarc_answer *r = e->answer;
	enum step step, np;

	take_policy(e);
	step = check_identifiers(e);
	if (step == YES) {
		r->rule = r->dkim_aligned ? "dkim" : "spf";
		return DMARC_PASS;
	}
	np = take_np(e);
	if (step == WAIT || np == WAIT)
		return undecided(e, WAIT);
	if (step == TEMP || np == TEMP)
		return undecided(e, TEMP);
	r->rule = "unaligned";
	apply_policy(e);
	return DMARC_FAIL;
}

static enum dmarc_result
evaluate(struct eval *e)
{
	struct dmarc_answer *r = e->answer;
	enum step step = discover(e);

	if (step == WAIT) {
		/* What may be wanted next is asked for in the same round. */
		check_identifiers(e);
		if (e->query->mode == DMARC_RFC9989)
			author_exists(e);
	}
	if (step == WAIT || step == TEMP)
		return undecided(e, step);
	if (step == NO)
		return r->result;
	if (!dmarc_record_settle(&r->record, e->query->mode)) {
		r->rule = "bad-record";
		return DMARC_PERMERROR;
	}
	return apply_record(e);
}

static struct slice
reason_for_fail(struct arena *a, const struct dmarc_answer *r)
{
	return arena_printf(a, "neither SPF nor DKIM vouches for %.*s "
	    "(%s=%s of %.*s%s)", SLICE_ARG(r->domain),
	    dmarc_source_name(r->source), dmarc_policy_name(r->published),
	    SLICE_ARG(r->record_domain),
	    r->override == DMARC_TEST_MODE ? ", in test mode" :
	    r->override == DMARC_SAMPLED_OUT ? ", not for this message" : "");
}

static struct slice
reason_for_pass(struct arena *a, const struct dmarc_query *q,
    const struct dmarc_answer *r)
{
	bool dkim = r->dkim_aligned;
	struct slice by = dkim ? r->dkim_domain : q->spf.domain;

	return arena_printf(a, "%s of %.*s vouches for %.*s",
	    dkim ? "DKIM" : "SPF", SLICE_ARG(by), SLICE_ARG(r->domain));
}

static struct slice
reason(struct eval *e)
{
	const struct dmarc_answer *r = e->answer;
	struct arena *a = e->resolver.arena;

	switch (r->result) {
	case DMARC_PASS:
		return reason_for_pass(a, e->query, r);
	case DMARC_FAIL:
		return reason_for_fail(a, r);
	case DMARC_TEMPERROR:
		return e->problem;
	case DMARC_PENDING:
		return SLICE("DNS has not answered yet");
	default:
		break;
	}
	if (r->found)
		return arena_printf(a, "the DMARC record of %.*s has no valid "
		    "policy and no report address",
		    SLICE_ARG(r->record_domain));
	return arena_printf(a, "%.*s has %s", SLICE_ARG(r->domain),
	    r->result == DMARC_NONE ? "no DMARC record" :
	    "several DMARC records, so none");
}

void
dmarc_check(struct arena *a, const struct dmarc_query *query,
    spf_lookup *lookup, void *arg, struct dmarc_answer *r)
{
	struct eval e = { .resolver = { a, lookup, arg }, .query = query,
	    .answer = r };

	*r = (struct dmarc_answer){ .domain = query->domain, .exists = true };
	if (!spf_askable(query->domain)) {
		r->result = DMARC_PERMERROR;
		r->rule = "bad-domain";
		r->reason = SLICE("the author's domain is no domain");
		return;
	}
	r->result = evaluate(&e);
	r->reason = spf_printable(a, reason(&e), 600);
}

/* Of two answers, the one that says more against the message. */
static bool
stronger(const struct dmarc_answer *a, const struct dmarc_answer *b)
{
	static const int rank[] = { [DMARC_FAIL] = 2, [DMARC_TEMPERROR] = 1,
	    [DMARC_PENDING] = 3 };

	if (rank[a->result] != rank[b->result])
		return rank[a->result] > rank[b->result];
	if (a->policy != b->policy)
		return a->policy > b->policy;
	return a->published > b->published;
}

/* No single author domain: what is the worst that can be said of those that
 * a reader may see? */
static void
check_all(struct arena *a, const struct from *from, struct dmarc_query q,
    spf_lookup *lookup, void *arg, struct dmarc_answer *worst)
{
	struct dmarc_answer answer;

	*worst = (struct dmarc_answer){ .result = DMARC_NONE, .exists = true };
	for (size_t i = 0; i < from->ndomains; i++) {
		q.domain = from->domains[i];
		dmarc_check(a, &q, lookup, arg, &answer);
		if (stronger(&answer, worst))
			*worst = answer;
	}
}

void
dmarc_check_from(struct arena *a, const struct from *from,
    const struct dmarc_query *query, spf_lookup *lookup, void *arg,
    struct dmarc_answer *r)
{
	struct dmarc_query q = *query;

	if (from->state == FROM_ONE) {
		q.domain = from->domain;
		dmarc_check(a, &q, lookup, arg, r);
		return;
	}
	check_all(a, from, q, lookup, arg, r);
	if (r->result == DMARC_PENDING)
		return;
	r->rule = from->rule;
	if (r->result == DMARC_FAIL || r->result == DMARC_TEMPERROR) {
		r->reason = arena_printf(a, "%.*s; %.*s",
		    SLICE_ARG(from->reason), SLICE_ARG(r->reason));
		return;
	}
	*r = (struct dmarc_answer){ .result = DMARC_PERMERROR,
	    .rule = from->rule, .reason = from->reason, .exists = true };
}

enum rc
dmarc_organization(struct arena *a, struct slice domain, enum dmarc_mode mode,
    const struct suffixes *suffixes, spf_lookup *lookup, void *arg,
    struct slice *organization_r, bool *pending_r)
{
	struct walk_resolver resolver = { a, lookup, arg };
	struct walk walk;

	*pending_r = false;
	if (mode == DMARC_RFC7489) {
		*organization_r = list_org(suffixes, domain);
		return RC_OK;
	}
	walk_up(&resolver, domain, &walk);
	*pending_r = walk.state == WALK_WAIT;
	*organization_r = walk_organization(&walk);
	return walk.state == WALK_DONE ? RC_OK : RC_RETRY;
}
