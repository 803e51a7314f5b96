/* What auth-check makes of its findings: no process, no network. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "milters/auth-check/filter.h"
#include "t/auth-check-stage.h"
#include "t/tap.h"

static void
helo(struct stage *s, enum spf_result result)
{
	s->seen.helo = true;
	s->seen.helo_answer = (struct spf_answer){ .result = result,
	    .domain = SLICE("mail.sender.example"), .decided =
	    SLICE("mail.sender.example"), .mechanism = SLICE("-all"),
	    .explanation = SLICE(""), .reason = SLICE("HELO reason") };
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
	s->seen.skipped = "trusted";
	p = auth_check_decide(&s->job);
	tap_is_str(p->all.rule, "trusted", "a trusted client is not checked");
	tap_is(head_after(s, p), slice_of(kept),
	    "but what is forged goes all the same");

	begin(s, a, SPF_PASS);
	message_read(&s->msg, a, block, SLICE(""), NULL);
	s->seen.skipped = "outbound";
	s->job.direction = DIRECTION_OUT;
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == ACCEPT && p->edits.count == 0,
	    "outbound mail is left alone");
}

/* ---- DKIM, DMARC, ARC, iprev ---- */

static void
sign(struct stage *s, size_t i, enum dkim_result result, const char *domain)
{
	if (s->seen.signatures == NULL)
		s->seen.signatures = arena_array(s->arena, 4,
		    sizeof *s->seen.signatures);
	s->seen.signatures[i] = (struct dkim_signature){ .result = result,
	    .rule = "rule", .domain = slice_of(domain),
	    .selector = SLICE("sel"), .algorithm = DKIM_RSA_SHA256,
	    .b_short = SLICE("AbCd+/12"), .reason = SLICE("the reason"),
	    .key_bits = 2048 };
	s->seen.nsignatures = i + 1;
	s->seen.dkim = true;
}

static void
seal(struct stage *s, enum arc_status status, const char *const *domains,
    const char *results)
{
	struct arc_chain *c = &s->seen.chain;

	s->seen.arc = true;
	*c = (struct arc_chain){ .status = status, .rule = "seal",
	    .reason = SLICE("a seal is broken") };
	c->sets = arena_array(s->arena, 3, sizeof *c->sets);
	for (; *domains != NULL; domains++) {
		struct arc_set *set = &c->sets[c->count++];

		set->seal.domain = slice_of(*domains);
		set->seal.selector = SLICE("sel");
		set->results = slice_of(results);
	}
	c->highest = c->count;
}

static const struct {
	const char *conf;
	enum dkim_result first, second;
	enum action want;
	const char *rule, *reply;
} signatures[] = {
	{ "", DKIM_PASS, DKIM_FAIL, ACCEPT, "dkim-pass", "" },
	{ "", DKIM_FAIL, DKIM_PASS, ACCEPT, "dkim-pass", "" },
	{ "", DKIM_FAIL, DKIM_FAIL, ACCEPT, "dkim-fail", "" },
	{ "dkim_fail = \"reject\";", DKIM_FAIL, DKIM_PASS, ACCEPT,
	  "dkim-pass", "" },
	{ "dkim_fail = \"reject\";", DKIM_FAIL, DKIM_NEUTRAL, REJECT,
	  "dkim-fail", "5.7.20 DKIM fail: signature of a.example: the reason" },
	{ "dkim_policy = \"reject\";", DKIM_FAIL, DKIM_POLICY, REJECT,
	  "dkim-policy", "5.7.21 DKIM policy: signature of b.example" },
	{ "dkim_temperror = \"tempfail\";", DKIM_TEMPERROR, DKIM_FAIL,
	  TEMPFAIL, "dkim-temperror", "4.7.20 DKIM temperror: " },
	{ "dkim_permerror = \"quarantine\";", DKIM_PERMERROR, DKIM_NEUTRAL,
	  QUARANTINE, "dkim-permerror", "" },
	{ "dkim_neutral = \"tag\";", DKIM_NEUTRAL, DKIM_NEUTRAL, ACCEPT,
	  "dkim-neutral", "" },
};

