/* Actions of rules, what becomes of several of them, what a file may say, and
 * which rules are refused when they are read. */
#include <string.h>

#include "milters/predelivery/country.h"
#include "verdict/subject.h"
#include "milters/predelivery/trace.h"
#include "t/rules-stage.h"
#include "t/tap.h"

#define HEAD	"From: boss@sender.test\r\nTo: us@our.test\r\n" \
	"Message-ID: <1@sender.test>\r\nX-Old: a\r\nSubject: hello\r\n"

static bool
has(struct slice text, const char *part)
{
	return slice_search(text, slice_of(part)) < text.len;
}

/* A rule that always matches, with these settings. */
static struct slice
rule(struct arena *a, const char *settings)
{
	return arena_printf(a, "rules = ( { name = \"r\"; mode = \"active\"; "
	    "%s } );", settings);
}

static struct plan *
decide(struct stage *s, const char *settings)
{
	if (stage_rules(s, rule(s->arena, settings).ptr) != RC_OK)
		tap_ok(false, "%s: %.*s", settings, SLICE_ARG(s->why));
	return stage_decide(s);
}

/* ---- verdicts ---- */

static const struct {
	const char *then, *reply;
	enum action action;
	enum cause cause;
} verdicts[] = {
	{ "reject = true;", "5.7.1 message refused by a rule of this site",
	  REJECT, CAUSE_POLICY },
	{ "reject = \"go away\";", "5.7.1 go away", REJECT, CAUSE_POLICY },
	{ "reject = \"5.6.0 go away\";", "5.6.0 go away", REJECT,
	  CAUSE_POLICY },
	{ "tempfail = \"later\";", "4.7.1 later", TEMPFAIL, CAUSE_POLICY },
	{ "quarantine = true;", "", QUARANTINE, CAUSE_POLICY },
	{ "quarantine = \"dlp\";", "", QUARANTINE, CAUSE_DLP },
	{ "discard = true;", "", DISCARD, CAUSE_POLICY },
	{ "stop = true;", "", ACCEPT, CAUSE_NONE },
};

static void
test_verdicts(void)
{
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
		struct stage s;
		struct plan *p;

		stage_begin(&s, HEAD, "x\r\n");
		p = decide(&s, arena_printf(s.arena, "then = { %s };",
		    verdicts[i].then).ptr);
		tap_is_int(p->all.action, verdicts[i].action, "%s",
		    verdicts[i].then);
		tap_is_int(p->all.cause, verdicts[i].cause, "its cause");
		tap_is(p->all.reply, slice_of(verdicts[i].reply), "its reply");
		tap_is_str(p->all.rule, "rule-r", "by name");
		tap_is(stage_fact(p, "gatehouse.rules.matched"), SLICE("r"),
		    "and in the journal");
		stage_end(&s);
	}
}

/* ---- what a message becomes ---- */

static const struct {
	const char *name, *then, *head;
} edits[] = {
	{ "tag", "tag_subject = \"[ext]\";", "Subject: [ext] hello\r\n" },
	{ "add a field", "add_header = \"X-New: yes\";",
	  "Subject: hello\r\nX-New: yes\r\n" },
	{ "two fields", "add_header = [ \"X-New: yes\", \"X-B: c\" ];",
	  "X-New: yes\r\nX-B: c\r\n" },
	{ "a field that is there", "add_header = \"X-Old: a\";",
	  "X-Old: a\r\nSubject: hello\r\n" },
	{ "take one out", "remove_header = \"x-old\";",
	  "<1@sender.test>\r\nSubject" },
	{ "another value for it", "remove_header = \"X-Old\"; "
	  "add_header = \"X-Old: b\";", "Subject: hello\r\nX-Old: b\r\n" },
};

