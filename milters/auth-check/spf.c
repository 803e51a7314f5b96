#include "spf.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "spf_macro.h"
#include "spf_name.h"
#include "spf_record.h"

/* What one mechanism says about the client. */
enum step { NO, YES, WAIT, TEMP, PERM };

struct eval {
	struct arena *arena;
	const struct spf_query *query;
	spf_lookup *lookup;
	void *arg;
	struct spf_macro_values values;
	unsigned lookups, voids, asked_ahead;
	bool waiting;			/* looking ahead: nothing is decided */
	struct slice problem;		/* the first, in plain words */
};

struct outcome {
	enum spf_result result;
	struct slice domain;		/* whose record */
	struct slice mechanism;
	struct slice exp;		/* of that record; absent: none */
};

static struct outcome check_host(struct eval *e, struct slice domain);

const char *
spf_result_name(enum spf_result result)
{
	static const char *const names[] = { "none", "neutral", "pass",
	    "softfail", "fail", "temperror", "permerror", "pending" };

	return names[result];
}

static const char *
type_name(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_AAAA:
		return "AAAA";
	case DNS_MX:
		return "MX";
	case DNS_PTR:
		return "PTR";
	case DNS_TXT:
		return "TXT";
	default:
		return "records";
	}
}

static const char *
status_name(enum dns_status status)
{
	switch (status) {
	case DNS_SERVFAIL:
		return "its servers failed";
	case DNS_TIMEOUT:
		return "no answer in time";
	case DNS_BUDGET:
		return "too many questions for one message";
	default:
		return "the question was cancelled";
	}
}

static void
problem(struct eval *e, struct slice text)
{
	if (!e->waiting && e->problem.ptr == NULL)
		e->problem = spf_printable(e->arena, text, 400);
}

static void
unescape_names(struct arena *a, struct dns_answer *answer)
{
	struct dns_record *records = arena_array(a, answer->count,
	    sizeof *records);

	for (size_t i = 0; i < answer->count; i++) {
		records[i] = answer->records[i];
		records[i].data = spf_unescape(a,
		    answer->records[i].data);
	}
	answer->records = records;
}

/*
 * Asks; a name that is none does not exist. TEMP: the servers did not say
 * (RCODE other than 0 and 3, or silence: 4.4, 5).
 */
static enum step
ask(struct eval *e, struct slice name, enum dns_type type,
    struct dns_answer *answer_r)
{
	*answer_r = (struct dns_answer){ .status = DNS_NXDOMAIN };
	if (!spf_askable(name))
		return YES;
	if (e->waiting && e->asked_ahead >= SPF_AHEAD)
		return WAIT;
	if (!e->lookup(e->arg, name, type, answer_r)) {
		e->asked_ahead += e->waiting;
		return WAIT;
	}
	if (type == DNS_MX || type == DNS_PTR)
		unescape_names(e->arena, answer_r);
	if (answer_r->status == DNS_OK || answer_r->status == DNS_NODATA ||
	    answer_r->status == DNS_NXDOMAIN)
		return YES;
	problem(e, arena_printf(e->arena, "DNS did not say %s of %.*s: %s",
	    type_name(type), SLICE_ARG(name), status_name(answer_r->status)));
	return TEMP;
}

static bool
is_void(const struct dns_answer *answer)
{
	return answer->status == DNS_NXDOMAIN ||
	    answer->status == DNS_NODATA || answer->count == 0;
}

/* One more term that asks (4.6.4). */
static bool
count_lookup(struct eval *e)
{
	if (e->lookups >= SPF_LOOKUPS) {
		problem(e, SLICE("more than 10 terms that ask DNS"));
		return false;
	}
	e->lookups++;
	return true;
}

/* The first question of a term: a void answer counts (4.6.4). */
static enum step
ask_first(struct eval *e, struct slice name, enum dns_type type,
    struct dns_answer *answer_r)
{
	enum step step = ask(e, name, type, answer_r);

	if (step != YES || !spf_askable(name) || !is_void(answer_r))
		return step;
	if (++e->voids <= e->query->voids)
		return YES;
	problem(e, arena_printf(e->arena, "more than %u questions without an "
	    "answer (void lookups)", e->query->voids));
	return PERM;
}

static enum dns_type
address_type(const struct eval *e)
{
	return e->query->ip.family == AF_INET6 ? DNS_AAAA : DNS_A;
}

