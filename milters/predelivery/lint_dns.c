/* Rules that need DNS, and what they ask. */
#include "lint_part.h"

#include "dkim/tags.h"

enum known { KNOWN_NO, KNOWN_YES, KNOWN_NULL, NOT_KNOWN };

static const struct dns_answer *
look(const struct lint_mail *m, struct slice name, enum dns_type type)
{
	return m->lookup != NULL ? m->lookup(m->arg, name, type) : NULL;
}

/* Are there such records? KNOWN_NULL: the MX of RFC 7505. */
static enum known
has(const struct lint_mail *m, struct slice name, enum dns_type type)
{
	const struct dns_answer *answer = look(m, name, type);

	if (answer == NULL)
		return NOT_KNOWN;
	switch (answer->status) {
	case DNS_OK:
		return type == DNS_MX && answer->count == 1 &&
		    answer->records[0].data.len == 0 ? KNOWN_NULL : KNOWN_YES;
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		return KNOWN_NO;
	default:
		return NOT_KNOWN;
	}
}

/* Of two questions of which one has to be yes. */
static enum known
either(enum known a, enum known b)
{
	if (a == KNOWN_YES || b == KNOWN_YES)
		return KNOWN_YES;
	return a == KNOWN_NO && b == KNOWN_NO ? KNOWN_NO : NOT_KNOWN;
}

static enum known
has_address(const struct lint_mail *m, struct slice name)
{
	return either(has(m, name, DNS_A), has(m, name, DNS_AAAA));
}

static struct slice
unknown(enum lint_state *state_r, struct slice why)
{
	*state_r = LINT_UNKNOWN;
	return why;
}

static struct slice
empty_sender(enum lint_state *state_r)
{
	*state_r = LINT_NONE;
	return SLICE("MAIL FROM names no domain");
}

/* ---- where replies go ---- */

static struct slice
takes_mail(const struct lint_mail *m, struct slice domain,
    enum lint_state *state_r)
{
	enum known mx = has(m, domain, DNS_MX), address;

	if (mx == KNOWN_YES)
		return SLICE_NONE;
	if (mx == KNOWN_NULL)
		return arena_printf(m->arena, "%.*s says that it takes no mail "
		    "(RFC 7505)", SLICE_ARG(domain));
	address = mx == KNOWN_NO ? has_address(m, domain) : NOT_KNOWN;
	if (address == KNOWN_YES)
		return SLICE_NONE;
	if (address == KNOWN_NO)
		return arena_printf(m->arena, "%.*s has neither MX nor address",
		    SLICE_ARG(domain));
	return unknown(state_r, arena_printf(m->arena, "DNS does not tell the "
	    "MX of %.*s", SLICE_ARG(domain)));
}

struct slice
lint_sender_domain(struct lint_read *r, enum lint_state *state_r)
{
	const struct lint_domains *d = &r->domains;
	struct slice wrong = SLICE_NONE;

	if (d->sender.ptr == NULL && d->from.ptr == NULL)
		return empty_sender(state_r);
	if (d->sender.ptr != NULL)
		wrong = takes_mail(r->m, d->sender, state_r);
	if (wrong.ptr != NULL && *state_r != LINT_UNKNOWN)
		return wrong;
	if (d->from.ptr != NULL && (d->sender.ptr == NULL ||
	    !slice_eq(d->from, d->sender))) {
		enum lint_state other = LINT_GOOD;
		struct slice from = takes_mail(r->m, d->from, &other);

		if (from.ptr != NULL && (other == LINT_GOOD ||
		    wrong.ptr == NULL)) {
			*state_r = other;
			return from;
		}
	}
	return wrong;
}

struct slice
lint_sender_mx(struct lint_read *r, enum lint_state *state_r)
{
	struct slice domain = r->domains.sender;

	if (domain.ptr == NULL)
		return empty_sender(state_r);
	switch (has(r->m, domain, DNS_MX)) {
	case KNOWN_YES:
		return SLICE_NONE;
	case NOT_KNOWN:
		return unknown(state_r, arena_printf(r->m->arena, "DNS does "
		    "not tell the MX of %.*s", SLICE_ARG(domain)));
	default:
		return arena_printf(r->m->arena, "%.*s has no MX that takes "
		    "mail", SLICE_ARG(domain));
	}
}

struct slice
lint_sender_address(struct lint_read *r, enum lint_state *state_r)
{
	struct slice domain = r->domains.sender;

	if (domain.ptr == NULL)
		return empty_sender(state_r);
	switch (has_address(r->m, domain)) {
	case KNOWN_YES:
		return SLICE_NONE;
	case NOT_KNOWN:
		return unknown(state_r, arena_printf(r->m->arena, "DNS does "
		    "not tell the address of %.*s", SLICE_ARG(domain)));
	default:
		return arena_printf(r->m->arena, "%.*s has no A or AAAA record",
		    SLICE_ARG(domain));
	}
}

/* ---- SPF ---- */