static void
test_edits(void)
{
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		struct stage s;
		struct plan *p;
		struct slice head;

		stage_begin(&s, HEAD, "x\r\n");
		p = decide(&s, arena_printf(s.arena, "then = { %s };",
		    edits[i].then).ptr);
		head = stage_head(&s, p);
		tap_ok(has(head, edits[i].head), "%s: %.*s", edits[i].name,
		    SLICE_ARG(head));
		tap_is_int(p->all.action, ACCEPT, "accepted");
		/* What was edited is not edited again. */
		message_read(&s.msg, s.arena, head, SLICE("x\r\n"), NULL);
		p = stage_decide(&s);
		tap_is(stage_head(&s, p), head, "twice is once");
		stage_end(&s);
	}
}

static void
test_shadow(void)
{
	struct stage s;
	struct plan *p;

	stage_begin(&s, HEAD, "x\r\n");
	stage_rules(&s, "rules = ( { name = \"r\"; then = { tag_subject = "
	    "\"[x]\"; add_recipient = \"c@our.test\"; route = \"smtp:[h]\"; "
	    "}; }, { name = \"q\"; then = { discard = true; }; } );");
	p = stage_decide(&s);
	tap_ok(!plan_edits(p), "a rule begins as a shadow: nothing is done");
	tap_is_int(p->all.action, ACCEPT, "accepted");
	tap_is(stage_fact(p, "gatehouse.rules.shadow"), SLICE("r,q"),
	    "all of them are looked at and told");
	tap_ok(has(p->all.reason, "shadow rule q: would discard"), "in words: "
	    "%.*s", SLICE_ARG(p->all.reason));
	tap_ok(stage_fact(p, "gatehouse.rules.matched").ptr == NULL,
	    "none counts as applied");
	stage_rules(&s, "rules = ( { name = \"r\"; mode = \"off\"; then = { "
	    "discard = true; }; } );");
	p = stage_decide(&s);
	tap_ok(stage_fact(p, "gatehouse.rules.shadow").ptr == NULL,
	    "one that is off is not looked at");
	stage_end(&s);
}

/* ---- subjects ---- */

static const struct {
	const char *name, *tag, *subject, *want;
} subjects[] = {
	{ "plain", "[x]", "Subject: a b\r\n", "Subject: [x] a b\r\n" },
	{ "none", "[x]", "To: a\r\n", "To: a\r\nSubject: [x]\r\n" },
	{ "empty", "[x]", "Subject:\r\n", "Subject: [x]\r\n" },
	{ "there already", "[x]", "Subject: [X] a\r\n", NULL },
	{ "behind Re:", "[x]", "Subject: Re: [x] a\r\n", NULL },
	{ "behind AW: Re:", "[x]", "Subject: AW: Re: [x] a\r\n", NULL },
	{ "behind another mark", "[x]", "Subject: [list] [x] a\r\n", NULL },
	{ "in a word", "[x]", "Subject: =?utf-8?q?=5Bx=5D_=C3=A4?=\r\n",
	  NULL },
	{ "not in front is not there", "[x]", "Subject: about [x]\r\n",
	  "Subject: [x] about [x]\r\n" },
	{ "before a word", "[x]", "Subject: =?utf-8?q?=C3=A4?=\r\n",
	  "Subject: [x] =?utf-8?q?=C3=A4?=\r\n" },
	{ "not ASCII", "[\303\204]", "Subject: a\r\n",
	  "Subject: =?UTF-8?B?W8OEXQ==?= a\r\n" },
	{ "not ASCII before a word: it brings its blank", "[\303\204]",
	  "Subject: =?utf-8?q?b?=\r\n",
	  "Subject: =?UTF-8?B?W8OEXSA=?= =?utf-8?q?b?=\r\n" },
	{ "folds stay", "[x]", "Subject: a\r\n b\r\n",
	  "Subject: [x] a\r\n b\r\n" },
	{ "what only looks like a word", "=?x", "Subject: a\r\n",
	  "Subject: =?UTF-8?B?PT94?= a\r\n" },
};

static void
test_subjects(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		struct message msg;
		struct plan *p;
		struct slice head, body;
		bool done;

		message_read(&msg, a, slice_of(subjects[i].subject),
		    SLICE(""), NULL);
		p = plan_new(a, &msg);
		done = subject_tag(p, &msg, slice_of(subjects[i].tag));
		patches_apply(&p->edits, a, &head, &body);
		tap_is(head, slice_of(subjects[i].want != NULL ?
		    subjects[i].want : subjects[i].subject), "%s",
		    subjects[i].name);
		tap_ok(done == (subjects[i].want != NULL), "and says so");
	}
	arena_free(a);
}

