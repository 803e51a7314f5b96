/*
 * sink - where Postfix delivers to, and what came
 *
 * Takes all mail at once and answers 250. Counts each message by the number
 * in its header, and tells whether its body is the one that was sent. A
 * message that arrives twice, or that nobody sent, is counted as such, and so is
 * one whose header says dkim=pass (proved).
 */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include "bench/loop.h"
#include "bench/mail.h"

struct sink {
	struct watch listener;		/* first: the loop gives it back */
	struct loop *loop;
	const struct mix *mix;
	size_t messages;
	bool *seen;
	struct delivery *open;		/* connections */
	size_t arrived, proved, twice, alien, changed;
	int64_t ended;			/* clock_mono_us of the last arrival */
};

void sink_start(struct sink *s, struct loop *l, const char *where,
    const struct mix *mix, size_t messages);
void sink_free(struct sink *s);

#endif