static bool
holds_client(const struct eval *e, const struct dns_answer *answer,
    unsigned bits)
{
	struct ip ip = { .family = e->query->ip.family };
	size_t len = ip.family == AF_INET6 ? 16 : 4;

	for (size_t i = 0; i < answer->count; i++) {
		if (answer->records[i].data.len != len)
			continue;
		memcpy(ip.bytes, answer->records[i].data.ptr, len);
		if (ip_match(&ip, &e->query->ip, bits))
			return true;
	}
	return false;
}

/* Is the client among the addresses of that name? */
static enum step
match_name(struct eval *e, struct slice name, unsigned bits)
{
	struct dns_answer answer;
	enum step step = ask(e, name, address_type(e), &answer);

	if (step != YES)
		return step;
	return holds_client(e, &answer, bits) ? YES : NO;
}

static unsigned
bits_for(const struct eval *e, const struct spf_term *term)
{
	return e->query->ip.family == AF_INET6 ? term->bits6 : term->bits4;
}

/* Is s the domain or below it? */
static bool
below(struct slice s, struct slice domain)
{
	return slice_eq_nocase(s, domain) || (s.len > domain.len &&
	    slice_ends_nocase(s, domain) &&
	    s.ptr[s.len - domain.len - 1] == '.');
}

/* PTR names of the client, at most ten (4.6.4). An error is no names (5.5). */
static enum step
client_names(struct eval *e, bool first, struct dns_answer *answer_r)
{
	struct slice name = ip_reverse(e->arena, &e->query->ip);
	struct slice before = e->problem;
	enum step step = first ? ask_first(e, name, DNS_PTR, answer_r) :
	    ask(e, name, DNS_PTR, answer_r);

	if (step == TEMP) {
		e->problem = before;
		answer_r->count = 0;
		step = YES;
	}
	if (answer_r->count > SPF_PTR)
		answer_r->count = SPF_PTR;
	return step;
}

/* Does that name of the client lead back to it? Errors: it does not (5.5). */
static enum step
validates(struct eval *e, struct slice name)
{
	struct slice before = e->problem;
	enum step step = match_name(e, name,
	    e->query->ip.family == AF_INET6 ? 128 : 32);

	if (step != TEMP)
		return step;
	e->problem = before;
	return NO;
}

/*
 * %{p}: the validated name that is the domain, or below it, or any (7.3).
 * The names are judged in that order, each as far as needed.
 */
static enum step
validated_name(struct eval *e, struct slice domain, struct slice *name_r)
{
	struct dns_answer names;
	struct slice any = SLICE("unknown"), under = SLICE_NONE;
	bool waits = client_names(e, false, &names) == WAIT, found = false;

	for (size_t i = 0; !waits && i < names.count; i++) {
		struct slice name = names.records[i].data;
		enum step step = validates(e, name);

		waits = waits || step == WAIT;
		if (step != YES)
			continue;
		if (slice_eq_nocase(name, domain)) {
			*name_r = name;
			return YES;
		}
		if (under.ptr == NULL && below(name, domain))
			under = name;
		if (!found)
			any = name;
		found = true;
	}
	*name_r = under.ptr != NULL ? under : any;
	return waits ? WAIT : YES;
}

/* What %{d} and %{p} are from here on. */
static enum step
prepare_macros(struct eval *e, struct slice domain, struct slice text)
{
	e->values.domain = domain;
	if (!spf_macro_asks_p(text))
		return YES;
	return validated_name(e, domain, &e->values.validated);
}

/* The target name of a term: its domain-spec, or the domain itself. NO: one
 * that no name comes of, so nothing matches. */
static enum step
target(struct eval *e, struct slice domain, struct slice spec,
    struct slice *name_r)
{
	enum step step;

	*name_r = domain;
	if (spec.ptr == NULL)
		return YES;
	step = prepare_macros(e, domain, spec);
	if (step != YES)
		return step;
	return spf_macro_name(e->arena, spec, &e->values, name_r) == RC_OK ?
	    YES : NO;
}

static enum step
match_a(struct eval *e, const struct spf_term *term, struct slice name)
{
	struct dns_answer answer;
	enum step step = ask_first(e, name, address_type(e), &answer);

	if (step != YES)
		return step;
	return holds_client(e, &answer, bits_for(e, term)) ? YES : NO;
}

/*
 * Any host that is the client makes a match (5.4): all are asked at once, and
 * trouble with one counts only when none matches, for DNS gives them in any
 * order.
 */