/* ---- the envelope ---- */

static struct slice
addresses(struct stage *s, const struct plan *p)
{
	struct buf out = buf_in(s->arena);

	for (const struct plan_address *x = p->addresses; x != NULL;
	    x = x->next)
		buf_addf(&out, "%s%.*s>%.*s%s", out.len > 0 ? " " : "",
		    SLICE_ARG(x->removed), SLICE_ARG(x->added),
		    x->quiet ? "!" : "");
	return buf_slice(&out);
}

static const struct {
	const char *name, *then, *sender, *addresses, *route;
} envelopes[] = {
	{ "add", "add_recipient = [ \"b@x.test\", \"c@x.test\" ];", "",
	  ">b@x.test! >c@x.test!", "" },
	{ "one who gets it anyhow", "add_recipient = \"US@our.test\";", "", "",
	  "" },
	{ "another recipient", "rewrite_recipient = \"b@x.test\";", "",
	  "us@our.test>b@x.test", "" },
	{ "another domain", "rewrite_recipient = \"*@x.test\";", "",
	  "us@our.test>us@x.test", "" },
	{ "himself", "rewrite_recipient = \"us@our.test\";", "", "", "" },
	{ "another sender", "rewrite_sender = \"b@x.test\";", "b@x.test", "",
	  "" },
	{ "of another domain", "rewrite_sender = \"*@x.test\";", "a@x.test",
	  "", "" },
	{ "another way", "route = \"smtp:[192.0.2.9]:2525\";", "", "",
	  "smtp:[192.0.2.9]:2525" },
};

static void
test_envelope(void)
{
	for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
		struct stage s;
		struct plan *p;
		struct slice head;

		stage_begin(&s, HEAD, "x\r\n");
		p = decide(&s, arena_printf(s.arena, "then = { %s };",
		    envelopes[i].then).ptr);
		tap_is(addresses(&s, p), slice_of(envelopes[i].addresses),
		    "%s: recipients", envelopes[i].name);
		tap_ok(slice_eq(p->sender, slice_of(envelopes[i].sender)),
		    "sender");
		tap_ok(slice_eq(p->route, slice_of(envelopes[i].route)),
		    "route");
		head = stage_head(&s, p);
		tap_ok(has(head, TRACE_FIELD ": "), "it leaves its mark");
		tap_ok(!has(head, "x.test") && !has(head, "r;"),
		    "that names nobody");

		message_read(&s.msg, s.arena, head, SLICE("x\r\n"), NULL);
		p = stage_decide(&s);
		tap_ok(p->addresses == NULL && p->sender.ptr == NULL &&
		    p->route.ptr == NULL, "what comes back is not sent on");
		tap_is(stage_fact(p, "gatehouse.rules.again"), SLICE("r"),
		    "and told");
		message_read(&s.msg, s.arena, head, SLICE("another\r\n"),
		    NULL);
		tap_ok(stage_decide(&s)->addresses != NULL ||
		    envelopes[i].addresses[0] == '\0',
		    "the mark of one message is no mark of another");
		stage_end(&s);
	}
}

static void
test_bounce(void)
{
	struct stage s;
	struct plan *p;

	stage_begin(&s, HEAD, "x\r\n");
	s.envelope.sender = SLICE("");
	p = decide(&s, "then = { rewrite_sender = \"b@x.test\"; };");
	tap_ok(p->sender.ptr == NULL, "a bounce stays one");
	stage_end(&s);
}

static void
test_hops(void)
{
	struct buf head = { .ptr = NULL };
	struct stage s;

	for (unsigned i = 0; i < TRACE_HOPS + 1; i++)
		buf_adds(&head, "Received: from x\r\n");
	buf_add(&head, SLICE("\0"));
	stage_begin(&s, head.ptr, "");
	tap_ok(decide(&s, "then = { add_recipient = \"b@x.test\"; };")
	    ->addresses == NULL, "what goes round is not sent on");
	buf_free(&head);
	stage_end(&s);
}