static void
try_dkim(struct stage *s, struct arena *a)
{
	const struct plan *p;

	for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
		begin(s, a, SPF_PASS);
		s->seen.mail = false;
		set(s, signatures[i].conf);
		sign(s, 0, signatures[i].first, "a.example");
		sign(s, 1, signatures[i].second, "b.example");
		p = auth_check_decide(&s->job);
		tap_ok(p->all.action == signatures[i].want &&
		    strcmp(p->all.rule, signatures[i].rule) == 0 &&
		    slice_starts(p->all.reply, slice_of(signatures[i].reply)),
		    "%s %s", signatures[i].rule, signatures[i].conf);
	}
	begin(s, a, SPF_PASS);
	set(s, "dkim_none = \"reject\";");
	s->seen.dkim = true;
	p = auth_check_decide(&s->job);
	tap_is(p->all.reply, SLICE("5.7.20 DKIM none: the message has no DKIM "
	    "signature"), "no signature");
	begin(s, a, SPF_PASS);
	sign(s, 0, DKIM_FAIL, "evil\r\nX: y");
	sign(s, 1, DKIM_PASS, "sender.example");
	p = auth_check_decide(&s->job);
	tap_is(head_after(s, p), SLICE("Authentication-Results: "
	    "mx.example.org;\r\n"
	    "\tspf=pass smtp.mailfrom=bob@sender.example;\r\n"
	    "\tdkim=fail reason=\"the reason\" header.d=\"evil??X: y\" "
	    "header.s=sel\r\n\theader.a=rsa-sha256 "
	    "header.b=\"AbCd+/12\";\r\n"
	    "\tdkim=pass header.d=sender.example header.s=sel "
	    "header.a=rsa-sha256\r\n\theader.b=\"AbCd+/12\"\r\n" HEAD),
	    "each signature with its name");
	tap_is(finding(p, "dkim"), SLICE("pass"), "finding");
	tap_is(finding(p, "dkim-domain"), SLICE("sender.example"), "domain");
	tap_is(fact(p, "gatehouse.dkim.1.result"), SLICE("fail"), "fact 1");
	tap_is(fact(p, "gatehouse.dkim.2.selector"), SLICE("sel"), "fact 2");
}

