/* What a recipe is made of: versions, services, time-outs, choices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/tap.h"
#include "tools/recipe.h"

static struct arena *a;

static const struct {
	const char *version, *since;
	bool has;
} versions[] = {
	{ "3.7.11", "3.9, 3.8.5, 3.7.10, 3.6.14, 3.5.24", true },
	{ "3.7.10", "3.9, 3.8.5, 3.7.10, 3.6.14, 3.5.24", true },
	{ "3.7.9", "3.9, 3.8.5, 3.7.10, 3.6.14, 3.5.24", false },
	{ "3.9.0", "3.9, 3.8.5, 3.7.10, 3.6.14, 3.5.24", true },
	{ "3.10.1", "3.9, 3.8.5, 3.7.10, 3.6.14, 3.5.24", true },
	{ "3.11-20251208", "3.9, 3.8.5", true },
	{ "4.0", "3.9", true }, { "3.8.4", "3.9, 3.8.5", false },
	{ "3.4.29", "3.9, 3.8.5, 3.7.10, 3.6.14, 3.5.24", false },
	{ "2.11.3", "3.0", false }, { "3.5.0", NULL, true },
	{ "3.6.0", "3.6", true }, { "3.5.99", "3.6", false },
};

static const struct {
	const char *one, *other;
	bool same;
} services[] = {
	{ "smtp/inet", "25/inet", true }, { "smtp/inet", "smtp/unix", false },
	{ "smtps/inet", "submissions/inet", true },
	{ "submission/inet", "587/inet", true },
	{ "127.0.0.1:10026/inet", "localhost:10026/inet", true },
	{ "127.0.0.1:10026/inet", "10026/inet", false },
	{ "[::1]:25/inet", "[::1]:smtp/inet", true },
	{ "0025/inet", "smtp/inet", true }, { "a/unix", "a/unix", true },
	{ "a/unix", "b/unix", false }, { "", "", true }, { "/", "x", false },
};

static void
tables(void)
{
	for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
		struct postfix_version v;

		tap_ok(postfix_version_read(versions[i].version, &v) &&
		    postfix_version_has(&v, versions[i].since) ==
		    versions[i].has, "%s has %s: %s", versions[i].version,
		    versions[i].since != NULL ? versions[i].since : "all",
		    versions[i].has ? "yes" : "no");
	}
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
		tap_ok(recipe_same_service(slice_of(services[i].one),
		    slice_of(services[i].other)) == services[i].same,
		    "\"%s\" and \"%s\"", services[i].one, services[i].other);
	struct postfix_version v;
	tap_ok(!postfix_version_read("", &v) && !postfix_version_read("x", &v)
	    && !postfix_version_read("3", &v), "no version");
	tap_is_str(recipe_time(96LL * 3600 * 1000, a), "4d", "96 hours");
	tap_is_str(recipe_time(30000, a), "30s", "half a minute");
	tap_is_str(recipe_time(30001, a), "31s", "and a little more");
	tap_is_str(recipe_time(0, a), "0s", "none");
}

/* --- whole recipes ----------------------------------------------------- */

struct setting {
	struct house_conf house;
	struct postfix_conf conf;
	struct recipe_filter filters[30];
	struct recipe_input in;
};

static void
set_up(struct setting *s, const char *text)
{
	const struct conf_section house[] = { { house_options, &s->house },
	    { NULL, NULL } };
	const struct conf_section own[] = { { postfix_conf_options, &s->conf },
	    { NULL, NULL } };
	struct slice why = SLICE("");

	*s = (struct setting){ 0 };
	if (conf_parse(a, "house", SLICE("hostname = \"mx.example.org\"; "
	    "domains = [ \"example.org\" ];"), house, &why) != RC_OK ||
	    house_finish(&s->house, a, &why) != RC_OK ||
	    conf_parse(a, "postfix.conf", slice_of(text), own, &why) !=
	    RC_OK)
		tap_ok(false, "%.*s", SLICE_ARG(why));
	s->in = (struct recipe_input){ .role = RECIPE_BOTH,
	    .version = { 3, 7, 11 }, .house = &s->house, .conf = &s->conf,
	    .chroot = true };
	for (int i = 0; i < 30; i++)
		s->filters[i] = (struct recipe_filter){ .name = "f",
		    .socket = "unix:gatehouse/f/sock", .deadline = 25000,
		    .content_timeout = 30000 };
	s->in.inbound = (struct recipe_chain){ s->filters, 2 };
	s->in.outbound = (struct recipe_chain){ s->filters, 1 };
}

