/* What auth-check makes of its findings: no process, no network. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "milters/auth-check/decide.h"
#include "milters/auth-check/filter.h"
#include "milters/auth-check/spf_ask.h"
#include "mime/message.h"
#include "t/tap.h"

struct stage {
	struct arena *arena;
	struct house_conf house;
	struct auth_check_conf conf;
	struct client client;
	struct envelope envelope;
	struct message msg;
	struct auth_answers seen;
	struct job job;
};

#define HEAD	"From: bob@sender.example\r\nSubject: hi\r\n"

/* text: lines of a configuration file, or NULL. */
static void
set(struct stage *s, const char *text)
{
	const struct conf_section sections[] = {
		{ .options = auth_check_options, .base = &s->conf },
		{ .options = NULL },
	};
	struct slice why = SLICE_NONE;

	if (conf_parse(s->arena, "auth-check.conf", slice_of(text), sections,
	    &why) != RC_OK)
		tap_ok(false, "%s: %.*s", text, SLICE_ARG(why));
}

static void
begin(struct stage *s, struct arena *a, enum spf_result result)
{
	static char asked;
	union { void *in; struct spf_ask *out; } ask = { &asked };

	arena_reset(a);
	*s = (struct stage){ .arena = a };
	set(s, "");
	s->house.authserv_id = "mx.example.org";
	s->house.hostname = "mx.example.org";
	ip_parse(SLICE("192.0.2.1"), &s->client.ip);
	s->client.helo = SLICE("mail.sender.example");
	s->envelope.sender = SLICE("bob@sender.example");
	message_read(&s->msg, a, SLICE(HEAD), SLICE(""), NULL);
	s->seen = (struct auth_answers){ .ask = ask.out, .mail = true };
	s->seen.mail_answer = (struct spf_answer){ .result = result,
	    .domain = SLICE("sender.example"),
	    .decided = SLICE("sender.example"), .mechanism = SLICE("-all"),
	    .explanation = SLICE(""), .reason = SLICE("192.0.2.1 is not "
	    "allowed to send mail for sender.example (mechanism -all)") };
	s->job = (struct job){ .filter = "auth-check", .arena = a,
	    .house = &s->house, .conf = &s->conf, .client = &s->client,
	    .envelope = &s->envelope, .msg = &s->msg,
	    .direction = DIRECTION_IN, .answers = &s->seen };
}

static void
helo(struct stage *s, enum spf_result result)
{
	s->seen.helo = true;
	s->seen.helo_answer = (struct spf_answer){ .result = result,
	    .domain = SLICE("mail.sender.example"), .decided =
	    SLICE("mail.sender.example"), .mechanism = SLICE("-all"),
	    .explanation = SLICE(""), .reason = SLICE("HELO reason") };
}

static struct slice
head_after(struct stage *s, const struct plan *p)
{
	struct slice head, body;

	patches_apply(&p->edits, s->arena, &head, &body);
	return head;
}

static struct slice
finding(const struct plan *p, const char *key)
{
	for (const struct plan_pair *f = p->findings; f != NULL; f = f->next)
		if (strcmp(f->key, key) == 0)
			return f->value;
	return SLICE_NONE;
}

static struct slice
fact(const struct plan *p, const char *key)
{
	for (const struct plan_pair *f = p->facts; f != NULL; f = f->next)
		if (strcmp(f->key, key) == 0)
			return f->value;
	return SLICE_NONE;
}

