/*
 * What predelivery decides about mail that goes out, without a daemon: limits,
 * registered senders, bounce addresses. Tables of cases.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "milters/predelivery/envelope.h"
#include "milters/predelivery/limits.h"
#include "milters/predelivery/options.h"
#include "milters/predelivery/outbound_run.h"
#include "milters/predelivery/senders.h"
#include "mime/message.h"
#include "t/tap.h"

static struct policy *nobody;		/* that knows nobody */

static struct predelivery_conf
conf_of(struct arena *a, const char *text)
{
	struct predelivery_conf conf = { .scopes = NULL };
	const struct conf_section sections[] = {
		{ .options = predelivery_options, .base = &conf },
		{ .options = NULL },
	};
	struct slice why = SLICE_NONE;

	if (conf_parse(a, "predelivery.conf", slice_of(text), sections,
	    &why) != RC_OK)
		tap_ok(false, "%s: %.*s", text, SLICE_ARG(why));
	return conf;
}

/* ---- limits ---- */

#define KB(n)	((uint64_t)(n) * 1024)

static const struct {
	const char *name, *conf;
	struct limits_seen seen;
	int want;			/* enum limit_action; -1: within */
	const char *rule, *reply;
} limits[] = {
	{ "nothing", "", { 1, 0, 1, 1, 1000 }, -1, "", "" },
	{ "600 recipients", "", { 600, 0, 600, 600, 1000 }, -1, "", "" },
	{ "601 recipients", "", { 601, 0, 601, 601, 1000 }, LIMIT_REFUSE,
	  "recipients", ".5.3 too many recipients: 601 recipients, 600 are "
	  "allowed; nobody has got this message" },
	{ "601 in two transactions", "", { 1, 600, 601, 1, 1000 },
	  LIMIT_REFUSE, "recipients-message", ".5.3 too many recipients: 601 "
	  "recipients with those of earlier transactions of the same "
	  "Message-ID (600), 600 are allowed; none of this transaction has "
	  "got the message" },
	{ "one less", "recipients_max = 10;", { 9, 0, 9, 0, 0 }, -1, "", "" },
	{ "as many", "recipients_max = 10;", { 10, 0, 10, 0, 0 }, -1, "", "" },
	{ "one more", "recipients_max = 10;", { 11, 0, 11, 0, 0 },
	  LIMIT_REFUSE, "recipients", NULL },
	{ "who may send nothing", "recipients_max = 0;", { 1, 0, 1, 0, 0 },
	  LIMIT_REFUSE, "recipients", NULL },
	{ "put off", "recipients_max = 1; recipients_action = \"tempfail\";",
	  { 2, 0, 2, 0, 0 }, LIMIT_TEMPFAIL, "recipients", NULL },
	{ "dropped", "recipients_max = 1; recipients_action = \"drop\";",
	  { 2, 0, 2, 0, 0 }, LIMIT_DROP, "recipients", NULL },
	{ "visible: any number", "", { 1, 0, 1, 9000, 0 }, -1, "", "" },
	{ "visible: as many", "visible_max = 5;", { 1, 0, 1, 5, 0 }, -1, "",
	  "" },
	{ "visible: one more", "visible_max = 5;", { 1, 0, 1, 6, 0 },
	  LIMIT_REFUSE, "visible-recipients", ".7.1 all recipients would see "
	  "6 addresses in To and Cc, 5 are allowed; write to them in Bcc or "
	  "by a list" },
	{ "256000 kB", "", { 1, 0, 1, 0, KB(256000) }, -1, "", "" },
	{ "a byte more", "", { 1, 0, 1, 0, KB(256000) + 1 }, LIMIT_REFUSE,
	  "size", ".3.4 message too large: 256001 kB, 256000 kB are allowed" },
	{ "small limits too", "size_max = 2000; size_action = \"drop\";",
	  { 1, 0, 1, 0, 2001 }, LIMIT_DROP, "size", NULL },
	{ "of two the stronger: refuse", "recipients_max = 1; size_max = 2000;"
	  "recipients_action = \"drop\";", { 2, 0, 2, 0, 3000 },
	  LIMIT_REFUSE, "size", NULL },
	{ "of two the stronger: drop", "recipients_max = 1; size_max = 2000;"
	  "recipients_action = \"tempfail\"; size_action = \"drop\";",
	  { 2, 0, 2, 0, 3000 }, LIMIT_DROP, "size", NULL },
	{ "of equals the first", "recipients_max = 1; size_max = 2000;",
	  { 2, 0, 2, 0, 3000 }, LIMIT_REFUSE, "recipients", NULL },
};