static const char *
value(const struct recipe *r, const char *service, const char *name)
{
	for (size_t i = 0; i < r->nentries; i++) {
		const struct recipe_entry *e = &r->entries[i];

		if ((e->name == NULL) == (name == NULL) &&
		    (name == NULL || strcmp(e->name, name) == 0) &&
		    (service == NULL ? e->service == NULL :
		    e->service != NULL && strcmp(service, e->service) == 0))
			return e->value;
	}
	return "(none)";
}

static const struct {
	const char *name, *conf;
	enum recipe_role role;
	const char *service, *option, *want;
} choices[] = {
	{ "the queue", "", RECIPE_BOTH, NULL, "maximal_queue_lifetime", "4d" },
	{ "another time", "queue_lifetime = \"36h\";", RECIPE_BOTH, NULL,
	  "maximal_queue_lifetime", "36h" },
	{ "inbound has a door", "", RECIPE_INBOUND, "smtp/inet", NULL,
	  "inet n - y - - smtpd" },
	{ "outbound has not", "", RECIPE_OUTBOUND, "smtp/inet", NULL,
	  "(none)" },
	{ "outbound has others", "", RECIPE_OUTBOUND, "submission/inet", NULL,
	  "inet n - y - - smtpd" },
	{ "which can be left out", "submission_listener = \"\";",
	  RECIPE_OUTBOUND, "submission/inet", NULL, "(none)" },
	{ "postscreen", "postscreen = true;", RECIPE_INBOUND, "smtp/inet",
	  NULL, "inet n - y - 1 postscreen" },
	{ "and what is behind it", "postscreen = true;", RECIPE_INBOUND,
	  "smtpd/pass", "smtpd_milters", "$gatehouse_inbound" },
	{ "a closed door", "local_mail = \"closed\";", RECIPE_BOTH, NULL,
	  "authorized_submit_users", "root, gatehouse-dmarc-report" },
	{ "which inbound has as well", "", RECIPE_INBOUND, NULL,
	  "non_smtpd_milters", "$gatehouse_outbound" },
	{ "an open one", "", RECIPE_BOTH, NULL, "non_smtpd_milters",
	  "$gatehouse_outbound" },
	{ "DANE", "tls_out = \"dane\";", RECIPE_BOTH, NULL,
	  "smtp_dns_support_level", "dnssec" },
	{ "no scrub", "hide_inner = false;", RECIPE_BOTH,
	  "submission/inet", "cleanup_service_name", "(none)" },
	{ "weak levels do not count for some senders",
	  "tls_senders = [ \"a.example\" ]; tls_policy = [ \"b.example may\", "
	  "\"c.example secure match=x\" ];", RECIPE_BOTH,
	  "tls-policy-senders", NULL, "c.example secure match=x\n" },
	{ "pool and TLS", "tls_senders = [ \"a.example\" ]; pools = [ \"p "
	  "192.0.2.1\" ]; pool_senders = [ \"a.example p\" ];", RECIPE_BOTH,
	  "gatehouse-pool-p-tls/unix", "smtp_bind_address", "192.0.2.1" },
	{ "one of two kinds of address", "pools = [ \"p 2001:db8::1\" ]; "
	  "pool_senders = [ \"a.example p\" ];", RECIPE_BOTH,
	  "gatehouse-pool-p/unix", "inet_protocols", "ipv6" },
	{ "no sender, no transport", "pools = [ \"p 192.0.2.1\" ];",
	  RECIPE_BOTH, "gatehouse-pool-p/unix", NULL, "(none)" },
	{ "who may send", "allow_clients = [ \"192.0.2.0/24\", "
	  "\"2001:db8::/32\" ];", RECIPE_OUTBOUND, "clients", NULL,
	  "192.0.2.0/24 OK\n2001:db8::/32 OK\n" },
	{ "the best map", "recipient_maps = [ \"/etc/r\", \"hash:/etc/s\" ];",
	  RECIPE_INBOUND, NULL, "relay_recipient_maps",
	  "texthash:/etc/r, hash:/etc/s" },
	{ "the inner server", "inner_server = \"[a.inner]:25\";", RECIPE_BOTH,
	  NULL, "relay_transport", "relay:[a.inner]:25" },
	{ "inner servers encrypt", "relay_tls = true;", RECIPE_OUTBOUND,
	  "10025/inet", "smtpd_tls_security_level", "encrypt" },
	{ "or need not", "", RECIPE_OUTBOUND, "10025/inet",
	  "smtpd_tls_security_level", "(none)" },
	{ "domains", "", RECIPE_INBOUND, NULL, "relay_domains",
	  "example.org" },
};