static const struct {
	const char *conf;
	enum spf_result result;
	enum action want;
	const char *rule, *reply;
	bool tagged;
} actions[] = {
	{ "", SPF_PASS, ACCEPT, "spf-pass", "", false },
	{ "", SPF_NONE, ACCEPT, "spf-none", "", false },
	{ "", SPF_NEUTRAL, ACCEPT, "spf-neutral", "", false },
	{ "", SPF_SOFTFAIL, ACCEPT, "spf-softfail", "", true },
	{ "", SPF_FAIL, ACCEPT, "spf-fail", "", true },
	{ "", SPF_TEMPERROR, ACCEPT, "spf-temperror", "", false },
	{ "", SPF_PERMERROR, ACCEPT, "spf-permerror", "", true },
	{ "spf_fail = \"accept\";", SPF_FAIL, ACCEPT, "spf-fail", "", false },
	{ "spf_fail = \"reject\";", SPF_FAIL, REJECT, "spf-fail",
	  "5.7.23 SPF fail: 192.0.2.1 is not allowed", false },
	{ "spf_fail = \"tempfail\";", SPF_FAIL, TEMPFAIL, "spf-fail",
	  "4.7.23 SPF fail: ", false },
	{ "spf_fail = \"quarantine\";", SPF_FAIL, QUARANTINE, "spf-fail", "",
	  false },
	{ "spf_fail = \"reject\";", SPF_SOFTFAIL, ACCEPT, "spf-softfail", "",
	  true },
	{ "spf_softfail = \"reject\";", SPF_SOFTFAIL, REJECT, "spf-softfail",
	  "5.7.23 SPF softfail: ", false },
	{ "spf_neutral = \"tempfail\";", SPF_NEUTRAL, TEMPFAIL, "spf-neutral",
	  "4.7.23 SPF neutral: ", false },
	{ "spf_none = \"tag\";", SPF_NONE, ACCEPT, "spf-none", "", true },
	{ "spf_permerror = \"reject\";", SPF_PERMERROR, REJECT,
	  "spf-permerror", "5.7.24 SPF permerror: ", false },
	{ "spf_temperror = \"tempfail\";", SPF_TEMPERROR, TEMPFAIL,
	  "spf-temperror", "4.7.24 SPF temperror: ", false },
	{ "spf_temperror = \"tag\";", SPF_TEMPERROR, ACCEPT, "spf-temperror",
	  "", true },
};

static void
try_actions(struct stage *s, struct arena *a)
{
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		const struct plan *p;
		bool tagged;

		begin(s, a, actions[i].result);
		set(s, actions[i].conf);
		p = auth_check_decide(&s->job);
		tagged = slice_search(head_after(s, p),
		    SLICE("X-Gatehouse-Tag: ")) < head_after(s, p).len;
		tap_ok(p->all.action == actions[i].want &&
		    tagged == actions[i].tagged &&
		    strcmp(p->all.rule, actions[i].rule) == 0 &&
		    slice_starts(p->all.reply, slice_of(actions[i].reply)),
		    "%s: %s %s", actions[i].rule,
		    action_name(actions[i].want), actions[i].conf);
	}
}

static void
try_helo(struct stage *s, struct arena *a)
{
	const struct plan *p;

	begin(s, a, SPF_PASS);
	helo(s, SPF_FAIL);
	set(s, "spf_helo_fail = \"reject\";");
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == REJECT, "HELO fail weighs more than a pass");
	tap_is(p->all.reply, SLICE("5.7.23 SPF HELO fail: HELO reason"),
	    "and says whose");
	tap_is_str(p->all.rule, "spf-helo-fail", "by its own rule");

	begin(s, a, SPF_FAIL);
	helo(s, SPF_FAIL);
	set(s, "spf_fail = \"reject\"; spf_helo_fail = \"tag\";");
	p = auth_check_decide(&s->job);
	tap_is_str(p->all.rule, "spf-fail", "the stronger action is done");

	begin(s, a, SPF_PASS);
	helo(s, SPF_PERMERROR);
	set(s, "spf_permerror = \"reject\";");
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == ACCEPT, "HELO counts only when it fails");

	begin(s, a, SPF_NONE);
	s->seen.mail = false;
	helo(s, SPF_SOFTFAIL);
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == ACCEPT, "HELO alone");
	tap_is_str(p->all.rule, "spf-helo", "by its rule");
}

