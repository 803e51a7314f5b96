/*
 * served - who has been served already
 *
 * A copy may have been given back and its answer not have reached Postfix: the
 * lmtp(8) that waited for it died, or we did. Postfix then brings the recipient
 * again. This remembers who got his copy, by a hash of the message's
 * identity, the recipient and what DSN says of him, so that the second time he
 * is answered 250 and nothing is sent.
 *
 * It is a file of SERVED_SLOTS that is mapped: what was written survives a kill
 * at any instant (not a power cut: then a copy may come twice, and none is
 * lost). An entry is forgotten when its place is needed by another one, which
 * takes the oldest of SERVED_PROBE, or after SERVED_AGE.
 *
 * served_open	NULL with *why_r. A file of another kind is begun anew
 * served_key	of one recipient
 * served_has	is he in it?
 * served_add	from now on
 *
 * Any thread.
 */
#ifndef SPLITTER_SERVED_H
#define SPLITTER_SERVED_H

#include "base/arena.h"

enum {
	SERVED_SLOTS = 1 << 16,
	SERVED_PROBE = 16,
	SERVED_AGE = 10 * 86400,	/* s; Postfix keeps mail 4 to 5 days */
	SERVED_HASH = 24,
};

struct served;

struct served_key {
	unsigned char bytes[SERVED_HASH];
};

struct served *served_open(const char *path, struct arena *a,
    struct slice *why_r);
bool served_key(const char *identity, struct slice recipient,
    struct slice dsn, struct served_key *key_r);
bool served_has(struct served *l, const struct served_key *key);
void served_add(struct served *l, const struct served_key *key);
void served_close(struct served *l);

#endif
