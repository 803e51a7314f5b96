/*
 * gatehouse lint: what the rules of predelivery find in a message, with the
 * code of the daemon and the settings of a sender.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "milter/settings.h"
#include "milters/predelivery/envelope.h"
#include "milters/predelivery/outbound_run.h"
#include "mime/message.h"
#include "text/address.h"
#include "text/json.h"
#include "tools/verb.h"

enum { RECIPIENTS = 10000, QUESTIONS = 300, TOTAL = 20000 };

struct lint_verb {
	struct arena *a;
	const char *config, *resolver, *login, *path;
	struct slice sender;		/* SLICE_NONE: that of From */
	struct recipient *recipients;
	size_t nrecipients;
	int64_t now;
	bool json, no_dns, help;

	struct house_conf house;
	struct predelivery_conf conf;
	struct policy *policy;
	const struct predelivery_conf *his;
	struct message msg;
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "login", required_argument, NULL, 'l' },
	{ "mail-from", required_argument, NULL, 'f' },
	{ "rcpt", required_argument, NULL, 'r' },
	{ "resolver", required_argument, NULL, 's' },
	{ "no-dns", no_argument, NULL, 'n' },
	{ "now", required_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse lint [OPTION]... MESSAGE\n"
	    "\n"
	    "Says of each rule for outbound mail whether MESSAGE (a file, or - "
	    "for standard\n"
	    "input) keeps it, and what predelivery would do about it. Exit "
	    "status 1: it would\n"
	    "be refused.\n"
	    "\n"
	    "  --login NAME     whose settings: who logs in under that name\n"
	    "  --mail-from F    reverse-path; else the address in From\n"
	    "  --rcpt R         recipient; may be given several times; else "
	    "those of To and Cc\n"
	    "  --resolver H:P   DNS server to ask; else what gatehouse.conf "
	    "says\n"
	    "  --no-dns         ask none: rules that need it are unknown\n"
	    "  --now SECONDS    the clock, since 1970\n"
	    "  --config DIR     folder with gatehouse.conf and "
	    "predelivery.conf\n"
	    "  --json           one JSON object");
	return EX_OK;
}

static struct slice
path_of(const char *text)
{
	struct slice s = slice_of(text);

	return s.len >= 2 && s.ptr[0] == '<' && s.ptr[s.len - 1] == '>' ?
	    slice_sub(s, 1, s.len - 2) : s;
}

static int
add_recipient(struct lint_verb *v, struct slice address)
{
	if (v->nrecipients == RECIPIENTS)
		return verb_fails(EX_USAGE, "over %d recipients", RECIPIENTS);
	v->recipients[v->nrecipients++] = (struct recipient){ address,
	    SLICE("smtp"), SLICE("") };
	return EX_OK;
}

static int
set_now(struct lint_verb *v, const char *text)
{
	uint64_t n;

	if (!slice_number(slice_of(text), INT64_MAX, &n))
		return verb_fails(EX_USAGE, "--now %s: seconds since 1970",
		    text);
	v->now = (int64_t)n;
	return EX_OK;
}

static int
take_option(struct lint_verb *v, int c)
{
	switch (c) {
	case 'c': v->config = optarg; break;
	case 'l': v->login = optarg; break;
	case 'f': v->sender = path_of(optarg); break;
	case 'r': return add_recipient(v, path_of(optarg));
	case 's': v->resolver = optarg; break;
	case 'n': v->no_dns = true; break;
	case 't': return set_now(v, optarg);
	case 'j': v->json = true; break;
	case 'h': v->help = true; break;
	default: return EX_USAGE;
	}
	return EX_OK;
}

