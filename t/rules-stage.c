#include "t/rules-stage.h"

#include <string.h>

#include "milters/predelivery/rules_do.h"
#include "t/tap.h"

void
stage_begin(struct stage *s, const char *head, const char *body)
{
	const struct conf_section sections[] = {
	    { predelivery_options, &s->conf }, { NULL, NULL } };
	const char *const domains = "domains = [ \"our.test\" ];";
	const struct conf_section house[] = {
	    { house_options, &s->house }, { NULL, NULL } };
	struct slice why = SLICE("");

	*s = (struct stage){ .arena = arena_new() };
	if (conf_load(s->arena, NULL, sections, &why) != RC_OK ||
	    conf_parse(s->arena, "house", slice_of(domains), house, &why) !=
	    RC_OK || policy_open("/nowhere/map", &s->house, &s->policy,
	    s->arena, &why) != RC_OK)
		tap_ok(false, "options: %.*s", SLICE_ARG(why));
	ip_parse(SLICE("192.0.2.1"), &s->client.ip);
	s->client.user = SLICE("");
	s->envelope.sender = SLICE("a@sender.test");
	s->envelope.recipients = s->recipients;
	s->recipients[s->envelope.nrecipients++] =
	    (struct recipient){ SLICE("us@our.test"), SLICE("smtp"),
	    SLICE("") };
	message_read(&s->msg, s->arena, slice_of(head), slice_of(body), NULL);
	s->job = (struct job){ .filter = "predelivery", .arena = s->arena,
	    .house = &s->house, .conf = &s->conf, .shared = &s->shared,
	    .policy = s->policy, .client = &s->client,
	    .envelope = &s->envelope, .msg = &s->msg,
	    .direction = DIRECTION_IN, .now = STAGE_NOW, .store = true };
	s->job.deadline = DEADLINE_NEVER;
}

enum rc
stage_rules(struct stage *s, const char *text)
{
	rules_free(s->shared.rules);
	return rules_parse("rules", slice_of(text), &s->shared.rules,
	    s->arena, &s->why);
}

struct plan *
stage_decide(struct stage *s)
{
	struct predelivery_answers *seen = arena_alloc(s->arena,
	    sizeof *seen);
	struct slice why = SLICE("");

	s->job.answers = seen;
	if (rules_ask(&s->job, seen, &why) != RC_OK)
		return plan_for_trouble(s->arena, &s->msg, why);
	return predelivery_decide(&s->job);
}

void
stage_to(struct stage *s, const char *address)
{
	s->recipients[s->envelope.nrecipients++] =
	    (struct recipient){ slice_of(address), SLICE("smtp"),
	    SLICE("") };
}

struct slice
stage_head(struct stage *s, const struct plan *p)
{
	struct slice head, body;

	patches_apply(&p->edits, s->arena, &head, &body);
	return head;
}

struct slice
stage_fact(const struct plan *p, const char *key)
{
	for (const struct plan_pair *f = p->facts; f != NULL; f = f->next)
		if (strcmp(f->key, key) == 0)
			return f->value;
	return SLICE_NONE;
}

void
stage_end(struct stage *s)
{
	rules_free(s->shared.rules);
	policy_drop(s->policy);
	arena_free(s->arena);
}