static void
try_limits(struct arena *a)
{
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		struct predelivery_conf conf = conf_of(a, limits[i].conf);
		struct limits_verdict v = { .rule = "", .reply = SLICE("") };
		bool over = limits_judge(&conf.outbound, &limits[i].seen, a,
		    &v);

		tap_is_int(over ? (int)v.action : -1, limits[i].want,
		    "limits: %s", limits[i].name);
		tap_is_str(v.rule, limits[i].rule, "by its rule");
		if (limits[i].reply != NULL)
			tap_is(v.reply, slice_of(limits[i].reply),
			    "and the reply says so");
		arena_reset(a);
	}
}

static const struct {
	const char *conf;
	uint64_t size;
	const char *code, *enhanced;
} declared[] = {
	{ "", KB(256000), NULL, NULL },
	{ "", KB(256000) + 1, "552", "5.3.4" },
	{ "size_max = 2000;", 2000, NULL, NULL },
	{ "size_max = 2000;", 2001, "552", "5.3.4" },
	{ "size_max = 2000; size_action = \"tempfail\";", 2001, "452",
	  "4.3.4" },
	{ "size_max = 2000; size_action = \"drop\";", 2001, NULL, NULL },
};

static void
try_declared(struct arena *a)
{
	for (size_t i = 0; i < sizeof declared / sizeof declared[0]; i++) {
		struct predelivery_conf conf = conf_of(a, declared[i].conf);
		struct early_reply r = { .code = NULL };

		limits_declared(&conf.outbound, declared[i].size, a, &r);
		tap_is_str(r.code, declared[i].code, "SIZE=%llu, \"%s\"",
		    (unsigned long long)declared[i].size, declared[i].conf);
		tap_is_str(r.enhanced, declared[i].enhanced, "enhanced");
		arena_reset(a);
	}
}

static void
try_visible(struct arena *a)
{
	static const struct {
		const char *head;
		size_t want;
	} heads[] = {
		{ "Subject: a@b, c@d\r\n", 0 },
		{ "To: a@b\r\n", 1 },
		{ "To: a@b, c@d\r\nCC: e@f\r\nBcc: g@h\r\n", 3 },
		{ "To: undisclosed-recipients:;\r\n", 0 },
		{ "To: friends: a@b, \"x, y\" <c@d>;\r\ncc: e@f (g@h)\r\n",
		  3 },
		{ "To: a@b\r\nTo: c@d\r\n", 2 },
	};

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		struct message msg;

		message_read(&msg, a, slice_of(heads[i].head), SLICE(""), NULL);
		tap_is_int((long long)limits_visible(&msg, a),
		    (long long)heads[i].want, "visible: %zu", i);
		arena_reset(a);
	}
}

/* ---- who sends ---- */

