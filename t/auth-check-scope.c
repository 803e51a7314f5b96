/* Recipients whose options differ: one message, several verdicts. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "t/auth-check-stage.h"
#include "t/tap.h"

/* "a@one.example !b@two.example": the other is one that Postfix refused. */
static void
to(struct stage *s, const char *addresses)
{
	struct slice rest = slice_of(addresses), word;

	s->envelope.recipients = arena_array(s->arena, 10,
	    sizeof *s->envelope.recipients);
	while (rest.len > 0) {
		bool error = rest.ptr[0] == '!';

		word = slice_cut(slice_after(rest, error), ' ', &rest);
		s->envelope.recipients[s->envelope.nrecipients++] =
		    (struct recipient){ word, error ? SLICE("error") :
		    SLICE("smtp"), SLICE("") };
	}
}

#define ONE_TWO(one, two) "scope = ( { domain = \"one.example\"; " one \
	" }, { domain = \"TWO.example\"; " two " } );"
#define DO(what)	"dmarc_policy = \"" what "\";"
#define BOTH		"a@one.example a@two.example"

/* Mail that fails; its owner asks for reject. want: of each recipient. */
static const struct {
	const char *name, *conf, *to, *want, *disposition, *override;
	bool tagged, store, reject_all;
} scopes[] = {
	{ "scopes without a word on it", ONE_TWO("dkim_fail = \"tag\";", ""),
	  BOTH, "reject reject", "reject", "", .tagged = false },
	{ "follow, soften", ONE_TWO(DO("follow"), DO("soften")), BOTH,
	  "reject quarantine", "quarantine", "local_policy: recipients differ",
	  .tagged = false },
	{ "follow, ignore", ONE_TWO(DO("follow"), DO("ignore")), BOTH,
	  "reject accept", "quarantine", "local_policy: recipients differ",
	  .tagged = false },
	{ "the same, in a store", ONE_TWO(DO("follow"), DO("ignore")), BOTH,
	  "reject accept", "quarantine", "local_policy: recipients differ",
	  .store = true },
	{ "mixed_reject = reject needs a store", ONE_TWO("", DO("ignore")),
	  BOTH, "reject accept", "quarantine",
	  "local_policy: recipients differ", .reject_all = true },
	{ "and refuses all then", ONE_TWO("", DO("ignore")), BOTH,
	  "reject accept", "reject", "", .store = true, .reject_all = true },
	{ "ignore, soften", ONE_TWO(DO("ignore"), DO("soften")), BOTH,
	  "accept quarantine", "quarantine",
	  "local_policy: policies are softened here", .tagged = false },
	{ "who is in no scope", ONE_TWO(DO("ignore"), "") , "a@one.example "
	  "a@three.example", "accept reject", "quarantine",
	  "local_policy: recipients differ", .tagged = false },
	{ "an override in one", ONE_TWO("dmarc_overrides = "
	  "[ \".example=none\" ];", ""), BOTH, "accept reject", "quarantine",
	  "local_policy: recipients differ", .tagged = false },
	{ "forwarders of one, lists of the other", ONE_TWO("dmarc_forwarders = "
	  "[ \"192.0.2.0/24\" ];", "dmarc_lists = [ \"sender.example\" ];"),
	  BOTH, "accept reject", "quarantine",
	  "local_policy: recipients differ", .tagged = false },
	{ "final outside", DO("soften") "final = [ \"dmarc_policy\" ];"
	  ONE_TWO(DO("follow"), DO("ignore")), BOTH, "quarantine quarantine",
	  "quarantine", "local_policy: policies are softened here",
	  .tagged = false },
	{ "a user before his domain", "scope = ( { domain = \"one.example\"; "
	  DO("ignore") " }, { user = \"A@one.example\"; " DO("follow")
	  " } );", "a@one.example b@one.example", "reject accept",
	  "quarantine", "local_policy: recipients differ", .tagged = false },
	{ "but not when that is final", "scope = ( { domain = "
	  "\"one.example\"; final = \"dmarc_policy\"; " DO("ignore")
	  " }, { user = \"A@one.example\"; " DO("follow") " } );",
	  "a@one.example b@one.example", "accept accept", "none",
	  "local_policy: policies are not applied here", .tagged = false },
	{ "a client's domains", "scope = ( { client = \"acme\"; domains = "
	  "[ \"one.example\", \"two.example\" ]; " DO("ignore") " } );",
	  BOTH, "accept accept", "none",
	  "local_policy: policies are not applied here", .tagged = false },
	{ "put off for one is put off for all", ONE_TWO("dmarc_reject = "
	  "\"tempfail\";", ""), BOTH, "tempfail reject", "none",
	  "local_policy: dmarc-reject", .tagged = false },
	{ "a tag is the message's", ONE_TWO("dmarc_reject = \"tag\";",
	  DO("ignore")), BOTH, "accept accept", "none",
	  "local_policy: dmarc-reject", .tagged = true },
	{ "of two tags the one that is a policy's", ONE_TWO("dmarc_reject = "
	  "\"tag\";", DO("soften") "dmarc_quarantine = \"tag\";"), BOTH,
	  "accept accept", "quarantine",
	  "local_policy: policies are softened here", .tagged = true },
	{ "tag and a refusal", ONE_TWO("dmarc_reject = \"tag\";", ""), BOTH,
	  "accept reject", "quarantine", "local_policy: recipients differ",
	  .tagged = true },
	{ "who was refused at RCPT does not count", ONE_TWO(DO("ignore"), ""),
	  "!a@one.example a@two.example", "reject reject", "reject", "",
	  .tagged = false },
	{ "if all were: as outside", ONE_TWO(DO("ignore"), ""),
	  "!a@one.example", "reject", "reject", "", .tagged = false },
	{ "nobody: as outside", ONE_TWO(DO("ignore"), DO("ignore")), "", "",
	  "reject", "", .tagged = false },
	{ "an address without a domain", ONE_TWO(DO("ignore"), ""),
	  "postmaster a@one.example", "reject accept", "quarantine",
	  "local_policy: recipients differ", .tagged = false },
};

