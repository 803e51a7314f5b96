/*
 * gatehouse spam train --if-needed: a new model of what the site has taught,
 * when there is enough of it, and when it is no worse than the one in use.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/clock.h"
#include "tools/spam.h"

/* New examples that are worth the work, and make a comparison mean something;
 * how much more a new model may cost on them. */
enum { FRESH = 50 };
static const double worse = 1.05, slack = 0.02;

struct again {
	struct spam_options *o;
	const char *path;
	struct learned l;
	struct model *now;		/* in use */
	int64_t since;			/* what it has not seen is newer */
	size_t fresh;
};

/* Cross-entropy of one answer; no certainty costs more than ln 1000. */
static double
cost(double chance, bool spam)
{
	double right = spam ? chance : 1 - chance;

	return -log(right > 0.001 ? right : 0.001);
}

/* On what the model in use has not seen, and the new one, by cross-validation,
 * has not either. */
static void
compare(const struct again *g, const struct model_head *head, double *old_r,
    double *new_r)
{
	struct model fresh = { .head = *head };

	*old_r = *new_r = 0;
	for (size_t i = 0; i < g->l.n; i++) {
		const struct example *e = &g->l.examples[i];
		struct features f = { .n = e->n,
		    .hash = (uint32_t *)(uintptr_t)e->hash,
		    .family = (unsigned char *)(uintptr_t)e->family };

		if (g->l.records[i].given <= g->since)
			continue;
		for (size_t k = 0; k < f.n; k++)
			f.count[f.family[k]]++;
		*old_r += cost(model_chance(g->now, model_score(g->now, &f),
		    f.n), e->spam);
		*new_r += cost(model_chance(&fresh, e->score, e->n), e->spam);
	}
	*old_r /= (double)g->fresh;
	*new_r /= (double)g->fresh;
}

static int
swap(struct again *g)
{
	struct spam_options *o = g->o;
	struct train_options options = train_defaults;
	struct model *base = spam_base(o);
	struct model_head head;
	double old, new;
	int8_t *weights;
	int status;

	options.bits = base != NULL ? base->head.bits : o->bits;
	train_model(g->l.examples, g->l.n, &options, base, &head, &weights);
	compare(g, &head, &old, &new);
	if (new > old * worse + slack) {
		fprintf(stderr, "gatehouse: spam: the new model is refused: on "
		    "%zu examples that neither has seen it is worse (%.3f) "
		    "than the one in use (%.3f), which stays; look for wrong "
		    "examples\n", g->fresh, new, old);
		status = EX_OK;
	} else {
		buf_addf(&o->out, "on %zu new examples the new model has "
		    "%.3f, the one before %.3f\n", g->fresh, new, old);
		status = spam_write(o, &head, weights);
	}
	model_close(base);
	free(weights);
	return status;
}

static int
look(struct again *g)
{
	struct spam_options *o = g->o;

	for (size_t i = 0; i < g->l.n; i++)
		g->fresh += g->l.records[i].given > g->since;
	if (g->fresh >= FRESH && g->l.spam >= SPAM_LEAST && g->l.n -
	    g->l.spam >= SPAM_LEAST)
		return swap(g);
	buf_addf(&o->out, "%zu new examples, %zu spam and %zu ham in all; at "
	    "least %d new ones and %d of each are wanted: nothing to do\n",
	    g->fresh, g->l.spam, g->l.n - g->l.spam, FRESH, SPAM_LEAST);
	return verb_print(&o->out);
}

int
spam_train_again(struct spam_options *o)
{
	struct again g = { .o = o, .path = spam_output(o) };
	struct slice why;
	int status = spam_examples(o, &g.l);

	if (status != EX_OK)
		return status;
	if (model_open(g.path, &g.now, o->a, &why) == RC_OK)
		g.since = g.now->head.made;
	else
		g.now = spam_base(o);
	if (g.now == NULL)
		return verb_fails(EX_CONFIG, "spam: there is no model to "
		    "compare with; gatehouse spam train makes the first one");
	status = look(&g);
	model_close(g.now);
	return status;
}
