/* How likely is it spam, and why? */
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
add_reasons(struct message *msg, const struct content *content,
    const struct model *model, struct antispam_answers *seen)
{
	struct features named;

	for (const struct clue *c = seen->clues.first; c != NULL; c = c->next)
		reason(seen, c->words, c->weight);
	features_read(msg, content, true, &named);
	for (size_t i = 0; i < named.n; i++)
		reason(seen, named.name[i], model_reason(model, &named, i));
	for (size_t i = 0; i < seen->nreasons; i++)
		seen->reasons[i].words = slice_trim(seen->reasons[i].words);
}

/* Below this nobody asks why. */
enum { ASKED = 30 };

void
antispam_judge(struct message *msg, const struct model *model,
    struct antispam_answers *answers_r)
{
	struct features f;
	struct content content;
	double chance;

	clues_open(&answers_r->clues, msg->arena);
	content_read(msg, &content_limits_default, &content);
	features_read(msg, &content, false, &f);
	answers_r->score = model_score(model, &f);
	chance = model_chance(model, answers_r->score +
	    clues_sum(&answers_r->clues), f.n);
	answers_r->percent = (unsigned)(chance * 100);
	answers_r->nreasons = 0;
	if (answers_r->percent >= ASKED)
		add_reasons(msg, &content, model, answers_r);
}