static const struct {
	const char *name, *conf;
	enum dmarc_result result;
	enum dmarc_policy policy;
	enum action want;
	const char *rule, *reply, *override;
	bool tagged;
} policies[] = {
	{ "a pass", "", DMARC_PASS, DMARC_REJECT, ACCEPT, "dmarc-pass", "", "",
	  false },
	{ "reject", "", DMARC_FAIL, DMARC_REJECT, REJECT, "dmarc-reject",
	  "5.7.1 DMARC reject: sender.example asks to reject mail that fails "
	  "DMARC (p=reject): nobody vouches for it", "", false },
	{ "quarantine", "", DMARC_FAIL, DMARC_QUARANTINE, QUARANTINE,
	  "dmarc-quarantine", "", "", false },
	{ "none", "", DMARC_FAIL, DMARC_NO_POLICY, ACCEPT, "dmarc-fail", "", "",
	  false },
	{ "none, tagged", "dmarc_none = \"tag\";", DMARC_FAIL,
	  DMARC_NO_POLICY, ACCEPT, "dmarc-fail", "", "", true },
	{ "softened reject", "dmarc_policy = \"soften\";", DMARC_FAIL,
	  DMARC_REJECT, QUARANTINE, "dmarc-quarantine", "",
	  "local_policy: policies are softened here", false },
	{ "softened quarantine", "dmarc_policy = \"soften\";", DMARC_FAIL,
	  DMARC_QUARANTINE, ACCEPT, "dmarc-local-policy", "",
	  "local_policy: policies are softened here", false },
	{ "ignored", "dmarc_policy = \"ignore\";", DMARC_FAIL, DMARC_REJECT,
	  ACCEPT, "dmarc-local-policy", "",
	  "local_policy: policies are not applied here", false },
	{ "quarantine as a tag", "dmarc_quarantine = \"tag\";", DMARC_FAIL,
	  DMARC_QUARANTINE, ACCEPT, "dmarc-quarantine", "", "", true },
	{ "reject as a tag", "dmarc_reject = \"tag\";", DMARC_FAIL,
	  DMARC_REJECT, ACCEPT, "dmarc-reject", "",
	  "local_policy: dmarc-reject", true },
	{ "override to none",
	  "dmarc_overrides = [ \"Sender.Example=none\" ];", DMARC_FAIL,
	  DMARC_REJECT, ACCEPT, "dmarc-local-policy", "",
	  "local_policy: one of dmarc_overrides", false },
	{ "override to reject",
	  "dmarc_overrides = [ \".example=reject\" ];", DMARC_FAIL,
	  DMARC_NO_POLICY, REJECT, "dmarc-reject", "5.7.1 DMARC reject: mail "
	  "of sender.example that fails DMARC is not taken here: ",
	  "local_policy: one of dmarc_overrides", false },
	{ "override of another domain",
	  "dmarc_overrides = [ \"ender.example=none\", \".nder.example=none\" "
	  "];", DMARC_FAIL, DMARC_REJECT, REJECT, "dmarc-reject", "", "",
	  false },
	{ "a forwarder", "dmarc_forwarders = [ \"192.0.2.0/24\" ];",
	  DMARC_FAIL, DMARC_REJECT, ACCEPT, "dmarc-trusted-forwarder", "",
	  "trusted_forwarder: the client is one of dmarc_forwarders", false },
	{ "a list", "dmarc_lists = [ \"list.example\" ];", DMARC_FAIL,
	  DMARC_REJECT, ACCEPT, "dmarc-mailing-list", "",
	  "mailing_list: it comes from one of dmarc_lists", false },
	{ "a list that did not sign", "dmarc_lists = [ \"bad.example\" ];",
	  DMARC_FAIL, DMARC_REJECT, REJECT, "dmarc-reject", "", "", false },
	{ "temperror under reject", "", DMARC_TEMPERROR, DMARC_REJECT,
	  TEMPFAIL, "dmarc-temperror", "4.7.1 DMARC temperror: ", "", false },
	{ "temperror under none", "", DMARC_TEMPERROR, DMARC_NO_POLICY, ACCEPT,
	  "dmarc-temperror", "", "", false },
	{ "temperror, policies ignored", "dmarc_policy = \"ignore\";",
	  DMARC_TEMPERROR, DMARC_REJECT, ACCEPT, "dmarc-temperror", "", "",
	  false },
	{ "permerror", "", DMARC_PERMERROR, DMARC_NO_POLICY, ACCEPT,
	  "dmarc-permerror", "", "", true },
	{ "permerror refused", "dmarc_permerror = \"reject\";",
	  DMARC_PERMERROR, DMARC_NO_POLICY, REJECT, "dmarc-permerror",
	  "5.7.1 DMARC permerror: nobody", "local_policy: dmarc-permerror",
	  false },
	{ "no policy refused", "dmarc_missing = \"reject\";", DMARC_NONE,
	  DMARC_NO_POLICY, REJECT, "dmarc-none", "5.7.1 DMARC none: "
	  "sender.example: nobody", "local_policy: dmarc-none", false },
	{ "no policy tagged", "dmarc_missing = \"tag\";", DMARC_NONE,
	  DMARC_NO_POLICY, ACCEPT, "dmarc-none", "", "", true },
	{ "SPF refuses what DMARC passes", "spf_softfail = \"reject\";",
	  DMARC_PASS, DMARC_REJECT, REJECT, "spf-softfail", "5.7.23 ",
	  "local_policy: spf-softfail", false },
};