/* ---- several rules, several recipients ---- */

static void
test_order(void)
{
	struct stage s;
	struct plan *p;

	stage_begin(&s, HEAD, "x\r\n");
	stage_rules(&s, "rules = ("
	    "{ name = \"a\"; mode = \"active\"; continue = true; "
	    "when = { direction = \"in\"; }; "
	    "then = { tag_subject = \"[a]\"; }; },"
	    "{ name = \"b\"; mode = \"active\"; when = { subject = \"no\"; }; "
	    "then = { reject = true; }; },"
	    "{ name = \"c\"; mode = \"active\"; when = { subject = \"hello\"; "
	    "}; then = { tag_subject = \"[c]\"; }; },"
	    "{ name = \"d\"; mode = \"active\"; "
	    "then = { reject = true; }; } );");
	p = stage_decide(&s);
	tap_is_int(p->all.action, ACCEPT, "the first match ends the rules");
	tap_is(stage_fact(p, "gatehouse.rules.matched"), SLICE("a,c"),
	    "unless it says continue");
	tap_ok(has(stage_head(&s, p), "Subject: [a] [c] hello\r\n"),
	    "both marks: %.*s", SLICE_ARG(stage_head(&s, p)));
	stage_end(&s);
}

#define PER_RECIPIENT	"rules = (" \
	"{ name = \"hold\"; mode = \"active\"; " \
	"when = { recipient = \"held@our.test\"; }; " \
	"then = { quarantine = true; }; }," \
	"{ name = \"way\"; mode = \"active\"; " \
	"when = { recipient = { prefix = \"bulk\"; }; }; " \
	"then = { route = \"smtp:[h]\"; add_recipient = \"c@our.test\"; }; }" \
	");"

static void
test_recipients(void)
{
	struct stage s;
	struct plan *p;

	stage_begin(&s, HEAD, "x\r\n");
	stage_to(&s, "held@our.test");
	stage_to(&s, "bulk1@our.test");
	stage_rules(&s, PER_RECIPIENT);
	p = stage_decide(&s);
	tap_is_int(plan_verdict(p, 0)->action, ACCEPT, "one gets it");
	tap_is_int(plan_verdict(p, 1)->action, QUARANTINE, "one does not");
	tap_is_int(plan_verdict(p, 2)->action, QUARANTINE,
	    "one whose way is another cannot, and it is held for him");
	tap_ok(p->route.ptr == NULL, "the others go as ever");
	tap_ok(p->addresses == NULL, "what a rule adds goes with its message");
	s.conf.rules_mixed = RULES_MIXED_ALL;
	p = stage_decide(&s);
	tap_is_int(plan_verdict(p, 2)->action, ACCEPT, "rules_mixed = all");
	tap_is(p->route, SLICE("smtp:[h]"), "one way for all");
	tap_is(addresses(&s, p), SLICE(">c@our.test!"), "with its addition");
	s.recipients[0].address = SLICE("bulk2@our.test");
	s.conf.rules_mixed = RULES_MIXED_QUARANTINE;
	p = stage_decide(&s);
	tap_is_int(plan_verdict(p, 0)->action, ACCEPT,
	    "where nobody else is left all go that way");
	tap_is(p->route, SLICE("smtp:[h]"), "together");
	s.recipients[1].mailer = SLICE("error");
	p = stage_decide(&s);
	tap_is_int(plan_verdict(p, 1)->action, ACCEPT,
	    "whom Postfix refused is nobody's");
	stage_end(&s);
}

