#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/sip.h"

const struct train_options train_defaults = { 20, 5, 8, 1.0, 1e-5, 2 };

/* How much each family counts, found by cross-validation. */
static const float shares[FAMILIES] = { 0.464f, 0.464f, 0.3f, 0.464f, 0.464f,
    0.4f, 0.6f, 0.4f, 0.6f };

/* Squared gradients that a model that is gone on from stands for. */
static const float seen = 0.01f;

struct learner {
	const struct train_options *options;
	float *weight, *slope;		/* slope: sum of squared gradients */
	float *mean;			/* of the runs so far */
	double bias, mean_bias;
	uint64_t seed;
};

/* To where learning begins: nowhere, or what is known already. */
static void
learner_reset(struct learner *l, const struct model *base, unsigned run)
{
	size_t n = (size_t)1 << l->options->bits;

	memset(l->weight, 0, n * sizeof *l->weight);
	memset(l->slope, 0, n * sizeof *l->slope);
	l->bias = 0;
	l->seed = run + 1;
	if (base == NULL || base->head.bits != l->options->bits)
		return;
	for (size_t i = 0; i < n; i++)
		l->weight[i] = (float)base->weights[i] * base->head.step;
	/* As if much had been seen already: few examples move little. */
	for (size_t i = 0; i < n; i++)
		l->slope[i] = seen;
	l->bias = (double)base->head.bias;
}

static void
learner_open(struct learner *l, const struct train_options *options)
{
	size_t n = (size_t)1 << options->bits;

	*l = (struct learner){ .options = options };
	l->weight = mem_alloc(n * sizeof *l->weight);
	l->slope = mem_alloc(n * sizeof *l->slope);
	l->mean = mem_alloc(n * sizeof *l->mean);
	memset(l->mean, 0, n * sizeof *l->mean);
}

static void
learner_free(struct learner *l)
{
	free(l->weight);
	free(l->slope);
	free(l->mean);
}

/* Knuth's MMIX; the low bits are not used. */
static uint64_t
draw(struct learner *l, uint64_t below)
{
	l->seed = l->seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (l->seed >> 33) % below;
}

/* What each feature of a family counts in this example. */
static void
values(const struct example *e, float value_r[FAMILIES])
{
	size_t count[FAMILIES] = { 0 };

	for (size_t i = 0; i < e->n; i++)
		count[e->family[i]]++;
	for (int i = 0; i < FAMILIES; i++)
		value_r[i] = count[i] == 0 ? 0 :
		    shares[i] / sqrtf((float)count[i]);
}

static double
score(const struct learner *l, const struct example *e)
{
	float value[FAMILIES];
	double sum = l->bias;

	values(e, value);
	for (size_t i = 0; i < e->n; i++)
		sum += (double)(l->weight[e->hash[i] >>
		    (32 - l->options->bits)] * value[e->family[i]]);
	return sum;
}

static void
learn(struct learner *l, const struct example *e)
{
	float rate = (float)l->options->rate, decay = (float)l->options->decay;
	float value[FAMILIES], error;

	values(e, value);
	error = (float)(1 / (1 + exp(-score(l, e))) - e->spam);
	if (!e->spam)
		error *= (float)l->options->ham;
	l->bias -= 0.02 * (double)error;
	for (size_t i = 0; i < e->n; i++) {
		size_t at = e->hash[i] >> (32 - l->options->bits);
		float g = error * value[e->family[i]] + decay * l->weight[at];

		l->slope[at] += g * g;
		l->weight[at] -= rate * g / sqrtf(l->slope[at] + 1e-6f);
	}
}

static void
learn_once(struct learner *l, struct example **order, size_t n)
{
	for (unsigned epoch = 0; epoch < l->options->epochs; epoch++) {
		for (size_t i = n; i > 1; i--) {
			size_t j = draw(l, i);
			struct example *e = order[j];

			order[j] = order[i - 1];
			order[i - 1] = e;
		}
		for (size_t i = 0; i < n; i++)
			learn(l, order[i]);
	}
}

/* The mean of several runs, each in an order of its own: what came last counts
 * less, and what all runs agree on stays. */
static void
learn_all(struct learner *l, struct example **order, size_t n,
    const struct model *base)
{
	size_t size = (size_t)1 << l->options->bits;
	unsigned runs = l->options->runs;

	for (unsigned run = 0; run < runs; run++) {
		learner_reset(l, base, run);
		learn_once(l, order, n);
		for (size_t i = 0; i < size; i++)
			l->mean[i] += l->weight[i] / (float)runs;
		l->mean_bias += l->bias / runs;
	}
	memcpy(l->weight, l->mean, size * sizeof *l->weight);
	l->bias = l->mean_bias;
}

void
train_fold(struct example *examples, size_t n, unsigned fold, unsigned folds,
    const struct train_options *options, const struct model *base)
{
	struct example **order = mem_alloc((n + 1) * sizeof(struct example *));
	struct learner l;
	size_t others = 0;

	learner_open(&l, options);
	for (size_t i = 0; i < n; i++)
		if (examples[i].group % folds != fold)
			order[others++] = &examples[i];
	learn_all(&l, order, others, base);
	for (size_t i = 0; i < n; i++)
		if (examples[i].group % folds == fold)
			examples[i].score = score(&l, &examples[i]);
	free(order);
	learner_free(&l);
}

