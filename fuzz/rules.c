/*
 * A file of rules, and a message for them. Any bytes are rules or are refused
 * in words with a place; what was read decides any message, in the same way
 * with and without the prefilter; and the plan can be applied.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "t/rules-stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The plain reading: every rule of the default set, one after the other. */
static const struct rule *
ends_at(struct notes *n, const struct rules *r)
{
	const struct rule_set *set = rules_set(r, SLICE("default"));

	for (unsigned i = set != NULL ? set->first : 0;
	    set != NULL && i < set->end; i++) {
		const struct rule *rule = &r->all[i];

		if (rule->mode == RULE_ACTIVE &&
		    rules_when(n, rule) == TRUTH_YES &&
		    (rule->then.ends || !rule->goes_on))
			return rule;
	}
	return NULL;
}

/* The prefilter may know "no" where a condition alone could not be decided, so
 * only what was all decided is compared. */
static bool
decided(struct notes *n, const struct rules *r)
{
	for (unsigned i = 0; i < r->nleaves; i++)
		if (rules_truth(n, r->leaves[i]) == TRUTH_UNDECIDED)
			return false;
	return true;
}

static void
judge(struct stage *s)
{
	const struct rules *r = s->shared.rules;
	struct facts *f = arena_alloc(s->arena, sizeof *f);
	struct plan *p = stage_decide(s);
	const struct predelivery_answers *seen = s->job.answers;
	struct slice head, body;
	struct notes n;

	facts_init(f, &s->job, NULL, 0);
	notes_init(&n, r, f);
	notes_recipient(&n, 0, RULE_IN);
	if (r->n > 0 && decided(&n, r) &&
	    seen->rules.of[0].end != ends_at(&n, r))
		abort();
	patches_apply(&p->edits, s->arena, &head, &body);
	if (head.len + body.len != patches_size(&p->edits) - 2)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice all = slice_make(bytes, size), mail, head, body;
	struct slice text = slice_cut(all, '\0', &mail);
	struct stage s;

	stage_begin(&s, "", "");
	s.client.helo = SLICE("");
	message_split(s.arena, mail.ptr != NULL ? mail :
	    SLICE("Subject: invoice\nFrom: a@b.test\nX-A: b\n\nhello\n"),
	    &head, &body);
	message_read(&s.msg, s.arena, head, body, NULL);
	if (stage_rules(&s, arena_str(s.arena, text)) == RC_OK)
		judge(&s);
	else if (s.why.ptr == NULL || !slice_starts(s.why, SLICE("rules:")))
		abort();		/* refused without a word, or place */
	stage_end(&s);
	return 0;
}