static struct slice
actions_of(struct stage *s, const struct plan *p)
{
	struct buf out = buf_in(s->arena);

	for (size_t i = 0; i < s->envelope.nrecipients; i++)
		buf_addf(&out, "%s%s", i > 0 ? " " : "",
		    action_name(plan_verdict(p, i)->action));
	return buf_slice(&out);
}

static void
try_scopes(struct stage *s, struct arena *a)
{
	const struct plan *p;
	struct slice head;

	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
		const char *name = scopes[i].name;

		begin(s, a, SPF_NONE);
		set(s, scopes[i].conf);
		to(s, scopes[i].to);
		dmarc(s, DMARC_FAIL, DMARC_REJECT);
		s->job.store = scopes[i].store;
		s->house.mixed_reject = scopes[i].reject_all ?
		    MIXED_REJECT_ALL : MIXED_QUARANTINE;
		p = decide(s);
		head = head_after(s, p);
		tap_is(actions_of(s, p), slice_of(scopes[i].want), "%s", name);
		tap_is(fact(p, "gatehouse.dmarc.disposition"),
		    slice_of(scopes[i].disposition), "%s: disposition", name);
		tap_is(fact(p, "gatehouse.dmarc.override"),
		    scopes[i].override[0] == '\0' ? SLICE_NONE :
		    slice_of(scopes[i].override), "%s: override", name);
		tap_ok((slice_search(head, SLICE("X-Gatehouse-Tag: ")) <
		    head.len) == scopes[i].tagged, "%s: tag", name);
		tap_ok(slice_search(head, SLICE("dmarc=fail")) < head.len,
		    "%s: one result for all", name);
	}
}

static void
try_scope_replies(struct stage *s, struct arena *a)
{
	const struct plan *p;

	begin(s, a, SPF_NONE);
	set(s, ONE_TWO(DO("soften"), DO("soften")));
	to(s, BOTH);
	dmarc(s, DMARC_FAIL, DMARC_REJECT);
	p = decide(s);
	tap_ok(p->recipients == NULL, "alike in two scopes: one verdict");
	set(s, ONE_TWO("dkim_fail = \"tag\";", ""));
	p = decide(s);
	tap_ok(p->recipients == NULL, "and where they differ in what does not "
	    "matter here");
	set(s, ONE_TWO("", DO("ignore")));
	p = decide(s);
	tap_ok(slice_starts(plan_verdict(p, 0)->reply,
	    SLICE("5.7.1 DMARC reject: sender.example asks to reject")),
	    "his reply");
	tap_is_str(plan_verdict(p, 1)->rule, "dmarc-local-policy",
	    "the other's rule");
	tap_is_int(plan_verdict(p, 1)->cause, CAUSE_NONE, "and no cause");

	begin(s, a, SPF_FAIL);
	set(s, ONE_TWO("spf_fail = \"accept\";", "spf_fail = \"reject\";"));
	to(s, BOTH);
	p = decide(s);
	tap_is(actions_of(s, p), SLICE("accept reject"), "SPF by scope");
	set(s, ONE_TWO("backscatter = \"off\";", ""));
	s->seen = (struct auth_answers){ .backscatter = true };
	s->seen.bounce = arena_alloc(a, sizeof *s->seen.bounce);
	*s->seen.bounce = (struct bounce){ .kind = BOUNCE_DSN, .sign = "dsn" };
	p = decide(s);
	tap_is(actions_of(s, p), SLICE("accept quarantine"),
	    "backscatter off for one");
	tap_is_int(plan_verdict(p, 1)->cause, CAUSE_SPAM_NDR, "its cause");
	set(s, "backscatter = \"reject\";" ONE_TWO("backscatter = \"off\";",
	    ""));
	p = decide(s);
	tap_is_int(plan_verdict(p, 1)->cause, CAUSE_SPAM_NDR,
	    "the same should it have to be held");
}

int
main(void)
{
	struct arena *a = arena_new();
	struct stage s;

	try_scopes(&s, a);
	try_scope_replies(&s, a);
	arena_free(a);
	return tap_done();
}