static void
whole(void)
{
	struct setting s;
	struct recipe r;
	struct slice why = SLICE("");

	for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
		set_up(&s, choices[i].conf);
		s.in.role = choices[i].role;
		tap_ok(recipe_build(&s.in, &r, a, &why) == RC_OK, "%s",
		    choices[i].name);
		tap_is_str(value(&r, choices[i].service, choices[i].option),
		    choices[i].want, "is so");
	}
	set_up(&s, "");
	recipe_build(&s.in, &r, a, &why);
	tap_is_str(value(&r, NULL, "gatehouse_inbound"),
	    "{ unix:gatehouse/f/sock, connect_timeout=5s, "
	    "command_timeout=10s, content_timeout=30s, "
	    "default_action=tempfail }, { unix:gatehouse/f/sock, "
	    "connect_timeout=5s, command_timeout=10s, content_timeout=30s, "
	    "default_action=tempfail }", "a chain");
	tap_is_str(value(&r, "127.0.0.1:10026/inet", NULL), "(none)",
	    "no notices, no listener for them");
	s.in.notices = true;
	recipe_build(&s.in, &r, a, &why);
	tap_is_str(value(&r, "127.0.0.1:10026/inet", "smtpd_milters"), "",
	    "notices pass no filter");
	tap_is_str(value(&r, "127.0.0.1:10026/inet",
	    "smtpd_client_restrictions"), "permit_mynetworks, reject",
	    "and come from here");
	for (size_t i = 0; i < r.nentries; i++)
		if (r.entries[i].reason == NULL || strchr(r.entries[i].reason,
		    '\n') != NULL)
			tap_ok(false, "%s has no reason", r.entries[i].name);
}

static void
bounds(void)
{
	struct setting s;
	struct recipe r;
	struct slice why = SLICE("");

	set_up(&s, "");
	s.in.inbound.count = 19;
	tap_ok(recipe_build(&s.in, &r, a, &why) == RC_OK, "570 seconds");
	s.in.inbound.count = 20;
	tap_ok(recipe_build(&s.in, &r, a, &why) == RC_BAD &&
	    slice_search(why, SLICE("600s together")) < why.len,
	    "600 seconds are too many");
	s.in.inbound.count = 1;
	s.in.outbound.count = 21;
	tap_ok(recipe_build(&s.in, &r, a, &why) == RC_BAD &&
	    slice_search(why, SLICE("outbound")) < why.len, "outbound too");
}

/* --- what is there already --------------------------------------------- */

