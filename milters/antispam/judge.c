/* How likely is it spam, or worse, and why? */
#include <math.h>

#include "decide.h"

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

/* Features with names are read only for mail that is somebody's business. */
static void
add_reasons(const struct spam_look *look, struct antispam_answers *seen)
{
	const struct model *model = look->shared->model;
	struct features named;

	for (const struct clue *c = seen->clues.first; c != NULL; c = c->next)
		reason(seen, c->words, c->weight);
	features_read(look->msg, look->content, true, &named);
	for (size_t i = 0; i < named.n; i++)
		reason(seen, named.name[i], model_reason(model, &named, i));
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

static void
judge_all(struct antispam_answers *seen, const struct model *model, size_t n)
{
	double sum = seen->score + clues_sum(&seen->clues) -
	    clues_of(&seen->clues, CLASS_GRAYMAIL);

	seen->percent[CLASS_SPAM] = percent_of(model_chance(model, sum, n));
	for (int of = CLASS_SPAM + 1; of < CLASSES; of++)
		judge_class(seen, (enum mail_class)of);
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

enum rc
antispam_judge(struct spam_look *look, struct antispam_answers *answers_r,
    struct slice *why_r)
{
	const struct model *model = look->shared->model;
	struct arena *a = look->msg->arena;
	struct content_links links;
	struct content content;
	struct features f;
	enum rc rc;

	clues_open(&answers_r->clues, a);
	look->clues = &answers_r->clues;
	look->missed = buf_in(a);
	look->content = &content;
	content_read(look->msg, &content_limits_default, &content);
	content_links(a, &content, look->shared->suffixes, CONTENT_LINKS,
	    &links);
	look->links = &links;
	features_read(look->msg, &content, false, &f);
	look->score = answers_r->score = model_score(model, &f);
	rc = checks_run(look, why_r);
	if (rc != RC_OK)
		return rc;
	answers_r->missed = buf_slice(&look->missed);
	judge_all(answers_r, model, f.n);
	answers_r->nreasons = 0;
	if (asked(answers_r))
		add_reasons(look, answers_r);
	return RC_OK;
}
