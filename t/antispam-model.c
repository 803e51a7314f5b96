/* The classifier: features, training and the model's file. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "milters/antispam/train.h"
#include "t/tap.h"

enum { MAILS = 300 };

/* Mail of two kinds by a seed: each has words of its own and of both. */
static struct slice
mail(struct arena *a, unsigned seed, bool spam)
{
	static const char *const offers[] = { "cheap", "winner", "prize",
	    "click", "credit", "offer", "urgent", "casino" };
	static const char *const work[] = { "meeting", "patch", "review",
	    "report", "build", "lunch", "thread", "kernel" };
	static const char *const both[] = { "please", "today", "the", "and",
	    "you", "we", "mail", "for" };
	struct buf b = buf_in(a);

	buf_addf(&b, "From: a%u@%s.example\r\nSubject: %s %u\r\n"
	    "Message-ID: <%u@x.example>\r\n\r\n", seed % 7,
	    seed % 3 == 0 ? "same" : spam ? "shop" : "corp",
	    seed % 2 == 0 ? "hello" : spam ? "offer" : "report", seed, seed);
	for (unsigned i = 0; i < 60; i++) {
		seed = seed * 1103515245 + 12345;
		buf_addf(&b, "%s ", (seed >> 16) % 4 != 0 ?
		    both[(seed >> 20) % 8] : spam ? offers[(seed >> 20) % 8] :
		    work[(seed >> 20) % 8]);
	}
	return buf_slice(&b);
}

static void
read_mail(struct arena *a, struct slice bytes, bool named,
    struct features *f_r)
{
	struct slice head, body;
	struct content content;
	struct message *msg = arena_alloc(a, sizeof *msg);

	message_split(a, bytes, &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	content_read(msg, &content_limits_default, &content);
	features_read(msg, &content, named, f_r);
}

static bool
has(const struct features *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (slice_eq(f->name[i], slice_of(name)))
			return true;
	tap_diag("no feature \"%s\"", name);
	return false;
}

static void
test_features(struct arena *a)
{
	struct features f, again;
	unsigned same = 0, twice = 0;
	size_t counted = 0;
	struct slice one = SLICE("From: Anna <anna@mail.example.org>\r\n"
	    "Subject: Buy 25 now!\r\nReply-To: b@other.example\r\n"
	    "Content-Type: text/html\r\n\r\n<p style='color:red'>Act now: "
	    "<a href='http://192.0.2.1/x?y'>here</a>"
	    "<a href='https://Www.Shop.Example/pay'>there</a></p>\r\n");

	read_mail(a, one, true, &f);
	tap_ok(has(&f, "from at domain example.org"), "sender's domain");
	tap_ok(has(&f, "reply-to as From 0"), "answers go elsewhere");
	tap_ok(has(&f, "in the subject 00"), "numbers by their form");
	tap_ok(has(&f, "in the subject !"), "signs that sell");
	tap_ok(has(&f, " act"), "words of HTML");
	tap_ok(has(&f, "act now"), "pairs of words");
	tap_ok(has(&f, "link to a number"), "links to addresses");
	tap_ok(has(&f, "link to domain shop.example"), "domains of links");
	tap_ok(has(&f, "attribute p style"), "attributes");
	read_mail(a, one, false, &again);
	for (size_t i = 0; i < f.n && again.n == f.n; i++)
		same += f.hash[i] == again.hash[i];
	tap_ok(same == f.n && f.n > 50, "the same without names");
	for (size_t i = 0; i < f.n; i++)
		for (size_t j = 0; j < i; j++)
			twice += f.hash[i] == f.hash[j];
	tap_is_int(twice, 0, "none comes twice");
	for (int i = 0; i < FAMILIES; i++)
		counted += f.count[i];
	tap_is_int((long long)counted, (long long)f.n, "families are counted");
}

static void
test_bounded(struct arena *a)
{
	struct buf b = { .ptr = NULL };
	struct features f;
	int64_t was = tap_worked();

	buf_adds(&b, "Content-Type: text/html\r\n\r\n");
	for (unsigned i = 0; i < 100000; i++)
		buf_addf(&b, "<a href=http://h%u.example/>w%u</a> <b>", i, i);
	read_mail(a, buf_slice(&b), false, &f);
	tap_ok(f.n <= FEATURES_MAX, "100,000 links: at most %d features",
	    FEATURES_MAX);
	tap_ok(tap_worked() - was < 20000, "and it ends");
	buf_free(&b);
}

static struct example *
examples(struct arena *a, unsigned n, unsigned from)
{
	struct example *e = arena_array(a, n, sizeof *e);

	for (unsigned i = 0; i < n; i++) {
		struct features f;

		read_mail(a, mail(a, from + i, i % 2 == 0), false, &f);
		e[i] = (struct example){ .hash = f.hash, .family = f.family,
		    .n = f.n, .spam = i % 2 == 0, .group = i / 2 };
	}
	return e;
}

static void
test_file(struct arena *a, const char *path, const int8_t *weights,
    struct model_head *head)
{
	struct model *m;
	struct slice why;
	unsigned accepted = 0;