static const char *
existing(void *arg, const char *name)
{
	const char *const *pairs = arg;

	for (; *pairs != NULL; pairs += 2)
		if (strcmp(pairs[0], name) == 0)
			return pairs[1];
	return NULL;
}

static void
theirs(void)
{
	static const char *const pairs[] = {
		"smtp_header_checks", "pcre:/etc/x",
		"lmtp_header_checks",
		"regexp:${config_directory}/gatehouse/strip, pcre:/etc/y",
		"smtpd_milters", "inet:localhost:8891",
		"mydestination", "localhost, example.org",
		"smtpd_sender_login_maps", "hash:/etc/logins",
		"smtp_tls_security_level", "dane", NULL,
	};
	struct setting s;
	struct recipe r;
	struct slice why = SLICE("");

	set_up(&s, "");
	s.in.existing = existing;
	s.in.arg = (void *)(uintptr_t)pairs;
	tap_ok(recipe_build(&s.in, &r, a, &why) == RC_OK, "what is there");
	tap_is_str(value(&r, NULL, "smtp_header_checks"),
	    "regexp:${config_directory}/gatehouse/strip, pcre:/etc/x",
	    "comes behind ours");
	tap_is_str(value(&r, NULL, "lmtp_header_checks"), pairs[3],
	    "or is ours already");
	tap_is_str(value(&r, "smtp/inet", "smtpd_milters"),
	    "$gatehouse_inbound, inet:localhost:8891", "milters stay");
	tap_is_str(value(&r, "submission/inet", "smtpd_sender_restrictions"),
	    "reject_sender_login_mismatch", "who may use which sender too");
	tap_is_str(value(&r, "10025/inet", "smtpd_sender_restrictions"), "",
	    "but there are no logins there");
	tap_is_str(value(&r, NULL, "relay_domains"), "",
	    "a domain is not in two lists");
}

/* Routes of rules, where there are rules. */
static void
routes(void)
{
	struct setting s;
	struct recipe r;
	struct slice why = SLICE("");

	set_up(&s, "");
	tap_ok(recipe_build(&s.in, &r, a, &why) == RC_OK &&
	    strcmp(value(&r, NULL, "milter_header_checks"), "(none)") == 0,
	    "no rules, no routes");
	s.house.inbound = (struct conf_list){ (const struct slice[]){
	    SLICE("auth-check"), SLICE("predelivery") }, 2 };
	tap_ok(recipe_build(&s.in, &r, a, &why) == RC_OK, "with rules");
	tap_is_str(value(&r, NULL, "milter_header_checks"),
	    "regexp:${config_directory}/gatehouse/route",
	    "cleanup is told of routes");
	tap_is_str(value(&r, "route", NULL), "%^X-Gatehouse-Route: "
	    "([A-Za-z0-9_-]+:[][A-Za-z0-9.:_/-]+)$% FILTER $1\n",
	    "as t/smtp-rules.t tries it");
}

static size_t
notes_about(const struct recipe *r, const char *about)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nnotes; i++)
		n += strcmp(r->notes[i].about, about) == 0;
	return n;
}

static void
their_domains(void)
{
	static const struct { const char *is; size_t notes; } cases[] = {
		{ "example.org", 0 }, { "a.test, example.org b.test", 0 },
		{ "a.test", 1 }, { "sub.example.org", 1 },
		{ "example.org.test", 1 }, { "hash:/etc/x", 0 },
		{ "$mydomain", 0 },
	};
	struct setting s;
	struct recipe r;
	struct slice why = SLICE("");

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *pairs[] = { "relay_domains", cases[i].is, NULL };

		set_up(&s, "");
		s.in.existing = existing;
		s.in.arg = pairs;
		tap_ok(recipe_build(&s.in, &r, a, &why) == RC_OK &&
		    notes_about(&r, "relay_domains") == cases[i].notes,
		    "relay_domains = %s", cases[i].is);
	}
}

