/*
 * ledger - who has been served already
 *
 * A copy may have been given back and its answer not have reached Postfix: the
 * lmtp(8) that waited for it died, or we did. Postfix then brings the recipient
 * again. The ledger remembers who got his copy, by a hash of the message's
 * identity, the recipient and what DSN says of him, so that the second time he
 * is answered 250 and nothing is sent.
 *
 * It is a file of LEDGER_SLOTS that is mapped: what was written survives a kill
 * at any instant (not a power cut: then a copy may come twice, and none is
 * lost). An entry is forgotten when its place is needed by another one, which
 * takes the oldest of LEDGER_PROBE, or after LEDGER_AGE.
 *
 * ledger_open	NULL with *why_r. A file of another kind is begun anew
 * ledger_key	of one recipient
 * ledger_has	is he in it?
 * ledger_add	from now on
 *
 * Any thread.
 */
#ifndef SPLITTER_LEDGER_H
#define SPLITTER_LEDGER_H

#include "base/arena.h"

enum {
	LEDGER_SLOTS = 1 << 16,
	LEDGER_PROBE = 16,
	LEDGER_AGE = 10 * 86400,	/* s; Postfix keeps mail 4 to 5 days */
	LEDGER_HASH = 24,
};

struct ledger;

struct ledger_key {
	unsigned char bytes[LEDGER_HASH];
};

struct ledger *ledger_open(const char *path, struct arena *a,
    struct slice *why_r);
bool ledger_key(const char *identity, struct slice recipient,
    struct slice dsn, struct ledger_key *key_r);
bool ledger_has(struct ledger *l, const struct ledger_key *key);
void ledger_add(struct ledger *l, const struct ledger_key *key);
void ledger_close(struct ledger *l);

#endif