static void
try_dmarc(struct stage *s, struct arena *a)
{
	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
		const struct plan *p;
		bool tagged;

		begin(s, a, policies[i].reply[0] == '5' &&
		    policies[i].reply[4] == '2' ? SPF_SOFTFAIL : SPF_NONE);
		set(s, policies[i].conf);
		sign(s, 0, DKIM_PASS, "list.example");
		sign(s, 1, DKIM_FAIL, "bad.example");
		dmarc(s, policies[i].result, policies[i].policy);
		p = auth_check_decide(&s->job);
		tagged = finding(p, "tag").ptr != NULL;
		tap_ok(p->all.action == policies[i].want &&
		    tagged == policies[i].tagged &&
		    strcmp(p->all.rule, policies[i].rule) == 0 &&
		    slice_starts(p->all.reply, slice_of(policies[i].reply)),
		    "DMARC %s: %s by %s", policies[i].name,
		    action_name(p->all.action), p->all.rule);
		tap_is(fact(p, "gatehouse.dmarc.override"),
		    policies[i].override[0] == '\0' ? SLICE_NONE :
		    slice_of(policies[i].override), "reason for reports");
	}
}

static void
try_dmarc_told(struct stage *s, struct arena *a)
{
	const struct plan *p;

	begin(s, a, SPF_NONE);
	dmarc(s, DMARC_FAIL, DMARC_REJECT);
	s->seen.policy.override = DMARC_TEST_MODE;
	s->seen.policy.policy = DMARC_QUARANTINE;
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == QUARANTINE, "test mode is one step less");
	tap_is(fact(p, "gatehouse.dmarc.override"), SLICE("policy_test_mode"),
	    "and says so");
	tap_is(fact(p, "gatehouse.dmarc.disposition"), SLICE("quarantine"),
	    "disposition");
	tap_is(fact(p, "gatehouse.dmarc.policy"), SLICE("reject"),
	    "policy as published");
	tap_ok(slice_search(head_after(s, p), SLICE("dmarc=fail "
	    "reason=\"nobody vouches for it\"")) < head_after(s, p).len &&
	    slice_search(head_after(s, p), SLICE("header.from=sender.example"
	    "\r\n\tpolicy.dmarc=reject")) < head_after(s, p).len, "the field");
	tap_is(finding(p, "dmarc"), SLICE("fail"), "finding");
	tap_is(finding(p, "dmarc-from"), SLICE("sender.example"), "of whom");
	tap_is(finding(p, "dmarc-policy"), SLICE("reject"), "and his policy");

	begin(s, a, SPF_NONE);
	dmarc(s, DMARC_TEMPERROR, DMARC_NO_POLICY);
	s->seen.policy.found = false;
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == ACCEPT, "no word about a policy");
	tap_is(fact(p, "gatehouse.dmarc.record.p"), SLICE_NONE, "no record");

	begin(s, a, SPF_PASS);
	dmarc(s, DMARC_NONE, DMARC_NO_POLICY);
	s->seen.policy.found = false;
	p = auth_check_decide(&s->job);
	tap_is_str(p->all.rule, "spf-pass", "no DMARC: SPF names the rule");
}

