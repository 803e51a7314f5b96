/* Does DNS answer, and does it say of us what other mail servers look for? */
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net/dns.h"
#include "net/ip.h"
#include "tools/doctor.h"

enum { SILENT, BROKEN, SLOW, NO_ADDRESS, NO_PTR, NO_MX, NO_SPF, TWO_SPF,
    NO_DMARC, NULL_MX, UNVALIDATED };

static const struct doctor_kind kinds[] = {
	[SILENT] = { "silent", DOCTOR_CRITICAL,
	    "Without DNS no SPF, DKIM or DMARC is known, and no mail finds its "
	    "way out." },
	[BROKEN] = { "broken", DOCTOR_WARNING,
	    "Whoever asks for this name gets no answer either, and defers." },
	[SLOW] = { "slow", DOCTOR_WARNING,
	    "Each message waits for several answers." },
	[NO_ADDRESS] = { "no-address", DOCTOR_WARNING,
	    "Many servers take no mail from a host whose name has no "
	    "address." },
	[NO_PTR] = { "no-ptr", DOCTOR_WARNING,
	    "Many servers take no mail from an address without a name that "
	    "leads back to it." },
	[NO_MX] = { "no-mx", DOCTOR_WARNING,
	    "Nobody can send mail to this domain." },
	[NO_SPF] = { "no-spf", DOCTOR_WARNING,
	    "Anybody may send in its name, and large sites take less of its "
	    "mail." },
	[TWO_SPF] = { "two-spf", DOCTOR_WARNING,
	    "Two SPF records are a permanent error: all mail of the domain "
	    "fails." },
	[NO_DMARC] = { "no-dmarc", DOCTOR_WARNING,
	    "What is forged in its name is delivered, and nobody tells us." },
	[NULL_MX] = { "null-mx", DOCTOR_WARNING,
	    "A null MX says that this domain takes no mail." },
	[UNVALIDATED] = { "not-validated", DOCTOR_WARNING,
	    "Postfix believes no TLSA record that its resolver has not "
	    "validated: nobody is checked by DANE, and dane-only waits for "
	    "ever." },
	{ NULL, 0, NULL }
};

enum { QUESTIONS = 500, DOMAINS = 50, SLOW_MS = 1000 };

struct state {
	struct doctor_report *r;
	struct dns_budget *budget;
	unsigned asked, silent;
	int64_t slowest;
	struct slice slowest_name;
};

/* True when it is known what there is, or that there is nothing. */
static bool
ask(struct state *s, const char *name, enum dns_type type,
    struct dns_answer *answer_r)
{
	int64_t before = clock_mono(), took;

	if (s->silent > 0)
		return false;		/* once is enough to wait for it */
	dns_wait(s->budget, slice_of(name), type, s->r->arena, answer_r);
	took = clock_mono() - before;
	s->asked++;
	if (answer_r->status == DNS_OK && took > s->slowest) {
		s->slowest = took;
		s->slowest_name = slice_of(name);
	}
	switch (answer_r->status) {
	case DNS_OK:
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		return true;
	case DNS_TIMEOUT:
	case DNS_BUDGET:
	case DNS_CANCELLED:
		s->silent++;
		return false;
	default:
		doctor_say(s->r, BROKEN, NULL, "%s: its servers do not "
		    "answer as they should (%s)", name,
		    dns_status_name(answer_r->status));
		return false;
	}
}

/* One of the address's names is ours: servers look for just that. */
static void
check_reverse(struct state *s, const char *hostname,
    const struct dns_record *record, int family)
{
	struct dns_answer answer;
	struct ip ip;

	ip_of_bytes(family, record->data.ptr, &ip);
	if (!ask(s, arena_str(s->r->arena, ip_reverse(s->r->arena, &ip)),
	    DNS_PTR, &answer))
		return;
	for (size_t i = 0; i < answer.count; i++)
		if (slice_eq_nocase(answer.records[i].data,
		    slice_of(hostname)))
			return;
	doctor_say(s->r, NO_PTR, doctor_type(s->r,
	    "# whoever owns the address sets: %.*s. PTR %s.",
	    SLICE_ARG(ip_reverse(s->r->arena, &ip)), hostname),
	    "%.*s, an address of %s, has no PTR record of that name",
	    SLICE_ARG(ip_format(s->r->arena, &ip)), hostname);
}

