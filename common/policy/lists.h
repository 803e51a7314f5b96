/*
 * lists - allow and block lists, the file that people write
 *
 *	# verdict, for whom, the sender, and who wrote it when
 *	block all news@shop.example		# anna 2026-11-26: unasked
 *	allow client "acme corp" example.net	# bert 2026-11-26
 *	block domain example.org 192.0.2.0/24
 *	allow user a@example.org .example.com	# anna 2026-11-26
 *
 * A line is a verdict (allow, block), a level (all, client, domain, profile,
 * user) with its name, all of which has none, and a sender: an address, a
 * domain, a domain with a dot before it (what is below that domain), an address
 * or network of a client. A name with blanks stands in double quotes. What
 * stands behind a # is kept as the entry's comment; a line of nothing else is
 * passed over. Users have no say about networks: behind one address stand the
 * senders of all others.
 *
 * lists_open	text outlives the reader; name is for messages
 * lists_next	the next entry; false at the end, or when a line is wrong: then
 *		why says "file:line: what is wrong; what would be right"
 */
#ifndef POLICY_LISTS_H
#define POLICY_LISTS_H

#include "conf/scope.h"
#include "policy/policy.h"

enum { LISTS_LINE_MAX = 4096 };

struct lists_entry {
	enum listed verdict;
	enum scope_level level;		/* SCOPE_DEFAULT: all */
	struct slice name;		/* normalised; empty for all */
	char kind;			/* 'a'ddress, 'd'omain, 's'ubdomains,
					   'n'etwork */
	struct slice sender;		/* normalised; of a network as text */
	struct network net;
	struct slice comment;		/* empty: none */
	unsigned line;
};

struct lists {
	struct arena *arena;
	const char *name;
	struct slice rest;
	unsigned line;
	struct slice why;		/* empty: nothing is wrong */
};

void lists_open(struct lists *l, struct arena *a, const char *name,
    struct slice text);
bool lists_next(struct lists *l, struct lists_entry *entry_r);

/* NULL, or why that line is no text. For this room, as the next two. */
const char *lists_fault(struct slice line);
/* A word, or text in double quotes; false: there is none. */
bool lists_word(struct arena *a, struct slice *rest, struct slice *word_r);
/* The level of that name, "all" and "default" for the default one. */
bool lists_level(struct slice word, enum scope_level *level_r);

#endif
