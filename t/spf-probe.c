/*
 * spf-probe - SPF through the dns room, for t/auth-check-ask.t
 *
 *	spf-probe list FILE			the scenarios of a file of cases
 *	spf-probe zone FILE SCENARIO		as dns-server wants it
 *	spf-probe run FILE SCENARIO RESOLVER [timeout=MS]
 *						its cases over the network: a
 *						line for each that went wrong,
 *						then how many were right
 *	spf-probe ask RESOLVER key=value...	one message: ip helo from
 *		timeout (ms of one question) until (ms of all) questions (budget)
 *		engine ahead explain both (HELO too) times free (gives it back
 *		without waiting)
 *						prints for each time: result
 *						waited-us total-us asked, then
 *						HELO's result or -, explanation
 *						in <>, reason
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "milters/auth-check/spf_ask.h"
#include "t/spf-cases.h"
#include "t/tap.h"

static struct arena *arena;

static struct spf_zone *
find_zone(const struct spf_cases *cases, const char *name)
{
	for (size_t i = 0; i < cases->count; i++)
		if (slice_eq(cases->cases[i].zone->name, slice_of(name))) {
			union { const struct spf_zone *in;
			    struct spf_zone *out; } z = {
			    cases->cases[i].zone };

			return z.out;
		}
	fprintf(stderr, "no scenario %s\n", name);
	exit(2);
}

static void
print_bytes(struct slice s, bool name)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (ascii_alnum(c) || c == '-' || c == '_' ||
		    (name ? c == '.' : c >= ' ' && c <= '~' && c != '"' &&
		    c != '\\'))
			putchar(c);
		else
			printf("\\%03u", (unsigned)(unsigned char)c);
	}
	if (name && s.len == 0)
		putchar('.');
}

static void
print_record(const struct spf_rr *rr)
{
	struct ip ip = { .family = 0 };
	struct slice text, data = rr->record.data;

	switch (rr->type) {
	case DNS_TXT:
		printf("TXT \"");
		print_bytes(data, false);
		printf("\"\n");
		return;
	case DNS_MX:
		printf("MX %u ", rr->record.preference);
		break;
	case DNS_PTR:
	case DNS_CNAME:
		printf("%s ", rr->type == DNS_PTR ? "PTR" : "CNAME");
		break;
	default:
		ip.family = rr->type == DNS_A ? AF_INET : AF_INET6;
		memcpy(ip.bytes, data.ptr, data.len);
		text = ip_format(arena, &ip);
		printf("%s %.*s\n", rr->type == DNS_A ? "A" : "AAAA",
		    SLICE_ARG(text));
		return;
	}
	print_bytes(data, true);
	putchar('\n');
}

static const char *
type_word(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_AAAA:
		return "AAAA";
	case DNS_MX:
		return "MX";
	case DNS_TXT:
		return "TXT";
	default:
		return type == 0 ? "*" : "PTR";
	}
}

static void
print_zone(const struct spf_zone *z)
{
	for (const struct spf_rr *rr = z->first; rr != NULL; rr = rr->next) {
		print_bytes(rr->name, true);
		putchar(' ');
		if (rr->status == DNS_OK)
			print_record(rr);
		else
			printf("%s %s\n", type_word(rr->type),
			    rr->status == DNS_TIMEOUT ? "SILENT" : "SERVFAIL");
	}
}

static unsigned
number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static struct dns *
open_dns(const char *resolver, unsigned timeout)
{
	struct dns_conf conf = { .resolver = resolver, .timeout_ms = timeout,
	    .cache_entries = 10000, .ttl_max = 3600 };
	struct slice why = SLICE_NONE;
	struct dns *dns = dns_open(&conf, arena, &why);

	if (dns == NULL) {
		fprintf(stderr, "dns_open: %.*s\n", SLICE_ARG(why));
		exit(2);
	}
	return dns;
}

static bool
run_case(struct dns *dns, const struct spf_case *c)
{
	struct dns_budget *b = dns_budget_new(dns, 200, DEADLINE_NEVER);
	struct spf_query q = { .helo = c->helo, .sender = c->from,
	    .receiver = SLICE("mx.receiver.example"), .now = 1700000000,
	    .voids = SPF_VOIDS, .explain = true, .ahead = true };
	struct spf_answer r;
	bool good;

	ip_parse(c->ip, &q.ip);
	spf_query_run(b, &q, SPF_ENGINE_OWN, deadline_in(30000), arena, &r);
	good = spf_cases_wanted(c->want, r.result) && (c->exp.ptr == NULL ||
	    slice_eq(c->exp, r.explanation));
	if (!good)
		printf("%.*s/%.*s: %s, not %.*s: %.*s <%.*s>\n",
		    SLICE_ARG(c->zone->name), SLICE_ARG(c->name),
		    spf_result_name(r.result), SLICE_ARG(c->want),
		    SLICE_ARG(r.reason), SLICE_ARG(r.explanation));
	dns_budget_free(b);
	return good;
}

static void
run_scenario(const struct spf_cases *cases, const char *name,
    const char *resolver, const char *timeout)
{
	struct dns *dns = open_dns(resolver, number(timeout));
	unsigned good = 0;

	for (size_t i = 0; i < cases->count; i++)
		if (slice_eq(cases->cases[i].zone->name, slice_of(name)) &&
		    !cases->cases[i].ordered)
			good += run_case(dns, &cases->cases[i]);
	printf("%u\n", good);
	dns_close(dns);
}

static const char *
setting(char **args, const char *key, const char *otherwise)
{
	size_t len = strlen(key);

	for (; *args != NULL; args++)
		if (strncmp(*args, key, len) == 0 && (*args)[len] == '=')
			return *args + len + 1;
	return otherwise;
}

static void
ask_once(struct dns *dns, char **args)
{
	unsigned until = number(setting(args, "until", "30000"));
	struct dns_budget *b = dns_budget_new(dns,
	    number(setting(args, "questions", "100")), deadline_in(until));
	struct spf_query q[2] = { { .voids = SPF_VOIDS } };
	struct spf_answer r[2];
	int64_t begin = clock_mono_us(), waited;
	bool both = number(setting(args, "both", "0")) != 0;
	struct spf_ask *ask;

	ip_parse(slice_of(setting(args, "ip", "192.0.2.1")), &q[0].ip);
	q[0].ahead = number(setting(args, "ahead", "1")) != 0;
	q[0].explain = number(setting(args, "explain", "1")) != 0;
	q[0].helo = slice_of(setting(args, "helo", "mail.example"));
	q[1] = q[0];
	q[0].sender = slice_of(setting(args, "from", ""));
	ask = spf_ask_start(b, q, both ? 2 : 1,
	    strcmp(setting(args, "engine", "own"), "own") == 0 ?
	    SPF_ENGINE_OWN : SPF_ENGINE_LIBSPF2);
	if (number(setting(args, "free", "0")) != 0) {
		dns_budget_cancel(b);
		spf_ask_free(ask);
		dns_budget_free(b);
		puts("freed");
		return;
	}
	waited = spf_ask_wait(ask, deadline_in(until), arena, r);
	printf("%s %lld %lld %u %s <%.*s> %.*s\n",
	    spf_result_name(r[0].result), (long long)waited,
	    (long long)(clock_mono_us() - begin), dns_budget_asked(b),
	    both ? spf_result_name(r[1].result) : "-",
	    SLICE_ARG(r[0].explanation), SLICE_ARG(r[0].reason));
	dns_budget_cancel(b);
	spf_ask_free(ask);
	dns_budget_free(b);
}

static void
list(const struct spf_cases *cases)
{
	const struct spf_zone *last = NULL;

	for (size_t i = 0; i < cases->count; i++) {
		if (cases->cases[i].zone != last)
			printf("%.*s\n",
			    SLICE_ARG(cases->cases[i].zone->name));
		last = cases->cases[i].zone;
	}
}

int
main(int argc, char **argv)
{
	struct spf_cases cases;
	struct dns *dns;

	arena = arena_new();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "ask") == 0) {
		dns = open_dns(argv[2],
		    number(setting(argv, "timeout", "1000")));
		for (unsigned i = number(setting(argv, "times", "1")); i > 0;
		    i--)
			ask_once(dns, argv);
		dns_close(dns);
	} else {
		spf_cases_read(arena, argv[2], &cases);
		if (strcmp(argv[1], "list") == 0)
			list(&cases);
		else if (strcmp(argv[1], "zone") == 0 && argc > 3)
			print_zone(find_zone(&cases, argv[3]));
		else if (strcmp(argv[1], "run") == 0 && argc > 4)
			run_scenario(&cases, argv[3], argv[4],
			    setting(argv, "timeout", "1000"));
	}
	arena_free(arena);
	return 0;
}
