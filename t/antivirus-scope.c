/* antivirus-multiscan: options that differ by recipient, and outbound by who
 * sends: one message, several verdicts. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "milters/antivirus-multiscan/decide.h"
#include "milters/antivirus-multiscan/options.h"
#include "policy/policy.h"
#include "t/tap.h"

enum { NOW = 1795000000, DAY = 86400 };

static struct arena *arena;
static struct house_conf house;
static struct policy *policy;

/* What the two engines say of the one item. */
enum finds { NOTHING, A_VIRUS, A_LOCK, A_BOMB, TROUBLE };

struct scope_case {
	const char *name, *conf, *to;
	enum finds finds;
	const char *want;		/* "action/rule" of each recipient */
	const char *tag;		/* NULL: none */
};

#define ONE_TWO(one, two) "scope = ( { domain = \"one.example\"; " one \
	" }, { domain = \"TWO.example\"; " two " } );"
#define BOTH		"a@one.example a@two.example"

static const struct scope_case inbound[] = {
	{ "scopes without a word on it", ONE_TWO("crash = \"accept\";", ""),
	  BOTH, A_VIRUS, "quarantine/virus quarantine/virus", NULL },
	{ "one deletes, one refuses", ONE_TWO("infected = \"discard\";",
	  "infected = \"reject\";"), BOTH, A_VIRUS,
	  "discard/virus reject/virus", NULL },
	{ "who is in no scope", ONE_TWO("infected = \"reject\";", ""),
	  "a@one.example a@three.example", A_VIRUS,
	  "reject/virus quarantine/virus", NULL },
	{ "what is set for outbound does not count", ONE_TWO(
	  "infected_outbound = \"discard\";",
	  "encrypted_outbound = \"reject\";"), BOTH, A_VIRUS,
	  "quarantine/virus quarantine/virus", NULL },
	{ "final outside", "infected = \"discard\"; final = [ \"infected\" ];"
	  ONE_TWO("infected = \"reject\";", ""), BOTH, A_VIRUS,
	  "discard/virus discard/virus", NULL },
	{ "a lock: one tags, one holds", ONE_TWO("",
	  "encrypted = \"quarantine\";"), BOTH, A_LOCK,
	  "accept/not-scanned-encrypted quarantine/not-scanned-encrypted",
	  "not scanned; reason=encrypted" },
	{ "one wants two engines", ONE_TWO("min_engines = 2;", ""), BOTH,
	  NOTHING, "accept/clean accept/clean", NULL },
	{ "and one of them is down: put off for all", ONE_TWO(
	  "min_engines = 2;", ""), BOTH, TROUBLE,
	  "tempfail/not-scanned-engine accept/clean", NULL },
	{ "unless he takes it so", ONE_TWO("min_engines = 2; "
	  "engine_trouble = \"tag\";", ""), BOTH, TROUBLE,
	  "accept/not-scanned-engine accept/clean",
	  "not scanned; reason=engine" },
	{ "one wants signatures of today", ONE_TWO("max_signature_age = "
	  "\"1d\"; engine_trouble = \"quarantine\";", ""), BOTH, NOTHING,
	  "quarantine/not-scanned-engine accept/clean", NULL },
	{ "a user before his domain", "scope = ( { domain = \"one.example\"; "
	  "limit = \"discard\"; }, { user = \"B@one.example\"; limit = "
	  "\"reject\"; } );", "a@one.example b@one.example", A_BOMB,
	  "discard/not-scanned-limit reject/not-scanned-limit", NULL },
	{ "who was refused at RCPT does not count", ONE_TWO(
	  "infected = \"tempfail\";", ""), "!a@one.example a@two.example",
	  A_VIRUS, "quarantine/virus quarantine/virus", NULL },
	{ "nobody: as outside", ONE_TWO("infected = \"accept\";", ""), "",
	  A_VIRUS, "quarantine/virus", NULL },
};