static const struct {
	const char *name, *conf, *user, *ip;
	const char *address, *client, *key;
} people[] = {
	{ "a login that is an address", "", "bob@our.example", "192.0.2.1",
	  "bob@our.example", NULL, "bob@our.example" },
	{ "one that is none", "", "bob", "192.0.2.1", NULL, NULL, "bob" },
	{ "one that is made one", "login_domain = \"our.example\";", "bob",
	  "192.0.2.1", "bob@our.example", NULL, "bob" },
	{ "nobody", "", "", "192.0.2.1", NULL, NULL, "192.0.2.1" },
	{ "a client's network", "client_networks = [ \"192.0.2.0/24=acme\" ];",
	  "", "192.0.2.1", NULL, "acme", "acme" },
	{ "the narrowest", "client_networks = [ \"192.0.2.0/28=small\", "
	  "\"192.0.2.0/24 = large\" ];", "", "192.0.2.1", NULL, "small",
	  "small" },
	{ "a login before a network", "client_networks = "
	  "[ \"192.0.2.0/24=acme\" ];", "bob@our.example", "192.0.2.1",
	  "bob@our.example", NULL, "bob@our.example" },
	{ "another family", "client_networks = [ \"::/0=six\" ];", "",
	  "192.0.2.1", NULL, NULL, "192.0.2.1" },
	{ "pickup", "client_networks = [ \"0.0.0.0/0=all\" ];", "", "", NULL,
	  NULL, "local" },
};

static void
try_people(struct arena *a)
{
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
		struct predelivery_conf conf = conf_of(a, people[i].conf);
		struct client client = { .user = slice_of(people[i].user) };
		struct sender s;

		if (people[i].ip[0] != '\0')
			ip_parse(slice_of(people[i].ip), &client.ip);
		sender_of(a, nobody, &conf.outbound, &client, &s);
		tap_is(s.address, slice_of(people[i].address), "%s: address",
		    people[i].name);
		tap_is(s.client, slice_of(people[i].client), "client");
		tap_is(s.key, slice_of(people[i].key), "key");
		arena_reset(a);
	}
}

/* Options differ by level: who gets which limit. */
static void
try_levels(struct arena *a)
{
	static const struct {
		const char *user, *ip;
		unsigned want;
	} who[] = {
		{ "a@other.example", "192.0.2.1", 500 },
		{ "a@acme.example", "192.0.2.1", 400 },
		{ "a@dom.example", "192.0.2.1", 300 },
		{ "p@dom.example", "192.0.2.1", 200 },
		{ "u@dom.example", "192.0.2.1", 100 },
		{ "U@DOM.example", "192.0.2.1", 100 },
		{ "u+tag@dom.example", "192.0.2.1", 100 },
		{ "", "192.0.2.1", 500 },
		{ "", "203.0.113.1", 400 },
	};
	struct predelivery_conf conf = conf_of(a, "recipients_max = 500; "
	    "client_networks = [ \"203.0.113.0/24=acme\" ]; scope = ( "
	    "{ client = \"acme\"; domains = [ \"acme.example\" ]; "
	    "recipients_max = 400; }, { domain = \"dom.example\"; "
	    "recipients_max = 300; }, { profile = \"few\"; users = "
	    "[ \"p@dom.example\" ]; recipients_max = 200; }, "
	    "{ user = \"u@dom.example\"; recipients_max = 100; } );");

	for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
		struct client client = { .user = slice_of(who[i].user) };
		const struct predelivery_conf *his = NULL;
		struct slice why = SLICE_NONE;
		struct sender s;

		ip_parse(slice_of(who[i].ip), &client.ip);
		sender_of(a, nobody, &conf.outbound, &client, &s);
		tap_is_int(outbound_settings(a, nobody, &conf, &s, &his, &why),
		    RC_OK, "settings of \"%s\" from %s", who[i].user,
		    who[i].ip);
		tap_is_int(his->outbound.recipients_max, who[i].want,
		    "level");
	}
	tap_is_int(conf.outbound.recipients_max, 500,
	    "the default stays what it is");
	arena_reset(a);
}

/* ---- registered senders ---- */

#define LIST	"sender_addresses = [ \"news@lists.example\", " \
	"\"shop.example\", \".below.example\" ];"