static bool
is_spf(struct slice txt)
{
	return slice_starts_nocase(txt, SLICE("v=spf1")) &&
	    (txt.len == 6 || txt.ptr[6] == ' ');
}

/* The one record of that name; SLICE_NONE and *why_r where there is none. */
static struct slice
spf_of(const struct lint_mail *m, struct slice name,
    enum lint_state *state_r, struct slice *why_r)
{
	const struct dns_answer *answer = look(m, name, DNS_TXT);
	size_t n = answer != NULL ? answer->count : 0;
	struct slice found = SLICE_NONE;

	if (answer == NULL || answer->status > DNS_NXDOMAIN) {
		*why_r = unknown(state_r, arena_printf(m->arena, "DNS does not "
		    "tell the SPF record of %.*s", SLICE_ARG(name)));
		return SLICE_NONE;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_spf(answer->records[i].data))
			continue;
		if (found.ptr != NULL) {
			*why_r = arena_printf(m->arena, "%.*s has two SPF "
			    "records", SLICE_ARG(name));
			return SLICE_NONE;
		}
		found = answer->records[i].data;
	}
	if (found.ptr == NULL)
		*why_r = arena_printf(m->arena, "%.*s has no SPF record",
		    SLICE_ARG(name));
	return found;
}

/* Terms behind "all" count for nothing, redirect with it neither (RFC 7208,
 * 5.1 and 6.1). */
static struct slice
last_term(struct slice record, struct slice *redirect_r)
{
	struct slice rest = record;

	*redirect_r = SLICE_NONE;
	while (rest.ptr != NULL) {
		struct slice term = slice_cut(rest, ' ', &rest), bare = term;

		if (slice_starts_nocase(term, SLICE("redirect=")))
			*redirect_r = slice_after(term, 9);
		if (bare.len == 4 && bare.ptr[0] != 'a')
			bare = slice_after(bare, 1);
		if (slice_eq_nocase(bare, SLICE("all")))
			return term;
	}
	return SLICE_NONE;
}

/* The record that redirects lead to from there; RFC 7208, 6.1. */
static struct slice
spf_end(const struct lint_mail *m, struct slice name,
    enum lint_state *state_r, struct slice *why_r, struct slice *next_r)
{
	for (unsigned i = 0; i <= LINT_REDIRECTS; i++) {
		struct slice record, all;

		*next_r = name;
		record = spf_of(m, name, state_r, why_r);
		if (record.ptr == NULL)
			return SLICE_NONE;
		all = last_term(record, &name);
		if (all.ptr != NULL)
			return all;
		*next_r = SLICE_NONE;
		if (name.ptr == NULL) {
			*why_r = SLICE("the SPF record has no all at its end");
			return SLICE_NONE;
		}
		if (!domain_ascii(m->arena, name, &name)) {
			*why_r = unknown(state_r, SLICE("the SPF record "
			    "redirects to where only a real client tells"));
			return SLICE_NONE;
		}
	}
	*why_r = SLICE("SPF records redirect in a long chain");
	return SLICE_NONE;
}

struct slice
lint_spf(struct lint_read *r, enum lint_state *state_r)
{
	struct slice all, why = SLICE_NONE, next;

	if (r->domains.sender.ptr == NULL)
		return empty_sender(state_r);
	all = spf_end(r->m, r->domains.sender, state_r, &why, &next);
	if (all.ptr == NULL)
		return why;
	if (all.ptr[0] == '-' || all.ptr[0] == '~')
		return SLICE_NONE;
	return arena_printf(r->m->arena, "the SPF record of %.*s ends in %.*s",
	    SLICE_ARG(r->domains.sender), SLICE_ARG(all));
}

/* ---- DKIM ---- */

struct slice
lint_key_name(struct arena *a, struct slice name, struct slice body,
    struct slice *domain_r)
{
	struct slice selector, ascii;
	struct tags tags;

	*domain_r = SLICE_NONE;
	if (!slice_eq_nocase(name, SLICE("DKIM-Signature")) ||
	    tags_read(body, &tags) != NULL)
		return SLICE_NONE;
	selector = tags_find(&tags, SLICE("s"));
	if (!domain_ascii(a, selector, &selector) ||
	    !domain_ascii(a, tags_find(&tags, SLICE("d")), &ascii))
		return SLICE_NONE;
	*domain_r = ascii;
	return arena_printf(a, "%.*s._domainkey.%.*s", SLICE_ARG(selector),
	    SLICE_ARG(ascii));
}

static enum known
has_key(const struct lint_mail *m, struct slice name)
{
	const struct dns_answer *answer = look(m, name, DNS_TXT);
	struct tags tags;

	if (answer == NULL || answer->status > DNS_NXDOMAIN)
		return NOT_KNOWN;
	for (size_t i = 0; i < answer->count; i++)
		if (tags_read(answer->records[i].data, &tags) == NULL &&
		    tags_find(&tags, SLICE("p")).len > 0)
			return KNOWN_YES;
	return KNOWN_NO;
}

