/*
 * What senders of outbound mail need of the world around predelivery: that
 * complaints are read, and that Postfix's limits stand above ours.
 */
#include <stdio.h>
#include <unistd.h>

#include "milter/settings.h"
#include "milters/predelivery/options.h"
#include "net/dns.h"
#include "tools/doctor.h"
#include "tools/verb.h"

enum { NO_ABUSE, ABUSE_LOST, RCPT_LIMIT, SIZE_LIMIT };

static const struct doctor_kind kinds[] = {
	[NO_ABUSE] = { "no-abuse-address", DOCTOR_WARNING,
	    "Receivers ask for an address that somebody reads who answers "
	    "complaints about bulk mail; without one they take less of it." },
	[ABUSE_LOST] = { "abuse-address-lost", DOCTOR_WARNING,
	    "Complaints that nobody reads end as an entry in a block list." },
	[RCPT_LIMIT] = { "recipient-limit", DOCTOR_WARNING,
	    "At its own limit Postfix tells clients to send the rest in another "
	    "transaction, before the limit of the house is met." },
	[SIZE_LIMIT] = { "size-limit", DOCTOR_WARNING,
	    "Postfix refuses what the house allows, without saying whose limit "
	    "it is." },
	{ NULL, 0, NULL }
};

enum { QUESTIONS = 20, ADDRESSES = 20 };

struct looking {
	struct doctor_report *r;
	struct conf_list seen;		/* abuse addresses, each once */
	struct slice items[ADDRESSES];
	bool bulk, missing;		/* anybody is linted; without one */
	unsigned recipients;		/* the highest limits */
	uint64_t size;
};

static enum rc
look(struct slice where, const void *arg, void *state)
{
	const struct predelivery_conf *conf = arg;
	const struct outbound_conf *c = &conf->outbound;
	struct looking *l = state;
	struct slice address = slice_of(c->abuse_address);

	(void)where;
	if (c->recipients_max > l->recipients)
		l->recipients = c->recipients_max;
	if (c->size_max > l->size)
		l->size = c->size_max;
	if (c->lint == LINT_OFF)
		return RC_OK;
	l->bulk = true;
	l->missing = l->missing || (address.len == 0 &&
	    c->lint_rules[LINT_ABUSE_ADDRESS] != SEVERITY_OFF);
	l->seen.items = l->items;
	if (address.len > 0 && l->seen.count < ADDRESSES &&
	    !conf_list_has_nocase(&l->seen, address))
		l->items[l->seen.count++] = arena_copy(l->r->arena, address);
	return RC_OK;
}

/* ---- the abuse address ---- */

/* Is it known that its domain takes mail, or that it does not? */
static void
check_address(struct doctor_report *r, struct dns_budget *budget,
    struct slice address)
{
	struct slice domain = slice_after(address,
	    slice_find_last(address, '@') + 1);
	struct dns_answer mx, a = { .count = 0 }, aaaa = { .count = 0 };

	dns_wait(budget, domain, DNS_MX, r->arena, &mx);
	if (mx.status == DNS_NODATA) {
		dns_wait(budget, domain, DNS_A, r->arena, &a);
		dns_wait(budget, domain, DNS_AAAA, r->arena, &aaaa);
	}
	if (mx.status > DNS_NXDOMAIN || a.status > DNS_NXDOMAIN ||
	    aaaa.status > DNS_NXDOMAIN)
		doctor_unseen(r, "DNS does not tell whether %.*s can get mail",
		    SLICE_ARG(address));
	else if (mx.count + a.count + aaaa.count == 0 || (mx.count == 1 &&
	    mx.records[0].data.len == 0))
		doctor_say(r, ABUSE_LOST, "# in predelivery.conf, abuse_address "
		    "= an address that gets mail", "the domain of %.*s "
		    "(abuse_address) takes no mail", SLICE_ARG(address));
	else
		doctor_saw(r, "%.*s can get mail", SLICE_ARG(address));
}