static void
check_host(struct state *s, const char *hostname)
{
	struct dns_answer a = { .count = 0 }, aaaa = { .count = 0 };
	bool known = ask(s, hostname, DNS_A, &a) &&
	    ask(s, hostname, DNS_AAAA, &aaaa);

	if (known && a.count + aaaa.count == 0)
		doctor_say(s->r, NO_ADDRESS, doctor_type(s->r,
		    "# in DNS: %s. A (and AAAA) with this host's address",
		    hostname), "%s (hostname) has no address", hostname);
	for (size_t i = 0; i < a.count && i < 4; i++)
		check_reverse(s, hostname, &a.records[i], AF_INET);
	for (size_t i = 0; i < aaaa.count && i < 4; i++)
		check_reverse(s, hostname, &aaaa.records[i], AF_INET6);
}

static void
check_mx(struct state *s, const char *domain)
{
	struct doctor_report *r = s->r;
	struct dns_answer mx, a, aaaa;

	if (!ask(s, domain, DNS_MX, &mx))
		return;
	if (mx.count == 1 && mx.records[0].data.len == 0) {
		doctor_say(r, NULL_MX, doctor_type(r, "# in DNS: %s. MX 10 %s.",
		    domain, r->doctor->house->hostname),
		    "%s is in domains, but its MX is null", domain);
		return;
	}
	if (mx.count > 0) {
		doctor_saw(r, "%s: %zu MX", domain, mx.count);
		return;
	}
	/* Without an MX its address counts (RFC 5321, 5.1). */
	if (ask(s, domain, DNS_A, &a) && ask(s, domain, DNS_AAAA, &aaaa) &&
	    a.count + aaaa.count == 0)
		doctor_say(r, NO_MX, doctor_type(r, "# in DNS: %s. MX 10 %s.",
		    domain, r->doctor->house->hostname),
		    "%s has neither MX nor address", domain);
}

static size_t
count_texts(const struct dns_answer *answer, struct slice version)
{
	size_t n = 0;

	for (size_t i = 0; i < answer->count; i++) {
		struct slice text = answer->records[i].data;

		if (!slice_starts_nocase(text, version))
			continue;
		text = slice_after(text, version.len);
		n += text.len == 0 || !ascii_alnum(text.ptr[0]);
	}
	return n;
}

static void
check_policies(struct state *s, const char *domain)
{
	struct doctor_report *r = s->r;
	struct dns_answer txt;

	if (ask(s, domain, DNS_TXT, &txt)) {
		size_t n = count_texts(&txt, SLICE("v=spf1"));

		if (n == 0)
			doctor_say(r, NO_SPF, doctor_type(r, "# in DNS: %s. "
			    "TXT \"v=spf1 mx -all\"", domain),
			    "%s has no SPF record", domain);
		else if (n > 1)
			doctor_say(r, TWO_SPF, doctor_type(r,
			    "# in DNS: leave one TXT \"v=spf1 ...\" at %s.",
			    domain), "%s has %zu SPF records", domain, n);
	}
	if (ask(s, arena_printf(r->arena, "_dmarc.%s", domain).ptr, DNS_TXT,
	    &txt) && count_texts(&txt, SLICE("v=DMARC1")) == 0)
		doctor_say(r, NO_DMARC, doctor_type(r, "# in DNS: _dmarc.%s. "
		    "TXT \"v=DMARC1; p=none; rua=mailto:postmaster@%s\"",
		    domain, domain), "%s has no DMARC record", domain);
}

/* --- what Postfix's own resolver says of itself --- */

static bool
level_is_dane(const struct doctor_report *r, const struct postconf_service *s)
{
	return slice_starts(postconf_value(r->doctor->postfix, s,
	    "smtp_tls_security_level", r->arena), SLICE("dane"));
}

static bool
wants_dane(const struct doctor_report *r)
{
	const struct postconf *pc = r->doctor->postfix;
	bool wants = pc != NULL && level_is_dane(r, NULL);

	for (size_t i = 0; pc != NULL && i < pc->nservices; i++)
		if (slice_eq(pc->services[i].command, SLICE("smtp")))
			wants = wants || level_is_dane(r, &pc->services[i]);
	return wants;
}