	tap_is_int(model_write(path, head, weights, a, &why), RC_OK, "write");
	for (size_t at = 0; at < 4096; at += 61) {
		int fd = open(path, O_RDWR);
		char was, now;

		if (fd < 0 || pread(fd, &was, 1, (off_t)at) != 1)
			break;
		now = (char)(was ^ 1);
		if (pwrite(fd, &now, 1, (off_t)at) != 1)
			break;
		if (model_open(path, &m, a, &why) == RC_OK) {
			accepted++;
			model_close(m);
		}
		accepted += pwrite(fd, &was, 1, (off_t)at) != 1;
		close(fd);
	}
	tap_is_int(accepted, 0, "one bit changed anywhere, and it is refused");
	tap_ok(truncate(path, 5000) == 0 &&
	    model_open(path, &m, a, &why) == RC_BAD, "a cut one is refused");
	unlink(path);
	tap_is_int(model_open(path, &m, a, &why), RC_BAD, "none is no model");
}

static void
test_training(struct arena *a, const char *path)
{
	struct train_options options = train_defaults;
	struct example *e = examples(a, MAILS, 1);
	struct model_head head, head2;
	int8_t *weights, *weights2;
	struct model *m;
	struct slice why;
	unsigned right = 0;

	options.bits = 16;
	train_model(e, MAILS, &options, NULL, &head, &weights);
	train_model(e, MAILS, &options, NULL, &head2, &weights2);
	tap_ok(memcmp(weights, weights2, 1 << 16) == 0 &&
	    model_sum(&head, weights) == model_sum(&head2, weights2),
	    "the same examples give the same model");
	tap_is_int(head.spam, MAILS / 2, "so many were spam");
	model_write(path, &head, weights, a, &why);
	if (!tap_ok(model_open(path, &m, a, &why) == RC_OK, "open"))
		return;
	for (unsigned i = 0; i < 100; i++) {
		struct features f;
		double chance, sum = m->head.bias;

		read_mail(a, mail(a, 5000 + i, i % 2 == 0), false, &f);
		chance = model_chance(m, model_score(m, &f), 1000);
		right += (chance > 0.5) == (i % 2 == 0);
		for (size_t k = 0; k < f.n; k++)
			sum += model_reason(m, &f, k);
		if (fabs(sum - model_score(m, &f)) > 1e-6)
			right = 0;
	}
	tap_ok(right >= 98, "of 100 mails never seen %u are judged right, and "
	    "the reasons add up to the score", right);
	model_close(m);
	test_file(a, path, weights, &head);
	free(weights);
	free(weights2);
}

/* What a model knows is not lost by a few examples that say the opposite. */
static void
test_poison(struct arena *a, const char *path)
{
	struct train_options options = train_defaults;
	struct example *e = examples(a, MAILS, 1), few[20];
	struct model_head head;
	int8_t *weights;
	struct model *base, *m;
	struct slice why;
	unsigned right = 0;

	options.bits = 16;
	train_model(e, MAILS, &options, NULL, &head, &weights);
	model_write(path, &head, weights, a, &why);
	free(weights);
	if (!tap_ok(model_open(path, &base, a, &why) == RC_OK, "a base"))
		return;
	for (unsigned i = 0; i < 20; i++) {
		few[i] = e[i];
		if (i < 6)
			few[i].spam = !few[i].spam;
	}
	train_model(few, 20, &options, base, &head, &weights);
	model_write(path, &head, weights, a, &why);
	free(weights);
	model_close(base);
	if (!tap_ok(model_open(path, &m, a, &why) == RC_OK, "gone on from"))
		return;
	for (unsigned i = 0; i < 100; i++) {
		struct features f;

		read_mail(a, mail(a, 5000 + i, i % 2 == 0), false, &f);
		right += (model_score(m, &f) > 0) == (i % 2 == 0);
	}
	tap_ok(right >= 95, "6 of 20 examples are wrong: %u of 100 are judged "
	    "right", right);
	model_close(m);
	unlink(path);
}

static void
test_groups(void)
{
	struct slice x = SLICE("x");

	tap_ok(train_group(SLICE("Re: [list] Fwd: Build fails on 3.2"), x) ==
	    train_group(SLICE("build fails on 4.1"), x), "one thread");
	tap_ok(train_group(SLICE("build fails"), x) !=
	    train_group(SLICE("other words"), x), "two threads");
	tap_ok(train_group(SLICE("hi"), SLICE("a")) !=
	    train_group(SLICE("hi"), SLICE("b")),
	    "a subject that says nothing joins nobody");
}

int
main(void)
{
	struct arena *a = arena_new();
	char dir[] = "/tmp/model-XXXXXX", path[100];

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/model", dir);
	test_features(a);
	test_bounded(a);
	test_training(a, path);
	test_poison(a, path);
	test_groups();
	rmdir(dir);
	arena_free(a);
	return tap_done();
}