static const struct {
	const char *name, *conf, *login, *path, *from, *rule;
} senders[] = {
	{ "his own", "", "bob@our.example", "bob@our.example",
	  "bob@our.example", NULL },
	{ "his own, in other letters", "", "Bob@Our.example",
	  "bob@our.example", "BOB@OUR.EXAMPLE", NULL },
	{ "his own, with an extension", "", "bob@our.example",
	  "bob+x@our.example", "Bob <bob@our.example>", NULL },
	{ "another's MAIL FROM", "", "bob@our.example", "eve@our.example",
	  "bob@our.example", "sender-not-registered" },
	{ "another's From", "", "bob@our.example", "bob@our.example",
	  "eve@our.example", "from-not-registered" },
	{ "two in From, one of them his", "", "bob@our.example",
	  "bob@our.example", "bob@our.example, eve@our.example",
	  "from-not-registered" },
	{ "a bounce", "", "bob@our.example", "", "bob@our.example", NULL },
	{ "a bounce in another's name", "", "bob@our.example", "",
	  "eve@our.example", "from-not-registered" },
	{ "no From", "", "bob@our.example", "bob@our.example", NULL,
	  "from-not-registered" },
	{ "an empty From", "", "bob@our.example", "bob@our.example", "",
	  "from-not-registered" },
	{ "a From that is read in two ways", "", "bob@our.example",
	  "bob@our.example", "bob@our.example <eve@our.example",
	  "from-not-registered" },
	{ "his own do not count", "sender_own = false;", "bob@our.example",
	  "bob@our.example", "bob@our.example", "sender-not-registered" },
	{ "an address of the list", LIST, "bob@our.example",
	  "news@lists.example", "news@lists.example", NULL },
	{ "another one there", LIST, "bob@our.example", "old@lists.example",
	  "bob@our.example", "sender-not-registered" },
	{ "a domain of the list", LIST, "bob@our.example", "x@shop.example",
	  "y@SHOP.example", NULL },
	{ "not below it", LIST, "bob@our.example", "x@a.shop.example",
	  "bob@our.example", "sender-not-registered" },
	{ "not beside it", LIST, "bob@our.example", "x@eshop.example",
	  "bob@our.example", "sender-not-registered" },
	{ "below the other", LIST, "bob@our.example", "x@a.b.below.example",
	  "bob@our.example", NULL },
	{ "not that itself", LIST, "bob@our.example", "x@below.example",
	  "bob@our.example", "sender-not-registered" },
	{ "From has a list of its own", LIST "from_addresses = "
	  "[ \"brand.example\" ];", "bob@our.example", "news@lists.example",
	  "hello@brand.example", NULL },
	{ "and then only that", LIST "from_addresses = [ \"brand.example\" ];",
	  "bob@our.example", "news@lists.example", "news@lists.example",
	  "from-not-registered" },
	{ "an alias", "", "bob@our.example", "robert@our.example",
	  "robert@our.example", NULL },
	{ "nobody: our domains", "", "", "x@our.example", "y@our.example",
	  NULL },
	{ "nobody: no others", "", "", "x@shop.example", "y@our.example",
	  "sender-not-registered" },
	{ "nobody: a list is that list", LIST, "", "x@our.example",
	  "x@our.example", "sender-not-registered" },
	{ "an IDN by its A-labels", "sender_addresses = "
	  "[ \"xn--mller-kva.example\" ];", "bob@our.example",
	  "x@m\xc3\xbcller.example", "x@M\xc3\x9cller.example", NULL },
	{ "no domain", LIST, "bob", "bob", "bob@our.example",
	  "sender-not-registered" },
};

static bool
alias(void *arg, struct slice address)
{
	(void)arg;
	return slice_eq(address, SLICE("robert@our.example"));
}

