/* gatehouse spam learn and train: examples, and the model made of them. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/clock.h"
#include "milters/antispam/filter.h"
#include "milters/antispam/marks.h"
#include "tools/spam.h"

/* Examples kept, of each label and by age. */
enum { MOST = 20000, YEAR = 365 * 86400, FILES = 200000 };

/* ---- files ---- */

typedef int per_file(struct spam_options *o, const char *path, void *arg);

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a folder, in order, so that what is made of them is always the
 * same. */
static int
list(struct spam_options *o, const char *folder, char ***names_r, size_t *n_r)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	size_t n = 0;
	char **names = arena_array(o->a, FILES, sizeof *names);

	if (dir == NULL)
		return verb_fails(EX_NOINPUT, "%s: %s", folder,
		    strerror(errno));
	while ((e = readdir(dir)) != NULL && n < FILES)
		if (e->d_name[0] != '.')
			names[n++] = arena_str(o->a, arena_printf(o->a,
			    "%s/%s", folder, e->d_name));
	closedir(dir);
	qsort(names, n, sizeof *names, compare);
	*names_r = names;
	*n_r = n;
	return EX_OK;
}

static int
each_file(struct spam_options *o, const char *path, per_file *visit, void *arg)
{
	struct stat st;
	char **names = NULL;
	size_t n = 0;
	int status;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return visit(o, path, arg);
	status = list(o, path, &names, &n);
	for (size_t i = 0; i < n && status == EX_OK; i++)
		if (stat(names[i], &st) == 0 && S_ISREG(st.st_mode))
			status = visit(o, names[i], arg);
	return status;
}

/* ---- learn ---- */

struct learning {
	bool spam;
	unsigned n;
};

/* The text is known from then on, however it is varied. */
static enum rc
mark(struct spam_options *o, const struct spam_mail *mail, bool spam,
    struct arena *a, struct slice *why_r)
{
	struct sketch s;

	if (!sketch_message(&mail->content, &s))
		return RC_OK;
	return marks_add(antispam_marks_path(o->house.state_directory, a), &s,
	    o->forget ? MARK_NONE : spam ? MARK_SPAM : MARK_HAM, clock_wall(),
	    a, why_r);
}

static int
learn_file(struct spam_options *o, const char *path, void *arg)
{
	struct learning *l = arg;
	struct arena *a = arena_new();
	struct spam_mail mail;
	struct slice bytes, why;
	enum rc rc;
	int status = verb_read(path, a, &bytes);

	if (status == EX_OK) {
		spam_read(a, bytes, o->rules, &mail);
		mail.record.spam = l->spam;
		rc = o->forget ? learned_forget(spam_learned(o),
		    mail.record.id, a, &why) : learned_add(spam_learned(o),
		    &mail.record, &mail.features, a, &why);
		if (rc == RC_OK)
			rc = mark(o, &mail, l->spam, a, &why);
		if (rc != RC_OK)
			status = verb_fails(EX_TEMPFAIL, "%.*s",
			    SLICE_ARG(why));
		l->n++;
	}
	arena_free(a);
	return status;
}

int
spam_learn(struct spam_options *o)
{
	struct learning l = { .spam = true };
	int status = EX_OK;

	if (o->spam != NULL)
		status = each_file(o, o->spam, learn_file, &l);
	l.spam = false;
	if (status == EX_OK && o->ham != NULL)
		status = each_file(o, o->ham, learn_file, &l);
	if (status == EX_OK) {
		buf_addf(&o->out, "%u messages %s\n", l.n, o->forget ?
		    "forgotten" : "learned");
		status = verb_print(&o->out);
	}
	return status;
}

/* ---- train ---- */

struct examples {
	struct example *all;
	const char **path;		/* of each; NULL: of what was learned */
	size_t n, spam;
	bool is_spam;
};