/* What is held is told of to people. */
static void
test_discreet(void)
{
	struct stage s;
	struct plan *p;

	stage_begin(&s, HEAD, "x\r\n");
	stage_rules(&s, "rules = ("
	    "{ name = \"a\"; then = { add_recipient = \"h@our.test\"; }; },"
	    "{ name = \"b\"; mode = \"active\"; "
	    "then = { quarantine = true; }; } );");
	p = stage_decide(&s);
	tap_ok(!has(p->all.reason, "h@our.test"),
	    "the reason of what is held names no further recipient");
	tap_is(stage_fact(p, "gatehouse.rules.shadow"), SLICE("a"),
	    "the journal does");
	stage_rules(&s, "rules = ("
	    "{ name = \"a\"; mode = \"active\"; continue = true; "
	    "then = { add_recipient = \"us@our.test\"; }; },"
	    "{ name = \"b\"; mode = \"active\"; "
	    "then = { rewrite_recipient = \"b@x.test\"; }; } );");
	p = stage_decide(&s);
	tap_is(addresses(&s, p), SLICE("us@our.test>b@x.test >us@our.test!"),
	    "who is rewritten away can be added");
	stage_end(&s);
}

static void
test_sets(void)
{
	struct stage s;
	struct conf_list two = { (const struct slice[]){ SLICE("b"),
	    SLICE("a") }, 2 };

	stage_begin(&s, HEAD, "x\r\n");
	stage_rules(&s, "rules = ("
	    "{ name = \"a\"; set = \"a\"; mode = \"active\"; "
	    "then = { reject = true; }; },"
	    "{ name = \"b\"; set = \"b\"; mode = \"active\"; "
	    "then = { quarantine = true; }; } );");
	tap_is_int(stage_decide(&s)->all.action, ACCEPT,
	    "a set that nobody names has nothing to say");
	s.conf.rule_sets = two;
	tap_is_int(stage_decide(&s)->all.action, QUARANTINE,
	    "sets come in the order in which they are named");
	two.count = 0;
	s.conf.rule_sets = two;
	tap_is_int(stage_decide(&s)->all.action, ACCEPT, "no sets, no rules");
	stage_end(&s);
}

static void
test_forged(void)
{
	struct stage s;
	struct plan *p;

	stage_begin(&s, "X-Gatehouse-Route: smtp:[evil]\r\n" HEAD, "");
	stage_rules(&s, "");
	p = stage_decide(&s);
	tap_ok(!has(stage_head(&s, p), "evil"), "a route of others goes");
	stage_end(&s);
}

/* ---- files ---- */