static int
read_line(struct lint_verb *v, int argc, char **argv)
{
	int c, status = EX_OK;

	v->recipients = arena_array(v->a, RECIPIENTS, sizeof *v->recipients);
	optind = 1;
	while (status == EX_OK && !v->help &&
	    (c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		status = take_option(v, c);
	if (status != EX_OK || v->help)
		return status;
	if (argc - optind != 1)
		return verb_fails(EX_USAGE, "lint: one MESSAGE is wanted; "
		    "gatehouse lint --help says more");
	v->path = argv[optind];
	return EX_OK;
}

/* ---- whose settings ---- */

static int
load(struct lint_verb *v)
{
	struct milter_conf milter;
	struct conf_section ours[] = { { house_options, &v->house },
	    { NULL, NULL } };
	struct conf_section own[] = { { milter_options, &milter },
	    { predelivery_options, &v->conf }, { NULL, NULL } };
	const char *dir = verb_conf_dir(v->config), *file = NULL;
	struct slice why;
	enum rc rc;

	if (dir != NULL)
		file = arena_printf(v->a, "%s/predelivery.conf", dir).ptr;
	if (file != NULL && access(file, F_OK) != 0)
		file = NULL;
	if (conf_load(v->a, verb_house_file(dir, v->a), ours, &why) != RC_OK ||
	    house_finish(&v->house, v->a, &why) != RC_OK ||
	    conf_load(v->a, file, own, &why) != RC_OK ||
	    predelivery_finish(&v->conf, &v->house, v->a, &why) != RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	rc = policy_open(policy_path(&v->house, v->a), &v->house, &v->policy,
	    v->a, &why);
	return rc == RC_OK ? EX_OK : verb_fails(verb_status(rc), "%.*s",
	    SLICE_ARG(why));
}

static int
find_settings(struct lint_verb *v)
{
	struct client client = { .user = slice_of(v->login != NULL ? v->login :
	    "") };
	struct sender sender;
	struct slice why;
	enum rc rc;

	sender_of(v->a, v->policy, &v->conf.outbound, &client, &sender);
	rc = outbound_settings(v->a, v->policy, &v->conf, &sender, &v->his,
	    &why);
	return rc == RC_OK ? EX_OK : verb_fails(verb_status(rc), "%.*s",
	    SLICE_ARG(why));
}

/* ---- the message ---- */

static struct slice
first_address(struct lint_verb *v, const char *name)
{
	const struct field *f = message_field(&v->msg, slice_of(name), 0);
	struct address_list list;
	struct address address;

	if (f == NULL)
		return SLICE("");
	address_open(&list, v->a, f->body);
	return address_next(&list, &address) ? address_print(v->a,
	    address.local, address.domain) : SLICE("");
}

static int
add_visible(struct lint_verb *v)
{
	int status = EX_OK;

	for (size_t i = 0; i < v->msg.nfields; i++) {
		const struct field *f = &v->msg.fields[i];
		struct address_list list;
		struct address address;

		if (!slice_eq_nocase(f->name, SLICE("To")) &&
		    !slice_eq_nocase(f->name, SLICE("Cc")))
			continue;
		address_open(&list, v->a, f->body);
		while (status == EX_OK && address_next(&list, &address))
			status = add_recipient(v, address_print(v->a,
			    address.local, address.domain));
	}
	return status;
}

static int
read_message(struct lint_verb *v)
{
	struct slice bytes, head, body;
	int status = verb_read(v->path, v->a, &bytes);

	if (status != EX_OK)
		return status;
	message_split(v->a, bytes, &head, &body);
	message_read(&v->msg, v->a, head, body, NULL);
	if (v->sender.ptr == NULL)
		v->sender = first_address(v, "From");
	return v->nrecipients == 0 ? add_visible(v) : EX_OK;
}

/* MAIL FROM as it will go out: bounce_address has no key here. */
static struct slice
path_out(const struct lint_verb *v)
{
	struct envelope_how how = {
	    slice_of(v->his->outbound.bounce_address), false, NULL };
	struct slice path = envelope_rewrite(v->a, &how, v->sender, v->now);

	return path.ptr != NULL ? path : v->sender;
}

/* ---- what is found ---- */

static const char *const severities[] = { "off", "warn", "refuse" };

/* How much a rule counts for this mail, in this mode. */
static const char *
severity(const struct lint_verb *v, bool bulk, unsigned id)
{
	int mode = v->his->outbound.lint;

	return mode == LINT_OFF || (mode == LINT_BULK && !bulk) ? "off" :
	    severities[v->his->outbound.lint_rules[id]];
}

static void
print_json(const struct lint_verb *v, const struct lint_result *results,
    struct slice bulk, bool refused, struct buf *out)
{
	struct json w;

	json_init(&w, out);
	json_pretty(&w);
	json_begin_object(&w);
	json_put_bool(&w, "refused", refused);
	json_put(&w, "bulk", bulk);
	json_key(&w, "rules");
	json_begin_array(&w);
	for (unsigned i = 0; i < LINT_RULES; i++) {
		json_begin_object(&w);
		json_put(&w, "id", slice_of(lint_name(i)));
		json_put(&w, "result", slice_of(lint_state_name(
		    results[i].state)));
		json_put(&w, "severity", slice_of(severity(v, bulk.len > 0,
		    i)));
		json_put(&w, "why", results[i].why);
		json_put(&w, "rule", slice_of(lint_text(i)));
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_addc(out, '\n');
}

static void
print_text(const struct lint_verb *v, const struct lint_result *results,
    struct slice bulk, bool refused, struct buf *out)
{
	struct slice why = verb_safe(v->a, bulk);

	buf_addf(out, "%s%.*s\n", bulk.len > 0 ? "bulk mail: " :
	    "no bulk mail", SLICE_ARG(why));
	for (unsigned i = 0; i < LINT_RULES; i++) {
		why = verb_safe(v->a, results[i].why);
		buf_addf(out, "%-8s %-7s %s", lint_state_name(
		    results[i].state), severity(v, bulk.len > 0, i),
		    lint_name(i));
		if (why.len > 0)
			buf_addf(out, ": %.*s", SLICE_ARG(why));
		buf_addc(out, '\n');
	}
	buf_adds(out, refused ? "it would be refused\n" :
	    "it would not be refused\n");
}

static int
tell(const struct lint_verb *v, const struct lint_result *results,
    struct slice bulk)
{
	struct buf out = buf_in(v->a);
	bool refused = false;
	int status;

	for (unsigned i = 0; i < LINT_RULES; i++)
		refused = refused || (results[i].state == LINT_BAD &&
		    strcmp(severity(v, bulk.len > 0, i), "refuse") == 0);
	if (v->json)
		print_json(v, results, bulk, refused, &out);
	else
		print_text(v, results, bulk, refused, &out);
	status = verb_print(&out);
	return status == EX_OK && refused ? EXIT_UNEXPECTED : status;
}

/* All rules are looked at, those that are off too. */
static int
lint(struct lint_verb *v, struct dns *dns)
{
	struct outbound_conf conf = v->his->outbound;
	struct lint_mail m = { .arena = v->a, .conf = &conf,
	    .house = &v->house, .msg = &v->msg, .sender = path_out(v),
	    .recipients = v->recipients, .nrecipients = v->nrecipients,
	    .all = v->nrecipients, .now = v->now };
	struct lint_result results[LINT_RULES];
	struct lint_asking k = { .conf = &conf, .arena = v->a };
	struct lint_domains domains;
	struct dns_budget *budget;

	for (unsigned i = 0; i < LINT_RULES; i++)
		conf.lint_rules[i] = SEVERITY_WARN;
	if (dns == NULL) {
		lint_run(&m, results);
		return tell(v, results, lint_bulk(&m));
	}
	budget = dns_budget_new(dns, QUESTIONS, deadline_in(TOTAL));
	k.asking = asking_new(budget, LINT_QUESTIONS);
	lint_domains_of(&m, &domains);
	lint_asking_start(&k, &domains);
	lint_asking_wait(&k, &m, &domains, deadline_in(TOTAL));
	lint_run(&m, results);
	asking_free(k.asking);
	dns_budget_free(budget);
	return tell(v, results, lint_bulk(&m));
}

static int
lint_with_dns(struct lint_verb *v)
{
	struct dns_conf conf = { .cache_entries = 100, .ttl_max = 60,
	    .resolver = v->resolver != NULL ? v->resolver :
	    v->house.resolver,
	    .timeout_ms = (unsigned)v->house.resolver_timeout };
	struct slice why;
	struct dns *dns = dns_open(&conf, v->a, &why);
	int status;

	if (dns == NULL)
		return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
	status = lint(v, dns);
	dns_close(dns);
	return status;
}

int
verb_lint(int argc, char **argv, struct arena *a)
{
	struct lint_verb v = { .a = a, .sender = SLICE_NONE,
	    .now = clock_wall() };
	int status = read_line(&v, argc, argv);

	if (status != EX_OK)
		return status;
	if (v.help)
		return help();
	status = load(&v);
	if (status == EX_OK)
		status = find_settings(&v);
	if (status == EX_OK)
		status = read_message(&v);
	if (status == EX_OK)
		status = v.no_dns ? lint(&v, NULL) : lint_with_dns(&v);
	policy_drop(v.policy);
	return status;
}