static enum step
match_hosts(struct eval *e, const struct dns_answer *hosts, unsigned bits)
{
	struct slice before = e->problem;
	bool waits = false, trouble = false;

	for (size_t i = 0; i < hosts->count; i++) {
		switch (match_name(e, hosts->records[i].data, bits)) {
		case YES:
			e->problem = before;
			return YES;
		case WAIT:
			waits = true;
			break;
		case TEMP:
			trouble = true;
			break;
		default:
			break;
		}
	}
	if (waits)
		e->problem = before;
	return waits ? WAIT : trouble ? TEMP : NO;
}

static enum step
match_mx(struct eval *e, const struct spf_term *term, struct slice name)
{
	struct dns_answer answer;
	enum step step = ask_first(e, name, DNS_MX, &answer);

	if (step != YES)
		return step;
	if (answer.count > SPF_MX) {
		problem(e, arena_printf(e->arena, "%.*s has more than 10 mail "
		    "servers", SLICE_ARG(name)));
		return PERM;
	}
	return match_hosts(e, &answer, bits_for(e, term));
}

/* Only names that would match are validated: nothing else can (5.5). */
static enum step
match_ptr(struct eval *e, struct slice name)
{
	struct dns_answer names;
	enum step step = client_names(e, true, &names);
	bool waits = false;

	if (step != YES)
		return step;
	for (size_t i = 0; i < names.count; i++) {
		if (!below(names.records[i].data, name))
			continue;
		step = validates(e, names.records[i].data);
		if (step == YES)
			return YES;
		waits = waits || step == WAIT;
	}
	return waits ? WAIT : NO;
}

/* Always A, whatever the client (5.7). */
static enum step
match_exists(struct eval *e, struct slice name)
{
	struct dns_answer answer;
	enum step step = ask_first(e, name, DNS_A, &answer);

	if (step != YES)
		return step;
	return is_void(&answer) ? NO : YES;
}

/* The table of 5.2. *inner_r says whose record is at fault. */
static enum step
match_include(struct eval *e, struct slice name, struct outcome *inner_r)
{
	*inner_r = check_host(e, name);
	switch (inner_r->result) {
	case SPF_PASS:
		return YES;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		return NO;
	case SPF_PENDING:
		return WAIT;
	case SPF_TEMPERROR:
		return TEMP;
	case SPF_NONE:
		problem(e, arena_printf(e->arena, "the included domain %.*s "
		    "has no SPF record", SLICE_ARG(name)));
		break;
	case SPF_PERMERROR:
		break;
	}
	return PERM;
}

static enum step
match_asking(struct eval *e, const struct spf_term *term, struct slice domain,
    struct outcome *inner_r)
{
	struct slice name;
	enum step step;

	if (!count_lookup(e))
		return PERM;
	step = target(e, domain, term->spec, &name);
	if (step == NO && term->kind == SPF_TERM_INCLUDE) {
		problem(e, SLICE("an include that leads to no domain name"));
		return PERM;
	}
	if (step != YES)
		return step;
	switch (term->kind) {
	case SPF_TERM_A:
		return match_a(e, term, name);
	case SPF_TERM_MX:
		return match_mx(e, term, name);
	case SPF_TERM_PTR:
		return match_ptr(e, name);
	case SPF_TERM_EXISTS:
		return match_exists(e, name);
	default:
		return match_include(e, name, inner_r);
	}
}

static enum step
match(struct eval *e, const struct spf_term *term, struct slice domain,
    struct outcome *inner_r)
{
	switch (term->kind) {
	case SPF_TERM_ALL:
		return YES;
	case SPF_TERM_IP4:
	case SPF_TERM_IP6:
		return ip_match(&term->ip, &e->query->ip, bits_for(e, term)) ?
		    YES : NO;
	default:
		return match_asking(e, term, domain, inner_r);
	}
}