static int
add_file(struct spam_options *o, const char *path, void *arg)
{
	struct examples *x = arg;
	struct arena *a = arena_new();
	struct spam_mail mail;
	struct slice bytes;
	int status = verb_read(path, a, &bytes);

	if (status == EX_OK && x->n < FILES) {
		spam_read(a, bytes, o->rules, &mail);
		x->path[x->n] = arena_printf(o->a, "%s", path).ptr;
		x->all[x->n++] = (struct example){
			.hash = (const uint32_t *)(const void *)arena_copy(
			    o->a, slice_make(mail.features.hash,
			    mail.features.n * sizeof(uint32_t))).ptr,
			.family = (const unsigned char *)arena_copy(o->a,
			    slice_make(mail.features.family,
			    mail.features.n)).ptr,
			.n = mail.features.n, .spam = x->is_spam,
			.group = mail.record.group };
		x->spam += x->is_spam;
	}
	arena_free(a);
	return status;
}

int
spam_examples(struct spam_options *o, struct learned *l_r)
{
	struct slice why;

	if (learned_trim(spam_learned(o), clock_wall(), YEAR, MOST, o->a,
	    &why) == RC_OK && learned_read(spam_learned(o), l_r, o->a, &why) ==
	    RC_OK)
		return EX_OK;
	return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
}

/* Of the folders given, or of what was learned. */
static int
collect(struct spam_options *o, struct examples *x)
{
	struct learned l;
	int status;

	if (o->spam == NULL && o->ham == NULL) {
		status = spam_examples(o, &l);
		if (status != EX_OK)
			return status;
		*x = (struct examples){ .all = l.examples, .n = l.n,
		    .spam = l.spam };
		return EX_OK;
	}
	if (o->spam == NULL || o->ham == NULL)
		return verb_fails(EX_USAGE, "spam: train wants both --spam "
		    "and --ham, or neither of them");
	*x = (struct examples){ .is_spam = true };
	x->all = arena_array(o->a, FILES, sizeof *x->all);
	x->path = arena_array(o->a, FILES, sizeof *x->path);
	status = each_file(o, o->spam, add_file, x);
	x->is_spam = false;
	return status == EX_OK ? each_file(o, o->ham, add_file, x) : status;
}