static struct slice
selector_name(struct arena *a, struct slice selector, struct slice domain)
{
	return arena_printf(a, "%.*s._domainkey.%.*s", SLICE_ARG(selector),
	    SLICE_ARG(domain));
}

/* The same domain, or one of the two below the other. */
static bool
related(struct slice a, struct slice b)
{
	struct slice longer = a.len > b.len ? a : b;
	struct slice shorter = a.len > b.len ? b : a;

	return slice_eq(a, b) || (longer.len > shorter.len &&
	    slice_ends(longer, shorter) &&
	    longer.ptr[longer.len - shorter.len - 1] == '.');
}

/* Of the signatures that are there; how many that are. */
static unsigned
signed_keys(const struct lint_read *r, enum known *known)
{
	const struct message *msg = r->m->msg;
	unsigned n = 0;

	for (size_t i = 0; i < msg->nfields && n < LINT_SIGNATURES; i++) {
		struct slice domain, name = lint_key_name(r->m->arena,
		    msg->fields[i].name, msg->fields[i].body, &domain);

		if (name.ptr == NULL || !related(domain, r->domains.from))
			continue;
		*known = n++ == 0 ? has_key(r->m, name) :
		    either(*known, has_key(r->m, name));
	}
	return n;
}

struct slice
lint_dkim_key(struct lint_read *r, enum lint_state *state_r)
{
	const struct conf_list *selectors = &r->m->conf->dkim_selectors;
	struct slice domain = r->domains.from;
	enum known known = KNOWN_NO;

	*state_r = LINT_NONE;
	if (domain.ptr == NULL)
		return SLICE("From names no domain");
	for (size_t i = 0; i < selectors->count; i++) {
		enum known one = has_key(r->m, selector_name(r->m->arena,
		    selectors->items[i], domain));

		known = i == 0 ? one : either(known, one);
	}
	if (selectors->count == 0 && signed_keys(r, &known) == 0)
		return SLICE("no selector is known: none in dkim_selectors, and "
		    "no signature of that domain");
	*state_r = LINT_GOOD;
	if (known == KNOWN_YES)
		return SLICE_NONE;
	if (known == NOT_KNOWN)
		return unknown(state_r, arena_printf(r->m->arena, "DNS does "
		    "not tell the DKIM key of %.*s", SLICE_ARG(domain)));
	return arena_printf(r->m->arena, "%.*s has no DKIM key under the "
	    "selectors that are known", SLICE_ARG(domain));
}

/* ---- what is asked ---- */

static bool
on(const struct outbound_conf *conf, enum lint_id id)
{
	return conf->lint_rules[id] != SEVERITY_OFF;
}

static void
ask_address(struct slice domain, lint_ask *ask, void *arg)
{
	ask(arg, domain, DNS_A);
	ask(arg, domain, DNS_AAAA);
}

void
lint_questions(const struct outbound_conf *conf,
    const struct lint_domains *d, struct arena *a, lint_ask *ask, void *arg)
{
	bool mx = on(conf, LINT_SENDER_DOMAIN);

	if (d->sender.ptr != NULL) {
		if (mx || on(conf, LINT_SENDER_MX))
			ask(arg, d->sender, DNS_MX);
		if (on(conf, LINT_SENDER_ADDRESS))
			ask_address(d->sender, ask, arg);
		if (on(conf, LINT_SPF))
			ask(arg, d->sender, DNS_TXT);
	}
	if (d->from.ptr == NULL)
		return;
	if (mx)
		ask(arg, d->from, DNS_MX);
	for (size_t i = 0; on(conf, LINT_DKIM_KEY) &&
	    i < conf->dkim_selectors.count; i++)
		ask(arg, selector_name(a, conf->dkim_selectors.items[i],
		    d->from), DNS_TXT);
}

/* Where there is no MX the address counts. */
static bool
more_address(const struct lint_mail *m, struct slice domain, lint_ask *ask,
    void *arg)
{
	if (domain.ptr == NULL || has(m, domain, DNS_MX) != KNOWN_NO ||
	    look(m, domain, DNS_A) != NULL)
		return false;
	ask_address(domain, ask, arg);
	return true;
}

bool
lint_more(const struct lint_mail *m, const struct lint_domains *d,
    lint_ask *ask, void *arg)
{
	enum lint_state state = LINT_GOOD;
	struct slice why = SLICE_NONE, next = SLICE_NONE;
	bool more = false;

	if (on(m->conf, LINT_SENDER_DOMAIN)) {
		more = more_address(m, d->sender, ask, arg);
		more = more_address(m, d->from, ask, arg) || more;
	}
	if (d->sender.ptr == NULL || !on(m->conf, LINT_SPF) ||
	    spf_end(m, d->sender, &state, &why, &next).ptr != NULL ||
	    next.ptr == NULL || look(m, next, DNS_TXT) != NULL)
		return more;
	ask(arg, next, DNS_TXT);
	return true;
}
