/*
 * rules_need - which regexes of many can match a text, before any is run
 *
 * Most have words without which they match nothing: of /\bcasino|jackpot\b/ one
 * of the two. All of them are looked for in one pass over the text, three bytes
 * at once, and only what finds its own is run.
 *
 * needs_add	the rule of that number; what it needs is read from its pattern,
 *		as PCRE2 reads it without letter case. Where that is not plain,
 *		it needs nothing, and may always match. Once for each number
 * needs_look	which may match: a bit for each number. One that is not set does
 *		not match
 *
 * Read-only but for needs_add: any thread.
 */
#ifndef ANTISPAM_RULES_NEED_H
#define ANTISPAM_RULES_NEED_H

#include <stdint.h>

#include "base/arena.h"

enum { NEEDS_RULES = 512, NEEDS_HEADS = 1024, NEEDS_WORDS = NEEDS_RULES / 64 };

struct needed;

struct needs {
	uint64_t any[NEEDS_WORDS];	/* rules that need nothing */
	uint64_t threes[(1 << 15) / 64];	/* a word begins so */
	struct needed *heads[NEEDS_HEADS];
};

void needs_add(struct needs *n, struct arena *a, unsigned rule,
    struct slice pattern);
void needs_look(const struct needs *n, struct slice text,
    uint64_t may_r[NEEDS_WORDS]);

#endif
