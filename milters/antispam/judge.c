/* How likely is it spam, or worse, and why? */
#include <math.h>
#include <string.h>

#include "decide.h"
#include "history_note.h"
#include "outbound.h"

/* Puts a reason where it belongs among the strongest. */
static void
reason(struct antispam_answers *seen, struct slice words, double weight)
{
	size_t at = seen->nreasons;

	while (at > 0 && fabs(seen->reasons[at - 1].weight) < fabs(weight)) {
		if (at < REASONS)
			seen->reasons[at] = seen->reasons[at - 1];
		at--;
	}
	if (at < REASONS)
		seen->reasons[at] = (struct spam_reason){ words, weight };
	if (seen->nreasons < REASONS)
		seen->nreasons++;
}

/* The places of the features that weigh most, the heaviest first. */
static size_t
heaviest(const struct model *model, const struct features *f,
    size_t top[REASONS])
{
	double weight[REASONS];
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		double w = fabs(model_reason(model, f, i));
		size_t at = n;

		for (; at > 0 && weight[at - 1] < w; at--) {
			if (at == REASONS)
				continue;
			weight[at] = weight[at - 1];
			top[at] = top[at - 1];
		}
		if (at == REASONS)
			continue;
		weight[at] = w;
		top[at] = i;
		n += n < REASONS;
	}
	return n;
}

/* Features are named only for mail that is somebody's business, and then those
 * few alone: to name them all takes longer than all else. */
static void
add_reasons(const struct spam_look *look, const struct model *model,
    const struct features *f, const struct spam_hits *hits,
    struct antispam_answers *seen)
{
	size_t top[REASONS], n = heaviest(model, f, top);
	struct slice names[REASONS];

	for (const struct clue *c = seen->clues.first; c != NULL; c = c->next)
		if (c->of != CLASS_GRAYMAIL)
			reason(seen, c->words, c->weight);
	features_name(look->msg, look->content, f, top, n, names);
	for (size_t i = 0; i < n; i++)
		reason(seen, f->family[top[i]] == FAMILY_RULES ?
		    spam_rules_words(hits, f->hash[top[i]]) : names[i],
		    model_reason(model, f, top[i]));
	for (size_t i = 0; i < seen->nreasons; i++)
		seen->reasons[i].words = slice_trim(seen->reasons[i].words);
}

/* Below this nobody asks why. */
enum { ASKED = 30 };

/*
 * A class of its own begins with this against it, in log-odds: phishing is a
 * mail in 20 of what nobody has looked at, fraud one in 50. A newsletter says
 * that it is one.
 */
static const double against[CLASSES] = {
	[CLASS_PHISHING] = 3, [CLASS_FRAUD] = 4, [CLASS_GRAYMAIL] = 3,
};

static unsigned
percent_of(double chance)
{
	return (unsigned)(chance * 100);
}

/* What the classifier says of the words counts for spam alone: a letter to the
 * bookkeeper reads like any other. */
static void
judge_class(struct antispam_answers *seen, enum mail_class of)
{
	bool any = false;

	for (const struct clue *c = seen->clues.first; c != NULL; c = c->next)
		any = any || c->of == of;
	seen->percent[of] = any ? percent_of(1 / (1 + exp(against[of] -
	    clues_of(&seen->clues, of)))) : 0;
}

/* Fraud as it is for who has switched off the test of Reply-To. */
static void
judge_straight(struct antispam_answers *seen)
{
	double sum = clues_of(&seen->clues, CLASS_FRAUD);

	for (const struct clue *c = seen->clues.first; c != NULL; c = c->next)
		if (strcmp(c->name, "fraud-reply-to") == 0)
			sum -= c->weight;
	seen->straight = seen->percent[CLASS_FRAUD] == 0 ? 0 :
	    percent_of(1 / (1 + exp(against[CLASS_FRAUD] - sum)));
}

/*
 * Clues are added to what the classifier means by its score, not to the score:
 * a letter of few words says little to it, and what a list or another filter
 * knows of it counts all the same. What may be fraud is nothing but that: who
 * takes it from a partner (fraud_allow) has not asked for it as spam.
 */
static void
judge_all(struct antispam_answers *seen, const struct model *model, size_t n)
{
	double clues = clues_sum(&seen->clues) -
	    clues_of(&seen->clues, CLASS_GRAYMAIL) -
	    clues_of(&seen->clues, CLASS_FRAUD);
	double chance = model_chance(model, seen->score, n);
	double odds = chance / (1 - chance) * exp(clues);

	/* A classifier that is sure is not argued with: 1 - chance is 0. */
	if (chance < 1)
		chance = odds / (1 + odds);
	seen->percent[CLASS_SPAM] = percent_of(chance);
	for (int of = CLASS_SPAM + 1; of < CLASSES; of++)
		judge_class(seen, (enum mail_class)of);
	judge_straight(seen);
}

enum mail_class
antispam_class(const struct antispam_answers *seen)
{
	static const enum mail_class order[] = { CLASS_PHISHING, CLASS_FRAUD,
	    CLASS_SPAM, CLASS_GRAYMAIL };

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (seen->percent[order[i]] >= 50)
			return order[i];
	return CLASSES;
}

static bool
asked(const struct antispam_answers *seen)
{
	for (int of = 0; of < CLASSES; of++)
		if (of != CLASS_GRAYMAIL && seen->percent[of] >= ASKED)
			return true;
	return false;
}

static enum rc
judge(struct spam_look *look, const struct model *model,
    struct antispam_answers *answers_r, struct slice *why_r)
{
	struct arena *a = look->msg->arena;
	struct content_links *links = arena_alloc(a, sizeof *links);
	struct linker linker;
	struct content *content = arena_alloc(a, sizeof *content);
	struct spam_hits *hits;
	struct features f;
	enum rc rc;

	clues_open(&answers_r->clues, a);
	look->clues = &answers_r->clues;
	look->missed = buf_in(a);
	look->content = content;
	content_read(look->msg, &content_limits_default, content);
	linker_open(&linker, a, look->shared->suffixes, CONTENT_LINKS, links);
	linker_read(&linker, content);
	rc = phish_files_read(look, &look->shared->cells, &linker, why_r);
	if (rc != RC_OK)
		return rc;
	look->links = links;
	fraud_from_read(look->job, look->msg, look->shared,
	    &answers_r->from);
	look->from = &answers_r->from;
	features_read(look->msg, content, false, &f);
	hits = spam_rules_look(look->shared->rules, look->msg, content);
	spam_rules_learn(hits, a, &f);
	spam_rules_clues(hits, look->clues);
	look->score = answers_r->score = look->job != NULL &&
	    look->job->direction != DIRECTION_IN ? outbound_score(model, &f) :
	    model_score(model, &f);
	rc = checks_run(look, why_r);
	if (rc != RC_OK)
		return rc;
	answers_r->missed = buf_slice(&look->missed);
	judge_all(answers_r, model, f.n);
	answers_r->gray = look->gray;
	answers_r->nreasons = 0;
	if (asked(answers_r))
		add_reasons(look, model, &f, hits, answers_r);
	history_note(look, answers_r);
	return RC_OK;
}

enum rc
antispam_judge(struct spam_look *look, struct antispam_answers *answers_r,
    struct slice *why_r)
{
	struct model *model = watch_take(look->shared->watch);
	enum rc rc = judge(look, model, answers_r, why_r);

	watch_drop(look->shared->watch, model);
	return rc;
}