static int
by_score(const void *a, const void *b)
{
	double x = ((const struct example *)a)->score;
	double y = ((const struct example *)b)->score;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* What share of spam is found when so much of ham goes with it, and how often
 * a ham stands above a spam. */
static void
print_curve(struct spam_options *o, const struct examples *x)
{
	static const double shares[] = { 0, 0.001, 0.003, 0.01, 0.03 };
	size_t ham = x->n - x->spam, spam = 0, fine = 0, at = 0, below = 0;

	for (size_t i = 0; i < x->n; i++) {
		if (x->all[i].spam) {
			spam++;
			continue;
		}
		for (; at < 5 && (double)below >= shares[at] * (double)ham;
		    at++)
			buf_addf(&o->out, "%6.2f %% of spam is above all but "
			    "%.1f %% of ham\n", 100.0 * (double)spam /
			    (double)x->spam, 100 * shares[at]);
		fine += spam;
		below++;
	}
	buf_addf(&o->out, "ROC area %.5f\n", (double)fine / (double)ham /
	    (double)x->spam);
}

static double
chance_of(const struct example *e, const struct model_head *head)
{
	struct model m = { .head = *head };

	return model_chance(&m, e->score, e->n);
}

/* What a threshold does: the percent that mail is given, as the daemon gives
 * them. */
static void
print_thresholds(struct spam_options *o, const struct examples *x,
    const struct model_head *head)
{
	static const int percents[] = { 50, 80, 90, 95, 99 };

	for (size_t k = 0; k < sizeof percents / sizeof *percents; k++) {
		size_t found[2] = { 0, 0 };

		for (size_t i = 0; i < x->n; i++)
			found[x->all[i].spam] += chance_of(&x->all[i], head) *
			    100 >= percents[k];
		buf_addf(&o->out, "at %d %% and more: %.2f %% of spam, %.2f %% "
		    "of ham\n", percents[k], 100.0 * (double)found[1] /
		    (double)x->spam, 100.0 * (double)found[0] /
		    (double)(x->n - x->spam));
	}
}

static void
print_calibration(struct spam_options *o, const struct examples *x,
    const struct model_head *head)
{
	double said[10] = { 0 }, was[10] = { 0 }, error = 0;
	size_t n[10] = { 0 };

	for (size_t i = 0; i < x->n; i++) {
		double chance = chance_of(&x->all[i], head);
		size_t bin = (size_t)(chance * 9.9999);

		said[bin] += chance;
		was[bin] += x->all[i].spam;
		n[bin]++;
	}
	for (size_t i = 0; i < 10; i++) {
		if (n[i] == 0)
			continue;
		error += fabs(said[i] - was[i]);
		buf_addf(&o->out, "said %5.1f %%, was %5.1f %% of %zu\n",
		    100 * said[i] / (double)n[i], 100 * was[i] / (double)n[i],
		    n[i]);
	}
	buf_addf(&o->out, "calibration error %.2f %%\n", 100 * error /
	    (double)x->n);
}

/* "spam, fold, percent, file" of each, for who compares. */
static int
write_scores(struct spam_options *o, const struct examples *x,
    const struct model_head *head)
{
	FILE *f = fopen(o->scores, "w");
	bool good = f != NULL;

	for (size_t i = 0; i < x->n && good; i++)
		good = fprintf(f, "%d\t%d\t%.4f\t%s\n", x->all[i].spam,
		    (int)(x->all[i].group % TRAIN_FOLDS), 100 *
		    chance_of(&x->all[i], head), x->path != NULL ?
		    x->path[i] : "-") > 0;
	if (f != NULL)
		good = fclose(f) == 0 && good;
	return good ? EX_OK : verb_fails(EX_CANTCREAT, "%s: %s", o->scores,
	    strerror(errno));
}

static int
report(struct spam_options *o, struct examples *x,
    const struct model_head *head)
{
	int status = o->scores != NULL ? write_scores(o, x, head) : EX_OK;

	if (status != EX_OK)
		return status;
	buf_addf(&o->out, "%zu spam, %zu ham; by cross-validation in %d, "
	    "threads and campaigns on one side:\n", x->spam, x->n - x->spam,
	    TRAIN_FOLDS);
	print_calibration(o, x, head);
	print_thresholds(o, x, head);
	qsort(x->all, x->n, sizeof *x->all, by_score);
	print_curve(o, x);
	return verb_print(&o->out);
}

const char *
spam_output(const struct spam_options *o)
{
	return o->output != NULL ? o->output : arena_printf(o->a,
	    "%s/antispam/model", o->house.state_directory).ptr;
}

int
spam_write(struct spam_options *o, struct model_head *head,
    const int8_t *weights)
{
	const char *path = spam_output(o);
	struct slice why;

	/* Made of files it is the same whenever it is made. */
	head->made = o->spam != NULL ? 0 : clock_wall();
	if (model_write(path, head, weights, o->a, &why) != RC_OK)
		return verb_fails(EX_CANTCREAT, "%.*s", SLICE_ARG(why));
	buf_addf(&o->out, "%s: of %u spam and %u ham; daemons take "
	    "it up within seconds\n", path, head->spam, head->ham);
	return verb_print(&o->out);
}

/* What came with the package, and never what was trained here before: whose
 * examples would count twice. */
struct model *
spam_base(const struct spam_options *o)
{
	struct model *base;
	struct slice why;

	return model_open(o->base != NULL ? o->base : PKGDATADIR
	    "/antispam.model", &base, o->a, &why) == RC_OK ? base : NULL;
}

int
spam_train(struct spam_options *o)
{
	struct train_options options = train_defaults;
	struct model *base = NULL;
	struct model_head head;
	struct examples x;
	int8_t *weights;
	int status = collect(o, &x);

	if (status != EX_OK)
		return status;
	if (x.spam < SPAM_LEAST || x.n - x.spam < SPAM_LEAST)
		return verb_fails(EX_DATAERR, "spam: %zu spam and %zu ham are "
		    "too few to learn from; at least %d of each are wanted",
		    x.spam, x.n - x.spam, SPAM_LEAST);
	options.bits = o->bits;
	/* The site's examples go on from what came with the package. */
	if (o->spam == NULL)
		base = spam_base(o);
	if (base != NULL)
		options.bits = base->head.bits;
	train_model(x.all, x.n, &options, base, &head, &weights);
	status = o->evaluate ? report(o, &x, &head) :
	    spam_write(o, &head, weights);
	model_close(base);
	free(weights);
	return status;
}