/* --- mail that is split ------------------------------------------------ */

static void
split_house(struct setting *s, const char *conf)
{
	set_up(s, conf);
	s->house.splitter = true;
	s->house.seal_key = "/etc/gatehouse/seal.key";
	s->in.splitter = (struct recipe_splitter){
		.socket = "unix:gatehouse/splitter/sock",
		.server = "127.0.0.1:10038", .deadline = 540000 };
}

static const struct {
	const char *service, *option, *want;
} split[] = {
	{ "split", NULL, "/^X-Gatehouse-Split:/ FILTER "
	  "gatehouse-split:unix:gatehouse/splitter/sock\n" },
	{ NULL, "milter_header_checks",
	  "regexp:${config_directory}/gatehouse/split" },
	{ "gatehouse-split/unix", NULL, "unix - - y - - lmtp" },
	{ "gatehouse-split/unix", "lmtp_fallback_relay", "" },
	{ "gatehouse-split/unix", "lmtp_header_checks", "" },
	{ "gatehouse-split/unix", "lmtp_data_done_timeout", "10m" },
	{ "gatehouse-split-cleanup/unix", "milter_header_checks", "" },
	{ "127.0.0.1:10038/inet", "smtpd_milters", "$gatehouse_inbound" },
	{ "127.0.0.1:10038/inet", "milter_macro_daemon_name", "SPLIT" },
	{ "127.0.0.1:10038/inet", "cleanup_service_name",
	  "gatehouse-split-cleanup" },
	{ "127.0.0.1:10038/inet", "smtpd_recipient_restrictions",
	  "permit_mynetworks, reject" },
};

static const struct {
	const char *name, *conf, *server, *key, *why;
} unsplit[] = {
	{ "no listener", "split_listener = \"\";", "127.0.0.1:10038", "k",
	  "split_listener is empty" },
	{ "open to the world", "split_listener = \"10038\";", "10038", "k",
	  "wants an address of loopback" },
	{ "two that differ", "", "127.0.0.1:10039", "k",
	  "have to be the same" },
	{ "no key", "", "127.0.0.1:10038", "", "no seal_key" },
};

static void
splits(void)
{
	static const char *const checks[] = { "milter_header_checks",
	    "pcre:/etc/x", NULL };
	struct setting s;
	struct recipe r;
	struct slice why = SLICE("");

	set_up(&s, "");
	recipe_build(&s.in, &r, a, &why);
	tap_is_str(value(&r, NULL, "milter_header_checks"), "(none)",
	    "without a splitter nothing is split");
	split_house(&s, "");
	s.in.role = RECIPE_OUTBOUND;
	recipe_build(&s.in, &r, a, &why);
	tap_is_str(value(&r, NULL, "milter_header_checks"), "(none)",
	    "nor in outbound mail");
	split_house(&s, "");
	tap_ok(recipe_build(&s.in, &r, a, &why) == RC_OK, "with one");
	for (size_t i = 0; i < sizeof split / sizeof split[0]; i++)
		tap_is_str(value(&r, split[i].service, split[i].option),
		    split[i].want, "%s %s", split[i].service != NULL ?
		    split[i].service : "main.cf", split[i].option != NULL ?
		    split[i].option : "is there");
	split_house(&s, "");
	s.in.existing = existing;
	s.in.arg = (void *)(uintptr_t)checks;
	recipe_build(&s.in, &r, a, &why);
	tap_is_str(value(&r, NULL, "milter_header_checks"),
	    "regexp:${config_directory}/gatehouse/split, pcre:/etc/x",
	    "checks of the administrator's come behind ours");
	tap_is_str(value(&r, "gatehouse-split-cleanup/unix",
	    "milter_header_checks"), "pcre:/etc/x",
	    "and alone in the second pass");
	for (size_t i = 0; i < sizeof unsplit / sizeof unsplit[0]; i++) {
		split_house(&s, unsplit[i].conf);
		s.in.splitter.server = unsplit[i].server;
		s.house.seal_key = unsplit[i].key;
		tap_ok(recipe_build(&s.in, &r, a, &why) == RC_BAD &&
		    slice_search(why, slice_of(unsplit[i].why)) < why.len,
		    "%s: %.*s", unsplit[i].name, SLICE_ARG(why));
	}
}

