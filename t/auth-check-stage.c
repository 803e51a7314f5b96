#include "t/auth-check-stage.h"

#include <string.h>

#include "mime/message.h"
#include "milters/auth-check/filter.h"
#include "t/tap.h"

void
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

const struct plan *
decide(struct stage *s)
{
	struct slice why = SLICE("");

	if (decide_resolve(&s->job, &why) != RC_OK)
		tap_ok(false, "%.*s", SLICE_ARG(why));
	return auth_check_decide(&s->job);
}

static void
drop(void *policy)
{
	policy_drop(policy);
}

void
begin(struct stage *s, struct arena *a, enum spf_result result)
{
	struct slice why = SLICE("");

	arena_reset(a);
	*s = (struct stage){ .arena = a };
	set(s, "");
	s->house.authserv_id = "mx.example.org";
	s->house.hostname = "mx.example.org";
	s->house.recipient_delimiter = "+";
	ip_parse(SLICE("192.0.2.1"), &s->client.ip);
	s->client.helo = SLICE("mail.sender.example");
	s->envelope.sender = SLICE("bob@sender.example");
	message_read(&s->msg, a, SLICE(HEAD), SLICE(""), NULL);
	s->seen = (struct auth_answers){ .mail = true };
	s->seen.mail_answer = (struct spf_answer){ .result = result,
	    .domain = SLICE("sender.example"),
	    .decided = SLICE("sender.example"), .mechanism = SLICE("-all"),
	    .explanation = SLICE(""), .reason = SLICE("192.0.2.1 is not "
	    "allowed to send mail for sender.example (mechanism -all)") };
	if (policy_open(NULL, &s->house, &s->policy, a, &why) != RC_OK)
		tap_ok(false, "%.*s", SLICE_ARG(why));
	arena_defer(a, drop, s->policy);
	s->job = (struct job){ .policy = s->policy,
	    .filter = "auth-check", .arena = a,
	    .house = &s->house, .conf = &s->conf, .client = &s->client,
	    .envelope = &s->envelope, .msg = &s->msg,
	    .direction = DIRECTION_IN, .answers = &s->seen };
}

struct slice
head_after(struct stage *s, const struct plan *p)
{
	struct slice head, body;

	patches_apply(&p->edits, s->arena, &head, &body);
	return head;
}

struct slice
finding(const struct plan *p, const char *key)
{
	for (const struct plan_pair *f = p->findings; f != NULL; f = f->next)
		if (strcmp(f->key, key) == 0)
			return f->value;
	return SLICE_NONE;
}

struct slice
fact(const struct plan *p, const char *key)
{
	for (const struct plan_pair *f = p->facts; f != NULL; f = f->next)
		if (strcmp(f->key, key) == 0)
			return f->value;
	return SLICE_NONE;
}

void
dmarc(struct stage *s, enum dmarc_result result, enum dmarc_policy p)
{
	s->seen.dmarc = true;
	s->seen.from = (struct from){ .state = FROM_ONE, .rule = "one",
	    .domain = SLICE("sender.example"),
	    .domains = { SLICE("sender.example") }, .ndomains = 1 };
	s->seen.policy = (struct dmarc_answer){ .result = result,
	    .rule = "unaligned", .reason = SLICE("nobody vouches for it"),
	    .domain = SLICE("sender.example"), .found = true,
	    .record_domain = SLICE("sender.example"), .published = p,
	    .policy = result == DMARC_FAIL ? p : DMARC_NO_POLICY,
	    .exists = true,
	    .record = { .p = p, .sp = p, .np = p, .has_p = true } };
}