static void
try_arc(struct stage *s, struct arena *a)
{
	static const char says[] = " good.example; spf=fail; "
	    "dmarc=pass (p=reject) header.from=sender.example";
	static const struct {
		const char *name, *results, *domains[4];
		enum arc_status status;
		enum action want;
	} cases[] = {
		{ "a trusted sealer", says, { "good.example" }, ARC_PASS,
		  ACCEPT },
		{ "two", says, { "good.example", "GOOD.example" }, ARC_PASS,
		  ACCEPT },
		{ "an unknown one", says, { "bad.example" }, ARC_PASS, REJECT },
		{ "the newest is unknown", says, { "good.example",
		  "bad.example" }, ARC_PASS, REJECT },
		{ "a broken chain", says, { "good.example" }, ARC_FAIL,
		  REJECT },
		{ "it says fail", "g; dmarc=fail header.from=sender.example",
		  { "good.example" }, ARC_PASS, REJECT },
		{ "it says both", "g; dmarc=pass header.from=sender.example; "
		  "dmarc=fail header.from=sender.example",
		  { "good.example" }, ARC_PASS, REJECT },
		{ "in a comment", "g; spf=pass (; dmarc=pass "
		  "header.from=sender.example)", { "good.example" }, ARC_PASS,
		  REJECT },
		{ "in a quoted text", "g; spf=pass reason=\"; dmarc=pass "
		  "header.from=sender.example\"", { "good.example" }, ARC_PASS,
		  REJECT },
		{ "another domain", "g; dmarc=pass "
		  "header.from=xsender.example", { "good.example" }, ARC_PASS,
		  REJECT },
		{ "odd but right", "g (x) ; DMARC / 1 (c) = (d) pass\r\n\t"
		  "header.from = \"Sender.Example\"", { "good.example" },
		  ARC_PASS, ACCEPT },
	};
	const struct plan *p;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(s, a, SPF_NONE);
		set(s, "arc_trusted = [ \"good.example\" ];");
		dmarc(s, DMARC_FAIL, DMARC_REJECT);
		seal(s, cases[i].status, cases[i].domains, cases[i].results);
		p = auth_check_decide(&s->job);
		tap_ok(p->all.action == cases[i].want, "ARC %s: %s",
		    cases[i].name, action_name(p->all.action));
	}
	begin(s, a, SPF_NONE);
	set(s, "arc_fail = \"reject\";");
	seal(s, ARC_FAIL, cases[0].domains, says);
	p = auth_check_decide(&s->job);
	tap_is(p->all.reply, SLICE("5.7.29 ARC fail: chain sealed last by "
	    "good.example: a seal is broken"), "a broken chain may be refused");
	s->seen.chain.temporary = true;
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == ACCEPT, "but not for our DNS");
	set(s, "arc_temperror = \"tempfail\";");
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == TEMPFAIL && slice_starts(p->all.reply,
	    SLICE("4.7.29 ARC temperror: chain sealed last by ")),
	    "or later");
	set(s, "");
	seal(s, ARC_PASS, cases[1].domains, says);
	p = auth_check_decide(&s->job);
	tap_ok(slice_search(head_after(s, p), SLICE("\tarc=pass "
	    "smtp.remote-ip=192.0.2.1 header.oldest-pass=0\r\n")) <
	    head_after(s, p).len, "in the field");
	tap_is(fact(p, "gatehouse.arc.sealers"),
	    SLICE("GOOD.example good.example"), "sealers, the newest first");
}

static void
try_iprev(struct stage *s, struct arena *a)
{
	const struct plan *p;

	begin(s, a, SPF_PASS);
	s->seen.iprev = true;
	s->seen.name = (struct iprev_answer){ IPREV_FAIL, SLICE("x.example"),
	    SLICE("192.0.2.1 is called x.example, which has other addresses") };
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == ACCEPT, "iprev fail: accepted");
	tap_is(finding(p, "iprev"), SLICE("fail"), "finding");
	set(s, "iprev_fail = \"reject\";");
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == REJECT && slice_starts(p->all.reply,
	    SLICE("5.7.25 iprev fail: 192.0.2.1 is called")), "or refused");
	s->seen.name.result = IPREV_TEMPERROR;
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == ACCEPT, "but not for silence");
	set(s, "iprev_temperror = \"tempfail\";");
	p = auth_check_decide(&s->job);
	tap_ok(p->all.action == TEMPFAIL && slice_starts(p->all.reply,
	    SLICE("4.7.25 iprev temperror: ")), "which may be tried again");
}

static void
try_received(struct stage *s, struct arena *a)
{
	const struct plan *p;

	begin(s, a, SPF_FAIL);
	set(s, "received_spf = true; spf_fail = \"accept\";");
	s->client.helo = SLICE("h\"\r\nx");
	p = auth_check_decide(&s->job);
	tap_ok(slice_search(head_after(s, p), SLICE("Received-SPF: fail "
	    "(mx.example.org: 192.0.2.1 is not allowed to send mail for\r\n"
	    "\tsender.example [mechanism -all]) receiver=mx.example.org;"
	    "\r\n\tclient-ip=192.0.2.1; envelope-from=\"bob@sender.example\";"
	    "\r\n\thelo=\"h\\\"??x\"; identity=mailfrom\r\n")) <
	    head_after(s, p).len, "Received-SPF");
}