/* "LOGIN SENDER", and what becomes of all recipients. */
static const struct scope_case outbound[] = {
	{ "outbound, as outside", "", "- a@one.example", A_VIRUS,
	  "reject/virus", NULL },
	{ "the sender's", ONE_TWO("infected_outbound = \"discard\";", ""),
	  "- a@one.example", A_VIRUS, "discard/virus", NULL },
	{ "not the recipients'", ONE_TWO("",
	  "infected_outbound = \"discard\";"), "- a@one.example", A_VIRUS,
	  "reject/virus", NULL },
	{ "before it, whose login it is", ONE_TWO(
	  "infected_outbound = \"discard\";",
	  "infected_outbound = \"quarantine\";"),
	  "a@two.example a@one.example", A_VIRUS, "quarantine/virus", NULL },
	{ "lacks are as inbound", "encrypted = \"reject\";", "- x@y.example",
	  A_LOCK, "reject/not-scanned-encrypted", NULL },
	{ "or their own", "encrypted = \"reject\"; encrypted_outbound = "
	  "\"tag\";", "- x@y.example", A_LOCK,
	  "accept/not-scanned-encrypted", "not scanned; reason=encrypted" },
	{ "trouble as inbound", "min_engines = 2; engine_trouble = \"tag\";",
	  "- x@y.example", TROUBLE, "accept/not-scanned-engine",
	  "not scanned; reason=engine" },
	{ "trouble of their own", "min_engines = 2; engine_trouble = \"tag\"; "
	  "engine_trouble_outbound = \"tempfail\";", "- x@y.example", TROUBLE,
	  "tempfail/not-scanned-engine", NULL },
	{ "fewer engines will do", "min_engines = 2; min_engines_outbound = "
	  "1;", "- x@y.example", TROUBLE, "accept/clean", NULL },
};

static enum rc
load(const char *text, struct antivirus_conf *conf, struct slice *why_r)
{
	const struct conf_section sections[] = { { antivirus_options, conf },
	    { house_options, &house }, { NULL, NULL } };
	struct buf all = buf_in(arena);

	buf_adds(&all, "engines = [ \"clamav\", \"clamd\" ];\n");
	buf_adds(&all, text);
	return conf_parse(arena, "F", buf_slice(&all), sections, why_r);
}

/* "a@one.example !b@two.example": the other is one that Postfix refused. */
static void
to(struct envelope *e, const char *addresses)
{
	struct slice rest = slice_of(addresses), word;

	e->recipients = arena_array(arena, 10, sizeof *e->recipients);
	while (rest.len > 0) {
		bool error = rest.ptr[0] == '!';

		word = slice_cut(slice_after(rest, error), ' ', &rest);
		e->recipients[e->nrecipients++] = (struct recipient){ word,
		    error ? SLICE("error") : SLICE("smtp"), SLICE("") };
	}
}

static void
find(struct ledger *l, enum finds finds)
{
	static const enum scan_end ends[] = { SCAN_CLEAN, SCAN_INFECTED,
	    SCAN_LOCKED, SCAN_CUT, SCAN_CLEAN };
	struct ledger_row *row;

	ledger_init(l, arena);
	l->nengines = 2;
	row = ledger_add(l, SLICE("a.zip"), SLICE("item"));
	for (size_t i = 0; i < 2; i++) {
		l->names[i] = i == 0 ? "one" : "two";
		l->engines[i] = (struct engine_status){ .up = true,
		    .newest = NOW - 2 * DAY };
		row->scans[i] = (struct scan){ ends[finds], SLICE("Name"),
		    0 };
	}
	if (finds == TROUBLE)
		row->scans[1].end = SCAN_DOWN;
}

static struct plan *
decide(const struct scope_case *c, struct job *job)
{
	static struct antivirus_conf conf;
	static struct message msg;
	static struct antivirus_answers seen;
	struct slice why = SLICE("");

	memset(&conf, 0, sizeof conf);
	if (load(c->conf, &conf, &why) != RC_OK ||
	    antivirus_finish(&conf, arena, &why) != RC_OK)
		tap_ok(false, "%s: %.*s", c->name, SLICE_ARG(why));
	message_read(&msg, arena, SLICE("From: a@b.test\r\n"), SLICE(""),
	    NULL);
	seen = (struct antivirus_answers){ .us = 1 };
	find(&seen.ledger, c->finds);
	*job = (struct job){ .filter = "antivirus-multiscan", .arena = arena,
	    .house = &house, .conf = &conf, .msg = &msg, .answers = &seen,
	    .now = NOW, .policy = policy, .direction = job->direction, .client = job->client,
	    .envelope = job->envelope };
	tap_is_int(antivirus_resolve(job, &why), RC_OK, "%s: looked up",
	    c->name);
	return antivirus_decide(job);
}