static const struct {
	const char *rules, *why;
} wrong[] = {
	{ "rule = ();", "rules:1: unknown setting rule; did you mean rules?" },
	{ "rules = [ \"a\" ];", "rules:1: rules wants a list of groups" },
	{ "rules = ( { then = { stop = true; }; } );",
	  "rules:1: this rule has no name" },
	{ "rules = ( { name = \"a b\"; } );", "name is \"a b\"; it wants" },
	{ "rules = (\n{ name = \"a\"; } );", "rules:2: rule a does nothing" },
	{ "rules = ( { name = \"a\"; then = { }; } );", "no action" },
	{ "rules = ( { name = \"a\"; then = { rejct = true; }; } );",
	  "unknown setting rejct; did you mean reject?" },
	{ "rules = ( { name = \"a\"; then = { reject = true; }; },\n"
	  "{ name = \"a\"; then = { reject = true; }; } );",
	  "rules:2: a second rule a; the first is in rules:1" },
	{ "rules = ( { name = \"a\"; when = { subjct = \"x\"; }; } );",
	  "unknown setting subjct; did you mean subject?" },
	{ "rules = ( { name = \"a\"; when = { subject = { prefx = \"x\"; }; "
	  "}; } );", "unknown setting prefx; did you mean prefix?" },
	{ "rules = ( { name = \"a\"; when = { subject = { domain = \"x.y\"; "
	  "}; }; } );", "unknown setting domain" },
	{ "rules = ( { name = \"a\"; when = { subject = { regex = \"(a\"; }; "
	  "}; } );", "regex has an error at byte 2: missing closing" },
	{ "rules = ( { name = \"a\"; when = { subject = { contains = \"\"; }; "
	  "}; } );", "contains is empty" },
	{ "rules = ( { name = \"a\"; when = { }; } );",
	  "a group without a condition" },
	{ "rules = ( { name = \"a\"; when = { any = ( ); }; } );",
	  "any wants a list of groups" },
	{ "rules = ( { name = \"a\"; when = { not = ( ); }; } );",
	  "not wants a group" },
	{ "rules = ( { name = \"a\"; when = { from = { domain = \"a b\"; }; "
	  "}; } );", "\"a b\" is no domain" },
	{ "rules = ( { name = \"a\"; when = { recipient = { }; }; } );",
	  "recipient has no pattern" },
	{ "rules = ( { name = \"a\"; when = { direction = \"up\"; }; } );",
	  "direction is \"up\"; it wants one or more of \"in\", \"out\"" },
	{ "rules = ( { name = \"a\"; when = { network = \"1.2.3.4/8\"; }; } "
	  ");", "network is \"1.2.3.4/8\"" },
	{ "rules = ( { name = \"a\"; when = { country = \"lu\"; }; } );",
	  "country is \"lu\"" },
	{ "rules = ( { name = \"a\"; when = { language = \"xx\"; }; } );",
	  "language is \"xx\"" },
	{ "rules = ( { name = \"a\"; when = { size = { over = \"big\"; }; }; "
	  "} );", "over is \"big\"; it wants bytes" },
	{ "rules = ( { name = \"a\"; when = { schedule = { hours = "
	  "\"8-17\"; }; }; } );", "write it as \"08:00-17:30\"" },
	{ "rules = ( { name = \"a\"; when = { schedule = { first = "
	  "\"2026-02-30\"; }; }; } );", "first is \"2026-02-30\"" },
	{ "rules = ( { name = \"a\"; when = { schedule = { hours = "
	  "\"08:00-09:00\"; zone = \"Mars/Base\"; }; }; } );", "zone: " },
	{ "rules = ( { name = \"a\"; when = { attachment = false; }; } );",
	  "attachment wants true" },
	{ "rules = ( { name = \"a\"; when = { header = { exact = \"x\"; }; }; "
	  "} );", "header has no name" },
	{ "rules = ( { name = \"a\"; then = { reject = true; quarantine = "
	  "true; }; } );", "quarantine and reject in one rule" },
	{ "rules = ( { name = \"a\"; then = { reject = true; tag_subject = "
	  "\"x\"; }; } );", "changes a message that nobody gets" },
	{ "rules = ( { name = \"a\"; continue = true; then = { reject = true; "
	  "}; } );", "behind a verdict there is nothing to go on for" },
	{ "rules = ( { name = \"a\"; then = { reject = \"4.7.1 no\"; }; } );",
	  "it wants 5.x.x and a text" },
	{ "rules = ( { name = \"a\"; then = { add_recipient = [ \"a@b.c\", "
	  "\"b@b.c\", \"c@b.c\", \"d@b.c\", \"e@b.c\", \"f@b.c\" ]; }; } );",
	  "a rule may add 5" },
	{ "rules = ( { name = \"a\"; then = { add_recipient = \"*@b.c\"; }; } "
	  ");", "it wants an address" },
	{ "rules = ( { name = \"a\"; then = { route = \"host\"; }; } );",
	  "route is \"host\"" },
	{ "rules = ( { name = \"a\"; then = { route = \"smtp:[h] DISCARD\"; "
	  "}; } );", "route is" },
	{ "rules = ( { name = \"a\"; then = { add_header = \"From: x\"; }; } "
	  ");", "From is not for a rule to touch" },
	{ "rules = ( { name = \"a\"; then = { remove_header = "
	  "\"X-Gatehouse-Seal\"; }; } );", "are the house's own" },
	{ "rules = ( { name = \"a\"; when = { direction = \"in\"; all = ( { "
	  "direction = \"out\"; } ); }; then = { reject = true; }; } );",
	  "its directions exclude each other" },

	/* Rules that contradict each other, or that nothing reaches. */
	{ "rules = ( { name = \"a\"; mode = \"active\"; when = { subject = "
	  "\"x\"; direction = \"in\"; }; then = { reject = true; }; },\n"
	  "{ name = \"b\"; mode = \"active\"; when = { direction = \"in\"; "
	  "subject = \"X\"; }; then = { quarantine = true; }; } );",
	  "rules:2: rule b says quarantine where rule a (rules:1) says "
	  "reject" },
	{ "rules = ( { name = \"a\"; mode = \"active\"; when = { subject = "
	  "\"x\"; }; then = { reject = true; }; },\n"
	  "{ name = \"b\"; mode = \"active\"; when = { subject = \"x\"; "
	  "direction = \"in\"; }; then = { tag_subject = \"t\"; }; } );",
	  "rules:2: rule b can never be reached: rule a (rules:1)" },
	{ "rules = ( { name = \"a\"; mode = \"active\"; then = { stop = "
	  "true; }; },\n{ name = \"b\"; mode = \"active\"; when = { subject "
	  "= \"x\"; }; then = { reject = true; }; } );",
	  "rules:2: rule b can never be reached" },
};