static void
check_addresses(struct doctor_report *r, const struct looking *l)
{
	const struct house_conf *house = r->doctor->house;
	struct dns_conf conf = { .resolver = house->resolver,
	    .timeout_ms = (unsigned)house->resolver_timeout,
	    .cache_entries = 100, .ttl_max = 60 };
	struct dns_budget *budget;
	struct slice why = SLICE("");
	struct dns *dns;

	if (l->missing)
		doctor_say(r, NO_ABUSE, "# in predelivery.conf, abuse_address = "
		    "\"abuse@YOUR.DOMAIN\"; or lint_abuse_address = \"off\"",
		    "no abuse_address is set for senders whose bulk mail is "
		    "looked at");
	if (l->seen.count == 0)
		return;
	dns = dns_open(&conf, r->arena, &why);
	if (dns == NULL) {
		doctor_unseen(r, "no resolver: %.*s", SLICE_ARG(why));
		return;
	}
	budget = dns_budget_new(dns, QUESTIONS, r->doctor->until - 500);
	for (size_t i = 0; i < l->seen.count; i++)
		check_address(r, budget, l->seen.items[i]);
	dns_budget_free(budget);
	dns_close(dns);
}

/* ---- Postfix's own limits ---- */

static void
check_limits(struct doctor_report *r, const struct looking *l)
{
	const struct postconf *pc = r->doctor->postfix;
	struct slice recipients, size;
	uint64_t most, largest;

	if (pc == NULL)
		return;
	recipients = postconf_value(pc, NULL, "smtpd_recipient_limit",
	    r->arena);
	size = postconf_value(pc, NULL, "message_size_limit", r->arena);
	if (slice_number(recipients, INT64_MAX, &most) &&
	    most <= l->recipients)
		doctor_say(r, RCPT_LIMIT, doctor_type(r, "postconf%s -e "
		    "smtpd_recipient_limit=10000", doctor_instance(r)),
		    "smtpd_recipient_limit of Postfix is %.*s, recipients_max "
		    "is %u", SLICE_ARG(recipients), l->recipients);
	if (slice_number(size, INT64_MAX, &largest) && largest > 0 &&
	    largest < l->size)
		doctor_say(r, SIZE_LIMIT, doctor_type(r, "postconf%s -e "
		    "message_size_limit=%llu", doctor_instance(r),
		    (unsigned long long)l->size / 10 * 14),
		    "message_size_limit of Postfix is %.*s, size_max is %llu",
		    SLICE_ARG(size), (unsigned long long)l->size);
}

/* A file that is not there is all defaults; what is wrong in it another check
 * says. */
static bool
load(struct doctor_report *r, struct predelivery_conf *conf)
{
	struct milter_conf milter;
	struct conf_section own[] = { { milter_options, &milter },
	    { predelivery_options, conf }, { NULL, NULL } };
	const char *dir = verb_conf_dir(r->doctor->conf_dir), *file = NULL;
	struct slice why;

	if (dir != NULL)
		file = arena_printf(r->arena, "%s/predelivery.conf", dir).ptr;
	if (file != NULL && access(file, F_OK) != 0)
		file = NULL;
	return conf_load(r->arena, file, own, &why) == RC_OK;
}

static void
run(struct doctor_report *r)
{
	struct predelivery_conf conf;
	struct looking l = { .r = r };

	if (!conf_list_has(&r->doctor->house->outbound,
	    SLICE("predelivery"))) {
		doctor_saw(r, "predelivery is not among outbound in "
		    "gatehouse.conf");
		return;
	}
	if (!load(r, &conf)) {
		doctor_unseen(r, "predelivery.conf is wrong");
		return;
	}
	look(SLICE(""), &conf, &l);
	scope_each(conf.scopes, &conf, sizeof conf, look, &l);
	check_limits(r, &l);
	if (l.bulk)
		check_addresses(r, &l);
}

const struct doctor_check doctor_outbound = {
	"outbound", "looks whether complaints about bulk mail come to somebody, "
	"and whether Postfix's limits stand above those of predelivery",
	kinds, DOCTOR_HOUSE, run,
};