static enum spf_result
qualified(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

/* No mechanism matched (6.1): a target without a record is a permerror. */
static struct outcome
follow_redirect(struct eval *e, const struct spf_record *record,
    struct slice domain)
{
	struct outcome o = { .result = SPF_PERMERROR, .domain = domain };
	struct slice name;
	enum step step;

	o.mechanism = arena_printf(e->arena, "redirect=%.*s",
	    SLICE_ARG(record->redirect));
	if (!count_lookup(e))
		return o;
	step = target(e, domain, record->redirect, &name);
	if (step == WAIT)
		o.result = SPF_PENDING;
	else if (step == NO)
		problem(e, SLICE("a redirect that leads to no domain name"));
	if (step != YES)
		return o;
	o = check_host(e, name);
	if (o.result == SPF_NONE) {
		problem(e, arena_printf(e->arena, "redirect leads to %.*s, "
		    "which has no SPF record", SLICE_ARG(name)));
		o.result = SPF_PERMERROR;
	}
	return o;
}

/* What a step that is not NO makes of the record. */
static struct outcome
conclude(const struct spf_record *record, const struct spf_term *term,
    enum step step, struct slice domain, const struct outcome *inner)
{
	struct outcome o = { .domain = domain, .mechanism = term->text,
	    .exp = record->exp };

	if (step == YES) {
		o.result = qualified(term->qualifier);
		return o;
	}
	o.result = step == TEMP ? SPF_TEMPERROR : SPF_PERMERROR;
	if (inner->domain.ptr != NULL)
		o.domain = inner->domain;
	return o;
}

static struct outcome
evaluate(struct eval *e, const struct spf_record *record, struct slice domain)
{
	const struct outcome pending = { .result = SPF_PENDING };
	bool outer = e->waiting, waits = false;
	struct outcome o = { .result = SPF_NEUTRAL, .domain = domain,
	    .mechanism = SLICE("default") };
	const struct spf_term *term;
	struct outcome inner;
	enum step step = NO;

	for (term = record->terms; term != NULL; term = term->next) {
		inner = (struct outcome){ .domain = SLICE_NONE };
		step = match(e, term, domain, &inner);
		if (step == WAIT) {
			waits = e->waiting = true;
			if (!e->query->ahead)
				break;
		} else if (step != NO)
			break;
	}
	if (term != NULL && step != WAIT)
		o = conclude(record, term, step, domain, &inner);
	else if (term == NULL && record->redirect.ptr != NULL)
		o = follow_redirect(e, record, domain);
	e->waiting = outer;
	return waits ? pending : o;
}

/* The one SPF record among the TXT records (4.5). */
static struct outcome
read_record(struct eval *e, const struct dns_answer *answer,
    struct slice domain)
{
	struct outcome o = { .result = SPF_NONE, .domain = domain };
	const struct dns_record *found = NULL;
	struct spf_record record;
	struct slice why;
	size_t n = 0;

	for (size_t i = 0; i < answer->count; i++)
		if (spf_record_is(answer->records[i].data)) {
			found = &answer->records[i];
			n++;
		}
	if (found == NULL)
		return o;
	o.result = SPF_PERMERROR;
	if (n > 1)
		problem(e, arena_printf(e->arena, "%.*s has %zu SPF records",
		    SLICE_ARG(domain), n));
	else if (spf_record_parse(e->arena, found->data, &record,
	    &why) != RC_OK)
		problem(e, arena_printf(e->arena, "the SPF record of %.*s has "
		    "%.*s", SLICE_ARG(domain), SLICE_ARG(why)));
	else
		o = evaluate(e, &record, domain);
	return o;
}

/* check_host() for what comes after 4.3. Recursion ends: each level but the
 * first has cost one of ten lookups. */
static struct outcome
check_host(struct eval *e, struct slice domain)
{
	struct outcome o = { .result = SPF_NONE, .domain = domain };
	struct dns_answer answer;

	switch (ask(e, domain, DNS_TXT, &answer)) {
	case WAIT:
		o.result = SPF_PENDING;
		break;
	case TEMP:
		o.result = SPF_TEMPERROR;
		break;
	default:
		o = read_record(e, &answer, domain);
	}
	return o;
}

/*
 * The text that exp= leads to (6.2). Anything wrong: there is none. WAIT as
 * long as it may still come.
 */
static enum step
explain(struct eval *e, const struct outcome *o, struct slice *text_r)
{
	struct buf out = buf_in(e->arena);
	struct dns_answer answer;
	struct slice name, text;
	enum step step;

	if (o->exp.ptr == NULL)
		return NO;
	step = target(e, o->domain, o->exp, &name);
	if (step == YES)
		step = ask(e, name, DNS_TXT, &answer);
	if (step != YES)
		return step;
	if (answer.status != DNS_OK || answer.count != 1)
		return NO;
	text = answer.records[0].data;
	if (spf_macro_check(text, SPF_TEXT) != NULL)
		return NO;
	step = prepare_macros(e, o->domain, text);
	if (step != YES)
		return step;
	if (spf_macro_expand(&out, text, SPF_TEXT, &e->values) != RC_OK)
		return NO;
	/* A sender with bytes outside ASCII came in through %{s}. */
	*text_r = spf_printable(e->arena, buf_slice(&out), SPF_MACRO_BYTES);
	return YES;
}

/* "192.0.2.1", or the nibbles of an IPv6 address with dots between (7.3). */
static struct slice
dotted(struct arena *a, const struct ip *ip)
{
	struct buf out = buf_in(a);

	if (ip->family != AF_INET6)
		return ip_format(a, ip);
	for (size_t i = 0; i < 16; i++)
		buf_addf(&out, "%s%X.%X", i > 0 ? "." : "",
		    ip->bytes[i] >> 4, ip->bytes[i] & 15);
	return buf_slice(&out);
}

static bool
take_identity(struct eval *e, struct spf_answer *answer)
{
	bool good = spf_identity(e->arena, e->query, &e->values.local,
	    &answer->domain);

	answer->identity = arena_printf(e->arena, "%.*s@%.*s",
	    SLICE_ARG(e->values.local), SLICE_ARG(answer->domain));
	e->values.sender_domain = answer->domain;
	e->values.sender = answer->identity;
	return good;
}

static void
begin(struct eval *e)
{
	const struct spf_query *q = e->query;

	e->values.ip = dotted(e->arena, &q->ip);
	e->values.client = ip_format(e->arena, &q->ip);
	e->values.version = q->ip.family == AF_INET6 ? SLICE("ip6") :
	    SLICE("in-addr");
	e->values.helo = spf_helo(e->arena, q->helo);
	e->values.receiver = q->receiver.len > 0 ? q->receiver :
	    SLICE("unknown");
	e->values.time = arena_printf(e->arena, "%lld", (long long)q->now);
}

/* What the domain says about the client; "" for what is no such thing. */
static const char *
statement(enum spf_result result)
{
	switch (result) {
	case SPF_PASS:
		return "is allowed";
	case SPF_FAIL:
		return "is not allowed";
	case SPF_SOFTFAIL:
		return "is probably not allowed";
	default:
		return "";
	}
}

static struct slice
reason(struct eval *e, const struct spf_answer *r)
{
	struct arena *a = e->arena;
	struct slice domain = spf_printable(a, r->domain, DNS_NAME_MAX);
	struct slice mechanism = spf_printable(a, r->mechanism, 100);

	switch (r->result) {
	case SPF_PASS:
	case SPF_FAIL:
	case SPF_SOFTFAIL:
		return arena_printf(a, "%.*s %s to send mail for %.*s "
		    "(mechanism %.*s)", SLICE_ARG(e->values.client),
		    statement(r->result), SLICE_ARG(domain),
		    SLICE_ARG(mechanism));
	case SPF_NEUTRAL:
		return arena_printf(a, "%.*s does not say whether %.*s may "
		    "send its mail (mechanism %.*s)", SLICE_ARG(domain),
		    SLICE_ARG(e->values.client), SLICE_ARG(mechanism));
	default:
		if (e->problem.ptr != NULL)
			return e->problem;
		return arena_printf(a, "%.*s has no SPF record",
		    SLICE_ARG(domain));
	}
}

void
spf_check(struct arena *a, const struct spf_query *query, spf_lookup *lookup,
    void *arg, struct spf_answer *r)
{
	struct eval e = { .arena = a, .query = query, .lookup = lookup,
	    .arg = arg };
	struct outcome o = { .result = SPF_NONE };

	*r = (struct spf_answer){ .result = SPF_NONE };
	begin(&e);
	if (!take_identity(&e, r))
		problem(&e, arena_printf(a, "\"%.*s\" is no domain name that "
		    "could have an SPF record", SLICE_ARG(r->domain)));
	else
		o = check_host(&e, r->domain);
	r->result = o.result;
	r->decided = o.domain;
	r->mechanism = o.mechanism.ptr != NULL ? o.mechanism : SLICE("");
	r->lookups = e.lookups;
	r->voids = e.voids;
	r->explanation = SLICE("");
	if (r->result == SPF_FAIL && query->explain &&
	    explain(&e, &o, &r->explanation) == WAIT)
		r->result = SPF_PENDING;
	r->reason = reason(&e, r);
}