static void
try_senders(struct arena *a)
{
	struct slice domain = SLICE("our.example");
	struct house_conf house = { .recipient_delimiter = "+",
	    .domains = { &domain, 1 } };
	struct senders_verdict v;

	for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
		struct predelivery_conf conf = conf_of(a, senders[i].conf);
		struct client client = { .user = slice_of(senders[i].login) };
		struct sender sender;
		struct message msg;
		struct senders_query q = { &conf.outbound, &house, &sender,
		    slice_of(senders[i].path), &msg, alias, NULL };

		sender_of(a, nobody, &conf.outbound, &client, &sender);
		message_read(&msg, a, senders[i].from == NULL ? SLICE("") :
		    arena_printf(a, "From: %s\r\n", senders[i].from),
		    SLICE(""), NULL);
		senders_judge(&q, a, &v);
		tap_is_str(v.rule, senders[i].rule, "senders: %s",
		    senders[i].name);
		if (i == 3)
			tap_is(v.reply, SLICE("5.7.1 MAIL FROM eve@our.example "
			    "is not registered for bob@our.example; what is: "
			    "bob@our.example"), "the reply says what would be "
			    "right");
		arena_reset(a);
	}
}

/* ---- bounce addresses ---- */

static const struct {
	const char *sender;
	bool keyed, want_key;
	const char *want;		/* NULL: it stays */
} bounces[] = {
	{ "bob@our.example", false, false, "b@bounce.example" },
	{ "", true, false, NULL },
	{ "b@bounce.example", true, false, NULL },
	{ "B@Bounce.example", true, false, NULL },
	{ "bob@our.example", true, true, NULL },
	{ "Bob.Smith=x+tag@our.example", true, true, NULL },
	{ "\"bob smith\"@our.example", true, false, "b@bounce.example" },
	{ "m\xc3\xbcller@our.example", true, false, "b@bounce.example" },
	{ "bob@[192.0.2.1]", true, false, "b@bounce.example" },
	{ "bob@", true, false, "b@bounce.example" },
	{ "bob", true, false, "b@bounce.example" },
	{ "a.very.long.local.part.that.does.not.fit@department.our.example",
	  true, false, "b@bounce.example" },
};

static void
try_bounces(struct arena *a)
{
	const struct seal_key key = { "0123456789abcdef", 16 };
	int64_t now = 1795000000;

	for (size_t i = 0; i < sizeof bounces / sizeof bounces[0]; i++) {
		struct envelope_how how = { SLICE("b@bounce.example"),
		    bounces[i].keyed, &key };
		struct slice got = envelope_rewrite(a, &how,
		    slice_of(bounces[i].sender), now), back;
		enum envelope_state state;

		if (!bounces[i].want_key) {
			tap_is(got, slice_of(bounces[i].want), "bounce of <%s>",
			    bounces[i].sender);
			continue;
		}
		state = envelope_original(a, &key, got, now, &back);
		tap_is_int(state, ENVELOPE_GOOD, "bounce of <%s>: %.*s",
		    bounces[i].sender, SLICE_ARG(got));
		tap_is(back, slice_of(bounces[i].sender), "and back");
		tap_ok(envelope_rewrite(a, &how, got, now).ptr == NULL,
		    "it is rewritten once");
		tap_ok(got.len <= 64 + 1 + sizeof "bounce.example" - 1,
		    "within 64 octets");
	}
	arena_reset(a);
}

