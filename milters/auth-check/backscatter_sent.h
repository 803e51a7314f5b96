/*
 * backscatter_sent - what was sent out in the last days, as a filter
 *
 * A Bloom filter for each day, SENT_DAYS of them and today's, in a mapped file
 * of fixed size: (Message-ID, recipient), and the Message-ID alone. What was
 * added is always found; what was not, once in a few thousand times (more on
 * days that bring more than the file was made for: then a forged bounce may
 * pass, a real one never fails). It holds no address and no id, only bits
 * under a secret of the file.
 *
 * ndr_sent_open	path is made when it is not there; a file of another
 *		size or version, or of no sense, is begun anew (*anew_r says
 *		why, NULL: taken over). pairs: a day's. RC_BAD when another
 *		process has it, RC_RETRY when it cannot be made; *why_r. One
 *		reference
 * ndr_sent_hold, ndr_sent_drop	count references
 * ndr_sent_pairs	as it was opened
 * ndr_sent_add	recipient empty: the Message-ID alone
 * ndr_sent_has	within SENT_DAYS of now
 * ndr_sent_age	seconds since the file was begun
 * ndr_sent_since	seconds since something was first added to this file,
 *		while something was added in the last SENT_DAYS; else -1. Who
 *		has sent nothing through us cannot prove anything by it
 *
 * Thread-safe. What is written outlives the process however it ends.
 */
#ifndef AUTH_CHECK_BACKSCATTER_SENT_H
#define AUTH_CHECK_BACKSCATTER_SENT_H

#include "base/arena.h"
#include "base/rc.h"

enum { SENT_DAYS = 7 };

struct ndr_sent;

enum rc ndr_sent_open(const char *path, unsigned pairs,
    struct ndr_sent **sent_r, const char **anew_r, struct arena *a,
    struct slice *why_r);
struct ndr_sent *ndr_sent_hold(struct ndr_sent *s);
void ndr_sent_drop(struct ndr_sent *s);
unsigned ndr_sent_pairs(const struct ndr_sent *s);
void ndr_sent_add(struct ndr_sent *s, struct slice id,
    struct slice recipient, int64_t now);
bool ndr_sent_has(struct ndr_sent *s, struct slice id,
    struct slice recipient, int64_t now);
int64_t ndr_sent_age(const struct ndr_sent *s, int64_t now);
int64_t ndr_sent_since(struct ndr_sent *s, int64_t now);

#endif
