/* The verdict room: plans, replies, and what a failure becomes. */
#include "t/tap.h"
#include "verdict/plan.h"

static const struct {
	const char *name;
	enum action action;
	const char *reply, *code, *enhanced, *text;
} replies[] = {
	{ "as it was given", REJECT, "5.7.23 SPF fail", "550", "5.7.23",
	  "SPF fail" },
	{ "temporary", TEMPFAIL, "4.7.24 try later", "451", "4.7.24",
	  "try later" },
	{ "empty", REJECT, "", "550", "5.7.1", "Message refused" },
	{ "no enhanced code", REJECT, "go away", "550", "5.7.1",
	  "Message refused" },
	{ "class that does not fit", TEMPFAIL, "5.7.1 no", "451", "4.7.1",
	  "Service unavailable - try again later" },
	{ "line breaks cannot end it", REJECT, "5.7.1 a\r\n250 ok\x01\x80",
	  "550", "5.7.1", "a??250 ok??" },
	{ "four digits are too many", REJECT, "5.7.1234 x", "550", "5.7.1",
	  "Message refused" },
	{ "code alone", REJECT, "5.7.1", "550", "5.7.1", "Message refused" },
};

int
main(void)
{
	struct arena *a = arena_new();
	struct message msg = { .arena = a };
	struct plan *p = plan_new(a, &msg);
	struct verdict zero = { 0 };
	const char *enhanced, *text;
	enum action action;
	char code[4];

	tap_is_int(zero.action, TEMPFAIL, "a zeroed verdict is the safe one");
	tap_is_int(plan_verdict(p, 3)->action, ACCEPT, "a new plan accepts");
	tap_ok(!plan_edits(p), "and edits nothing");
	plan_recipient(p, 1)->action = QUARANTINE;
	tap_is_int(plan_verdict(p, 1)->action, QUARANTINE, "one differs");
	tap_is_int(plan_verdict(p, 0)->action, ACCEPT, "the others do not");
	plan_recipient(p, 1)->rule = "again";
	tap_ok(p->recipients->next == NULL, "asked twice, there once");
	plan_finding(p, "a", SLICE("1"));
	plan_finding(p, "b", SLICE("2"));
	tap_is_str(p->findings->next->key, "b", "findings keep their order");
	plan_sender(p, SLICE(""));
	tap_ok(plan_edits(p), "an empty sender is an edit");

	p = plan_for_trouble(a, &msg, SLICE("disk full"));
	tap_is_int(p->all.action, TEMPFAIL, "trouble is tempfail");
	tap_ok(!plan_edits(p), "and edits nothing");
	tap_is(p->all.reason, SLICE("disk full"), "and says why");

	for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
		struct verdict v = { .action = replies[i].action,
		    .reply = slice_of(replies[i].reply) };

		reply_split(a, &v, code, &enhanced, &text);
		tap_is_str(code, replies[i].code, "%s: code", replies[i].name);
		tap_is_str(enhanced, replies[i].enhanced, "%s: enhanced",
		    replies[i].name);
		tap_is_str(text, replies[i].text, "%s: text", replies[i].name);
	}
	tap_ok(action_parse(SLICE("discard"), &action) && action == DISCARD,
	    "action by name");
	tap_ok(!action_parse(SLICE("Discard"), &action), "exactly");
	tap_is_str(action_name(QUARANTINE), "quarantine", "name of action");
	arena_free(a);
	return tap_done();
}