static struct slice
verdicts_of(const struct plan *p, size_t nrecipients)
{
	struct buf out = buf_in(arena);

	for (size_t i = 0; i < nrecipients || i == 0; i++) {
		const struct verdict *v = plan_verdict(p, i);

		buf_addf(&out, "%s%s/%s", i > 0 ? " " : "",
		    action_name(v->action), v->rule);
	}
	return buf_slice(&out);
}

static void
judge(const struct scope_case *c, struct job *job)
{
	struct plan *p = decide(c, job);
	size_t n = job->direction == DIRECTION_OUT ? 1 :
	    job->envelope->nrecipients;

	tap_is(verdicts_of(p, n), slice_of(c->want), "%s", c->name);
	tap_is_int((int)p->edits.count, c->tag != NULL, "%s: %s", c->name,
	    c->tag != NULL ? "a field" : "no field");
	if (c->tag != NULL && p->edits.count == 1)
		tap_is(slice_trim(p->edits.first->text),
		    slice_of(c->tag), "%s: its text", c->name);
}

static void
test_inbound(void)
{
	const struct client client = { .user = SLICE("") };

	for (size_t i = 0; i < sizeof inbound / sizeof inbound[0]; i++) {
		struct envelope e = { .sender = SLICE("x@three.example") };
		struct job job = { .direction = DIRECTION_IN,
		    .client = &client, .envelope = &e };

		to(&e, inbound[i].to);
		judge(&inbound[i], &job);
	}
}

static void
test_outbound(void)
{
	for (size_t i = 0; i < sizeof outbound / sizeof outbound[0]; i++) {
		struct slice sender, login = slice_cut(slice_of(
		    outbound[i].to), ' ', &sender);
		struct client client = { .user = slice_eq(login, SLICE("-")) ?
		    SLICE("") : login };
		struct envelope e = { .sender = sender };
		struct job job = { .direction = DIRECTION_OUT,
		    .client = &client, .envelope = &e };

		to(&e, "a@two.example");
		judge(&outbound[i], &job);
	}
}

/* The log says who decided. */
static void
test_level(void)
{
	const struct scope_case in = { "in", ONE_TWO("infected = \"reject\";",
	    ""), "a@one.example b@two.example", A_VIRUS, NULL, NULL };
	const struct scope_case out = { "out", ONE_TWO("encrypted_outbound = "
	    "\"tag\";", ""), "- a@one.example", A_LOCK, NULL, NULL };
	const struct client client = { .user = SLICE("") };
	struct envelope e = { .sender = SLICE("a@one.example") };
	struct job job = { .direction = DIRECTION_IN, .client = &client,
	    .envelope = &e };
	struct plan *p;

	to(&e, in.to);
	p = decide(&in, &job);
	tap_ok(slice_starts(plan_verdict(p, 0)->scope,
	    SLICE("domain one.example (")), "a domain decided");
	tap_is(plan_verdict(p, 1)->scope, SLICE(""), "a default did");
	job.direction = DIRECTION_OUT;
	p = decide(&out, &job);
	tap_ok(slice_starts(p->all.scope, SLICE("domain one.example (")),
	    "outbound the sender's");
}

static void
test_wrong(void)
{
	struct antivirus_conf conf = { .min_engines = 0 };
	struct slice why = SLICE("");

	tap_is_int(load("scope = ( { domain = \"one.example\";\n"
	    "min_engines = 3; } );", &conf, &why), RC_OK, "three of two");
	tap_is_int(antivirus_finish(&conf, arena, &why), RC_BAD, "is refused");
	tap_is(why, SLICE("F:2: min_engines is 3, and engines names 2; no mail "
	    "would ever be scanned"), "with its place");
	conf = (struct antivirus_conf){ .min_engines = 0 };
	tap_is_int(load("min_engines_outbound = 5;", &conf, &why), RC_OK,
	    "and five");
	tap_is_int(antivirus_finish(&conf, arena, &why), RC_BAD, "outbound");
	conf = (struct antivirus_conf){ .min_engines = 0 };
	tap_is_int(load("scope = ( { domain = \"one.example\"; cache = 3; } "
	    ");", &conf, &why), RC_BAD, "what is the daemon's is no scope's");
}

int
main(void)
{
	struct slice why = SLICE("");

	arena = arena_new();
	if (policy_open(NULL, &house, &policy, arena, &why) != RC_OK)
		return 1;
	test_inbound();
	test_outbound();
	test_level();
	test_wrong();
	policy_drop(policy);
	arena_free(arena);
	return tap_done();
}