/* And such as are no trouble. */
static const char *const right[] = {
	/* A shadow beside the rule that it is to replace. */
	"rules = ( { name = \"a\"; mode = \"active\"; when = { subject = "
	"\"x\"; }; then = { reject = true; }; }, { name = \"b\"; when = { "
	"subject = \"x\"; }; then = { quarantine = true; }; } );",
	/* In another set. */
	"rules = ( { name = \"a\"; mode = \"active\"; then = { reject = true; "
	"}; }, { name = \"b\"; set = \"two\"; mode = \"active\"; then = { "
	"quarantine = true; }; } );",
	/* The special one first. */
	"rules = ( { name = \"a\"; mode = \"active\"; when = { subject = "
	"\"x\"; direction = \"in\"; }; then = { reject = true; }; }, { name = "
	"\"b\"; mode = \"active\"; when = { subject = \"x\"; }; then = { "
	"quarantine = true; }; } );",
	/* The first continues. */
	"rules = ( { name = \"a\"; mode = \"active\"; continue = true; then = "
	"{ tag_subject = \"x\"; }; }, { name = \"b\"; mode = \"active\"; then "
	"= { reject = true; }; } );",
	"rules = ( );",
	"",
};

static void
test_files(void)
{
	struct stage s;
	struct buf deep;

	stage_begin(&s, HEAD, "");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tap_is_int(stage_rules(&s, wrong[i].rules), RC_BAD, "%s",
		    wrong[i].rules);
		tap_ok(slice_starts(s.why, SLICE("rules:")) &&
		    has(s.why, wrong[i].why), "%.*s", SLICE_ARG(s.why));
	}
	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		tap_is_int(stage_rules(&s, right[i]), RC_OK, "%.60s",
		    right[i]);
	deep = buf_in(s.arena);
	buf_adds(&deep, "when = {");
	for (int i = 0; i < 6; i++)
		buf_adds(&deep, " not = {");
	buf_adds(&deep, " attachment = true;");
	for (int i = 0; i < 6; i++)
		buf_adds(&deep, " };");
	buf_adds(&deep, " }; then = { reject = true; };");
	tap_is_int(stage_rules(&s, rule(s.arena, arena_str(s.arena,
	    buf_slice(&deep))).ptr), RC_BAD, "six levels");
	tap_ok(has(s.why, "more than 5 deep"), "%.*s", SLICE_ARG(s.why));
	stage_end(&s);
}

static void
test_country(void)
{
	struct arena *a = arena_new();
	struct country *c;
	struct slice why;
	struct ip ip = { .family = 0 };

	tap_is_int(country_open("/nowhere/x.mmdb", &c, a, &why), RC_BAD,
	    "a database that is not there");
	tap_ok(has(why, "/nowhere/x.mmdb: cannot be read"), "%.*s",
	    SLICE_ARG(why));
	tap_is(country_of(NULL, &ip, a), SLICE("unknown"), "no database");
	arena_free(a);
}

int
main(void)
{
	test_verdicts();
	test_edits();
	test_shadow();
	test_subjects();
	test_envelope();
	test_bounce();
	test_hops();
	test_order();
	test_recipients();
	test_discreet();
	test_sets();
	test_forged();
	test_files();
	test_country();
	return tap_done();
}
