/*
 * train - weights from examples
 *
 * Logistic regression by stochastic gradient descent with a step for each
 * weight (Duchi and others, "Adaptive Subgradient Methods", 2011), over the
 * features of feature.h in the geometry of model.h. Of several runs, each in an
 * order of its own, the mean counts (Breiman, "Bagging Predictors", 1996); a
 * sum of weights, so it costs nothing when mail is judged. The orders are drawn
 * from fixed seeds: the same examples give the same model, bit by bit.
 *
 * `base` may be NULL: a model of as many bits from which learning begins, so
 * that a few examples change what they are about and leave the rest.
 *
 * train_fold	scores of those examples whose group falls into fold k of n,
 *		by weights learned from all others: so a campaign or a thread,
 *		which is one group, is never on both sides
 * train_model	weights from all, and the probability fitted on the scores of
 *		all folds. *weights_r is on the heap, 1 << head.bits bytes
 * train_share	the families' shares that a new model gets
 *
 * An example's hashes are borrowed.
 */
#ifndef ANTISPAM_TRAIN_H
#define ANTISPAM_TRAIN_H

#include "model.h"

enum { TRAIN_FOLDS = 5 };

struct example {
	const uint32_t *hash;
	const unsigned char *family;
	size_t n;
	bool spam;
	uint64_t group;
	double score;			/* train_fold's */
};

struct train_options {
	unsigned bits;			/* of the model */
	unsigned epochs, runs;
	double rate, decay;
	double ham;			/* how much an error about ham counts */
};

extern const struct train_options train_defaults;

void train_fold(struct example *examples, size_t n, unsigned fold,
    unsigned folds, const struct train_options *options,
    const struct model *base);
void train_model(struct example *examples, size_t n,
    const struct train_options *options, const struct model *base,
    struct model_head *head_r, int8_t **weights_r);
/* What messages of one campaign or thread have in common: the subject without
 * what answers and lists put before it, letters only; `otherwise` where that
 * says nothing. */
uint64_t train_group(struct slice subject, struct slice otherwise);

#endif