static void
try_header(struct stage *s, struct arena *a)
{
	const struct plan *p;
	struct slice head;

	begin(s, a, SPF_PASS);
	helo(s, SPF_NONE);
	p = auth_check_decide(&s->job);
	tap_is(head_after(s, p), SLICE("Authentication-Results: "
	    "mx.example.org;\r\n"
	    "\tspf=pass smtp.mailfrom=bob@sender.example;\r\n"
	    "\tspf=none smtp.helo=mail.sender.example\r\n" HEAD),
	    "both results, on top");

	begin(s, a, SPF_FAIL);
	p = auth_check_decide(&s->job);
	tap_is(head_after(s, p), SLICE("Authentication-Results: "
	    "mx.example.org;\r\n"
	    "\tspf=fail reason=\"192.0.2.1 is not allowed to send mail for\r\n"
	    "\tsender.example (mechanism -all)\" "
	    "smtp.mailfrom=bob@sender.example\r\n"
	    "X-Gatehouse-Tag: spf-fail (192.0.2.1 is not allowed to send mail "
	    "for\r\n\tsender.example (mechanism -all))\r\n" HEAD),
	    "a fail, and the tag below");
	tap_is(finding(p, "spf"), SLICE("fail"), "finding: result");
	tap_is(finding(p, "spf-domain"), SLICE("sender.example"), "domain");
	tap_is(finding(p, "tag"), SLICE("spf-fail"), "tag");
	tap_is(fact(p, "gatehouse.spf.result"), SLICE("fail"), "fact: result");
	tap_is(fact(p, "gatehouse.spf.mechanism"), SLICE("-all"), "mechanism");

	begin(s, a, SPF_NONE);
	s->envelope.sender = SLICE("");
	s->client.helo = SLICE("evil\r\nX-Injected: yes");
	p = auth_check_decide(&s->job);
	head = head_after(s, p);
	tap_is(head, SLICE("Authentication-Results: mx.example.org;\r\n"
	    "\tspf=none smtp.helo=\"evil??X-Injected: yes\"\r\n" HEAD),
	    "no path: HELO is named; line ends are gone");

	begin(s, a, SPF_NONE);
	s->envelope.sender = SLICE("bob");
	p = auth_check_decide(&s->job);
	tap_is(head_after(s, p), SLICE("Authentication-Results: "
	    "mx.example.org;\r\n\tspf=none smtp.mailfrom=bob\r\n" HEAD),
	    "a sender without a domain");
}

static void
try_reply(struct stage *s, struct arena *a)
{
	const struct plan *p;
	const char *enhanced, *text;
	char code[4];

	begin(s, a, SPF_FAIL);
	set(s, "spf_fail = \"reject\";");
	s->seen.mail_answer.explanation = SLICE("See http://x/ %250 OK");
	p = auth_check_decide(&s->job);
	tap_is(p->all.reply, SLICE("5.7.23 SPF fail: 192.0.2.1 is not allowed "
	    "to send mail for sender.example (mechanism -all); "
	    "sender.example says: See http://x/ %250 OK"), "the reply");
	reply_split(a, &p->all, code, &enhanced, &text);
	tap_is_str(code, "550", "its code");
	tap_is_str(enhanced, "5.7.23", "its enhanced code (RFC 7372)");
}

/* T32: eight forged ones, and what others said. */
static const char forged[] =
    "Authentication-Results: mx.example.org; spf=pass\r\n"
    "Received: from a by b; x\r\n"
    "AUTHENTICATION-RESULTS: MX.EXAMPLE.ORG; dkim=pass\r\n"
    "Authentication-Results: other.example; spf=fail\r\n"
    "authentication-results:\r\n\tmx.example.org;\r\n\tdmarc=pass\r\n"
    "Authentication-Results: (x) mx.example.org 1; spf=pass\r\n"
    "Authentication-Results: \"mx.example.org\"; spf=pass\r\n"
    "Authentication-Results: mx.example.org spf=pass\r\n"
    "Authentication-Results: mx.example.org.example.com; none\r\n"
    "Authentication-Results: mx.exa\0mple.org; spf=pass\r\n"
    "Authentication-Results: Mx.Example.Org.; spf=pass\r\n"
    "ARC-Authentication-Results: i=1; mx.example.org; spf=pass\r\n"
    "Authentication-Results: spf=pass smtp.mailfrom=x\r\n"
    "X-Gatehouse-Tag: clean\r\n"
    "From: bob@sender.example\r\n";

