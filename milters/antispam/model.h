/*
 * model - what was learned, as an immutable mapped file
 *
 * A logistic regression over hashed features: the score is a bias and, for
 * each family, the mean weight of its features times the square root of their
 * number (each family is a vector of length one, times its share). A second
 * line, fitted on messages that the weights had not seen (Platt,
 * "Probabilistic Outputs", 1999), turns the score into a probability that is
 * right as often as it says.
 *
 * The file: one struct model_head, then 1 << bits weights of one byte each,
 * which stand for weight times `step`. Byte order is that of the machine.
 *
 * model_open	maps it. RC_BAD with *why_r: no model, of another version, cut,
 *		or changed (its checksum); RC_RETRY: it cannot be read now
 * model_score	0 is even; more is spam
 * model_chance	the probability, 0 to 1, for such a score of a message with n
 *		features. Of a message that shows little (a line of text, a few
 *		fields) little can be said: the fewer features, the nearer to
 *		one in five
 * model_reason	what one feature added to the score
 * model_close	NULL is allowed
 * model_write	beside the file, synced, then renamed over it
 * model_sum	the checksum over head (its field zero) and weights
 *
 * Read-only after opening: any thread asks. A new model is a new file.
 */
#ifndef ANTISPAM_MODEL_H
#define ANTISPAM_MODEL_H

#include "base/rc.h"
#include "feature.h"

#define MODEL_MAGIC	"GHspam2\n"
enum { MODEL_BITS_MIN = 10, MODEL_BITS_MAX = 24 };

struct model_head {
	char magic[8];
	uint64_t sum;			/* of all that follows */
	uint32_t bits;
	uint32_t families;		/* FAMILIES when it was made */
	uint32_t spam, ham;		/* messages learned from */
	int64_t made;			/* seconds since 1970 */
	float step, bias;
	float slope, offset;		/* of the probability */
	float share[12];		/* of each family */
};

struct model {
	struct model_head head;
	const int8_t *weights;
	void *map;
	size_t size;
};

enum rc model_open(const char *path, struct model **model_r, struct arena *a,
    struct slice *why_r);
void model_close(struct model *m);
double model_score(const struct model *m, const struct features *f);
double model_chance(const struct model *m, double score, size_t n);
double model_reason(const struct model *m, const struct features *f, size_t i);
enum rc model_write(const char *path, struct model_head *head,
    const int8_t *weights, struct arena *a, struct slice *why_r);
uint64_t model_sum(const struct model_head *head, const int8_t *weights);

#endif