enum { AD = 0x20 };		/* in the fourth byte (RFC 4035, 3.2.3) */

/* The root is signed, so a resolver that validates says so of it. Postfix asks
 * those of /etc/resolv.conf, whatever ours is. */
static bool
is_validated(void)
{
	struct __res_state state = { .options = 0 };
	unsigned char query[NS_PACKETSZ], answer[NS_MAXMSG];
	bool validated = false;
	int n;

	if (res_ninit(&state) != 0)
		return false;
	state.retrans = 1;
	state.retry = 1;
	state.options |= RES_TRUSTAD;
	n = res_nmkquery(&state, ns_o_query, ".", ns_c_in, ns_t_ns, NULL, 0,
	    NULL, query, sizeof query);
	if (n > 3) {
		query[3] |= AD;
		n = res_nsend(&state, query, n, answer, sizeof answer);
		validated = n > 3 && (answer[3] & AD);
	}
	res_nclose(&state);
	return validated;
}

static void
check_dane(struct doctor_report *r)
{
	if (!wants_dane(r))
		return;
	if (is_validated())
		doctor_saw(r, "answers of /etc/resolv.conf's are validated");
	else
		doctor_say(r, UNVALIDATED, "# a resolver on this machine "
		    "validates: apt install unbound, and nameserver 127.0.0.1 "
		    "in /etc/resolv.conf", "smtp_tls_security_level wants "
		    "DANE, but the resolver of /etc/resolv.conf does not say "
		    "that it validates");
}

static const char *
resolver_name(const struct house_conf *house)
{
	return house->resolver[0] != '\0' ? house->resolver :
	    "what /etc/resolv.conf names";
}

static void
conclude(struct state *s)
{
	const struct house_conf *house = s->r->doctor->house;

	if (s->silent > 0)
		doctor_say(s->r, SILENT, house->resolver[0] != '\0' ?
		    "# start that server, or name another one as resolver in "
		    "gatehouse.conf" :
		    "# name one that answers in /etc/resolv.conf, best one on "
		    "this machine",
		    "the resolver (%s) gave no answer in %lldms",
		    resolver_name(house), (long long)house->resolver_timeout);
	else if (s->slowest > SLOW_MS)
		doctor_say(s->r, SLOW, "# a resolver on this machine keeps "
		    "answers: apt install unbound",
		    "%.*s was answered after %lldms",
		    SLICE_ARG(s->slowest_name), (long long)s->slowest);
	doctor_saw(s->r, "%u questions to %s, the slowest took %lldms",
	    s->asked, resolver_name(house), (long long)s->slowest);
}

static void
run(struct doctor_report *r)
{
	const struct house_conf *house = r->doctor->house;
	int64_t left = deadline_left(r->doctor->until - 500) + 100;
	/* Libunbound asks again; its own time-out is not to be met here. */
	struct dns_conf conf = { .resolver = house->resolver, .timeout_ms =
	    (unsigned)(house->resolver_timeout < left / 2 ?
	    house->resolver_timeout : left / 2), .cache_entries = 1000,
	    .ttl_max = 60 };
	struct slice why = SLICE("");
	struct dns *dns = dns_open(&conf, r->arena, &why);
	struct state s = { .r = r };

	check_dane(r);
	if (dns == NULL) {
		doctor_unseen(r, "no resolver: %.*s", SLICE_ARG(why));
		return;
	}
	s.budget = dns_budget_new(dns, QUESTIONS, deadline_in(left));
	check_host(&s, house->hostname);
	for (size_t i = 0; i < house->domains.count && i < DOMAINS; i++) {
		check_mx(&s, house->domains.items[i].ptr);
		check_policies(&s, house->domains.items[i].ptr);
	}
	conclude(&s);
	if (house->domains.count > DOMAINS)
		doctor_saw(r, "only the first %d domains were looked at",
		    DOMAINS);
	dns_budget_free(s.budget);
	dns_close(dns);
}

const struct doctor_check doctor_dns = {
	"dns", "asks the resolver for what others look for: our name and "
	"address, and MX, SPF and DMARC of our domains; DNSSEC where Postfix "
	"wants DANE", kinds, DOCTOR_HOUSE, run,
};