/* As configured, and as somebody's settings want. */
static unsigned
needs(struct stage *s)
{
	struct survey survey = { .arena = s->arena };

	if (auth_check_filter.survey(&s->conf, NULL, s->policy, &survey) !=
	    RC_OK)
		tap_ok(false, "a survey");
	return auth_check_filter.wants(&s->conf) | survey.needs;
}

static void
try_options(struct stage *s, struct arena *a)
{
	static const char *const bad[] = {
		"spf_temperror = \"reject\";", "spf_fail = \"drop\";",
		"spf_void_lookups = 11;", "spf_timeout = \"10ms\";",
		"spf_engine = \"pyspf\";", "dmarc_mode = \"rfc1\";",
		"dkim_min_bits = 512;", "dkim_engine = \"x\";",
		"dmarc_temperror = \"reject\";", "arc_temperror = \"reject\";",
		"iprev_temperror = \"reject\";",
		"scope = ( { domain = \"a.example\"; dmarc = false; } );",
		"scope = ( { dmarc_policy = \"ignore\"; } );",
		"scope = ( { domain = \"a.example\"; "
		    "spf_temperror = \"reject\"; } );",
	};
	static const char *const names[] = { "Subject", "X-", "X-a b", "X-a:",
	    "X-\xc3\xbc" };
	struct slice why;

	begin(s, a, SPF_PASS);
	tap_ok(auth_check_filter.check(&s->conf, &s->house, a, &why) == RC_OK,
	    "the defaults are right");
	set(s, "dmarc_overrides = [ \"a.example\" ];");
	tap_ok(auth_check_filter.check(&s->conf, &s->house, a, &why) ==
	    RC_BAD, "an override without a policy is refused");
	set(s, "dmarc_overrides = [ \"b\xc3\xbc.example=none\" ];");
	tap_ok(auth_check_filter.check(&s->conf, &s->house, a, &why) ==
	    RC_BAD, "and one that is no domain of DNS");
	set(s, "dkim = false; arc = false; harvest = false; "
	    "backscatter = \"off\";");
	tap_is_int(needs(s), 0, "no hash, no body");
	set(s, "harvest = false;");
	tap_is_int(needs(s), NEED_BODY, "the body");
	set(s, "harvest = false; dkim = false; arc = false;");
	tap_is_int(needs(s), NEED_BODY,
	    "the body of bounces");
	set(s, "dkim = false; arc = false; backscatter = \"off\";");
	tap_is_int(needs(s), EARLY,
	    "early answers for harvest");
	set(s, "harvest = false; dkim = false; arc = false; backscatter = "
	    "\"off\"; scope = ( { domain = \"a.example\"; backscatter = "
	    "\"tag\"; } );");
	tap_is_int(needs(s), NEED_BODY,
	    "the body of bounces to one domain");
	set(s, "\nscope = (\n{ domain = \"a.example\"; },\n"
	    "{ domain = \"b.example\"; dmarc_overrides = [ \"x\" ]; } );");
	why = SLICE("");
	tap_ok(auth_check_filter.check(&s->conf, &s->house, a, &why) ==
	    RC_BAD && slice_starts(why, SLICE("auth-check.conf:4: "
	    "dmarc_overrides: \"x\"; it wants ")), "a scope is checked, and "
	    "its line named: %.*s", SLICE_ARG(why));
	set(s, "harvest_slow = 5; harvest_refuse = 4;");
	tap_ok(auth_check_filter.check(&s->conf, &s->house, a, &why) ==
	    RC_BAD, "refused before slowed is no order");
	set(s, "");
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
	try_dkim(&s, a);
	try_dmarc(&s, a);
	try_dmarc_told(&s, a);
	try_arc(&s, a);
	try_iprev(&s, a);
	try_received(&s, a);
	try_options(&s, a);
	arena_free(a);
	return tap_done();
}
