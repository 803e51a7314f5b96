/*
 * fraud_words - phrases of payment pressure, in kinds with weights
 *
 *	# a comment
 *	[payment 0.8]
 *	wire transfer
 *
 * A line in brackets begins a kind and says its weight in log-odds, up to
 * FRAUD_WEIGHT; each other line is a phrase of it. UTF-8. Phrases and texts are
 * compared as they look (text/lookalike.h): without accents and disguise.
 *
 * fraud_words_open	path NULL: the phrases of the package. RC_BAD with *why_r
 *			"file:line: what is wrong"; given back with
 *			fraud_words_close
 * fraud_words_read	the same of bytes; name is for messages
 * fraud_words_find	which kinds are in a text, of which at most FRAUD_TEXT
 *			bytes are read; added to `found`. The phrases are in the
 *			arena
 *
 * Read-only once open: any thread.
 */
#ifndef ANTISPAM_FRAUD_WORDS_H
#define ANTISPAM_FRAUD_WORDS_H

#include "base/arena.h"
#include "base/rc.h"

enum { FRAUD_KINDS = 16, FRAUD_WEIGHT = 5, FRAUD_TEXT = 32 << 10,
    FRAUD_PHRASES = 5000 };

struct fraud_words;

struct fraud_found {
	struct slice phrase[FRAUD_KINDS];	/* the first one of each kind */
	unsigned kinds;				/* how many kinds */
};

/* Those of the package, line by line; NULL ends. */
extern const char *const fraud_words_lines[];

enum rc fraud_words_open(const char *path, struct fraud_words **w_r,
    struct arena *a, struct slice *why_r);
enum rc fraud_words_read(const char *name, struct slice text,
    struct fraud_words **w_r, struct arena *a, struct slice *why_r);
void fraud_words_close(struct fraud_words *w);
void fraud_words_find(const struct fraud_words *w, struct arena *a,
    struct slice text, struct fraud_found *found);
/* Of a kind that was found. */
double fraud_words_weight(const struct fraud_words *w, size_t kind);
struct slice fraud_words_kind(const struct fraud_words *w, size_t kind);

#endif