/* What Platt's line costs: cross-entropy against targets that are drawn in a
 * little from 0 and 1, as he says. */
struct platt {
	const struct example *e;
	size_t n;
	double high, low;
};

static double
platt_target(const struct platt *p, size_t i)
{
	return p->e[i].spam ? p->high : p->low;
}

static double
platt_cost(const struct platt *p, double a, double b)
{
	double cost = 0;

	for (size_t i = 0; i < p->n; i++) {
		double z = a * p->e[i].score + b;

		cost += (z > 0 ? z + log1p(exp(-z)) : log1p(exp(z))) -
		    platt_target(p, i) * z;
	}
	return cost;
}

/* One of Newton's steps; halved until it is one downhill (Lin and others, "A
 * note on Platt's probabilistic outputs", 2007). False: there is none. */
static bool
platt_step(const struct platt *p, double *a, double *b)
{
	double ga = 0, gb = 0, haa = 1e-6, hab = 0, hbb = 1e-6, det, da, db;
	double cost = platt_cost(p, *a, *b);

	for (size_t i = 0; i < p->n; i++) {
		double s = p->e[i].score;
		double chance = 1 / (1 + exp(-(*a * s + *b)));
		double d = chance - platt_target(p, i);
		double h = chance * (1 - chance);

		ga += d * s;
		gb += d;
		haa += h * s * s;
		hab += h * s;
		hbb += h;
	}
	det = haa * hbb - hab * hab;
	da = -(hbb * ga - hab * gb) / det;
	db = -(haa * gb - hab * ga) / det;
	for (double part = 1; part > 1e-6; part /= 2)
		if (platt_cost(p, *a + part * da, *b + part * db) <
		    cost - 1e-9) {
			*a += part * da;
			*b += part * db;
			return true;
		}
	return false;
}

static void
fit_chance(const struct example *e, size_t n, size_t spam, float *slope_r,
    float *offset_r)
{
	struct platt p = { e, n, (double)(spam + 1) / (double)(spam + 2),
	    1 / (double)(n - spam + 2) };
	double a = 1, b = 0;

	for (int step = 0; step < 100 && platt_step(&p, &a, &b); step++)
		;
	*slope_r = isfinite(a) && a > 0 ? (float)a : 1;
	*offset_r = isfinite(a) && a > 0 && isfinite(b) ? (float)b : 0;
}

/* To bytes: the largest weight is 127 steps. */
static int8_t *
to_bytes(const struct learner *l, float *step_r)
{
	size_t n = (size_t)1 << l->options->bits;
	int8_t *bytes = mem_alloc(n);
	float most = 1e-9f;

	for (size_t i = 0; i < n; i++)
		if (fabsf(l->weight[i]) > most)
			most = fabsf(l->weight[i]);
	*step_r = most / 127;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (int8_t)lrintf(l->weight[i] / *step_r);
	return bytes;
}

void
train_model(struct example *examples, size_t n,
    const struct train_options *options, const struct model *base,
    struct model_head *head_r, int8_t **weights_r)
{
	struct example **order = mem_alloc((n + 1) * sizeof(struct example *));
	struct learner l;
	size_t spam = 0;

	*head_r = (struct model_head){ .bits = options->bits };
	for (unsigned k = 0; k < TRAIN_FOLDS; k++)
		train_fold(examples, n, k, TRAIN_FOLDS, options, base);
	for (size_t i = 0; i < n; i++) {
		spam += examples[i].spam;
		order[i] = &examples[i];
	}
	fit_chance(examples, n, spam, &head_r->slope, &head_r->offset);
	learner_open(&l, options);
	learn_all(&l, order, n, base);
	*weights_r = to_bytes(&l, &head_r->step);
	head_r->bias = (float)l.bias;
	head_r->spam = (uint32_t)spam;
	head_r->ham = (uint32_t)(n - spam);
	memcpy(head_r->share, shares, sizeof shares);
	free(order);
	learner_free(&l);
}

uint64_t
train_group(struct slice subject, struct slice otherwise)
{
	static const uint64_t no_secret[2] = { 0, 0 };
	char letters[30];
	size_t n = 0;

	subject = slice_trim(subject);
	while (subject.len > 3 && (subject.ptr[0] == '[' ||
	    slice_starts_nocase(subject, SLICE("re:")) ||
	    slice_starts_nocase(subject, SLICE("fw:")) ||
	    slice_starts_nocase(subject, SLICE("fwd:")) ||
	    slice_starts_nocase(subject, SLICE("aw:"))))
		subject = slice_trim(slice_after(subject, slice_find(subject,
		    subject.ptr[0] == '[' ? ']' : ':') + 1));
	for (size_t i = 0; i < subject.len && n < sizeof letters; i++)
		if (ascii_alpha(subject.ptr[i]))
			letters[n++] = ascii_lower(subject.ptr[i]);
	return sip_hash(no_secret, n > 5 ? slice_make(letters, n) : otherwise);
}