/* --- drafts ------------------------------------------------------------ */

static const struct {
	const char *service, *option, *want;
} drafts[] = {
	{ "spamcheck", NULL, "check@our.test gatehouse-spamcheck:"
	  "unix:gatehouse/spamcheck/sock\ntest@our.test gatehouse-spamcheck:"
	  "unix:gatehouse/spamcheck/sock\n" },
	{ "spamcheck-access", NULL, "check@our.test permit_mynetworks, reject"
	  "\ntest@our.test permit_mynetworks, reject\n" },
	{ NULL, "transport_maps", "texthash:${config_directory}/gatehouse/"
	  "spamcheck, hash:/etc/x" },
	{ NULL, "smtpd_recipient_restrictions", "check_recipient_access "
	  "texthash:${config_directory}/gatehouse/spamcheck-access" },
	{ NULL, "relay_recipient_maps", "hash:/etc/r, "
	  "texthash:${config_directory}/gatehouse/spamcheck" },
	{ "gatehouse-spamcheck/unix", NULL, "unix - - y - - lmtp" },
	{ "gatehouse-spamcheck/unix", "lmtp_send_xforward_command", "yes" },
	{ "gatehouse-spamcheck/unix", "lmtp_header_checks", "" },
	{ "gatehouse-spamcheck/unix", "lmtp_fallback_relay", "" },
	{ "gatehouse-spamcheck/unix", "lmtp_data_done_timeout", "3m" },
};

static void
spamcheck(void)
{
	static const struct slice addresses[] = { { "check@our.test", 14 },
	    { "test@our.test", 13 } };
	struct setting s;
	struct recipe r;
	struct slice why = SLICE("");

	set_up(&s, "recipient_maps = [ \"hash:/etc/r\" ];");
	recipe_build(&s.in, &r, a, &why);
	tap_is_str(value(&r, NULL, "transport_maps"), "(none)",
	    "without an address there is no spam check");
	tap_is_str(value(&r, NULL, "relay_recipient_maps"), "hash:/etc/r",
	    "and nobody more");
	set_up(&s, "recipient_maps = [ \"hash:/etc/r\" ];"
	    "transport_maps = [ \"hash:/etc/x\" ];");
	s.house.spamcheck = (struct conf_list){ addresses, 2 };
	s.in.spamcheck = (struct recipe_spamcheck){
	    .socket = "unix:gatehouse/spamcheck/sock", .deadline = 120000 };
	tap_ok(recipe_build(&s.in, &r, a, &why) == RC_OK, "with two");
	for (size_t i = 0; i < sizeof drafts / sizeof drafts[0]; i++)
		tap_is_str(value(&r, drafts[i].service, drafts[i].option),
		    drafts[i].want, "%s %s", drafts[i].service != NULL ?
		    drafts[i].service : "main.cf", drafts[i].option != NULL ?
		    drafts[i].option : "is there");
	s.in.role = RECIPE_OUTBOUND;
	recipe_build(&s.in, &r, a, &why);
	tap_is_str(value(&r, NULL, "smtpd_recipient_restrictions"), "(none)",
	    "outbound listeners know their clients");
	tap_is_str(value(&r, "gatehouse-spamcheck/unix", NULL),
	    "unix - - y - - lmtp", "and drafts go the same way");
}

int
main(void)
{
	a = arena_new();
	tables();
	whole();
	bounds();
	theirs();
	routes();
	their_domains();
	splits();
	spamcheck();
	arena_free(a);
	return tap_done();
}