static const char kept[] =
    "Received: from a by b; x\r\n"
    "Authentication-Results: other.example; spf=fail\r\n"
    "Authentication-Results: mx.example.org.example.com; none\r\n"
    "ARC-Authentication-Results: i=1; mx.example.org; spf=pass\r\n"
    "From: bob@sender.example\r\n";

static void
try_forged(struct stage *s, struct arena *a)
{
	const struct slice block = { forged, sizeof forged - 1 };
	const struct plan *p;
	struct slice head;

	begin(s, a, SPF_PASS);
	message_read(&s->msg, a, block, SLICE(""), NULL);
	p = auth_check_decide(&s->job);
	head = head_after(s, p);
	tap_ok(slice_starts(head, SLICE("Authentication-Results: "
	    "mx.example.org;\r\n\tspf=pass smtp.mailfrom=")), "ours on top");
	tap_ok(slice_ends(head, slice_of(kept)), "all forged ones are gone, "
	    "what others said stays");
	tap_is_int((long long)head.len, (long long)(strlen(kept) +
	    strlen("Authentication-Results: mx.example.org;\r\n"
	    "\tspf=pass smtp.mailfrom=bob@sender.example\r\n")),
	    "and nothing else is there");
	tap_is(fact(p, "gatehouse.authres.removed"), SLICE("10"), "counted");

	begin(s, a, SPF_PASS);
	message_read(&s->msg, a, block, SLICE(""), NULL);
	set(s, "authres_broken = \"keep\"; "
	    "authres_names = [ \"OTHER.example\" ];");
	p = auth_check_decide(&s->job);
	tap_is(fact(p, "gatehouse.authres.removed"), SLICE("10"),
	    "one that names nobody is kept, another name of ours is not");

	begin(s, a, SPF_PASS);
	message_read(&s->msg, a, block, SLICE(""), NULL);
	set(s, "authres_trusted = [ \"192.0.2.0/24\" ];");
	p = auth_check_decide(&s->job);
	tap_is(fact(p, "gatehouse.authres.removed"), SLICE("0"),
	    "from a gateway of ours they are believed");

	begin(s, a, SPF_PASS);
	message_read(&s->msg, a, block, SLICE(""), NULL);
	s->seen.ask = NULL;
	s->seen.skipped = "trusted";
	p = auth_check_decide(&s->job);
	tap_is_str(p->all.rule, "trusted", "a trusted client is not checked");
	tap_is(head_after(s, p), slice_of(kept),
	    "but what is forged goes all the same");

	begin(s, a, SPF_PASS);
	message_read(&s->msg, a, block, SLICE(""), NULL);
	s->seen.ask = NULL;
	s->seen.skipped = "outbound";
	s->job.direction = DIRECTION_OUT;
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == ACCEPT && p->edits.count == 0,
	    "outbound mail is left alone");
}

static void
try_options(struct stage *s, struct arena *a)
{
	static const char *const bad[] = {
		"spf_temperror = \"reject\";", "spf_fail = \"drop\";",
		"spf_void_lookups = 11;", "spf_timeout = \"10ms\";",
		"spf_engine = \"pyspf\";",
	};
	static const char *const names[] = { "Subject", "X-", "X-a b", "X-a:",
	    "X-\xc3\xbc" };
	struct slice why;

	begin(s, a, SPF_PASS);
	tap_ok(auth_check_filter.check(&s->conf, &s->house, a, &why) == RC_OK,
	    "the defaults are right");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		s->conf.tag_header = names[i];
		tap_ok(auth_check_filter.check(&s->conf, &s->house, a,
		    &why) == RC_BAD, "tag_header %s is refused", names[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct conf_section sections[] = {
			{ .options = auth_check_options, .base = &s->conf },
			{ .options = NULL },
		};

		tap_ok(conf_parse(a, "x.conf", slice_of(bad[i]), sections,
		    &why) == RC_BAD, "%s is refused", bad[i]);
	}
}

int
main(void)
{
	struct arena *a = arena_new();
	struct stage s;

	try_actions(&s, a);
	try_helo(&s, a);
	try_header(&s, a);
	try_reply(&s, a);
	try_forged(&s, a);
	try_options(&s, a);
	arena_free(a);
	return tap_done();
}