/* Each change of each character, but of letter case where that may change. */
static void
try_forged(struct arena *a)
{
	const struct seal_key key = { "0123456789abcdef", 16 },
	    other = { "0123456789abcdeF", 16 };
	const struct envelope_how how = { SLICE("b@bounce.example"), true,
	    &key };
	int64_t now = 1795000000, day = 86400;
	struct slice address = envelope_rewrite(a, &how,
	    SLICE("bob@our.example"), now), back, upper;
	unsigned passed = 0;

	for (size_t i = 0; i < slice_find(address, '@'); i++) {
		char *copy = arena_str(a, address);

		copy[i] = copy[i] == 'x' ? 'y' : 'x';
		passed += envelope_original(a, &key, slice_of(copy), now,
		    &back) == ENVELOPE_GOOD;
	}
	tap_is_int(passed, 0, "no character can be changed");
	tap_is_int(envelope_original(a, &other, address, now, &back),
	    ENVELOPE_FORGED, "another key");
	tap_is_int(envelope_original(a, NULL, address, now, &back),
	    ENVELOPE_FORGED, "no key");
	upper = arena_printf(a, "B+k=%.*s=%.*s", 10, address.ptr + 4, 40,
	    address.ptr + 15);
	tap_is_int(envelope_original(a, &key, upper, now, &back),
	    ENVELOPE_GOOD, "a relay that changes letters: %.*s",
	    SLICE_ARG(upper));
	tap_is_int(envelope_original(a, &key, address, now + 30 * day, &back),
	    ENVELOPE_GOOD, "30 days later");
	tap_is_int(envelope_original(a, &key, address, now + 32 * day, &back),
	    ENVELOPE_OLD, "32 days later");
	tap_is_int(envelope_original(a, &key, address, now - day, &back),
	    ENVELOPE_GOOD, "by a clock that is a day behind");
	tap_is_int(envelope_original(a, &key, SLICE("b+other@bounce.example"),
	    now, &back), ENVELOPE_PLAIN, "an extension is no key");
	tap_is_int(envelope_original(a, &key, SLICE("b+K=@bounce.example"),
	    now, &back), ENVELOPE_FORGED, "half of one");
	arena_reset(a);
}

/* ---- settings that are wrong ---- */

static const struct {
	const char *conf, *want;
} wrong[] = {
	{ "login_domain = \"a b\";", "login_domain is \"a b\"" },
	{ "client_networks = [ \"192.0.2.0/24\" ];", "a network and a client" },
	{ "client_networks = [ \"192.0.2.1/24=x\" ];", "a network and" },
	{ "sender_addresses = [ \"@\" ];", "wants an address" },
	{ "sender_addresses = [ \"a@b c\" ];", "sender_addresses has" },
	{ "from_addresses = [ \"@our.example\" ];", "from_addresses has" },
	{ "bounce_keyed = true;", "bounce_keyed wants a bounce_address" },
	{ "bounce_address = \"a+b@c.example\";", "without a plus" },
	{ "bounce_address = \"nobody\";", "bounce_address is" },
	{ "lint_header = \"X Y\";", "letters, digits and hyphens" },
	{ "abuse_address = \"abuse\";", "wants an address" },
	{ "dkim_selectors = [ \"a b\" ];", "dkim_selectors has" },
	{ "imprint_phrases = [ \"/(/\" ];", "imprint_phrases: " },
	{ "opt_out_phrases = [ \"/[/\" ];", "opt_out_phrases: " },
	{ "scope = ( { domain = \"x.example\"; bounce_keyed = true; } );",
	  "predelivery.conf:1: bounce_keyed wants" },
};

static void
try_wrong(struct arena *a)
{
	struct house_conf house = { .recipient_delimiter = "+" };

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct predelivery_conf conf = conf_of(a, wrong[i].conf);
		struct slice why = SLICE("");
		enum rc rc = predelivery_finish(&conf, &house, a, &why);

		tap_ok(rc == RC_BAD && slice_search(why,
		    slice_of(wrong[i].want)) < why.len, "%s: %.*s",
		    wrong[i].conf, SLICE_ARG(why));
		arena_reset(a);
	}
}

int
main(void)
{
	const struct house_conf house = { .recipient_delimiter = "+" };
	struct arena *a = arena_new(), *b = arena_new();
	struct slice why = SLICE_NONE;

	if (policy_open("/nonexistent/map", &house, &nobody, b, &why) != RC_OK)
		tap_ok(false, "no map: %.*s", SLICE_ARG(why));
	try_limits(a);
	try_declared(a);
	try_visible(a);
	try_people(a);
	try_levels(a);
	try_senders(a);
	try_bounces(a);
	try_forged(a);
	try_wrong(a);
	policy_drop(nobody);
	arena_free(b);
	arena_free(a);
	return tap_done();
}
