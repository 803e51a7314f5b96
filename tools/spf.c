/* gatehouse spf: one evaluation of check_host() (RFC 7208), and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "milters/auth-check/spf_ask.h"
#include "text/json.h"
#include "tools/verb.h"

enum { TIMEOUT = 2000, TOTAL = 20000, QUESTIONS = 300 };

struct spf_verb {
	struct arena *a;
	struct spf_query query;
	const char *ip, *resolver, *expect;
	unsigned timeout;
	enum spf_engine engine;
	bool json, help;
};

static const struct option longs[] = {
	{ "ip", required_argument, NULL, 'i' },
	{ "helo", required_argument, NULL, 'l' },
	{ "mail-from", required_argument, NULL, 'f' },
	{ "resolver", required_argument, NULL, 's' },
	{ "timeout", required_argument, NULL, 't' },
	{ "engine", required_argument, NULL, 'e' },
	{ "receiver", required_argument, NULL, 'r' },
	{ "expect", required_argument, NULL, 'x' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse spf --ip IP [OPTION]...\n"
	    "\n"
	    "Evaluates SPF (RFC 7208) for a client and says what decided.\n"
	    "\n"
	    "  --ip IP          the client's address\n"
	    "  --helo H         what the client says in HELO\n"
	    "  --mail-from F    reverse-path; without one the HELO identity "
	    "is checked\n"
	    "  --receiver NAME  our own name, for %{r} in explanations\n"
	    "  --resolver H:P   DNS server to ask; else /etc/resolv.conf\n"
	    "  --timeout MS     of one question (2000); of all together "
	    "20 seconds\n"
	    "  --engine NAME    own (default) or libspf2\n"
	    "  --expect RESULT  exit status 1 when it is another one\n"
	    "  --json           one JSON object\n"
	    "\n"
	    "Results: pass, fail, softfail, neutral, none, temperror, "
	    "permerror.");
	return EX_OK;
}

static int
set_timeout(struct spf_verb *v, const char *text)
{
	uint64_t n;

	if (!slice_number(slice_of(text), 600000, &n) || n == 0)
		return verb_fails(EX_USAGE, "--timeout %s: 1 to 600000 "
		    "milliseconds", text);
	v->timeout = (unsigned)n;
	return EX_OK;
}

static int
set_engine(struct spf_verb *v, const char *text)
{
	for (int i = 0; spf_engine_names[i] != NULL; i++) {
		if (strcmp(text, spf_engine_names[i]) == 0) {
			v->engine = (enum spf_engine)i;
			return EX_OK;
		}
	}
	return verb_fails(EX_USAGE, "--engine %s: own or libspf2", text);
}

static int
set_ip(struct spf_verb *v, const char *text)
{
	if (!ip_parse(slice_of(text), &v->query.ip))
		return verb_fails(EX_USAGE, "--ip %s: no address", text);
	v->ip = text;
	return EX_OK;
}

static int
set_expect(struct spf_verb *v, const char *text)
{
	for (int i = 0; i < SPF_PENDING; i++)
		if (strcmp(text, spf_result_name((enum spf_result)i)) == 0)
			v->expect = text;
	return v->expect != NULL ? EX_OK : verb_fails(EX_USAGE,
	    "--expect %s: no result of SPF", text);
}

static struct slice
path_of(const char *text)
{
	struct slice s = slice_of(text);

	return s.len >= 2 && s.ptr[0] == '<' && s.ptr[s.len - 1] == '>' ?
	    slice_sub(s, 1, s.len - 2) : s;
}

static int
take_option(struct spf_verb *v, int c)
{
	switch (c) {
	case 'i': return set_ip(v, optarg);
	case 'l': v->query.helo = slice_of(optarg); break;
	case 'f': v->query.sender = path_of(optarg); break;
	case 's': v->resolver = optarg; break;
	case 't': return set_timeout(v, optarg);
	case 'e': return set_engine(v, optarg);
	case 'r': v->query.receiver = slice_of(optarg); break;
	case 'x': return set_expect(v, optarg);
	case 'j': v->json = true; break;
	case 'h': v->help = true; break;
	default: return EX_USAGE;
	}
	return EX_OK;
}

static int
read_line(struct spf_verb *v, int argc, char **argv)
{
	int c, status = EX_OK;

	optind = 1;
	while (status == EX_OK && !v->help &&
	    (c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		status = take_option(v, c);
	if (status != EX_OK || v->help)
		return status;
	if (optind < argc)
		return verb_fails(EX_USAGE, "spf: no such argument: %s",
		    argv[optind]);
	if (v->ip == NULL)
		return verb_fails(EX_USAGE, "spf: --ip is wanted; gatehouse "
		    "spf --help says more");
	return EX_OK;
}

static void
print_json(struct buf *out, const struct spf_verb *v,
    const struct spf_answer *answer, int64_t us)
{
	struct json w;

	json_init(&w, out);
	json_pretty(&w);
	json_begin_object(&w);
	json_put(&w, "result", slice_of(spf_result_name(answer->result)));
	json_put(&w, "mechanism", answer->mechanism);
	json_put(&w, "explanation", answer->explanation);
	json_put_int(&w, "lookups", answer->lookups);
	json_put_int(&w, "void_lookups", answer->voids);
	json_put(&w, "identity", answer->identity);
	json_put(&w, "domain", answer->domain);
	json_put(&w, "decided_by", answer->decided);
	json_put(&w, "reason", answer->reason);
	json_put(&w, "engine", slice_of(spf_engine_names[v->engine]));
	json_put_int(&w, "ms", us / 1000);
	json_end(&w);
	buf_addc(out, '\n');
}

static void
print_text(struct buf *out, struct arena *a, const struct spf_answer *answer)
{
	buf_addf(out, "%s", spf_result_name(answer->result));
	if (answer->mechanism.len > 0) {
		buf_adds(out, " by ");
		buf_add(out, verb_safe(a, answer->mechanism));
	}
	buf_adds(out, "\n  ");
	buf_add(out, verb_safe(a, answer->reason));
	if (answer->explanation.len > 0) {
		buf_adds(out, "\n  explanation: ");
		buf_add(out, verb_safe(a, answer->explanation));
	}
	buf_addf(out, "\n  %u lookups, %u void\n", answer->lookups,
	    answer->voids);
}

static int
evaluate(struct spf_verb *v, struct dns *dns)
{
	deadline_t until = deadline_in(TOTAL);
	struct dns_budget *budget = dns_budget_new(dns, QUESTIONS, until);
	struct spf_answer answer;
	struct buf out = buf_in(v->a);
	int64_t began = clock_mono_us();
	int status;

	spf_query_run(budget, &v->query, v->engine, until, v->a, &answer);
	dns_budget_free(budget);
	if (v->json)
		print_json(&out, v, &answer, clock_mono_us() - began);
	else
		print_text(&out, v->a, &answer);
	status = verb_print(&out);
	if (status == EX_OK && v->expect != NULL &&
	    strcmp(v->expect, spf_result_name(answer.result)) != 0)
		status = EXIT_UNEXPECTED;
	return status;
}

int
verb_spf(int argc, char **argv, struct arena *a)
{
	struct spf_verb v = { .a = a, .timeout = TIMEOUT,
	    .query = { .helo = SLICE_NONE, .voids = SPF_VOIDS,
	    .explain = true, .ahead = true } };
	struct dns_conf conf = { .cache_entries = 1000, .ttl_max = 60 };
	struct slice why;
	struct dns *dns;
	int status = read_line(&v, argc, argv);

	if (status != EX_OK)
		return status;
	if (v.help)
		return help();
	conf.resolver = v.resolver;
	conf.timeout_ms = v.timeout;
	v.query.now = clock_wall();
	dns = dns_open(&conf, a, &why);
	if (dns == NULL)
		return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
	status = evaluate(&v, dns);
	dns_close(dns);
	return status;
}
