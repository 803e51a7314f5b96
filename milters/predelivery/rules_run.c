/* All rules of all recipients: who ends where, and what said yes on the way. */
#include <string.h>

#include "rules_find.h"

enum { LOOKS = 64 };		/* rules between two looks at the clock */

struct running {
	const struct rules *rules;
	struct facts *facts;
	struct notes notes;
	struct rules_outcome *out;
	uint64_t *message, *set;	/* that could match: for all, for one */
	uint64_t *counted;
	struct hit **by_rule;		/* two for each rule, or NULL */
	struct hit **last;
	size_t words, nrecipients;
	unsigned since;
};

/* A recipient's sets come in any order, and so do rules of different ones;
 * hits stand in the order in which they were met first. */
static struct hit *
hit_of(struct running *r, const struct rule *rule, bool undecided)
{
	struct hit **place = &r->by_rule[rule->id * 2 + undecided];
	struct hit *h = *place;

	if (h == NULL) {
		h = arena_alloc(r->facts->arena, sizeof *h);
		h->rule = rule;
		h->undecided = undecided;
		h->of = arena_array(r->facts->arena, r->nrecipients,
		    sizeof *h->of);
		*place = h;
		*r->last = h;
		r->last = &h->next;
	}
	return h;
}

/* Does it end the rules for him? */
static bool
met(struct running *r, const struct rule *rule, enum truth truth,
    size_t recipient)
{
	struct outcome_of *of = &r->out->of[recipient];
	bool undecided = truth == TRUTH_UNDECIDED;
	struct hit *h;

	if (undecided && rule->mode == RULE_ACTIVE &&
	    rule->undecided == UNDECIDED_MATCH)
		undecided = false;
	h = hit_of(r, rule, undecided);
	h->assumed = h->assumed || (truth == TRUTH_UNDECIDED && !undecided);
	h->count += !h->of[recipient];
	h->of[recipient] = true;
	if (rule->mode != RULE_ACTIVE || (undecided &&
	    rule->undecided == UNDECIDED_SKIP))
		return false;
	of->undecided = undecided;
	if (undecided || rule->then.ends || !rule->goes_on) {
		of->end = rule;
		return true;
	}
	return false;
}

static bool
too_late(struct running *r)
{
	if (++r->since < LOOKS || r->facts->matcher.deadline == 0)
		return r->out->late;
	r->since = 0;
	r->out->late = r->out->late ||
	    deadline_left(r->facts->matcher.deadline) == 0;
	return r->out->late;
}

/* True: the rules end here for him. */
static bool
look_at(struct running *r, unsigned id, size_t recipient)
{
	const struct rule *rule = &r->rules->all[id];
	uint64_t bit = UINT64_C(1) << id % 64;
	enum truth truth;

	if (rule->mode == RULE_OFF ||
	    (rule->directions & r->notes.direction) == 0)
		return false;
	if ((r->counted[id / 64] & bit) == 0) {
		r->counted[id / 64] |= bit;
		r->out->looked_at++;
	}
	if (too_late(r))
		return true;
	truth = rules_when(&r->notes, rule);
	return truth != TRUTH_NO && met(r, rule, truth, recipient);
}

static bool
run_set(struct running *r, const struct rule_set *set, size_t recipient)
{
	for (unsigned id = set->first; id < set->end;) {
		uint64_t word = r->set[id / 64] >> id % 64;

		if (word == 0) {
			id = (id / 64 + 1) * 64;
			continue;
		}
		id += (unsigned)__builtin_ctzll(word);
		if (id < set->end && look_at(r, id, recipient))
			return true;
		id++;
	}
	return false;
}

static void
run_recipient(struct running *r, const struct rules_for *one,
    size_t recipient)
{
	const struct conf_list *sets = one->sets;

	memcpy(r->set, r->message, r->words * sizeof *r->set);
	find_recipient(r->rules, r->facts, recipient, r->set);
	notes_recipient(&r->notes, recipient, one->direction);
	for (size_t i = 0; i < sets->count; i++) {
		const struct rule_set *set = rules_set(r->rules,
		    sets->items[i]);

		if (set != NULL && run_set(r, set, recipient))
			return;
	}
}

void
rules_run(const struct rules *rules, struct facts *f,
    const struct rules_for *of, struct rules_outcome *out)
{
	size_t n = f->job->envelope->nrecipients, words = find_words(rules);
	struct running r = { .rules = rules, .facts = f, .out = out,
	    .words = words, .nrecipients = n };

	*out = (struct rules_outcome){ .of = arena_array(f->arena, n + 1,
	    sizeof *out->of) };
	if (rules->n == 0)
		return;
	r.message = arena_array(f->arena, words, sizeof *r.message);
	r.set = arena_array(f->arena, words, sizeof *r.set);
	r.counted = arena_array(f->arena, words, sizeof *r.counted);
	r.by_rule = arena_array(f->arena, rules->n * 2u,
	    sizeof(struct hit *));
	r.last = &out->hits;
	notes_init(&r.notes, rules, f);
	find_message(rules, f, r.message);
	for (size_t i = 0; i < n && !out->late; i++)
		if (of[i].sets != NULL)
			run_recipient(&r, &of[i], i);
	out->late = out->late || f->matcher.late;
}
